"""Following a chain for as long as a process lives: poll, wait, poll again.

A poll that fails is counted, kept and shown, and tried again after ever longer waits; it is
never raised. Of several processes that follow for one mirror one does, and the others stand by to
take its place. One thing ends the following by itself: where polls agree that the chain has
another block than a finalised one, it stops with an alarm, and the mirror stays as it was. The
alarm stands in the mirror until a poll succeeds, so that starting again does not hide it.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from registry.core.chain_id import caip2
from registry.core.following import Failure, Fault, Report, State
from registry.core.units import UnixSeconds
from registry.errors import InputError, LocalFailure, RegistryError, Unavailable
from registry.mirror.engine import Engine, reading, writing
from registry.mirror.leader import Leadership, leadership
from registry.mirror.operations import count_fault, read_report, write_report
from registry.services.sync import Progress, Synced

POLLS_BEFORE_ALARM = 3
"""One node's word is not enough: with several, each is asked in turn."""

_LONGEST_WAIT_SECONDS = 30.0
_SECONDS_BETWEEN_REPORTS = 5
_SECONDS_BETWEEN_NOTICES = 30
_SECONDS_STANDING_BY = 1.0
_UNEXPECTED = "an unexpected error; see the log"

# Faults that another node would not mend.
_NOT_THE_NODES = frozenset({Fault.DATABASE, Fault.UNEXPECTED})

_log = logging.getLogger("polreg.follower")

Poll = Callable[[Progress], Synced]


class Stopped(Exception):
    """The follower was told to stop while it was reading."""


