"""JSON-RPC to an Ethereum node, without a framework in the way.

Guarantees: a result is only ever what the node sent for that call; a transport
fault (`Unavailable`) and a node's own refusal (`RpcError`) are different types; a
password in the URL never reaches an error or a log. Does not retry, does not decode.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit

import orjson

from registry.errors import InputError, RegistryError, Unavailable

Call = tuple[str, Sequence[Any]]

_MAX_RESPONSE = 512 * 1024 * 1024


class RpcError(RegistryError):
    """A node's own error object (JSON-RPC 2.0 §5.1)."""

    def __init__(self, code: int, message: str, data: str | None = None) -> None:
        super().__init__(f"the node refused: {message} (code {code})")
        self.code = code
        self.message = message
        self.data = data


class TooLarge(Unavailable):
    """An answer was longer than is read here: less has to be asked for at a time."""


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

    def __init__(self, url: str, *, timeout_seconds: float = 30.0) -> None:
        import urllib3

        try:
            parts = urlsplit(url)
            usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
            _ = parts.port
        except ValueError:
            usable = False
        if not usable:
            raise InputError(
                "the RPC address is not an http(s) URL",
                hint="set POLREG_RPC_URL to something like http://127.0.0.1:8545",
            )
        self._url = url
        self._shown = shown_url(url)
        self._pool = urllib3.PoolManager(
            num_pools=4,
            maxsize=8,
            retries=False,
            timeout=urllib3.Timeout(connect=min(timeout_seconds, 10.0), read=timeout_seconds),
        )
        self._faults = urllib3.exceptions.HTTPError

    def __repr__(self) -> str:
        return f"HttpTransport({self._shown})"

    def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        answer = self._result(self._post(body), 1, method)
        if isinstance(answer, RpcError):
            raise answer
        return answer

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        if not calls:
            return []
        body = [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}
            for number, (method, params) in enumerate(calls)
        ]
        answers = self._post(body)
        if isinstance(answers, dict) and "error" in answers:
            raise self._result(answers, None, "batch")
        if not isinstance(answers, list) or len(answers) != len(calls):
            raise Unavailable(f"{self._shown} answered a batch of {len(calls)} with something else")
        by_id = {answer.get("id"): answer for answer in answers if isinstance(answer, dict)}
        if set(by_id) != set(range(len(calls))):
            raise Unavailable(f"{self._shown} left calls of a batch unanswered")
        return [
            self._result(by_id[number], number, method) for number, (method, _) in enumerate(calls)
        ]

    def close(self) -> None:
        self._pool.clear()

    def _post(self, body: object) -> Any:
        try:
            response = self._pool.request(
                "POST",
                self._url,
                body=orjson.dumps(body),
                headers={"content-type": "application/json", "accept": "application/json"},
            )
        except self._faults as fault:
            # The fault's own text may hold the URL and so a key: name its kind only.
            raise Unavailable(
                f"no answer from {self._shown} ({type(fault).__name__})",
                hint="is the node running, and is POLREG_RPC_URL right?",
            ) from None
        if len(response.data) > _MAX_RESPONSE:
            raise Unavailable(f"{self._shown} sent {len(response.data)} bytes in one answer")
        try:
            answer = orjson.loads(response.data)
        except orjson.JSONDecodeError:
            kind = response.headers.get("content-type", "no content type")
            raise Unavailable(
                f"{self._shown} answered HTTP {response.status} with {kind}, not JSON-RPC",
                hint="POLREG_RPC_URL seems to point at something that is not an Ethereum node",
            ) from None
        if response.status != 200 and not (isinstance(answer, dict) and "error" in answer):
            raise Unavailable(f"{self._shown} answered HTTP {response.status}")
        return answer

    def _result(self, answer: Any, number: int | None, method: str) -> Any:
        if not isinstance(answer, dict):
            raise Unavailable(f"{self._shown} answered {method} with something not JSON-RPC")
        error = answer.get("error")
        if error is not None:
            return self._refusal(error)
        if "result" not in answer or answer.get("id") != number:
            raise Unavailable(f"{self._shown} answered {method} without a result")
        return answer["result"]

    @staticmethod
    def _refusal(error: Any) -> RpcError:
        if not isinstance(error, dict):
            return RpcError(0, str(error))
        code, data = error.get("code"), error.get("data")
        return RpcError(
            code if isinstance(code, int) else 0,
            str(error.get("message", "no message")),
            data if isinstance(data, str) else None,
        )
