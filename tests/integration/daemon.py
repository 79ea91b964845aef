"""`polreg` as a process that goes on: started, listened to, told to stop."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import orjson

from tests.anvil import ROOT
from tests.integration.command_line import User

POLREG = ("-m", "registry")


class Daemon:
    """A running `polreg`, whose events are read as it tells them."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.lines: list[bytes] = []
        self._events: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line)
            # Whatever is no JSON object is shown by the test that meets it.
            event = orjson.loads(line) if line.startswith(b"{") else {"event": line.decode()}
            self._events.put(event)
        self._events.put(None)

    def hear(self, event: str) -> dict[str, Any]:
        """The next event of this name; it fails where the process ends before it."""
        while True:
            told = self._events.get(timeout=60)
            assert told is not None, b"".join(self.lines).decode()
            if told["event"] == event:
                return told

    def anything(self) -> dict[str, Any]:
        """The next event, whichever it is."""
        told = self._events.get(timeout=60)
        assert told is not None, self.said
        return told

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def ended(self) -> int:
        """Its exit code, once it has ended by itself."""
        code = self.process.wait(60)
        self._reader.join(10)
        return code

    @property
    def said(self) -> str:
        return b"".join(self.lines).decode()


@contextmanager
def running(
    user: User, *words: str, program: Sequence[str] = POLREG, **settings: str
) -> Iterator[Daemon]:
    """`polreg` with these words and settings, killed on leaving if it still runs."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("POLREG_")},
        "PYTHONPATH": str(ROOT),
        "POLREG_HOME": str(user.home),
        **user.settings,
        **settings,
    }
    with subprocess.Popen(
        [sys.executable, *program, *words],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            yield Daemon(process)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
