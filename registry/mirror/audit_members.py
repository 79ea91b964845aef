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
_AGAIN = "import the collection again"


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
    for table in ("collections", "members", "member_files"):
        audit.count(table, 0)
    for row in list(stored(connection, _COLLECTIONS)):
        audit.count("collections", 1)
        problem = _misfit(row, end)
        if problem is not None:
            audit.findings.append(_lost(row, problem))
            continue
        _audit_strangers(connection, audit, end, row[0] - 1)
        _audit_collection(connection, audit, row)
        end = row[0] + row[2]
    _audit_strangers(connection, audit, end, HIGHEST)
    return audit


def _misfit(row: Row, end: int) -> str | None:
    """Why a row of `collections` can not be one; `end` is where the one before it ends."""
    problem = misfit(schema.collections, row)
    if problem is not None:
        return problem
    identity, _, size, nodes = row
    if identity < end:
        return "it overlaps the one before it"
    if size < 1 or len(nodes) != _HASH * -(-size // GROUP):
        return "its nodes are not as many as its size wants"
    return None


def _lost(row: Row, problem: str) -> Finding:
    return Finding("collections", row[:1], f"{problem}: {_AGAIN}", Remedy.FORGET)


def _audit_collection(connection: Connection, audit: MembersAudit, row: Row) -> None:
    identity, root, size, _ = row
    groups: list[Digest] = []
    problems: list[str] = []
    for low in range(identity, identity + size, _PIECE):
        high = min(low + _PIECE, identity + size)
        there = _read(connection, _MEMBERS, "id", low, high - 1)
        audit.count("members", len(there))
        manifests = _manifests(there, low, high)
        if manifests is None:
            problems.append(f"a member of {low} to {high - 1} is missing, or can not be read")
            break
        leaves = [leaf_hash(each) for each in manifests]
        groups += [merkle.root(leaves[at : at + GROUP]) for at in range(0, len(leaves), GROUP)]
        audit.findings += _changed(there, identity, leaves, low)
        _audit_derived(connection, audit, identity, (low, high - 1), manifests)
    if not problems and merkle.root(groups) == root:
        right = (identity, root, size, b"".join(groups))
        audit.findings += compared("collections", columns(schema.collections), _key, [right], [row])
        return
    audit.findings.append(_lost(row, *problems or ["its members do not have its root"]))


def _manifests(rows: Sequence[Row], low: int, high: int) -> list[bytes] | None:
    """The manifests of the members from `low` to before `high`; None where one is not there."""
    good = [row[3] for row in rows if isinstance(row[3], bytes)]
    whole = len(good) == len(rows) and [row[0] for row in rows] == list(range(low, high))
    return good if whole else None


def _changed(
    rows: Sequence[Row], identity: int, leaves: Sequence[Digest], low: int
) -> Iterator[Finding]:
    """Members that do not fit their manifest: it is named, whichever of the two is wrong. Where it
    is the manifest, the root tells too."""
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
    source, names = texts(connection)
    there = _read_texts(connection, source, *(FIRST_TEXT + bound for bound in bounds))
    audit.count("search", len(there))
    right = texts_as_stored(connection, rows.search)
    audit.findings += compared("search", names, _key, right, there)


def _audit_strangers(connection: Connection, audit: MembersAudit, low: int, high: int) -> None:
    """Rows of no collection, numbered `low` to `high`; 0 and HIGHEST take in what lies beyond."""
    lowest = low if low > 0 else LOWEST
    if lowest > high:
        return
    source, names = texts(connection)
    last_text = min(FIRST_TEXT + high, -1)
    for table, key, rows in (
        ("members", _key, _read(connection, _MEMBERS, "id", lowest, high)),
        ("member_files", _file_key, _read(connection, _FILES, "member", lowest, high)),
        ("search", _key, _read_texts(connection, source, FIRST_TEXT + max(low, 0), last_text)),
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
