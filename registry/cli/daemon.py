"""`polreg sync --follow`: the follower as a service.

It ends by itself only where following makes no sense: the settings name no registry (exit
code 2), or the chain replaced a finalised block (the alarm, exit code 3). Told to stop, by SIGTERM
or SIGINT, it finishes the range that it is writing and exits with 0; told again, it ends at
once, and what was not committed is read again by the next run. SIGHUP asks for nothing here, as
settings are read from the environment; where it means that the terminal is gone, it stops.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING, NoReturn, Self

from registry.cli import common, systemd
from registry.core.following import Fault, Report, State
from registry.core.verdict import ExitCode
from registry.errors import InputError, Unavailable
from registry.networks import Network

if TYPE_CHECKING:
    from registry.services.following import Following
    from registry.services.workspace import Workspace

PATIENCE_SECONDS = 25.0
"""How long a node that hangs may keep a process that was told to stop. Nothing is written
while a node is waited for."""

_WAKE_SECONDS = 1.0
_ALARM = int(ExitCode.COULD_NOT_CHECK)
_log = logging.getLogger("polreg.process")


def follow(opened: Workspace, every_seconds: float | None, metrics: str | None) -> int:
    """Follow the chain until told to stop; the exit code. `metrics` is where they are served,
    as HOST:PORT. Raises InputError where the settings are wrong."""
    with ExitStack() as around:
        watch = _Watch(_FirstSync(around))
        with _Signals() as signals:
            following = _prepared(opened, every_seconds, watch)
            if metrics is not None:
                url = around.enter_context(_serving_metrics(opened, following, metrics))
                _log.info("metrics", extra={"url": url})
            watch.following = signals.following = following
            thread = threading.Thread(target=following.run, name="follower", daemon=True)
            thread.start()
            systemd.notify(systemd.READY)
            _attend(thread, following, signals)
            systemd.notify(systemd.STOPPING)
        if thread.is_alive():
            _leave_behind()
    _log.info("stopped", extra={"state": following.report.state.value})
    if watch.refused is not None:
        raise watch.refused
    return _ALARM if following.report.state is State.ALARM else 0


def _leave_behind() -> NoReturn:
    """End although a node is still being waited for: the interpreter would wait for it too.
    A transaction that is not committed leaves nothing."""
    _log.warning("stopped without waiting for a node that hangs")
    sys.stderr.flush()
    os._exit(0)


def _serving_metrics(
    opened: Workspace, following: Following, address: str
) -> AbstractContextManager[str]:
    from registry.services.metrics import serving

    return serving(address, lambda: opened.opened_engine, lambda: following.report)


def _prepared(
    opened: Workspace, every_seconds: float | None, told: Callable[[Report], None]
) -> Following:
    """What follows. Settings that are wrong end it here; a node that is not there yet may
    come."""
    try:
        _ = opened.engine
        every = every_seconds or opened.network.poll_seconds
    except Unavailable as error:
        # Of the node, or of a database server.
        _log.warning("not everything can be reached yet", extra={"detail": str(error)})
        every = every_seconds or Network().poll_seconds
    return opened.following(every, told)


def _attend(thread: threading.Thread, following: Following, signals: _Signals) -> None:
    """Wait until it has ended; pass on its signs of life, and say what signals came."""
    wanted, alive_at, patience = systemd.watchdog_seconds(), 0, PATIENCE_SECONDS
    wake = min(_WAKE_SECONDS, wanted or _WAKE_SECONDS)
    while thread.is_alive() and patience > 0:
        thread.join(wake)
        signals.say()
        if following.stopping.is_set():
            patience -= wake
        if wanted is not None and following.report.seen_at != alive_at:
            alive_at = following.report.seen_at
            systemd.notify(systemd.ALIVE)


class _Watch:
    """Is told of every report. Ends the following where its first polls show that the settings
    are wrong."""

    def __init__(self, shown: Callable[[Report], None]) -> None:
        self.following: Following | None = None
        self.refused: InputError | None = None
        self._shown = shown

    def __call__(self, report: Report) -> None:
        self._shown(report)
        failure = report.failure
        wrong = failure is not None and failure.fault is Fault.CONFIGURATION
        if wrong and report.last_sync is None and self.following is not None:
            assert failure is not None  # noqa: S101 - it is what is wrong
            self.refused = InputError(failure.detail)
            self.following.stop()


class _FirstSync:
    """Shows on a terminal how far the first reading of the chain has come, and no more after."""

    def __init__(self, around: ExitStack) -> None:
        self._shown = ExitStack()
        around.push(self._shown)
        self._advance: common.Advance | None = None
        self._total = 0

    def __call__(self, report: Report) -> None:
        if report.state is State.FOLLOWING:
            self._shown.close()
        elif report.state is State.CATCHING_UP and report.last_sync is None:
            if self._advance is None:
                self._advance = self._shown.enter_context(common.progress("reading the chain"))
            self._total = max(self._total, report.blocks_left)
            self._advance(self._total - report.blocks_left, self._total)


class _Signals:
    """While it is entered, signals stop `following`. A handler does no more than that: it may
    come in the middle of anything that this thread does. Before there is something to stop, they
    end the process."""

    def __init__(self) -> None:
        self.following: Following | None = None
        self._heard: list[str] = []

    def __enter__(self) -> Self:
        handlers = {signal.SIGTERM: self._stop, signal.SIGINT: self._stop, signal.SIGHUP: self._hup}
        self._before = {each: signal.signal(each, does) for each, does in handlers.items()}
        return self

    def __exit__(self, *_: object) -> None:
        self.say()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def say(self) -> None:
        while self._heard:
            _log.info(self._heard.pop(0))

    def _stop(self, number: int, _frame: object) -> None:
        # Whoever tells it again does not want to wait.
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, signal.SIG_DFL)
        self._heard.append(f"told to stop by {signal.Signals(number).name}")
        if self.following is None:
            raise SystemExit(0)
        self.following.stop()

    def _hup(self, number: int, frame: object) -> None:
        if sys.stderr.isatty():
            self._stop(number, frame)
        else:
            self._heard.append("nothing to reload: settings are read when it starts")
