"""How the following goes, kept in the mirror so that any process can tell: what `polreg status`,
`/readyz` and the metrics show. No answer about a policy rests on it.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select, update

from registry.core.following import Fault, FaultCount, Report, State
from registry.core.units import BlockNumber, UnixSeconds
from registry.mirror import schema

_FOLLOWER, _FAULTS = schema.follower, schema.faults


def write_report(connection: Connection, report: Report) -> None:
    """Keep `report` in the place of the one before."""
    connection.execute(delete(_FOLLOWER))
    connection.execute(
        insert(_FOLLOWER),
        {
            "id": 1,
            "state": report.state.value,
            "since": report.since,
            "seen_at": report.seen_at,
            "head": report.head,
            "head_time": report.head_time,
            "entries_per_second": report.entries_per_second,
            "polls": report.polls,
            "alarm": report.alarm,
        },
    )


def read_report(connection: Connection) -> Report | None:
    """What the follower last said of itself; None where none has run."""
    row = connection.execute(select(_FOLLOWER)).first()
    if row is None:
        return None
    return Report(
        state=State(row.state),
        since=UnixSeconds(row.since),
        seen_at=UnixSeconds(row.seen_at),
        head=None if row.head is None else BlockNumber(row.head),
        head_time=None if row.head_time is None else UnixSeconds(row.head_time),
        entries_per_second=row.entries_per_second,
        polls=row.polls,
        alarm=row.alarm,
    )


def count_fault(connection: Connection, fault: Fault, detail: str, now: UnixSeconds) -> None:
    """Count one more of this kind."""
    met = {"count": _FAULTS.c.count + 1, "last_at": now, "detail": detail}
    found = connection.execute(update(_FAULTS).where(_FAULTS.c.kind == fault.value).values(**met))
    if found.rowcount == 0:
        fresh = {"kind": fault.value, "count": 1, "first_at": now, "last_at": now}
        connection.execute(insert(_FAULTS), {**fresh, "detail": detail})


def read_faults(connection: Connection) -> list[FaultCount]:
    """Every kind of fault that was met, the latest first."""
    # A row has a method of the name `count`.
    counted = select(_FAULTS, _FAULTS.c.count.label("times"))
    rows = connection.execute(counted.order_by(_FAULTS.c.last_at.desc(), _FAULTS.c.kind))
    return [
        FaultCount(
            Fault(row.kind),
            row.times,
            UnixSeconds(row.first_at),
            UnixSeconds(row.last_at),
            row.detail,
        )
        for row in rows
    ]
