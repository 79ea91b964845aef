"""The outbox's rows: acts that are to be recorded, and the transactions that carry them.

Every function runs in the caller's transaction and moves a stage only from where it is said
to be, so that of two processes that saw the same thing one moves it and the other finds it
moved. What may follow what is `core.outbox.FOLLOWS`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, insert, select, update

from registry.core.outbox import Stage
from registry.core.units import Address, BlockNumber, UnixSeconds
from registry.mirror.outbox_acts import (
    acts_by_id,
    acts_in,
    count_by_stage,
    count_open,
    found_in_log,
    is_taken,
    latest_act,
    listed_acts,
    next_staged,
    note_entries,
    note_reason,
    place_acts,
    reject_later,
    settle_act,
    stage_acts,
    staged_ids,
    stages_of,
)
from registry.mirror.outbox_stored import (
    LIGHT,
    UNDER_WAY_STAGES,
    WAITING,
    Act,
    Conflict,
    Transaction,
    chunks,
    require_follows,
    transaction_of,
)
from registry.mirror.schema import acts, transactions

__all__ = [
    "Act",
    "Conflict",
    "Transaction",
    "accounts_under_way",
    "acts_by_id",
    "acts_in",
    "add_transaction",
    "attempts_at",
    "cancel_acts",
    "carry_over",
    "count_by_stage",
    "count_open",
    "count_waiting",
    "found_in_log",
    "gas_used",
    "is_at",
    "is_taken",
    "latest_act",
    "listed_acts",
    "move_transaction",
    "next_staged",
    "nonces_from",
    "note_block",
    "note_cancelling",
    "note_doubt",
    "note_entries",
    "note_reason",
    "place_acts",
    "reject_later",
    "release_acts",
    "settle_act",
    "stage_acts",
    "staged_ids",
    "stages_of",
    "transaction_by_id",
    "under_way",
    "waiting_since",
]

_OLDEST, _NEWEST = 32, 100
_CANCELLING = "it is being cancelled"


def accounts_under_way(connection: Connection) -> list[Address]:
    """The accounts that have transactions of which something may still come, or acts that were
    found in the log and are not final."""
    sent = select(transactions.c.account).where(transactions.c.stage.in_(UNDER_WAY_STAGES))
    known = connection.execute(select(acts.c.account).distinct()).scalars()
    found = {each for each in known if found_in_log(connection, Address(each), limit=1)}
    return [
        Address(each) for each in sorted({*connection.execute(sent.distinct()).scalars(), *found})
    ]


def add_transaction(
    connection: Connection,
    signed: dict[str, Any],
    carried: Sequence[int],
    replacing: int | None = None,
) -> int | None:
    """Keep a signed transaction, as it is to be sent, with the acts it carries: those that are
    staged, or those of the transaction that it is to replace. None, and nothing is kept, where
    one of them is no longer so."""
    made = _kept(connection, signed)
    where = (
        acts.c.transaction == replacing
        if replacing is not None
        else and_(acts.c.transaction.is_(None), acts.c.stage == Stage.STAGED.value)
    )
    if not carried:
        return made
    values = {"stage": Stage.SIGNED.value, "reason": None, "changed_at": signed["signed_at"]}
    statement = (
        update(acts)
        .where(acts.c.id == bindparam("act"), where)
        .values(transaction=made, place=bindparam("at"), **values)
    )
    connection.execute(statement, [{"act": act, "at": place} for place, act in enumerate(carried)])
    moved = select(func.count()).where(acts.c.transaction == made)
    return made if connection.execute(moved).scalar_one() == len(carried) else None


def _kept(connection: Connection, signed: dict[str, Any]) -> int:
    """The number of a signed transaction. One that was refused or given up, and is signed anew with
    the same nonce, fees and content, has the same bytes: it is the same transaction."""
    values = {**signed, "stage": Stage.SIGNED.value}
    same = select(transactions.c.id, transactions.c.stage).where(
        transactions.c.hash == signed["hash"]
    )
    before = connection.execute(same).one_or_none()
    if before is None:
        result = connection.execute(insert(transactions), values)
        return int(result.inserted_primary_key[0])  # type: ignore[index]
    require_follows(Stage(before.stage), Stage.SIGNED)
    afresh = dict.fromkeys(("reason", "sent_at", "block", "gas_used"))
    connection.execute(
        update(transactions).where(transactions.c.id == before.id).values(**values, **afresh)
    )
    return int(before.id)


def under_way(
    connection: Connection, account: Address, *, included: bool = True
) -> dict[int, list[Transaction]]:
    """By nonce, the transactions of which something may still come: the one that stands, and
    after it those that were outbid, the newest first. Of those that are in a block, if they
    are wanted, the oldest, which are to be final next, and the newest, which a reorganisation
    takes first: hundreds of others wait their turn. All come without their bytes."""
    mine = transactions.c.account == account
    nonce = transactions.c.nonce
    waiting = select(nonce).where(mine, transactions.c.stage.in_(WAITING))
    nonces = set(connection.execute(waiting).scalars())
    if included:
        settled = select(nonce).where(mine, transactions.c.stage == Stage.INCLUDED.value)
        for order, limit in ((nonce, _OLDEST), (nonce.desc(), _NEWEST)):
            nonces |= set(connection.execute(settled.order_by(order).limit(limit)).scalars())
    found: dict[int, list[Transaction]] = {}
    outbid = transactions.c.stage == Stage.REPLACED.value
    for some in chunks(sorted(nonces)):
        # One that was outbid may be the one that was mined, and that stands again after a
        # reorganisation took it back.
        statement = (
            select(*LIGHT)
            .where(mine, nonce.in_(some), transactions.c.stage.in_(UNDER_WAY_STAGES) | outbid)
            .order_by(nonce, outbid, transactions.c.id.desc())
        )
        for row in connection.execute(statement):
            found.setdefault(row.nonce, []).append(transaction_of(row))
    return found


def move_transaction(
    connection: Connection, before: Transaction, to: Stage, now: UnixSeconds, **also: Any
) -> bool:
    """Move a transaction and the acts that it carries from the stage in which it was seen;
    whether it still was there."""
    require_follows(before.attempt.stage, to)
    moved = connection.execute(
        update(transactions)
        .where(
            transactions.c.id == before.id,
            transactions.c.stage == before.attempt.stage.value,
        )
        .values(stage=to.value, **also)
    )
    if moved.rowcount != 1:
        return False
    if to is not Stage.REPLACED:
        other = acts.alias("other")
        taken = select(other.c.id).where(
            other.c.policy_id == acts.c.policy_id,
            other.c.sequence == acts.c.sequence,
            other.c.id != acts.c.id,
            other.c.stage != Stage.REJECTED.value,
        )
        # One that was cancelled, and is recorded after all, may have left its place to another.
        left = and_(acts.c.stage == Stage.REJECTED.value, taken.exists())
        connection.execute(
            update(acts)
            .where(acts.c.transaction == before.id, ~left)
            .values(stage=to.value, changed_at=now, **_without_reason(to))
        )
    return True


def _without_reason(to: Stage) -> dict[str, None]:
    """What is in a block has no reason any more why it is not."""
    return {"reason": None} if to is Stage.INCLUDED else {}


def note_block(connection: Connection, transaction: Transaction, block: BlockNumber) -> None:
    """It stands in another block than before."""
    connection.execute(
        update(transactions).where(transactions.c.id == transaction.id).values(block=block)
    )


def nonces_from(connection: Connection, account: Address, nonce: int) -> list[int]:
    """The account's nonces from `nonce` on with which a transaction was signed that was not
    given up: what was, leaves its nonce free for whatever is next."""
    statement = select(transactions.c.nonce).where(
        transactions.c.account == account,
        transactions.c.nonce >= nonce,
        transactions.c.stage != Stage.REJECTED.value,
    )
    return list(connection.execute(statement).scalars())


def count_waiting(connection: Connection, account: Address) -> int:
    """How many of the account's transactions are signed and in no block."""
    statement = select(func.count()).where(
        transactions.c.account == account, transactions.c.stage.in_(WAITING)
    )
    return int(connection.execute(statement).scalar_one())


