"""What the text of a file shows where its bytes are unknown: which registered documents say the
same, or of which one it is an altered copy, and in which clauses. No IO.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from registry.core.text.clauses import Text, TextRecord
from registry.core.text.comparing import Change, Comparison, Row
from registry.core.text.differing import Difference
from registry.core.text.locating import locate
from registry.core.text.redline import Kind, Run, redline
from registry.core.units import Digest

if TYPE_CHECKING:
    from registry.core.verdict import Registration

READ = "4: the text read, and its digest looked for among those of the manifests"
COMPARED = "5: clauses compared by their hashes with the nearest registered text's"
NAMED = "5: clauses compared by their hashes with those of the version that was named"


@dataclass(frozen=True, slots=True)
class Document:
    """A registered document of which the log tells the text. Name, size and media type are its
    manifest's."""

    sha256: Digest
    record: TextRecord
    registrations: tuple[Registration, ...]
    name: str | None = None
    media_type: str | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class SameText:
    """A registered document that says the same, and in what its bytes differ."""

    document: Document
    difference: Difference


@dataclass(frozen=True, slots=True)
class Compared:
    """Two versions of a text. `old_texts` are None where only the old one's hashes are known;
    `new_texts` likewise."""

    comparison: Comparison
    old_texts: tuple[str, ...] | None
    new_texts: tuple[str, ...] | None
    share: float = field(init=False)
    """What each changed clause gets of the work that redlines may take in all."""

    def __post_init__(self) -> None:
        changed = len(self.comparison.of(Change.CHANGED))
        object.__setattr__(self, "share", 1 / max(1, changed))

    def runs(self, row: Row) -> tuple[Run, ...] | None:
        """The redline of a clause; None where one of its texts is not known."""
        old, new = _text(self.old_texts, row.old), _text(self.new_texts, row.new)
        match row.change:
            case Change.CHANGED | Change.MOVED:
                return None if old is None or new is None else redline(old, new, self.share)
            case Change.MISSING:
                return None if old is None else (Run(Kind.DELETED, old, old),)
            case Change.ADDED:
                return None if new is None else (Run(Kind.INSERTED, new, ""),)
            case Change.UNCHANGED:
                return None if new is None else (Run(Kind.SAME, new, new),)


@dataclass(frozen=True, slots=True)
class Altered:
    """The registered document of which this is an altered copy."""

    document: Document
    compared: Compared


@dataclass(frozen=True, slots=True)
class OfDocument:
    """The file says what these clauses of a registered document do, which a receipt shows without
    the rest of it."""

    document: Document
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TextFinding:
    """`note` says why there is no more: why the text was not read, or not compared. It never
    changes what was found of the bytes."""

    text: Text | None = None
    same: tuple[SameText, ...] = ()
    altered: Altered | None = None
    note: str | None = None
    clauses: OfDocument | None = None


def places(label: str, runs: Sequence[Run]) -> tuple[str, ...]:
    """Where in a clause it was changed, as a lawyer cites it: each part once, in order."""
    text = "".join(run.new for run in runs)
    last = max(0, len(text) - 1)
    found: dict[str, None] = {}
    for at, run in _with_offsets(runs):
        if run.kind is Kind.SAME:
            continue
        for line in _lines(run.new):
            found[locate(label, text, min(at + line, last))] = None
    return tuple(each for each in found if each)


def _lines(text: str) -> Iterator[int]:
    """Where in it each line begins that says something; of nothing, its beginning."""
    at, told = 0, False
    for line in text.splitlines(keepends=True):
        if line.strip():
            told = True
            yield at + len(line) - len(line.lstrip())
        at += len(line)
    if not told:
        yield 0


def _with_offsets(runs: Sequence[Run]) -> Iterator[tuple[int, Run]]:
    at = 0
    for run in runs:
        yield at, run
        at += len(run.new)


def _text(texts: Sequence[str] | None, at: int | None) -> str | None:
    return None if texts is None or at is None else texts[at]


LIKE = 0.5
RARE = 0.5
MANY = 3.0
FIFTH = 0.2


def is_version(shared: int, clauses: int, weight: float) -> bool:
    """Whether a text that shares `shared` of its `clauses` with a registered one is taken for an
    altered copy of it. `weight` is what the shared ones weigh (mirror.nearest): 1 for each that no
    other policy has.

    Half of the clauses, if they are not only such as many policies have; or a fifth, if at least
    three are that policy's own. Of the corpus' 2,928 texts with one clause changed, 99.9% are
    found so; of those whose own policy is taken out, 0.6% of the Chinese ones are taken for another
    one's, and 9% of the D.C. laws, most of which were passed twice, as a temporary act and as a
    lasting one. What they share beside are the formulas on budget and commencement, which weigh
    next to nothing.
    """
    share = shared / clauses if clauses else 0.0
    return (share >= LIKE and weight >= RARE) or (share >= FIFTH and weight >= MANY)
