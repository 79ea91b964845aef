"""Many rows at once: COPY on PostgreSQL, one prepared statement on SQLite."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from itertools import chain
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Connection,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
)

from registry.mirror import postgres
from registry.mirror.engine import on_postgres
from registry.mirror.findings import Row

_INT4 = 23  # PostgreSQL's number of the type
# SQLite takes 32,766 values in a statement unless it was built for fewer.
_AT_ONCE = (512, 64, 8)
_EMPTY_ARRAY = struct.pack(">3i", 0, 0, _INT4)


def insert_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows whose values stand in the order of the table's columns."""
    if not rows:
        return
    if on_postgres(connection):
        copy_rows(connection, table, rows)
    else:
        _insert_together(connection, table, rows)


def _insert_together(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert hundreds of rows by one statement, into SQLite: Python can do something else
    meanwhile, and is asked for after each statement and not after each row."""
    at = 0
    for size in _AT_ONCE:
        while len(rows) - at >= size:
            values = tuple(chain.from_iterable(rows[at : at + size]))
            connection.exec_driver_sql(_insert(table, size), values)
            at += size
    if at < len(rows):
        connection.exec_driver_sql(_insert(table), list(rows[at:]))


def copy_rows(connection: Connection, table: Table, rows: Iterable[Row]) -> None:
    """The same by COPY in binary form, which is PostgreSQL's fastest way in. Arrays of
    numbers are given `packed`."""
    driver: Any = connection.connection.driver_connection
    with postgres.past_sqlalchemy(connection), driver.cursor() as cursor:
        _write_bytes_quickly(cursor)
        with cursor.copy(_copy(table)) as copying:
            copying.set_types(_types(table))
            for row in rows:
                copying.write_row(row)


def _write_bytes_quickly(cursor: Any) -> None:
    """Let bytes be written by psycopg's C. Of the two that write a bytea it takes the one that was
    registered last, and that is Python's, for the type of DB-API's own."""
    from psycopg.types.string import BytesBinaryDumper

    cursor.adapters.register_dumper(bytes, BytesBinaryDumper)


def packed(numbers: Sequence[int]) -> bytes:
    """An int4[] as COPY's binary form has it, many times faster than psycopg makes it."""
    if not numbers:
        return _EMPTY_ARRAY
    words = [4] * (2 * len(numbers))
    words[1::2] = numbers
    return _array(len(words)).pack(1, 0, _INT4, len(numbers), 1, *words)


@lru_cache(maxsize=1024)
def _array(words: int) -> struct.Struct:
    return struct.Struct(f">{5 + words}i")


@cache
def _insert(table: Table, rows: int = 1) -> str:
    marks = ", ".join("?" for _ in table.columns)
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    values = ", ".join([f"({marks})"] * rows)
    return f'INSERT INTO "{table.name}" ({names}) VALUES {values}'  # noqa: S608


@cache
def _copy(table: Table) -> str:
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    return f'COPY "{table.name}" ({names}) FROM STDIN (FORMAT BINARY)'


@cache
def _types(table: Table) -> list[str]:
    return [_type(column.type) for column in table.columns]


def _type(declared: Any) -> str:
    match declared:
        case ARRAY():
            # As `packed` has it: bytes are sent as they are.
            return "bytea"
        case SmallInteger():
            return "int2"
        case BigInteger():
            return "int8"
        case Integer():
            return "int4"
        case LargeBinary():
            return "bytea"
        case Text():
            return "text"
    raise AssertionError(f"no column is a {declared}")
