"""Opening the mirror's database: SQLite by default, or PostgreSQL.

The schema's version is checked with one look-up; Alembic is imported only where a
migration is due. A database from a newer version of this program is refused.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from registry.core.following import Fault
from registry.errors import CouldNotCheck, InputError, LocalFailure, RegistryError, Unavailable
from registry.mirror import postgres, sqlite
from registry.mirror.sqlite import sqlite_url

__all__ = [
    "Connection",
    "Engine",
    "on_postgres",
    "open_engine",
    "open_reader",
    "open_unchecked",
    "reading",
    "sqlite_url",
    "without_mapping",
    "writing",
]

SCHEMA_VERSION = "0007"
_EARLIER = frozenset({"0001", "0002", "0003", "0004", "0005", "0006"})
# Alembic runs once at a time in a process.
_MIGRATING = threading.Lock()


def open_engine(url: str) -> Engine:
    """An engine on an up-to-date schema; raises InputError, LocalFailure or Unavailable."""
    engine = open_unchecked(url)
    try:
        found = _version(engine)
        if found is None or found in _EARLIER:
            _migrate(engine)
            found = _version(engine)
        if found != SCHEMA_VERSION:
            raise _refused(str(found))
    except BaseException:
        engine.dispose()
        raise
    return engine


def open_reader(url: str) -> Engine:
    """An engine that is never written to nor migrated: for a replica, whose schema is its
    primary's. Raises CouldNotCheck where the schema is not this program's."""
    engine = open_unchecked(url).execution_options(polreg_reader=True)
    path = None if on_postgres(engine) else engine.url.database
    try:
        # SQLite makes a file of what it is asked to open.
        found = None if path and not os.path.exists(path) else _version(engine)
    except BaseException:
        engine.dispose()
        raise
    if found == SCHEMA_VERSION:
        return engine
    engine.dispose()
    if found is None:
        raise CouldNotCheck(
            "there is no mirror in the database to read from",
            hint="polreg sync makes it in the primary, POLREG_DATABASE_URL; a replica follows",
        )
    raise CouldNotCheck(
        f"the mirror to read from has schema {found or 'none'}, this program knows "
        f"{SCHEMA_VERSION}",
        hint="polreg sync migrates the primary; a newer mirror wants a newer polreg",
    )


def open_unchecked(url: str) -> Engine:
    """An engine on whatever is there: for a look at what is damaged."""
    scheme = url.partition(":")[0]
    if scheme in postgres.SCHEMES:
        return postgres.postgres_engine(url)
    if scheme == "sqlite":
        return sqlite.sqlite_engine(url)
    raise InputError(
        "the mirror's database is neither SQLite nor PostgreSQL",
        hint="write it as sqlite:////path/to/mirror.sqlite or "
        "postgresql://user:password@host/database",
    )


def without_mapping(engine: Engine) -> None:
    """Read a SQLite database piece by piece from now on, and not as a part of this process's
    memory: for what writes much and looks up little. Nothing on PostgreSQL."""
    if not on_postgres(engine):
        sqlite.stop_mapping(engine)


def on_postgres(where: Engine | Connection) -> bool:
    return where.dialect.name == postgres.DIALECT


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
    """One write transaction: all of it is kept, or none. No other one runs meanwhile, so
    that what is read in it stays true until its end."""
    if engine.get_execution_options().get("polreg_reader", False):
        raise LocalFailure(
            "POLREG_DATABASE_READ_URL is read from and never written to",
            hint="the primary is POLREG_DATABASE_URL",
        )
    with local_failures(), engine.connect() as connection:
        writer = connection.execution_options(polreg_write=True)
        with writer.begin():
            if on_postgres(engine):
                postgres.lock(writer, postgres.WRITING)
            yield writer


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One read transaction: everything in it is of the same moment."""
    with local_failures(), engine.connect() as connection:
        reader = postgres.reader(connection) if on_postgres(engine) else connection
        with reader.begin():
            yield reader


@contextmanager
def local_failures() -> Iterator[None]:
    """Turn the database's own faults into LocalFailure, or Unavailable where they pass, with
    words."""
    try:
        yield
    except DBAPIError as error:
        raise _in_words(error) from error
    except PoolTimeoutError as error:
        raise postgres.exhausted() from error
    except PendingRollbackError as error:
        raise Unavailable(
            "the connection to the mirror's database was lost", fault=Fault.DATABASE
        ) from error


def _in_words(error: DBAPIError) -> RegistryError:
    if type(error.orig).__module__.startswith("psycopg"):
        return postgres.in_words(error.orig)
    return sqlite.in_words(str(error.orig))


def _version(engine: Engine) -> str | None:
    with reading(engine) as connection:
        if on_postgres(engine):
            return postgres.schema_version(connection)
        return sqlite.schema_version(connection)


def _migrate(engine: Engine) -> None:
    """Bring the schema up to date. Of two that try at once on PostgreSQL the second finds
    it done."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "registry.mirror:migrations")
    config.attributes["engine"] = engine
    with _MIGRATING, local_failures():
        command.upgrade(config, "head")
