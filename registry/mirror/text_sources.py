"""The documents whose texts are registered: what is read again to have their clauses again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, and_, select

from registry.core.collection import readable
from registry.core.text.clauses import TextRecord
from registry.core.units import Digest
from registry.core.verdict import DocumentRole
from registry.mirror.schema import (
    clause_lists,
    clause_texts,
    documents,
    member_files,
    member_texts,
    members,
    texts,
)
from registry.mirror.text_rows import record_of_row

_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class TextSource:
    """A document, what a manifest calls its file, and what it says of its text. `held` is whether
    its clauses are known here, `said` whether what they say is kept."""

    document: Digest
    name: str | None
    record: TextRecord
    held: bool
    said: bool


_HELD = clause_lists.c.id.is_not(None).label("held")
_SAID = clause_texts.c["list"].is_not(None).label("said")
_FIRST_TEXT = and_(clause_texts.c["list"] == clause_lists.c.id, clause_texts.c.position == 0)
_OF_ENTRIES = (
    select(texts, documents.c.sha256.label("document"), documents.c.name, _HELD, _SAID)
    .join(
        documents,
        and_(documents.c.entry == texts.c.entry, documents.c.role == DocumentRole.DOCUMENT.value),
    )
    .outerjoin(clause_lists, clause_lists.c.root == texts.c.root)
    .outerjoin(clause_texts, _FIRST_TEXT)
    .order_by(texts.c.entry)
    .execution_options(yield_per=_AT_ONCE)
)
_OF_MEMBERS = (
    select(member_texts, member_files.c.sha256.label("document"), members.c.manifest, _HELD, _SAID)
    .join(members, members.c.id == member_texts.c.member)
    .join(
        member_files,
        and_(
            member_files.c.member == member_texts.c.member,
            member_files.c.role == DocumentRole.MEMBER.value,
        ),
    )
    .outerjoin(clause_lists, clause_lists.c.root == member_texts.c.root)
    .outerjoin(clause_texts, _FIRST_TEXT)
    .order_by(member_texts.c.member)
    .execution_options(yield_per=_AT_ONCE)
)


def text_sources(connection: Connection) -> Iterator[TextSource]:
    """Every document whose text is registered without salts: entries' own in log order, then
    members. One that was registered twice comes twice."""
    for row in connection.execute(_OF_ENTRIES.where(texts.c.salted == 0)):
        yield _source(row, row.name)
    for row in connection.execute(_OF_MEMBERS.where(member_texts.c.salted == 0)):
        own = readable(bytes(row.manifest))
        name = None if own is None else own.fields.get("document", {}).get("name")
        yield _source(row, name if isinstance(name, str) else None)


def _source(row: object, name: str | None) -> TextSource:
    document: bytes = row.document  # type: ignore[attr-defined]  # a row of SQLAlchemy's
    held, said = bool(row.held), bool(row.said)  # type: ignore[attr-defined]  # the same
    return TextSource(Digest(document), name, record_of_row(row), held, said)
