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

from collections.abc import Mapping, Sequence

from registry.chain.abi import record_data
from registry.chain.client import Client
from registry.chain.outgoing import Asked, Look
from registry.chain.sender import record_fits, record_gas
from registry.core.chain_id import EMBEDDED_CHAIN_ID
from registry.core.entry import Entry
from registry.core.outbox import (
    Line,
    Send,
    Stage,
    next_step,
    open_gap,
)
from registry.core.submission import Submission
from registry.core.units import Address
from registry.errors import PlaceTaken, Rejected, Unavailable
from registry.mirror import outbox as rows
from registry.mirror.engine import Engine, reading, writing
from registry.mirror.outbox import Act, Transaction
from registry.mirror.position import read_position
from registry.mirror.queries import block_of_entry, entry_of_act
from registry.services.outbox_keeping import DEFAULT_BATCH, GAS_OF_NOTHING, Round
from registry.services.outbox_outcomes import Outcomes

__all__ = ["DEFAULT_BATCH", "Round", "Rounds", "watch"]


class Rounds(Outcomes):
    """Looks at what is on its way, and does what is to be done. Without a signer it watches,
    and sends what is signed already.

    `catch_up` brings the mirror to the chain's head. `batch`: how many acts go into a
    transaction at most; `in_flight`: how many transactions wait to be mined at most.
    """

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
        made = self._keep(self.account, b"", GAS_OF_NOTHING, f"nonce {gap}", look, [])
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
