"""Reading the chain in the background while the server answers.

One thread follows the chain (`services.following`). A failure is kept and shown, never raised:
the server goes on answering from what the mirror holds, and every answer shows how old that
is. A server that does not follow shows what the process says that does.
"""

from __future__ import annotations

import threading
from typing import Any

from api.opened import Opened
from registry.core.calendar import iso_time
from registry.core.following import Report, State
from registry.core.position import Position
from registry.errors import CouldNotCheck
from registry.services.following import Following
from registry.services.status import current_report, stored_report

_STOP_SECONDS = 5.0


class Follower:
    """Follows `opened`'s chain, every `every_seconds`, between `start` and `stop`."""

    def __init__(self, opened: Opened, every_seconds: float | None) -> None:
        self._opened = opened
        self._every = every_seconds
        self._following: Following | None = None
        if every_seconds is not None:
            self._following = opened.following(every_seconds)
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        if self._following is not None:
            run = self._following.run
            self._thread = threading.Thread(target=run, name="follower", daemon=True)
            self._thread.start()

    def stop(self) -> bool:
        """Whether it has stopped: a call to a node that hangs outlives the patience here,
        and leaves at most one unwritten range of blocks behind."""
        if self._following is not None:
            self._following.stop()
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)
            return not self._thread.is_alive()
        return True

    def require_caught_up(self, position: Position) -> None:
        """Raise CouldNotCheck while the mirror is known to lack blocks of the chain: what
        is not in it may be in those, and "not yet read" is not "unknown"."""
        if self._following is None:
            return
        now = self._following.report
        never_read = now.last_sync is None and position.size == 0
        if now.blocks_left or never_read:
            missing = f"{now.blocks_left:,} blocks" if now.blocks_left else "all blocks"
            raise CouldNotCheck(
                f"the mirror has still to read {missing} of the chain, and what is not in it "
                "may be in those",
                hint="try again when /readyz says that the follower is following",
            )

    def require_no_alarm(self) -> None:
        """Raise CouldNotCheck where the follower stopped: it says why and what to do."""
        now = self._now()
        if now is not None and now.alarm is not None:
            raise CouldNotCheck(f"the follower stopped with an alarm: {now.alarm}")

    @property
    def own(self) -> Report | None:
        """What this process's own follower says of itself; None where another one follows."""
        return None if self._following is None else self._following.report

    def report(self) -> dict[str, Any]:
        now = self._now()
        if now is None:
            return {"state": "off", "every_seconds": None, "last_sync": None, "failure": None}
        failure = now.failure
        return {
            "state": now.state.value,
            "every_seconds": self._every,
            "last_sync": None if now.last_sync is None else iso_time(now.last_sync),
            "failure": None
            if failure is None
            else {
                "kind": failure.fault.value,
                "detail": failure.detail,
                "since": iso_time(failure.since),
            },
        }

    def _now(self) -> Report | None:
        own = self.own
        if own is not None and own.state not in {State.STANDBY, State.ALARM, State.STOPPED}:
            return own
        return current_report(own, stored_report(self._opened.engine))
