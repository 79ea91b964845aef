"""The acts of the outbox: those that are to be recorded, and how far each has come.

Every function runs in the caller's transaction and moves a stage only from where it is said
to be.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from registry.core.outbox import OPEN, Stage
from registry.core.submission import Submission
from registry.core.units import Address, UnixSeconds
from registry.errors import Rejected
from registry.mirror.outbox_stored import WAITING, Act, Conflict, act_of, chunks, require_follows
from registry.mirror.schema import acts


def stage_acts(
    connection: Connection,
    account: Address,
    submissions: Sequence[Submission],
    called: Sequence[str],
    sources: Sequence[str | None],
    now: UnixSeconds,
) -> list[int]:
    """Write down what is to be recorded; the acts' ids. One that is there already, the same
    in everything, is not written again. Raises Rejected where another one has its place."""
    placed = place_acts(connection, account, submissions, called, sources, now)
    for each in placed:
        if isinstance(each, Conflict):
            raise Rejected(each.reason, hint=each.hint)
    return [each for each in placed if not isinstance(each, Conflict)]


def place_acts(
    connection: Connection,
    account: Address,
    submissions: Sequence[Submission],
    called: Sequence[str],
    sources: Sequence[str | None],
    now: UnixSeconds,
) -> list[int | Conflict]:
    """The same, where those in whose place there is another one are left out, with what comes
    after them on their policies: for each its id, or why it was not written down."""
    there = _in_place(connection, submissions)
    failed: set[bytes] = set()
    placed: list[int | Conflict | None] = []
    fresh: list[dict[str, Any]] = []
    for submission, name, source in zip(submissions, called, sources, strict=True):
        policy_id = submission.policy.policy_id
        known = there.get((policy_id, submission.sequence))
        if policy_id in failed:
            placed.append(Conflict("an earlier act on this policy was refused"))
        elif known is None:
            placed.append(None)
            fresh.append(_staged_row(account, submission, name, source, now))
        elif _same(known.submission, submission) and known.account == account:
            placed.append(known.id)
        else:
            failed.add(policy_id)
            placed.append(_conflict(known, name, submission.sequence))
    ids = iter(_inserted(connection, fresh))
    return [next(ids) if each is None else each for each in placed]


def _conflict(known: Act, called: str, sequence: int) -> Conflict:
    return Conflict(
        f"act {sequence} on {called} is on its way already: another one, "
        f"{known.submission.action.word}, number {known.id} of the outbox",
        hint=f"see polreg outbox show {known.id}",
    )


def acts_by_id(connection: Connection, ids: Sequence[int]) -> list[Act]:
    """These acts, in the order of their ids."""
    found: list[Act] = []
    for some in chunks(sorted(ids)):
        rows = connection.execute(select(acts).where(acts.c.id.in_(some)).order_by(acts.c.id))
        found += map(act_of, rows)
    return found


def latest_act(connection: Connection, policy_id: bytes) -> Act | None:
    """The act of a policy that comes last, of those that were not rejected."""
    statement = (
        select(acts)
        .where(acts.c.policy_id == policy_id, acts.c.stage != Stage.REJECTED.value)
        .order_by(acts.c.sequence.desc())
        .limit(1)
    )
    row = connection.execute(statement).one_or_none()
    return None if row is None else act_of(row)


def listed_acts(
    connection: Connection, stages: Collection[Stage], limit: int, before: int | None = None
) -> list[Act]:
    """The newest acts in one of the stages."""
    statement = select(acts).where(acts.c.stage.in_(sorted(stage.value for stage in stages)))
    if before is not None:
        statement = statement.where(acts.c.id < before)
    return [
        act_of(row) for row in connection.execute(statement.order_by(acts.c.id.desc()).limit(limit))
    ]


def is_taken(connection: Connection, act: Act) -> bool:
    """Whether another act has the place of one that was rejected."""
    place = (act.submission.policy.policy_id, act.submission.sequence)
    return place in _in_place(connection, [act.submission])


def staged_ids(connection: Connection, account: Address) -> list[int]:
    """The account's acts that are not in a block and were not refused."""
    wanted = [stage.value for stage in OPEN if stage is not Stage.INCLUDED]
    statement = select(acts.c.id).where(acts.c.account == account, acts.c.stage.in_(wanted))
    return list(connection.execute(statement.order_by(acts.c.id)).scalars())


def count_by_stage(connection: Connection) -> dict[Stage, int]:
    rows = connection.execute(select(acts.c.stage, func.count()).group_by(acts.c.stage))
    return {Stage(stage): int(number) for stage, number in rows}


def stages_of(connection: Connection, ids: Sequence[int]) -> dict[Stage, int]:
    """How many of these acts are in which stage."""
    found: dict[Stage, int] = {}
    for some in chunks(list(ids)):
        counted = select(acts.c.stage, func.count()).where(acts.c.id.in_(some))
        for stage, number in connection.execute(counted.group_by(acts.c.stage)):
            found[Stage(stage)] = found.get(Stage(stage), 0) + int(number)
    return found


def count_open(connection: Connection, account: Address, within: tuple[int, int]) -> int:
    """How many of the account's acts numbered `within` are in no block and were not refused."""
    statement = select(func.count()).where(
        acts.c.account == account,
        acts.c.stage.in_([Stage.STAGED.value, *WAITING]),
        acts.c.id.between(*within),
    )
    return int(connection.execute(statement).scalar_one())


