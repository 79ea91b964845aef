"""Writing the mirror: append what a chain reported, or take it back.

`append` and `rewind` run inside the caller's one transaction, so that a kill leaves
either all of a range or nothing of it. They trust their input; the services have
checked it against the log's root, and with `require_entitled` who acted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, select

from registry.core.authority import Role
from registry.core.command import ChainOfCommand, Held, concerned
from registry.core.entry import Action, Entry
from registry.core.feed import Recorded
from registry.core.policy import policy_id
from registry.core.snapshot import Logged
from registry.core.units import Address, BlockNumber, Digest, EntryIndex, UnixSeconds
from registry.mirror import schema
from registry.mirror.batch import Batch, PolicyName, batch_of
from registry.mirror.bulk import insert_rows
from registry.mirror.engine import on_postgres
from registry.mirror.rows import AuthorityRows, DerivedRows, Row, entry_row
from registry.mirror.search import delete_texts, insert_texts
from registry.mirror.search_index import seal
from registry.mirror.tiles import append_leaves, shrink_to

_IN_LIST = 500


def append(connection: Connection, events: Sequence[Recorded]) -> None:
    """Add entries that follow the last one, and bring the derived tables up to date."""
    append_batch(connection, batch_of(events))


def append_batch(connection: Connection, batch: Batch) -> None:
    """The same for entries that were made ready before. Raises Inconsistent for one that the
    contract can not have written."""
    events = batch.events
    if not events:
        return
    entries, gone_on = _gone_on(connection, batch)
    insert_rows(connection, schema.entries, entries)
    insert_rows(connection, schema.manifests, batch.manifests)
    # What was read in pieces may go on within a block.
    same = schema.blocks.c.number == events[0].place.block
    connection.execute(delete(schema.blocks).where(same))
    insert_rows(connection, schema.blocks, batch.blocks)
    append_leaves(connection, events[0].entry.index, [event.leaf for event in events])
    _drop_derived(connection, [each for each in gone_on if each < events[0].entry.index])
    _insert_derived(connection, batch.derived)
    _insert_derived(connection, _derived(gone_on.values()))
    on_authorities = [event for event in events if not event.entry.action.on_policy]
    if on_authorities:
        _apply_authority_acts(connection, on_authorities)
    _seal(connection)


def rewind(connection: Connection, to: BlockNumber) -> None:
    """Take back every entry of the blocks after `to`."""
    entries = schema.entries
    size = size_at(connection, to)
    gone = connection.execute(select(entries.c.policy).where(entries.c.entry >= size)).scalars()
    touched = {policy for policy in gone if policy is not None}
    connection.execute(delete(entries).where(entries.c.entry >= size))
    connection.execute(delete(schema.blocks).where(schema.blocks.c.number > to))
    connection.execute(delete(schema.manifests).where(schema.manifests.c.entry >= size))
    _drop_derived(connection, touched)
    _insert_derived(connection, _derived(_stored_histories(connection, touched).values()))
    _rebuild_authorities(connection)
    shrink_to(connection, size)
    _seal(connection)


def _seal(connection: Connection) -> None:
    if not on_postgres(connection):
        seal(connection)


def size_at(connection: Connection, block: BlockNumber) -> int:
    """The log's size after a block that was read."""
    entries = schema.entries
    last = select(entries.c.entry).where(entries.c.block <= block)
    newest = last.order_by(entries.c.block.desc(), entries.c.entry.desc()).limit(1)
    found = connection.execute(newest).scalar_one_or_none()
    return 0 if found is None else int(found) + 1


def stored_blocks(
    connection: Connection, below: BlockNumber, most: int
) -> list[tuple[BlockNumber, bytes]]:
    """Number and hash of up to `most` blocks below one that entries were read from, the newest
    first."""
    blocks = schema.blocks
    rows = connection.execute(
        select(blocks.c.number, blocks.c.hash)
        .where(blocks.c.number < below)
        .order_by(blocks.c.number.desc())
        .limit(most)
    )
    return [(BlockNumber(row.number), row.hash) for row in rows]


def entry_of(row: Any) -> Entry:
    """An Entry from a row of `entries`."""
    return Entry(
        index=EntryIndex(row.entry),
        previous=None if row.previous is None else EntryIndex(row.previous),
        authority=row.authority,
        number=Digest(row.number),
        sequence=row.sequence,
        action=Action(row.action),
        effective_on=row.effective_on,
        document=row.document,
        manifest=row.manifest,
        registrar=Address(row.registrar),
        recorded_at=UnixSeconds(row.recorded_at),
    )


_POLICY_IDS = select(schema.policies.c.policy_id, schema.policies.c.id).where(
    schema.policies.c.policy_id.in_(bindparam("wanted", expanding=True))
)
_LOGGED = (
    select(schema.entries, schema.manifests.c.content)
    .outerjoin(schema.manifests, schema.manifests.c.entry == schema.entries.c.entry)
    .where(schema.entries.c.policy.in_(bindparam("wanted", expanding=True)))
    .order_by(schema.entries.c.policy, schema.entries.c.entry)
)


