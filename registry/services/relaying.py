"""Relaying signed acts: whoever runs this pays, and the registrar's signature decides.

An act is kept before anything is done with it, by the digest that was signed, so that handing it
in again, here or to another process with the same database, changes nothing. It goes out as a call
of this account's outbox, which sees to nonces, fees and reorganisations.

    a crash after…       leaves…                            and the next round…
    it is kept           it staged                          tries, signs and sends it
    it is signed         it signed, with its transaction    sends the transaction's bytes
    it is mined          it signed                          finds that out of its transaction
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from registry.chain.abi import record_by_signature_data
from registry.chain.client import Client
from registry.chain.rpc import RpcError
from registry.chain.signers import Signer
from registry.chain.typed_data import digest_of
from registry.core.entry import Entry
from registry.core.following import Fault
from registry.core.outbox import Patience, Stage
from registry.core.signed_act import SignedAct, called, read_signed_act, write_signed_act
from registry.core.submission import Submission
from registry.core.units import Address, BlockNumber, UnixSeconds
from registry.errors import (
    CouldNotCheck,
    InputError,
    LimitReached,
    NotFound,
    PlaceTaken,
    Rejected,
    Unavailable,
    UnknownOutcome,
)
from registry.mirror import outbox, relayed
from registry.mirror.engine import Connection, Engine, reading, writing
from registry.mirror.outbox import Transaction
from registry.mirror.queries import block_of_entry, entry_of_act
from registry.mirror.relayed import Relayed
from registry.services.outbox_rounds import Rounds
from registry.services.relay_checks import (
    check_place,
    check_sequence,
    check_signature,
    overlap,
    relay_gas,
)

HOURLY = 60
"""How many acts of one registrar are taken in an hour, where nothing else is said."""

_HOUR = 3600
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0
_WAIT_SECONDS = 180.0
_MINED = (Stage.INCLUDED, Stage.FINALIZED)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a relayed act has come: its transaction, if it has one, and its first entry, if
    the mirror has it."""

    row: Relayed
    stage: Stage
    transaction: Transaction | None
    entry: int | None

    @property
    def ended(self) -> bool:
        return self.stage in {*_MINED, Stage.REJECTED}


@dataclass(frozen=True, slots=True)
class Paying:
    """Whose account pays, and how many acts of one registrar it takes in an hour."""

    signer: Signer
    hourly: int = HOURLY


