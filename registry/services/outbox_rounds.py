"""The single steps by which the outbox's acts come to the chain.

Each step is written down before the next is taken, and every step may be taken again: after a
kill at any moment the next round, of this process or another, goes on from what is stored.

    a crash after…          leaves…                          and the next round…
    the act is written      it staged                        signs it
    it is signed and kept   raw bytes with a nonce           sends these bytes
    it is sent              as if it had not been            sends the same bytes, which is nothing
    it is mined             it sent                          sees it in its block

Signing and keeping are one transaction of the database, in which no other writer runs: so any
number of processes use one key without two of them taking a nonce, or leaving one out.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from registry.chain.abi import record_data
from registry.chain.client import Client
from registry.chain.events import decode_logs
from registry.chain.fees import fees_of, too_dear
from registry.chain.outgoing import Asked, Look, Outgoing, Taken
from registry.chain.sender import record_fits, record_gas
from registry.chain.signers import Signer
from registry.core.chain_id import EMBEDDED_CHAIN_ID
from registry.core.entry import Entry
from registry.core.feed import Recorded
from registry.core.outbox import (
    Fees,
    Landed,
    Line,
    Outbid,
    Patience,
    Reverted,
    Send,
    Stage,
    Step,
    Usurped,
    Wait,
    affordable,
    highest,
    next_nonce,
    next_step,
    open_gap,
    outbidding,
)
from registry.core.submission import Submission
from registry.core.units import Address, BlockNumber, UnixSeconds
from registry.errors import PlaceTaken, Rejected, Unavailable
from registry.mirror import outbox as rows
from registry.mirror.engine import Connection, Engine, reading, writing
from registry.mirror.outbox import Act, Transaction
from registry.mirror.position import read_position
from registry.mirror.queries import block_of_entry, entry_of_act
from registry.mirror.relayed import is_relaying, take_relayed

DEFAULT_BATCH = 100
_IN_FLIGHT = 8
_REVERTED = "it was mined and did nothing"
_USURPED = "another transaction of this account took its nonce"
_GAS_OF_NOTHING = 21_000
_IN_DOUBT_SECONDS = 2.0
_log = logging.getLogger("polreg.outbox")


@dataclass(slots=True)
class Round:
    """What one round did. `waits` are reasons why something waits, by what waits; `refused` is
    why the node takes none of this account's transactions, too little money most likely."""

    signed: int = 0
    sent: int = 0
    moved: int = 0
    refused: str | None = None
    waits: dict[str, str] = field(default_factory=dict)


