"""Importing a back catalogue: many rows, few transactions, nothing twice.

What is already in the log is found by its digest and left alone, and what is in the outbox
goes on from there, so an import that was interrupted is simply run again. A batch that the
contract would refuse is split until the one row that it refuses is found; the others go on.

Rows are kept in a `Worklist` and gone through some policies at a time, so that memory does not
grow with their number.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from registry.chain.client import Client
from registry.core.authority import ancestors
from registry.core.backlog import Known, Plan, Planned, not_utf8, plan, rows_in
from registry.core.draft import Draft, FileDescription
from registry.core.lifecycle import UNPUBLISHED, PolicyState, Status
from registry.core.outbox import Stage
from registry.core.policy import PolicyKey
from registry.core.ranges import Ranges
from registry.core.submission import Submission
from registry.errors import InputError, LocalFailure, Rejected
from registry.mirror import outbox as rows
from registry.mirror.engine import Engine, reading
from registry.mirror.outbox_costs import hashes_of
from registry.mirror.queries import documents_at, published_documents, transactions_of
from registry.services.hashing import describe_file
from registry.services.outbox import Outbox
from registry.services.texts.registering import Reading, Registering
from registry.services.worklist import Worklist

_PIECE = 1 << 20
_STAGED_AT_ONCE = 500
_EARLIER_REFUSED = "an earlier version of it was refused"

Progress = Callable[[int, int], None]
"""Called with rows done and rows in all."""


def read_index(index: Path, worklist: Worklist) -> None:
    """Take up the rows of an index file; raises InputError where it can not be read at all."""
    try:
        _require_utf8(index)
        with index.open(encoding="utf-8-sig", newline="") as lines:
            worklist.fill(rows_in(lines))
    except OSError as error:
        reason = (error.strerror or "it can not be read").lower()
        raise InputError(f"the index {index}: {reason}") from None


def _require_utf8(index: Path) -> None:
    """So that an index that is not is told of as a whole, and by where it is not."""
    decoder, before = codecs.getincrementaldecoder("utf-8")(), 0
    with index.open("rb") as file:
        while True:
            piece = file.read(_PIECE)
            kept = len(decoder.getstate()[0])
            try:
                decoder.decode(piece, final=not piece)
            except UnicodeDecodeError as error:
                raise not_utf8(before - kept + error.start) from None
            if not piece:
                return
            before += len(piece)


def describe_files(worklist: Worklist, root: Path, progress: Progress | None = None) -> None:
    """Read each row's file, or find why it can not be read. No row leaves `root`."""
    base = root.resolve()
    total = worklist.count_left()
    for number, path in enumerate(worklist.paths(), 1):
        if not worklist.knows_file(path):
            worklist.note_file(path, describe_within(base, path))
        if progress:
            progress(number, total)


def describe_within(base: Path, name: str, language: str | None = None) -> FileDescription | str:
    """A file of the resolved folder `base`, or why it can not be read, or is not to be."""
    path = base / name
    try:
        if not path.resolve().is_relative_to(base):
            return "its path leads out of the folder"
        described = describe_file(str(path), language)
    except (InputError, LocalFailure) as error:
        return str(error).replace(f"{path}: ", "").replace(f"{path} ", "it ")
    except (OSError, ValueError):
        return "its path can not be used"
    return described if described.size else "the file is empty"


def plans(worklist: Worklist, engine: Engine) -> Iterator[tuple[Plan, dict[PolicyKey, Known]]]:
    """What is to be done, some policies at a time, against what the mirror, freshly synced,
    holds of them. What is present or can not be published is noted."""
    for some in worklist.policies(_STAGED_AT_ONCE):
        known = _known(engine, list(dict.fromkeys(row.key for row in some)))
        made = plan(some, {row.path: worklist.file_of(row) for row in some}, known)
        for row in made.present:
            worklist.keep_present(row.line)
        for each in made.refused:
            worklist.refuse(each.line, each.reason)
        yield made, known


def submissions_of(
    made: Plan, known: dict[PolicyKey, Known], worklist: Worklist
) -> list[tuple[Planned, Submission]]:
    """The acts of a plan, each after the one before it on its policy. What can not be one is
    noted, with those after it."""
    states = {key: each.state for key, each in known.items()}
    found: list[tuple[Planned, Submission]] = []
    failed: set[PolicyKey] = set()
    for planned in made.drafts:
        key = planned.row.key
        if key in failed:
            worklist.refuse(planned.row.line, _EARLIER_REFUSED)
            continue
        try:
            submission = planned.draft.submission(states.get(key, UNPUBLISHED))
        except (InputError, Rejected) as error:
            failed.add(key)
            worklist.refuse(planned.row.line, str(error))
            continue
        found.append((planned, submission))
        states[key] = PolicyState(
            Status.IN_FORCE, submission.sequence, None, UNPUBLISHED.recorded_at
        )
    return found


