"""Sending what a slow iterator yields without holding up the event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from starlette.concurrency import run_in_threadpool

_PIECE_BYTES = 1 << 16


async def in_threads(lines: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in pieces of 64 KiB. `lines` is closed when the client has gone, so
    that a generator lets go of its database connection at once."""
    try:
        while piece := await run_in_threadpool(_gathered, lines):
            yield piece
    finally:
        close = getattr(lines, "close", None)
        if close is not None:
            close()


def _gathered(lines: Iterator[bytes]) -> bytes:
    piece = bytearray()
    for line in lines:
        piece += line
        if len(piece) >= _PIECE_BYTES:
            break
    return bytes(piece)
