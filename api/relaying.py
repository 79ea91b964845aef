"""Relaying what registrars hand in, in the background, while the server answers.

Off unless the server was given an account that pays. One thread does what is to be done; handing in
only checks and keeps. A failure is logged, and what is kept is tried again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from api.opened import Opened
from api.problems import NotOffered
from registry.errors import CouldNotCheck, RegistryError
from registry.services.relaying import Paying, Progress, Relay

_SECONDS_BETWEEN_ROUNDS = 2.0
_STOP_SECONDS = 5.0
_AT_ONCE = 4
"""Each asks the node some questions; what only reads the mirror is not to wait for them."""

_log = logging.getLogger("polreg.relay")


class Relaying:
    """Relays to `opened`'s contract between `start` and `stop`, if `paying` says who pays."""

    def __init__(self, opened: Opened, paying: Paying | None) -> None:
        self._opened, self._paying = opened, paying
        self._free = threading.BoundedSemaphore(_AT_ONCE)
        self._stopping, self._woken = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._told: str | None = None

    def start(self) -> None:
        if self._paying is not None:
            self._thread = threading.Thread(target=self._run, name="relay", daemon=True)
            self._thread.start()

    def stop(self) -> bool:
        """Whether it has stopped: a node that hangs outlives the patience here."""
        self._stopping.set()
        self._woken.set()
        if self._thread is None:
            return True
        self._thread.join(_STOP_SECONDS)
        return not self._thread.is_alive()

    def accept(self, content: bytes) -> Progress:
        """Take a signed act; how far it is. Raises NotOffered, and as `Relay.accept` does."""
        relay = self._relay()
        with self._place():
            id_ = relay.accept(content)
        self._woken.set()
        return relay.progress(id_)

    def progress(self, id_: bytes) -> Progress:
        """How far the act with this id is. Raises NotOffered or NotFound."""
        return self._relay().progress(id_)

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._free.acquire(blocking=False):
            raise CouldNotCheck(
                f"{_AT_ONCE} others are being checked already", hint="try again in a moment"
            )
        try:
            yield
        finally:
            self._free.release()

    def require_offered(self) -> Paying:
        """Who pays; raises NotOffered where nobody does."""
        if self._paying is None:
            raise NotOffered(
                "this server relays nothing",
                hint="relay it yourself with polreg relay, or ask a server that was started with "
                "polreg serve --relay",
            )
        return self._paying

    def _relay(self) -> Relay:
        paying = self.require_offered()
        return self._opened.relay(paying.signer, paying.hourly)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                self._relay().round()
                self._told = None
            except RegistryError as error:
                if str(error) != self._told:
                    _log.warning("relaying waits", extra={"detail": str(error)})
                self._told = str(error)
            except Exception:
                _log.exception("relaying failed, and is tried again")
            self._woken.wait(_SECONDS_BETWEEN_ROUNDS)
