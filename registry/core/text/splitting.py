"""Where clauses begin: by the document's own structure, else by the words at the head of its
passages, else a paragraph each. Labels are those that a lawyer cites. No IO.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from registry.core.text import chinese, english
from registry.core.text.clauses import MAX_LABEL_BYTES, Clause, Text, text_of
from registry.core.text.lists import Nesting
from registry.core.text.normal import readable
from registry.core.text.passages import Extracted, Passage

_HEAD = 400
"""Characters of a passage that are looked at: a heading is shorter."""


def split(extracted: Extracted) -> Text:
    """The text with its clauses. Passages without anything readable are left out."""
    passages = [
        Passage(shown, each.heading, each.label)
        for each in extracted.passages
        if (shown := readable(each.text)) or each.label is not None
    ]
    grown = _Growing()
    for passage, label in _labelled(passages, structured=extracted.is_structured):
        if label is not None:
            grown.begin(label)
        grown.add(passage.text)
    return text_of(grown.clauses(), extracted.extractor)


def _labelled(passages: list[Passage], *, structured: bool) -> Iterable[tuple[Passage, str | None]]:
    if structured:
        return ((each, each.label) for each in passages)
    heads = [each.text[:_HEAD] for each in passages]
    label, front = _rule(heads)
    return _by_words(passages, heads, label, front)


def _rule(heads: list[str]) -> tuple[Callable[[str], str | None], str | None]:
    """How clauses are found in this document, and what comes before the first one is called."""
    if chinese.is_in_articles(heads):
        return chinese.ArticleHeads(heads).label, chinese.FRONT
    unit = english.unit_of(heads)
    if unit is not None:
        return english.SectionHeads(unit).label, english.FRONT
    if _items(heads) >= 2:
        return _Items().label, chinese.FRONT if _is_chinese(heads) else english.FRONT
    return _Paragraphs().label, None


def _by_words(
    passages: list[Passage], heads: list[str], label: Callable[[str], str | None], front: str | None
) -> Iterator[tuple[Passage, str | None]]:
    begun = False
    for passage, head in zip(passages, heads, strict=True):
        found = label(head if len(head) == len(passage.text) else head + "…")
        if found is None and not begun:
            found = front
        begun = begun or found is not None
        yield passage, found


class _Items:
    """A document that is a list: 一、, （二）, 3."""

    def __init__(self) -> None:
        self._nesting = Nesting()

    def label(self, text: str) -> str | None:
        return self._nesting.label if self._nesting.enters(text) else None


class _Paragraphs:
    def __init__(self) -> None:
        self._number = 0

    def label(self, _: str) -> str:
        self._number += 1
        return f"¶ {self._number}"


def _items(heads: list[str]) -> int:
    nesting = Nesting()
    return sum(nesting.enters(each) for each in heads)


def _is_chinese(heads: list[str]) -> bool:
    text = "".join(heads[:50])
    return sum("\u4e00" <= each <= "\u9fff" for each in text) * 2 > len(text)


@dataclass(slots=True)
class _Growing:
    """Clauses as they come; labels are made unique, since a clause is asked for by its label."""

    _labels: list[str] = field(default_factory=list)
    _texts: list[list[str]] = field(default_factory=list)
    _seen: dict[str, int] = field(default_factory=dict)

    def begin(self, label: str) -> None:
        label = _bounded(label)
        times = self._seen[label] = self._seen.get(label, 0) + 1
        while times > 1:
            again = f"{label} [{times}]"
            if again not in self._seen:
                self._seen[label], self._seen[again] = times, 1
                label = again
                break
            times += 1
        self._labels.append(label)
        self._texts.append([])

    def add(self, text: str) -> None:
        if not self._texts:
            self.begin(english.FRONT)
        if text:
            self._texts[-1].append(text)

    def clauses(self) -> list[Clause]:
        return [
            Clause(label, "\n".join(lines))
            for label, lines in zip(self._labels, self._texts, strict=True)
            if lines
        ]


def _bounded(label: str) -> str:
    shown = readable(label) or english.FRONT
    while len(shown.encode("utf-8")) > MAX_LABEL_BYTES - 16:
        shown = shown[: len(shown) * 3 // 4]
    return shown
