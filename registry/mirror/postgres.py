"""PostgreSQL as the mirror's database, through psycopg 3: how it is opened, who may write,
what its faults mean.

psycopg is imported only here and only when a PostgreSQL database is opened. Nothing that
is raised or logged holds the URL: it may hold a password.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from registry.core.following import Fault
from registry.errors import InputError, LocalFailure, RegistryError, Unavailable

SCHEMES = frozenset({"postgres", "postgresql", "postgresql+psycopg"})
DIALECT = "postgresql"

_HOW = "write it as postgresql://user:password@host:5432/database"
_CONNECT_SECONDS = 10
_LOCK_SECONDS = 30
# The API's threads and its streams; a pool that is exhausted is waited for.
_POOL_SIZE, _POOL_OVERFLOW = 8, 8
_POOL_WAIT_SECONDS = 30
_RECYCLE_SECONDS = 1800
# A connection that died without a word is noticed in a minute, not in the system's two hours.
_DEFAULTS: dict[str, Any] = {
    "application_name": "polreg",
    "connect_timeout": _CONNECT_SECONDS,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}

# Advisory locks are numbers that all programs in a database share: the upper half is ours,
# the lower one is the schema that the mirror stands in.
WRITING, LEADING, MIGRATING = 0x506F6C01, 0x506F6C02, 0x506F6C03
_KEY = "CAST({} AS bigint) << 32 | current_schema()::regnamespace::oid::bigint"


def advisory_key(purpose: int) -> str:
    """The SQL expression of a lock's number."""
    return _KEY.format(purpose)


_LOCK_TIMEOUT = text(f"SELECT set_config('lock_timeout', '{_LOCK_SECONDS}s', true)")
_LOCK = {
    purpose: text(f"SELECT pg_advisory_xact_lock({advisory_key(purpose)})")
    for purpose in (WRITING, MIGRATING)
}


def postgres_engine(url: str) -> Engine:
    """An engine; connects to nothing yet. Raises InputError."""
    parsed = parsed_url(url)
    try:
        return create_engine(
            parsed,
            connect_args={
                name: value for name, value in _DEFAULTS.items() if name not in parsed.query
            },
            isolation_level="READ COMMITTED",
            pool_pre_ping=True,
            pool_size=_POOL_SIZE,
            max_overflow=_POOL_OVERFLOW,
            pool_timeout=_POOL_WAIT_SECONDS,
            pool_recycle=_RECYCLE_SECONDS,
        )
    except ImportError:
        raise InputError(
            "the mirror is to be on PostgreSQL, and its driver is not installed",
            hint="run pip install 'policy-registry[postgres]'",
        ) from None


def parsed_url(url: str) -> URL:
    """The URL with the one driver there is. Raises InputError, which says nothing of it."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise InputError("the mirror's PostgreSQL URL can not be read", hint=_HOW) from None
    if parsed.drivername not in SCHEMES:
        raise InputError("the mirror's PostgreSQL URL names another driver", hint=_HOW)
    if not parsed.database:
        raise InputError("the mirror's PostgreSQL URL names no database", hint=_HOW)
    # Else the rest of the password would pass for a host, which errors name.
    if "@" in (parsed.host or ""):
        raise InputError(
            "the password in the mirror's PostgreSQL URL holds an @",
            hint="write it as %40; / is %2F and : is %3A",
        )
    return parsed.set(drivername="postgresql+psycopg")


def reader(connection: Connection) -> Connection:
    """The same connection, its next transaction of one moment and without writes."""
    return connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def lock(connection: Connection, purpose: int) -> None:
    """Wait until no other transaction has this lock, and hold it to the end of this one.

    At READ COMMITTED each later statement sees what the one before committed; in a
    transaction of one moment the lock would come after the moment.
    """
    connection.execute(_LOCK_TIMEOUT)
    connection.execute(_LOCK[purpose])


def schema_version(connection: Connection) -> str | None:
    """The schema's version; None where there is no schema, "" where its row is missing."""
    if connection.execute(text("SELECT to_regclass('alembic_version')")).scalar() is None:
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return "" if found is None else str(found)


