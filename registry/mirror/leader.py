"""One follower at a time: whoever leads follows the chain, the others stand by.

    with leadership(engine) as lead:
        while not lead.wait(5): ...        # hot standby
        while lead.held(): ...             # follow

The lock is the system's own, and gone when its holder is: on PostgreSQL a session's advisory
lock on a connection of its own, on SQLite a lock on a file beside the database. A holder that
only seems to be gone may still write once: that is harmless, since whoever writes compares
the mirror's position in a transaction that no other one interleaves (engine.writing). So
this spares work, and is not what keeps the mirror right.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from registry.errors import LocalFailure
from registry.mirror.engine import Engine, local_failures, on_postgres
from registry.mirror.postgres import LEADING, advisory_key, read_only

_PAUSE_SECONDS = 0.2
_LOCK_TIMED_OUT = "55P03"


class Leadership(Protocol):
    """One candidate's place. For one thread."""

    def wait(self, seconds: float) -> bool:
        """Stand by for at most so long; whether this one leads now. 0 only asks. Raises
        Unavailable where the database can not be reached, LocalFailure where it is a replica,
        and where the lock's file can not be made."""

    def held(self) -> bool:
        """Whether this one still leads. False once its connection, or its file, is lost;
        `wait` then stands by anew."""

    def holder(self) -> str | None:
        """Who leads, in words; None where nobody does."""


@contextlib.contextmanager
def leadership(engine: Engine) -> Iterator[Leadership]:
    """A candidate for the lead of this mirror. Given up at the end, if it was had."""
    if on_postgres(engine):
        session = _SessionLock(engine)
        try:
            yield session
        finally:
            session.drop()
        return
    path = engine.url.database
    file = _FileLock(None if path in {None, "", ":memory:"} else Path(f"{path}.follower"))
    try:
        yield file
    finally:
        file.drop()


# A server tells that a holder's machine is gone by its silence; two hours of it by default.
_ALIVE = text(
    "SELECT set_config('tcp_keepalives_idle', '20', false), "
    "set_config('tcp_keepalives_interval', '5', false), "
    "set_config('tcp_keepalives_count', '3', false)"
)
_TRY = text(f"SELECT pg_try_advisory_lock({advisory_key(LEADING)})")
_PATIENCE = text("SELECT set_config('lock_timeout', :patience, false)")
_LOCK = text(f"SELECT pg_advisory_lock({advisory_key(LEADING)})")
_IN_RECOVERY = text("SELECT pg_is_in_recovery()")
_SESSION = text("SELECT pg_backend_pid()")
_HOLDER = text(
    "SELECT coalesce(host(client_addr), 'this machine'), application_name "  # noqa: S608
    "FROM pg_locks JOIN pg_stat_activity USING (pid) "
    "WHERE locktype = 'advisory' AND granted AND objsubid = 1 "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    f"AND (classid::bigint << 32 | objid::bigint) = ({advisory_key(LEADING)})"
)


class _SessionLock:
    """An advisory lock of a session that nothing else is done in."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        self._session: int | None = None

    def wait(self, seconds: float) -> bool:
        if self.held():
            return True
        with local_failures():
            return self._wait(seconds)

    def held(self) -> bool:
        if self._connection is None or self._session is None:
            return False
        try:
            # A pooler may answer from another session, which holds nothing.
            return self._connection.execute(_SESSION).scalar() == self._session
        except DBAPIError:
            self.drop()
            return False

    def holder(self) -> str | None:
        with local_failures():
            row = self._connected().execute(_HOLDER).first()
        return None if row is None else f"{row[1] or 'a program'} on {row[0]}"

    def drop(self) -> None:
        connection, self._connection, self._session = self._connection, None, None
        if connection is not None:
            with contextlib.suppress(DBAPIError):
                connection.close()

    def _wait(self, seconds: float) -> bool:
        try:
            if seconds <= 0:
                found = bool(self._connected().execute(_TRY).scalar())
            else:
                patience = {"patience": f"{max(1, int(seconds * 1000))}ms"}
                self._connected().execute(_PATIENCE, patience)
                self._connected().execute(_LOCK)
                found = True
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) == _LOCK_TIMED_OUT:
                return False
            self.drop()
            raise
        if found and self._connected().execute(_IN_RECOVERY).scalar():
            # A replica has locks of its own, which keep nobody from the primary's.
            self.drop()
            raise read_only()
        if found:
            self._session = self._connected().execute(_SESSION).scalar()
        return found

    def _connected(self) -> Connection:
        """The connection, out of the pool: closing it ends the session."""
        if self._connection is None:
            self._connection = self._engine.connect().execution_options(
                isolation_level="AUTOCOMMIT"
            )
            self._connection.detach()
            self._connection.execute(_ALIVE)
        return self._connection


class _FileLock:
    """A lock on a file that names its holder; None is a database of this process alone."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._alone = False

    def wait(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not self.held() and not self._try():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(_PAUSE_SECONDS, left))
        return True

    def held(self) -> bool:
        if self._path is None:
            return self._alone
        if self._descriptor is None:
            return False
        with contextlib.suppress(OSError):
            # A file of that name that somebody made anew is nobody's lock.
            if os.path.samestat(os.fstat(self._descriptor), os.stat(self._path)):
                return True
        self.drop()
        return False

    def holder(self) -> str | None:
        if self._path is None or self._descriptor is not None:
            return "this process" if self.held() else None
        descriptor = self._open(self._path)
        try:
            if _locked(descriptor):
                return None
            process = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
            return f"process {process}" if process else "another process"
        finally:
            os.close(descriptor)

    def drop(self) -> None:
        self._alone = False
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _try(self) -> bool:
        if self._path is None:
            self._alone = True
            return True
        descriptor = self._open(self._path)
        if not _locked(descriptor):
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        # A full disk must keep nobody from the lock: the name is a courtesy.
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return self.held()

    def _open(self, path: Path) -> int:
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise LocalFailure(
                f"the lock file {path} can not be opened: {error.strerror}",
                hint="may this user write in that folder?",
            ) from None


def _locked(descriptor: int) -> bool:
    """Lock it, if nobody else has."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
