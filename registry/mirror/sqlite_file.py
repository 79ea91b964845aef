"""What an audit wants of SQLite itself, and of nothing else: the file's own check, values
as they are stored whatever a bit has done to them, rows put in their place. storage.py
chooses between this and postgres_rows.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from registry.mirror.findings import Finding, Remedy, Row
from registry.mirror.schema import metadata

FILE = "database"
VERSION = "alembic_version"
# A full-text index keeps its texts in a table of its own.
_STORED_NAMES = {"search": ("search_content", ("id", "c0", "c1", "c2"))}
TEXTS = "SELECT id AS rowid, c0, c1, c2 FROM search_content WHERE rowid >= :low"
_SEARCH_TABLES = {
    "search",
    "search_config",
    "search_content",
    "search_data",
    "search_docsize",
    "search_idx",
}
_IN_AN_INDEX = re.compile(r"missing from index|wrong # of entries in index|non-unique entry in")
_MOST = 100


@contextmanager
def as_stored(connection: Connection) -> Iterator[None]:
    """Text that is no UTF-8 is read with its bytes escaped, instead of not at all."""
    driver: Any = connection.connection.driver_connection
    before = driver.text_factory
    driver.text_factory = _text
    try:
        yield
    finally:
        driver.text_factory = before


def _text(stored: bytes) -> str:
    return stored.decode("utf-8", "surrogateescape")


def file_findings(connection: Connection) -> Iterator[Finding]:
    """What SQLite finds wrong with its pages and indexes."""
    try:
        rows = connection.exec_driver_sql(f"PRAGMA integrity_check({_MOST})").all()
    except DatabaseError as error:
        rows = [(str(error.orig),)]  # type: ignore[list-item]
    for number, (said,) in enumerate(rows):
        if said == "ok":
            continue
        index = _IN_AN_INDEX.search(said)
        yield Finding(FILE, (number + 1,), said, Remedy.REINDEX if index else Remedy.NONE)


def knows_schema(connection: Connection) -> bool:
    """Whether every table has the columns that this program writes."""
    for table in metadata.tables.values():
        found = connection.exec_driver_sql(f"PRAGMA table_info({table.name})").all()
        if {row[1] for row in found} != {column.name for column in table.columns}:
            return False
    rows = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {row[0] for row in rows} == {*metadata.tables, *_SEARCH_TABLES, VERSION}


def is_empty(connection: Connection) -> bool:
    """Whether the database has no table at all."""
    return connection.exec_driver_sql("SELECT 1 FROM sqlite_master").first() is None


def begin_repair(connection: Connection) -> None:
    """Let rows refer to rows that come later in the same transaction."""
    connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")


def reindex(connection: Connection) -> None:
    connection.exec_driver_sql("REINDEX")


def take(connection: Connection, table: str, key: Sequence[str], at: Row) -> None:
    """Take away what stands at a key."""
    name, columns = _names(table)
    key = columns[: len(key)] if table in _STORED_NAMES else key
    where = " AND ".join(
        f'"{each}" IS {_bound(value)}' for each, value in zip(key, at, strict=True)
    )
    connection.exec_driver_sql(f'DELETE FROM "{name}" WHERE {where}', _bindable(at))  # noqa: S608


def put(connection: Connection, table: str, right: Row) -> None:
    """Put a row in, in place of any that is in its way."""
    name, columns = _names(table)
    names = ", ".join(f'"{each}"' for each in columns)
    marks = ", ".join("?" for _ in columns)
    connection.exec_driver_sql(
        f'INSERT OR REPLACE INTO "{name}" ({names}) VALUES ({marks})',  # noqa: S608
        right,
    )


def _names(table: str) -> tuple[str, tuple[str, ...]]:
    if table in _STORED_NAMES:
        return _STORED_NAMES[table]
    if table == VERSION:
        return table, ("version_num",)
    return table, tuple(column.name for column in metadata.tables[table].columns)


def _bound(value: Any) -> str:
    return "CAST(? AS TEXT)" if isinstance(value, str) else "?"


def _bindable(values: Row) -> Row:
    """Text as its bytes, since escaped ones could not be sent as text."""
    return tuple(
        each.encode("utf-8", "surrogateescape") if isinstance(each, str) else each
        for each in values
    )