def require_utf8(connection: Connection) -> None:
    """Raise InputError for a database that can not hold Chinese."""
    encoding = connection.execute(text("SHOW server_encoding")).scalar()
    if encoding != "UTF8":
        raise InputError(
            f"the mirror's PostgreSQL database has the encoding {encoding}, not UTF8",
            hint="create it with: createdb --encoding UTF8 --template template0 NAME",
        )


def read_only() -> LocalFailure:
    """A replica was taken for its primary."""
    return LocalFailure(
        "the mirror's PostgreSQL server takes no writes: it is a replica, or read-only",
        hint="POLREG_DATABASE_URL is for the primary, POLREG_DATABASE_READ_URL for replicas",
    )


_STATES: dict[str, RegistryError] = {
    "53100": LocalFailure(
        "the disk of the PostgreSQL server is full: the mirror kept what it had",
        hint="free some space there and run polreg sync",
    ),
    "25006": read_only(),
    "42501": LocalFailure(
        "the PostgreSQL user may not do that in the mirror's database",
        hint="make it the owner of the database, or grant it CREATE on the schema",
    ),
    "55P03": LocalFailure(
        "another process is writing the mirror", hint="wait for it, or stop it, and try again"
    ),
}
# Classes and states that pass: the connection, the server's start and stop, a conflict with
# what a replica replays, a deadlock, too many connections.
_PASSING = ("08", "57P0", "40", "53300", "53200", "57014")
# What libpq says where there is no state yet, in English servers' words.
_AT_CONNECTING = (
    (
        "password authentication failed",
        LocalFailure(
            "the PostgreSQL server does not accept the user or the password",
            hint="check the mirror's URL",
        ),
    ),
    (
        "no password supplied",
        LocalFailure(
            "the PostgreSQL server wants a password and the mirror's URL has none",
            hint="put it into the URL, or use a pgpass file",
        ),
    ),
    ("too many clients", None),
    ("remaining connection slots", None),
    ("starting up", None),
    ("shutting down", None),
)


def in_words(error: Any) -> RegistryError:
    """What a fault of psycopg's means, and what to do. libpq's words name the host, the port,
    the user and the database, and no password."""
    state, cause = getattr(error, "sqlstate", None), _first_line(error)
    if state is None:
        return _at_connecting(cause)
    if state in _STATES:
        known = _STATES[state]
        return type(known)(str(known), hint=known.hint)
    if state == "0A000" and "recovery" in cause:
        return read_only()
    if state == "3D000":
        return _no_database(cause)
    if state.startswith(_PASSING):
        return _unreachable(cause)
    if state.startswith("42P01"):
        return LocalFailure(
            f"the mirror's database lacks a table ({cause})", hint="run polreg fsck"
        )
    return LocalFailure(f"the mirror's database failed ({state}): {cause}")


@contextmanager
def past_sqlalchemy(connection: Connection) -> Iterator[None]:
    """For what is done with the driver itself: its faults as SQLAlchemy's would be."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        if connection.connection.driver_connection.closed:  # type: ignore[union-attr]
            connection.invalidate()
        raise in_words(error) from error


def exhausted() -> Unavailable:
    """All connections of this process are in use."""
    return Unavailable(
        "all of this process' connections to the mirror's database are in use",
        hint="try again",
        fault=Fault.DATABASE,
    )


def _at_connecting(cause: str) -> RegistryError:
    for words, known in _AT_CONNECTING:
        if words in cause:
            return (
                _unreachable(cause) if known is None else type(known)(str(known), hint=known.hint)
            )
    if "does not exist" in cause and "database" in cause:
        return _no_database(cause)
    return _unreachable(cause)


def _no_database(cause: str) -> LocalFailure:
    return LocalFailure(
        f"the PostgreSQL server has no such database ({cause})",
        hint="create it: createdb --encoding UTF8 --template template0 NAME",
    )


def _unreachable(cause: str) -> Unavailable:
    return Unavailable(
        f"the mirror's PostgreSQL server does not answer: {cause}",
        hint="is it running, and is the mirror's URL right?",
        fault=Fault.DATABASE,
    )


def _first_line(error: Any) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "no reason")
