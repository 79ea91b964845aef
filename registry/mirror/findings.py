"""What an audit finds: a row that is not what the log says it is, and what helps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

Row = tuple[Any, ...]

_SHOWN_BYTES = 12
_SHOWN_TEXT = 40


class Remedy(Enum):
    """How a bad row is made right."""

    REPLACE = auto()
    """By the row that belongs there, or by none; both were computed."""
    REFETCH = auto()
    """From the chain."""
    FORGET = auto()
    """A collection's members, or a list of clauses, are taken away: they can be imported again,
    and do not come from the chain."""
    REINDEX = auto()
    """By building an index anew."""
    NONE = auto()
    """Not by itself: the whole mirror has to be made anew."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One bad row: its table, its primary key as it is stored, and what is wrong.

    `right` is the whole row that belongs there, None where there is none to be.
    """

    table: str
    key: Row
    problem: str
    remedy: Remedy = field(default=Remedy.REPLACE, compare=False)
    right: Row | None = field(default=None, compare=False, repr=False)

    @property
    def shown_key(self) -> str:
        return "/".join(shown(each, whole=True) for each in self.key)


def shown(value: Any, *, whole: bool = False) -> str:
    """A stored value in words, cut where it is long unless it is wanted whole."""
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        digits = value.hex()
        return digits if whole or len(value) <= _SHOWN_BYTES else digits[: 2 * _SHOWN_BYTES] + "…"
    text = str(value).encode("utf-8", "backslashreplace").decode()
    return text if whole or len(text) <= _SHOWN_TEXT else text[:_SHOWN_TEXT] + "…"


def compared(
    table: str,
    columns: Sequence[str],
    key: Callable[[Row], Row],
    right: Iterable[Row],
    stored: Iterable[Row],
) -> Iterator[Finding]:
    """The rows that differ, by key: changed, belonging to nothing, missing."""
    wanted = {key(row): row for row in right}
    for row in stored:
        expected = wanted.pop(key(row), None)
        if expected is None:
            yield Finding(table, key(row), "belongs to nothing in the log")
        elif expected != row:
            yield Finding(table, key(row), difference(columns, row, expected), right=expected)
    for at, row in wanted.items():
        yield Finding(table, at, "is missing", right=row)


def difference(columns: Sequence[str], stored: Row, right: Row) -> str:
    """Which columns differ, and how."""
    return "; ".join(
        f"{name} is {shown(found)}, not {shown(wanted)}"
        if shown(found) != shown(wanted)
        else f"{name} is not what it should be"
        for name, found, wanted in zip(columns, stored, right, strict=True)
        if found != wanted
    )
