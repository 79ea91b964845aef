"""What goes wrong with a PostgreSQL server is said in words, never with a password, and told
from what passes by itself."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import text

from registry.errors import InputError, LocalFailure, RegistryError, Unavailable
from registry.mirror import postgres as opening
from registry.mirror.engine import (
    Engine,
    open_engine,
    open_reader,
    open_unchecked,
    reading,
    writing,
)
from registry.mirror.headers import stored_headers, write_headers
from tests.postgres import Server, running_postgres
from tests.unit.test_headers import chain

SECRET = "hunter2"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One whose users must have a password, but for the superuser, and that takes few."""
    with running_postgres(max_connections="8", superuser_reserved_connections="1") as server:
        rules = "local all postgres trust\nlocal all all scram-sha-256\n"
        (server.data / "pg_hba.conf").write_text(rules)
        server.sql("SELECT pg_reload_conf()")
        server.sql(f"CREATE USER writer PASSWORD '{SECRET}'")
        server.fresh()
        yield server


@pytest.fixture
def engine(server: Server) -> Iterator[Engine]:
    engine = open_engine(server.fresh())
    yield engine
    engine.dispose()


def with_password(url: str, password: str = SECRET) -> str:
    return url.replace("postgres@", f"writer:{password}@")


def refused(url: str) -> RegistryError:
    """Why a mirror can not be opened. Nothing of it holds the password."""
    with pytest.raises(RegistryError) as raised:
        open_engine(url)
    error = raised.value
    for each in (str(error), error.hint or "", repr(error)):
        assert SECRET not in each
    return error


def test_a_server_that_is_not_there_may_come_back(server: Server) -> None:
    for url in (
        "postgresql://user:hunter2@/mirror?host=/nonexistent",
        "postgresql://user:hunter2@127.0.0.1:1/mirror",
        "postgres://user:hunter2@host.invalid/mirror",
    ):
        error = refused(url)
        assert isinstance(error, Unavailable), error
        assert "does not answer" in str(error)


def test_a_wrong_password_and_none_are_said_and_not_shown(server: Server) -> None:
    wrong = refused(with_password(server.url("postgres"), "no-hunter2"))
    assert isinstance(wrong, LocalFailure)
    assert "does not accept the user or the password" in str(wrong)
    none = refused(server.url("postgres", "writer"))
    assert isinstance(none, LocalFailure)
    assert "wants a password" in str(none)


def test_a_database_that_is_not_there_is_named(server: Server) -> None:
    error = refused(server.url("nowhere"))
    assert isinstance(error, LocalFailure)
    assert 'database "nowhere" does not exist' in str(error)
    assert "createdb" in str(error.hint)


def test_a_user_who_may_make_no_tables_is_told_so(server: Server) -> None:
    error = refused(with_password(server.empty()))
    assert isinstance(error, LocalFailure)
    assert "may not do that" in str(error)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://u:p@hunter2@host/db", "holds an @"),
        ("postgresql://u:hunter2@host:port/db", "can not be read"),
        ("postgresql://u:hunter2@host", "names no database"),
        ("postgresql+asyncpg://u:hunter2@host/db", "neither SQLite nor PostgreSQL"),
        ("mysql://u:hunter2@host/db", "neither SQLite nor PostgreSQL"),
        ("hunter2", "neither SQLite nor PostgreSQL"),
    ],
)
def test_a_url_that_is_none_is_not_repeated(url: str, words: str) -> None:
    error = refused(url)
    assert isinstance(error, InputError)
    assert words in str(error)


def test_without_the_driver_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    error = refused("postgresql://u:hunter2@host/db")
    assert isinstance(error, InputError)
    assert "policy-registry[postgres]" in str(error.hint)


def test_too_many_connections_pass(server: Server) -> None:
    engines = [open_unchecked(with_password(server.fresh())) for _ in range(10)]
    with ExitStack() as stack:
        for engine in engines:
            stack.callback(engine.dispose)
        with pytest.raises(Unavailable, match=r"connection slots|too many clients"):
            all_at_once(stack, engines)


def all_at_once(stack: ExitStack, engines: list[Engine]) -> None:
    for engine in engines:
        stack.enter_context(reading(engine))


def test_a_connection_that_is_lost_in_the_middle_loses_the_whole_write(
    server: Server, engine: Engine
) -> None:
    with pytest.raises(Unavailable):
        write_and_lose(server, engine)
    # The next one has a new connection, of a pool that had the old one.
    with reading(engine) as connection:
        assert stored_headers(connection) == []
    with writing(engine) as connection:
        write_headers(connection, chain(1, 3))
    with pytest.raises(Unavailable):
        read_and_lose(server, engine)
    with reading(engine) as connection:
        assert len(stored_headers(connection)) == 3


def write_and_lose(server: Server, engine: Engine) -> None:
    with writing(engine) as connection:
        write_headers(connection, chain(1, 3))
        cut(server, connection)
        write_headers(connection, chain(4, 5))


def read_and_lose(server: Server, engine: Engine) -> None:
    with reading(engine) as connection:
        cut(server, connection)
        stored_headers(connection)


def cut(server: Server, connection: Any) -> None:
    session = connection.execute(text("SELECT pg_backend_pid()")).scalar()
    server.sql(f"SELECT pg_terminate_backend({session}, 5000)")


def test_a_reader_writes_nothing(server: Server) -> None:
    reader = open_reader(server.fresh())
    with pytest.raises(LocalFailure, match="never written to"), writing(reader):
        pass
    with reading(reader) as connection:
        assert stored_headers(connection) == []
    reader.dispose()


def test_another_writer_is_waited_for(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    soon = text("SELECT set_config('lock_timeout', '20ms', true)")
    monkeypatch.setattr(opening, "_LOCK_TIMEOUT", soon)
    with writing(engine):
        with pytest.raises(LocalFailure, match="another process is writing"), writing(engine):
            pass
        with reading(engine) as connection:
            assert stored_headers(connection) == []
    with writing(engine):
        pass


STATES = {
    "53100": (LocalFailure, "disk of the PostgreSQL server is full"),
    "53300": (Unavailable, "does not answer"),
    "57P01": (Unavailable, "does not answer"),
    "57P03": (Unavailable, "does not answer"),
    "40001": (Unavailable, "does not answer"),
    "08006": (Unavailable, "does not answer"),
    "25006": (LocalFailure, "takes no writes"),
    "3D000": (LocalFailure, "no such database"),
    "42501": (LocalFailure, "may not do that"),
    "55P03": (LocalFailure, "another process is writing"),
    "XX001": (LocalFailure, "failed (XX001)"),
}


@pytest.mark.parametrize(("state", "told"), STATES.items())
def test_a_state_of_the_server_s_has_its_words(
    state: str, told: tuple[type[RegistryError], str]
) -> None:
    class Fault(Exception):
        sqlstate = state

    kind, words = told
    error = opening.in_words(Fault("what the server says\nCONTEXT: more"))
    assert type(error) is kind
    assert words in str(error)
    assert "CONTEXT" not in str(error)