def waiting_since(connection: Connection, account: Address) -> dict[int, UnixSeconds]:
    """The nonces with which something is signed and in no block, and when it first was: what is
    outbid again and again waits all the same."""
    mine = transactions.c.account == account
    waiting = select(transactions.c.nonce).where(mine, transactions.c.stage.in_(WAITING))
    statement = (
        select(transactions.c.nonce, func.min(transactions.c.signed_at))
        .where(
            mine,
            transactions.c.nonce.in_(waiting),
            transactions.c.stage != Stage.REJECTED.value,
        )
        .group_by(transactions.c.nonce)
    )
    return {nonce: UnixSeconds(since) for nonce, since in connection.execute(statement)}


def attempts_at(connection: Connection, account: Address, nonce: int) -> list[Transaction]:
    """The transactions that were signed with a nonce, the newest first."""
    statement = select(transactions).where(
        transactions.c.account == account, transactions.c.nonce == nonce
    )
    return [
        transaction_of(row)
        for row in connection.execute(statement.order_by(transactions.c.id.desc()))
    ]


def gas_used(connection: Connection, numbers: Sequence[int]) -> int:
    """What these transactions used in all."""
    used = 0
    for some in chunks(list(numbers)):
        statement = select(func.sum(transactions.c.gas_used)).where(transactions.c.id.in_(some))
        used += int(connection.execute(statement).scalar() or 0)
    return used


