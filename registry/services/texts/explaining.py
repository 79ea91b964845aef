"""What is known of a file whose bytes are unknown: by its text.

Steps 4 and 5 of a check (core.text.finding). The text's digest finds the documents that say the
same; else the clauses' hashes find the registered text of which the file is an altered copy. A
file that can not be read, or a text that can not be compared, is a note: what was found of the
bytes stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path

from registry.core.position import Position
from registry.core.text.clauses import ClauseHash, Text, text_hash
from registry.core.text.comparing import Change
from registry.core.text.differing import LARGEST, Registered
from registry.core.text.finding import (
    COMPARED,
    NAMED,
    READ,
    Altered,
    Document,
    SameText,
    TextFinding,
    is_version,
)
from registry.core.units import Day, Digest
from registry.core.verdict import Match, Verdict, by_weight
from registry.errors import CouldNotCheck, NotFound, RegistryError, UnreadableText
from registry.mirror.engine import Connection, Engine, reading
from registry.mirror.nearest import KEYS, nearest
from registry.mirror.registrations import registrations
from registry.mirror.text_rows import hash_key
from registry.mirror.texts import (
    RegisteredText,
    by_root,
    by_text_digest,
    clause_list,
    texts_of_entries,
)
from registry.mirror.versions import described
from registry.services.documents import Documents, content_of
from registry.services.lookup import find_policy
from registry.services.texts.packaging import named_differences
from registry.services.texts.reading import Reader
from registry.services.texts.salts import Salted, salted_of_root
from registry.services.texts.versions import (
    Known,
    Version,
    compared,
    known_text,
    numbered,
    versions_of,
)
from registry.services.verify import CheckedFile, required_position

MOST_SAME = 20
"""So many documents with the same text are named."""
MOST_SALTS = 2_000
"""Of a salted document so many clauses are tried for one that was moved."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How texts are looked at: `against` names a policy, and maybe a version of it; `accepted`:
    the same text is as good as the same bytes."""

    on: Day
    against: tuple[str, ...] | None = None
    version: int | None = None
    accepted: bool = False


class Explainer:
    """Explains files of unknown bytes from one mirror, with one reader."""

    def __init__(
        self,
        engine: Engine,
        reader: Reader,
        asked: Asked,
        documents: Documents | None = None,
        home: Path | None = None,
    ) -> None:
        """`documents` are those that are kept here; `home` is the folder that has the salts of
        confidential ones."""
        self._engine = engine
        self._reader = reader
        self._asked = asked
        self._documents = documents
        self._home = home

    def files(
        self, checked: Iterable[CheckedFile], progress: Callable[[int], None] | None = None
    ) -> list[CheckedFile]:
        """The same, each file of unknown bytes with what its text shows. `progress` is called with
        how many were read."""
        told, done = [], 0
        for each in checked:
            verdict = each.verdict
            if verdict is None or verdict.match is not Match.UNKNOWN:
                told.append(each)
                continue
            path = Path(each.path)
            told.append(replace(each, verdict=self.explain(verdict, path, path.name)))
            done += 1
            if progress is not None:
                progress(done)
        return told

    def explain(self, verdict: Verdict, document: Path | bytes, name: str | None) -> Verdict:
        """The verdict on a file of unknown bytes, with what its text shows.

        Raises InputError where the policy to compare with is not there.
        """
        try:
            text = self._reader.read(document, name=name)
        except UnreadableText as error:
            return self._noted(verdict, TextFinding(note=f"its text was not read: {error}"))
        except CouldNotCheck as error:
            hint = f" ({error.hint})" if error.hint else ""
            return self._noted(verdict, TextFinding(note=f"its text was not read: {error}{hint}"))
        with reading(self._engine) as connection:
            return self._of_text(connection, verdict, text, document, name)

    def _of_text(
        self,
        connection: Connection,
        verdict: Verdict,
        text: Text,
        document: Path | bytes,
        name: str | None,
    ) -> Verdict:
        position = required_position(connection)
        same = self._same(connection, position, text, document, name)
        if self._asked.against is not None:
            # Whoever names a version wants to see the clauses, whatever else says the same.
            found = self._with_named(connection, position, text, self._asked.against)
            return self._noted(verdict, replace(found, same=same), READ, NAMED)
        if same:
            return self._noted(verdict, TextFinding(text, same), READ)
        altered = self._nearest(connection, position, text)
        return self._noted(verdict, TextFinding(text, altered=altered), READ, COMPARED)

    def _noted(self, verdict: Verdict, found: TextFinding, *steps: str) -> Verdict:
        return verdict.with_text(found, steps, accepted=self._asked.accepted)

    def _same(
        self,
        connection: Connection,
        position: Position,
        text: Text,
        document: Path | bytes,
        name: str | None,
    ) -> tuple[SameText, ...]:
        registered = by_text_digest(connection, text.digest)
        distinct = list({each.document: each for each in registered}.values())[:MOST_SAME]
        if not distinct:
            return ()
        content = _loaded(document)
        found = [self._document(connection, position, each) for each in distinct]
        told = [
            SameText(each, named_differences(content, name, self._registered(each)))
            for each in found
        ]
        lead = by_weight([each for same in told for each in same.document.registrations])
        order = {registration.entry: at for at, registration in enumerate(lead)}
        told.sort(
            key=lambda same: min(
                (order[r.entry] for r in same.document.registrations), default=len(order)
            )
        )
        return tuple(told)

    def _registered(self, document: Document) -> Registered:
        return Registered(
            document.sha256,
            document.size,
            document.media_type,
            document.name,
            self._kept(document.sha256),
        )

    def _kept(self, sha256: Digest) -> bytes | None:
        if self._documents is None:
            return None
        try:
            return content_of(self._documents, sha256)
        except RegistryError:
            # It is only wanted to say more: fsck tells what is wrong with it.
            return None

    def _document(
        self, connection: Connection, position: Position, found: RegisteredText
    ) -> Document:
        known = registrations(
            connection,
            [found.document],
            self._asked.on,
            position.finality,
            closed=position.closed is not None,
        )
        name, media_type, size = described(connection, found.document, found.entry, found.member)
        told = by_weight(known.get(found.document, []))
        return Document(found.document, found.record, told, name, media_type, size)

    def _nearest(self, connection: Connection, position: Position, text: Text) -> Altered | None:
        hashes = text.hashed()
        distinct = {each.text_hash for each in hashes}
        asked = min(len(distinct), KEYS)
        for near in nearest(connection, [hash_key(each) for each in distinct]):
            if not is_version(near.shared, asked, near.weight):
                continue
            held = clause_list(connection, near.root)
            registered = by_root(connection, near.root)
            if held is None or not registered:
                continue
            found = Known(held.hashes, held.texts)
            # The same clauses may be those of several documents: the first says so.
            document = self._document(connection, position, registered[0])
            return Altered(document, compared(found, _known(text)))
        return None

    def _with_named(
        self, connection: Connection, position: Position, text: Text, words: Sequence[str]
    ) -> TextFinding:
        policy = find_policy(self._engine, words, self._asked.on)
        versions = versions_of(connection, policy.row.id)
        number = self._asked.version
        version = versions[-1] if number is None else numbered(versions, number)
        try:
            known, mine = self._known(connection, version, text)
        except (CouldNotCheck, NotFound) as error:
            return TextFinding(text, note=f"it was not compared: {error}")
        told = compared(known, mine)
        if not told.comparison.shared and not told.comparison.of(Change.CHANGED):
            called = f"version {version.number} (entry {version.entry})"
            return TextFinding(text, note=f"it has no clause of {called}")
        if told.comparison.is_same:
            return TextFinding(text)
        registered = texts_of_entries(connection, [version.entry])[version.entry]
        document = self._document(connection, position, registered)
        return TextFinding(text, altered=Altered(document, told))

    def _known(self, connection: Connection, version: Version, text: Text) -> tuple[Known, Known]:
        """What a version says and what the file does, in hashes that can be compared: those of a
        salted version with its salts, where they are here. Raises CouldNotCheck."""
        if version.record is None or not version.record.salted or self._home is None:
            return known_text(connection, version), _known(text)
        salted = salted_of_root(self._home, version.record.root)
        return Known(salted.hashes, None), Known(with_salts(text, salted), _known(text).texts)


def _known(text: Text) -> Known:
    return Known(text.hashed(), tuple(each.text for each in text.clauses))


def with_salts(text: Text, salted: Salted) -> list[ClauseHash]:
    """The clauses of a text, each hashed with the salt of the registered clause that says the same,
    of the same label first; else without any, so that it is like none."""
    by_label: dict[str, list[tuple[ClauseHash, bytes]]] = {}
    for each, salt in zip(salted.hashes, salted.salts, strict=True):
        by_label.setdefault(each.label, []).append((each, salt))
    told = []
    for clause in text.clauses:
        near = by_label.get(clause.label, [])
        rest = (pair for label, some in by_label.items() if label != clause.label for pair in some)
        body = clause.body
        says_so = any(
            text_hash(body, salt) == (found := each).text_hash
            for each, salt in chain(near, islice(rest, MOST_SALTS))
        )
        told.append(ClauseHash(clause.label, found.text_hash) if says_so else clause.hashed())
    return told


def _loaded(document: Path | bytes) -> bytes:
    if isinstance(document, bytes):
        return document
    try:
        with document.open("rb") as file:
            return file.read(8 * LARGEST)
    except OSError:
        return b""
