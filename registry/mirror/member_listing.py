"""Lists of the members of collections: filters, full-text search, keyset pages."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, and_, func, or_, select

from registry.core.collection import readable
from registry.core.search import words
from registry.core.units import Day, Digest
from registry.core.verdict import DocumentRole, FinalityBlocks, Registration
from registry.mirror.listing import MemberFilter
from registry.mirror.member_rows import FIRST_TEXT
from registry.mirror.registrations import OF_MEMBERS, of_member
from registry.mirror.rows import COLLECTION
from registry.mirror.schema import collections, documents, member_files, members, policies
from registry.mirror.search import having


@dataclass(frozen=True, slots=True)
class ListedMember:
    """A member: its document, what its own manifest says of it, and where it stands. `id` is where
    a page goes on after it."""

    id: int
    sha256: Digest
    type: str | None
    issued: Day | None
    registration: Registration


_LATER = documents.alias("later")
# Of several entries that are the same collection the latest: a member is listed once.
_LATEST = (
    select(func.max(_LATER.c.entry))
    .where(_LATER.c.sha256 == documents.c.sha256, _LATER.c.role == COLLECTION)
    .scalar_subquery()
)
_LISTED = OF_MEMBERS.where(
    member_files.c.role == DocumentRole.MEMBER.value, documents.c.entry == _LATEST
).order_by(member_files.c.member)


def member_page(
    connection: Connection,
    wanted: MemberFilter,
    after: int,
    limit: int,
    *,
    finality: FinalityBlocks,
    closed: bool,
) -> list[ListedMember]:
    """Up to `limit` members whose id is greater than `after`, in the order of id: collection by
    collection, each in its own order."""
    statement = _LISTED.where(member_files.c.member > after).limit(limit)
    if wanted.collection is not None:
        statement = statement.where(collections.c.root == wanted.collection)
    if wanted.first:
        statement = statement.where(members.c.id >= collections.c.id + wanted.first)
    if wanted.authority is not None:
        given, code = policies.c.authority, wanted.authority
        below = and_(given >= f"{code}.", given < f"{code}/")
        statement = statement.where(or_(given == code, below))
    found = having(connection, words(wanted.text or ""), of_members=True)
    if found is not None:
        of_text = select(found.subquery().c.rowid - FIRST_TEXT)
        statement = statement.where(member_files.c.member.in_(of_text))
    listed = []
    for row in connection.execute(statement, {"day": wanted.on}):
        own = readable(bytes(row.manifest))
        listed.append(
            ListedMember(
                id=row.member,
                sha256=Digest(row.sha256),
                type=own.type if own else None,
                issued=own.issued if own else None,
                registration=of_member(row, wanted.on, finality, closed),
            )
        )
    return listed
