"""Checking documents against the mirror.

Steps, numbered once and cited in every answer: 1 the file's SHA-256; 2 a look-up of
that digest in the mirror of the log; 3 the policy's acts put in order up to the date
asked about, where they settle it (core.verdict.unsettled). The mirror was compared with
the contract's root when it was synced; what it was not compared with since is not claimed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from registry.core.position import Position
from registry.core.units import Day, Digest
from registry.core.verdict import Evidence, ExitCode, Match, Registration, Verdict, by_weight
from registry.errors import CouldNotCheck, InputError, RegistryError
from registry.mirror.engine import Connection, Engine, reading
from registry.mirror.members import count_not_held
from registry.mirror.position import closed_at, read_position
from registry.mirror.registrations import registrations
from registry.services.freshness import require_size
from registry.services.hashing import HashedFile, files_below, hash_file

HASHED = "1: SHA-256 of the bytes"
FOUND = "2: found in the mirror of the log"
NOT_FOUND = "2: not in the mirror of the log"
DATED = "3: standing on the date from the policy's acts"

Progress = Callable[[int, int], None]
"""Called with files done and files in all."""

_REPORT_EVERY = 100


def verify_digests(
    engine: Engine, digests: Sequence[Digest], on: Day
) -> tuple[Position, list[Verdict]]:
    """A verdict for each digest, all from one moment of the mirror.

    Raises CouldNotCheck where the mirror has never been synced.
    """
    with reading(engine) as connection:
        position = required_position(connection)
        distinct = list(dict.fromkeys(digests))
        closed = position.closed is not None
        known = registrations(connection, distinct, on, position.finality, closed=closed)
        # Only what is not found may be in a collection whose members are not known here.
        unsearched = count_not_held(connection) if len(known) < len(distinct) else 0
    verdicts = {digest: _verdict(digest, known.get(digest, ()), unsearched) for digest in distinct}
    return position, [verdicts[digest] for digest in digests]


def required_position(connection: Connection) -> Position:
    """Where the mirror stands. Raises CouldNotCheck where it has never held the whole log:
    what is missing from a part of it may well be in the registry; and where it has less than
    was asked for (`freshness`). Says whether it was closed."""
    position = read_position(connection)
    if position is None:
        raise CouldNotCheck("the mirror has never been synced", hint="run polreg sync")
    if position.synced_at is None:
        raise CouldNotCheck(
            f"the mirror's first sync is not finished: it stands at block {position.block}",
            hint="run polreg sync",
        )
    require_size(position)
    return replace(position, closed=closed_at(connection, position.size))


def _verdict(digest: Digest, known: Sequence[Registration], unsearched: int) -> Verdict:
    if not known:
        looked = (HASHED, NOT_FOUND)
        return Verdict(digest, Match.UNKNOWN, (), Evidence.MIRROR, looked, unsearched)
    found = by_weight(known)
    steps = (HASHED, FOUND) if found[0].standing is None else (HASHED, FOUND, DATED)
    return Verdict(digest, Match.EXACT, found, Evidence.MIRROR, steps)


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file's verdict, or why it could not be checked."""

    path: str
    size: int
    verdict: Verdict | None
    error: RegistryError | None = None

    @property
    def exit_code(self) -> ExitCode:
        if self.verdict is not None:
            return self.verdict.exit_code
        wrong = isinstance(self.error, InputError)
        return ExitCode.USAGE if wrong else ExitCode.COULD_NOT_CHECK

    @property
    def word(self) -> str:
        """How a summary counts it."""
        if self.verdict is None:
            return "could_not_check"
        if self.verdict.exit_code is ExitCode.COULD_NOT_CHECK and self.verdict.unsearched:
            return "not_found_here"
        if self.verdict.only_by_others:
            return f"{self.verdict.match.value}, not by {self.verdict.expected}"
        told = self.verdict.standing or self.verdict.unsettled
        said = self.verdict.match.value + (f", {told.value}" if told else "")
        return said + (", by a reported key" if self.verdict.doubted else "")


def verify_files(
    engine: Engine,
    paths: Sequence[Path],
    on: Day,
    progress: Progress | None = None,
    authority: str | None = None,
) -> tuple[Position, list[CheckedFile]]:
    """A verdict for each file, and for each file below each folder, in order; with `authority`,
    for documents that are to be that authority's.

    A file that can not be read is an answer of its own and never stops the others.
    """
    hashed: list[HashedFile | CheckedFile] = []
    waiting = list(_walk(paths))
    for number, found in enumerate(waiting, 1):
        hashed.append(_hashed(found) if isinstance(found, str) else found)
        if progress and number % _REPORT_EVERY == 0:
            progress(number, len(waiting))
    digests = [each.sha256 for each in hashed if isinstance(each, HashedFile)]
    position, verdicts = verify_digests(engine, digests, on)
    if authority is not None:
        verdicts = [each.expecting(authority) for each in verdicts]
    following = iter(verdicts)
    return position, [
        CheckedFile(each.path, each.size, next(following)) if isinstance(each, HashedFile) else each
        for each in hashed
    ]


def _walk(paths: Sequence[Path]) -> Iterator[str | CheckedFile]:
    for path in paths:
        if not path.is_dir():
            yield str(path)
            continue
        empty = True
        for found in files_below(path):
            empty = False
            yield found if isinstance(found, str) else CheckedFile(str(path), 0, None, found)
        if empty:
            yield CheckedFile(str(path), 0, None, InputError(f"{path} holds no file"))


def _hashed(path: str) -> HashedFile | CheckedFile:
    try:
        return hash_file(path)
    except RegistryError as error:
        return CheckedFile(path, 0, None, error)
