"""What becomes of an act that is to be recorded, decided from what is known of its transaction.

An act is staged, put into a transaction with others, signed, sent, and ends as final or
rejected. The contract takes each sequence of a policy once, so an act that is sent twice is
recorded once; what is here sees to it that none is lost, that no nonce stays open and that
nothing is signed anew without need.

One nonce of an account has one or more attempts: the same acts with higher fees. At most one
of them, or a transaction of another program with the same key, is ever mined. No IO.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from registry.core.units import BlockNumber, UnixSeconds


class Stage(StrEnum):
    """How far an act, or the transaction that carries it, has come."""

    STAGED = "staged"
    """Written down, in no transaction."""
    SIGNED = "signed"
    """In a transaction that is kept as it is to be sent."""
    SENT = "sent"
    """A node took it."""
    INCLUDED = "included"
    """In a block that may still be replaced."""
    FINALIZED = "finalized"
    REPLACED = "replaced"
    """A transaction: another one, with its nonce and for the same, was mined or is to be."""
    REJECTED = "rejected"
    """An act: refused for a reason that does not pass, or cancelled. A transaction: given up, so
    that what it carried is in line again and its nonce, unless another program has it, is free."""
    UNKNOWN = "unknown"
    """Sent, and not known whether a node took it."""


OPEN = frozenset({Stage.STAGED, Stage.SIGNED, Stage.SENT, Stage.UNKNOWN, Stage.INCLUDED})
"""The stages of what something is still to be done about."""

UNDER_WAY = frozenset({Stage.SIGNED, Stage.SENT, Stage.UNKNOWN, Stage.INCLUDED})

FOLLOWS: Mapping[Stage, frozenset[Stage]] = {
    Stage.STAGED: frozenset({Stage.SIGNED, Stage.INCLUDED, Stage.FINALIZED, Stage.REJECTED}),
    Stage.SIGNED: frozenset(
        {Stage.SENT, Stage.UNKNOWN, Stage.INCLUDED, Stage.REPLACED, Stage.STAGED, Stage.REJECTED}
    ),
    # An act of a transaction that is outbid is in another one, which is signed.
    Stage.SENT: frozenset(
        {
            Stage.SIGNED,
            Stage.INCLUDED,
            Stage.UNKNOWN,
            Stage.REPLACED,
            Stage.STAGED,
            Stage.REJECTED,
        }
    ),
    Stage.UNKNOWN: frozenset(
        {
            Stage.SIGNED,
            Stage.SENT,
            Stage.INCLUDED,
            Stage.REPLACED,
            Stage.STAGED,
            Stage.REJECTED,
        }
    ),
    # A reorganisation takes it back, and it is sent again.
    Stage.INCLUDED: frozenset(
        {
            Stage.FINALIZED,
            Stage.SENT,
            Stage.UNKNOWN,
            Stage.REPLACED,
            Stage.STAGED,
            Stage.REJECTED,
        }
    ),
    Stage.FINALIZED: frozenset(),
    # One that was outbid may be mined all the same, or be given up with all that share its nonce.
    Stage.REPLACED: frozenset({Stage.INCLUDED, Stage.REJECTED}),
    # By hand, `polreg outbox retry`; or a reorganisation undid what it was cancelled by.
    # A transaction that was given up may be signed with the same bytes once more.
    Stage.REJECTED: frozenset({Stage.STAGED, Stage.INCLUDED, Stage.SIGNED}),
}
"""What may come after each stage. Being finalised is the end."""


@dataclass(frozen=True, slots=True)
class Fees:
    """Wei a unit of gas: the most that is paid in all, and to the block's maker. On networks
    without EIP-1559 both are the gas price."""

    most: int
    priority: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """One signed transaction. `block` is where it was last seen."""

    transaction: bytes
    fees: Fees
    stage: Stage
    sent_at: UnixSeconds | None = None
    block: BlockNumber | None = None


@dataclass(frozen=True, slots=True)
class Mined:
    """A transaction's place, and whether it did what it was for."""

    block: BlockNumber
    succeeded: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """What a node says at one moment. `nonce` is the account's next one as of `head`; `pooled`
    are those of the attempts that the node has waiting, or None where it can not tell."""

    head: BlockNumber
    finalized: BlockNumber
    nonce: int
    mined: Mapping[bytes, Mined]
    pooled: Collection[bytes] | None
    fees: Fees


@dataclass(frozen=True, slots=True)
class Line:
    """The nonces of an account that wait, of which a block takes none before those below it: no
    fee helps one that waits for another. `first` is the lowest of ours and was sent at `since`, if
    it was; `gap` is one that nothing uses."""

    first: int | None = None
    since: UnixSeconds | None = None
    gap: int | None = None


@dataclass(frozen=True, slots=True)
class Patience:
    """When a transaction that waits is paid more for, and the most that is paid."""

    stuck_after_seconds: float = 90
    most_fee: int | None = None


_ENOUGH = 10
"""So many times what the network asks is not offered for want of blocks, or of a node that
passes on what it is sent."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to be done now. `why` is a reason that a person should know, if there is one."""

    why: str | None = None


