"""How the mirror, the process that follows the chain for it, and the chain are doing.

Nothing here is an answer about a policy, and nothing here fails because the mirror is not
whole yet: that is what is to be told.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

from registry.core.calendar import iso_time
from registry.core.following import Failure, FaultCount, Report, State
from registry.core.position import Position
from registry.errors import RegistryError
from registry.mirror import listing
from registry.mirror.engine import Engine, on_postgres, reading
from registry.mirror.operations import read_faults, read_report
from registry.mirror.position import closed_at, read_position
from registry.services import answers
from registry.services.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Status:
    """What the mirror holds of itself, all of one moment. `position` is None before the first
    sync began, `report` where nothing has followed the chain for this mirror yet; `faults`
    are those that were met, the latest first."""

    database: str
    position: Position | None
    report: Report | None
    faults: list[FaultCount]

    @property
    def alarm(self) -> str | None:
        """Why the follower stopped, and what to do."""
        return self.report.alarm if self.report else None

    @property
    def lag_blocks(self) -> int | None:
        """How far the mirror is behind the head that its follower last saw."""
        if self.position is None or self.report is None or self.report.head is None:
            return None
        return max(0, self.report.head - self.position.block)

    @property
    def lag_seconds(self) -> int | None:
        """How long ago the mirror last held all that its node had."""
        if self.position is None or self.position.synced_at is None:
            return None
        return max(0, int(time.time()) - self.position.synced_at)


def stored_status(engine: Engine, own: Report | None = None) -> Status:
    """The status, as of now. `own` is the report of a follower within this process, which
    knows more than it has written."""
    database = "postgresql" if on_postgres(engine) else "sqlite"
    with reading(engine) as connection:
        position, faults = read_position(connection), read_faults(connection)
        if position is not None:
            position = replace(position, closed=closed_at(connection, position.size))
        kept = _told(read_report(connection), faults)
        return Status(database, position, current_report(own, kept), faults)


def current_report(own: Report | None, kept: Report | None) -> Report | None:
    """Of what this process's follower says and what the mirror keeps, what holds now. A follower
    that follows knows best; one that stands by, or has ended, may have been succeeded."""
    if own is None or (own.state is State.STANDBY and kept is not None):
        return kept
    ended = own.state in {State.ALARM, State.STOPPED}
    return kept if ended and kept is not None and kept.seen_at > own.seen_at else own


def stored_report(engine: Engine) -> Report | None:
    """What the process says that follows the chain for this mirror; None where none has."""
    with reading(engine) as connection:
        report = read_report(connection)
        failing = report is not None and report.state is State.FAILING
        return _told(report, read_faults(connection) if failing else [])


def _told(report: Report | None, faults: list[FaultCount]) -> Report | None:
    """The report with its failure, which is kept among the faults."""
    if report is None or report.state not in {State.FAILING, State.ALARM} or not faults:
        return report
    last = faults[0]
    return replace(report, failure=Failure(last.fault, last.detail, report.since))


def chain_status(opened: Workspace) -> dict[str, Any]:
    """The status with the chain's head as its node tells it now, or why it can not be had."""
    status = stored_status(opened.reader)
    node: dict[str, Any]
    try:
        told = opened.client.head()
        block, finality = told.block, told.finality
        position = status.position
        node = {
            "head": block.number,
            "head_time": iso_time(block.time),
            "safe": finality.safe if finality.safe >= 0 else None,
            "finalized": finality.finalized if finality.finalized >= 0 else None,
            "lag_blocks": max(0, block.number - position.block) if position else None,
            "lag_seconds": status.lag_seconds,
            "error": None,
        }
    except RegistryError as error:
        node = {**_unknown(status), "error": answers.error(error)}
    return shown(status, node, _totals(opened.reader))


def follower_status(engine: Engine, own: Report | None) -> dict[str, Any]:
    """The status with the chain's head as the follower last saw it."""
    status = stored_status(engine, own)
    report, position = status.report, status.position
    node = _unknown(status)
    if report is not None and report.head is not None:
        settled = position.finality if position else None
        node |= {
            "head": report.head,
            "head_time": None if report.head_time is None else iso_time(report.head_time),
            "safe": settled.safe if settled and settled.safe >= 0 else None,
            "finalized": settled.finalized if settled and settled.finalized >= 0 else None,
            "lag_blocks": status.lag_blocks,
        }
    if report is not None and report.failure is not None:
        failure = report.failure
        node["error"] = {"kind": failure.fault.value, "message": failure.detail, "hint": None}
    return shown(status, node, _totals(engine))


def _unknown(status: Status) -> dict[str, Any]:
    nothing = dict.fromkeys(("head", "head_time", "safe", "finalized", "lag_blocks"))
    return {**nothing, "lag_seconds": status.lag_seconds, "error": None}


def _totals(engine: Engine) -> dict[str, int]:
    with reading(engine) as connection:
        return listing.totals(connection)


def shown(status: Status, node: dict[str, Any], totals: dict[str, int]) -> dict[str, Any]:
    """The status as plain values."""
    position = status.position
    whole = position is not None and position.synced_at is not None
    return {
        "node": node,
        "mirror": None if position is None else _mirror(status.database, position),
        "follower": None if status.report is None else _follower(status.report),
        "faults": [_fault(each) for each in status.faults],
        "alarm": status.alarm,
        "totals": {"entries": position.size if position else 0, **totals},
        "registry": answers.context(position) if position is not None and whole else None,
    }


def _mirror(database: str, position: Position) -> dict[str, Any]:
    finality, synced = position.finality, position.synced_at
    return {
        "database": database,
        "block": position.block,
        "block_time": iso_time(position.block_time),
        "safe": finality.safe if finality.safe >= 0 else None,
        "finalized": finality.finalized if finality.finalized >= 0 else None,
        "proven_block": position.proven_block if position.proven_block >= 0 else None,
        "synced_at": None if synced is None else iso_time(synced),
    }


def _follower(report: Report) -> dict[str, Any]:
    failure = report.failure
    return {
        "state": report.state.value,
        "since": iso_time(report.since),
        "seen_at": iso_time(report.seen_at),
        "silent_seconds": max(0, int(time.time()) - report.seen_at),
        "entries_per_second": report.entries_per_second,
        "polls": report.polls,
        "failure": None
        if failure is None
        else {
            "kind": failure.fault.value,
            "detail": failure.detail,
            "since": iso_time(failure.since),
        },
    }


def _fault(met: FaultCount) -> dict[str, Any]:
    return {
        "kind": met.fault.value,
        "count": met.count,
        "first_at": iso_time(met.first_at),
        "last_at": iso_time(met.last_at),
        "detail": met.detail,
    }
