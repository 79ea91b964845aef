"""One POST to one URL: what came back, or why nothing did.

Guarantees: no answer is read beyond a number of bytes, counted after decompression and
while it is read; none takes longer than its time, however slowly it trickles; no part of
the URL but its host is in an error. Connections are kept. Does not retry, and follows no
redirect: where it leads is for whoever configured the URL.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from registry.chain.faults import NodeFault, TooLarge
from registry.core.following import Fault

if TYPE_CHECKING:
    import urllib3

_CHUNK = 256 * 1024
_LONGEST_CONNECT = 10.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What a node may take of our time and memory."""

    silence_seconds: float = 30.0
    """How long it may say nothing at all."""
    answer_bytes: int = 64 * 1024 * 1024
    """How long an answer may be, uncompressed."""
    batch_calls: int = 100
    """How many calls are sent at once; fewer where the node says so."""

    @property
    def total_seconds(self) -> float:
        """How long an answer may take to its last byte."""
        return 4 * self.silence_seconds


@dataclass(frozen=True, slots=True)
class Posted:
    """An answer over HTTP, whatever its status."""

    status: int
    content_type: str
    retry_after: float | None
    body: bytearray


class HttpPost:
    """POSTs JSON to `url`, which errors show as `shown`; safe to share between threads."""

    def __init__(
        self, url: str, shown: str, limits: Limits, clock: Callable[[], float] = time.monotonic
    ) -> None:
        import urllib3

        # What it says for debugging has the URL's path in it, and so a key.
        logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)
        self._url = url
        self._shown = shown
        self._limits = limits
        self._clock = clock
        silence = limits.silence_seconds
        self._pool = urllib3.PoolManager(
            num_pools=4,
            maxsize=8,
            retries=False,
            timeout=urllib3.Timeout(connect=min(silence, _LONGEST_CONNECT), read=silence),
        )
        self._any_fault = urllib3.exceptions.HTTPError

    def post(self, body: bytes) -> Posted:
        """Raises NodeFault."""
        deadline = self._clock() + self._limits.total_seconds
        begun = False
        try:
            response = self._pool.request(
                "POST",
                self._url,
                body=body,
                headers={
                    "content-type": "application/json",
                    "accept": "application/json",
                    "accept-encoding": "gzip",
                },
                preload_content=False,
            )
            begun = True
            return Posted(
                response.status,
                response.headers.get("content-type", "no content type"),
                _retry_after(response.headers.get("retry-after")),
                self._read(response, deadline),
            )
        except self._any_fault as fault:
            raise self._named(fault, begun) from None

    def close(self) -> None:
        self._pool.clear()

    def _read(self, response: urllib3.BaseHTTPResponse, deadline: float) -> bytearray:
        body = bytearray()
        try:
            while part := response.read1(_CHUNK):
                body += part
                if len(body) > self._limits.answer_bytes:
                    raise TooLarge(
                        f"{self._shown} sent more than {self._limits.answer_bytes:,} bytes in one "
                        "answer"
                    )
                if self._clock() > deadline:
                    raise NodeFault(
                        f"{self._shown} did not finish its answer within "
                        f"{self._limits.total_seconds:.0f} s",
                        Fault.TIMED_OUT,
                    )
        except BaseException:
            # What is left of the answer must not be taken for the next one.
            response.close()
            raise
        response.release_conn()
        return body

    def _named(self, fault: Exception, begun: bool) -> NodeFault:
        """Whether it came after the answer had `begun` tells a node that is not there from one
        that breaks off. The fault's own text may hold the URL and so a key: name its kind only."""
        from urllib3 import exceptions

        name = type(fault).__name__
        unreached = isinstance(fault, exceptions.NewConnectionError)
        if isinstance(fault, exceptions.TimeoutError) and not unreached:
            return NodeFault(
                f"{self._shown} did not answer in time ({name})",
                Fault.TIMED_OUT,
                hint="is the node overloaded? POLREG_RPC_TIMEOUT is how many seconds it may take",
            )
        if begun:
            return NodeFault(f"{self._shown} broke off in its answer ({name})", Fault.MALFORMED)
        return NodeFault(
            f"no answer from {self._shown} ({name})",
            Fault.UNREACHABLE,
            hint="is the node running, and is POLREG_RPC_URL right?",
            passing=not isinstance(fault, exceptions.SSLError),
        )


def _retry_after(written: str | None) -> float | None:
    """Seconds from now, from either form of the header (RFC 9110 §10.2.3)."""
    if written is None:
        return None
    if written.strip().isascii() and written.strip().isdigit():
        return float(written.strip()[:9])
    try:
        return max(0.0, parsedate_to_datetime(written).timestamp() - time.time())
    except (ValueError, TypeError):
        return None
