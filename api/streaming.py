"""Sending what a slow iterator yields without holding up the event loop.

A stream holds a database connection until its client has read it all. `Streams` allows a
few at once, so that slow readers never take the connections that short answers need.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator

from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from registry.errors import CouldNotCheck

MAX_STREAMS = 8
_PIECE_BYTES = 1 << 16


class Streams:
    """The streams of one app."""

    def __init__(self) -> None:
        self._free = threading.BoundedSemaphore(MAX_STREAMS)

    def send(
        self, lines: Iterator[bytes], headers: dict[str, str], media_type: str
    ) -> StreamingResponse:
        """The response that streams `lines`; raises CouldNotCheck where too many others do."""
        if not self._free.acquire(blocking=False):
            raise CouldNotCheck(
                f"{MAX_STREAMS} snapshots are being sent already", hint="try again in a moment"
            )
        return _Stream(lines, headers, media_type, self._free)


class _Stream(StreamingResponse):
    """Gives its place back however it ends, also where the client has gone."""

    def __init__(
        self,
        lines: Iterator[bytes],
        headers: dict[str, str],
        media_type: str,
        place: threading.BoundedSemaphore,
    ) -> None:
        super().__init__(_in_threads(lines), 200, headers, media_type)
        self._lines = lines
        self._place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            close = getattr(self._lines, "close", None)
            if close is not None:
                close()
            self._place.release()


async def _in_threads(lines: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in pieces of 64 KiB."""
    while piece := await run_in_threadpool(_gathered, lines):
        yield piece


def _gathered(lines: Iterator[bytes]) -> bytes:
    piece = bytearray()
    for line in lines:
        piece += line
        if len(piece) >= _PIECE_BYTES:
            break
    return bytes(piece)
