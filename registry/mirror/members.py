"""The members of collections: written from a file that has the root that is in the log, and read.

They are kept by their collection's root: a collection whose entry leaves the chain has its members
again when it comes back. What is answered of a member always goes by way of an entry that is in
the log, has that root for its document, and says that it is a collection of so many.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    select,
    text,
    update,
)

from registry.core.collection import GROUP, CollectionHeader, Growing, member_path
from registry.core.units import Digest
from registry.mirror.bulk import insert_rows
from registry.mirror.engine import on_postgres
from registry.mirror.member_rows import FIRST_TEXT, MemberRows
from registry.mirror.rows import COLLECTION
from registry.mirror.schema import (
    collections,
    documents,
    entries,
    member_files,
    member_texts,
    members,
    policies,
)
from registry.mirror.search import SEARCH, insert_texts
from registry.mirror.search_index import seal

_BATCH = 2000
_HASH = 32

_MANIFESTS = (
    select(members.c.manifest)
    .where(members.c.collection == bindparam("collection"))
    .order_by(members.c.id)
    .execution_options(yield_per=_BATCH)
)


# Written out, so that the index of these few is used.
_IS_COLLECTION = text(f"documents.role = '{COLLECTION}'")
_NOT_HELD = (
    select(func.count())
    .select_from(documents)
    .outerjoin(
        collections,
        and_(collections.c.root == documents.c.sha256, collections.c.size == documents.c.size),
    )
    .where(_IS_COLLECTION, collections.c.id.is_(None))
)


def by_way_of_its_collection(statement: Select[Any], member: ColumnElement[Any]) -> Select[Any]:
    """The statement with the entry, in `documents`, by which the log vouches for a member: one that
    has the root for its document and says that it is a collection of so many. Once for each such
    entry; `member` is the member's id."""
    return (
        statement.join(members, members.c.id == member)
        .join(collections, collections.c.id == members.c.collection)
        .join(
            documents,
            and_(
                documents.c.sha256 == collections.c.root,
                documents.c.role == COLLECTION,
                documents.c.size == collections.c.size,
            ),
        )
        .join(policies, policies.c.id == documents.c.policy)
    )


@dataclass(frozen=True, slots=True)
class Held:
    """A collection whose members are known here. `id` is its first member's."""

    id: int
    root: Digest
    size: int
    nodes: tuple[Digest, ...]

    @property
    def header(self) -> CollectionHeader:
        return CollectionHeader(self.root, self.size)


def held_collections(connection: Connection) -> list[Held]:
    """Every collection whose members are known here, in or out of the log."""
    return [
        _held(row) for row in connection.execute(select(collections).order_by(collections.c.id))
    ]


def held_collection(connection: Connection, root: bytes) -> Held | None:
    row = connection.execute(select(collections).where(collections.c.root == root)).one_or_none()
    return None if row is None else _held(row)


def _held(row: Any) -> Held:
    nodes = (Digest(row.nodes[at : at + _HASH]) for at in range(0, len(row.nodes), _HASH))
    return Held(row.id, Digest(row.root), row.size, tuple(nodes))


def logged_collections(connection: Connection, root: bytes | None = None) -> list[Any]:
    """The entries that are collections, in log order: with the root, how many members it says
    there are, whether they are `held`, and what the policy is called."""
    held = collections.c.id.is_not(None).label("held")
    statement = (
        select(
            documents.c.sha256.label("root"),
            documents.c.entry,
            documents.c.size,
            documents.c.version,
            policies.c.policy_id,
            policies.c.authority,
            policies.c.number,
            policies.c.title_zh,
            policies.c.title_en,
            entries.c.recorded_at,
            held,
        )
        .join(policies, policies.c.id == documents.c.policy)
        .join(entries, entries.c.entry == documents.c.entry)
        .outerjoin(
            collections,
            and_(collections.c.root == documents.c.sha256, collections.c.size == documents.c.size),
        )
        .where(_IS_COLLECTION)
        .order_by(documents.c.entry)
    )
    if root is not None:
        statement = statement.where(documents.c.sha256 == root)
    return list(connection.execute(statement))


def count_not_held(connection: Connection) -> int:
    """How many entries are collections whose members are not known here."""
    return int(connection.execute(_NOT_HELD).scalar_one())


def write_members(
    connection: Connection, header: CollectionHeader, manifests: Iterable[bytes]
) -> Iterator[int]:
    """Keep a collection's members; yields how many there are so far. Whoever calls makes sure
    that they have the header's root, and takes all back where they do not."""
    first = _next_id(connection)
    tree, waiting = Growing(), iter(manifests)
    connection.execute(
        insert(collections), {"id": first, "root": header.root, "size": 0, "nodes": b""}
    )
    while some := list(islice(waiting, _BATCH)):
        rows = MemberRows()
        for manifest in some:
            member = first + tree.size
            rows.add(first, member, tree.append(manifest), manifest)
        insert_rows(connection, members, rows.members)
        insert_rows(connection, member_files, rows.files)
        insert_rows(connection, member_texts, rows.texts)
        insert_texts(connection, rows.search)
        yield tree.size
    whole = {"size": tree.size, "nodes": b"".join(tree.nodes())}
    connection.execute(update(collections).where(collections.c.id == first).values(whole))
    if not on_postgres(connection):
        seal(connection)


def _next_id(connection: Connection) -> int:
    newest = func.max(collections.c.id + collections.c.size)
    found = connection.execute(select(newest)).scalar()
    return 0 if found is None else int(found)


def forget_members(connection: Connection, collection: int | None = None) -> None:
    """Take away the members of a collection, or of all."""
    gone = select(members.c.id)
    itself = delete(collections)
    if collection is not None:
        gone = gone.where(members.c.collection == collection)
        itself = itself.where(collections.c.id == collection)
    for each in (
        delete(SEARCH).where(SEARCH.c.rowid.in_(select(gone.subquery().c.id + FIRST_TEXT))),
        delete(member_files).where(member_files.c.member.in_(gone)),
        delete(member_texts).where(member_texts.c.member.in_(gone)),
        delete(members).where(members.c.id.in_(gone)),
        itself,
    ):
        connection.execute(each)
    if not on_postgres(connection):
        seal(connection)


def manifests_of(connection: Connection, collection: int) -> Iterator[bytes]:
    """The members' manifests, streamed in the order of the tree."""
    rows = connection.execute(_MANIFESTS, {"collection": collection})
    return (bytes(row.manifest) for row in rows)


def member_and_path(
    connection: Connection, root: bytes, index: int
) -> tuple[bytes, list[Digest]] | None:
    """A member's manifest and its path to the root; None where the members are not known."""
    held = held_collection(connection, root)
    if held is None:
        return None
    first = held.id + index - index % GROUP
    leaves = select(members.c.leaf).where(members.c.id >= first, members.c.id < first + GROUP)
    of_group = leaves.where(members.c.collection == held.id).order_by(members.c.id)
    hashes = [Digest(leaf) for leaf in connection.execute(of_group).scalars()]
    own = select(members.c.manifest).where(members.c.id == held.id + index)
    manifest = bytes(connection.execute(own).scalar_one())
    return manifest, member_path(index, held.size, held.nodes, hashes)
