"""Reading the chain in the background while the server answers.

One thread brings the mirror to the chain's head, waits, and does it again. A failure is
kept and shown, never raised: the server goes on answering from what the mirror holds, and
every answer shows how old that is.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from api.opened import Opened
from api.problems import UNEXPECTED, kind_of
from registry.core.calendar import iso_time
from registry.core.position import Position
from registry.errors import CouldNotCheck, RegistryError

_STOP_SECONDS = 5.0
_LONGEST_WAIT_SECONDS = 30.0

_log = logging.getLogger("polreg.api")


class State(StrEnum):
    """What the follower is doing."""

    OFF = "off"
    STARTING = "starting"
    CATCHING_UP = "catching_up"
    FOLLOWING = "following"
    FAILING = "failing"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the last sync failed, and since when syncs have."""

    kind: str
    detail: str
    since: int


@dataclass(frozen=True, slots=True)
class _Progress:
    """All that is known of the following, replaced whole so that any thread may read it."""

    state: State
    last_sync: int | None = None
    failure: Failure | None = None
    blocks_left: int = 0


class _Stopped(Exception):
    """The server is closing."""


class Follower:
    """Syncs `opened`'s mirror every `every_seconds` between `start` and `stop`."""

    def __init__(self, opened: Opened, every_seconds: float | None) -> None:
        self._opened = opened
        self._every = every_seconds
        self._now = _Progress(State.OFF if every_seconds is None else State.STARTING)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        if self._every is not None:
            self._thread = threading.Thread(target=self._follow, name="follower", daemon=True)
            self._thread.start()

    def stop(self) -> bool:
        """Whether it has stopped: a call to a node that hangs outlives the patience here,
        and leaves at most one unwritten range of blocks behind."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)
            return not self._thread.is_alive()
        return True

    def require_caught_up(self, position: Position) -> None:
        """Raise CouldNotCheck while the mirror is known to lack blocks of the chain: what
        is not in it may be in those, and "not yet read" is not "unknown"."""
        now = self._now
        never_read = now.state is not State.OFF and now.last_sync is None and position.size == 0
        if now.blocks_left or never_read:
            missing = f"{now.blocks_left:,} blocks" if now.blocks_left else "all blocks"
            raise CouldNotCheck(
                f"the mirror has still to read {missing} of the chain, and what is not in it "
                "may be in those",
                hint="try again when /readyz says that the follower is following",
            )

    def report(self) -> dict[str, Any]:
        now = self._now
        failure = now.failure
        return {
            "state": now.state.value,
            "every_seconds": self._every,
            "last_sync": None if now.last_sync is None else iso_time(now.last_sync),
            "failure": None
            if failure is None
            else {
                "kind": failure.kind,
                "detail": failure.detail,
                "since": iso_time(failure.since),
            },
        }

    def _follow(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                self._sync_once()
                failures = 0
            except _Stopped:
                return
            except RegistryError as error:
                failures += 1
                self._failed(kind_of(error).name, str(error))
            except Exception:
                failures += 1
                _log.exception("reading the chain failed unexpectedly")
                self._failed(UNEXPECTED.name, "an unexpected error; see the server's log")
            self._stopping.wait(self._wait_seconds(failures))

    def _sync_once(self) -> None:
        self._opened.sync(self._progressed)
        self._now = _Progress(State.FOLLOWING, int(time.time()))

    def _progressed(self, done: int, total: int, _entries: int) -> None:
        if self._stopping.is_set():
            raise _Stopped
        if done < total:
            self._now = replace(self._now, state=State.CATCHING_UP, blocks_left=total - done)

    def _failed(self, kind: str, detail: str) -> None:
        before = self._now
        since = before.failure.since if before.failure else int(time.time())
        if before.failure is None:
            _log.warning("reading the chain fails: %s", detail)
        self._now = replace(before, state=State.FAILING, failure=Failure(kind, detail, since))

    def _wait_seconds(self, failures: int) -> float:
        every = self._every or 0.0
        return min(every * 2.0 ** min(failures, 10), max(every, _LONGEST_WAIT_SECONDS))
