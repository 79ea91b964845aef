"""JSON-RPC to one Ethereum node, without a framework in the way.

Guarantees: a result is only ever what the node sent for that call; a node that does not
answer (`NodeFault`) and one that refuses (`RpcError`) are different types; nothing of the
URL but its host reaches an error or a log, not even where a node repeats it. Does not
retry and does not decode; `nodes.open_nodes` puts retries and other nodes around it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, Protocol
from urllib.parse import unquote, urlsplit

import orjson

from registry.chain.batches import RESPONSE_TOO_LARGE, BatchSize, in_order, whole_refusal
from registry.chain.faults import NodeFault, TooLarge
from registry.chain.http_post import HttpPost, Limits, Posted
from registry.chain.reads import only_reads
from registry.core.following import Fault
from registry.errors import InputError, RegistryError

__all__ = ["Call", "HttpTransport", "Limits", "NodeFault", "RpcError", "TooLarge", "Transport"]

Call = tuple[str, Sequence[Any]]

_RATE_CODES: Final = frozenset({429, -32029})
_RATE_WORDS: Final = re.compile(
    r"rate.?limit|too many requests|compute units|request count exceeded|request rate exceeded"
    r"|requests? limit|/second|per second"
)
_REVERTED: Final = 3

# A gateway's way of saying that the node behind it took too long.
_TIME_OUTS: Final = frozenset({408, 504, 524})
_SHORTEST_SECRET: Final = 6


class RpcError(RegistryError):
    """A node's own error object (JSON-RPC 2.0 §5.1)."""

    def __init__(self, code: int, message: str, data: str | None = None) -> None:
        super().__init__(f"the node refused: {message} (code {code})")
        self.code = code
        self.message = message
        self.data = data

    @property
    def rate_limited(self) -> bool:
        """Whether it says to come again later. A contract's own words never do."""
        if self.code == _REVERTED or self.data is not None:
            return False
        return self.code in _RATE_CODES or _RATE_WORDS.search(self.message.lower()) is not None


class Transport(Protocol):
    """What the rest of the project needs of a node."""

    def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        """The call's result; raises RpcError or Unavailable."""

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        """Results in the order of `calls`; a refused call's place holds its RpcError."""

    def close(self) -> None:
        """Release sockets and files."""


