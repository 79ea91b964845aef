"""A node that takes transactions badly: a proxy over HTTP in front of Anvil.

    with ForgetfulNode(anvil_url, seed) as node:
        ...                         # ask node.url
        node.faults = False         # healed

Of what is sent to it, by its seed: some it says to have taken and forgets; some it takes, and its
reply is lost; some it never sees, and says nothing; some it calls underpriced. `done` counts each.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from types import TracebackType
from typing import Any

import urllib3


class Fault(StrEnum):
    FORGOTTEN = "dropped broadcast"
    REPLY_LOST = "reply lost"
    NOT_SEEN = "request lost"
    UNDERPRICED = "underpriced"


_RATE = 0.4


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """Whoever asked was killed."""


class ForgetfulNode:
    """The proxy. `upstream` may be changed while it runs."""

    def __init__(self, upstream: str, seed: int) -> None:
        self.upstream, self.faults = upstream, True
        self.done: Counter[Fault] = Counter()
        self._random = Random(seed)
        self._lock = threading.Lock()
        self._pool = urllib3.PoolManager(maxsize=16, retries=False, timeout=10)
        node = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                node.answer(self, self.rfile.read(int(self.headers["content-length"])))

            def log_message(self, *_: Any) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> ForgetfulNode:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._pool.clear()

    def answer(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        asked = json.loads(body)
        sending = isinstance(asked, dict) and asked["method"] == "eth_sendRawTransaction"
        fault = self._due() if sending else None
        try:
            reply = self._told(fault, asked, body)
        except urllib3.exceptions.HTTPError:
            # It is being started again.
            reply = None
        if reply is None:
            handler.close_connection = True
            return
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(reply)))
        handler.end_headers()
        try:
            handler.wfile.write(reply)
        except OSError:
            handler.close_connection = True

    def _due(self) -> Fault | None:
        with self._lock:
            if not self.faults or self._random.random() >= _RATE:
                return None
            fault = self._random.choice(list(Fault))
            self.done[fault] += 1
            return fault

    def _told(self, fault: Fault | None, asked: Any, body: bytes) -> bytes | None:
        match fault:
            case None:
                return self._post(body)
            case Fault.FORGOTTEN:
                reply = self._post(body)
                taken = json.loads(reply).get("result")
                if taken:
                    self._post(_call("anvil_dropTransaction", taken))
                return reply
            case Fault.REPLY_LOST:
                self._post(body)
                return None
            case Fault.NOT_SEEN:
                return None
            case Fault.UNDERPRICED:
                error = {"code": -32000, "message": "transaction underpriced"}
                return json.dumps({"jsonrpc": "2.0", "id": asked["id"], "error": error}).encode()

    def _post(self, body: bytes) -> bytes:
        headers = {"content-type": "application/json"}
        return self._pool.request("POST", self.upstream, body=body, headers=headers).data


def _call(method: str, *params: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
