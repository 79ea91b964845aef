"""The log read again from what it is made of: the mirror's entries and manifests.

Nothing that was derived from these is believed: leaves are hashed from the entries anew,
manifests are compared with the digests in them, and `policies` only says what the entries
of a policy are called. A row that can not be the log's is Inconsistent: the mirror was
damaged, which says nothing of whatever is compared with it.
"""

from __future__ import annotations

from sqlalchemy import Connection

from registry.core.digest import sha256
from registry.core.entry import Entry
from registry.core.merkle import Frontier
from registry.core.units import Digest
from registry.errors import Inconsistent
from registry.mirror import schema
from registry.mirror.findings import Row
from registry.mirror.rows import block_row, place_checksum
from registry.mirror.stored import leaf_of, listed, read_entry, stored

_ENTRIES = (
    f"SELECT {listed(schema.entries)}, manifests.content, policies.policy_id "  # noqa: S608
    "FROM entries LEFT JOIN manifests ON manifests.entry = entries.entry "
    "LEFT JOIN policies ON policies.id = entries.policy "
    "WHERE entries.entry >= :first AND entries.entry < :size ORDER BY entries.entry"
)
_BLOCK = f"SELECT {listed(schema.blocks)} FROM blocks WHERE number = :number"  # noqa: S608
_BLOCK_NUMBER, _TRANSACTION, _POLICY, _CHECKSUM = 11, 12, 13, 14


def damaged(problem: str) -> Inconsistent:
    return Inconsistent(f"the mirror is damaged: {problem}", hint="run polreg fsck --repair")


def replayed(connection: Connection, size: int, before: Frontier | None = None) -> Frontier:
    """The tree of the log's first `size` entries, grown from them, or from the tree of those
    `before`. After it the rows of these entries tell the policies' histories: each is of the
    policy that it names, and has the manifest that it came with. Raises Inconsistent."""
    tree = Frontier() if before is None else Frontier(before.size, before.peaks)
    for *row, content, policy_id in stored(connection, _ENTRIES, first=tree.size, size=size):
        entry, leaf = _read(tuple(row))
        if entry.index != tree.size:
            raise damaged(f"entry {tree.size} is missing")
        problem = _problem(entry, tuple(row), content, policy_id)
        if problem is not None:
            raise damaged(f"entry {entry.index} {problem}")
        tree.append(leaf)
    if tree.size != size:
        raise damaged(f"entry {tree.size} is missing")
    return tree


def _read(row: Row) -> tuple[Entry, Digest]:
    entry = read_entry(row)
    if isinstance(entry, str):
        raise damaged(f"entry {row[0]} does not read: {entry}")
    leaf = leaf_of(entry)
    if isinstance(leaf, str):
        raise damaged(f"entry {row[0]}: {leaf}")
    return entry, leaf


def _problem(entry: Entry, row: Row, content: object, policy_id: object) -> str | None:
    """What is wrong with what stands beside an entry that reads."""
    block, transaction = row[_BLOCK_NUMBER], row[_TRANSACTION]
    if row[_CHECKSUM] != place_checksum(entry.index, block, transaction, content is not None):
        return "has another place on the chain than it came with, or has lost its manifest"
    if content is not None and (
        not isinstance(content, bytes) or sha256(content) != entry.manifest
    ):
        return "has another manifest than the one that it names"
    if not entry.action.on_policy:
        return None if row[_POLICY] is None else "is of no policy, and its row names one"
    first = entry.previous is None
    if policy_id != entry.policy.policy_id or (first and row[_POLICY] != entry.index):
        return "is of another policy than its row names"
    return None


def require_block(connection: Connection, number: int) -> None:
    """Raise Inconsistent where a block's row is not as it was written."""
    for row in stored(connection, _BLOCK, number=number):
        if tuple(row) != block_row(row[0], row[1], row[2]):
            raise damaged(f"the row of block {number} is not as it was written")