def stage_all(
    worklist: Worklist,
    engine: Engine,
    outbox: Outbox,
    texts: tuple[Registering, Path] | None = None,
    progress: Progress | None = None,
) -> Ranges:
    """Write all that is to be published into the outbox, so that what is cut off goes on where
    it was when the same import is run again; the acts. The first are on their way meanwhile.
    `texts` registers what the files below a folder say."""
    acts = Ranges()
    done, total = 0, worklist.count_left()
    batches = plans(worklist, engine)
    if texts is not None:
        batches = _with_texts(batches, worklist, *texts)
    for made, known in batches:
        acted = submissions_of(made, known, worklist)
        placed = outbox.place(
            [submission for _, submission in acted],
            [planned.draft.called for planned, _ in acted],
            [f"{planned.row.path} (line {planned.row.line})" for planned, _ in acted],
        )
        for (planned, _), each in zip(acted, placed, strict=True):
            if isinstance(each, rows.Conflict):
                worklist.refuse(planned.row.line, each.reason)
            else:
                worklist.note_act(planned.row.line, each)
                acts.add(each)
        done += len(made.drafts) + len(made.present) + len(made.refused)
        if progress is not None:
            progress(done, total)
        if len(acts):
            outbox.push((acts.all[0][0], acts.all[-1][1]))
    return acts


_Plans = Iterator[tuple[Plan, dict[PolicyKey, Known]]]


def _with_texts(some: _Plans, worklist: Worklist, texts: Registering, root: Path) -> _Plans:
    """The plans with what their files say. While one is acted upon the next one's are read."""
    before: tuple[Plan, dict[PolicyKey, Known], Reading] | None = None
    for made, known in some:
        paths = [root / planned.row.path for planned in made.drafts]
        begun = texts.begin([planned.draft for planned in made.drafts], paths)
        if before is not None:
            _complete(before[0], worklist, texts.finished(before[2]), root)
            yield before[:2]
        before = made, known, begun
    if before is not None:
        _complete(before[0], worklist, texts.finished(before[2]), root)
        yield before[:2]


def _complete(
    made: Plan, worklist: Worklist, prepared: Sequence[Draft | InputError], root: Path
) -> None:
    """Put the completed drafts into a plan. A file that is another one by now is noted, with the
    later versions of its policy."""
    kept: list[Planned] = []
    failed: set[PolicyKey] = set()
    for planned, draft in zip(made.drafts, prepared, strict=True):
        row = planned.row
        if isinstance(draft, InputError) or row.key in failed:
            failed.add(row.key)
            reason = str(draft) if isinstance(draft, InputError) else _EARLIER_REFUSED
            worklist.refuse(row.line, reason.replace(f"{root / row.path} ", "it "))
        else:
            kept.append(Planned(row, draft))
    made.drafts[:] = kept


def settle(worklist: Worklist, engine: Engine) -> Ranges:
    """Note what became of every row by what the outbox and the mirror have; the transactions
    that carry what is in a block."""
    carriers = Ranges()
    for lines in worklist.with_acts():
        with reading(engine) as connection:
            acts = rows.acts_by_id(connection, list(lines))
            known = hashes_of(connection, {act.transaction for act in acts if act.transaction})
            # Found on the chain, with no transaction of this outbox.
            others = transactions_of(
                connection, {act.entry for act in acts if act.entry and not act.transaction}
            )
        for act in acts:
            line = lines[act.id]
            if act.stage is Stage.REJECTED:
                worklist.refuse(line, act.reason or "it was refused")
            elif act.stage in {Stage.INCLUDED, Stage.FINALIZED}:
                if act.transaction is not None:
                    carriers.add(act.transaction)
                    worklist.publish(line, act.entry, known[act.transaction])
                else:
                    worklist.publish(line, act.entry, others.get(act.entry or 0))
    for some in worklist.present():
        with reading(engine) as connection:
            places = documents_at(connection, {policy_id for policy_id, _ in some.values()})
        for line, pair in some.items():
            if pair in places:
                worklist.note_entry(line, *places[pair])
    return carriers


def missing_authorities(codes: Sequence[str], client: Client) -> list[str]:
    """These authorities, and those above them, that are not open; parents first."""
    needed = list(dict.fromkeys(each for code in codes for each in [*ancestors(code), code]))
    return [
        code
        for code, is_open in zip(needed, client.open_authorities(needed), strict=True)
        if not is_open
    ]


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
