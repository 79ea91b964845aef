"""An alarm for one thing at a time, that costs next to nothing where it does not ring."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable


class Watch:
    """Calls `ring` when what has begun does not end within its seconds. One thread for all."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self.rang = False
        self._ring = ring
        self._changed = threading.Condition()
        self._until: float | None = None
        self._wakes = math.inf
        self._closed = False
        threading.Thread(target=self._run, daemon=True).start()

    def begin(self, seconds: float) -> None:
        with self._changed:
            self._until = time.monotonic() + seconds
            # One that wakes before that sees it then.
            if self._until < self._wakes:
                self._changed.notify()

    def end(self) -> None:
        with self._changed:
            self._until = None

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _run(self) -> None:
        with self._changed:
            while not self._closed:
                left = None if self._until is None else self._until - time.monotonic()
                if left is not None and left <= 0:
                    self.rang, self._until = True, None
                    self._ring()
                    continue
                self._wakes = math.inf if self._until is None else self._until
                self._changed.wait(left)