def _gone_on(connection: Connection, batch: Batch) -> tuple[list[Row], dict[int, list[Logged]]]:
    """The rows of all entries, and for each policy that a batch goes on with all its entries."""
    if not batch.gone_on:
        return batch.entries, {}
    wanted = {policy_id(code, number): (code, number) for code, number in batch.gone_on}
    identities: dict[PolicyName, int] = {}
    for some in _chunks(list(wanted)):
        for row in connection.execute(_POLICY_IDS, {"wanted": some}):
            identities[wanted[row.policy_id]] = row.id
    histories = _stored_histories(connection, set(identities.values()))
    entries = list(batch.entries)
    for name, places in batch.gone_on.items():
        identity = identities.get(name, batch.events[places[0]].entry.index)
        for at in places:
            event = batch.events[at]
            entries[at] = entry_row(event, identity)
            histories.setdefault(identity, []).append(Logged(event.entry, event.manifest))
    return entries, histories


def _stored_histories(connection: Connection, policies: Collection[int]) -> dict[int, list[Logged]]:
    histories: dict[int, list[Logged]] = {}
    for some in _chunks(list(policies)):
        for row in connection.execute(_LOGGED, {"wanted": some}):
            histories.setdefault(row.policy, []).append(Logged(entry_of(row), row.content))
    return histories


def _derived(histories: Iterable[list[Logged]]) -> DerivedRows:
    rows = DerivedRows()
    for logged in histories:
        rows.add(logged)
    return rows


def _insert_derived(connection: Connection, rows: DerivedRows) -> None:
    insert_rows(connection, schema.policies, rows.policies)
    insert_rows(connection, schema.intervals, rows.intervals)
    insert_rows(connection, schema.documents, rows.documents)
    insert_rows(connection, schema.texts, rows.texts)
    insert_texts(connection, rows.search)


def _drop_derived(connection: Connection, policies: Collection[int]) -> None:
    for some in _chunks(list(policies)):
        for table in (schema.intervals, schema.documents, schema.texts):
            connection.execute(delete(table).where(table.c.policy.in_(some)))
        connection.execute(delete(schema.policies).where(schema.policies.c.id.in_(some)))
        delete_texts(connection, some)


def require_entitled(connection: Connection, events: Sequence[Recorded]) -> None:
    """Raise Inconsistent for an entry by one whom the log before it does not entitle to it."""
    if not events:
        return
    codes = list(set().union(*(concerned(event.entry) for event in events)))
    authorities, grants = schema.authorities, schema.grants
    held: list[Held] = []
    opened: list[str] = []
    for some in _chunks(codes):
        stands = and_(grants.c.authority.in_(some), grants.c.dismissed.is_(None))
        for row in connection.execute(select(grants).where(stands)):
            held.append((row.authority, Address(row.account), Role(row.role)))
        of_code = authorities.c.code.in_(some)
        opened += connection.execute(select(authorities.c.code).where(of_code)).scalars()
    before = schema.entries.c.entry == events[0].entry.index - 1
    last = connection.execute(select(schema.entries).where(before)).one_or_none()
    command = ChainOfCommand(held, opened, None if last is None else entry_of(last))
    for event in events:
        command.follow(event.entry)


def _apply_authority_acts(connection: Connection, acts: Sequence[Recorded]) -> None:
    """Bring the rows of the authorities that these acts are on up to date."""
    codes = list({act.entry.authority for act in acts})
    authorities, grants = schema.authorities, schema.grants
    opened: list[Row] = []
    standing: list[Row] = []
    for some in _chunks(codes):
        of_code = authorities.c.code.in_(some)
        opened += map(tuple, connection.execute(select(authorities).where(of_code)))
        stands = and_(grants.c.authority.in_(some), grants.c.dismissed.is_(None))
        standing += map(tuple, connection.execute(select(grants).where(stands)))
        connection.execute(delete(authorities).where(of_code))
        connection.execute(delete(grants).where(stands))
    rows = AuthorityRows(opened, standing)
    for act in acts:
        rows.add(act.entry, act.manifest)
    _insert_authorities(connection, rows)


def _rebuild_authorities(connection: Connection) -> None:
    for table in (schema.authorities, schema.grants, schema.compromises):
        connection.execute(delete(table))
    acts = (
        select(schema.entries, schema.manifests.c.content)
        .outerjoin(schema.manifests, schema.manifests.c.entry == schema.entries.c.entry)
        .where(schema.entries.c.policy.is_(None))
        .order_by(schema.entries.c.entry)
    )
    rows = AuthorityRows()
    for row in connection.execute(acts):
        rows.add(entry_of(row), row.content)
    _insert_authorities(connection, rows)


def _insert_authorities(connection: Connection, rows: AuthorityRows) -> None:
    insert_rows(connection, schema.authorities, list(rows.authorities.values()))
    insert_rows(connection, schema.grants, list(rows.grants.values()))
    insert_rows(connection, schema.compromises, list(rows.compromises.values()))


def _chunks(values: list[Any]) -> Iterable[list[Any]]:
    return (values[at : at + _IN_LIST] for at in range(0, len(values), _IN_LIST))
