"""The registry that one app answers from, opened when first asked for.

Safe to share between threads. One engine per app; the chain is touched by the follower,
and for storage proofs.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from registry.config import Settings
from registry.errors import CouldNotCheck, InputError
from registry.services.following import Following
from registry.services.relaying import Relay
from registry.services.setup import relay_for
from registry.services.workspace import Workspace

if TYPE_CHECKING:
    from registry.chain.client import Client
    from registry.chain.signers import Signer
    from registry.mirror.engine import Engine


class Opened:
    """The workspace of `settings`."""

    def __init__(self, settings: Settings) -> None:
        self._workspace = Workspace(settings)
        self._engine: Engine | None = None
        self._relay: Relay | None = None
        self._opening = threading.Lock()

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

    @property
    def is_open(self) -> bool:
        return self._engine is not None

    def following(self, every_seconds: float) -> Following:
        """What follows the chain for this mirror; for one thread only."""
        return self._workspace.following(every_seconds)

    def close(self) -> None:
        self._workspace.close()
