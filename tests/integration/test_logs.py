"""Events: one a line, for machines or for people, and never a secret among them."""

from __future__ import annotations

import logging
import signal
import socket
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import structlog

from registry.cli import logs
from registry.config import LogFormat, Settings, settings_from
from registry.errors import InputError, RegistryError
from registry.services.keys import signer_of
from tests.integration.command_line import User
from tests.integration.daemon import running

KEY = "0x" + "c0ffee01" * 8


@pytest.fixture
def written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[[], str]]:
    """What went to standard error; logging is left as it was."""
    handlers, level = logging.root.handlers[:], logging.root.level
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    yield lambda: capsys.readouterr().err
    logging.captureWarnings(False)
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    structlog.reset_defaults()


def events(said: str) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in said.splitlines()]


def test_every_logger_of_the_process_writes_the_same_json(written: Callable[[], str]) -> None:
    logs.configure(LogFormat.JSON, ())
    logging.getLogger("polreg.follower").info("entries read", extra={"added": 3, "block": 7})
    logging.getLogger("uvicorn.error").error("port %d", 8000)
    logging.getLogger("alembic.runtime.migration").info("Running upgrade")
    structlog.get_logger("a library").warning("by structlog", number=1)
    warnings.warn("a warning of Python", stacklevel=1)
    told = events(written())
    assert [(each["level"], each["logger"]) for each in told] == [
        ("info", "polreg.follower"),
        ("error", "uvicorn.error"),
        ("info", "alembic.runtime.migration"),
        ("warning", "a library"),
        ("warning", "py.warnings"),
    ]
    assert list(told[0]) == ["timestamp", "level", "event", "logger", "added", "block"]
    assert (told[0]["event"], told[0]["added"]) == ("entries read", 3)
    assert told[0]["timestamp"].endswith("Z")
    assert told[1]["event"] == "port 8000"


@pytest.mark.parametrize("log_format", list(LogFormat))
def test_what_ends_a_thread_unexpectedly_is_an_event_too(
    written: Callable[[], str], log_format: LogFormat
) -> None:
    logs.configure(log_format, ("hunter22",))

    def fail() -> None:
        password = "hunter22"
        raise RuntimeError(f"no entry with {password}")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    said = written()
    assert "ended unexpectedly" in said
    assert "RuntimeError: no entry with [hidden]" in said
    assert "in fail" in said
    assert "hunter22" not in said.replace('password = "hunter22"', "")
    if log_format is LogFormat.JSON:
        assert len(events(said)) == 1


def test_a_stranger_s_words_can_not_pass_for_a_line_of_ours(written: Callable[[], str]) -> None:
    told = "no\n2026-01-01 [info] all is well \x1b[2J \udc80"
    for log_format in LogFormat:
        logs.configure(log_format, ())
        logging.getLogger("polreg.x").warning("failed", extra={"detail": told})
    as_json, as_text = written().splitlines()
    assert orjson.loads(as_json.replace(r"\udc80", ""))["detail"] == told.replace("\udc80", "")
    assert as_text.isprintable()


SETTINGS = {
    "POLREG_RPC_URL": "http://canary-user:canary-rpc-password@127.0.0.1:{port}/v3/canary-key-in-path"
    "?apikey=canary-key-in-query",
    "POLREG_RPC_WS_URL": "ws://127.0.0.1:{port}/canary-key-of-ws-path",
    "POLREG_DATABASE_URL": "postgresql://somebody:canary%20db-password@127.0.0.1:{port}/registry"
    "?sslpassword=canary-ssl",
    "POLREG_DATABASE_READ_URL": "postgresql://somebody:canary-read-password@127.0.0.1:{port}/r",
    "POLREG_PRIVATE_KEY": KEY,
}
DATABASES = ("POLREG_DATABASE_URL", "POLREG_DATABASE_READ_URL")
CANARIES = (
    "canary-rpc-password",
    "canary-key-in-path",
    "canary-key-in-query",
    "canary-key-of-ws-path",
    "canary%20db-password",
    "canary db-password",
    "canary-ssl",
    "canary-read-password",
    KEY,
    KEY[2:],
    "canary-keystore-password",
)


@pytest.fixture
def hostile(tmp_path: Path) -> dict[str, str]:
    """Settings in which each secret is a canary, and whose servers are not there."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = str(closed.getsockname()[1])
    password = tmp_path / "password"
    password.write_text("canary-keystore-password\n")
    (tmp_path / "keystore.json").write_text("{}")
    return {
        **{name: value.replace("{port}", port) for name, value in SETTINGS.items()},
        "POLREG_CONTRACT": "0x" + "11" * 20,
        "POLREG_PASSWORD_FILE": str(password),
        "POLREG_KEYSTORE": str(tmp_path / "keystore.json"),
    }


def test_settings_know_their_secrets_and_do_not_show_them(hostile: dict[str, str]) -> None:
    settings = settings_from(hostile)
    known = settings.secrets
    assert known >= set(CANARIES) - {"canary-keystore-password"}
    assert not [each for each in CANARIES if each in repr(settings)]


@pytest.mark.parametrize("without", [(), DATABASES, DATABASES[1:]], ids=len)
@pytest.mark.parametrize(
    "words",
    [("sync",), ("status",), ("status", "--json"), ("publish", "f", "--authority", "CN")],
    ids=" ".join,
)
def test_no_command_says_a_secret(
    hostile: dict[str, str], tmp_path: Path, words: tuple[str, ...], without: tuple[str, ...]
) -> None:
    given = {name: value for name, value in hostile.items() if name not in without}
    (tmp_path / "f").write_text("text")
    outcome = User(tmp_path / "home", given)(*words)
    assert outcome.code != 0
    assert not [each for each in CANARIES if each in outcome.out + outcome.err]


@pytest.mark.parametrize("log_format", list(LogFormat))
@pytest.mark.parametrize("command", [("sync", "--follow"), ("serve", "--port", "0")], ids=" ".join)
def test_no_service_logs_a_secret(
    hostile: dict[str, str], tmp_path: Path, command: tuple[str, ...], log_format: LogFormat
) -> None:
    given = {**hostile, "POLREG_LOG_FORMAT": log_format.value}
    for name in DATABASES:
        del given[name]
    with running(User(tmp_path / "home", given), *command) as daemon:
        for _ in range(3):
            daemon.anything()
        daemon.signal(signal.SIGTERM)
        assert daemon.ended() == 0
    assert "127.0.0.1" in daemon.said
    assert not [each for each in CANARIES if each in daemon.said]


def test_no_error_of_signing_says_a_password(hostile: dict[str, str], tmp_path: Path) -> None:
    without_key = {**hostile, "POLREG_HOME": str(tmp_path / "home")}
    del without_key["POLREG_PRIVATE_KEY"]
    with pytest.raises(RegistryError) as raised:
        signer_of(settings_from(without_key), lambda _: "")
    assert "canary" not in f"{raised.value} {raised.value.hint} {raised.value!r}"


def test_a_format_that_there_is_not_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="neither json nor text"):
        settings_from({"POLREG_LOG_FORMAT": "xml"})
    assert Settings(home=tmp_path).log_format is None
