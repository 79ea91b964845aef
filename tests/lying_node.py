"""A JSON-RPC node that lies and fails by a seed: a proxy over HTTP in front of an honest one.

    with LyingNode(honest_url, other_fork_url) as node:
        node.plan = Plan(seed=7)
        ...                         # ask node.url
        node.plan = None            # healed

Faults of the wire (`Wire`) are its own, lies about answers are those of `lies`. A plan has some
kinds and how often each is told; `told` counts what was really told, by kind. The seed and the
order of the questions decide everything: the same ones are answered in the same way again.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from types import TracebackType
from typing import Any

import urllib3

from tests.lies import LIES, Answer, Question


class Wire(StrEnum):
    """Faults of HTTP and of JSON-RPC itself."""

    RATE_LIMITED = "429 with Retry-After"
    RATE_LIMITED_SILENTLY = "429"
    SERVER_ERROR = "502 with a web page"
    UNAVAILABLE = "503 with nothing"
    HANGS = "hangs"
    DROPPED = "connection dropped"
    HALF_BODY = "half a body"
    BROKEN_JSON = "broken JSON"
    NOT_RPC = "not JSON-RPC"
    WRONG_IDS = "wrong ids"
    ANSWER_MISSING = "a batch with one answer less"
    BATCH_REFUSED = "a batch refused"
    TWO_FORKS = "two forks by turns"


KINDS: tuple[str, ...] = (*Wire, *LIES)
_RATES = (0.15, 0.4, 0.4, 1.0)


class Plan:
    """Which faults a seed brings, and when. The first kind goes through all in turn, so that
    as many seeds as there are kinds try every one; half the seeds have others beside it."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        others = self.random.sample(KINDS, self.random.choice((0, 0, 1, 2)))
        chosen = (KINDS[seed % len(KINDS)], *others)
        self.rates = {kind: self.random.choice(_RATES) for kind in chosen}

    @classmethod
    def always(cls, *kinds: str) -> Plan:
        """Each question is answered with all of these."""
        plan = cls(0)
        plan.rates = dict.fromkeys(kinds, 1.0)
        return plan

    def due(self) -> list[str]:
        """The kinds that this question is to be answered with."""
        return [kind for kind, rate in self.rates.items() if self.random.random() < rate]


class LyingNode:
    """The proxy; `told` is what it did since it was made."""

    def __init__(self, honest: str, other_fork: str) -> None:
        self.honest, self._other = honest, other_fork
        self._pool = urllib3.PoolManager(maxsize=4, retries=False)
        self._lock = threading.Lock()
        self.plan: Plan | None = None
        self.told: Counter[str] = Counter()
        self._before: Callable[[], None] | None = None
        self._failure: Exception | None = None
        node = self

        class Handler(_Handler):
            def answered(self, body: bytes) -> None:
                node._answer(self, body)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> LyingNode:
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

    @contextmanager
    def before_each(self, act: Callable[[], None]) -> Iterator[None]:
        """While this lasts, do `act` before each request is answered; the chain may change
        there. When it is over nothing of it is still going on, whoever asked having given up."""
        self._before = act
        try:
            yield
        finally:
            with self._lock:
                self._before = None
            if self._failure is not None:
                raise self._failure

    def _answer(self, handler: _Handler, body: bytes) -> None:
        # One question at a time, so that the seed alone decides: a hang is waited for outside.
        with self._lock:
            if self._before is not None:
                try:
                    self._before()
                except Exception as error:
                    # For the test, which would only see a connection that broke.
                    self._failure = error
            plan = self.plan
            if plan is None:
                handler.send(200, self._post(self.honest, body))
                return
            asked = json.loads(body)
            due = plan.due()
            upstream = self._other if Wire.TWO_FORKS in due else self.honest
            self.told[Wire.TWO_FORKS] += upstream is self._other
            reply: Any = self._lied(plan, upstream, asked, [kind for kind in due if kind in LIES])
            wire = next((kind for kind in due if _applies(kind, asked)), None)
            if wire is not None:
                self.told[wire] += 1
        if wire is None:
            handler.send(200, json.dumps(reply).encode())
        else:
            _misbehave(handler, Wire(wire), reply)

    def _lied(self, plan: Plan, upstream: str, asked: Any, lies: Sequence[str]) -> Any:
        answers = json.loads(self._post(upstream, json.dumps(asked).encode()))
        if not isinstance(asked, list):
            return self._about(plan, upstream, asked, answers, lies)
        by_id = {each["id"]: each for each in answers}
        return [self._about(plan, upstream, each, by_id[each["id"]], lies) for each in asked]

    def _about(self, plan: Plan, upstream: str, call: Any, reply: Any, lies: Sequence[str]) -> Any:
        def ask(method: str, params: Sequence[Any]) -> Any:
            body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
            return json.loads(self._post(upstream, json.dumps(body).encode()))["result"]

        question = Question(call["method"], call.get("params", []), ask, plan.random)
        answer: Answer = {name: reply[name] for name in ("result", "error") if name in reply}
        for kind in lies:
            told = LIES[kind](question, answer)
            if told is not answer:
                self.told[kind] += 1
                answer = told
        return {"jsonrpc": "2.0", "id": call["id"], **answer}

    def _post(self, url: str, body: bytes) -> bytes:
        headers = {"content-type": "application/json"}
        return self._pool.request("POST", url, body=body, headers=headers).data


