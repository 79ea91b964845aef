"""Keys that were reported compromised, and what they recorded, out of the mirror.

The rule itself is core.compromise: here is only read what it is asked about.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, select

from registry.core.compromise import Mark, Report, mark, report_of
from registry.core.entry import Action, Entry
from registry.core.units import Address, EntryIndex, UnixSeconds
from registry.mirror.schema import compromises, entries, policies
from registry.mirror.store import entry_of

_REPORTS = select(compromises).order_by(compromises.c.entry)
_LOGGED = (
    select(entries)
    .where(
        entries.c.policy.is_(None),
        entries.c.action == int(Action.REPORT_COMPROMISE),
        entries.c.entry < bindparam("size"),
    )
    .order_by(entries.c.entry)
)
_ACTS = (
    select(
        policies.c.policy_id,
        policies.c.head,
        entries.c.entry,
        entries.c.authority,
        entries.c.registrar,
        entries.c.recorded_at,
    )
    .join(policies, policies.c.id == entries.c.policy)
    .where(
        policies.c.policy_id.in_(bindparam("wanted", expanding=True)),
        entries.c.registrar.in_(bindparam("accounts", expanding=True)),
    )
    .order_by(entries.c.entry)
)
_IN_LIST = 500


def reports(connection: Connection) -> tuple[Report, ...]:
    """All reports of the log that the mirror holds."""
    return tuple(
        Report(EntryIndex(row.entry), row.authority, Address(row.account), UnixSeconds(row.since))
        for row in connection.execute(_REPORTS)
    )


def logged_report_entries(connection: Connection, size: int) -> list[Entry]:
    """The reports among the log's first `size` entries, as entries."""
    return [entry_of(row) for row in connection.execute(_LOGGED, {"size": size})]


def logged_reports(connection: Connection, size: int) -> tuple[Report, ...]:
    """The same as reports: from the log itself, and no table that is derived from it."""
    return tuple(map(report_of, logged_report_entries(connection, size)))


@dataclass(frozen=True, slots=True)
class Marked:
    """The marks on a policy's acts, and its latest act."""

    marks: tuple[Mark, ...]
    head: EntryIndex


def marks_of(
    connection: Connection, known: Collection[Report], policy_ids: Sequence[bytes]
) -> dict[bytes, Marked]:
    """What reported keys recorded of these policies, by policy_id; none for one without any."""
    found: dict[bytes, Marked] = {}
    accounts = sorted({each.account for each in known})
    for at in range(0, len(policy_ids) if known else 0, _IN_LIST):
        asked = {"wanted": policy_ids[at : at + _IN_LIST], "accounts": accounts}
        for row in connection.execute(_ACTS, asked):
            marked, before = mark_of(known, row), found.get(row.policy_id)
            if marked is not None:
                all_marks = (*(before.marks if before else ()), marked)
                found[row.policy_id] = Marked(all_marks, EntryIndex(row.head))
    return found


def mark_of(known: Collection[Report], row: Any) -> Mark | None:
    """The mark on the act of a row of `entries`."""
    return mark(known, EntryIndex(row.entry), row.authority, row.registrar, row.recorded_at)
