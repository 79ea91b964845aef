"""New blocks are noticed when they are announced, and at the latest when polling would."""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from registry.chain import heads
from registry.chain.heads import Heads
from registry.chain.rpc import HttpTransport
from registry.config import Settings
from registry.errors import InputError
from registry.services.workspace import Workspace
from tests.anvil import DEV_KEYS
from tests.integration.command_line import User

NEVER = 3600.0
"""An interval that no test waits for: what ends a wait before is what the test is about."""


@contextmanager
def announcer(behave: Callable[[ServerConnection], None]) -> Iterator[str]:
    """A WebSocket server that does with each connection what `behave` does."""

    def handle(connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            behave(connection)

    # The server's own log shows what it was asked for.
    silent = logging.Logger("silent", logging.CRITICAL + 1)
    with serve(handle, "127.0.0.1", 0, logger=silent) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/secret-key"
        finally:
            server.shutdown()
            thread.join()


def subscribed(connection: ServerConnection) -> None:
    call = json.loads(connection.recv())
    assert (call["method"], call["params"]) == ("eth_subscribe", ["newHeads"])
    connection.send(json.dumps({"jsonrpc": "2.0", "id": call["id"], "result": "0xcd"}))


def until_closed(connection: ServerConnection) -> None:
    for _ in connection:
        pass


def eventually(true: Callable[[], bool]) -> None:
    limit = time.monotonic() + 20
    while not true():
        assert time.monotonic() < limit, "it never happened"
        time.sleep(0.005)


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "_FIRST_PAUSE", 0.01)
    monkeypatch.setattr(heads, "_LONGEST_PAUSE", 0.02)


def ready(each: Heads, stop: threading.Event) -> None:
    """After the looks that having subscribed is the reason for."""
    each.wait(stop, NEVER)
    eventually(lambda: each.announced)


def test_each_block_that_anvil_mines_ends_a_wait(anvil: str, stop: threading.Event) -> None:
    with (
        closing(Heads(anvil.replace("http", "ws"))) as each,
        closing(HttpTransport(anvil)) as node,
    ):
        ready(each, stop)
        for _ in range(5):
            node.request("evm_mine")
            each.wait(stop, NEVER)


def test_a_block_that_is_announced_while_nobody_waits_ends_the_next_wait(
    stop: threading.Event,
) -> None:
    said = threading.Event()

    def behave(connection: ServerConnection) -> None:
        subscribed(connection)
        said.wait()
        connection.send("{}")
        until_closed(connection)

    with announcer(behave) as url, closing(Heads(url)) as each:
        ready(each, stop)
        said.set()
        eventually(lambda: each._news.is_set())
        each.wait(stop, NEVER)


def test_nothing_that_is_announced_is_read(stop: threading.Event) -> None:
    """Not even whether it is JSON: it may be a lie in any case."""
    go = threading.Semaphore(0)

    def behave(connection: ServerConnection) -> None:
        subscribed(connection)
        for nonsense in ("", "not json", b"\xff\x00", '{"params":{"result":{"number":"0x-1"}}}'):
            go.acquire()
            connection.send(nonsense)
        until_closed(connection)

    with announcer(behave) as url, closing(Heads(url)) as each:
        ready(each, stop)
        for _ in range(4):
            go.release()
            each.wait(stop, NEVER)
        assert each.announced


def test_a_lost_connection_is_made_again_and_is_itself_a_reason_to_look(
    stop: threading.Event,
) -> None:
    connections: list[int] = []

    def behave(connection: ServerConnection) -> None:
        connections.append(1)
        subscribed(connection)
        if len(connections) > 3:
            until_closed(connection)

    with announcer(behave) as url, closing(Heads(url)) as each:
        each.wait(stop, NEVER)
        eventually(lambda: len(connections) == 4)
        eventually(lambda: each.announced)


def refuses(connection: ServerConnection) -> None:
    connection.recv()
    connection.send('{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}')
    until_closed(connection)


def hangs(connection: ServerConnection) -> None:
    until_closed(connection)


def talks_nonsense(connection: ServerConnection) -> None:
    connection.send("hello")
    until_closed(connection)


@pytest.mark.parametrize("behave", [refuses, hangs, talks_nonsense])
def test_a_node_that_announces_nothing_is_polled(
    behave: Callable[[ServerConnection], None], stop: threading.Event
) -> None:
    with announcer(behave) as url, closing(Heads(url)) as each:
        for _ in range(5):
            each.wait(stop, 0.05)
        assert not each.announced


