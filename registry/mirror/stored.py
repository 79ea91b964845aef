"""Rows as they are stored, whatever a bit has done to them.

Statements name no types, so that a driver hands out what is there: text where a number
belongs, nothing where nothing may be missing.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import cache
from typing import Any

from sqlalchemy import Connection, Integer, LargeBinary, Table, Text, TextClause, text

from registry.core.calendar import NO_DATE
from registry.core.digest import ZERO_DIGEST
from registry.core.entry import Action, Entry
from registry.core.units import Address, Day, Digest, EntryIndex, UnixSeconds
from registry.errors import InputError
from registry.mirror.findings import Row
from registry.mirror.schema import entries

LOWEST, HIGHEST = -(2**63), 2**63 - 1


@cache
def statement(source: str) -> TextClause:
    return text(source)


def stored(connection: Connection, source: str, **values: Any) -> Iterator[Row]:
    """The rows of a statement; it is not read ahead."""
    return (tuple(row) for row in connection.execute(statement(source), values))


def columns(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns)


def listed(table: Table) -> str:
    """All columns, quoted, for a SELECT."""
    return ", ".join(f'{table.name}."{name}"' for name in columns(table))


def misfit(table: Table, row: Row) -> str | None:
    """The first value that its column can not hold, in words."""
    for (name, kind, length, nullable), value in zip(_shape(table), row, strict=True):
        if value is None:
            if not nullable:
                return f"{name} is NULL"
        elif type(value) is not kind:
            return f"{name} is of the wrong kind"
        elif length is not None and isinstance(value, bytes) and len(value) != length:
            return f"{name} has {len(value)} bytes, not {length}"
    return None


@cache
def _shape(table: Table) -> tuple[tuple[str, type, int | None, bool], ...]:
    return tuple(
        (
            column.name,
            _kind(column.type),
            getattr(column.type, "length", None),
            bool(column.nullable),
        )
        for column in table.columns
    )


def _kind(declared: Any) -> type:
    if isinstance(declared, LargeBinary):
        return bytes
    if isinstance(declared, Text):
        return str
    if isinstance(declared, Integer):
        return int
    raise AssertionError(f"no column is a {declared}")


def read_entry(row: Row) -> tuple[Entry, Digest] | str:
    """An entry and its leaf from a row that begins with the columns of `entries`, or why
    there is none in it."""
    problem = misfit(entries, row[: len(entries.columns)])
    if problem is not None:
        return problem
    if ZERO_DIGEST in row[7:9] or row[6] == NO_DATE:
        return "it holds a value that stands for none"
    try:
        entry = Entry(
            EntryIndex(row[0]),
            None if row[1] is None else EntryIndex(row[1]),
            row[2],
            Digest(row[3]),
            row[4],
            Action(row[5]),
            None if row[6] is None else Day(row[6]),
            row[7],
            row[8],
            Address(row[9]),
            UnixSeconds(row[10]),
        )
        return entry, entry.leaf_hash()
    except (ValueError, InputError, struct.error) as error:
        return f"it is no entry that the contract writes ({error})"


def named(table: Table, row: Row) -> dict[str, Any]:
    """A row's values by the names of its columns."""
    return dict(zip(columns(table), row, strict=True))
