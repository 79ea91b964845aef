"""An audit: every file of a folder, an archive or a list of addresses against the registry, and
what is expected of them.

One state of the registry answers for all files: where the mirror goes on meanwhile, those that
were checked before are checked again. What has been found is kept beside the report until that is
written, so that an audit that is interrupted goes on where it stood.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Protocol

from registry.core.auditing.findings import Finding, Missing, Seen, exit_code
from registry.core.auditing.report import Heading, Totals
from registry.core.calendar import iso_date
from registry.core.position import Position
from registry.core.units import Day, Digest
from registry.core.verdict import ExitCode, Match, Verdict
from registry.errors import CouldNotCheck, InputError, RegistryError
from registry.mirror.engine import Engine
from registry.services import answers
from registry.services.auditing.expected import Expected
from registry.services.auditing.sources import Item, how_many, items
from registry.services.auditing.worklist import AuditWorklist, files_of
from registry.services.hashing import hash_file
from registry.services.lookup import current_position
from registry.services.texts.reading import processors
from registry.services.verify import verify_digests

_BATCH = 256
_BATCH_BYTES = 64 * 2**20
_ROUNDS = 3

Progress = Callable[[int, int], None]
"""Called with how many files have been looked at, and about how many there are."""


_Hashed = tuple[Digest, int]
"""A file's SHA-256 and size."""


class Explains(Protocol):
    """What says of a file whose bytes are not registered what its text shows; threads share it."""

    def explain(self, verdict: Verdict, document: Path | bytes, name: str | None) -> Verdict: ...


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of every file: for which day, and of which authority it is to be."""

    on: Day
    authority: str | None = None
    explains: bool = True

    def key(self, source: str, position: Position) -> str:
        """What a finding answers: another registry, root, day or authority is another one. How
        final a block is only grows, and is told as it was when the file was checked."""
        asked = (
            source,
            position.chain_id,
            position.contract.hex(),
            position.size,
            position.root.hex(),
            iso_date(self.on),
            self.authority,
            self.explains,
        )
        return " ".join(map(str, asked))


@dataclass(frozen=True, slots=True)
class Audited:
    """The audit's end: its heading and totals; the findings are in the worklist."""

    heading: Heading
    totals: Totals


def audit(
    engine: Engine,
    source: Path,
    question: Question,
    expected: Expected | None,
    progress_file: Path,
    *,
    explainer: Explains | None,
    made_at: str,
    besides: Collection[Path] = (),
    progress: Progress | None = None,
) -> tuple[Audited, AuditWorklist]:
    """Check every file but those `besides`: the report, the index. Raises InputError for a source
    that can not be audited, CouldNotCheck where the mirror can not answer, or moves on faster than
    the files can be checked.
    """
    total = how_many(source)
    for _ in range(_ROUNDS):
        position = current_position(engine)
        worklist = AuditWorklist(progress_file, question.key(str(source.absolute()), position))
        try:
            own = [*besides, *files_of(progress_file)]
            names = _check(
                engine, items(source, own), question, worklist, explainer, total, progress
            )
        except BaseException:
            worklist.close()
            raise
        now = current_position(engine)
        if question.key("", now) == question.key("", position):
            worklist.keep_only(names)
            heading = Heading(
                str(source),
                made_at,
                iso_date(question.on),
                answers.context(now),
                None if expected is None else expected.said,
            )
            return Audited(heading, _totals(worklist, engine, question, expected)), worklist
        worklist.close()
    raise CouldNotCheck(
        "the mirror took new entries while the files were checked, again and again",
        hint="stop polreg sync --follow for so long, or audit a copy of the mirror",
    )


def _check(
    engine: Engine,
    found: Iterable[Item],
    question: Question,
    worklist: AuditWorklist,
    explainer: Explains | None,
    total: int,
    progress: Progress | None,
) -> list[str]:
    """Look at every file that was not looked at before; the names of all."""
    names: list[str] = []
    for batch in _batches(_named_apart(found)):
        hashed = [(each, _hashed(each)) for each in batch]
        fresh = [
            (each, result)
            for each, result in hashed
            if isinstance(result, RegistryError) or not worklist.has(each.name, result[0].hex())
        ]
        worklist.add(_found(engine, fresh, question, explainer))
        names += [each.name for each in batch]
        if progress is not None:
            progress(len(names), max(total, len(names)))
    return names


def _named_apart(found: Iterable[Item]) -> Iterator[Item]:
    """The same, each with a name of its own: an archive may hold two files of one name, and none
    of them may hide the other."""
    times: dict[str, int] = {}
    for each in found:
        name = each.name
        while name in times:
            times[each.name] += 1
            name = f"{each.name} [{times[each.name]}]"
        times[name] = 1
        yield replace(each, name=name)


def _batches(found: Iterable[Item]) -> Iterator[list[Item]]:
    batch: list[Item] = []
    size = 0
    for each in found:
        batch.append(each)
        size += 0 if each.content is None else len(each.content)
        if len(batch) == _BATCH or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _found(
    engine: Engine,
    hashed: Sequence[tuple[Item, _Hashed | RegistryError]],
    question: Question,
    explainer: Explains | None,
) -> Iterator[Finding]:
    digests = [each[0] for _, each in hashed if not isinstance(each, RegistryError)]
    _, verdicts = verify_digests(engine, digests, question.on)
    if question.authority is not None:
        verdicts = [each.expecting(question.authority) for each in verdicts]
    told = iter(_explained(hashed, verdicts, explainer))
    for item, result in hashed:
        if isinstance(result, RegistryError):
            wrong = isinstance(result, InputError)
            code = ExitCode.USAGE if wrong else ExitCode.COULD_NOT_CHECK
            yield Finding(item.name, 0, code, error=answers.error(result))
        else:
            verdict = next(told)
            shown = answers.verdict(verdict, question.on)
            yield Finding(item.name, result[1], verdict.exit_code, shown)


def _explained(
    hashed: Sequence[tuple[Item, _Hashed | RegistryError]],
    verdicts: Sequence[Verdict],
    explainer: Explains | None,
) -> list[Verdict]:
    """The same, where what is unknown has been read: several files at a time."""
    if explainer is None:
        return list(verdicts)
    read = [item for item, result in hashed if not isinstance(result, RegistryError)]

    def told(found: tuple[Item, Verdict]) -> Verdict:
        item, verdict = found
        if verdict.match is not Match.UNKNOWN:
            return verdict
        document = item.content if item.path is None else Path(item.path)
        if document is None:
            raise AssertionError("what was hashed has a path or bytes")
        return explainer.explain(verdict, document, PurePath(item.name).name)

    with ThreadPoolExecutor(processors()) as threads:
        return list(threads.map(told, zip(read, verdicts, strict=True)))


def _hashed(item: Item) -> _Hashed | RegistryError:
    if item.error is not None:
        return item.error
    if item.content is not None:
        return Digest(hashlib.sha256(item.content).digest()), len(item.content)
    if item.path is None:
        raise AssertionError("an item has a path, bytes or an error")
    try:
        found = hash_file(item.path)
    except RegistryError as error:
        return error
    return found.sha256, found.size


def _totals(
    worklist: AuditWorklist, engine: Engine, question: Question, expected: Expected | None
) -> Totals:
    seen = Seen()
    for each in worklist.findings():
        seen.add(each)
    missing: list[Missing] = []
    if expected is not None:
        missing = [
            *seen.missing(expected.in_force(engine, question.on)),
            *expected.misplaced(engine, worklist.findings()),
        ]
    return Totals(exit_code(seen.codes, missing), seen.counts, missing, seen.duplicates())
