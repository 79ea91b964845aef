"""A snapshot's lines out of the mirror, in the order of policy_id.

The stored line of a policy is right wherever nothing later than the snapshot touched the
policy, the document shown is the one that the line shows, and no act of the policy is by a key
that was reported compromised in the snapshot's part of the log. Only the others are computed
from their entries. Where nothing stored is to be believed, all of them are, and `intervals`
is not asked either. All is streamed: what is held at a time is one batch.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    exists,
    func,
    null,
    or_,
    select,
)

from registry.core.compromise import Report
from registry.core.snapshot import Filters, Logged, filtered_row, ndjson_line, policy_history
from registry.core.timeline import Standing
from registry.mirror.compromised import logged_reports
from registry.mirror.schema import entries, intervals, manifests, policies
from registry.mirror.store import entry_of

_BATCH = 500


def snapshot_lines(connection: Connection, size: int, filters: Filters) -> Iterator[bytes]:
    """One line for each policy that the log's first `size` entries and the filters show."""
    settled = policies.c.head < size
    if filters.in_force_on is not None:
        settled = and_(settled, intervals.c.document == policies.c.document)
    accounts = {each.account for each in logged_reports(connection, size)}
    if accounts:
        settled = and_(settled, ~_has_act_of(accounts))
    line = case((settled, policies.c.snapshot_line))
    asked = _asked(select(policies.c.id, line), size, filters)
    yield from _streamed(connection, asked, size, filters)


def _has_act_of(accounts: Collection[bytes]) -> ColumnElement[bool]:
    """Whether one of the accounts recorded an act of the policy: only such may be marked."""
    return exists().where(
        entries.c.policy == policies.c.id, entries.c.registrar.in_(sorted(accounts))
    )


def replayed_lines(connection: Connection, size: int, filters: Filters) -> Iterator[bytes]:
    """The same lines, each computed from its policy's entries and their manifests."""
    every = select(policies.c.id, null()).where(policies.c.id + 0 < size)
    yield from _streamed(connection, every, size, filters)


def _streamed(
    connection: Connection, asked: Select[Any], size: int, filters: Filters
) -> Iterator[bytes]:
    """The lines of the policies asked for, each beside its stored one, if that is right."""
    reports = logged_reports(connection, size)
    asked = asked.order_by(policies.c.policy_id)
    streamed = connection.execute(asked, execution_options={"yield_per": _BATCH})
    for some in streamed.partitions():
        changed = [policy for policy, stored in some if stored is None]
        computed = _computed(connection, changed, size, filters, reports) if changed else {}
        for policy, stored in some:
            found = computed.get(policy) if stored is None else stored
            if found is not None:
                yield found


def count_lines(connection: Connection, size: int, filters: Filters) -> int:
    """How many lines there are, counted by the database as far as it can."""
    counted = _asked(select(func.count()).select_from(policies), size, filters)
    if filters.in_force_on is None:
        return int(connection.execute(counted).scalar_one())
    count = int(connection.execute(counted.where(policies.c.head < size)).scalar_one())
    changed = select(policies.c.id).where(policies.c.id < size, policies.c.head >= size)
    streamed = connection.execute(changed, execution_options={"yield_per": _BATCH})
    for some in streamed.scalars().partitions():
        count += len(_computed(connection, some, size, filters))
    return count


def _asked(wanted: Select[Any], size: int, filters: Filters) -> Select[Any]:
    """Policies of the first `size` entries, but for those that are known to be left out."""
    # Not by the key of `policies`: read in the index' order of policy_id, nothing is sorted.
    wanted = wanted.where(policies.c.id + 0 < size)
    day = filters.in_force_on
    if day is None:
        return wanted
    in_force = intervals.c.standing == Standing.IN_FORCE.value
    return wanted.join(
        intervals,
        and_(
            intervals.c.policy == policies.c.id,
            intervals.c.since <= day,
            intervals.c.until > day,
        ),
    ).where(or_(policies.c.head >= size, in_force))


def _computed(
    connection: Connection,
    changed: Sequence[int],
    size: int,
    filters: Filters,
    reports: Collection[Report] = (),
) -> dict[int, bytes]:
    """The lines of these policies as their entries before `size` have it."""
    logged: dict[int, list[Logged]] = {}
    told = (
        select(entries, manifests.c.content)
        .outerjoin(manifests, manifests.c.entry == entries.c.entry)
        .where(entries.c.policy.in_(changed), entries.c.entry < size)
        .order_by(entries.c.policy, entries.c.entry)
    )
    for row in connection.execute(told):
        logged.setdefault(row.policy, []).append(Logged(entry_of(row), row.content))
    rows = {
        each: filtered_row(policy_history(acts), filters, reports) for each, acts in logged.items()
    }
    return {policy: ndjson_line(row) for policy, row in rows.items() if row is not None}