def next_staged(
    connection: Connection, account: Address, within: tuple[int, int], limit: int
) -> list[Act]:
    """The oldest staged acts, of those numbered `within`, whose policies have none on its way:
    each is to be tried against the contract as it is, which does not have what is not in a
    block yet."""
    other = acts.alias("other")
    on_its_way = (
        select(other.c.id)
        .where(
            other.c.policy_id == acts.c.policy_id,
            other.c.stage.in_(WAITING),
            # What the index of those that are not rejected is found by.
            other.c.stage != Stage.REJECTED.value,
        )
        .exists()
    )
    statement = (
        select(acts)
        .where(
            acts.c.account == account,
            acts.c.stage == Stage.STAGED.value,
            acts.c.id.between(*within),
            ~on_its_way,
        )
        .order_by(acts.c.id)
        .limit(limit)
    )
    return [act_of(row) for row in connection.execute(statement)]


def acts_in(connection: Connection, transaction: int) -> list[Act]:
    """The acts that a transaction carries, in their order there."""
    statement = select(acts).where(acts.c.transaction == transaction).order_by(acts.c.place)
    return [act_of(row) for row in connection.execute(statement)]


def found_in_log(connection: Connection, account: Address, limit: int | None = None) -> list[Act]:
    """The account's acts that are in a block by none of the transactions that are kept here as
    theirs: one that was given up for lost, or another program's."""
    statement = select(acts).where(
        acts.c.account == account,
        acts.c.stage == Stage.INCLUDED.value,
        acts.c.transaction.is_(None),
    )
    return [act_of(row) for row in connection.execute(statement.order_by(acts.c.id).limit(limit))]


def note_reason(connection: Connection, act: Act, reason: str) -> None:
    connection.execute(update(acts).where(acts.c.id == act.id).values(reason=reason))


def note_entries(connection: Connection, entries: Iterable[tuple[int, int]]) -> None:
    """Where acts, by their ids, stand in the log."""
    values = [{"act": act, "at": entry} for act, entry in entries]
    if values:
        statement = update(acts).where(acts.c.id == bindparam("act")).values(entry=bindparam("at"))
        connection.execute(statement, values)


def settle_act(
    connection: Connection,
    act: Act,
    to: Stage,
    now: UnixSeconds,
    *,
    reason: str | None = None,
    entry: int | None = None,
) -> bool:
    """Move one act by itself; whether it still was where it was seen."""
    require_follows(act.stage, to)
    moved = connection.execute(
        update(acts)
        .where(acts.c.id == act.id, acts.c.stage == act.stage.value)
        .values(
            stage=to.value,
            reason=reason,
            entry=entry,
            changed_at=now,
            # What is in line anew is in no transaction.
            **({"transaction": None, "place": None} if to is Stage.STAGED else {}),
        )
    )
    return moved.rowcount == 1


def reject_later(connection: Connection, act: Act, now: UnixSeconds) -> None:
    """An act was refused: those after it on the same policy can not be recorded either."""
    connection.execute(
        update(acts)
        .where(
            acts.c.policy_id == act.submission.policy.policy_id,
            acts.c.sequence > act.submission.sequence,
            acts.c.stage == Stage.STAGED.value,
        )
        .values(
            stage=Stage.REJECTED.value,
            reason="an earlier act on this policy was refused",
            changed_at=now,
        )
    )


def _staged_row(
    account: Address, submission: Submission, called: str, source: str | None, now: UnixSeconds
) -> dict[str, Any]:
    return {
        "account": account,
        "policy_id": submission.policy.policy_id,
        "authority": submission.policy.authority,
        "number_hash": submission.policy.number_hash,
        "sequence": submission.sequence,
        "action": int(submission.action),
        "effective_on": submission.effective_on,
        "document": submission.document,
        "manifest": submission.manifest,
        "content": submission.content,
        "called": called,
        "source": source,
        "stage": Stage.STAGED.value,
        "staged_at": now,
        "changed_at": now,
    }


def _inserted(connection: Connection, fresh: list[dict[str, Any]]) -> list[int]:
    """Insert these; their ids, in their order. No other writer runs meanwhile, so what is
    numbered after all that there was is these."""
    if not fresh:
        return []
    before = connection.execute(select(func.coalesce(func.max(acts.c.id), 0))).scalar_one()
    connection.execute(insert(acts), fresh)
    statement = select(acts.c.id, acts.c.policy_id, acts.c.sequence).where(acts.c.id > before)
    made = {(row.policy_id, row.sequence): row.id for row in connection.execute(statement)}
    return [made[row["policy_id"], row["sequence"]] for row in fresh]


def _in_place(
    connection: Connection, submissions: Sequence[Submission]
) -> dict[tuple[bytes, int], Act]:
    """The acts that have these ones' places, by policy and sequence."""
    found: dict[tuple[bytes, int], Act] = {}
    for some in chunks(list({each.policy.policy_id for each in submissions})):
        statement = select(acts).where(
            acts.c.policy_id.in_(some), acts.c.stage != Stage.REJECTED.value
        )
        for row in connection.execute(statement):
            found[row.policy_id, row.sequence] = act_of(row)
    return found


def _same(one: Submission, other: Submission) -> bool:
    """Whether they are one act, whether or not the manifest's bytes go with it."""
    return (one.action, one.effective_on, one.document, one.manifest) == (
        other.action,
        other.effective_on,
        other.document,
        other.manifest,
    )
