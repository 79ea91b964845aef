"""The outbox as a person sees it, and what a person does to it without a key."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from typing import Any

from registry.chain.addresses import checksummed
from registry.core.outbox import OPEN, Stage
from registry.core.units import UnixSeconds
from registry.errors import InputError, NotFound
from registry.mirror import outbox as rows
from registry.mirror.engine import Engine, reading, writing
from registry.mirror.outbox import Act, Transaction


def listed(engine: Engine, stages: Collection[Stage], limit: int) -> list[dict[str, Any]]:
    """The newest acts in one of the stages."""
    with reading(engine) as connection:
        return [_act(act) for act in rows.listed_acts(connection, stages, limit)]


def counted(engine: Engine) -> dict[str, int]:
    """How many acts are in which stage, in the order of the stages."""
    with reading(engine) as connection:
        found = rows.count_by_stage(connection)
    return {stage.value: found.get(stage, 0) for stage in Stage if stage is not Stage.REPLACED}


def shown(engine: Engine, number: int) -> dict[str, Any]:
    """One act with every transaction that was signed with its nonce."""
    with reading(engine) as connection:
        (act,) = _found(rows.acts_by_id(connection, [number]), [number])
        attempts: list[Transaction] = []
        if act.transaction is not None:
            nonce = rows.transaction_by_id(connection, act.transaction).nonce
            attempts = rows.attempts_at(connection, act.account, nonce)
    return {**_act(act), "transactions": [_transaction(each) for each in attempts]}


def waiting(engine: Engine, ids: Sequence[int]) -> list[Act]:
    """These acts. Raises InputError where one is in a block or was refused."""
    with reading(engine) as connection:
        acts = _found(rows.acts_by_id(connection, ids), ids)
    for act in acts:
        if act.stage not in OPEN - {Stage.INCLUDED}:
            raise InputError(
                f"act {act.id} is {act.stage.value}: there is nothing to cancel",
                hint=None
                if act.stage is Stage.REJECTED
                else "an act that is recorded is undone by another act, such as polreg withdraw",
            )
    return acts


def put_back(engine: Engine, ids: Sequence[int]) -> None:
    """Put rejected acts in line again. Raises InputError for one that was not rejected, or
    whose place another one has by now."""
    now = UnixSeconds(int(time.time()))
    with writing(engine) as connection:
        for act in _found(rows.acts_by_id(connection, ids), ids):
            if act.stage is not Stage.REJECTED:
                raise InputError(f"act {act.id} is {act.stage.value}, and was not refused")
            if rows.is_taken(connection, act):
                raise InputError(
                    f"another act is on its way, or recorded, in the place of act {act.id}",
                    hint="run the command anew, which asks for the next place of the policy",
                )
            rows.settle_act(connection, act, Stage.STAGED, now)


def _found(acts: list[Act], ids: Sequence[int]) -> list[Act]:
    missing = sorted(set(ids) - {act.id for act in acts})
    if missing:
        raise NotFound(
            f"the outbox has no act {missing[0]}", hint="polreg outbox list shows what it has"
        )
    return acts


def _act(act: Act) -> dict[str, Any]:
    submission = act.submission
    return {
        "id": act.id,
        "stage": act.stage.value,
        "reason": act.reason,
        "action": submission.action.word,
        "policy": act.called,
        "policy_id": submission.policy.policy_id.hex(),
        "sequence": submission.sequence,
        "account": checksummed(act.account),
        "document": submission.document.hex() if submission.document else None,
        "manifest": submission.manifest.hex(),
        "entry": act.entry,
        "source": act.source,
    }


def _transaction(each: Transaction) -> dict[str, Any]:
    return {
        "hash": "0x" + each.attempt.transaction.hex(),
        "nonce": each.nonce,
        "stage": each.attempt.stage.value,
        "reason": each.reason,
        "block": each.attempt.block,
        "most_fee": each.attempt.fees.most,
        "priority_fee": each.attempt.fees.priority,
        "gas_used": each.gas_used,
    }
