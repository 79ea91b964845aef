"""What manifests say of texts, and the clauses that are known here.

The records are derived from the log and from the members of collections. Lists of clauses are
not: one is kept by its root, where that is what a manifest in the log says, or where it was made
here and its entry is still to come. A list of a salted document is none of the mirror's: its
labels are the registrar's, as its salts are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    and_,
    bindparam,
    delete,
    select,
)

from registry.core.text.clauses import ClauseHash, TextRecord
from registry.core.units import Digest, EntryIndex
from registry.core.verdict import DocumentRole
from registry.errors import NotVerified
from registry.mirror.members import by_way_of_its_collection
from registry.mirror.schema import (
    clause_lists,
    clause_texts,
    clauses,
    collections,
    documents,
    entries,
    member_files,
    member_texts,
    members,
    policies,
    texts,
)
from registry.mirror.text_rows import record_of_row

_IN_LIST = 500


@dataclass(frozen=True, slots=True)
class RegisteredText:
    """A document of which a manifest in the log tells the text. `member` is its place in the
    collection that the entry is, None where it is the entry's own document."""

    document: Digest
    entry: EntryIndex
    policy_id: Digest
    record: TextRecord
    member: int | None


@dataclass(frozen=True, slots=True)
class ClauseList:
    """The clauses of one root, in their order. `texts` are what they say, where the document was
    kept here."""

    id: int
    root: Digest
    hashes: tuple[ClauseHash, ...]
    texts: tuple[str, ...] | None


_RECORD = ("sha256", "root", "clauses", "salted", "extractor")
_OF_ENTRIES = (
    select(
        *(texts.c[name] for name in _RECORD),
        entries.c.document,
        texts.c.entry,
        policies.c.policy_id,
    )
    .join(entries, entries.c.entry == texts.c.entry)
    .join(policies, policies.c.id == texts.c.policy)
    .order_by(texts.c.entry)
)
# A member's, by way of each entry that is its collection.
_OF_MEMBERS = by_way_of_its_collection(
    select(
        *(member_texts.c[name] for name in _RECORD),
        member_files.c.sha256.label("document"),
        documents.c.entry,
        policies.c.policy_id,
        (members.c.id - collections.c.id).label("member"),
    ).join(
        member_files,
        and_(
            member_files.c.member == member_texts.c.member,
            member_files.c.role == DocumentRole.MEMBER.value,
        ),
    ),
    member_texts.c.member,
).order_by(documents.c.entry, members.c.id)
_WANTED: BindParameter[Any] = bindparam("wanted", expanding=True)
_BY_DOCUMENT = (
    _OF_ENTRIES.join(
        documents,
        and_(documents.c.entry == texts.c.entry, documents.c.role == DocumentRole.DOCUMENT.value),
    ).where(documents.c.sha256.in_(_WANTED)),
    _OF_MEMBERS.where(member_files.c.sha256.in_(_WANTED)),
)
_BY_DIGEST = (
    _OF_ENTRIES.where(texts.c.sha256.in_(_WANTED)),
    _OF_MEMBERS.where(member_texts.c.sha256.in_(_WANTED)),
)
_BY_ROOT = (
    _OF_ENTRIES.where(texts.c.root.in_(_WANTED)),
    _OF_MEMBERS.where(member_texts.c.root.in_(_WANTED)),
)
_BY_ENTRY = _OF_ENTRIES.where(texts.c.entry.in_(_WANTED))


def text_records(
    connection: Connection, sha256s: Sequence[bytes]
) -> dict[bytes, list[RegisteredText]]:
    """What is registered of the texts of these documents, in log order, by document."""
    found: dict[bytes, list[RegisteredText]] = {}
    for each in _registered(connection, _BY_DOCUMENT, sha256s):
        found.setdefault(each.document, []).append(each)
    return found


def text_record(connection: Connection, sha256: bytes) -> RegisteredText | None:
    """What the latest entry with this document says of its text."""
    found = text_records(connection, [sha256]).get(sha256)
    return max(found, key=lambda each: each.entry) if found else None


def texts_of_entries(connection: Connection, wanted: Sequence[int]) -> dict[int, RegisteredText]:
    """What entries say of the text of their own document, by entry."""
    found = _registered(connection, (_BY_ENTRY,), wanted)
    return {each.entry: each for each in found}


