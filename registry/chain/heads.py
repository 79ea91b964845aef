"""Waiting until there may be something new on the chain.

Guarantees: `wait` ends soon after `stop` is set, and within its interval where nothing is
announced, so that a node that stops announcing delays nobody for longer than polling would.
An announcement is only a reason to look: nothing that it says is read, let alone believed.

Over WebSocket a thread keeps a subscription to `newHeads` and connects again, after a pause
that grows, whenever it is lost; until then, and without a WebSocket, `wait` is a timer.
"""

from __future__ import annotations

import json
import logging
import secrets
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from registry.chain.rpc import require_url, shown_url
from registry.errors import InputError

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0
_OPEN_SECONDS = 10.0
_STOP_SECONDS = 5.0

# How often the stop signal is looked at: two events can not be waited for at once.
_SLICE = 0.1

# Announced or not, look now and then: a subscription may be dead without being closed.
_LONGEST_SILENCE = 30.0

_SUBSCRIBE = json.dumps(
    {"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]}
)

_log = logging.getLogger("polreg.chain")

# What the library says has the URL's path in it, and so a key.
_SILENT = logging.Logger("silent", logging.CRITICAL + 1)


class Heads:
    """Announcements of new blocks from `ws_url`, or none where there is no such node.

    Connects when first waited for. Raises InputError for what is no WebSocket URL, or where
    the library for it is missing.
    """

    def __init__(self, ws_url: str | None) -> None:
        self._news = threading.Event()
        self._quiet = False
        self._listener = None if ws_url is None else _Listener(ws_url, self._news.set)

    @property
    def announced(self) -> bool:
        """Whether new blocks are being announced now."""
        return self._listener is not None and self._listener.subscribed.is_set()

    def wait(self, stop: threading.Event, seconds: float) -> None:
        """Return when there may be a new block, or `stop` is set; where nothing is announced,
        after so many seconds."""
        if self._listener is None:
            stop.wait(seconds)
            return
        self._listener.start()
        begun = time.monotonic()
        while not stop.is_set() and not self._news.wait(_SLICE):
            if time.monotonic() - begun >= self._longest(seconds):
                break
        # The node that is asked may get a block later than the one that announced it: after
        # an announcement it is looked at once more by the interval.
        self._quiet = not self._news.is_set()
        # Whatever was announced until now is seen by the look that follows.
        self._news.clear()

    def _longest(self, seconds: float) -> float:
        return max(seconds, _LONGEST_SILENCE) if self.announced and self._quiet else seconds

    def close(self) -> None:
        if self._listener is not None:
            self._listener.close()


class _Listener:
    """A thread that calls `announce` for each block that the node at `url` announces."""

    def __init__(self, url: str, announce: Callable[[], None]) -> None:
        require_url(url, {"ws", "wss"})
        try:
            import websockets.sync.client
        except ImportError:
            raise InputError(
                "new blocks over WebSocket need a library that is not installed",
                hint="pip install 'policy-registry[websocket]', or unset POLREG_RPC_WS_URL",
            ) from None
        self._connect = websockets.sync.client.connect
        self._url = url
        self._shown = shown_url(url)
        self._announce = announce
        self._closing = threading.Event()
        self._open: ClientConnection | None = None
        self.subscribed = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="heads", daemon=True)

    def start(self) -> None:
        if self._thread.ident is None:
            self._thread.start()

    def close(self) -> None:
        if self._thread.ident is None:
            return
        self._closing.set()
        connection = self._open
        if connection is not None:
            connection.close()
        self._thread.join(_STOP_SECONDS)

    def _listen(self) -> None:
        failures = 0
        while not self._closing.is_set():
            try:
                self._subscription()
                reason = "the node closed the connection"
            except Exception as fault:
                # Whatever it is, polling goes on. Its text may hold the URL and so a key.
                reason = type(fault).__name__
            failures = 0 if self.subscribed.is_set() else failures + 1
            self.subscribed.clear()
            if not self._closing.is_set():
                _log.warning("%s announces no blocks (%s): polling", self._shown, reason)
            # To look at once shows what came while nobody listened.
            self._announce()
            self._closing.wait(_pause(failures))

    def _subscription(self) -> None:
        """Connect, subscribe, and announce until the connection ends."""
        with self._connect(
            self._url,
            open_timeout=_OPEN_SECONDS,
            close_timeout=1.0,
            max_size=2**20,
            logger=_SILENT,
        ) as connection:
            self._open = connection
            if self._closing.is_set():
                return
            connection.send(_SUBSCRIBE)
            answer = json.loads(connection.recv(timeout=_OPEN_SECONDS))
            if not isinstance(answer, dict) or not isinstance(answer.get("result"), str):
                raise ValueError("the node takes no subscription")
            self.subscribed.set()
            self._announce()
            for _ in connection:
                self._announce()


def _pause(failures: int) -> float:
    """Seconds to the next attempt; anywhere in the second half of the time that doubles, so
    that many who lost one node do not come back at once."""
    most = min(_FIRST_PAUSE * 2.0 ** min(failures, 10), _LONGEST_PAUSE)
    return most * (0.5 + secrets.randbelow(1000) / 2000)