def _misbehave(handler: _Handler, wire: Wire, reply: Any) -> None:
    """Send what this fault makes of a reply that would have been right, or nothing."""
    whole = json.dumps(reply).encode()
    if wire in _STATUS:
        status, body, headers = _STATUS[wire]
        handler.send(status, body, headers)
    elif wire in _OF_BATCHES:
        handler.send(200, json.dumps(_OF_BATCHES[wire](reply)).encode())
    elif wire is Wire.BROKEN_JSON:
        handler.send(200, whole[: len(whole) // 2])
    elif wire is Wire.NOT_RPC:
        handler.send(200, b'"it works"')
    else:
        if wire is Wire.HALF_BODY:
            handler.send(200, whole[: len(whole) // 2], length=len(whole))
        if wire is Wire.HANGS:
            # Nothing comes, until whoever asked has had enough and closes.
            handler.connection.recv(1)
        handler.close_connection = True


_STATUS: dict[str, tuple[int, bytes, dict[str, str]]] = {
    Wire.RATE_LIMITED: (429, b"slow down", {"Retry-After": "1"}),
    Wire.RATE_LIMITED_SILENTLY: (
        429,
        b'{"jsonrpc":"2.0","id":null,"error":{"code":-32005,"message":"rate limit exceeded"}}',
        {},
    ),
    Wire.SERVER_ERROR: (
        502,
        b"<html><body><h1>502 Bad Gateway</h1></body></html>",
        {"Content-Type": "text/html"},
    ),
    Wire.UNAVAILABLE: (503, b"", {}),
}
_OF_BATCHES: dict[str, Callable[[list[Any]], Any]] = {
    Wire.WRONG_IDS: lambda reply: [{**each, "id": each["id"] + 1} for each in reply],
    Wire.ANSWER_MISSING: lambda reply: reply[1:],
    Wire.BATCH_REFUSED: lambda reply: {
        "jsonrpc": "2.0",
        "id": None,
        "error": {"code": -32600, "message": "batches are not supported"},
    },
}


def _applies(kind: str, asked: Any) -> bool:
    if kind in LIES or kind == Wire.TWO_FORKS:
        return False
    return kind not in _OF_BATCHES or isinstance(asked, list)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def answered(self, body: bytes) -> None:
        raise NotImplementedError

    def do_POST(self) -> None:
        self.answered(self.rfile.read(int(self.headers["content-length"])))

    def send(
        self,
        status: int,
        body: bytes,
        headers: dict[str, str] | None = None,
        length: int | None = None,
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        try:
            self.wfile.write(body)
            self.wfile.flush()
        except OSError:
            # Whoever asked did not wait for it.
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass
