"""What an audit and a repair want of the database itself, whichever it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy import Connection

from registry.core.search import grams
from registry.mirror import postgres_rows, sqlite_file
from registry.mirror.engine import SCHEMA_VERSION, Engine, on_postgres, reading, writing
from registry.mirror.findings import Finding, Remedy, Row
from registry.mirror.search import COLUMNS
from registry.mirror.search_index import damage, lookups_fail, rebuild
from registry.mirror.sqlite_file import FILE, VERSION

__all__ = ["FILE", "VERSION"]


@contextmanager
def inspecting(engine: Engine, *, locked: bool = False) -> Iterator[Connection]:
    """One transaction over what is stored, taken back at the end: SQLite refuses to commit
    one that has met a damaged page, though it wrote nothing."""
    with (writing if locked else reading)(engine) as connection, as_stored(connection):
        yield connection
        transaction = connection.get_transaction()
        if transaction is not None:
            transaction.rollback()


def as_stored(connection: Connection) -> AbstractContextManager[None]:
    """Text that is no UTF-8 is read with its bytes escaped, instead of not at all."""
    chosen = postgres_rows.as_stored if on_postgres(connection) else sqlite_file.as_stored
    return chosen(connection)


def file_findings(connection: Connection) -> Iterator[Finding]:
    """What the database finds wrong with its own files, where it can be asked."""
    if not on_postgres(connection):
        yield from sqlite_file.file_findings(connection)


def index_damage(connection: Connection) -> Iterator[Finding]:
    """What is wrong with the tables of the full-text index, where it is not the server's."""
    if not on_postgres(connection):
        for table, problem in damage(connection):
            yield Finding("search", (table,), problem, Remedy.REINDEX)


def index_findings(connection: Connection) -> Iterator[Finding]:
    """What look-ups in the full-text index show; the connection is one that writes."""
    problem = None if on_postgres(connection) else lookups_fail(connection)
    if problem is not None:
        yield Finding("search", ("index",), problem, Remedy.REINDEX)


def locked_index_findings(engine: Engine) -> list[Finding]:
    """The same, with a transaction of its own. FTS5's own check wants a write lock, which is
    held for that alone; PostgreSQL is only read."""
    if on_postgres(engine):
        return []
    with inspecting(engine, locked=True) as connection:
        return list(index_findings(connection))


def version_findings(connection: Connection) -> Iterator[Finding]:
    """A schema version that this schema has not."""
    rows = [tuple(row) for row in connection.exec_driver_sql(f"SELECT * FROM {VERSION}")]  # noqa: S608
    right = (SCHEMA_VERSION,)
    for row in rows:
        if row != right:
            problem = f"the schema is that of version {SCHEMA_VERSION}"
            yield Finding(VERSION, row, problem, right=None if right in rows else right)
    if not rows:
        yield Finding(VERSION, right, "is missing", right=right)


def knows_schema(connection: Connection) -> bool:
    """Whether every table has the columns that this program writes."""
    if on_postgres(connection):
        return postgres_rows.knows_schema(connection)
    return sqlite_file.knows_schema(connection)


def is_empty(connection: Connection) -> bool:
    """Whether there is no mirror at all, not even an empty one."""
    if on_postgres(connection):
        return postgres_rows.is_empty(connection)
    return sqlite_file.is_empty(connection)


def texts(connection: Connection) -> tuple[str, tuple[str, ...]]:
    """The statement that reads the rows of a search from `:low` on, and their columns."""
    if on_postgres(connection):
        return postgres_rows.TEXTS, (*COLUMNS, "grams")
    return sqlite_file.TEXTS, COLUMNS


def texts_as_stored(connection: Connection, rows: Sequence[Row]) -> list[Row]:
    """Rows of search.COLUMNS as the database keeps them."""
    if on_postgres(connection):
        return [(*row, grams(*row[1:])) for row in rows]
    return list(rows)


def begin_repair(connection: Connection) -> None:
    """Let rows refer to rows that come later in the same transaction."""
    (postgres_rows if on_postgres(connection) else sqlite_file).begin_repair(connection)


def reindex(connection: Connection) -> None:
    """Build all indexes anew."""
    if not on_postgres(connection):
        sqlite_file.reindex(connection)


def rebuild_search(connection: Connection) -> None:
    """Build the full-text index anew from the texts, where it is not the server's."""
    if not on_postgres(connection):
        rebuild(connection)


def take(connection: Connection, table: str, key: Sequence[str], at: Row) -> None:
    """Take away what stands at a key."""
    (postgres_rows if on_postgres(connection) else sqlite_file).take(connection, table, key, at)


def put(connection: Connection, table: str, right: Row) -> None:
    """Put a row in, where nothing is left in its way."""
    (postgres_rows if on_postgres(connection) else sqlite_file).put(connection, table, right)
