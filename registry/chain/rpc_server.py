"""A transport served as JSON-RPC 2.0 over HTTP, on this machine only.

Guarantees: listens on a loopback address and on no other; answers only requests that
name this machine in `Host` (a web page that has its own name resolve to 127.0.0.1 is
refused), that carry JSON by their content type (what a page can not send elsewhere
without asking, and it is never allowed) and that come from no web page; a batch reaches
the transport as one batch, so its transactions are mined as one block.

No TLS, no passwords, no CORS, no WebSocket: whoever can run a program here may use it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseServer
from types import TracebackType
from typing import Any, Self

import orjson

from registry.chain.rpc import RpcError, Transport
from registry.errors import InputError, LocalFailure, RegistryError

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
INTERNAL_ERROR = -32603

_LARGEST_BODY = 32 * 1024 * 1024
_LARGEST_BATCH = 2_000
_IDLE_SECONDS = 60.0
_NO_ANSWER = object()
_HOSTS = frozenset({"127.0.0.1", "localhost"})


class RpcServer:
    """Serves `chain` between `start` and `stop`; also a context manager.

    Closing the chain stays with whoever opened it. `port` 0 takes a free one.
    """

    def __init__(self, chain: Transport, host: str = "127.0.0.1", port: int = 8545) -> None:
        _require_loopback(host)
        try:
            self._server = _Server(("127.0.0.1", port), chain)
        except OSError as fault:
            raise LocalFailure(
                f"cannot listen on {host}:{port}: {fault.strerror}",
                hint="is something else listening there? choose another port",
            ) from fault
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        """Serve in a thread of its own."""
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.daemon = True
        self._thread.start()

    def stop(self) -> None:
        """Take no more requests and free the port; requests being answered are dropped."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._thread = None
        self._server.server_close()

    def serve_until_interrupted(self) -> None:
        """Serve in this thread until Ctrl-C."""
        try:
            self._server.serve_forever(0.2)
        except KeyboardInterrupt:
            return
        finally:
            self._server.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def serve(chain: Transport, host: str = "127.0.0.1", port: int = 8545) -> None:
    """Serve `chain` until Ctrl-C. InputError for a host that is not this machine alone."""
    RpcServer(chain, host, port).serve_until_interrupted()


def answer(chain: Transport, body: bytes) -> bytes | None:
    """The response body to one request body; None where only notifications came.

    Source: JSON-RPC 2.0 §4 to §6.
    """
    try:
        asked = orjson.loads(body)
    except orjson.JSONDecodeError:
        return orjson.dumps(_error(None, PARSE_ERROR, "the body is not JSON"))
    if not isinstance(asked, list):
        (told,) = _answers(chain, [asked])
        return None if told is _NO_ANSWER else orjson.dumps(told)
    if not 0 < len(asked) <= _LARGEST_BATCH:
        problem = f"a batch has 1 to {_LARGEST_BATCH} requests, this one has {len(asked)}"
        return orjson.dumps(_error(None, INVALID_REQUEST, problem))
    told = [response for response in _answers(chain, asked) if response is not _NO_ANSWER]
    return orjson.dumps(told) if told else None


def _answers(chain: Transport, asked: Sequence[Any]) -> list[Any]:
    """One response each, in order; all that are well-formed go to the chain together."""
    problems = [_problem(request) for request in asked]
    calls = [
        (request["method"], request.get("params", []))
        for request, problem in zip(asked, problems, strict=True)
        if problem is None
    ]
    try:
        results = iter(chain.batch(calls) if calls else [])
    except RegistryError as fault:
        results = iter([RpcError(INTERNAL_ERROR, str(fault))] * len(calls))
    return [
        _error(_id_of(request), INVALID_REQUEST, problem)
        if problem is not None
        else _response(request, next(results))
        for request, problem in zip(asked, problems, strict=True)
    ]


def _problem(request: Any) -> str | None:
    """Why this is no JSON-RPC request; None if it is one."""
    if not isinstance(request, dict):
        return "a request is an object"
    if request.get("jsonrpc") != "2.0":
        return 'jsonrpc is not "2.0"'
    if not isinstance(request.get("method"), str):
        return "method is not a string"
    if not isinstance(request.get("params", []), list):
        return "params is not a list; named parameters are not supported"
    named = request.get("id")
    if isinstance(named, bool) or not isinstance(named, str | int | float | None):
        return "id is not a string, a number or null"
    return None


def _id_of(request: Any) -> Any:
    """The id to name in a complaint, where there is a usable one."""
    named = request.get("id") if isinstance(request, dict) else None
    return named if isinstance(named, str | int | float) else None


def _response(request: dict[str, Any], result: Any) -> Any:
    if "id" not in request:
        return _NO_ANSWER
    if isinstance(result, RpcError):
        return _error(request["id"], result.code, result.message, result.data)
    return {"jsonrpc": "2.0", "id": request["id"], "result": result}


def _error(named: Any, code: int, message: str, data: str | None = None) -> dict[str, Any]:
    error: dict[str, Any] = {"code": code, "message": message}
    if data is not None:
        error["data"] = data
    return {"jsonrpc": "2.0", "id": named, "error": error}


def _require_loopback(host: str) -> None:
    if host not in _HOSTS:
        raise InputError(
            f"{host!r} is not 127.0.0.1 or localhost: this server has no passwords",
            hint="to reach it from elsewhere, put a tunnel (such as ssh -L) in front of it",
        )


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], chain: Transport) -> None:
        super().__init__(address, _Handler)
        self.chain = chain

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no event; anything else has been answered already."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    # A response's head and body leave in one packet, which saves 40 ms each with Nagle.
    wbufsize = -1
    disable_nagle_algorithm = True

    server: BaseServer

    # The name is http.server's.
    def do_POST(self) -> None:
        length = self._length()
        if (refusal := self._refusal(length)) is not None:
            self._reply(*refusal, close=True)
            return
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return
        assert isinstance(self.server, _Server)  # noqa: S101  it makes these handlers
        try:
            told = answer(self.server.chain, body)
        except Exception as fault:  # the client must get an answer, whatever this was
            told = orjson.dumps(_error(None, INTERNAL_ERROR, f"internal: {type(fault).__name__}"))
        if told is None:
            self._reply(204, b"")
        else:
            self._reply(200, told)

    def _length(self) -> int:
        """Bytes of the body; -1 where that is not said in a way that can be trusted."""
        said = self.headers.get_all("content-length") or []
        if len(said) != 1 or not said[0].isascii() or not said[0].isdigit():
            return -1
        return int(said[0])

    def _refusal(self, length: int) -> tuple[int, bytes] | None:
        if not _names_this_machine(self.headers.get("host", "")):
            return 403, b"the Host header names another machine\n"
        if self.headers.get("origin") is not None:
            return 403, b"requests from web pages are not answered\n"
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            return 415, b"send application/json\n"
        if length < 0:
            return 411, b"say the body's length once, in Content-Length\n"
        if length > _LARGEST_BODY:
            return 413, f"a body has at most {_LARGEST_BODY} bytes\n".encode()
        return None

    def _reply(self, status: int, body: bytes, *, close: bool = False) -> None:
        self.send_response(status)
        if status != 204:
            kind = "application/json" if status == 200 else "text/plain; charset=utf-8"
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
        if close:
            self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def version_string(self) -> str:
        return "policy-registry"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  http.server's name
        """No log: the CLI prints what its user needs to see."""


def _names_this_machine(host: str) -> bool:
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    return name.lower() in _HOSTS | {"[::1]"}
