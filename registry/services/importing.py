"""Importing a back catalogue: many rows, few transactions, nothing twice.

What is already in the log is found by its digest and left alone, and what is in the outbox
goes on from there, so an import that was interrupted is simply run again. A batch that the
contract would refuse is split until the one row that it refuses is found; the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from registry.chain.client import Client
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
from registry.core.outbox import Stage
from registry.core.policy import PolicyKey
from registry.core.submission import Submission
from registry.errors import InputError, LocalFailure, Rejected
from registry.mirror.engine import Engine, reading
from registry.mirror.queries import published_documents
from registry.services.outbox import Outbox
from registry.services.publish import describe_file

_IN_LIST = 500
_STAGED_AT_ONCE = 1000

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
    outbox: Outbox,
    done: Imported,
    *,
    progress: Progress | None = None,
) -> None:
    """Publish what is planned. All of it is written into the outbox first, so that what is cut
    off goes on where it was when the same import is run again."""
    lines: dict[int, Planned] = {}
    states = _states(client, [each.row.key for each in made.drafts])
    failed: set[PolicyKey] = set()
    for at in range(0, len(made.drafts), _STAGED_AT_ONCE):
        some = made.drafts[at : at + _STAGED_AT_ONCE]
        lines |= _staged(some, states, outbox, done, failed)
    acts = outbox.drive(sorted(lines), progress=progress)
    transactions = {act.transaction for act in acts if act.transaction is not None}
    done.transactions += len(transactions)
    done.gas_used += outbox.gas_used(transactions)
    for act in acts:
        if act.stage is Stage.REJECTED:
            done.refused.append(_refused(lines[act.id], act.reason or "it was refused"))
        else:
            done.published += 1


def _staged(
    some: Sequence[Planned],
    states: dict[PolicyKey, PolicyState],
    outbox: Outbox,
    done: Imported,
    failed: set[PolicyKey],
) -> dict[int, Planned]:
    """Write these into the outbox; which act each became."""
    taken: list[Planned] = []
    submissions: list[Submission] = []
    for planned in some:
        key = planned.row.key
        if key in failed:
            done.refused.append(_refused(planned, "an earlier version of it was refused"))
            continue
        try:
            submission = planned.draft.submission(states[key])
        except (InputError, Rejected) as error:
            failed.add(key)
            done.refused.append(_refused(planned, str(error)))
            continue
        taken.append(planned)
        submissions.append(submission)
        states[key] = _after(states[key], submission)
    called = [each.draft.called for each in taken]
    sources = [f"{each.row.path} (line {each.row.line})" for each in taken]
    return dict(zip(outbox.stage(submissions, called, sources), taken, strict=True))


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
