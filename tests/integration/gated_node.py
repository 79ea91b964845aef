"""A node whose answers to one method can be held back: to do something in the middle of a read."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import orjson


class GatedNode:
    """Stands before the node at `upstream`. While `hold` is a method's name, calls of it wait
    until `release`; `reached` says that one does."""

    def __init__(self, upstream: str) -> None:
        self.hold: str | None = None
        self.passes = 0
        """How many calls of the held method go through before one waits."""
        self.reached = threading.Event()
        self._released = threading.Event()
        self._upstream = httpx.Client(base_url=upstream, timeout=30)
        self.url = ""

    def release(self) -> None:
        self.hold = None
        self._released.set()

    def answer(self, body: bytes) -> bytes:
        asked = orjson.loads(body)
        methods = [call["method"] for call in (asked if isinstance(asked, list) else [asked])]
        if self.hold in methods:
            self.passes -= 1
            if self.passes < 0:
                self.reached.set()
                assert self._released.wait(60)
        return self._upstream.post("/", content=body, headers=_JSON).content


_JSON = {"Content-Type": "application/json"}


@contextmanager
def gated(upstream: str) -> Iterator[GatedNode]:
    """The gate, on a free port of this machine."""
    node = GatedNode(upstream)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            answer = node.answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    node.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield node
    finally:
        node.release()
        server.shutdown()
        server.server_close()
