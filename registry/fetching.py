"""Fetching files as web servers publish them: the bytes, and nothing that is made of them.

Limited in size, in time and in redirects. What can not be had is CouldNotCheck, in words that do
not repeat what an address may hold of names and passwords.
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit

import urllib3

from registry.errors import CouldNotCheck

_PIECE = 2**16
_REDIRECTS = 3
_CONNECTING, _SILENCE, _WHOLE = 5.0, 30.0, 300.0
"""Seconds: to connect, between two pieces, and in all."""


class Fetcher:
    """Fetches files of at most `most` bytes, over connections that are kept."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._pool = urllib3.PoolManager(
            retries=urllib3.Retry(total=_REDIRECTS, connect=1, read=1, redirect=_REDIRECTS),
            timeout=urllib3.Timeout(connect=_CONNECTING, read=_SILENCE),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._pool.clear()

    def fetch(self, address: str) -> bytes:
        """The file at an address; raises CouldNotCheck."""
        try:
            answer = self._pool.request(
                "GET",
                address,
                preload_content=False,
                # The bytes as they are published, whatever the server would rather send.
                headers={"Accept-Encoding": "identity"},
            )
            try:
                return self._content(answer)
            finally:
                answer.close()
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            raise CouldNotCheck(f"the server does not answer: {_why(error)}") from None

    def _content(self, answer: urllib3.BaseHTTPResponse) -> bytes:
        if answer.status != 200:
            raise CouldNotCheck(f"the server answers {answer.status}")
        content, until = bytearray(), time.monotonic() + _WHOLE
        for piece in answer.stream(_PIECE, decode_content=True):
            content += piece
            if len(content) > self._most:
                raise CouldNotCheck(f"it has more than {self._most:,} bytes")
            if time.monotonic() > until:
                raise CouldNotCheck(f"the server did not send all of it in {_WHOLE:.0f} s")
        return bytes(content)


def _why(error: Exception) -> str:
    said = str(getattr(error, "reason", None) or type(error).__name__)
    return said.rpartition(">: ")[2] or said


def shown(address: str) -> str:
    """An address without the name and password that it may carry."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return address.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
