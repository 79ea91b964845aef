"""Auditing the log: every entry's leaf, place, policy and right to be there, every manifest,
every tile.

Leaves are recomputed from the entries and all tiles from the leaves. Where these are not
the tiles that are stored, the right root decides which of the two is bad; where neither
leads to it, both are named. Entries are read in pieces: what is kept in memory is one
piece, the partial tiles and what was found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import Connection

from registry.core.command import ChainOfCommand
from registry.core.digest import sha256
from registry.core.entry import Entry
from registry.core.merkle import EMPTY_ROOT
from registry.core.tiles import HASH_SIZE, WIDTH, TileId
from registry.core.units import Digest
from registry.errors import Inconsistent
from registry.mirror import schema
from registry.mirror.audit_tiles import (
    RecomputedTiles,
    from_stored_leaves,
    stored_tile,
    stored_tiles,
    surplus,
)
from registry.mirror.findings import Finding, Remedy, Row
from registry.mirror.rows import place_checksum
from registry.mirror.stored import leaf_of, listed, read_entry, stored

Progress = Callable[[int], None]
"""Called with how many more entries were read."""

_PIECE = 16 * WIDTH
_IN_LIST = 500
_ENTRIES = (
    f"SELECT {listed(schema.entries)} FROM entries "  # noqa: S608
    "WHERE entry >= :low AND entry < :high"
)
_MANIFESTS = "SELECT entry, content FROM manifests WHERE entry >= :low AND entry < :high"
_OUTSIDE = {
    "entries": "SELECT entry FROM entries WHERE entry < 0 OR entry >= :size",
    "manifests": "SELECT entry FROM manifests WHERE entry < 0 OR entry >= :size",
}
_BLOCK, _TRANSACTION, _POLICY, _CHECKSUM = 11, 12, 13, 14
_NO_LEAF = bytes(HASH_SIZE)
_UNDECIDED = "it and {} differ, and neither leads to the right root"


@dataclass(slots=True)
class LogAudit:
    """What the log's own tables hold. `suspects` are entries that nothing may be derived
    from; `policy_of` is the right policy of those that name another one."""

    size: int
    findings: list[Finding] = field(default_factory=list)
    suspects: set[int] = field(default_factory=set)
    policy_of: dict[int, int | None] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    root: Digest = EMPTY_ROOT
    peaks: tuple[Digest, ...] = ()


def audit_log(
    connection: Connection, size: int, right_root: bytes | None, progress: Progress
) -> LogAudit:
    """Audit the log, which is to have `size` entries and the root, if one is known."""
    reading = _Pass(connection, size)
    for low in range(0, size, _PIECE):
        high = min(low + _PIECE, size)
        reading.piece(low, high)
        progress(high - low)
    return reading.finished(right_root)


class _Pass:
    """One reading of the log from its first entry to its last."""

    def __init__(self, connection: Connection, size: int) -> None:
        self._audit = LogAudit(size, counts={"entries": 0, "manifests": 0})
        self._connection = connection
        self._tiles = RecomputedTiles(connection)
        # Entries whose leaf is not the tile's, with what is wrong if the leaf is right.
        self._undecided: dict[int, list[Finding]] = {}
        # The policies of this piece's entries, and of those that they go on from.
        self._policies: dict[int, int | None] = {}
        # Followed until an entry does not read, or is by somebody who might not write it.
        self._command: ChainOfCommand | None = ChainOfCommand()
        self._unentitled: Finding | None = None

    def piece(self, low: int, high: int) -> None:
        bounds = {"low": low, "high": high}
        rows = {row[0]: row for row in stored(self._connection, _ENTRIES, **bounds)}
        contents: dict[int, object] = dict(stored(self._connection, _MANIFESTS, **bounds))
        held = stored_tiles(self._connection, 0, low // WIDTH, -(-high // WIDTH))
        self._audit.counts["entries"] += len(rows)
        self._audit.counts["manifests"] += len(contents)
        self._policies = self._known_policies(rows, low)
        leaves = []
        for index in range(low, high):
            tile, at = held.get(index // WIDTH), index % WIDTH * HASH_SIZE
            in_tile = tile[at : at + HASH_SIZE] if isinstance(tile, bytes) else b""
            leaves.append(self._leaf(index, rows.get(index), contents, in_tile))
        self._tiles.grow(leaves)

    def _leaf(
        self, index: int, row: Row | None, contents: dict[int, object], in_tile: bytes
    ) -> bytes:
        """Check one entry; its leaf, or the tile's where it has none."""
        entry = "is missing" if row is None else read_entry(row)
        leaf = entry if isinstance(entry, str) else leaf_of(entry)
        if row is None or isinstance(entry, str) or isinstance(leaf, str):
            self._add([_entry(index, str(leaf))])
            self._command = None
            return in_tile if len(in_tile) == HASH_SIZE else _NO_LEAF
        self._follow(entry)
        beside = self._beside(entry, row, contents)
        if leaf == in_tile:
            self._add(beside)
        else:
            self._undecided[index] = beside
        return leaf

    def _follow(self, entry: Entry) -> None:
        if self._command is None:
            return
        try:
            self._command.follow(entry)
        except Inconsistent as error:
            self._unentitled = Finding("entries", (entry.index,), str(error), Remedy.NONE)
            self._command = None

    def _beside(self, entry: Entry, row: Row, contents: dict[int, object]) -> list[Finding]:
        """What is wrong with a row's other columns and its manifest, if its leaf is right."""
        index, problems, found = entry.index, [], []
        right = self._policy(entry, row)
        if row[_POLICY] != right:
            self._policies[index] = self._audit.policy_of[index] = right
            problems.append(f"policy is {row[_POLICY]}, not {right}")
        place, there = (index, row[_BLOCK], row[_TRANSACTION]), index in contents
        fits = row[_CHECKSUM] == place_checksum(*place, there)
        if not fits and row[_CHECKSUM] == place_checksum(*place, not there):
            remedy = Remedy.REPLACE if there else Remedy.REFETCH
            problem = "the log holds its digest alone" if there else "is missing"
            found.append(Finding("manifests", (index,), problem, remedy))
        elif not fits:
            problems.append("its place on the chain does not fit its checksum")
        if there and not found and not _is_manifest(contents[index], entry):
            problem = "its SHA-256 is not the entry's"
            found.append(Finding("manifests", (index,), problem, Remedy.REFETCH))
        return ([_entry(index, "; ".join(problems))] if problems else []) + found

    def _policy(self, entry: Entry, row: Row) -> int | None:
        if not entry.action.on_policy:
            return None
        if entry.previous is None:
            return entry.index
        # Of an entry that is missing the policy is not known.
        return self._policies.get(entry.previous, row[_POLICY])

    def _known_policies(self, rows: dict[int, Row], low: int) -> dict[int, int | None]:
        found: dict[int, int | None] = {index: row[_POLICY] for index, row in rows.items()}
        earlier = list({row[1] for row in rows.values() if type(row[1]) is int and row[1] < low})
        for at in range(0, len(earlier), _IN_LIST):
            some = ", ".join(map(str, earlier[at : at + _IN_LIST]))
            source = f"SELECT entry, policy FROM entries WHERE entry IN ({some})"  # noqa: S608
            for entry, policy in self._connection.exec_driver_sql(source):
                found[entry] = self._audit.policy_of.get(entry, policy)
        return found

    def finished(self, right_root: bytes | None) -> LogAudit:
        audit, tree = self._audit, self._tiles.finish()
        audit.root, audit.peaks = tree.root(), tuple(tree.peaks)
        self._decide(right_root)
        if self._unentitled is not None and audit.root == right_root:
            # The entries are the chain's own: it is the registry that is not to be relied on.
            audit.findings.append(self._unentitled)
        for table, source in _OUTSIDE.items():
            for key in stored(self._connection, source, size=audit.size):
                audit.findings.append(Finding(table, key, "belongs to nothing in the log"))
        audit.findings += surplus(self._connection, audit.size)
        audit.counts["tiles"] = self._tiles.there
        return audit

    def _decide(self, right_root: bytes | None) -> None:
        """Say of all leaves and tiles that differ which of the two is bad."""
        differing = self._tiles.differing
        if self._audit.root == right_root:
            for beside in self._undecided.values():
                self._add(beside)
            problem = "it is not what the entries make it"
            self._add([_tile(tile, problem, hashes) for tile, hashes in differing.items()])
            return
        if not differing and not self._undecided:
            return
        tree, above = from_stored_leaves(self._connection, self._audit.size) or (None, differing)
        if tree is not None and tree.root() == right_root:
            self._add([_entry(index, "its leaf is not the log's") for index in self._undecided])
            problem = "it is not what the tiles below make it"
            self._add([_tile(tile, problem, hashes) for tile, hashes in above.items()])
            return
        problem = _UNDECIDED.format("its tile")
        self._add([_entry(index, problem) for index in self._undecided])
        for tile in differing:
            if tile.level == 0 or above.get(tile) != stored_tile(self._connection, tile):
                self._add([_tile(tile, _UNDECIDED.format("its entries"), None)])

    def _add(self, findings: list[Finding]) -> None:
        self._audit.findings += findings
        self._audit.suspects |= {each.key[0] for each in findings if each.table != "tiles"}


def _is_manifest(content: object, entry: Entry) -> bool:
    return isinstance(content, bytes) and sha256(content) == entry.manifest


def _entry(index: int, problem: str) -> Finding:
    return Finding("entries", (index,), problem, Remedy.REFETCH)


def _tile(tile: TileId, problem: str, right: bytes | None) -> Finding:
    """A bad tile. Where the right one is not known, its entries are fetched first."""
    if right is None:
        return Finding("tiles", tuple(tile), problem, Remedy.REFETCH)
    return Finding("tiles", tuple(tile), problem, right=(*tile, right))
