"""Keeping a process that holds a key out of core dumps.

A dump is written to disk, or handed to a crash reporter, with all of the process's memory. What
a debugger of the same user, or root, reads of a process that runs is not kept from it here; on
Linux other processes of that user may then no longer read its memory or environment either.
"""

from __future__ import annotations

import contextlib
import sys

_PR_SET_DUMPABLE = 4


def forbid_core_dumps() -> None:
    """From now on, whatever ends this process, its memory is not written anywhere. Where the
    system has no such thing, nothing is done."""
    try:
        import resource
    except ImportError:
        return
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes

        # The limit does not hold for dumps that the kernel pipes into a program.
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
