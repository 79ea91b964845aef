"""Opening the mirror's database: SQLite by default.

The schema's version is checked with one look-up; Alembic is imported only where a
migration is due. A database from a newer version of this program is refused.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DatabaseError, OperationalError

from registry.errors import InputError, LocalFailure

__all__ = [
    "Connection",
    "Engine",
    "open_engine",
    "open_unchecked",
    "reading",
    "sqlite_url",
    "writing",
]

SCHEMA_VERSION = "0003"
_EARLIER = frozenset({"0001", "0002"})
_BUSY_MILLISECONDS = 30_000


def sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"


def open_engine(url: str) -> Engine:
    """An engine on an up-to-date schema; raises InputError or LocalFailure."""
    engine = open_unchecked(url)
    with local_failures(), engine.connect() as connection:
        found = _version(connection)
    if found is None:
        _migrate(url)
    elif found != SCHEMA_VERSION:
        engine.dispose()
        if found in _EARLIER:
            _migrate(url)
            return open_engine(url)
        raise _refused(found)
    return engine


def open_unchecked(url: str) -> Engine:
    """An engine on whatever is there: for a look at what is damaged."""
    if not url.startswith("sqlite"):
        raise InputError(
            "POLREG_DATABASE_URL is not a SQLite database",
            hint="write it as sqlite:////path/to/mirror.sqlite",
        )
    engine = create_engine(url)
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _refused(found: str) -> InputError | LocalFailure:
    if found.isdecimal() and found > SCHEMA_VERSION:
        return InputError(
            f"the mirror's database has schema {found}, this program knows {SCHEMA_VERSION}",
            hint="update polreg; or delete the database and run polreg sync, which rebuilds it; "
            "polreg fsck tells whether it is merely damaged",
        )
    return LocalFailure(
        f"the mirror's database says that its schema is {found!r}, which there never was",
        hint="run polreg fsck --repair",
    )


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One write transaction: all of it is kept, or none."""
    with local_failures(), engine.connect() as connection:
        writer = connection.execution_options(polreg_write=True)
        with writer.begin():
            yield writer


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One read transaction: everything in it is of the same moment."""
    with local_failures(), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def local_failures() -> Iterator[None]:
    """Turn the database's own faults into LocalFailure with words."""
    try:
        yield
    except (OperationalError, DatabaseError) as error:
        raise _in_words(error) from error


def _in_words(error: DatabaseError) -> LocalFailure:
    cause = str(error.orig)
    if "full" in cause:
        return LocalFailure(
            "the disk is full: the mirror kept what it had",
            hint="free some space and run polreg sync",
        )
    if "locked" in cause:
        return LocalFailure(
            "another process is writing the mirror", hint="wait for it, or stop it, and try again"
        )
    if "malformed" in cause or "not a database" in cause:
        return LocalFailure(
            f"the mirror's database is damaged ({cause})",
            hint="delete it and run polreg sync, which rebuilds it from the chain",
        )
    if "decode to UTF-8" in cause:
        return LocalFailure(
            f"the mirror's database is damaged ({cause})", hint="run polreg fsck --repair"
        )
    if "unable to open" in cause:
        return LocalFailure("the mirror's database can not be opened", hint="check its path")
    if "readonly" in cause:
        return LocalFailure("the mirror's database is read-only for this user")
    return LocalFailure(f"the mirror's database failed: {cause}")


def _version(connection: Connection) -> str | None:
    present = connection.execute(
        text("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'")
    ).first()
    if present is None:
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    # A version that is missing is damage too: the table is never without it.
    return "" if found is None else str(found)


def _migrate(url: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "registry.mirror:migrations")
    config.attributes["url"] = url
    with local_failures():
        command.upgrade(config, "head")


def _configure_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    # Transactions are begun by _begin_sqlite: the module's own way would let reads of
    # one answer see two moments.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA mmap_size=268435456")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get("polreg_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
