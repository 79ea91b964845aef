"""The JSON-RPC server: the protocol's letter, this machine only, no web pages."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from registry.chain.embedded import EmbeddedChain
from registry.chain.rpc import Call, HttpTransport, RpcError
from registry.chain.rpc_server import RpcServer, answer, serve
from registry.errors import InputError, LocalFailure
from tests.integration.embedded_accounts import LOGGER, SEND, Sender, word


class Echo:
    """A transport that answers with what it was asked, and keeps count of its batches."""

    def __init__(self) -> None:
        self.batches: list[list[Call]] = []

    def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        return self.batch([(method, params)])[0]

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        self.batches.append(list(calls))
        if any(method == "locked" for method, _ in calls):
            raise LocalFailure("process 7 (polreg) is writing to this chain")
        if any(method == "bug" for method, _ in calls):
            raise ZeroDivisionError
        refused = RpcError(3, "execution reverted", "0xdead")
        return [refused if method == "refuse" else [method, *params] for method, params in calls]

    def close(self) -> None:
        """Nothing is held."""


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def server(echo: Echo) -> Iterator[RpcServer]:
    with RpcServer(echo, port=0) as started:
        yield started


def post(
    server: RpcServer, body: bytes, headers: dict[str, str] | None = None, method: str = "POST"
) -> tuple[int, bytes]:
    """Status and body; `headers` replace the usual ones, "" leaves one out."""
    port = int(server.url.rpartition(":")[2])
    sent = {
        "Host": f"127.0.0.1:{port}",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
    } | (headers or {})
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest(method, "/", skip_host=True)
    for name, value in sent.items():
        if value:
            connection.putheader(name, value)
    connection.endheaders(body)
    response = connection.getresponse()
    result = response.status, response.read()
    connection.close()
    return result


def ask(server: RpcServer, request: Any) -> Any:
    status, body = post(server, json.dumps(request).encode())
    assert status == 200
    return json.loads(body)


def call(method: str, named: Any = 1, **fields: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": named, "method": method} | fields


def test_a_call_is_answered_under_its_id(server: RpcServer) -> None:
    for named in (1, "a", None, 2.5):
        assert ask(server, call("m", named, params=[1, {"a": None}])) == {
            "jsonrpc": "2.0",
            "id": named,
            "result": ["m", 1, {"a": None}],
        }


def test_a_refusal_keeps_code_message_and_data(server: RpcServer) -> None:
    assert ask(server, call("refuse"))["error"] == {
        "code": 3,
        "message": "execution reverted",
        "data": "0xdead",
    }


def test_a_batch_reaches_the_chain_as_one(server: RpcServer, echo: Echo) -> None:
    asked = [call("a"), 7, call("refuse", 2), {"jsonrpc": "2.0", "method": "told"}, call("b", 3)]
    answered = ask(server, asked)
    assert [each.get("result") or each["error"]["code"] for each in answered] == [
        ["a"],
        -32600,
        3,
        ["b"],
    ]
    assert [each["id"] for each in answered] == [1, None, 2, 3]
    assert [[method for method, _ in batch] for batch in echo.batches] == [
        ["a", "refuse", "told", "b"]
    ]


def test_notifications_alone_get_no_body(server: RpcServer) -> None:
    told = json.dumps([{"jsonrpc": "2.0", "method": "told"}]).encode()
    assert post(server, told) == (204, b"")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"jsonrpc": "2.0",}', b"[1"])
def test_what_is_not_json_is_a_parse_error(body: bytes) -> None:
    told = answer(Echo(), body)
    assert told is not None
    assert json.loads(told)["error"]["code"] == -32700


@pytest.mark.parametrize(
    "request_",
    [
        7,
        "eth_chainId",
        None,
        {},
        [],
        [call("a")] * 2001,
        {"id": 1, "method": "m"},
        {"jsonrpc": "1.0", "id": 1, "method": "m"},
        call("m", params={"named": 1}),
        call("m", params=None),
        call("m", named=[1]),
        call("m", named=True),
        {"jsonrpc": "2.0", "id": 1},
        {"jsonrpc": "2.0", "id": 1, "method": 5},
    ],
)
def test_what_is_no_request_is_named_so(request_: Any) -> None:
    told = answer(Echo(), json.dumps(request_).encode())
    assert told is not None
    assert json.loads(told)["error"]["code"] == -32600


def test_trouble_of_this_machine_is_an_internal_error_in_words(server: RpcServer) -> None:
    error = ask(server, call("locked"))["error"]
    assert error["code"] == -32603
    assert "process 7 (polreg)" in error["message"]
    assert ask(server, call("bug"))["error"]["code"] == -32603


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "example.org", "::", ""])
def test_it_listens_on_this_machine_only(echo: Echo, host: str) -> None:
    with pytest.raises(InputError):
        serve(echo, host, 0)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "localhost"}, 200),
        ({"Host": "LOCALHOST:8545"}, 200),
        ({"Host": "[::1]:8545"}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example:8545"}, 403),
        ({"Host": "localhost:8545.evil.example"}, 403),
        ({"Host": ""}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": ""}, 415),
        ({"Content-Type": "application/json; charset=utf-8"}, 200),
        ({"Content-Length": ""}, 411),
        ({"Content-Length": "-1"}, 411),
        ({"Content-Length": str(10**9)}, 413),
        ({"Content-Length": "", "Transfer-Encoding": "chunked"}, 411),
    ],
)
def test_who_may_ask_and_how(
    server: RpcServer, echo: Echo, headers: dict[str, str], status: int
) -> None:
    answered, body = post(server, json.dumps(call("m")).encode(), headers)
    assert answered == status
    assert bool(echo.batches) == (status == 200)
    assert b"ccess-" not in body


@pytest.mark.parametrize("method", ["GET", "OPTIONS", "PUT"])
def test_only_post_is_answered(server: RpcServer, method: str) -> None:
    assert post(server, b"", method=method)[0] == 501


def test_a_taken_port_is_said(server: RpcServer, echo: Echo) -> None:
    port = int(server.url.rpartition(":")[2])
    with pytest.raises(LocalFailure, match=f"cannot listen on 127.0.0.1:{port}"):
        RpcServer(echo, port=port)


def test_stopping_frees_the_port(echo: Echo) -> None:
    server = RpcServer(echo, port=0)
    server.start()
    port = int(server.url.rpartition(":")[2])
    server.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_a_client_that_leaves_midway_harms_nobody(server: RpcServer) -> None:
    port = int(server.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as leaver:
        leaver.sendall(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 100\r\n\r\n{"
        )
    assert ask(server, call("m"))["result"] == ["m"]


def test_our_own_transport_mines_a_batch_as_one_block(tmp_path: Path) -> None:
    senders = [Sender(number) for number in (1, 2, 3)]
    rich = [sender.raw_address for sender in senders]
    with EmbeddedChain.open(tmp_path / "chain.db", create=True, fund=rich) as chain:
        logger = senders[2].deploy(chain, LOGGER)
        with RpcServer(chain, port=0) as server:
            transport = HttpTransport(server.url)
            raws = [senders[0].sign(to=logger, data=word(number)) for number in range(5)]
            answers = transport.batch([(SEND, [raw]) for raw in raws])
            block = transport.request("eth_getBlockByNumber", ["0x2", False])
            assert block["transactions"] == answers
            with pytest.raises(RpcError) as caught:
                transport.request(SEND, [raws[0]])
            assert (caught.value.code, caught.value.message) == (-32000, "already known")

            def send(sender: Sender) -> None:
                for number in range(5):
                    transport.request(SEND, [sender.sign(to=logger, data=word(number))])

            threads = [threading.Thread(target=send, args=(sender,)) for sender in senders]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
            assert transport.request("eth_blockNumber") == hex(2 + 15)
            transport.close()