def test_where_nobody_listens_or_nothing_is_set_it_is_polled(stop: threading.Event) -> None:
    for url in (None, "ws://127.0.0.1:9", "ws://name.invalid"):
        with closing(Heads(url)) as each:
            for _ in range(3):
                each.wait(stop, 0.02)
            assert not each.announced


def test_a_subscription_that_falls_silent_delays_a_look_by_no_more_than_a_limit(
    stop: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    def behave(connection: ServerConnection) -> None:
        subscribed(connection)
        until_closed(connection)

    monkeypatch.setattr(heads, "_LONGEST_SILENCE", 0.05)
    with announcer(behave) as url, closing(Heads(url)) as each:
        ready(each, stop)
        each.wait(stop, 0.01)
        assert each.announced


def test_after_an_announcement_there_is_a_second_look_by_the_interval(
    stop: threading.Event,
) -> None:
    """The node that is asked may be another than the one that announced, and behind it."""

    def behave(connection: ServerConnection) -> None:
        subscribed(connection)
        until_closed(connection)

    with announcer(behave) as url, closing(Heads(url)) as each:
        ready(each, stop)
        each.wait(stop, 0.01)
        assert each._longest(0.01) == heads._LONGEST_SILENCE
        each._news.set()
        each.wait(stop, 0.01)
        assert each._longest(0.01) == 0.01


@pytest.mark.parametrize("when", ["before", "while"])
@pytest.mark.parametrize("url", [None, "ws://127.0.0.1:9", "subscribed"])
def test_a_stop_ends_a_wait(url: str | None, when: str, stop: threading.Event) -> None:
    def behave(connection: ServerConnection) -> None:
        subscribed(connection)
        until_closed(connection)

    with (
        announcer(behave) as listening,
        closing(Heads(listening if url == "subscribed" else url)) as each,
    ):
        if url == "subscribed":
            ready(each, stop)
        if when == "before":
            stop.set()
        else:
            threading.Timer(0.05, stop.set).start()
        while not stop.is_set():
            each.wait(stop, NEVER)


def test_closing_ends_the_thread_whatever_it_is_at(stop: threading.Event) -> None:
    def threads() -> list[str]:
        return [each.name for each in threading.enumerate() if each.name == "heads"]

    with announcer(hangs) as url:
        waiting = [Heads(url), Heads("ws://127.0.0.1:9")]
        for each in waiting:
            assert each._listener is not None
            each._listener.start()
        assert len(threads()) == 2
        for each in waiting:
            each.close()
    eventually(lambda: not threads())


def test_no_key_of_the_url_is_logged(
    stop: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    def closes(connection: ServerConnection) -> None:
        connection.close()

    caplog.set_level(logging.DEBUG)
    with announcer(closes) as url, closing(Heads(url)) as each:
        each.wait(stop, 0.01)
        eventually(lambda: "announces no blocks" in caplog.text)
    assert "secret-key" not in caplog.text


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "websockets.sync.client", None)
    with pytest.raises(InputError) as caught:
        Heads("ws://127.0.0.1:9")
    assert "policy-registry[websocket]" in str(caught.value.hint)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "ws://", "nonsense"])
def test_what_is_no_websocket_is_refused(url: Any) -> None:
    with pytest.raises(InputError):
        Heads(url)


def test_a_follower_reads_a_block_because_it_was_announced(anvil: str, tmp_path: Path) -> None:
    """Polling would be in an hour."""
    user = User(tmp_path, {"POLREG_RPC_URL": anvil, "POLREG_PRIVATE_KEY": DEV_KEYS[0]})
    user.done("deploy")
    announcing = f"{anvil} {anvil.replace('http', 'ws')}"
    with Workspace(Settings(home=tmp_path, rpc_url=announcing)) as opened:
        following = opened.following(NEVER)
        thread = threading.Thread(target=following.run)
        thread.start()
        try:
            eventually(lambda: opened.heads.announced)
            sent = user.done("authority", "open", "CN", "--json").json
            assert sent
            with closing(HttpTransport(anvil)) as node:
                head = int(node.request("eth_blockNumber"), 16)
            eventually(lambda: (following.report.head or 0) >= head)
        finally:
            following.stop()
            thread.join()
