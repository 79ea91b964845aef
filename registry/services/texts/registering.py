"""What is registered of a document's text when it is published, and what is kept here for it.

Before anything is sent the clauses' list is in the mirror, the salts are in their file, and the
document is in its store: a kill at any moment leaves at most what no entry tells of.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import repeat
from pathlib import Path
from typing import Protocol

from registry.config import Settings
from registry.core.draft import Draft, FileDescription
from registry.core.text.clauses import PROFILE, Text, TextRecord, clauses_root, record_of
from registry.core.text.list_file import Listed
from registry.core.units import Digest
from registry.errors import CouldNotCheck, InputError, UnreadableText
from registry.services.documents import Documents, documents_of
from registry.services.texts.reading import Opening, Reader, processors, read_text, text_reader
from registry.services.texts.salts import salts_for, salts_path

_SHORT = 1 << 16


@dataclass(frozen=True, slots=True)
class Choices:
    """What a registrar wants of a document's text. `salted`: each clause's hash has a salt;
    `keep`: the file, and what its clauses say, are kept here."""

    text: bool = True
    salted: bool = False
    keep: bool = False


class Lists(Protocol):
    """Where lists of clauses are kept: the mirror's (own_lists)."""

    def keep(self, lists: Sequence[Listed]) -> list[Digest]:
        """Keep these; the roots of those that are new."""

    def forget(self, roots: Sequence[Digest]) -> None:
        """Take away those of these that no manifest in the log tells of."""


@dataclass(frozen=True, slots=True)
class RegisteredText:
    """What became of one document: its record and its list, or why it has none. `text` is one that
    is still to be hashed; `changed`: the file is another one than was described, and is not to be
    published."""

    record: TextRecord | None = None
    listed: Listed | None = None
    cause: CouldNotCheck | None = None
    changed: InputError | None = None
    text: Text | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """Documents that are being read, for the drafts of which they are."""

    drafts: Sequence[Draft]
    paths: Sequence[Path]
    found: Iterable[RegisteredText]


@dataclass(slots=True)
class LeftOut:
    """Whose texts are not registered, by the cause, with what to do about it."""

    files: dict[str, list[str]] = field(default_factory=dict)
    hints: dict[str, str] = field(default_factory=dict)

    def add(self, path: Path, error: CouldNotCheck) -> None:
        cause = str(error).removeprefix(f"{path.name}: ")
        self.files.setdefault(cause, []).append(path.name)
        if error.hint:
            self.hints[cause] = error.hint


class Registering:
    """The texts of documents that are being published, as the choices have it."""

    def __init__(
        self,
        home: Path,
        lists: Lists | None,
        reader: Reader,
        threads: ThreadPoolExecutor,
        choices: Choices,
        documents: Documents | None,
    ) -> None:
        self._home, self._lists, self._documents = home, lists, documents
        self._reader, self._threads, self.choices = reader, threads, choices
        self.left_out = LeftOut()
        self._new: list[Digest] = []
        self._missing: CouldNotCheck | None = None

    def begin(self, drafts: Sequence[Draft], paths: Sequence[Path]) -> Reading:
        """Begin to read the documents of these drafts; goes on beside whatever comes next."""
        files = [draft.document for draft in drafts]
        found: Iterable[RegisteredText] = repeat(RegisteredText(), len(paths))
        if self.choices.text:
            found = self._threads.map(self._read, paths, files)
        return Reading(drafts, paths, found)

    def finished(self, begun: Reading) -> list[Draft | InputError]:
        """The drafts with what is registered of their documents' texts, or why one is not to be
        published; what belongs to them is kept. Raises LocalFailure where it can not be."""
        found = [
            self._hashed(draft, each) for draft, each in zip(begun.drafts, begun.found, strict=True)
        ]
        self._keep(begun)
        lists = [each.listed for each in found if each.listed is not None]
        if lists and self._lists is not None:
            self._new += self._lists.keep(lists)
        prepared: list[Draft | InputError] = []
        for draft, path, each in zip(begun.drafts, begun.paths, found, strict=True):
            if each.cause is not None:
                self.left_out.add(path, each.cause)
            prepared.append(each.changed or replace(draft, text=each.record))
        return prepared

    def prepared(self, drafts: Sequence[Draft], paths: Sequence[Path]) -> list[Draft | InputError]:
        """Both at once."""
        return self.finished(self.begin(drafts, paths))

    def salts_file(self, draft: Draft) -> Path | None:
        """Where the salts of a prepared draft are, if it has any."""
        if draft.text is None or not draft.text.salted or draft.document is None:
            return None
        return salts_path(self._home, draft.document.sha256, draft.text.root)

    def take_back(self) -> None:
        """Forget the lists that no entry came to tell of."""
        if self._new and self._lists is not None:
            self._lists.forget(self._new)
            self._new = []

    def _keep(self, begun: Reading) -> None:
        if self._documents is not None and self.choices.keep:
            for draft, path in zip(begun.drafts, begun.paths, strict=True):
                if draft.document is not None:
                    self._documents.keep(path, draft.document.sha256)

    def _read(self, path: Path, file: FileDescription | None) -> RegisteredText:
        if file is None:
            return RegisteredText()
        if self._missing is not None:
            return RegisteredText(cause=self._missing)
        try:
            return self._read_file(path, file)
        except InputError as error:
            return RegisteredText(changed=error)
        except UnreadableText as error:
            return RegisteredText(cause=error)
        except CouldNotCheck as error:
            # No library: it is the same for all of them.
            self._missing = error
            return RegisteredText(cause=error)

    def _read_file(self, path: Path, file: FileDescription) -> RegisteredText:
        text = read_text(self._reader, path, file)
        if sum(len(clause.text) for clause in text.clauses) < _SHORT:
            # Left to whoever waits for it: threads that compute keep it from going on.
            return RegisteredText(text=text)
        return self._registered(text, file)

    def _hashed(self, draft: Draft, each: RegisteredText) -> RegisteredText:
        if each.text is None or draft.document is None:
            return each
        return self._registered(each.text, draft.document)

    def _registered(self, text: Text, file: FileDescription) -> RegisteredText:
        if self.choices.salted:
            # Its list stays beside its salts: the labels may tell something.
            return RegisteredText(record_of(text, salts_for(self._home, file.sha256, text)))
        said = [each.text for each in text.clauses] if self.choices.keep else None
        hashes = text.hashed()
        root = clauses_root(hashes)
        record = TextRecord(PROFILE, text.digest, root, len(hashes), text.extractor)
        return RegisteredText(record, Listed(root, hashes, said))


@contextmanager
def registering(
    settings: Settings,
    lists: Lists | None,
    choices: Choices,
    *,
    opening: Opening = text_reader,
    workers: int | None = None,
) -> Iterator[Registering]:
    """What registers texts by these choices, into the home folder and among the lists, if those
    are given. Without `workers`, as many documents are read at once as there are processors."""
    at_once = workers or processors()
    documents = documents_of(settings) if choices.keep else None
    with opening(at_once) as reader, ThreadPoolExecutor(at_once) as threads:
        yield Registering(settings.home, lists, reader, threads, choices, documents)
