"""What the outbox's rows are when they are read: acts, and the transactions that carry them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from registry.core.entry import Action
from registry.core.outbox import FOLLOWS, UNDER_WAY, Attempt, Fees, Stage
from registry.core.policy import PolicyKey
from registry.core.submission import Submission
from registry.core.units import Address, BlockNumber, Day, Digest, UnixSeconds
from registry.mirror.schema import transactions

_IN_LIST = 500
UNDER_WAY_STAGES = sorted(stage.value for stage in UNDER_WAY)
WAITING = [stage for stage in UNDER_WAY_STAGES if stage != Stage.INCLUDED.value]
LIGHT = [column for column in transactions.c if column.name not in {"raw", "data"}]
"""A transaction's columns without its bytes."""


@dataclass(frozen=True, slots=True)
class Act:
    """An act of the outbox, and how far it has come."""

    id: int
    account: Address
    submission: Submission
    called: str
    source: str | None
    stage: Stage
    reason: str | None
    transaction: int | None
    entry: int | None
    changed_at: UnixSeconds


@dataclass(frozen=True, slots=True)
class Transaction:
    """A signed transaction of the outbox. `raw` and `data` are empty where it was read without
    them: they are long."""

    id: int
    account: Address
    nonce: int
    raw: bytes
    to: Address
    data: bytes
    gas: int
    about: str
    attempt: Attempt
    reason: str | None
    gas_used: int | None


@dataclass(frozen=True, slots=True)
class Conflict:
    """Why an act was not written down: another one has its place, or that of an earlier one."""

    reason: str
    hint: str | None = None


def act_of(row: Any) -> Act:
    """An act from its row."""
    submission = Submission(
        policy=PolicyKey(row.authority, Digest(row.number_hash)),
        sequence=row.sequence,
        action=Action(row.action),
        effective_on=None if row.effective_on is None else Day(row.effective_on),
        document=None if row.document is None else Digest(row.document),
        manifest=Digest(row.manifest),
        content=row.content,
    )
    return Act(
        id=row.id,
        account=Address(row.account),
        submission=submission,
        called=row.called,
        source=row.source,
        stage=Stage(row.stage),
        reason=row.reason,
        transaction=row.transaction,
        entry=row.entry,
        changed_at=UnixSeconds(row.changed_at),
    )


def transaction_of(row: Any) -> Transaction:
    """A transaction from its row, with or without its bytes."""
    attempt = Attempt(
        transaction=row.hash,
        fees=Fees(row.most_fee, row.priority_fee),
        stage=Stage(row.stage),
        sent_at=None if row.sent_at is None else UnixSeconds(row.sent_at),
        block=None if row.block is None else BlockNumber(row.block),
    )
    return Transaction(
        id=row.id,
        account=Address(row.account),
        nonce=row.nonce,
        raw=row._mapping.get("raw", b""),
        to=Address(row.to),
        data=row._mapping.get("data", b""),
        gas=row.gas,
        about=row.about,
        attempt=attempt,
        reason=row.reason,
        gas_used=row.gas_used,
    )


def require_follows(before: Stage, after: Stage) -> None:
    """A stage that may not come after another is a fault of this program."""
    if after not in FOLLOWS[before]:
        raise AssertionError(f"{after} does not follow {before}")


def chunks(values: list[Any]) -> Iterable[list[Any]]:
    """The values, as many at once as one statement takes."""
    return (values[at : at + _IN_LIST] for at in range(0, len(values), _IN_LIST))
