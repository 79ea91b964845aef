"""What an audit wants of PostgreSQL itself: values as they are stored whatever a bit has
done to them, rows put in their place.

The server checks its pages by their own checksums when they are read, and its indexes with
pg_amcheck: that is its operator's. What it hands out is audited here to the last value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, text

from registry.mirror.bulk import insert_rows
from registry.mirror.findings import Row
from registry.mirror.schema import metadata
from registry.mirror.search import COLUMNS, SEARCH, insert_texts

VERSION = "alembic_version"
TEXTS = "SELECT rowid, title_zh, title_en, number, grams FROM search WHERE rowid >= :low"
_COLUMNS = text(
    "SELECT table_name, column_name FROM information_schema.columns "
    "WHERE table_schema = current_schema()"
)
_TYPES_OF_TEXT = ("text", "varchar")


@contextmanager
def as_stored(connection: Connection) -> Iterator[None]:
    """Text that is no UTF-8 is read with its bytes escaped, instead of not at all."""
    from psycopg import postgres as types
    from psycopg.adapt import Loader
    from psycopg.pq import Format

    class Escaping(Loader):
        def load(self, data: Any) -> str:
            return bytes(data).decode("utf-8", "surrogateescape")

    driver: Any = connection.connection.driver_connection
    before = [
        (name, driver.adapters.get_loader(types.types[name].oid, Format.TEXT))
        for name in _TYPES_OF_TEXT
    ]
    for name in _TYPES_OF_TEXT:
        driver.adapters.register_loader(name, Escaping)
    try:
        yield
    finally:
        for name, loader in before:
            driver.adapters.register_loader(name, loader)


def knows_schema(connection: Connection) -> bool:
    """Whether every table has the columns that this program writes."""
    there: dict[str, set[str]] = {}
    for table, column in connection.execute(_COLUMNS):
        there.setdefault(table, set()).add(column)
    declared = {**metadata.tables, SEARCH.name: SEARCH}
    return VERSION in there and all(
        there.get(name) == {column.name for column in table.columns}
        for name, table in declared.items()
    )


def is_empty(connection: Connection) -> bool:
    """Whether none of the mirror's tables is there; others' may be."""
    there = {table for table, _ in connection.execute(_COLUMNS)}
    return not there & {*metadata.tables, VERSION}


def begin_repair(connection: Connection) -> None:
    """Let rows refer to rows that come later in the same transaction."""
    connection.exec_driver_sql("SET CONSTRAINTS ALL DEFERRED")


def take(connection: Connection, table: str, key: Sequence[str], at: Row) -> None:
    """Take away what stands at a key."""
    # By their bytes: escaped ones could not be sent as text.
    where = " AND ".join(
        f'textsend("{name}") = :{name}' if isinstance(value, str) else f'"{name}" = :{name}'
        for name, value in zip(key, at, strict=True)
    )
    values = {
        name: value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
        for name, value in zip(key, at, strict=True)
    }
    connection.execute(text(f'DELETE FROM "{table}" WHERE {where}'), values)  # noqa: S608


def put(connection: Connection, table: str, right: Row) -> None:
    """Put a row in. Whatever was in its way has been taken away."""
    if table == VERSION:
        connection.execute(
            text(f"INSERT INTO {VERSION} VALUES (:version)"),  # noqa: S608
            {"version": right[0]},
        )
        return
    if table == SEARCH.name:
        insert_texts(connection, [right[: len(COLUMNS)]])
    else:
        insert_rows(connection, metadata.tables[table], [right])
