"""The outbox's rows: acts that are to be recorded, and the transactions that carry them.

Every function runs in the caller's transaction and moves a stage only from where it is said
to be, so that of two processes that saw the same thing one moves it and the other finds it
moved. What may follow what is `core.outbox.FOLLOWS`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, insert, select, update

from registry.core.entry import Action
from registry.core.outbox import FOLLOWS, OPEN, UNDER_WAY, Attempt, Fees, Stage
from registry.core.policy import PolicyKey
from registry.core.submission import Submission
from registry.core.units import Address, BlockNumber, Day, Digest, UnixSeconds
from registry.errors import Rejected
from registry.mirror.schema import acts, transactions

_IN_LIST = 500
_UNDER_WAY = sorted(stage.value for stage in UNDER_WAY)
_WAITING = [stage for stage in _UNDER_WAY if stage != Stage.INCLUDED.value]
_OLDEST, _NEWEST = 32, 100
_CANCELLING = "it is being cancelled"


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
    for some in _chunks(sorted(ids)):
        rows = connection.execute(select(acts).where(acts.c.id.in_(some)).order_by(acts.c.id))
        found += map(_act, rows)
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
    return None if row is None else _act(row)


def listed_acts(
    connection: Connection, stages: Collection[Stage], limit: int, before: int | None = None
) -> list[Act]:
    """The newest acts in one of the stages."""
    statement = select(acts).where(acts.c.stage.in_(sorted(stage.value for stage in stages)))
    if before is not None:
        statement = statement.where(acts.c.id < before)
    return [
        _act(row) for row in connection.execute(statement.order_by(acts.c.id.desc()).limit(limit))
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


def accounts_under_way(connection: Connection) -> list[Address]:
    """The accounts that have transactions of which something may still come, or acts that were
    found in the log and are not final."""
    sent = select(transactions.c.account).where(transactions.c.stage.in_(_UNDER_WAY))
    known = connection.execute(select(acts.c.account).distinct()).scalars()
    found = {each for each in known if found_in_log(connection, Address(each), limit=1)}
    return [
        Address(each) for each in sorted({*connection.execute(sent.distinct()).scalars(), *found})
    ]


def count_by_stage(connection: Connection) -> dict[Stage, int]:
    rows = connection.execute(select(acts.c.stage, func.count()).group_by(acts.c.stage))
    return {Stage(stage): int(number) for stage, number in rows}


def stages_of(connection: Connection, ids: Sequence[int]) -> dict[Stage, int]:
    """How many of these acts are in which stage."""
    found: dict[Stage, int] = {}
    for some in _chunks(list(ids)):
        counted = select(acts.c.stage, func.count()).where(acts.c.id.in_(some))
        for stage, number in connection.execute(counted.group_by(acts.c.stage)):
            found[Stage(stage)] = found.get(Stage(stage), 0) + int(number)
    return found


def count_open(connection: Connection, account: Address, within: tuple[int, int]) -> int:
    """How many of the account's acts numbered `within` are in no block and were not refused."""
    statement = select(func.count()).where(
        acts.c.account == account,
        acts.c.stage.in_([Stage.STAGED.value, *_WAITING]),
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
            other.c.stage.in_(_WAITING),
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
    return [_act(row) for row in connection.execute(statement)]


def acts_in(connection: Connection, transaction: int) -> list[Act]:
    """The acts that a transaction carries, in their order there."""
    statement = select(acts).where(acts.c.transaction == transaction).order_by(acts.c.place)
    return [_act(row) for row in connection.execute(statement)]


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
    _require_follows(Stage(before.stage), Stage.SIGNED)
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
    waiting = select(nonce).where(mine, transactions.c.stage.in_(_WAITING))
    nonces = set(connection.execute(waiting).scalars())
    if included:
        settled = select(nonce).where(mine, transactions.c.stage == Stage.INCLUDED.value)
        for order, limit in ((nonce, _OLDEST), (nonce.desc(), _NEWEST)):
            nonces |= set(connection.execute(settled.order_by(order).limit(limit)).scalars())
    found: dict[int, list[Transaction]] = {}
    outbid = transactions.c.stage == Stage.REPLACED.value
    for some in _chunks(sorted(nonces)):
        # One that was outbid may be the one that was mined, and that stands again after a
        # reorganisation took it back.
        statement = (
            select(*_LIGHT)
            .where(mine, nonce.in_(some), transactions.c.stage.in_(_UNDER_WAY) | outbid)
            .order_by(nonce, outbid, transactions.c.id.desc())
        )
        for row in connection.execute(statement):
            found.setdefault(row.nonce, []).append(_transaction(row))
    return found


def move_transaction(
    connection: Connection, before: Transaction, to: Stage, now: UnixSeconds, **also: Any
) -> bool:
    """Move a transaction and the acts that it carries from the stage in which it was seen;
    whether it still was there."""
    _require_follows(before.attempt.stage, to)
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


def note_reason(connection: Connection, act: Act, reason: str) -> None:
    connection.execute(update(acts).where(acts.c.id == act.id).values(reason=reason))


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
        transactions.c.account == account, transactions.c.stage.in_(_WAITING)
    )
    return int(connection.execute(statement).scalar_one())


