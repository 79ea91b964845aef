"""What a worker may use. Each limit is set where the system has it; the reader's own watch on
time holds everywhere."""

from __future__ import annotations

import contextlib
import sys

SECONDS = 10
MEMORY = 512 << 20
FILE = 256 << 20
TEXT = 64 << 20
ANSWER = 3 * TEXT
"""Of an answer in bytes: a text, escaped as JSON, and its labels."""

_PR_SET_DUMPABLE = 4


def set_limits() -> None:
    """Of this process, for good: memory; no core dumps, no files written, no further processes."""
    try:
        import resource
    except ImportError:
        return
    wanted = {
        "RLIMIT_AS": MEMORY,
        "RLIMIT_CORE": 0,
        "RLIMIT_FSIZE": 0,
        "RLIMIT_NPROC": 0,
    }
    for name, most in wanted.items():
        with contextlib.suppress(OSError, ValueError, AttributeError):
            resource.setrlimit(getattr(resource, name), (most, most))
    if sys.platform == "linux":
        import ctypes

        # The limit does not hold for dumps that the kernel pipes into a program.
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def allow_processor_time(seconds: int) -> None:
    """From now on. What ends a worker whose reader was killed while it could not notice."""
    try:
        import resource
    except ImportError:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + seconds + 1
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))
