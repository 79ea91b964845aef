"""A remote signer of the tests' own, over HTTP: it signs as Web3Signer does, or wrongly.

with signing_server(key) as server: ...; server.fault = Fault.HIGH_S
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson
from eth_account import Account
from eth_account.messages import encode_typed_data

from registry.chain.signatures import ORDER, Signature, decode_signature
from registry.chain.transactions import assembled, signing_digest

OTHER_KEY = bytes([7]) * 32


class Fault(Enum):
    NONE = auto()
    WRONG_ACCOUNT = auto()
    WRONG_SIGNATURE = auto()
    HIGH_S = auto()
    ANOTHER_TRANSACTION = auto()
    NONSENSE = auto()
    REFUSES = auto()
    HANGS = auto()
    FAILS = auto()


class SigningServer:
    """What it was asked, and the fault it has at the moment."""

    def __init__(self, key: bytes) -> None:
        self.account = Account.from_key(key)
        self.fault = Fault.NONE
        self.asked: list[str] = []
        self.released = threading.Event()
        self.url = ""

    def answer(self, method: str, params: list[Any]) -> dict[str, Any]:
        self.asked.append(method)
        if self.fault is Fault.REFUSES:
            return {"error": {"code": -32000, "message": "no such account: canary-of-the-signer"}}
        if self.fault is Fault.NONSENSE:
            return {"result": "0xzz"}
        key = Account.from_key(OTHER_KEY) if self.fault is Fault.WRONG_ACCOUNT else self.account
        if method == "eth_signTypedData_v4":
            signed = key.sign_message(encode_typed_data(full_message=params[1]))
            return {"result": "0x" + self._spoilt(bytes(signed.signature)).hex()}
        assert method == "eth_signTransaction"
        return {"result": "0x" + self._transaction(key, params[0]).hex()}

    def _transaction(self, key: Any, asked: dict[str, Any]) -> bytes:
        fields = {
            name: int(value, 16) if name not in ("to", "data") else value
            for name, value in asked.items()
            if name != "from"
        }
        if self.fault is Fault.ANOTHER_TRANSACTION:
            fields = {**fields, "value": 10**18}
        if self.fault not in (Fault.HIGH_S, Fault.WRONG_SIGNATURE):
            return bytes(key.sign_transaction(fields).raw_transaction)
        digest = signing_digest(fields)
        spoilt = self._spoilt(bytes(key.unsafe_sign_hash(digest).signature))
        return assembled(fields, _read(spoilt))

    def _spoilt(self, signature: bytes) -> bytes:
        good = decode_signature(signature)
        if self.fault is Fault.HIGH_S:
            # As valid as the other one to whoever does not look.
            return Signature(good.r, ORDER - good.s, 1 - good.parity).encode()
        if self.fault is Fault.WRONG_SIGNATURE:
            return Signature(good.r, good.s ^ 1, good.parity).encode()
        return signature


def _read(content: bytes) -> Signature:
    r, s = (int.from_bytes(content[at : at + 32], "big") for at in (0, 32))
    return Signature(r, s, content[64] - 27)


@contextmanager
def signing_server(key: bytes) -> Iterator[SigningServer]:
    """A signer that holds this key, listening on loopback."""
    found = SigningServer(key)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = orjson.loads(self.rfile.read(int(self.headers["content-length"])))
            if found.fault is Fault.HANGS:
                found.released.wait()
                return
            if found.fault is Fault.FAILS:
                self._send(500, b"out of order")
                return
            answer = found.answer(asked["method"], asked["params"])
            self._send(200, orjson.dumps({"jsonrpc": "2.0", "id": asked["id"], **answer}))

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found.url = f"http://127.0.0.1:{server.server_address[1]}/canary-of-the-path"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        found.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
