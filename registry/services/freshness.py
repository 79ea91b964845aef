"""How far a mirror must have read before it is answered from.

A replica lags, and two requests may reach two of them. Whoever knows that the log has N
entries, having written the last of them or seen it in an answer, asks for an answer from at
least so many: a mirror that has fewer then says that it could not check, never that there
is nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from registry.core.position import Position
from registry.errors import CouldNotCheck

_least_size: ContextVar[int] = ContextVar("least_size", default=0)


@contextmanager
def at_least(size: int) -> Iterator[None]:
    """Within this, and in what it calls, a mirror of fewer entries is not answered from."""
    before = _least_size.set(size)
    try:
        yield
    finally:
        _least_size.reset(before)


def require_size(position: Position, size: int | None = None) -> None:
    """Raise CouldNotCheck where the mirror has fewer entries than `size`, or than were asked
    for."""
    least = _least_size.get() if size is None else size
    if position.size < least:
        raise CouldNotCheck(
            f"the mirror that was asked has {position.size} entries of the log, and at least "
            f"{least} were asked for: it lags, or the chain took some back",
            hint="try again in a moment; to begin anew, ask without that",
        )
