"""The rows of signed acts that are relayed.

Every function runs in the caller's transaction and moves a row only from where it was seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, select, update

from registry.core.outbox import Stage
from registry.core.units import Address, UnixSeconds
from registry.mirror.schema import relayed, transactions

_OPEN = (Stage.STAGED.value, Stage.SIGNED.value)


@dataclass(frozen=True, slots=True)
class Relayed:
    """A signed act and how far it has come: `stage` is staged, signed, finalized or rejected;
    of a signed one its transaction tells more."""

    id: bytes
    account: Address
    registrar: Address
    content: bytes
    stage: Stage
    reason: str | None
    transaction: int | None
    received_at: UnixSeconds
    changed_at: UnixSeconds


def add_relayed(connection: Connection, row: Relayed) -> None:
    """Keep it; in the place of one with its id that was rejected."""
    connection.execute(
        delete(relayed).where(relayed.c.id == row.id, relayed.c.stage == Stage.REJECTED.value)
    )
    values = {
        "id": row.id,
        "account": row.account,
        "registrar": row.registrar,
        "content": row.content,
        "stage": row.stage.value,
        "reason": row.reason,
        "transaction": row.transaction,
        "received_at": row.received_at,
        "changed_at": row.changed_at,
    }
    connection.execute(insert(relayed), values)


def relayed_by_id(connection: Connection, id_: bytes) -> Relayed | None:
    row = connection.execute(select(relayed).where(relayed.c.id == id_)).one_or_none()
    return None if row is None else _relayed(row)


def open_relayed(connection: Connection, account: Address) -> list[Relayed]:
    """What the account has still to do with, the oldest first."""
    statement = select(relayed).where(relayed.c.account == account, relayed.c.stage.in_(_OPEN))
    rows = connection.execute(statement.order_by(relayed.c.received_at, relayed.c.id))
    return [_relayed(row) for row in rows]


def count_received(connection: Connection, registrar: Address, since: UnixSeconds) -> int:
    """How many of a registrar's were taken since a moment."""
    statement = select(func.count()).where(
        relayed.c.registrar == registrar, relayed.c.received_at >= since
    )
    return int(connection.execute(statement).scalar_one())


def take_relayed(connection: Connection, id_: bytes, transaction: int, now: UnixSeconds) -> bool:
    """A transaction carries it now; False where another one was first."""
    moved = connection.execute(
        update(relayed)
        .where(relayed.c.id == id_, relayed.c.stage == Stage.STAGED.value)
        .values(stage=Stage.SIGNED.value, transaction=transaction, reason=None, changed_at=now)
    )
    return moved.rowcount == 1


def is_relaying(connection: Connection, transaction: int) -> bool:
    """Whether a transaction, or the one that it took the place of, relays something."""
    mine = transactions.alias("mine")
    same = and_(mine.c.account == transactions.c.account, mine.c.nonce == transactions.c.nonce)
    statement = (
        select(relayed.c.id)
        .join(transactions, transactions.c.id == relayed.c.transaction)
        .join(mine, same)
        .where(mine.c.id == transaction)
    )
    return connection.execute(statement.limit(1)).first() is not None


def move_relayed(
    connection: Connection,
    before: Relayed,
    to: Stage,
    now: UnixSeconds,
    *,
    reason: str | None = None,
) -> bool:
    """Move it from the stage in which it was seen; whether it still was there. What is staged
    anew is in no transaction."""
    transaction = None if to is Stage.STAGED else before.transaction
    moved = connection.execute(
        update(relayed)
        .where(
            relayed.c.id == before.id,
            relayed.c.stage == before.stage.value,
            relayed.c.transaction.is_not_distinct_from(before.transaction),
        )
        .values(stage=to.value, reason=reason, transaction=transaction, changed_at=now)
    )
    return moved.rowcount == 1


def _relayed(row: Any) -> Relayed:
    return Relayed(
        id=row.id,
        account=Address(row.account),
        registrar=Address(row.registrar),
        content=row.content,
        stage=Stage(row.stage),
        reason=row.reason,
        transaction=row.transaction,
        received_at=UnixSeconds(row.received_at),
        changed_at=UnixSeconds(row.changed_at),
    )
