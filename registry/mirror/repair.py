"""Putting right what an audit found, row by row.

Runs inside the caller's one transaction, which is kept only where a new audit finds
nothing: what is written here is trusted for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from sqlalchemy import Connection

from registry.core.feed import Block, Recorded
from registry.core.merkle import Frontier
from registry.core.position import Position
from registry.core.units import BlockNumber, EntryIndex
from registry.errors import CouldNotCheck
from registry.mirror import schema
from registry.mirror.audit import Audited
from registry.mirror.findings import Finding, Remedy, Row
from registry.mirror.members import forget_members
from registry.mirror.position import position_row
from registry.mirror.rows import block_row, entry_row
from registry.mirror.storage import (
    VERSION,
    begin_repair,
    knows_schema,
    put,
    rebuild_search,
    reindex,
    take,
)
from registry.mirror.stored import HIGHEST, columns, stored
from registry.mirror.texts import forget_clauses

_KEYS = {
    table.name: tuple(column.name for column in table.primary_key.columns)
    for table in schema.metadata.tables.values()
} | {"search": ("rowid",), VERSION: ("version_num",)}
_LOG = frozenset({"entries", "manifests", "tiles"})


class Source(Protocol):
    """The chain, as far as a repair asks it."""

    def entry(self, index: EntryIndex, first: BlockNumber | None, last: BlockNumber) -> Recorded:
        """An entry's event, which stands in these blocks."""

    def block(self, number: BlockNumber) -> Block:
        """A block that entries stand in."""

    def position(self, block: BlockNumber | None, tree: Frontier) -> Position:
        """A position right after a block, None for the one before the contract's first."""


def mend(connection: Connection, audited: Audited, source: Source | None) -> None:
    """Put right what can be put right now. What rests on it is found by the next audit.

    Raises CouldNotCheck where a row has to come from the chain and there is none.
    """
    begin_repair(connection)
    refetched = [each for each in audited.findings if each.remedy is Remedy.REFETCH]
    if refetched and source is None:
        raise CouldNotCheck(
            f"{len(refetched)} rows can only be had from the chain, which could not be read"
        )
    if any(each.remedy is Remedy.REINDEX and each.table != "search" for each in audited.findings):
        reindex(connection)
    replaced = [each for each in audited.findings if each.remedy is Remedy.REPLACE]
    _require_known_version(connection, replaced)
    # What is wrong goes first: it may be in the way of what is right.
    for each in replaced:
        take(connection, each.table, _KEYS[each.table], each.key)
    for each in replaced:
        if each.right is not None:
            put(connection, each.table, each.right)
    for each in audited.findings:
        if each.remedy is Remedy.FORGET:
            _forget(connection, each)
    if source is not None:
        _refetch(connection, refetched, audited, source)
    if any(each.table == "search" for each in audited.findings):
        rebuild_search(connection)


def _forget(connection: Connection, finding: Finding) -> None:
    if finding.table == schema.clause_lists.name:
        forget_clauses(connection, finding.key[0])
    else:
        forget_members(connection, finding.key[0])


def _require_known_version(connection: Connection, findings: Sequence[Finding]) -> None:
    if any(each.table == VERSION for each in findings) and not knows_schema(connection):
        raise CouldNotCheck(
            "the database has another schema than this program",
            hint="update polreg; or delete the database and run polreg sync, which rebuilds it",
        )


def _set(connection: Connection, table: str, at: Row, right: Row | None) -> None:
    """Let this row stand at a key, or none."""
    take(connection, table, _KEYS[table], at)
    if right is not None:
        put(connection, table, right)


def _refetch(
    connection: Connection, findings: Sequence[Finding], audited: Audited, source: Source
) -> None:
    wanted = sorted({each.key[0] for each in findings if each.table in {"entries", "manifests"}})
    for index in wanted:
        _refetch_entry(connection, index, wanted, source)
    for each in findings:
        if each.table == "blocks":
            _refetch_block(connection, each.key[0], source)
    # A position says what the log is: that has to be right first.
    tables = {each.table for each in audited.findings}
    if "position" in tables and not tables & _LOG:
        _reset_position(connection, audited, source)


def _refetch_entry(connection: Connection, index: int, bad: Iterable[int], source: Source) -> None:
    event = source.entry(EntryIndex(index), *_neighbourhood(connection, index, set(bad)))
    entry, policy = event.entry, None
    if entry.action.on_policy:
        policy = index
        if entry.previous is not None:
            before = "SELECT policy FROM entries WHERE entry = :previous"
            policy = next(stored(connection, before, previous=entry.previous))[0]
    _set(connection, "entries", (index,), entry_row(event, policy))
    manifest = None if event.manifest is None else (index, event.manifest)
    _set(connection, "manifests", (index,), manifest)


def _neighbourhood(
    connection: Connection, index: int, bad: set[int]
) -> tuple[BlockNumber | None, BlockNumber]:
    """The blocks that an entry must stand in, by the good entries on both sides."""
    before = "SELECT entry, block FROM entries WHERE entry < :index ORDER BY entry DESC"
    after = "SELECT entry, block FROM entries WHERE entry > :index ORDER BY entry"
    first, last = (
        next((row[1] for row in stored(connection, each, index=index) if row[0] not in bad), None)
        for each in (before, after)
    )
    return first, BlockNumber(HIGHEST if last is None else last)


def _refetch_block(connection: Connection, number: int, source: Source) -> None:
    size = "SELECT max(entry) + 1 FROM entries WHERE block = :number"
    held = next(stored(connection, size, number=number))[0]
    block = None if held is None else source.block(BlockNumber(number))
    right = None if block is None else block_row(number, block.hash, held)
    _set(connection, "blocks", (number,), right)


def _reset_position(connection: Connection, audited: Audited, source: Source) -> None:
    last = next(stored(connection, "SELECT max(block) FROM entries"))[0]
    position = source.position(last, Frontier(audited.size, audited.peaks))
    row = position_row(position)
    right = tuple(row[name] for name in columns(schema.position))
    _set(connection, "position", (1,), right)
