"""SQLite as the mirror's database: how it is opened, how a transaction begins, what its
faults mean."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import ArgumentError

from registry.errors import InputError, LocalFailure, RegistryError

_BUSY_MILLISECONDS = 30_000


def sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"


def sqlite_engine(url: str) -> Engine:
    try:
        engine = create_engine(url)
    except (ArgumentError, TypeError, ValueError):
        raise InputError(
            "the mirror's database is not named as SQLite ones are",
            hint="write it as sqlite:////path/to/mirror.sqlite",
        ) from None
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def stop_mapping(engine: Engine) -> None:
    event.listen(engine, "connect", lambda each, _record: each.execute("PRAGMA mmap_size=0"))
    engine.dispose()


def schema_version(connection: Connection) -> str | None:
    """The schema's version; None where there is no schema, "" where its row is missing."""
    present = connection.execute(
        text("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'")
    ).first()
    if present is None:
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    # A version that is missing is damage too: the table is never without it.
    return "" if found is None else str(found)


def in_words(cause: str) -> RegistryError:
    """What a fault of SQLite means, and what to do."""
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


def _configure(connection: sqlite3.Connection, _record: Any) -> None:
    # Transactions are begun by _begin: the module's own way would let reads of
    # one answer see two moments.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA mmap_size=268435456")
    # Digests fall on pages all over a large index: those that a transaction changes are to stay
    # in memory (32 MB), and to be copied from the log once for several transactions (32 MB).
    cursor.execute("PRAGMA cache_size=-32768")
    cursor.execute("PRAGMA wal_autocheckpoint=8192")
    cursor.close()


def _begin(connection: Connection) -> None:
    write = connection.get_execution_options().get("polreg_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
