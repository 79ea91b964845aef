"""A PostgreSQL server that goes away under a running API and comes back."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from registry.config import settings_from
from registry.core.snapshot import Filters
from registry.mirror.engine import Connection, reading
from registry.mirror.queries import log_rows
from registry.mirror.snapshot_lines import replayed_lines, snapshot_lines
from registry.mirror.stored import stored
from tests.integration.command_line import User
from tests.postgres import Server, running_postgres, started
from tests.unit.logs import example
from tests.unit.mirrors import mirror_at

WAIT_SECONDS = 60.0


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_api_and_its_follower_live_on(user: User, tmp_path: Path) -> None:
    document = tmp_path / "a.md"
    document.write_text("Article 1.", "utf-8")
    # A disk that keeps what is committed, since the server dies as in a power cut.
    kept = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
    with running_postgres(**kept) as server:
        given = {"POLREG_HOME": str(user.home), "POLREG_DATABASE_URL": server.empty()}
        settings = settings_from(given)
        with TestClient(create_app(settings, 0.2)) as client:
            until(lambda: client.get("/readyz").status_code == 200)
            before = client.get("/v1/checkpoint").json()["registry"]["log"]["size"]
            server.kill()
            gone = client.get("/v1/checkpoint")
            assert gone.status_code == 503
            assert gone.json()["type"] == "urn:polreg:problem:could-not-check"
            assert "does not answer" in gone.json()["detail"]
            with started(server.binaries, server.folder, **kept):
                user.done(
                    "publish", document, "--authority", "CN.GD", "--number", "1",
                    "--title-en", "One", POLREG_DATABASE_URL=given["POLREG_DATABASE_URL"],
                )  # fmt: skip
                until(lambda: size(client) == before + 1)
                until(lambda: client.get("/readyz").json()["follower"]["state"] == "following")


def size(client: TestClient) -> int:
    return int(client.get("/v1/checkpoint").json()["registry"]["log"]["size"])


STREAMS: dict[str, Callable[[Connection, int], Any]] = {
    "a snapshot": lambda connection, size: snapshot_lines(connection, size, Filters()),
    "a snapshot from the log": lambda connection, size: replayed_lines(connection, size, Filters()),
    "the log": log_rows,
    "an audit": lambda connection, _: stored(connection, "SELECT * FROM entries"),
}


@pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS.keys())
def test_what_may_be_long_is_never_fetched_at_once(
    postgres: Server, stream: Callable[[Connection, int], Any]
) -> None:
    logged = example().logged
    engine = mirror_at(postgres.fresh(), logged)
    with reading(engine) as connection:
        rows = stream(connection, len(logged))
        next(rows)
        there = connection.exec_driver_sql("SELECT count(*) FROM pg_cursors").scalar_one()
        assert there == 1
    engine.dispose()
