"""The server as a process: memory, ports, failing chains, missing registries."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from api import serve
from api.opened import Opened
from registry.config import Deployment, Settings, note_deployment, read_deployment
from registry.errors import InputError, LocalFailure, Rejected
from tests.integration.api_registry import SmallRegistry, problem, registry, running, wait_until

__all__ = ["registry"]

_SERVE = """
import sys
from pathlib import Path
from api import serve
from registry.config import Settings
serve(Settings(home=Path(sys.argv[1])), port=0, announce=lambda url: print(url, flush=True))
"""
_PIECE = bytes(1 << 20)
_UPLOAD_MEGABYTES = 512


@contextmanager
def process(home: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`serve` in a process of its own, and its URL."""
    with subprocess.Popen(
        [sys.executable, "-c", _SERVE, str(home)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as started:
        try:
            assert started.stdout is not None
            url = started.stdout.readline().strip()
            wait_until(lambda: _answers(url))
            yield started, url
        finally:
            started.send_signal(signal.SIGTERM)
            started.wait(20)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url + "healthz").status_code == 200
    except httpx.TransportError:
        return False


def _peak_kilobytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read in /proc")
@pytest.mark.parametrize("kind", ["multipart", "raw"])
def test_memory_stays_flat_however_large_the_upload(registry: SmallRegistry, kind: str) -> None:
    with process(registry.settings.home) as (server, url):
        _upload(url, kind, megabytes=1)
        before = _peak_kilobytes(server.pid)
        answer = _upload(url, kind, _UPLOAD_MEGABYTES)
        grown = _peak_kilobytes(server.pid) - before
        assert answer["files"][0]["size"] == _UPLOAD_MEGABYTES << 20
        assert grown < 16 * 1024
        assert not [each for each in os.listdir(f"/proc/{server.pid}/fd") if _deleted(server, each)]


def _deleted(server: subprocess.Popen[str], descriptor: str) -> bool:
    """Whether it is a temporary file, as spooled uploads are."""
    try:
        return "deleted" in os.readlink(f"/proc/{server.pid}/fd/{descriptor}")
    except FileNotFoundError:
        return False


def _upload(url: str, kind: str, megabytes: int) -> dict[str, list[dict[str, int]]]:
    head, tail, content_type = b"", b"", "application/octet-stream"
    if kind == "multipart":
        head = b'--b\r\nContent-Disposition: form-data; name="f"; filename="big"\r\n\r\n'
        tail, content_type = b"\r\n--b--\r\n", "multipart/form-data; boundary=b"

    def pieces() -> Iterator[bytes]:
        yield head
        for _ in range(megabytes):
            yield _PIECE
        yield tail

    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    headers = {"Content-Type": content_type}
    body = (piece for piece in pieces() if piece)
    connection.request("POST", "/v1/verify", body, headers, encode_chunked=True)
    answer: dict[str, list[dict[str, int]]] = json.loads(connection.getresponse().read())
    connection.close()
    return answer


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_when_it_is_told_to(registry: SmallRegistry, number: int) -> None:
    with process(registry.settings.home) as (server, _):
        server.send_signal(number)
        assert server.wait(10) == 0


def test_a_taken_port_is_said_in_words(registry: SmallRegistry) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(LocalFailure, match=f"port {port} on 127.0.0.1 is taken"):
            serve(registry.settings, port=port)


def test_a_host_or_port_that_is_none_is_said_in_words(registry: SmallRegistry) -> None:
    with pytest.raises(LocalFailure, match="not an address of this machine"):
        serve(registry.settings, host="192.0.2.1", port=0)
    with pytest.raises(InputError, match="not a port"):
        serve(registry.settings, port=70_000)


def test_without_a_registry_every_question_could_not_be_checked(tmp_path: Path) -> None:
    with running(Settings(home=tmp_path), follow_seconds=0.1) as client:
        assert client.get("/healthz").json() == {"status": "alive"}
        for path in ("/readyz", "/v1/documents/" + "ab" * 32, "/v1/policies", "/v1/snapshot"):
            found = problem(response := client.get(path), 503, "could-not-check")
            assert found["hint"] == "run polreg init"
            assert int(response.headers["retry-after"]) > 0
        upload = client.post("/v1/verify", files={"f": ("a", b"content")})
        problem(upload, 503, "could-not-check")


def test_a_mirror_that_was_never_synced_is_not_an_empty_registry(
    registry: SmallRegistry, tmp_path: Path
) -> None:
    deployment = read_deployment(registry.settings)
    assert deployment is not None
    settings = Settings(home=tmp_path)
    note_deployment(settings, deployment)
    with running(settings) as client:
        problem(client.get("/readyz"), 503, "could-not-check")
        problem(client.get("/v1/documents/" + "ab" * 32), 503, "could-not-check")


def _mirrored(registry: SmallRegistry, home: Path, rpc_url: str) -> Settings:
    """Settings with a copy of the registry's mirror and another way to the chain."""
    deployment = read_deployment(registry.settings)
    assert deployment is not None
    settings = Settings(home=home, rpc_url=rpc_url)
    note_deployment(settings, deployment)
    shutil.copy(registry.settings.mirror_path(deployment), settings.mirror_path(deployment))
    return settings


def test_an_unreachable_chain_leaves_the_mirror_answering_and_its_age_shown(
    registry: SmallRegistry, tmp_path: Path
) -> None:
    with registry.writing() as writer:
        writer.sync()
        with writer.workspace.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    settings = _mirrored(registry, tmp_path, f"http://127.0.0.1:{port}")
    with running(settings, follow_seconds=0.1) as client:
        wait_until(lambda: client.get("/readyz").json()["follower"]["state"] == "failing")
        ready = client.get("/readyz").json()
        assert ready["follower"]["failure"]["kind"] == "unreachable"
        first = client.get(f"/v1/documents/{registry.sha256('finance-2020')}").json()
        assert first["match"] == "exact"
        time.sleep(1.1)
        later = client.get("/v1/checkpoint").json()["registry"]
        assert later["mirror"]["synced_at"] == first["registry"]["mirror"]["synced_at"]
        assert later["mirror"]["lag_seconds"] > first["registry"]["mirror"]["lag_seconds"]


def test_a_first_sync_that_fails_is_not_an_answer_of_unknown(
    registry: SmallRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mirror that knows its chain and has read nothing of it yet."""
    from registry.chain.client import Client
    from registry.errors import Unavailable

    def failing(*_: object) -> None:
        raise Unavailable("the node went away")

    shutil.copytree(registry.settings.home / "chain", tmp_path / "chain")
    deployment = read_deployment(registry.settings)
    assert deployment is not None
    settings = Settings(home=tmp_path)
    note_deployment(settings, deployment)
    monkeypatch.setattr(Client, "events", failing)
    path = f"/v1/documents/{registry.sha256('finance-2020')}"
    with running(settings, follow_seconds=0.1) as client:
        wait_until(lambda: settings.mirror_path(deployment).exists())
        time.sleep(0.5)
        problem(client.get(path), 503, "could-not-check")
        problem(client.get("/readyz"), 503, "could-not-check")
        monkeypatch.undo()
        wait_until(lambda: client.get(path).status_code == 200)
        assert client.get(path).json()["match"] == "exact"


def test_a_mirror_that_is_behind_does_not_call_a_document_unknown(
    registry: SmallRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import registry.services.sync as syncing
    from registry.chain.client import Client
    from registry.errors import Unavailable

    shutil.copytree(registry.settings.home / "chain", tmp_path / "chain")
    deployment = read_deployment(registry.settings)
    assert deployment is not None
    settings = Settings(home=tmp_path)
    note_deployment(settings, deployment)
    real = Client.events

    def first_range_only(self: Client, first: int, last: int) -> object:
        if first > 8:
            raise Unavailable("the node went away")
        return real(self, first, last)  # type: ignore[arg-type]

    monkeypatch.setattr(syncing, "BLOCKS_PER_RANGE", 5)
    monkeypatch.setattr(Client, "events", first_range_only)
    with running(settings, follow_seconds=0.1) as client:
        asked = "/v1/documents/" + "ab" * 32
        wait_until(lambda: "first sync is not finished" in client.get(asked).text)
        problem(client.get(asked), 503, "could-not-check")
        problem(client.get("/v1/authorities"), 503, "could-not-check")


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (Rejected("the contract refused"), 409, "rejected"),
        (LocalFailure("the disk is full"), 503, "local-failure"),
        (RuntimeError("secret internals"), 500, "unexpected"),
    ],
)
def test_each_kind_of_failure_is_its_own_problem(
    registry: SmallRegistry,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
    kind: str,
) -> None:
    def broken(_: Opened) -> None:
        raise error

    monkeypatch.setattr(Opened, "engine", property(broken))
    with running(registry.settings) as client:
        response = client.get("/v1/checkpoint")
        problem(response, status, kind)
        assert "secret" not in response.text
        assert response.headers["x-content-type-options"] == "nosniff"
        assert client.get("/healthz").status_code == 200


def test_a_damaged_mirror_is_a_local_failure_not_an_unknown_document(
    registry: SmallRegistry, tmp_path: Path
) -> None:
    deployment = read_deployment(registry.settings)
    assert isinstance(deployment, Deployment)
    settings = replace(registry.settings, home=tmp_path)
    note_deployment(settings, deployment)
    settings.mirror_path(deployment).write_bytes(b"no database at all" * 1000)
    with running(settings) as client:
        problem(client.get("/v1/documents/" + "ab" * 32), 503, "local-failure")
