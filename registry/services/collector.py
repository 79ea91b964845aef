"""Python's search for cyclic garbage, while there is none to find.

It looks through all that is alive whenever some hundreds of objects were made. A range of
blocks makes a hundred thousand of them, none in a cycle, and would spend a tenth of its time
on that.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_OBJECTS = 100_000
"""So many more objects than before are waited for: some 20 MB."""

_lock = threading.Lock()
_inside = 0
_before = gc.get_threshold()


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Collect seldom until the last of those who are inside has left."""
    global _inside, _before
    with _lock:
        if _inside == 0:
            _before = gc.get_threshold()
            gc.set_threshold(max(_before[0], _OBJECTS), *_before[1:])
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                gc.set_threshold(*_before)