def shown_url(url: str) -> str:
    """The URL without user, password, path and query: API keys live in all of them."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}"


class HttpTransport:
    """JSON-RPC over HTTP with kept connections; safe to share between threads."""

    def __init__(
        self, url: str, *, timeout_seconds: float = 30.0, limits: Limits | None = None
    ) -> None:
        require_url(url, {"http", "https"})
        found = limits or Limits(silence_seconds=timeout_seconds)
        self._shown = shown_url(url)
        self._secrets = _secrets(url)
        self._http = HttpPost(url, self._shown, found)
        self._batches = BatchSize(found.batch_calls)

    def __repr__(self) -> str:
        return f"HttpTransport({self._shown})"

    @property
    def node(self) -> str:
        """The node as it may be shown."""
        return self._shown

    def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        answer = self._single((method, params))
        if isinstance(answer, RpcError):
            raise answer
        return answer

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        """The same; what only reads is split where the node takes no more at once. What may
        act is sent as it is, or not at all."""
        if not only_reads(*(method for method, _ in calls)):
            return self._together(calls)
        results: list[Any] = []
        while len(results) < len(calls):
            part = calls[len(results) : len(results) + self._batches.most]
            results += [self._single(part[0])] if len(part) == 1 else self._as_taken(part)
        return results

    def close(self) -> None:
        self._http.close()

    def _single(self, call: Call) -> Any:
        method, params = call
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        posted = self._http.post(orjson.dumps(body))
        return self._result(self._answer(posted), 1, method)

    def _as_taken(self, calls: Sequence[Call]) -> list[Any]:
        """The results of as many of `calls` as the node takes: of none where it refuses them,
        and is to be sent fewer from then on."""
        try:
            return self._together(calls)
        except RpcError as refused:
            if refused.rate_limited:
                raise NodeFault(f"{self._shown}: {refused.message}", Fault.RATE_LIMITED) from None
            self._batches.refused(len(calls), refused.message)
            return []
        except NodeFault as fault:
            if fault.passing:
                raise
            # Not every node says in JSON that it takes no batches: one call alone will tell.
            first = self._single(calls[0])
            self._batches.refused(len(calls), "")
            return [first]

    def _together(self, calls: Sequence[Call]) -> list[Any]:
        """The results of one batch; raises RpcError where the node refuses it as a whole."""
        body = [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}
            for number, (method, params) in enumerate(calls)
        ]
        answer = self._answer(self._http.post(orjson.dumps(body)))
        refused = whole_refusal(answer, len(calls))
        if refused is not None:
            raise self._refusal(refused["error"])
        answers = in_order(answer, len(calls))
        if answers is None:
            raise self._malformed(f"a batch of {len(calls)} with something else")
        return [self._in_place(answers[number], number, call) for number, call in enumerate(calls)]

    def _in_place(self, answer: dict[str, Any], number: int, call: Call) -> Any:
        result = self._result(answer, number, call[0])
        left_out = isinstance(result, RpcError) and result.code == RESPONSE_TOO_LARGE
        if left_out and only_reads(call[0]):
            return self._single(call)
        return result

    def _answer(self, posted: Posted) -> Any:
        try:
            answer = orjson.loads(posted.body)
        except orjson.JSONDecodeError:
            answer = None
        refused = isinstance(answer, dict) and answer.get("error") is not None
        if posted.status == 200 and answer is not None:
            return answer
        if refused and 400 <= posted.status < 500 and posted.status not in _TIME_OUTS | {429}:
            return answer
        if refused and posted.status == 500:
            return answer
        raise self._no_answer(posted)

    def _no_answer(self, posted: Posted) -> NodeFault:
        status, shown = posted.status, self._shown
        if status == 429:
            return NodeFault(
                f"{shown} takes no more requests for now (HTTP 429)",
                Fault.RATE_LIMITED,
                retry_after=posted.retry_after,
            )
        if status in _TIME_OUTS:
            return NodeFault(f"{shown} took too long (HTTP {status})", Fault.TIMED_OUT)
        if status >= 500:
            return NodeFault(
                f"{shown} answered HTTP {status}",
                Fault.SERVER_ERROR,
                passing=status in {502, 503},
                retry_after=posted.retry_after,
            )
        if status == 200 and posted.body.startswith((b"{", b"[")):
            return NodeFault(f"{shown} broke off in its answer", Fault.MALFORMED)
        return NodeFault(
            f"{shown} answered HTTP {status} with {posted.content_type}, not JSON-RPC",
            Fault.MALFORMED if status == 200 else Fault.SERVER_ERROR,
            hint="POLREG_RPC_URL seems to point at something that is not an Ethereum node",
            passing=False,
        )

    def _result(self, answer: Any, number: int, method: str) -> Any:
        if not isinstance(answer, dict):
            raise self._malformed(f"{method} with something not JSON-RPC")
        error = answer.get("error")
        if error is not None:
            return self._refusal(error)
        if "result" not in answer or answer.get("id") != number:
            raise self._malformed(f"{method} without a result")
        return answer["result"]

    def _malformed(self, what: str) -> NodeFault:
        return NodeFault(f"{self._shown} answered {what}", Fault.MALFORMED)

    def _refusal(self, error: Any) -> RpcError:
        if not isinstance(error, dict):
            return RpcError(0, self._cleaned(str(error)))
        code, data = error.get("code"), error.get("data")
        message = str(error.get("message", "no message"))
        if isinstance(data, dict):
            # Some nodes say what it is about there alone.
            more = [data.get(name) for name in ("message", "payload", "reason")]
            message = ": ".join([message, *(each for each in more if isinstance(each, str))])
        return RpcError(
            code if isinstance(code, int) else 0,
            self._cleaned(message),
            data if isinstance(data, str) else None,
        )

    def _cleaned(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "…")
        return text


def require_url(url: str, schemes: set[str]) -> None:
    """Raise InputError, which does not repeat it, for what is no URL of these schemes."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in schemes and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        usable = False
    if not usable:
        raise InputError(
            f"the address of a node is no {min(schemes)}(s) URL",
            hint=f"give something like {min(schemes)}://127.0.0.1:8545",
        )


def _secrets(url: str) -> list[str]:
    """Whatever in a URL may be a key: a node's own error may repeat it."""
    parts = urlsplit(url)
    written = [parts.username or "", parts.password or "", *re.split("[/&=?]", parts.path)]
    written += re.split("[&=]", parts.query)
    both = {*written, *map(unquote, written)}
    return sorted((each for each in both if len(each) >= _SHORTEST_SECRET), key=len, reverse=True)
