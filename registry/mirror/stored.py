"""Rows as they are stored, whatever a bit has done to them.

Statements name no types, so that a driver hands out what is there: text where a number
belongs, nothing where nothing may be missing.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import closing
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Connection, Integer, LargeBinary, Table, Text, TextClause, text

from registry.core.calendar import NO_DATE
from registry.core.digest import ZERO_DIGEST
from registry.core.entry import Action, Entry
from registry.core.units import Digest
from registry.errors import InputError
from registry.mirror.findings import Row
from registry.mirror.schema import entries

_ACTIONS = {int(action): action for action in Action}
_AT_ONCE = 1000
_STREAMED = {"stream_results": True, "max_row_buffer": _AT_ONCE}
LOWEST, HIGHEST = -(2**63), 2**63 - 1


@cache
def statement(source: str) -> TextClause:
    return text(source)


def stored(connection: Connection, source: str, **values: Any) -> Iterator[Row]:
    """The rows of a statement, read some at a time: a server is not asked for all at once."""
    done = connection.execute(statement(source), values, execution_options=_STREAMED)
    with closing(done):
        for some in done.partitions(_AT_ONCE):
            yield from map(tuple, some)


def columns(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns)


def listed(table: Table) -> str:
    """All columns, quoted, for a SELECT."""
    return ", ".join(f'{table.name}."{name}"' for name in columns(table))


def misfit(table: Table, row: Row) -> str | None:
    """The first value that its column can not hold, in words."""
    problem = _wrong_kind(table, tuple(map(type, row)))
    if problem is None:
        for at, name, length in _lengths(table):
            if row[at] is not None and len(row[at]) != length:
                return f"{name} has {len(row[at])} bytes, not {length}"
    return problem


@lru_cache(maxsize=1024)
def _wrong_kind(table: Table, kinds: tuple[type, ...]) -> str | None:
    """Rows are of few kinds, so that this is seldom asked twice."""
    for column, kind in zip(table.columns, kinds, strict=True):
        if kind is type(None):
            if not column.nullable:
                return f"{column.name} is NULL"
        elif kind is not _kind(column.type):
            return f"{column.name} is of the wrong kind"
    return None


@cache
def _lengths(table: Table) -> tuple[tuple[int, str, int], ...]:
    lengths = (
        (at, each, getattr(each.type, "length", None)) for at, each in enumerate(table.columns)
    )
    return tuple((at, each.name, length) for at, each, length in lengths if length is not None)


def _kind(declared: Any) -> type:
    if isinstance(declared, LargeBinary):
        return bytes
    if isinstance(declared, Text):
        return str
    if isinstance(declared, Integer):
        return int
    raise AssertionError(f"no column is a {declared}")


def read_entry(row: Row) -> Entry | str:
    """The entry of a row of `entries`, or why there is none in it."""
    problem = misfit(entries, row)
    if problem is not None:
        return problem
    if row[6] == NO_DATE or row[7] == ZERO_DIGEST or row[8] == ZERO_DIGEST:
        return "it holds a value that stands for none"
    action = _ACTIONS.get(row[5])
    if action is None:
        return f"there is no action {row[5]}"
    index, previous, authority, number, sequence, _, effective_on, *rest = row[:11]
    return Entry(index, previous, authority, number, sequence, action, effective_on, *rest)


def leaf_of(entry: Entry) -> Digest | str:
    """An entry's leaf, or why the contract can not have written it."""
    try:
        return entry.leaf_hash()
    except (ValueError, InputError, struct.error) as error:
        return f"it is no entry that the contract writes ({error})"


def named(table: Table, row: Row) -> dict[str, Any]:
    """A row's values by the names of its columns."""
    return dict(zip(columns(table), row, strict=True))