def transaction_by_id(connection: Connection, number: int) -> Transaction:
    row = connection.execute(select(transactions).where(transactions.c.id == number)).one()
    return transaction_of(row)


def is_at(connection: Connection, transaction: Transaction) -> bool:
    """Whether a transaction is still at the stage where it was seen: else another process moved it,
    by what it saw."""
    statement = select(transactions.c.stage).where(transactions.c.id == transaction.id)
    return bool(connection.execute(statement).scalar_one() == transaction.attempt.stage.value)


def note_doubt(connection: Connection, transaction: Transaction, reason: str) -> None:
    """What speaks against a transaction, where that is to be seen twice before it counts."""
    connection.execute(
        update(transactions).where(transactions.c.id == transaction.id).values(reason=reason)
    )


def release_acts(connection: Connection, transaction: int, now: UnixSeconds) -> None:
    """Put a transaction's acts back in line: it will not be mined."""
    connection.execute(
        update(acts)
        .where(acts.c.transaction == transaction)
        .values(stage=Stage.STAGED.value, transaction=None, place=None, entry=None, changed_at=now)
    )


def note_cancelling(connection: Connection, transaction: int, ids: Sequence[int]) -> None:
    """These of a transaction's acts are to be cancelled with it."""
    statement = update(acts).where(acts.c.transaction == transaction)
    for some in chunks(list(ids)):
        connection.execute(statement.where(acts.c.id.in_(some)).values(reason=_CANCELLING))


def cancel_acts(connection: Connection, transaction: int, now: UnixSeconds) -> None:
    """Those of a transaction's acts that were to be cancelled will not be recorded: another one
    was mined to that end. Those that only went with them are in line again."""
    mine = acts.c.transaction == transaction
    connection.execute(
        update(acts)
        .where(mine, acts.c.reason == _CANCELLING)
        .values(stage=Stage.REJECTED.value, reason="cancelled", changed_at=now)
    )
    connection.execute(
        update(acts)
        .where(mine, acts.c.stage != Stage.REJECTED.value)
        .values(stage=Stage.STAGED.value, transaction=None, place=None, entry=None, changed_at=now)
    )


def carry_over(connection: Connection, before: int, after: int) -> None:
    """The acts of one attempt belong to the other, which was mined."""
    connection.execute(update(acts).where(acts.c.transaction == before).values(transaction=after))