class Rounds:
    """Looks at what is on its way, and does what is to be done. Without a signer it watches,
    and sends what is signed already.

    `catch_up` brings the mirror to the chain's head. `batch`: how many acts go into a
    transaction at most; `in_flight`: how many transactions wait to be mined at most.
    """

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

    def round(self, within: tuple[int, int] | None = None) -> Round:
        """Look at everything that is on its way, do what is to be done about it, and sign
        what is next in line of the acts numbered `within`; none, where none are."""
        done = Round()
        head = self._client.head()
        # Of what is in a block nothing is new before there is another.
        news = (head.block.hash, head.finality.finalized)
        with reading(self.engine) as connection:
            open_nonces = rows.under_way(connection, self.account, included=news != self._looked_at)
        look = self._outgoing.look(_asked(open_nonces), head)
        stale, line = self._is_behind(look), _line(open_nonces, look, self._gap(look))
        for nonce, attempts in open_nonces.items():
            told = [each.attempt for each in attempts]
            step = next_step(nonce, told, look.seen, self._now(), self._patience, line)
            if not stale:
                self._take(step, attempts, look, done)
            elif isinstance(step, Send):
                # It knows nothing that counts, but it may pass on what it lacks.
                self._send(self._whole(attempts[0]), done)
        if stale:
            done.waits["the node"] = f"it is at block {look.seen.head}, behind what was seen before"
            return done
        if news != self._looked_at:
            self._watch_what_was_found()
        self._looked_at = news
        if self._signer is not None and within is not None:
            self._sign_what_is_next(within, look, done)
        self._fill_gap(look, done)
        return done

    def _is_behind(self, look: Look) -> bool:
        """Whether the node has less of the chain than was read before: from what it says
        nothing may be concluded, and nothing be signed on it."""
        with reading(self.engine) as connection:
            position = read_position(connection)
        return position is not None and look.seen.head < position.block

    # What is on its way

    def _take(self, step: Step, attempts: Sequence[Transaction], look: Look, done: Round) -> None:
        newest = attempts[0]
        by_hash = {each.attempt.transaction: each for each in attempts}
        match step:
            case Wait(why):
                if why is not None:
                    done.waits[newest.about] = why
            case Send(_):
                whole = self._whole(newest)
                if self._send(whole, done) is Taken.UNDERPRICED and self._is_stuck(whole):
                    before = highest([each.attempt for each in attempts])
                    self._outbid_within_limit(whole, outbidding(before, look.seen.fees), look, done)
            case Outbid(fees):
                self._outbid(self._whole(newest), fees, look, done)
            case Landed(attempt, block, final):
                self._landed(by_hash[attempt.transaction], attempts, block, look, final, done)
            case Reverted(attempt, block):
                self._reverted(by_hash[attempt.transaction], attempts, block, done)
            case Usurped():
                self._usurped(attempts, look, done)

    def _whole(self, transaction: Transaction) -> Transaction:
        """With its bytes, which are read where they are needed; still at the stage where it was
        seen, so that whoever moved it in the meantime is not overruled."""
        with reading(self.engine) as connection:
            whole = rows.transaction_by_id(connection, transaction.id)
        return replace(transaction, raw=whole.raw, data=whole.data)

    def _usurped(self, attempts: Sequence[Transaction], look: Look, done: Round) -> None:
        """Its nonce is used, and not by it. Of several nodes behind one address one may lack
        what another has, so that this counts when it is seen a second time."""
        newest = attempts[0]
        if newest.reason != _USURPED:
            self._doubted[newest.id] = self._clock()
            with writing(self.engine) as connection:
                rows.note_doubt(connection, newest, _USURPED)
        elif self._clock() - self._doubted.get(newest.id, -_IN_DOUBT_SECONDS) < _IN_DOUBT_SECONDS:
            # A moment ago, by this process: the other node may not have caught up.
            return
        elif self._is_recorded_call(newest):
            self._call_again(attempts, look, done)
        else:
            self._give_up(attempts, _USURPED)
        done.moved += 1

    def _is_recorded_call(self, transaction: Transaction) -> bool:
        """Whether it is a call that was in a block, so that whoever made it waits no more."""
        if transaction.gas_used is None or transaction.to == self.account:
            return False
        with reading(self.engine) as connection:
            acts = rows.acts_in(connection, transaction.id)
            return not acts and not is_relaying(connection, transaction.id)

    def _call_again(self, attempts: Sequence[Transaction], look: Look, done: Round) -> None:
        """A call that a reorganisation took back, and whose nonce another program has by now, is
        signed anew; where the key is not here it waits for it."""
        call = self._whole(attempts[0])
        if self._signer is None or self._fees(look) is None:
            done.waits[call.about] = "a reorganisation took it back, and it is to be signed anew"
            return
        try:
            self.simulate_call(call.to, call.data, call.gas)
        except Rejected as error:
            _log.warning(
                "an act on an authority left the chain, and can not be recorded anew",
                extra={"transaction": "0x" + call.attempt.transaction.hex(), "detail": str(error)},
            )
            self._give_up(attempts, f"{_USURPED}, and to sign it anew was refused: {error}")
            return
        made = self._keep(call.to, call.data, call.gas, call.about, look, [], instead_of=attempts)
        if made is not None:
            done.signed += 1
            self._send(made, done)

    def _outbid_within_limit(
        self, transaction: Transaction, fees: Fees, look: Look, done: Round
    ) -> None:
        most = self._patience.most_fee
        if most is None or fees.most <= most:
            self._outbid(transaction, fees, look, done)

    def _is_stuck(self, transaction: Transaction) -> bool:
        """Whether it was first sent too long ago for more to be waited for."""
        attempt = transaction.attempt
        sent = attempt.stage is Stage.SENT and attempt.sent_at is not None
        waited = self._now() - (attempt.sent_at or 0)
        return sent and waited >= self._patience.stuck_after_seconds

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

    def outdo(self, number: int, acts: Sequence[int]) -> None:
        """Sign a transaction to oneself, with the nonce of one that waits and higher fees. Where it
        is mined these of its acts are cancelled, and the others in line again. Raises Rejected
        where that would take more than is allowed."""
        with reading(self.engine) as connection:
            waiting = rows.transaction_by_id(connection, number)
        if waiting.attempt.stage is Stage.REPLACED:
            # Something that it carries is being cancelled already: these go with it.
            with writing(self.engine) as connection:
                rows.note_cancelling(connection, number, acts)
        if waiting.attempt.stage not in {Stage.SIGNED, Stage.SENT, Stage.UNKNOWN}:
            return
        look = self._outgoing.look()
        nothing = replace(waiting, to=self.account, data=b"", gas=_GAS_OF_NOTHING)
        fees, most = outbidding(waiting.attempt.fees, look.seen.fees), self._patience.most_fee
        if most is not None and fees.most > most:
            raise Rejected(
                f"to take the place of what waits would take {fees.most} wei a unit of gas, more "
                f"than the {most} allowed",
                hint="raise POLREG_MAX_FEE_GWEI, or let it be recorded",
            )
        with writing(self.engine) as connection:
            rows.note_cancelling(connection, number, acts)
        self._replace(waiting, nothing, fees, look, [])

    def _replace(
        self,
        before: Transaction,
        after: Transaction,
        fees: Fees,
        look: Look,
        carried: Sequence[int] | None = None,
    ) -> None:
        """Sign `after` with the nonce of `before`, to take its place, and keep it. It carries
        what that one does, unless it is said what."""
        raw, hash_ = self._outgoing.sign(
            after.to, after.data, after.gas, before.nonce, fees, look.market
        )
        now = self._now()
        with writing(self.engine) as connection:
            if carried is None:
                carried = [act.id for act in rows.acts_in(connection, before.id)]
            if not rows.move_transaction(
                connection, before, Stage.REPLACED, now, reason="it was outbid"
            ):
                return
            signed = {
                "account": self.account,
                "nonce": before.nonce,
                "hash": hash_,
                "raw": raw,
                "to": after.to,
                "data": after.data,
                "gas": after.gas,
                "most_fee": fees.most,
                "priority_fee": fees.priority,
                "about": after.about,
                "signed_at": now,
            }
            rows.add_transaction(connection, signed, carried, replacing=before.id)

    def _outbid(self, newest: Transaction, fees: Fees, look: Look, done: Round) -> None:
        if self._signer is None:
            done.waits[newest.about] = "it waits for too long, and the key to pay more is not here"
            return
        self._replace(newest, newest, fees, look)
        done.signed += 1

    def _landed(
        self,
        landed: Transaction,
        attempts: Sequence[Transaction],
        block: BlockNumber,
        look: Look,
        final: bool,
        done: Round,
    ) -> None:
        now, newest = self._now(), attempts[0]
        stage = landed.attempt.stage
        if stage is Stage.INCLUDED and landed.attempt.block == block and not final:
            return
        receipt = look.receipts[landed.attempt.transaction]
        with writing(self.engine) as connection:
            self._part(connection, landed, attempts, now)
            if landed.id != newest.id and newest.attempt.stage is not Stage.REPLACED:
                rows.move_transaction(
                    connection, newest, Stage.REPLACED, now, reason="an earlier one was mined"
                )
            used = int(receipt["gasUsed"], 16)
            if stage is not Stage.INCLUDED:
                rows.move_transaction(
                    connection, landed, Stage.INCLUDED, now, block=block, gas_used=used
                )
                landed = replace(landed, attempt=replace(landed.attempt, stage=Stage.INCLUDED))
            else:
                rows.note_block(connection, landed, block)
            carried = rows.acts_in(connection, landed.id)
            for act in carried:
                if act.stage is Stage.REJECTED:
                    rows.note_reason(connection, act, "it was recorded after all")
            rows.note_entries(connection, _entries(carried, receipt, self._client.address))
            if final:
                rows.move_transaction(connection, landed, Stage.FINALIZED, now)
        done.moved += 1

    def _part(
        self,
        connection: Connection,
        landed: Transaction,
        attempts: Sequence[Transaction],
        now: UnixSeconds,
    ) -> None:
        """Give the acts of the other attempts to the one that landed, where it records them. Where
        it does nothing, it was to cancel those that were there before it. A nonce that was given up
        and used again may have carried others besides: they are in line again."""
        others = [each for each in attempts if each.id != landed.id]
        if not others:
            return
        mined = rows.transaction_by_id(connection, landed.id)
        for each in others:
            other = rows.transaction_by_id(connection, each.id)
            if (other.to, other.data) == (mined.to, mined.data):
                rows.carry_over(connection, other.id, mined.id)
            elif self._cancels(mined, other):
                rows.cancel_acts(connection, other.id, now)
            else:
                rows.release_acts(connection, other.id, now)

    def _cancels(self, one: Transaction, other: Transaction) -> bool:
        """Whether the one was signed to take the other one's place and do nothing."""
        return one.to == self.account and one.id > other.id

    def _free(
        self, connection: Connection, attempts: Sequence[Transaction], now: UnixSeconds
    ) -> None:
        """None of these recorded anything: their acts are in line again, but for those that were
        being cancelled."""
        for each in attempts:
            if any(self._cancels(other, each) for other in attempts):
                rows.cancel_acts(connection, each.id, now)
            else:
                rows.release_acts(connection, each.id, now)

    def _reverted(
        self,
        reverted: Transaction,
        attempts: Sequence[Transaction],
        block: BlockNumber,
        done: Round,
    ) -> None:
        """Nothing of it was recorded. Its acts are tried again, one by one where need be; one
        that was mined for nothing twice is given up."""
        now = self._now()
        with writing(self.engine) as connection:
            if not rows.is_at(connection, attempts[0]):
                return
            carried = [act for each in attempts for act in rows.acts_in(connection, each.id)]
            self._free(connection, attempts, now)
            for each in attempts:
                at = block if each.id == reverted.id else None
                rows.move_transaction(
                    connection, each, Stage.REJECTED, now, reason=_REVERTED, block=at
                )
            for act in rows.acts_by_id(connection, [act.id for act in carried]):
                if act.stage is not Stage.STAGED:
                    continue
                if act.reason == _REVERTED and len(carried) == 1:
                    rows.settle_act(connection, act, Stage.REJECTED, now, reason=_REVERTED)
                else:
                    rows.note_reason(connection, act, _REVERTED)
        done.moved += 1

    def _put_back(self, transaction: Transaction, why: str) -> None:
        """No node has it, and none takes it as things are: its nonce is free again."""
        now = self._now()
        with writing(self.engine) as connection:
            rows.move_transaction(connection, transaction, Stage.REJECTED, now, reason=why)
            rows.release_acts(connection, transaction.id, now)

    def _give_up(self, attempts: Sequence[Transaction], why: str) -> None:
        """None of these will be mined. Should one be mined after all, its acts are found in the log
        when their turn comes."""
        now = self._now()
        with writing(self.engine) as connection:
            if not rows.is_at(connection, attempts[0]):
                return
            self._free(connection, attempts, now)
            for each in attempts:
                rows.move_transaction(connection, each, Stage.REJECTED, now, reason=why)

    # What is next in line

    def _sign_what_is_next(self, within: tuple[int, int], look: Look, done: Round) -> None:
        """Sign and send as many transactions as may be on their way at once."""
        if self._fees(look) is None:
            done.waits["what is next"] = self._too_dear(look)
            return
        while self._waiting() < self._in_flight:
            with reading(self.engine) as connection:
                line = rows.next_staged(connection, self.account, within, self._batch)
            some = _fitting(line, look)
            if not some:
                return
            good = self._tried(some, look, done)
            if good and not self._signed(good, look, done):
                return

    def _waiting(self) -> int:
        with reading(self.engine) as connection:
            return rows.count_waiting(connection, self.account)

    def _tried(self, some: list[Act], look: Look, done: Round) -> list[Act]:
        """Those of `some`, from the front, that the contract would take together. One that it
        refuses by itself is settled."""
        if self._is_embedded(look) and not any(act.reason for act in some):
            # Its execution is what costs there, and nothing is paid for one in vain.
            return some
        while some:
            submissions = [act.submission for act in some]
            try:
                self._outgoing.simulate(
                    self._client.address, _calldata(submissions), record_gas(submissions)
                )
            except Rejected as error:
                if len(some) == 1:
                    self._refused(some[0], error)
                    done.moved += 1
                    return []
                some = some[: len(some) // 2]
                continue
            return some
        return []

    def _refused(self, act: Act, error: Rejected) -> None:
        """The contract would not take this act. It may be there already: what was given up
        for lost may have been mined all the same. Raises Unavailable where it is not known which
        act is there."""
        now = self._now()
        self._catch_up()
        entry = self._recorded(act)
        if entry is None and isinstance(error, PlaceTaken) and not self._read(act):
            raise Unavailable(
                f"the contract has an act in the place of one on {act.called}, and the node "
                "does not show which one",
                hint="the node may be lagging: try again, or use another POLREG_RPC_URL",
            )
        with writing(self.engine) as connection:
            if entry is not None:
                rows.settle_act(connection, act, Stage.INCLUDED, now, entry=entry[0])
            else:
                reason = f"{error}" if error.hint is None else f"{error}: {error.hint}"
                rows.settle_act(connection, act, Stage.REJECTED, now, reason=reason)
                rows.reject_later(connection, act, now)

    def _watch_what_was_found(self) -> None:
        """What is in the log by none of our transactions becomes final with its block, and is in
        line again where a reorganisation takes it back."""
        with reading(self.engine) as connection:
            found = rows.found_in_log(connection, self.account)
        if not found:
            return
        self._catch_up()
        for act in found:
            entry, now = self._recorded(act), self._now()
            with writing(self.engine) as connection:
                if entry is None:
                    rows.settle_act(connection, act, Stage.STAGED, now)
                elif entry[1]:
                    rows.settle_act(connection, act, Stage.FINALIZED, now, entry=entry[0])

    def _recorded(self, act: Act) -> tuple[int, bool] | None:
        """The entry that is this act, if the mirror has one, and whether it is final."""
        wanted = act.submission
        with reading(self.engine) as connection:
            entry = entry_of_act(connection, wanted.policy.policy_id, wanted.sequence)
            if entry is None or (
                entry.action, entry.document, entry.manifest, entry.registrar
            ) != (wanted.action, wanted.document, wanted.manifest, self.account):  # fmt: skip
                return None
            block, position = block_of_entry(connection, entry.index), read_position(connection)
        if block is None or position is None:
            return None
        return entry.index, block[0] <= position.finality.finalized

    def _read(self, act: Act) -> Entry | None:
        """The entry that the mirror has in the act's place."""
        submission = act.submission
        with reading(self.engine) as connection:
            return entry_of_act(connection, submission.policy.policy_id, submission.sequence)

    def _signed(self, some: list[Act], look: Look, done: Round) -> bool:
        """Give the acts a nonce, sign, keep and send; False where another process was first."""
        submissions = [act.submission for act in some]
        about = some[0].called if len(some) == 1 else f"{some[0].called} and {len(some) - 1} more"
        made = self._keep(
            self._client.address,
            _calldata(submissions),
            record_gas(submissions),
            about,
            look,
            [act.id for act in some],
        )
        if made is None:
            return False
        done.signed += 1
        self._send(made, done)
        return done.refused is None

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
                    raise _Overtaken
                if relayed is not None and not take_relayed(connection, relayed, made, now):
                    raise _Overtaken
                for each in instead_of:
                    if not rows.move_transaction(
                        connection, each, Stage.REJECTED, now, reason=_USURPED
                    ):
                        raise _Overtaken
                return rows.transaction_by_id(connection, made)
        except _Overtaken:
            return None

    def _fees(self, look: Look) -> Fees | None:
        """What is offered: as much as the network asks, and no more than is allowed."""
        return affordable(fees_of(look.market.offers), self._patience, look.market.base_fee)

    def _require_affordable(self, look: Look) -> None:
        if self._fees(look) is None:
            raise Rejected(self._too_dear(look), hint="wait, or raise POLREG_MAX_FEE_GWEI")

    def _too_dear(self, look: Look) -> str:
        return too_dear(look.market, self._patience.most_fee)

    def _fill_gap(self, look: Look, done: Round) -> None:
        """Use a nonce that another program had and gave up: without it nothing that is signed
        with a later one is ever mined. Nothing is left in line that could take it."""
        gap = self._gap(look)
        if gap is None:
            return
        with reading(self.engine) as connection:
            waiting = rows.waiting_since(connection, self.account)
        since = min((at for nonce, at in waiting.items() if nonce > gap), default=self._now())
        if self._now() - since < self._patience.stuck_after_seconds:
            return
        if self._signer is None or self._fees(look) is None:
            done.waits[f"nonce {gap}"] = "nobody uses it, and what comes after it waits"
            return
        made = self._keep(self.account, b"", _GAS_OF_NOTHING, f"nonce {gap}", look, [])
        if made is not None:
            done.signed += 1
            self._send(made, done)

    def _gap(self, look: Look) -> int | None:
        with reading(self.engine) as connection:
            signed = rows.nonces_from(connection, self.account, look.seen.nonce)
        return open_gap(look.seen.nonce, look.pending, signed)

    def sign_call(self, to: Address, data: bytes, gas: int) -> int:
        """Simulate, sign, keep and send a call; the nonce that it has. Raises Rejected."""
        # What a kill left signed and not sent comes first: some nodes take no later nonce before.
        self.round()
        look = self._outgoing.look()
        self._require_affordable(look)
        if look.chain_id != EMBEDDED_CHAIN_ID:
            self.simulate_call(to, data, gas)
        made = self._keep(to, data, gas, "a call", look, [])
        if made is None:
            raise AssertionError("nobody can be first to a call that carries no act")
        done = Round()
        self._send(made, done)
        if done.refused is not None:
            raise Rejected(done.refused)
        return made.nonce

    def sign_relayed(self, id_: bytes, data: bytes, gas: int, about: str) -> bool:
        """Sign, keep and send the call that relays a signed act; False where another process
        was first. Raises Rejected where no node takes it as things are, or not for what is
        allowed."""
        look = self._outgoing.look([])
        self._require_affordable(look)
        gas = min(gas, look.market.block_gas_limit)
        made = self._keep(self._client.address, data, gas, about, look, [], id_)
        if made is None:
            return False
        done = Round()
        self._send(made, done)
        if done.refused is not None:
            raise Rejected(done.refused)
        return True

    def simulate_call(self, to: Address, data: bytes, gas: int) -> None:
        """Raise Rejected, in words, where the contract would refuse."""
        self._outgoing.simulate(to, data, gas)

    def _is_embedded(self, look: Look) -> bool:
        return look.chain_id == EMBEDDED_CHAIN_ID

    def _now(self) -> UnixSeconds:
        return UnixSeconds(int(self._clock()))


def _asked(open_nonces: Mapping[int, Sequence[Transaction]]) -> list[Asked]:
    """What is to be known of these; of those in a block, whether they are there still."""
    return [
        Asked(
            each.attempt.transaction,
            each.nonce,
            each.attempt.block if each.attempt.stage is Stage.INCLUDED else None,
        )
        for attempts in open_nonces.values()
        for each in attempts
    ]


def _line(open_nonces: Mapping[int, Sequence[Transaction]], look: Look, gap: int | None) -> Line:
    waiting = {
        nonce: attempts[0].attempt.sent_at
        for nonce, attempts in open_nonces.items()
        if nonce >= look.seen.nonce
    }
    first = min(waiting, default=None)
    since = None if first is None else waiting[first]
    return Line(first, since, gap)


def watch(engine: Engine, client: Client) -> None:
    """Look after all that is on its way, whoever signed it: send again what a node dropped or a
    reorganisation took back, and note what is mined and final."""
    with reading(engine) as connection:
        accounts = rows.accounts_under_way(connection)
    for account in accounts:
        Rounds(engine, client, account, None, catch_up=_nothing).round()


def _nothing() -> None:
    """The mirror was brought to the head a moment ago."""


class _Overtaken(Exception):
    """Another process took one of the acts in the meantime."""


def _calldata(submissions: Sequence[Submission]) -> bytes:
    return bytes.fromhex(record_data(submissions)[2:])


def _fitting(line: Sequence[Act], look: Look) -> list[Act]:
    """As many from the front as one transaction takes, and one block."""
    some: list[Act] = []
    for act in line:
        submissions = [*(each.submission for each in some), act.submission]
        if some and not (
            record_fits(submissions) and record_gas(submissions) <= look.market.block_gas_limit
        ):
            break
        some.append(act)
    return some


def _entries(
    carried: Sequence[Act], receipt: Mapping[str, Any], contract: Address
) -> list[tuple[int, int]]:
    """Where the acts stand in the log, by their transaction's own logs."""
    logs = receipt["logs"]
    ours = [log for log in logs if str(log["address"]).lower() == "0x" + contract.hex()]
    placed = {
        (event.entry.policy.policy_id, event.entry.sequence): event.entry.index
        for event in decode_logs(ours, contract)
        if isinstance(event, Recorded) and event.entry.action.on_policy
    }
    keys = [(act.submission.policy.policy_id, act.submission.sequence) for act in carried]
    return [(act.id, placed[key]) for act, key in zip(carried, keys, strict=True) if key in placed]
