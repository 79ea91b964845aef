"""A policy's versions, and what is known here of their texts: for diff, blame and verify.

Versions are counted by Publish and Amend; a Correct replaces its version's document, so of a
version the last document counts, and of what changed each document does. What is not known here is
said, never taken for a text without clauses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from registry.core.entry import Action
from registry.core.position import Position
from registry.core.text.blaming import Blamed, blame
from registry.core.text.clauses import Clause, ClauseHash, TextRecord
from registry.core.text.comparing import compare, compare_texts
from registry.core.text.finding import Compared
from registry.core.units import Day, Digest, EntryIndex
from registry.errors import CouldNotCheck, InputError, NotVerified
from registry.mirror.engine import Connection, Engine, reading
from registry.mirror.texts import ClauseList, clause_list
from registry.mirror.versions import record_of_version, version_rows
from registry.services.hashing import hash_file
from registry.services.lookup import FoundPolicy, find_policy
from registry.services.texts.reading import Reader


@dataclass(frozen=True, slots=True)
class Version:
    """A document of a policy. `record` is None where its manifest says nothing of its text."""

    number: int
    entry: EntryIndex
    action: str
    document: Digest
    name: str | None
    since: Day | None
    recorded_at: int
    record: TextRecord | None


@dataclass(frozen=True, slots=True)
class Difference:
    """Two versions of a policy, compared."""

    position: Position
    policy: FoundPolicy
    old: Version
    new: Version
    compared: Compared


@dataclass(frozen=True, slots=True)
class Blame:
    """The clauses of a policy's current version, each with the one of `versions` that wrote it."""

    position: Position
    policy: FoundPolicy
    versions: tuple[Version, ...]
    known: tuple[bool, ...]
    clauses: tuple[Blamed, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a version's text: its clauses' hashes, and what they say."""

    hashes: Sequence[ClauseHash]
    texts: tuple[str, ...] | None


def compare_versions(
    engine: Engine,
    words: Sequence[str],
    on: Day,
    *,
    numbers: tuple[int | None, int | None] = (None, None),
    files: tuple[Path | None, Path | None] = (None, None),
    reader: Reader | None = None,
) -> Difference:
    """Compare two versions of a policy; without numbers the last two documents it had. A file that
    is given must be the registered one of its version: then what it says is shown.

    Raises InputError where there are no such versions, CouldNotCheck where what they say is not
    known here, NotVerified for a file that is another one.
    """
    policy = find_policy(engine, words, on)
    with reading(engine) as connection:
        versions = versions_of(connection, policy.row.id)
        old, new = chosen(versions, *numbers)
        held = [_held(connection, each) for each in (old, new)]
    known = []
    for version, found, file in zip((old, new), held, files, strict=True):
        if file is None or reader is None:
            known.append(_known(version, found))
        else:
            known.append(given(version, file, reader))
    return Difference(policy.position, policy, old, new, compared(*known))


def blame_policy(engine: Engine, words: Sequence[str], on: Day) -> Blame:
    """Which version last changed each clause of a policy's latest document. Raises CouldNotCheck
    where its clauses are not known here."""
    policy = find_policy(engine, words, on)
    with reading(engine) as connection:
        versions = versions_of(connection, policy.row.id)
        lists = [_held(connection, each) for each in versions]
    if lists[-1] is None:
        raise _not_known(versions[-1])
    told = blame([None if each is None else each.hashes for each in lists])
    known = tuple(each is not None for each in lists)
    return Blame(policy.position, policy, tuple(versions), known, tuple(told))


def versions_of(connection: Connection, policy: int) -> list[Version]:
    """The documents of a policy in the order of the log, by its number in the mirror. Raises
    InputError where it has none that is a file."""
    found = [_version(row) for row in version_rows(connection, policy)]
    if not found:
        raise InputError("this policy is a collection: it has members, and no text of its own")
    return found


def _version(row: Any) -> Version:
    return Version(
        number=int(row.version),
        entry=EntryIndex(row.entry),
        action=Action(row.action).word,
        document=Digest(row.document),
        name=row.name,
        since=Day(row.since),
        recorded_at=int(row.recorded_at),
        record=record_of_version(row),
    )


def chosen(
    versions: Sequence[Version], first: int | None, last: int | None
) -> tuple[Version, Version]:
    """The two versions of these numbers. Without any they are the last two documents; without the
    first it is the one before the last."""
    new = versions[-1] if last is None else numbered(versions, last)
    if first is not None:
        return numbered(versions, first), new
    before = [each for each in versions if each.entry < new.entry]
    if not before:
        raise InputError(
            f"version {new.number} is the policy's first document: there is none to compare it with"
        )
    return before[-1], new


def numbered(versions: Sequence[Version], number: int) -> Version:
    """The document that a version has now."""
    found = [each for each in versions if each.number == number]
    if not found:
        raise InputError(
            f"there is no version {number}: the policy has {versions[-1].number}",
            hint="see polreg history",
        )
    return found[-1]


def known_text(connection: Connection, version: Version) -> Known:
    """What is known here of a version's text. Raises CouldNotCheck."""
    return _known(version, _held(connection, version))


def _held(connection: Connection, version: Version) -> ClauseList | None:
    return None if version.record is None else clause_list(connection, version.record.root)


def _known(version: Version, held: ClauseList | None) -> Known:
    if held is None:
        raise _not_known(version)
    return Known(held.hashes, held.texts)


def _not_known(version: Version) -> CouldNotCheck:
    what = f"version {version.number} (entry {version.entry})"
    if version.record is None:
        return CouldNotCheck(
            f"the manifest of {what} says nothing of its text: which clauses it has is not known",
            hint="it was registered without a text profile; amend or correct it with one",
        )
    if version.record.salted:
        return CouldNotCheck(
            f"the clauses of {what} are salted: they are known to its registrar alone",
            hint="give its file with --old or --new where its salts are",
        )
    return CouldNotCheck(
        f"the clauses of {what} are not known here",
        hint="give its file with --old or --new, or import another mirror's log export",
    )


def given(version: Version, file: Path, reader: Reader) -> Known:
    """What a version says, by its file. Raises NotVerified where it is another file."""
    hashed = hash_file(file)
    if hashed.sha256 != version.document:
        raise NotVerified(
            f"{file} is not the document of version {version.number}: its SHA-256 is "
            f"{hashed.sha256.hex()}, not {version.document.hex()}",
            hint="polreg verify says which document it is",
        )
    text = reader.read(file, name=version.name or file.name)
    # A text that is read otherwise today than when it was registered is compared as it is read.
    return Known(text.hashed(), tuple(each.text for each in text.clauses))


def compared(old: Known, new: Known) -> Compared:
    """Two versions compared, by their texts where both are known."""
    if old.texts is not None and new.texts is not None:
        before, after = _clauses(old), _clauses(new)
        return Compared(compare_texts(before, after), old.texts, new.texts)
    return Compared(compare(old.hashes, new.hashes), old.texts, new.texts)


def _clauses(known: Known) -> list[Clause]:
    texts = known.texts or ()
    return [Clause(each.label, text) for each, text in zip(known.hashes, texts, strict=True)]
