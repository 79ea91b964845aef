"""One worker: its start, a question and its answer within the time, its end.

A worker that is late, dies or answers nonsense is killed; whoever asked starts another. It ends
with this process, however that ends: its input does.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from registry.errors import CouldNotCheck
from registry.extraction import frames, limits
from registry.extraction.frames import Kind, Malformed
from registry.extraction.watch import Watch

START_SECONDS = 60
_REAP_TRIES, _REAP_SECONDS = 50, 0.01
_ROOT = Path(__file__).resolve().parents[2]
# Of this process's environment only what a process needs to start at all.
_KEPT = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


class Ended(Exception):
    """A worker ended before it answered. `str()` is the cause, and `late` whether it was that
    the document took too long."""

    def __init__(self, cause: str, *, late: bool = False) -> None:
        super().__init__(cause)
        self.late = late


class Worker:
    def __init__(self, seconds: float = limits.SECONDS) -> None:
        self._seconds = seconds
        self.answered = 0
        self._process = subprocess.Popen(
            [sys.executable, "-B", "-P", "-s", "-m", "registry.extraction.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=os.path.abspath(os.sep),
            env=_environment(),
            start_new_session=True,  # not ended by this one's Ctrl-C: its pipes end it
        )
        self._requests, self._answers = _pipes(self._process)
        self._watch = Watch(self._process.kill)
        try:
            self._expect_ready()
        except BaseException:
            self.close()
            raise

    def _expect_ready(self) -> None:
        try:
            with self._within(START_SECONDS):
                answer = frames.receive(self._answers, 1)
        except (OSError, Malformed):
            answer = None
        if answer != Kind.READY.value:
            raise CouldNotCheck(
                f"the process that reads texts does not start ({self._end().args[0]})",
                hint="`python -m registry.extraction.worker` says why",
            )

    @property
    def process_id(self) -> int:
        return self._process.pid

    def ask(self, name: str, content: bytes) -> tuple[Kind, bytes]:
        """What is read of a document. Raises Ended; then this worker is of no further use."""
        try:
            with self._within(self._seconds):
                frames.send(self._requests, *frames.request(name, content))
                answer = frames.receive(self._answers, limits.ANSWER)
            kind = Kind(answer[:1]) if answer else None
        except (OSError, Malformed, ValueError):
            answer = kind = None
        if answer is None or kind is None or kind is Kind.READY:
            raise self._end()
        self.answered += 1
        return kind, answer[1:]

    @contextmanager
    def _within(self, seconds: float) -> Iterator[None]:
        """Kills the worker when the time is over; what waits for its pipes then goes on."""
        self._watch.begin(seconds)
        try:
            yield
        finally:
            self._watch.end()

    def _end(self) -> Ended:
        """Kills what is left of it. Says how it ended."""
        code, memory = self._reap()
        self.close()
        if self._watch.rang or code == -signal.SIGXCPU:
            return Ended(f"it takes more than {self._seconds:g} s to read", late=True)
        if code is None:
            return Ended("its reader's answer was not understood")
        if code < 0 and memory > limits.MEMORY // 2:
            # A library that gets no memory may crash; of what ended so, that is the cause.
            return Ended(f"it takes more than {limits.MEMORY >> 20} MB to read")
        return Ended(f"its reader ended with {_said(code)}")

    def _reap(self) -> tuple[int | None, int]:
        """How a worker ended and the most memory it held, in bytes; None for one that runs on."""
        memory = 0
        for _ in range(_REAP_TRIES):
            if hasattr(os, "wait4") and self._process.returncode is None:
                found, status, used = os.wait4(self._process.pid, os.WNOHANG)
                if found:
                    self._process.returncode = os.waitstatus_to_exitcode(status)
                    memory = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
            if self._process.poll() is not None:
                return self._process.returncode, memory
            time.sleep(_REAP_SECONDS)
        return None, memory

    def close(self) -> None:
        self._watch.close()
        self._process.kill()
        for pipe in (self._requests, self._answers):
            # What was not sent yet is not sent.
            with suppress(OSError):
                pipe.close()
        self._process.wait()


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    if process.stdin is None or process.stdout is None:
        raise ValueError("a process without pipes")
    return process.stdin, process.stdout


def _said(code: int) -> str:
    if code >= 0:
        return f"code {code}"
    try:
        return f"signal {-code} ({signal.Signals(-code).name})"
    except ValueError:
        return f"signal {-code}"


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return kept | {"PYTHONPATH": str(_ROOT), "PYTHONUTF8": "1", "PYTHONHASHSEED": "0"}
