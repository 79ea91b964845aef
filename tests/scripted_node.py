"""A node whose every answer over HTTP is scripted, to the byte.

    with scripted_node(answers) as node: ... node.url ... node.asked

`answers` takes the decoded body of a request and gives what to send back.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Reply:
    """What to send: as JSON-RPC where `body` is not bytes. `cut` says that more was promised,
    and the connection breaks off; `hang` that nothing comes until the node is stopped, after
    the body or instead of it."""

    body: Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    hang: bool = False

    def octets(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


Answers = Callable[[Any], Reply]


@dataclass
class ScriptedNode:
    url: str
    asked: list[Any] = field(default_factory=list)
    connections: int = 0

    @property
    def methods(self) -> list[str]:
        """The methods that were called, a batch's in its order."""
        calls = [each if isinstance(each, list) else [each] for each in self.asked]
        return [call["method"] for each in calls for call in each]


def result(call: Any, value: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": call["id"], "result": value}


def error(call: Any, code: int, message: str, **more: Any) -> dict[str, Any]:
    number = None if isinstance(call, list) else call["id"]
    refused = {"code": code, "message": message, **more}
    return {"jsonrpc": "2.0", "id": number, "error": refused}


def echo(body: Any) -> Reply:
    """A node that answers every call with its method and parameters."""
    if isinstance(body, list):
        return Reply([result(call, [call["method"], call["params"]]) for call in body])
    return Reply(result(body, [body["method"], body["params"]]))


@contextmanager
def scripted_node(answers: Answers) -> Iterator[ScriptedNode]:
    """A node on a free port of this machine; stopped on leaving, hanging answers too."""
    stopped = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body leave together, or each answer waits for an acknowledgement.
        wbufsize = -1

        def setup(self) -> None:
            node.connections += 1
            super().setup()

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            node.asked.append(body)
            reply = answers(body)
            content = reply.octets()
            promised = len(content) + (1000 if reply.cut or reply.hang else 0)
            if content or not reply.hang:
                self.send_response(reply.status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(promised))
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)
                self.wfile.flush()
            if reply.hang:
                stopped.wait()
            if reply.hang or reply.cut:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    node = ScriptedNode(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield node
    finally:
        stopped.set()
        server.shutdown()
        thread.join()
        server.server_close()
