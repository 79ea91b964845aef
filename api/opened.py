"""The registry that one app answers from, opened when first asked for.

Safe to share between threads. One engine per app; the chain is touched by the follower,
and for storage proofs.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from registry.config import Settings
from registry.core.text.finding import TextFinding
from registry.core.verdict import Match, Verdict
from registry.errors import CouldNotCheck, InputError
from registry.services.documents import documents_of
from registry.services.following import Following
from registry.services.relaying import Relay
from registry.services.setup import relay_for
from registry.services.texts.explaining import Asked, Explainer
from registry.services.texts.reading import Reader, text_reader
from registry.services.workspace import Workspace

if TYPE_CHECKING:
    from registry.chain.client import Client
    from registry.chain.signers import Signer
    from registry.mirror.engine import Engine


_AT_ONCE = 2
_SECONDS = 30
"""Of one request's texts: what is left after that is told to be asked again."""
_BUSY = "its text was not read: this server is reading others; ask again"
_TOO_LARGE = "its text was not read: it is larger than this server reads, or the request is"


class Opened:
    """The workspace of `settings`."""

    def __init__(self, settings: Settings) -> None:
        self._workspace = Workspace(settings)
        self._engine: Engine | None = None
        self._relay: Relay | None = None
        self._opening = threading.Lock()
        self._reading = ExitStack()
        self._reader: Reader | None = None
        self._explaining = threading.BoundedSemaphore(_AT_ONCE)

    @property
    def engine(self) -> Engine:
        """The mirror to answer from. Raises CouldNotCheck where there is no registry yet: what
        is wrong then is this server's set-up, not the question."""
        if self._engine is not None:
            return self._engine
        with self._opening:
            try:
                self._engine = self._workspace.replica
            except InputError as error:
                raise CouldNotCheck(str(error), hint=error.hint) from error
            return self._engine

    @property
    def client(self) -> Client:
        """The contract, for questions that the mirror can not answer. Raises CouldNotCheck
        where there is no registry yet."""
        _ = self.engine
        return self._workspace.client

    def relay(self, signer: Signer, hourly: int) -> Relay:
        """What relays signed acts, paid by the signer's account. Raises CouldNotCheck where
        there is no registry yet."""
        _ = self.engine
        with self._opening:
            if self._relay is None:
                try:
                    self._relay = relay_for(self._workspace, signer, hourly=hourly)
                except InputError as error:
                    raise CouldNotCheck(str(error), hint=error.hint) from error
            return self._relay

    def explain(
        self, asked: Asked, files: Sequence[tuple[Verdict, bytes | None, str | None]]
    ) -> list[Verdict]:
        """The verdicts on these files with what the texts of those of unknown bytes show. So many
        requests at a time, and of each for so long: to the others it is said that nobody had time
        to read theirs."""
        reads, until = self._explaining.acquire(blocking=False), time.monotonic() + _SECONDS
        try:
            reader = self._text_reader()
            explainer = Explainer(
                self.engine, reader, asked, documents_of(self._workspace.settings)
            )
            told = []
            for verdict, content, name in files:
                if verdict.match is not Match.UNKNOWN:
                    told.append(verdict)
                elif content is None or not reads or time.monotonic() > until:
                    why = _BUSY if content is not None else _TOO_LARGE
                    told.append(verdict.with_text(TextFinding(note=why), (), accepted=False))
                else:
                    told.append(explainer.explain(verdict, content, name))
            return told
        finally:
            if reads:
                self._explaining.release()

    def _text_reader(self) -> Reader:
        with self._opening:
            if self._reader is None:
                self._reader = self._reading.enter_context(text_reader(_AT_ONCE))
            return self._reader

    @property
    def is_open(self) -> bool:
        return self._engine is not None

    def following(self, every_seconds: float) -> Following:
        """What follows the chain for this mirror; for one thread only."""
        return self._workspace.following(every_seconds)

    def close(self) -> None:
        self._reading.close()
        self._workspace.close()
