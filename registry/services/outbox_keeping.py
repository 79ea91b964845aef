"""Signing, keeping and sending one transaction of the outbox.

Signing and keeping are one transaction of the database, in which no other writer runs: so any
number of processes use one key without two of them taking a nonce, or leaving one out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from registry.chain.client import Client
from registry.chain.fees import fees_of, too_dear
from registry.chain.outgoing import Look, Outgoing, Taken
from registry.chain.signers import Signer
from registry.core.chain_id import EMBEDDED_CHAIN_ID
from registry.core.outbox import (
    Fees,
    Patience,
    Stage,
    affordable,
    next_nonce,
)
from registry.core.units import Address, BlockNumber, UnixSeconds
from registry.errors import Rejected
from registry.mirror import outbox as rows
from registry.mirror.engine import Engine, reading, writing
from registry.mirror.outbox import Transaction
from registry.mirror.relayed import take_relayed

DEFAULT_BATCH = 100
_IN_FLIGHT = 8
GAS_OF_NOTHING = 21_000
USURPED = "another transaction of this account took its nonce"


@dataclass(slots=True)
class Round:
    """What one round did. `waits` are reasons why something waits, by what waits; `refused` is
    why the node takes none of this account's transactions, too little money most likely."""

    signed: int = 0
    sent: int = 0
    moved: int = 0
    refused: str | None = None
    waits: dict[str, str] = field(default_factory=dict)


class Keeping:
    """One account's transactions, on a chain and in the database."""

    def __init__(
        self,
        engine: Engine,
        client: Client,
        account: Address,
        signer: Signer | None,
        *,
        catch_up: Callable[[], object],
        patience: Patience | None = None,
        batch: int = DEFAULT_BATCH,
        in_flight: int = _IN_FLIGHT,
        clock: Callable[[], float] = time.time,
        outgoing: Outgoing | None = None,
    ) -> None:
        self.engine = engine
        self.account = account
        self._client = client
        self._signer = signer
        self._catch_up = catch_up
        self._patience = patience or Patience()
        self._batch, self._in_flight = batch, in_flight
        self._clock = clock
        self._outgoing = outgoing or Outgoing(client, account, signer)
        self._doubted: dict[int, float] = {}
        self._looked_at: tuple[bytes, BlockNumber] | None = None

    def _whole(self, transaction: Transaction) -> Transaction:
        """With its bytes, which are read where they are needed; still at the stage where it was
        seen, so that whoever moved it in the meantime is not overruled."""
        with reading(self.engine) as connection:
            whole = rows.transaction_by_id(connection, transaction.id)
        return replace(transaction, raw=whole.raw, data=whole.data)

    def _send(self, transaction: Transaction, done: Round) -> Taken:
        sent = self._outgoing.send(transaction.raw)
        now, attempt = self._now(), transaction.attempt
        # What is sent again has waited since the first time, or since it was in a block.
        first = attempt.sent_at if attempt.block is None and attempt.sent_at else now
        done.sent += 1
        match sent.taken:
            case Taken.ACCEPTED:
                self._move(transaction, Stage.SENT, now, sent_at=first, block=None)
            case Taken.UNKNOWN:
                self._move(transaction, Stage.UNKNOWN, now, sent_at=first)
            case Taken.NONCE_USED:
                # By this one or another: the next look tells.
                self._move(transaction, Stage.UNKNOWN, now)
            case Taken.UNDERPRICED:
                done.waits[transaction.about] = f"the network wants a higher fee: {sent.why}"
                # It is outbid once it has waited long enough.
                self._move(transaction, Stage.SENT, now, sent_at=first)
            case Taken.REFUSED:
                done.refused = sent.why
                if transaction.attempt.stage is Stage.SIGNED:
                    self._put_back(transaction, str(sent.why))
        return sent.taken

    def _move(
        self, transaction: Transaction, to: Stage, now: UnixSeconds, **also: int | None
    ) -> None:
        if transaction.attempt.stage is not to:
            with writing(self.engine) as connection:
                rows.move_transaction(connection, transaction, to, now, **also)

    def _put_back(self, transaction: Transaction, why: str) -> None:
        """No node has it, and none takes it as things are: its nonce is free again."""
        now = self._now()
        with writing(self.engine) as connection:
            rows.move_transaction(connection, transaction, Stage.REJECTED, now, reason=why)
            rows.release_acts(connection, transaction.id, now)

    def _keep(
        self,
        to: Address,
        data: bytes,
        gas: int,
        about: str,
        look: Look,
        carried: Sequence[int],
        relayed: bytes | None = None,
        instead_of: Sequence[Transaction] = (),
    ) -> Transaction | None:
        """Sign with the next nonce and keep it, in one transaction that nobody interleaves.
        None where another process took an act that it carries, or the one that it relays, or
        was first to sign something instead of these."""
        fees = self._fees(look)
        if fees is None:
            raise AssertionError("nothing is signed where more is asked for than is allowed")
        if look.market.settles_elsewhere:
            gas = max(gas, self._outgoing.estimate(to, data))
        # A block takes no transaction that may use more than there is room in it.
        gas = min(gas, look.market.block_gas_limit)
        now = self._now()
        try:
            with writing(self.engine) as connection:
                ours = rows.nonces_from(connection, self.account, look.seen.nonce)
                # What the node has waiting is ours, or of another program with this key.
                taken = {*ours, *range(look.seen.nonce, look.pending)}
                nonce = next_nonce(look.seen.nonce, taken)
                raw, hash_ = self._outgoing.sign(to, data, gas, nonce, fees, look.market)
                signed = {
                    "account": self.account,
                    "nonce": nonce,
                    "hash": hash_,
                    "raw": raw,
                    "to": to,
                    "data": data,
                    "gas": gas,
                    "most_fee": fees.most,
                    "priority_fee": fees.priority,
                    "about": about,
                    "signed_at": now,
                }
                made = rows.add_transaction(connection, signed, carried)
                if made is None:
                    raise Overtaken
                if relayed is not None and not take_relayed(connection, relayed, made, now):
                    raise Overtaken
                for each in instead_of:
                    if not rows.move_transaction(
                        connection, each, Stage.REJECTED, now, reason=USURPED
                    ):
                        raise Overtaken
                return rows.transaction_by_id(connection, made)
        except Overtaken:
            return None

    def _fees(self, look: Look) -> Fees | None:
        """What is offered: as much as the network asks, and no more than is allowed."""
        return affordable(fees_of(look.market.offers), self._patience, look.market.base_fee)

    def _require_affordable(self, look: Look) -> None:
        if self._fees(look) is None:
            raise Rejected(self._too_dear(look), hint="wait, or raise POLREG_MAX_FEE_GWEI")

    def _too_dear(self, look: Look) -> str:
        return too_dear(look.market, self._patience.most_fee)

    def simulate_call(self, to: Address, data: bytes, gas: int) -> None:
        """Raise Rejected, in words, where the contract would refuse."""
        self._outgoing.simulate(to, data, gas)

    def _is_embedded(self, look: Look) -> bool:
        return look.chain_id == EMBEDDED_CHAIN_ID

    def _now(self) -> UnixSeconds:
        return UnixSeconds(int(self._clock()))


class Overtaken(Exception):
    """Another process took one of the acts in the meantime."""
