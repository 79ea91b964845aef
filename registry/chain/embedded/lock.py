"""One writer at a time across processes, by a lock the system drops when it dies.

Guarantees: at most one holder per lock file; the file names the holder (process id
and command), so whoever waits in vain can be told for whom. A holder that is killed
leaves no lock behind, only its name, which the next holder overwrites.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from registry.errors import LocalFailure

_PAUSE_SECONDS = 0.002
_LONGEST_PAUSE_SECONDS = 0.05


class WriterLock:
    """An exclusive lock on a file beside the store; not re-entrant."""

    def __init__(self, path: Path, *, timeout_seconds: float) -> None:
        self._path = path
        self._timeout_seconds = timeout_seconds

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock, waiting for it; LocalFailure names the process in the way."""
        descriptor = self._open()
        try:
            deadline = time.monotonic() + self._timeout_seconds
            pause = _PAUSE_SECONDS
            while not _try(descriptor):
                if time.monotonic() >= deadline:
                    raise self._in_the_way(descriptor)
                time.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            _sign(descriptor)
            yield
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def if_free(self) -> Iterator[bool]:
        """Hold the lock if nobody else does; says whether."""
        descriptor = self._open()
        try:
            yield _try(descriptor)
        finally:
            os.close(descriptor)

    def _open(self) -> int:
        try:
            return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as fault:
            raise LocalFailure(
                f"cannot open the lock file {self._path}: {fault.strerror}",
                hint="may this user write in that folder?",
            ) from fault

    def _in_the_way(self, descriptor: int) -> LocalFailure:
        process, _, command = os.pread(descriptor, 4096, 0).decode(errors="replace").partition(" ")
        holder = f"process {process} ({command.strip()})" if command else "another process"
        return LocalFailure(
            f"{holder} is writing to this chain and did not finish"
            f" within {self._timeout_seconds:g} s",
            hint="wait for it, or stop it, then try again; nothing was sent",
        )


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sign(descriptor: int) -> None:
    # A full disk must not keep anyone from the lock: the name is a courtesy.
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()} {_command()}\n".encode(), 0)


def _command() -> str:
    # Not the arguments: they may hold a path or a URL that is nobody else's business.
    name = Path(sys.argv[0]).name if sys.argv else ""
    return name if name not in {"", "-c", "-m", "-"} else "python"