class Relay:
    """Relays to the contract of `client`, paid by the account of `signer`. `catch_up` brings
    the mirror to the chain's head."""

    def __init__(
        self,
        engine: Engine,
        client: Client,
        signer: Signer,
        *,
        chain_id: int,
        catch_up: Callable[[], object],
        hourly: int = HOURLY,
        patience: Patience | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine, self._client, self._clock = engine, client, clock
        self._chain_id, self._hourly, self._catch_up = chain_id, hourly, catch_up
        self._rounds = Rounds(
            engine,
            client,
            signer.address,
            signer,
            catch_up=catch_up,
            patience=patience,
            clock=clock,
        )

    @property
    def account(self) -> Address:
        return self._rounds.account

    def accept(self, content: bytes) -> bytes:
        """Take a signed act, as its file's bytes, and keep it; its id. Raises InputError,
        Rejected or LimitReached, and then nothing is kept."""
        signed = read_signed_act(content)
        id_, now = digest_of(signed.acts), self._now()
        with reading(self._engine) as connection:
            known = relayed.relayed_by_id(connection, id_)
        if known is not None and known.stage is not Stage.REJECTED:
            return id_
        check_place(signed, self._client, self._chain_id, now)
        check_signature(signed, self._client)
        check_sequence(signed, self._client)
        self._simulate(signed)
        row = Relayed(
            id=id_,
            account=self.account,
            registrar=signed.acts.registrar,
            content=write_signed_act(signed),
            stage=Stage.STAGED,
            reason=None,
            transaction=None,
            received_at=now,
            changed_at=now,
        )
        with writing(self._engine) as connection:
            self._keep(connection, row, signed)
        return id_

    def _keep(self, connection: Connection, row: Relayed, signed: SignedAct) -> None:
        known = relayed.relayed_by_id(connection, row.id)
        if known is not None and known.stage is not Stage.REJECTED:
            return
        since = UnixSeconds(row.received_at - _HOUR)
        if relayed.count_received(connection, row.registrar, since) >= self._hourly:
            raise LimitReached(
                f"this registrar has handed in {self._hourly} acts within an hour",
                hint="hand it in later, or relay it yourself: polreg relay",
            )
        for other in relayed.open_relayed(connection, row.account):
            theirs = read_signed_act(other.content).acts.submissions
            if overlap(theirs, signed.acts.submissions):
                raise Rejected(
                    "another act in this one's place is on its way",
                    hint=f"see what becomes of 0x{other.id.hex()}",
                )
        relayed.add_relayed(connection, row)

    def round(self) -> None:
        """Do what is to be done about everything that is open. Raises CouldNotCheck where the
        node does not answer, and Rejected where it takes none of this account's transactions."""
        with reading(self._engine) as connection:
            rows = relayed.open_relayed(connection, self.account)
        if any(row.stage is Stage.SIGNED for row in rows):
            self._rounds.round()
        # Where nothing more is taken, what was sent before is looked after all the same.
        for row in sorted(rows, key=lambda row: row.stage is Stage.STAGED):
            if row.stage is Stage.STAGED:
                self._send(row)
            else:
                self._settle(row)

    def drive(self, id_: bytes) -> Progress:
        """Go on until the act is in a block or refused. Raises UnknownOutcome or Unavailable
        where nothing happens for too long, Rejected where the node takes nothing."""
        deadline, pause = time.monotonic() + _WAIT_SECONDS, _FIRST_PAUSE
        while True:
            fault = None
            try:
                self.round()
            except CouldNotCheck as error:
                fault = error
            found = self.progress(id_)
            if found.ended:
                return found
            if time.monotonic() > deadline:
                raise fault or UnknownOutcome(
                    f"it is in no block after {_WAIT_SECONDS:.0f} s: {found.row.reason or 'sent'}",
                    hint="relay it again to go on: nothing is recorded twice",
                )
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def relay(self, content: bytes) -> Progress:
        """Take a signed act and go on until it is in a block. Raises as `accept` and `drive` do;
        what the node would not take is taken back, so that nobody else comes upon it."""
        id_ = self.accept(content)
        try:
            return self.drive(id_)
        except Rejected as error:
            self._take_back(id_, str(error))
            raise

    def progress(self, id_: bytes) -> Progress:
        return progress(self._engine, id_)

    def _take_back(self, id_: bytes, why: str) -> None:
        now = self._now()
        with writing(self._engine) as connection:
            row = relayed.relayed_by_id(connection, id_)
            if row is None or row.stage not in {Stage.STAGED, Stage.SIGNED}:
                return
            if (
                row.stage is Stage.SIGNED
                and _of_transaction(connection, row)[0] is not Stage.STAGED
            ):
                return
            relayed.move_relayed(connection, row, Stage.REJECTED, now, reason=why)

    def _send(self, row: Relayed) -> None:
        signed = read_signed_act(row.content)
        try:
            check_place(signed, self._client, self._chain_id, self._now())
            self._simulate(signed)
        except Rejected as error:
            self._refused(row, signed, error)
            return
        data = bytes.fromhex(record_by_signature_data(signed)[2:])
        what = called(signed.acts.submissions)
        self._rounds.sign_relayed(row.id, data, relay_gas(signed), f"relaying {what}")

    def _refused(self, row: Relayed, signed: SignedAct, error: Rejected) -> None:
        """The contract would not take it. It may be there already, by another relay: that is
        waited for until it is final, and before that until the mirror shows what is there."""
        self._catch_up()
        now = self._now()
        with reading(self._engine) as connection:
            entry = _entry(connection, signed, row.registrar)
            place = None if entry is None else block_of_entry(connection, entry)
            shown = any(_in_place(connection, each) for each in signed.acts.submissions)
        if isinstance(error, PlaceTaken) and not shown:
            return
        finalized = self._client.head().finality.finalized
        with writing(self._engine) as connection:
            if entry is None:
                reason = f"{error}" if error.hint is None else f"{error}: {error.hint}"
                relayed.move_relayed(connection, row, Stage.REJECTED, now, reason=reason)
            elif place is not None and BlockNumber(place[0]) <= finalized:
                relayed.move_relayed(connection, row, Stage.FINALIZED, now)

    def _settle(self, row: Relayed) -> None:
        now = self._now()
        with writing(self._engine) as connection:
            stage, found = _of_transaction(connection, row)
            if stage is Stage.FINALIZED:
                relayed.move_relayed(connection, row, stage, now)
            elif stage is Stage.STAGED:
                relayed.move_relayed(connection, row, stage, now, reason=found.reason)
        if stage is Stage.REJECTED:
            # It was paid for and did nothing: not to be paid for again unasked.
            self._refused(row, read_signed_act(row.content), Rejected(str(found.reason)))

    def _simulate(self, signed: SignedAct) -> None:
        data = bytes.fromhex(record_by_signature_data(signed)[2:])
        try:
            self._rounds.simulate_call(self._client.address, data, relay_gas(signed))
        except RpcError as error:
            # It is the node that refuses here, and not the contract.
            raise Unavailable(str(error), fault=Fault.REFUSED) from None

    def _now(self) -> UnixSeconds:
        return UnixSeconds(int(self._clock()))


def progress(engine: Engine, id_: bytes) -> Progress:
    """How far the act with this id has come; raises NotFound."""
    with reading(engine) as connection:
        row = relayed.relayed_by_id(connection, id_)
        if row is None:
            raise NotFound(f"no act 0x{id_.hex()} was handed in here")
        stage, transaction = row.stage, None
        if row.transaction is not None:
            stage, transaction = _of_transaction(connection, row)
        entry = _entry(connection, read_signed_act(row.content), row.registrar)
        if entry is not None and stage is not Stage.FINALIZED:
            # By this transaction or another relay's.
            stage = Stage.INCLUDED
    return Progress(row, stage, transaction, entry)


def parse_id(text: str) -> bytes:
    """An id from 0x and 64 hexadecimal characters; raises InputError."""
    try:
        found = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        found = b""
    if len(found) != 32:
        raise InputError(
            f"{text[:80]!r} is not the id of a signed act",
            hint="it is 0x and 64 hexadecimal characters, as the answer to handing it in said",
        )
    return found


def _of_transaction(connection: Connection, row: Relayed) -> tuple[Stage, Transaction]:
    """How far the act's transaction has come, whichever of its attempts that is: staged where
    none of them will be mined, rejected where one was and did nothing."""
    if row.transaction is None:
        raise AssertionError("what is signed has a transaction")
    mine = outbox.transaction_by_id(connection, row.transaction)
    # A nonce that was given up may have been taken by something else.
    attempts = [
        each
        for each in outbox.attempts_at(connection, mine.account, mine.nonce)
        if (each.to, each.data) == (mine.to, mine.data)
    ]
    for each in attempts:
        if each.attempt.stage in _MINED:
            return each.attempt.stage, each
    for each in attempts:
        if each.attempt.stage is Stage.REJECTED and each.attempt.block is not None:
            return Stage.REJECTED, each
        if each.attempt.stage not in {Stage.REPLACED, Stage.REJECTED}:
            return each.attempt.stage, each
    return Stage.STAGED, attempts[0]


def _entry(connection: Connection, signed: SignedAct, registrar: Address) -> int | None:
    """The entry of the first act, if the mirror's log has them all as they were signed."""
    indexes = [_index(connection, submission, registrar) for submission in signed.acts.submissions]
    return None if None in indexes else indexes[0]


def _in_place(connection: Connection, wanted: Submission) -> Entry | None:
    return entry_of_act(connection, wanted.policy.policy_id, wanted.sequence)


def _index(connection: Connection, wanted: Submission, registrar: Address) -> int | None:
    entry = _in_place(connection, wanted)
    same = entry is not None and (
        entry.action, entry.document, entry.manifest, entry.effective_on, entry.registrar
    ) == (
        wanted.action, wanted.document, wanted.manifest, wanted.effective_on, registrar
    )  # fmt: skip
    return entry.index if entry is not None and same else None
