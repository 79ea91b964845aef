"""What is done about a transaction of the outbox that is on its way, by what became of it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from registry.chain.events import decode_logs
from registry.chain.outgoing import Look, Taken
from registry.core.feed import Recorded
from registry.core.outbox import (
    Fees,
    Landed,
    Outbid,
    Reverted,
    Send,
    Stage,
    Step,
    Usurped,
    Wait,
    highest,
    outbidding,
)
from registry.core.units import Address, BlockNumber, UnixSeconds
from registry.errors import Rejected
from registry.mirror import outbox as rows
from registry.mirror.engine import Connection, reading, writing
from registry.mirror.outbox import Act, Transaction
from registry.mirror.relayed import is_relaying
from registry.services.outbox_keeping import GAS_OF_NOTHING, USURPED, Keeping, Round

_REVERTED = "it was mined and did nothing"
_IN_DOUBT_SECONDS = 2.0
_log = logging.getLogger("polreg.outbox")


class Outcomes(Keeping):
    """Takes the steps that `core.outbox` decides on."""

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

    def _usurped(self, attempts: Sequence[Transaction], look: Look, done: Round) -> None:
        """Its nonce is used, and not by it. Of several nodes behind one address one may lack
        what another has, so that this counts when it is seen a second time."""
        newest = attempts[0]
        if newest.reason != USURPED:
            self._doubted[newest.id] = self._clock()
            with writing(self.engine) as connection:
                rows.note_doubt(connection, newest, USURPED)
        elif self._clock() - self._doubted.get(newest.id, -_IN_DOUBT_SECONDS) < _IN_DOUBT_SECONDS:
            # A moment ago, by this process: the other node may not have caught up.
            return
        elif self._is_recorded_call(newest):
            self._call_again(attempts, look, done)
        else:
            self._give_up(attempts, USURPED)
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
            self._give_up(attempts, f"{USURPED}, and to sign it anew was refused: {error}")
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
        nothing = replace(waiting, to=self.account, data=b"", gas=GAS_OF_NOTHING)
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