class Following:
    """Calls `poll` until `stop` is called from any thread, or until the alarm.

    `wait` waits so many seconds or less, if something seems new, and returns at once when told
    to stop. `distrust` is told why what a node said is not believed, so that another is asked;
    `node` names the one in use, as it may be shown. `told` is called with every new report, in
    the thread that follows.
    """

    def __init__(
        self,
        poll: Poll,
        engine: Callable[[], Engine],
        every_seconds: float,
        *,
        distrust: Callable[[str], object] = lambda _reason: None,
        wait: Callable[[threading.Event, float], object] = threading.Event.wait,
        node: Callable[[], str | None] = lambda: None,
        told: Callable[[Report], object] | None = None,
    ) -> None:
        self._poll, self._engine, self._every = poll, engine, every_seconds
        self._distrust, self._wait, self._node, self._told = distrust, wait, node, told
        self._stopping = threading.Event()
        self._lead: Leadership | None = None
        self._untold = ""
        self._finalized_changed = 0
        self._failures = 0
        self._recorded_at = self._noticed_at = 0
        now = _now()
        self._report = Report(State.STARTING, now, now)

    @property
    def report(self) -> Report:
        """How it goes; replaced whole, so that any thread may read it."""
        return self._report

    @property
    def stopping(self) -> threading.Event:
        return self._stopping

    def stop(self) -> None:
        """Let the poll under way finish the range that it is writing, and no other."""
        self._stopping.set()

    def run(self) -> State:
        """Follow until told to stop, or until the alarm; which of the two it was."""
        with ExitStack() as until_the_end:
            while not self._stopping.is_set():
                try:
                    if not self._leads(until_the_end):
                        self._stopping.wait(min(self._every, _SECONDS_STANDING_BY))
                        continue
                    self.once()
                except Stopped:
                    break
                except RegistryError as error:
                    # A mirror that can not be opened can not be told either.
                    kept = self._lead is not None
                    self._failed(_fault(error), str(error), error.hint, kept=kept)
                except Exception:
                    _log.exception("following failed unexpectedly")
                    self._failed(Fault.UNEXPECTED, _UNEXPECTED, None, kept=self._lead is not None)
                if self._report.state is State.ALARM:
                    return State.ALARM
                self._wait(self._stopping, self._seconds_to_wait())
            self._tell(State.STOPPED, kept=self._report.state is not State.STANDBY)
            return State.STOPPED

    def once(self) -> None:
        """One poll, whatever comes of it. Raises Stopped alone."""
        started = time.monotonic()
        try:
            done = self._poll(self._progressed)
        except RegistryError as error:
            self._failed(_fault(error), str(error), error.hint)
        except Stopped:
            raise
        except Exception:
            _log.exception("reading the chain failed unexpectedly")
            self._failed(Fault.UNEXPECTED, _UNEXPECTED, None)
        else:
            self._succeeded(done, time.monotonic() - started)

    def _leads(self, until_the_end: ExitStack) -> bool:
        """Whether this one follows for its mirror, rather than another process."""
        if self._lead is None:
            self._lead = until_the_end.enter_context(leadership(self._engine()))
        if self._lead.held():
            return True
        if self._lead.wait(0):
            self._resume()
            return True
        if self._report.state is not State.STANDBY:
            who = self._lead.holder() or "another process"
            _log.info("standing by: another follower writes this mirror", extra={"leader": who})
        self._tell(State.STANDBY, kept=False)
        return False

    def _resume(self) -> None:
        """Go on where the last one to follow ended: its alarm stands, its polls count."""
        if self._report.state is State.STANDBY:
            _log.info("taking over: the other follower is gone")
        with reading(self._engine()) as connection:
            before = read_report(connection)
        if before is None:
            self._tell(State.STARTING)
            return
        if before.alarm is not None:
            self._finalized_changed = POLLS_BEFORE_ALARM - 1
        self._tell(State.STARTING, polls=before.polls, head=before.head, alarm=before.alarm)

    def _succeeded(self, done: Synced, seconds: float) -> None:
        about = self._about(block=done.position.block, chain=caip2(done.position.chain_id))
        if self._report.failure or self._report.alarm:
            _log.info("reading the chain works again", extra=about)
        elif self._report.last_sync is None:
            _log.info("following the chain", extra={**about, "size": done.position.size})
        self._failures = self._finalized_changed = 0
        rate = self._report.entries_per_second
        if done.entries_added or done.entries_removed:
            rate = round(done.entries_added / max(seconds, 0.001), 1)
            counts = {"added": done.entries_added, "removed": done.entries_removed}
            _log.info("entries read", extra={**counts, "size": done.position.size, **about})
        self._tell(
            State.FOLLOWING,
            last_sync=_now(),
            head=done.head.number,
            head_time=done.head.time,
            entries_per_second=rate,
            polls=self._report.polls + 1,
            blocks_left=0,
            failure=None,
            alarm=None,
        )

    def _progressed(self, done: int, total: int, entries: int) -> None:
        if self._stopping.is_set():
            raise Stopped
        if done >= total:
            return
        now = _now()
        if now - self._noticed_at >= _SECONDS_BETWEEN_NOTICES:
            self._noticed_at = now
            _log.info("catching up", extra=self._about(blocks_left=total - done, size=entries))
        self._tell(State.CATCHING_UP, blocks_left=total - done)

    def _failed(self, fault: Fault, detail: str, hint: str | None, *, kept: bool = True) -> None:
        self._failures += 1
        now, before = _now(), self._report.failure
        about = self._about(fault=fault.value, detail=detail)
        if before is None or before.fault is not fault:
            _log.warning("reading the chain fails", extra={**about, "hint": hint})
        failure = Failure(fault, detail, before.since if before else now)
        if kept:
            self._keep(lambda connection: count_fault(connection, fault, detail, now))
        if fault not in _NOT_THE_NODES:
            self._distrust(detail)
        changed = fault is Fault.FINALIZED_CHANGED
        self._finalized_changed = self._finalized_changed + 1 if changed else 0
        if self._finalized_changed >= POLLS_BEFORE_ALARM:
            alarm = f"{detail}; {hint}" if hint else detail
            _log.critical("stopped with an alarm", extra={**about, "detail": alarm})
            self._tell(State.ALARM, failure=failure, alarm=alarm, polls=self._report.polls + 1)
        else:
            polls = self._report.polls + 1
            self._tell(State.FAILING, kept=kept, failure=failure, polls=polls)

    def _seconds_to_wait(self) -> float:
        if not self._failures:
            return self._every
        longest = max(self._every, _LONGEST_WAIT_SECONDS)
        jitter = random.uniform(0.5, 1.0)  # noqa: S311 - so that many do not come back at once
        return min(self._every * 2.0 ** min(self._failures, 10), longest) * jitter

    def _tell(self, state: State, *, kept: bool = True, **changed: Any) -> None:
        now, before = _now(), self._report
        since = before.since if state is before.state else now
        self._report = replace(before, state=state, since=since, seen_at=now, **changed)
        due = now - self._recorded_at >= _SECONDS_BETWEEN_REPORTS
        if kept and (state is not before.state or due):
            self._recorded_at = now
            self._keep(lambda connection: write_report(connection, self._report))
        if self._told is not None:
            try:
                self._told(self._report)
            except Exception:
                # A terminal that is gone, say: the mirror is followed all the same.
                _log.exception("a report could not be shown")

    def _keep(self, write: Callable[[Any], None]) -> None:
        """What can not be kept is still shown by this process, and in its log."""
        try:
            with writing(self._engine()) as connection:
                write(connection)
        except RegistryError as error:
            if str(error) != self._untold:
                self._untold = str(error)
                _log.warning("the mirror can not be told of it", extra={"detail": str(error)})

    def _about(self, **fields: Any) -> dict[str, Any]:
        node = self._node()
        return {**fields, "node": node} if node else fields


def _fault(error: RegistryError) -> Fault:
    told = getattr(error, "fault", None)
    if told is not None:
        return Fault(told)
    match error:
        case Unavailable():
            return Fault.UNREACHABLE
        case LocalFailure():
            return Fault.DATABASE
        case InputError():
            return Fault.CONFIGURATION
        case _:
            return Fault.INCONSISTENT_LOGS


def _now() -> UnixSeconds:
    return UnixSeconds(int(time.time()))
