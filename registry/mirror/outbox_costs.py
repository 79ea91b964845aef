"""What the outbox's transactions used: for the cost of what they carried."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, select

from registry.core.outbox import Fees, Stage
from registry.core.units import Address, BlockNumber
from registry.mirror.schema import acts, transactions

_IN_LIST = 500
_MINED = [Stage.INCLUDED.value, Stage.FINALIZED.value]


@dataclass(frozen=True, slots=True)
class Used:
    """The gas that a transaction used in its block, and what was offered for it."""

    id: int
    block: BlockNumber
    gas: int
    fees: Fees


def hashes_of(connection: Connection, numbers: Collection[int]) -> dict[int, bytes]:
    """The hashes of transactions by their numbers."""
    wanted, found = sorted(numbers), dict[int, bytes]()
    for at in range(0, len(wanted), _IN_LIST):
        some = transactions.c.id.in_(wanted[at : at + _IN_LIST])
        rows = connection.execute(select(transactions.c.id, transactions.c.hash).where(some))
        found |= {row.id: row.hash for row in rows}
    return found


def used_for(connection: Connection, account: Address, within: tuple[int, int]) -> list[int]:
    """The numbers of the account's mined transactions that carry an act numbered `within`."""
    carried = select(acts.c.id).where(
        acts.c.transaction == transactions.c.id, acts.c.id.between(*within)
    )
    statement = select(transactions.c.id).where(
        transactions.c.account == account, transactions.c.stage.in_(_MINED), carried.exists()
    )
    return list(connection.execute(statement).scalars())


def used_by(connection: Connection, numbers: Collection[int]) -> list[Used]:
    """What these transactions used, of those that are in a block."""
    columns = [
        getattr(transactions.c, name)
        for name in ("id", "block", "gas_used", "most_fee", "priority_fee")
    ]
    wanted, found = sorted(numbers), list[Used]()
    for at in range(0, len(wanted), _IN_LIST):
        some = transactions.c.id.in_(wanted[at : at + _IN_LIST])
        statement = select(*columns).where(some, transactions.c.stage.in_(_MINED))
        for row in connection.execute(statement):
            if row.block is not None and row.gas_used is not None:
                fees = Fees(row.most_fee, row.priority_fee)
                found.append(Used(row.id, BlockNumber(row.block), row.gas_used, fees))
    return found
