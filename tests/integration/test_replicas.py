"""Answers from a replica: a real pair of servers with streaming replication, whose replay is
paused and which is promoted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from api.app import create_app
from registry.config import settings_from
from registry.core.verdict import ExitCode
from registry.errors import LocalFailure, RegistryError
from registry.mirror.engine import open_engine, open_reader, open_unchecked, reading, writing
from registry.mirror.leader import leadership
from tests.integration.command_line import User
from tests.postgres import Server, replica_of, running_postgres

WAIT_SECONDS = 60.0


@dataclass
class Pair:
    primary: Server
    replica: Server
    database: str

    @property
    def settings(self) -> dict[str, str]:
        return {
            "POLREG_DATABASE_URL": self.primary.url(self.database),
            "POLREG_DATABASE_READ_URL": self.replica.url(self.database),
        }

    def caught_up(self) -> None:
        """Wait until the replica has replayed all that the primary has written."""
        ((written,),) = self.primary.sql("SELECT pg_current_wal_insert_lsn()")
        until(lambda: self.replica.sql(f"SELECT pg_last_wal_replay_lsn() >= '{written}'")[0][0])

    def pause(self) -> None:
        self.caught_up()
        self.replica.sql("SELECT pg_wal_replay_pause()")
        state = "SELECT pg_get_wal_replay_pause_state() = 'paused'"
        until(lambda: self.replica.sql(state)[0][0])

    def resume(self) -> None:
        self.replica.sql("SELECT pg_wal_replay_resume()")
        self.caught_up()


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Server, Server]]:
    with running_postgres() as primary, replica_of(primary) as replica:
        yield primary, replica


@pytest.fixture
def pair(servers: tuple[Server, Server]) -> Iterator[Pair]:
    primary, replica = servers
    found = Pair(primary, replica, open_unchecked(primary.fresh()).url.database or "")
    found.caught_up()
    yield found
    found.resume()


def publish(user: User, folder: Path, number: int) -> Path:
    document = folder / f"{number}.md"
    document.write_text(f"Article {number}.", "utf-8")
    title = ("--title-en", f"Act {number}")
    user.done("publish", document, "--authority", "CN.GD", "--number", str(number), *title)
    return document


def test_a_paused_replica_is_honest_and_passed_over_by_the_command_line(
    user: User, pair: Pair, tmp_path: Path
) -> None:
    user = User(user.home, pair.settings)
    user.done("sync")
    first = publish(user, tmp_path, 1)
    pair.pause()
    second = publish(user, tmp_path, 2)
    # The replica alone: what it answers is true of the block that it names.
    only = {"POLREG_DATABASE_READ_URL": pair.settings["POLREG_DATABASE_READ_URL"]}
    auditor = User(user.home, only)
    assert auditor("verify", first, "--json").code == ExitCode.VERIFIED
    told = auditor("verify", second, "--json")
    size = told.json["registry"]["log"]["size"]
    assert (told.code, told.json["files"][0]["verdict"]["match"]) == (1, "unknown")
    # Beside the primary it is passed over until it has what was written.
    assert user("verify", second).code == ExitCode.VERIFIED
    whole = user("verify", second, "--json").json["registry"]["log"]["size"]
    assert size == whole - 1
    assert auditor.done("fsck", "--json").json["checked"]["entries"] == size
    pair.resume()
    assert auditor("verify", second, "--json").json["registry"]["log"]["size"] == whole
    assert user("verify", second).code == ExitCode.VERIFIED


def test_without_its_primary_a_replica_answers_and_says_so(
    user: User, pair: Pair, tmp_path: Path
) -> None:
    user = User(user.home, pair.settings)
    user.done("sync")
    document = publish(user, tmp_path, 1)
    pair.caught_up()
    gone = {**pair.settings, "POLREG_DATABASE_URL": "postgresql://u:hunter2@127.0.0.1:1/m"}
    answered = User(user.home, gone)("verify", document)
    assert answered.code == ExitCode.VERIFIED
    assert "answered from the replica alone" in answered.err
    assert "hunter2" not in answered.err


def test_a_reader_writes_migrates_and_follows_nothing(user: User, pair: Pair) -> None:
    url = pair.settings["POLREG_DATABASE_READ_URL"]
    reader = open_reader(url)
    with pytest.raises(LocalFailure, match="never written to"), writing(reader):
        pass
    reader.dispose()
    # Also one that is taken for a primary by mistake is told so, and not retried for ever.
    mistaken = open_engine(url)
    with pytest.raises(LocalFailure, match="takes no writes") as raised, writing(mistaken):
        pass
    assert "POLREG_DATABASE_READ_URL" in str(raised.value.hint)
    with leadership(mistaken) as lead, pytest.raises(RegistryError, match="takes no writes"):
        lead.wait(0)
    mistaken.dispose()
    alone = User(user.home, {"POLREG_DATABASE_READ_URL": url})
    for words in (["sync"], ["fsck", "--repair"]):
        outcome = alone(*words)
        assert outcome.code == ExitCode.USAGE, words
        assert "POLREG_DATABASE_URL" in outcome.err


def test_a_replica_of_an_older_schema_is_not_answered_from(pair: Pair) -> None:
    pair.primary.sql("UPDATE alembic_version SET version_num = '0002'", pair.database)
    pair.caught_up()
    with pytest.raises(RegistryError, match="schema 0002"):
        open_reader(pair.settings["POLREG_DATABASE_READ_URL"])
    pair.primary.sql("UPDATE alembic_version SET version_num = '0003'", pair.database)


def test_the_api_on_a_replica(user: User, pair: Pair, tmp_path: Path) -> None:
    """What lags is told by its block, and what must not go back in time does not."""
    user = User(user.home, pair.settings)
    user.done("sync")
    for number in range(3):
        publish(user, tmp_path, number)
    given = {"POLREG_HOME": str(user.home), **pair.settings}
    served_by = {name: given[name] for name in ("POLREG_HOME", "POLREG_DATABASE_READ_URL")}
    pair.pause()
    publish(user, tmp_path, 3)
    with (
        TestClient(create_app(settings_from(served_by))) as behind,
        TestClient(
            create_app(settings_from({**given, "POLREG_DATABASE_READ_URL": ""}), None)
        ) as at,
    ):
        head = at.get("/v1/checkpoint").json()["registry"]["log"]["size"]
        told = behind.get("/v1/checkpoint").json()["registry"]
        assert told["log"]["size"] == head - 1
        ready = behind.get("/readyz").json()
        assert ready["registry"]["log"]["size"] == head - 1
        # A page that goes on from one of a mirror that had more is refused, not cut short.
        first = at.get("/v1/policies?limit=3").json()
        following = {"limit": "3", "after": first["next"]}
        assert len(at.get("/v1/policies", params=following).json()["policies"]) == 1
        refused = behind.get("/v1/policies", params=following)
        assert refused.status_code == 503
        assert "it lags" in refused.json()["detail"]
        # Whoever knows how far the log goes asks for at least that.
        digest = "00" * 32
        for path in (f"/v1/documents/{digest}", "/v1/checkpoint", "/v1/policies", "/v1/snapshot"):
            for size, status in ((head - 1, 200), (head, 503)):
                answer = behind.get(path, headers={"Polreg-Min-Size": str(size)})
                assert answer.status_code == status, (path, size)
        assert behind.get("/v1/policies/by-number?authority=CN.GD&number=3").status_code == 404
        asked = {"Polreg-Min-Size": str(head)}
        answer = behind.get("/v1/policies/by-number?authority=CN.GD&number=3", headers=asked)
        assert answer.status_code == 503
        pair.resume()
        answer = behind.get("/v1/policies/by-number?authority=CN.GD&number=3", headers=asked)
        assert answer.status_code == 200
        assert behind.get("/v1/policies", params=following).json()["policies"]


@pytest.mark.parametrize("value", ["", "x", "-1", "1.0", "9" * 30])
def test_a_minimum_that_is_no_number_is_refused(user: User, value: str) -> None:
    settings = settings_from({"POLREG_HOME": str(user.home)})
    with TestClient(create_app(settings, None)) as client:
        answer = client.get("/v1/checkpoint", headers={"Polreg-Min-Size": value})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_promoted_replica_goes_on_as_the_primary(user: User, tmp_path: Path) -> None:
    with running_postgres() as primary, replica_of(primary) as replica:
        pair = Pair(primary, replica, "mirror")
        primary.sql("CREATE DATABASE mirror TEMPLATE template0")
        user = User(user.home, {"POLREG_DATABASE_URL": primary.url("mirror")})
        publish(user, tmp_path, 1)
        pair.caught_up()
        with leadership(open_unchecked(primary.url("mirror"))) as lead:
            assert lead.wait(0)
            primary.kill()
            assert not lead.held()
        engine = open_engine(replica.url("mirror"))
        # What is read goes on without a break.
        with reading(engine) as connection:
            assert connection.execute(text("SELECT count(*) FROM policies")).scalar() == 1
        replica.sql("SELECT pg_promote()")
        with leadership(engine) as lead:
            assert lead.wait(0)
        engine.dispose()
        promoted = User(user.home, {"POLREG_DATABASE_URL": replica.url("mirror")})
        document = publish(promoted, tmp_path, 2)
        assert promoted("verify", document).code == ExitCode.VERIFIED
        assert promoted("fsck").code == ExitCode.VERIFIED
