"""How Python itself runs while a mirror is synced.

Its search for cyclic garbage looks through all that is alive whenever some hundreds of objects
were made. A range of blocks makes a hundred thousand of them, none in a cycle, and would spend
a tenth of its time on that.

Of two threads that want to run the one that does goes on for five milliseconds. The one that
writes wants to run for a moment after each statement, hundreds of times a range: it would wait
longer for the other one than for the database.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_OBJECTS = 100_000
"""So many more objects than before are waited for: some 20 MB."""

_TURN_SECONDS = 0.0001

_lock = threading.Lock()
_inside = 0
_before = gc.get_threshold(), sys.getswitchinterval()


@contextmanager
def set_for_syncing() -> Iterator[None]:
    """Collect seldom and take short turns until the last of those who are inside has left."""
    global _inside, _before
    with _lock:
        if _inside == 0:
            _before = threshold, turn = gc.get_threshold(), sys.getswitchinterval()
            gc.set_threshold(max(threshold[0], _OBJECTS), *threshold[1:])
            sys.setswitchinterval(min(turn, _TURN_SECONDS))
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                threshold, turn = _before
                gc.set_threshold(*threshold)
                sys.setswitchinterval(turn)