def waiting_since(connection: Connection, account: Address) -> dict[int, UnixSeconds]:
    """The nonces with which something is signed and in no block, and when it first was: what is
    outbid again and again waits all the same."""
    mine = transactions.c.account == account
    waiting = select(transactions.c.nonce).where(mine, transactions.c.stage.in_(_WAITING))
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
        _transaction(row)
        for row in connection.execute(statement.order_by(transactions.c.id.desc()))
    ]


def gas_used(connection: Connection, numbers: Sequence[int]) -> int:
    """What these transactions used in all."""
    used = 0
    for some in _chunks(list(numbers)):
        statement = select(func.sum(transactions.c.gas_used)).where(transactions.c.id.in_(some))
        used += int(connection.execute(statement).scalar() or 0)
    return used


def transaction_by_id(connection: Connection, number: int) -> Transaction:
    row = connection.execute(select(transactions).where(transactions.c.id == number)).one()
    return _transaction(row)


def found_in_log(connection: Connection, account: Address, limit: int | None = None) -> list[Act]:
    """The account's acts that are in a block by none of the transactions that are kept here as
    theirs: one that was given up for lost, or another program's."""
    statement = select(acts).where(
        acts.c.account == account,
        acts.c.stage == Stage.INCLUDED.value,
        acts.c.transaction.is_(None),
    )
    return [_act(row) for row in connection.execute(statement.order_by(acts.c.id).limit(limit))]


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
    for some in _chunks(list(ids)):
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
    _require_follows(act.stage, to)
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
    for some in _chunks(list({each.policy.policy_id for each in submissions})):
        statement = select(acts).where(
            acts.c.policy_id.in_(some), acts.c.stage != Stage.REJECTED.value
        )
        for row in connection.execute(statement):
            found[row.policy_id, row.sequence] = _act(row)
    return found


def _require_follows(before: Stage, after: Stage) -> None:
    if after not in FOLLOWS[before]:
        raise AssertionError(f"{after} does not follow {before}")


def _same(one: Submission, other: Submission) -> bool:
    """Whether they are one act, whether or not the manifest's bytes go with it."""
    return (one.action, one.effective_on, one.document, one.manifest) == (
        other.action,
        other.effective_on,
        other.document,
        other.manifest,
    )


def _act(row: Any) -> Act:
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


def _transaction(row: Any) -> Transaction:
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


_LIGHT = [column for column in transactions.c if column.name not in {"raw", "data"}]


def _chunks(values: list[Any]) -> Iterable[list[Any]]:
    return (values[at : at + _IN_LIST] for at in range(0, len(values), _IN_LIST))
