"""Stepping in at chosen moments: before a call to a node, or where a commit makes lasting what
was written. Nothing in the product knows of it: SQLAlchemy's commit is wrapped from outside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.default import DefaultDialect


class When(StrEnum):
    """On which side of a commit."""

    BEFORE = "before"
    AFTER = "after"


class Crash(BaseException):
    """What a process sees of its own end: nothing handles it."""


@contextmanager
def at_commit(number: int, when: When, act: Callable[[], object]) -> Iterator[None]:
    """While this lasts, do `act` right before or right after the commit with this number, from
    1, of any engine. Only those count that end a transaction made for writing."""
    with each_commit(lambda seen, side: act() if (seen, side) == (number, when) else None):
        yield


@contextmanager
def each_commit(act: Callable[[int, When], object]) -> Iterator[None]:
    """While this lasts, do `act` before and after each commit; it is given the commit's number."""
    commit, seen, writes = DefaultDialect.do_commit, 0, False

    def noted(connection: Connection) -> None:
        nonlocal writes
        writes = connection.get_execution_options().get("polreg_write", False)

    def wrapped(dialect: DefaultDialect, connection: Any) -> None:
        nonlocal seen
        seen += writes
        number, counts = seen, writes
        if counts:
            act(number, When.BEFORE)
        commit(dialect, connection)
        if counts:
            act(number, When.AFTER)

    event.listen(Engine, "commit", noted)
    DefaultDialect.do_commit = wrapped  # type: ignore[method-assign]
    try:
        yield
    finally:
        DefaultDialect.do_commit = commit  # type: ignore[method-assign]
        event.remove(Engine, "commit", noted)


def crash() -> None:
    raise Crash


def after_calls(calls: int, act: Callable[[], object]) -> Callable[..., None]:
    """What does `act` when it is called for this time, from 1; never, for 0."""
    left = calls

    def before(*_: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            act()

    return before
