"""Importing a back catalogue: many rows, few transactions, nothing twice.

What is already in the log is found by its digest and left alone, so an import that was
interrupted is simply run again. A batch that the contract would refuse is split until
the one row that it refuses is found; the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from registry.chain.client import Client
from registry.chain.sender import Sender, record_fits
from registry.core.backlog import (
    Known,
    Plan,
    Planned,
    Refused,
    Row,
    distinct_keys,
    parse_rows,
    plan,
)
from registry.core.draft import FileDescription
from registry.core.lifecycle import UNPUBLISHED, PolicyState, Status
from registry.core.policy import PolicyKey
from registry.core.submission import Submission
from registry.errors import InputError, LocalFailure, Rejected
from registry.mirror.engine import Engine, reading
from registry.mirror.queries import published_documents
from registry.services.publish import describe_file, record

DEFAULT_BATCH = 100
_IN_LIST = 500

Progress = Callable[[int, int], None]
"""Called with rows done and rows in all."""


@dataclass(slots=True)
class Imported:
    """What an import did with every row."""

    rows: int = 0
    published: int = 0
    present: int = 0
    transactions: int = 0
    gas_used: int = 0
    opened: list[str] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


def read_index(index: Path) -> tuple[list[Row], list[Refused]]:
    """The rows of an index file; raises InputError where it can not be read at all."""
    try:
        content = index.read_bytes()
    except OSError as error:
        reason = (error.strerror or "it can not be read").lower()
        raise InputError(f"the index {index}: {reason}") from None
    return parse_rows(content)


def describe_files(
    rows: Sequence[Row], root: Path, progress: Progress | None = None
) -> dict[str, FileDescription | str]:
    """Each row's file, or the reason why it can not be read. No row leaves `root`."""
    base = root.resolve()
    files: dict[str, FileDescription | str] = {}
    for number, row in enumerate(rows, 1):
        if row.path not in files:
            files[row.path] = _described(base, row)
        if progress:
            progress(number, len(rows))
    return files


def _described(base: Path, row: Row) -> FileDescription | str:
    path = base / row.path
    try:
        if not path.resolve().is_relative_to(base):
            return "its path leads out of the folder"
        described = describe_file(str(path), row.language)
    except (InputError, LocalFailure) as error:
        return str(error).replace(f"{path}: ", "").replace(f"{path} ", "it ")
    except (OSError, ValueError):
        return "its path can not be used"
    return described if described.size else "the file is empty"


def make_plan(rows: Sequence[Row], files: dict[str, FileDescription | str], engine: Engine) -> Plan:
    """Put the rows in order against what the mirror, freshly synced, holds."""
    return plan(rows, files, _known(engine, distinct_keys(rows)))


def run_plan(
    made: Plan,
    client: Client,
    sender: Sender,
    done: Imported,
    *,
    batch: int = DEFAULT_BATCH,
    progress: Progress | None = None,
) -> None:
    """Publish what is planned, in batches. `done` is right after every batch, whatever
    happens to the next."""
    waiting = list(made.drafts)
    total, failed = len(waiting), set[PolicyKey]()
    states = _states(client, [each.row.key for each in waiting])
    while waiting:
        some, submissions = _next_batch(waiting, states, batch, done, failed)
        if some:
            _record(some, submissions, client, sender, done, failed)
        if progress:
            progress(total - len(waiting), total)


def missing_authorities(rows: Iterable[Row], client: Client) -> list[str]:
    """The rows' authorities, and those above them, that are not open; parents first."""
    from registry.core.authority import ancestors

    codes = dict.fromkeys(row.authority for row in rows)
    needed = list(dict.fromkeys(each for code in codes for each in [*ancestors(code), code]))
    return [
        code
        for code, is_open in zip(needed, client.open_authorities(needed), strict=True)
        if not is_open
    ]


def _next_batch(
    waiting: list[Planned],
    states: dict[PolicyKey, PolicyState],
    batch: int,
    done: Imported,
    failed: set[PolicyKey],
) -> tuple[list[Planned], list[Submission]]:
    """Take as many acts from the front of `waiting` as fit into one transaction."""
    some: list[Planned] = []
    submissions: list[Submission] = []
    while waiting and len(some) < batch:
        planned = waiting[0]
        key = planned.row.key
        if key in failed:
            done.refused.append(_refused(planned, "an earlier version of it was refused"))
            waiting.pop(0)
            continue
        try:
            submission = planned.draft.submission(states[key])
        except (InputError, Rejected) as error:
            failed.add(key)
            done.refused.append(_refused(planned, str(error)))
            waiting.pop(0)
            continue
        if not record_fits([*submissions, submission]):
            break
        waiting.pop(0)
        some.append(planned)
        submissions.append(submission)
        states[key] = _after(states[key], submission)
    return some, submissions


def _record(
    some: list[Planned],
    submissions: list[Submission],
    client: Client,
    sender: Sender,
    done: Imported,
    failed: set[PolicyKey],
) -> None:
    """Record a batch; where the contract would refuse it, halve it until the row is found."""
    kept = [n for n, each in enumerate(some) if each.row.key not in failed]
    for number, each in enumerate(some):
        if number not in kept:
            done.refused.append(_refused(each, "an earlier version of it was refused"))
    some, submissions = [some[n] for n in kept], [submissions[n] for n in kept]
    if not some:
        return
    try:
        receipt = record(submissions, client, sender)
    except Rejected as error:
        if len(some) == 1:
            failed.add(some[0].row.key)
            done.refused.append(_refused(some[0], str(error)))
            return
        half = len(some) // 2
        _record(some[:half], submissions[:half], client, sender, done, failed)
        _record(some[half:], submissions[half:], client, sender, done, failed)
        return
    done.published += len(some)
    done.transactions += 1
    done.gas_used += receipt.gas_used


def _refused(planned: Planned, reason: str) -> Refused:
    return Refused(planned.row.line, planned.row.path, reason)


def _after(state: PolicyState, submission: Submission) -> PolicyState:
    return PolicyState(Status.IN_FORCE, submission.sequence, state.head, state.recorded_at)


def _states(client: Client, keys: Sequence[PolicyKey]) -> dict[PolicyKey, PolicyState]:
    distinct = list(dict.fromkeys(keys))
    states: dict[PolicyKey, PolicyState] = {}
    for at in range(0, len(distinct), _IN_LIST):
        some = distinct[at : at + _IN_LIST]
        states.update(zip(some, client.policies(some), strict=True))
    return states


def _known(engine: Engine, keys: Sequence[PolicyKey]) -> dict[PolicyKey, Known]:
    """What the mirror holds of each policy that is published."""
    by_id: dict[bytes, PolicyKey] = {key.policy_id: key for key in keys}
    known: dict[PolicyKey, Known] = {}
    with reading(engine) as connection:
        for row in published_documents(connection, list(by_id)):
            key = by_id[row.policy_id]
            before = known.get(key, Known())
            known[key] = Known(
                PolicyState(Status(row.status), row.sequence, None, UNPUBLISHED.recorded_at),
                before.documents | {row.document},
                row.issued if row.issued is not None else row.effective_on,
            )
    return known
