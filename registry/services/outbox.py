"""The outbox: what a registrar has to record ends on the chain once, or is told why not.

`Outbox` writes down what is to be done and goes on until it is; the single steps are
`outbox_rounds`. What is written down survives this process: whoever comes next goes on with it,
and running the same command again stages nothing twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress

from registry.chain.outgoing import GAS_OF_A_CALL
from registry.chain.sender import Receipt
from registry.core.outbox import OPEN, Stage
from registry.core.policy import PolicyKey
from registry.core.ranges import Ranges
from registry.core.submission import Submission
from registry.core.units import Address, BlockNumber, Digest, UnixSeconds
from registry.errors import CouldNotCheck, Rejected, UnknownOutcome
from registry.mirror import outbox as rows
from registry.mirror.engine import reading, writing
from registry.mirror.outbox import Act, Transaction
from registry.mirror.queries import block_of_entry, transactions_of
from registry.services.outbox_rounds import Rounds

_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.5
WAIT_SECONDS = 180.0
"""How long nothing may happen before a person is told."""

Progress = Callable[[int, int], None]
"""Called with how many acts are done, and how many there are."""


class Outbox:
    """The acts and calls of one account, which `rounds` brings to the chain."""

    def __init__(self, rounds: Rounds, *, wait_seconds: float = WAIT_SECONDS) -> None:
        self._rounds = rounds
        self._engine = rounds.engine
        self._wait_seconds = wait_seconds

    @property
    def account(self) -> Address:
        return self._rounds.account

    def stage(
        self,
        submissions: Sequence[Submission],
        called: Sequence[str],
        sources: Sequence[str | None] | None = None,
    ) -> list[int]:
        """Write down acts that are to be recorded; their ids. Raises Rejected where another
        act is on its way to the same place of a policy."""
        given = sources or [None] * len(submissions)
        now = UnixSeconds(int(time.time()))
        with writing(self._engine) as connection:
            return rows.stage_acts(connection, self.account, submissions, called, given, now)

    def place(
        self,
        submissions: Sequence[Submission],
        called: Sequence[str],
        sources: Sequence[str | None],
    ) -> list[int | rows.Conflict]:
        """Write down as many of these as can be; for each its id, or why it was not."""
        now = UnixSeconds(int(time.time()))
        with writing(self._engine) as connection:
            return rows.place_acts(connection, self.account, submissions, called, sources, now)

    def push(self, within: tuple[int, int]) -> None:
        """Go one round on with the acts numbered `within`, and wait for nothing. A node that does
        not answer, or takes nothing, is left to whoever waits."""
        with suppress(CouldNotCheck):
            self._rounds.round(within)

    def finish(self, ranges: Ranges, progress: Progress | None = None) -> None:
        """Go on until each act of these is in a block, or rejected; raises as `drive` does. Asks
        for counts alone, however many they are."""
        total = len(ranges)

        def left() -> int:
            with reading(self._engine) as connection:
                open_ = sum(rows.count_open(connection, self.account, each) for each in ranges.all)
            if progress is not None:
                progress(total - open_, total)
            return open_

        if total:
            self._go_on(left, (ranges.all[0][0], ranges.all[-1][1]))

    def record(self, submissions: Sequence[Submission], called: Sequence[str]) -> list[Act]:
        """Record these and show them, each in a block. Raises Rejected, in words, for the
        first one that the contract refuses; UnknownOutcome or Unavailable where it is not known
        yet what became of one."""
        ids = self.stage(submissions, called)
        try:
            acts = self.drive(ids)
        except Rejected:
            # Nobody else is to come upon what this command could not do.
            self.cancel(ids)
            raise
        for act in acts:
            if act.stage is Stage.REJECTED:
                raise Rejected(f"{act.called}: {act.reason}")
        return acts

    def cancel(self, ids: Sequence[int], why: str = "cancelled") -> list[Act]:
        """Take those of these acts out of the line that are in no transaction yet; those."""
        now = UnixSeconds(int(time.time()))
        with writing(self._engine) as connection:
            return [
                act
                for act in rows.acts_by_id(connection, ids)
                if act.stage is Stage.STAGED
                and rows.settle_act(connection, act, Stage.REJECTED, now, reason=why)
            ]

    def in_line(self) -> list[int]:
        """The acts of this account that are not in a block and were not refused."""
        with reading(self._engine) as connection:
            return rows.staged_ids(connection, self.account)

    def outdo(self, ids: Sequence[int]) -> list[Act]:
        """Send transactions that do nothing in the place of those that carry these acts, and
        wait which is mined; the acts then. What else they carried is in line again."""
        carried: dict[int, list[int]] = {}
        with reading(self._engine) as connection:
            for act in rows.acts_by_id(connection, ids):
                if act.transaction is not None:
                    carried.setdefault(act.transaction, []).append(act.id)
        for number, some in sorted(carried.items()):
            self._rounds.outdo(number, some)
        return self.drive(ids)

    def latest(self, policy: PolicyKey, sequence: int, manifest: Digest) -> Act | None:
        """The act with this manifest that is on its way, after act `sequence` of the policy or as
        that one."""
        with reading(self._engine) as connection:
            found = rows.latest_act(connection, policy.policy_id)
        if found is None or found.submission.manifest != manifest:
            return None
        return found if found.stage in OPEN and found.submission.sequence >= sequence else None

    def receipt_of(self, act: Act) -> Receipt:
        """Where an act that is in a block was mined. By what it was recorded is unknown where it
        was found in the log: no gas is known to have been used then."""
        with reading(self._engine) as connection:
            if act.transaction is not None:
                return _receipt(rows.transaction_by_id(connection, act.transaction))
            entry = -1 if act.entry is None else act.entry
            found, place = transactions_of(connection, [entry]), block_of_entry(connection, entry)
        if place is None:
            raise UnknownOutcome(
                f"{act.called} was found in the log, in a block that was replaced since",
                hint="it is in line again: run the same command again",
            )
        return Receipt(found[entry], BlockNumber(place[0]), None, None)

    def gas_used(self, transactions: Collection[int]) -> int:
        """What these transactions, by their numbers, used in all."""
        with reading(self._engine) as connection:
            return rows.gas_used(connection, sorted(transactions))

    def drive(
        self,
        ids: Sequence[int],
        *,
        until: Stage = Stage.INCLUDED,
        progress: Progress | None = None,
    ) -> list[Act]:
        """Go on until each of these acts is in a block, or rejected, and show them.

        Raises Rejected where the node takes nothing of this account, UnknownOutcome where nothing
        happens for too long, Unavailable where the node does not answer for so long: they stay
        in line.
        """
        ended = {Stage.REJECTED, Stage.FINALIZED, until}

        def done() -> int:
            counts = self._counts(ids)
            ready = sum(number for stage, number in counts.items() if stage in ended)
            if progress is not None:
                progress(ready, len(ids))
            return len(ids) - ready

        if ids:
            self._go_on(done, (min(ids), max(ids)))
        with reading(self._engine) as connection:
            return rows.acts_by_id(connection, ids)

    def call(self, to: Address, data: str, gas: int = GAS_OF_A_CALL) -> Receipt:
        """Simulate a call of the contract, sign, send and wait until it is in a block. Raises
        Rejected; UnknownOutcome or Unavailable where it is not known yet what became of it."""
        calldata = bytes.fromhex(data.removeprefix("0x"))
        nonce = self._rounds.sign_call(to, calldata, gas)
        while True:
            self._go_on(lambda number=nonce: self._open_at(number))  # type: ignore[misc]
            with reading(self._engine) as connection:
                found = rows.attempts_at(connection, self.account, nonce)
            # The nonce may have been another one's, which was given up.
            attempts = [each for each in found if (each.to, each.data) == (to, calldata)]
            mined = next((each for each in attempts if each.attempt.stage in _MINED), None)
            if mined is not None:
                return _receipt(mined)
            if any(_reverted(each) for each in attempts):
                # It says why, unless that has passed.
                self._rounds.simulate_call(to, calldata, gas)
                raise Rejected("the transaction was mined and did nothing")
            # Another program took its nonce.
            nonce = self._rounds.sign_call(to, calldata, gas)

    def _open_at(self, nonce: int) -> int:
        with reading(self._engine) as connection:
            attempts = rows.attempts_at(connection, self.account, nonce)
        return sum(each.attempt.stage in _NOT_MINED for each in attempts)

    def _go_on(self, left: Callable[[], int], within: tuple[int, int] | None = None) -> None:
        """Round after round, until nothing is left."""
        deadline, pause, before = time.monotonic() + self._wait_seconds, _FIRST_PAUSE, -1
        while True:
            fault, waits = None, dict[str, str]()
            try:
                done = self._rounds.round(within)
                waits = done.waits
                if done.refused is not None:
                    raise Rejected(done.refused)
            except CouldNotCheck as error:
                fault = error
            rest = left()
            if rest == 0:
                return
            if rest != before:
                before, pause = rest, _FIRST_PAUSE
                deadline = time.monotonic() + self._wait_seconds
            if time.monotonic() > deadline:
                raise fault or _not_yet(rest, self._wait_seconds, waits)
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def _counts(self, ids: Sequence[int]) -> dict[Stage, int]:
        with reading(self._engine) as connection:
            return rows.stages_of(connection, ids)


_MINED = frozenset({Stage.INCLUDED, Stage.FINALIZED})
_NOT_MINED = frozenset({Stage.SIGNED, Stage.SENT, Stage.UNKNOWN})


def _reverted(transaction: Transaction) -> bool:
    return transaction.attempt.stage is Stage.REJECTED and transaction.attempt.block is not None


def _receipt(mined: Transaction) -> Receipt:
    block, gas_used = mined.attempt.block, mined.gas_used
    if block is None or gas_used is None:
        raise AssertionError("what is mined has a block")
    return Receipt(mined.attempt.transaction, block, gas_used, None)


def _not_yet(count: int, seconds: float, waits: dict[str, str]) -> UnknownOutcome:
    why = next(iter(waits.values()), None)
    said = f": {why}" if why else ""
    return UnknownOutcome(
        f"{count} of what was to be recorded is in no block after {seconds:.0f} s in which "
        f"nothing came in{said}",
        hint="it stays in line, and nothing is recorded twice: polreg outbox list shows it, and "
        "running the same command again goes on",
    )