@dataclass(frozen=True, slots=True)
class Send:
    """Send this attempt's bytes, again or for the first time."""

    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Outbid:
    """Sign the same with these fees: the attempts that there are wait too long."""

    fees: Fees


@dataclass(frozen=True, slots=True)
class Landed:
    """This attempt is in a block; `final` where that can not be replaced any more."""

    attempt: Attempt
    block: BlockNumber
    final: bool


@dataclass(frozen=True, slots=True)
class Reverted:
    """This attempt is in a block and did nothing: why has to be asked of the contract."""

    attempt: Attempt
    block: BlockNumber


@dataclass(frozen=True, slots=True)
class Usurped:
    """A transaction that is none of the attempts took the nonce: the acts need another one."""


Step = Wait | Send | Outbid | Landed | Reverted | Usurped


def next_step(
    nonce: int,
    attempts: Sequence[Attempt],
    seen: Seen,
    now: UnixSeconds,
    patience: Patience,
    line: Line | None = None,
) -> Step:
    """What to do about one nonce. Of its attempts the first is the one that stands; those that
    were outbid come after it. `line` is what it waits in, if that is known."""
    for attempt in attempts:
        mined = seen.mined.get(attempt.transaction)
        if mined is None:
            continue
        if not mined.succeeded:
            return Reverted(attempt, mined.block)
        return Landed(attempt, mined.block, final=mined.block <= seen.finalized)
    if seen.nonce > nonce:
        return Usurped()
    newest = attempts[0]
    if newest.stage in {Stage.SIGNED, Stage.UNKNOWN}:
        return Send(newest)
    if newest.block is not None:
        # It was in a block that the chain replaced: nodes mostly keep it, but need not.
        return Send(newest)
    step = _waiting(nonce, attempts, seen, now, patience, line or Line())
    dropped = seen.pooled is not None and newest.transaction not in seen.pooled
    # A node that drops it again and again may want more for it.
    return Send(newest) if dropped and isinstance(step, Wait) else step


def _waiting(
    nonce: int,
    attempts: Sequence[Attempt],
    seen: Seen,
    now: UnixSeconds,
    patience: Patience,
    line: Line,
) -> Step:
    if line.gap is not None and nonce > line.gap:
        return Wait(f"nonce {line.gap} of this account comes first, and nothing uses it")
    sent_at = now if attempts[0].sent_at is None else attempts[0].sent_at
    if line.first is not None and nonce > line.first:
        sent_at = max(sent_at, now if line.since is None else line.since)
    if now - sent_at < patience.stuck_after_seconds:
        return Wait()
    offered = highest(attempts)
    if offered.most > _ENOUGH * seen.fees.most and offered.priority > _ENOUGH * seen.fees.priority:
        return Wait(
            f"it waits for {now - sent_at} s, and offers more than {_ENOUGH} times what the "
            "network asks: it is not the price"
        )
    fees = outbidding(offered, seen.fees)
    if patience.most_fee is not None and fees.most > patience.most_fee:
        return Wait(
            f"it waits for {now - sent_at} s, and to outbid it would take "
            f"{fees.most} wei a unit of gas, more than the {patience.most_fee} allowed"
        )
    return Outbid(fees)


def affordable(fees: Fees, patience: Patience, base_fee: int | None) -> Fees | None:
    """The fees, no more than is allowed: None where no block would take that, whose maker is
    owed `base_fee` at least."""
    most = patience.most_fee
    if most is None or fees.most <= most:
        return fees
    if base_fee is None or base_fee > most:
        return None
    return Fees(most, min(fees.priority, most))


def open_gap(chain: int, pending: int, signed: Collection[int]) -> int | None:
    """The nonce that nobody uses, for want of which what is signed with higher ones can not be
    mined; None where there is none. `chain` is the account's next nonce, `pending` that with
    what the node has waiting, `signed` those of ours that were not given up.

    One that another program's transaction had, which was dropped, is such a gap.
    """
    nonce = next_nonce(max(chain, pending), signed)
    return nonce if any(each > nonce for each in signed) else None


def highest(attempts: Sequence[Attempt]) -> Fees:
    """The most that any of these offers: what stands need not be what offered most, where one
    that was outbid was mined and a reorganisation took it back."""
    return Fees(
        max(each.fees.most for each in attempts), max(each.fees.priority for each in attempts)
    )


def outbidding(before: Fees, market: Fees) -> Fees:
    """Fees with which nodes let a transaction take another one's place: at least a tenth more
    of both (geth's --txpool.pricebump), an eighth to be sure, and what the market asks."""
    priority = max(_raised(before.priority), market.priority)
    return Fees(max(_raised(before.most), market.most, priority), priority)


def _raised(fee: int) -> int:
    # One wei more than nothing is more than a tenth more.
    return max(fee + 1, -(-fee * 9 // 8))


def next_nonce(chain: int, signed: Collection[int]) -> int:
    """The nonce for the next transaction of an account: the lowest that is neither used on the
    chain, as of its newest block, nor by what is signed and not yet mined. So a nonce that
    was given up is filled first."""
    taken = {nonce for nonce in signed if nonce >= chain}
    nonce = chain
    while nonce in taken:
        nonce += 1
    return nonce