def by_text_digest(connection: Connection, digest: bytes) -> list[RegisteredText]:
    """The documents whose text is registered with this digest: entries' own in log order, then
    members."""
    return list(_registered(connection, _BY_DIGEST, [digest]))


def by_root(connection: Connection, root: bytes) -> list[RegisteredText]:
    """The documents whose text is registered with this root over its clauses."""
    return list(_registered(connection, _BY_ROOT, [root]))


def _registered(
    connection: Connection, statements: Iterable[Any], wanted: Sequence[Any]
) -> Iterator[RegisteredText]:
    for statement in statements:
        for at in range(0, len(wanted), _IN_LIST):
            given = {"wanted": list(wanted[at : at + _IN_LIST])}
            for row in connection.execute(statement, given):
                yield RegisteredText(
                    Digest(row.document),
                    EntryIndex(row.entry),
                    Digest(row.policy_id),
                    record_of_row(row),
                    getattr(row, "member", None),
                )


def clause_list(connection: Connection, root: bytes) -> ClauseList | None:
    """The clauses with this root; None where they are not known here."""
    statement = select(clause_lists).where(clause_lists.c.root == root)
    row = connection.execute(statement).one_or_none()
    if row is None:
        return None
    listed = select(clauses.c.label, clauses.c.text_hash).where(clauses.c.list == row.id)
    hashes = tuple(
        ClauseHash(each.label, Digest(each.text_hash))
        for each in connection.execute(listed.order_by(clauses.c.position))
    )
    return ClauseList(row.id, Digest(row.root), hashes, _texts(connection, row.id, row.size))


def _texts(connection: Connection, identity: int, size: int) -> tuple[str, ...] | None:
    said = select(clause_texts.c.text).where(clause_texts.c.list == identity)
    found = tuple(connection.execute(said.order_by(clause_texts.c.position)).scalars())
    return found if size and len(found) == size else None


def require_registered(connection: Connection, root: bytes, count: int) -> None:
    """Raise NotVerified for a list that no manifest in the log tells of, or a salted one's."""
    plain = [each for each in by_root(connection, root) if not each.record.salted]
    if not plain:
        raise NotVerified(
            f"no manifest in the log has a text with the root {root.hex()}",
            hint="run polreg sync; or these are clauses of another registry's document",
        )
    if all(each.record.count != count for each in plain):
        said = ", ".join(sorted({str(each.record.count) for each in plain}))
        raise NotVerified(f"the list {root.hex()} has {count} clauses, its manifest says {said}")


def is_unfit(value: str) -> bool:
    """Whether a database can not hold it: NUL, or what UTF-8 can not write."""
    try:
        return b"\x00" in value.encode("utf-8")
    except UnicodeEncodeError:
        return True


def forget_clauses(connection: Connection, identity: int | None = None) -> None:
    """Take away a list of clauses, or all."""
    for table, column in (
        (clause_texts, clause_texts.c["list"]),
        (clauses, clauses.c["list"]),
        (clause_lists, clause_lists.c.id),
    ):
        gone = delete(table)
        connection.execute(gone if identity is None else gone.where(column == identity))


def held_lists(connection: Connection) -> list[Digest]:
    """The roots of all lists that are held here, in their order."""
    statement = select(clause_lists.c.root).order_by(clause_lists.c.root)
    return [Digest(root) for root in connection.execute(statement).scalars()]


def registered_lists(connection: Connection) -> Iterator[Digest]:
    """The roots of the lists that are held here and that a manifest in the log says, in their
    order: those of no salted document."""
    statement = select(clause_lists.c.root).where(_is_registered()).order_by(clause_lists.c.root)
    return (Digest(root) for root in connection.execute(statement).scalars().all())


def _is_registered() -> ColumnElement[bool]:
    of_entry = select(texts.c.entry).where(texts.c.root == clause_lists.c.root, texts.c.salted == 0)
    of_member = select(member_texts.c.member).where(
        member_texts.c.root == clause_lists.c.root, member_texts.c.salted == 0
    )
    return of_entry.exists() | of_member.exists()
