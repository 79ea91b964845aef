"""The rows of a finished mirror, inserted again with no check: the least that a sync has to do.

Into the same schema, with its indexes and its search, in one transaction, from memory: by
sqlite3's `executemany`, and by COPY of the very bytes that COPY gave.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from typing import Any

import psycopg
from sqlalchemy import make_url

from registry.mirror import schema
from registry.mirror.engine import open_engine

_TABLES = [*schema.metadata.sorted_tables]
_SEARCH = ("rowid", "title_zh", "title_en", "number")


class SqliteRows:
    """All rows of the mirror in the SQLite database at `url`."""

    def __init__(self, url: str) -> None:
        self._rows: dict[str, list[tuple[Any, ...]]] = {}
        with closing(_sqlite(url)) as connection:
            for statement, source in _STATEMENTS.items():
                self._rows[statement] = connection.execute(source).fetchall()

    def insert(self, url: str) -> float:
        """Seconds that inserting them into a new database at `url` takes."""
        open_engine(url).dispose()
        with closing(_sqlite(url)) as connection:
            started = time.perf_counter()
            connection.execute("BEGIN IMMEDIATE")
            for statement, rows in self._rows.items():
                connection.executemany(statement, rows)
            connection.execute("COMMIT")
            return time.perf_counter() - started


_STATEMENTS = {
    f"INSERT INTO {table.name} VALUES ({', '.join('?' for _ in table.columns)})": (
        f"SELECT * FROM {table.name}"
    )
    for table in _TABLES
} | {
    f"INSERT INTO search ({', '.join(_SEARCH)}) VALUES (?, ?, ?, ?)": (
        f"SELECT {', '.join(_SEARCH)} FROM search"
    )
}


def _sqlite(url: str) -> sqlite3.Connection:
    connection = sqlite3.connect(str(make_url(url).database), isolation_level=None)
    # As the mirror's own connections have it.
    for pragma in (
        "synchronous=FULL",
        "foreign_keys=ON",
        "mmap_size=268435456",
        "cache_size=-32768",
        "wal_autocheckpoint=8192",
    ):
        connection.execute(f"PRAGMA {pragma}")
    return connection


class PostgresRows:
    """All rows of the mirror in the PostgreSQL database at `url`, as COPY gives them."""

    def __init__(self, url: str) -> None:
        self._content: dict[str, bytes] = {}
        with psycopg.connect(url) as connection:
            for name in (*(table.name for table in _TABLES), "search"):
                with connection.cursor().copy(f"COPY {name} TO STDOUT (FORMAT BINARY)") as copy:  # type: ignore[arg-type]
                    self._content[name] = b"".join(copy)

    def insert(self, url: str) -> float:
        """Seconds that copying them into a new database at `url` takes."""
        with psycopg.connect(url) as connection:
            started = time.perf_counter()
            for name, content in self._content.items():
                with connection.cursor().copy(f"COPY {name} FROM STDIN (FORMAT BINARY)") as copy:  # type: ignore[arg-type]
                    copy.write(content)
            connection.commit()
            return time.perf_counter() - started
