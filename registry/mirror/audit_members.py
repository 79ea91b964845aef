"""Auditing the members of collections: each manifest against its leaf, the leaves against the root,
and what is derived from the manifests, computed by the code that wrote it.

The chain has the root alone. What no other row vouches for can not be fetched again: such a
collection is taken away by a repair, and whoever has its file imports it again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from registry.core import merkle
from registry.core.collection import GROUP
from registry.core.merkle import leaf_hash
from registry.core.units import Digest
from registry.mirror import schema
from registry.mirror.findings import Finding, Remedy, Row, compared
from registry.mirror.member_rows import FIRST_TEXT, MemberRows
from registry.mirror.storage import texts, texts_as_stored
from registry.mirror.stored import HIGHEST, LOWEST, columns, listed, misfit, stored

_HASH = 32
_PIECE = 4 * GROUP
_BETWEEN = " >= :low AND {} <= :high"
_COLLECTIONS = f"SELECT {listed(schema.collections)} FROM collections ORDER BY id"  # noqa: S608
_MEMBERS = f"SELECT {listed(schema.members)} FROM members WHERE id"  # noqa: S608
_FILES = f"SELECT {listed(schema.member_files)} FROM member_files WHERE member"  # noqa: S608
_RECORDS = f"SELECT {listed(schema.member_texts)} FROM member_texts WHERE member"  # noqa: S608


def is_of_member(text_row: Any) -> bool:
    """Whether a row of the index of texts is a member's, and none of a policy's."""
    return isinstance(text_row, int) and FIRST_TEXT <= text_row < 0


@dataclass(slots=True)
class MembersAudit:
    findings: list[Finding] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def count(self, table: str, number: int) -> None:
        self.counts[table] = self.counts.get(table, 0) + number


def audit_members(connection: Connection) -> MembersAudit:
    """Audit all collections whose members are here."""
    audit, end = MembersAudit(), 0
    for table in ("collections", "members", "member_files", "member_texts"):
        audit.count(table, 0)
    # Those that are lost come first: what is theirs goes with them, and is a stranger's nowhere.
    rows = list(stored(connection, _COLLECTIONS))
    audit.count("collections", len(rows))
    kept = [row for row in rows if _audit_collection(connection, audit, row)]
    lost = {row[0] for row in rows} - {row[0] for row in kept}
    passed = _members_of(connection, lost)
    for identity, _, size, _ in kept:
        _audit_strangers(connection, audit, (end, identity - 1), passed)
        end = identity + size
    _audit_strangers(connection, audit, (end, HIGHEST), passed)
    return audit


def _members_of(connection: Connection, collections: set[Any]) -> set[Any]:
    source = 'SELECT id FROM members WHERE "collection" = :id'
    return {row[0] for each in collections for row in stored(connection, source, id=each)}


def _misfit(row: Row) -> str | None:
    """Why a row of `collections` can not be one."""
    problem = misfit(schema.collections, row)
    if problem is not None:
        return problem
    identity, _, size, nodes = row
    if identity < 0 or size < 1 or len(nodes) != _HASH * -(-size // GROUP):
        return "its nodes are not as many as its size wants"
    return None


def _audit_collection(connection: Connection, audit: MembersAudit, row: Row) -> bool:
    """Whether its members have its root; what is wrong with what is derived from them."""
    problem, found, groups = _misfit(row), MembersAudit(), list[Digest]()
    if problem is None:
        identity, root, size, _ = row
        for low in range(identity, identity + size, _PIECE):
            high = min(low + _PIECE, identity + size)
            there = _read(connection, _MEMBERS, "id", low, high - 1)
            found.count("members", len(there))
            manifests = _manifests(there, low, high)
            if manifests is None:
                problem = f"a member of {low} to {high - 1} is missing, or can not be read"
                break
            leaves = [leaf_hash(each) for each in manifests]
            groups += [merkle.root(leaves[at : at + GROUP]) for at in range(0, len(leaves), GROUP)]
            found.findings += _changed(there, identity, leaves, low)
            _audit_derived(connection, found, identity, (low, high - 1), manifests)
    for table, number in found.counts.items():
        audit.count(table, number)
    if problem is None and merkle.root(groups) == root:
        right = (identity, root, size, b"".join(groups))
        audit.findings += found.findings
        audit.findings += compared("collections", columns(schema.collections), _key, [right], [row])
        return True
    problem = problem or "its members do not have its root"
    audit.findings.append(
        Finding("collections", row[:1], f"{problem}: import the collection again", Remedy.FORGET)
    )
    return False


def _manifests(rows: Sequence[Row], low: int, high: int) -> list[bytes] | None:
    """The manifests of the members from `low` to before `high`; None where one is not there."""
    good = [row[3] for row in rows if isinstance(row[3], bytes)]
    whole = len(good) == len(rows) and [row[0] for row in rows] == list(range(low, high))
    return good if whole else None


def _changed(
    rows: Sequence[Row], identity: int, leaves: Sequence[Digest], low: int
) -> Iterator[Finding]:
    """Members of which the leaf or the collection is not what it should be."""
    right = [
        (low + at, identity, leaf, row[3])
        for at, (row, leaf) in enumerate(zip(rows, leaves, strict=True))
    ]
    return compared("members", columns(schema.members), _key, right, rows)


def _audit_derived(
    connection: Connection,
    audit: MembersAudit,
    identity: int,
    bounds: tuple[int, int],
    manifests: Sequence[bytes],
) -> None:
    rows = MemberRows()
    for at, manifest in enumerate(manifests):
        rows.add(identity, bounds[0] + at, leaf_hash(manifest), manifest)
    files = _read(connection, _FILES, "member", *bounds)
    audit.count("member_files", len(files))
    names = columns(schema.member_files)
    audit.findings += compared("member_files", names, _file_key, rows.files, files)
    records = _read(connection, _RECORDS, "member", *bounds)
    audit.count("member_texts", len(records))
    names = columns(schema.member_texts)
    audit.findings += compared("member_texts", names, _key, rows.texts, records)
    source, names = texts(connection)
    there = _read_texts(connection, source, *(FIRST_TEXT + bound for bound in bounds))
    audit.count("search", len(there))
    right = texts_as_stored(connection, rows.search)
    audit.findings += compared("search", names, _key, right, there)


def _audit_strangers(
    connection: Connection, audit: MembersAudit, bounds: tuple[int, int], passed: set[Any]
) -> None:
    """Rows of no collection within `bounds`, but for those of members that are `passed` over; 0
    and HIGHEST take in what lies beyond."""
    low, high = bounds
    lowest = low if low > 0 else LOWEST
    if lowest > high:
        return
    source, names = texts(connection)
    last_text = min(FIRST_TEXT + high, -1)
    members = _read(connection, _MEMBERS, "id", lowest, high)
    files = _read(connection, _FILES, "member", lowest, high)
    records = _read(connection, _RECORDS, "member", lowest, high)
    found = _read_texts(connection, source, FIRST_TEXT + max(low, 0), last_text)
    for table, key, rows in (
        ("members", _key, [row for row in members if row[0] not in passed]),
        ("member_files", _file_key, [row for row in files if row[1] not in passed]),
        ("member_texts", _key, [row for row in records if row[0] not in passed]),
        ("search", _key, [row for row in found if row[0] - FIRST_TEXT not in passed]),
    ):
        audit.count(table, len(rows))
        audit.findings += compared(table, names, key, [], rows)


def _read(connection: Connection, source: str, column: str, low: int, high: int) -> list[Row]:
    limited = source + _BETWEEN.format(column) + " ORDER BY 1"
    return list(stored(connection, limited, low=low, high=high))


def _read_texts(connection: Connection, source: str, low: int, high: int) -> list[Row]:
    return list(stored(connection, f"{source} AND rowid <= :high", low=low, high=high))


def _key(row: Row) -> Row:
    return row[:1]


def _file_key(row: Row) -> Row:
    return row[:2]
