"""Clauses of a document in sections or articles, with their numbered sub-levels: § 3(b),
Article 5(2)(a), under titles, parts and chapters. Section, Sec. and § are one. No IO."""

from __future__ import annotations

import re

from registry.core.text.lists import Nesting
from registry.core.text.numerals import roman

FRONT = "Preamble"
_NUMBER = r"[0-9]{1,6}[A-Z]{0,2}(?:[-–:.][0-9]{1,5}[A-Za-z]{0,2})*|[IVXLC]{1,7}"
_UNIT = re.compile(
    rf"(section|sec|article|art|§)(?:\.\s*|\s+|(?<=§)) ?({_NUMBER})(?![0-9A-Za-z])", re.IGNORECASE
)
_DIVISION = re.compile(
    r"(title|subtitle|part|subpart|chapter|subchapter|division|schedule|annex|appendix)\s+"
    rf"({_NUMBER}|[A-Z])(?![0-9A-Za-z])(.*)",
    re.IGNORECASE | re.DOTALL,
)
_AFTER_UNIT = re.compile(r"\s*(?:[.:—–-]\s*|$|[(\[“\"A-Z一-鿿])")
_AFTER_DIVISION = re.compile(r"\s*(?:[.:—–-]|$|[A-Z(])")
_FIRST_ITEM = re.compile(r"\((?:a|1)\)")
_RUN_IN = re.compile(r"[^.()]{1,150}[.—] ?(?=\((?:a|1)\))")
_LONGEST_HEADING = 200
_RANKS = (
    "title", "subtitle", "division", "part", "subpart", "chapter", "subchapter",
    "schedule", "annex", "appendix",
)  # fmt: skip


def unit_of(heads: list[str]) -> str | None:
    """What the document is divided into: "section" or "article", whichever is more, at least two
    or a single first one; or None."""
    found = [each for each in map(_unit, heads) if each is not None]
    numbers = {
        kind: [number for each, number in found if each == kind] for kind in ("section", "article")
    }
    kind = max(numbers, key=lambda each: len(numbers[each]))
    return kind if len(numbers[kind]) >= 2 or numbers[kind] in (["1"], ["I"]) else None


class SectionHeads:
    """Finds where clauses begin, one passage after the other; `unit` as `unit_of` found it."""

    def __init__(self, unit: str) -> None:
        self._kind = unit
        self._unit = ""
        self._items = Nesting()
        self._open: dict[str, str] = {}

    def label(self, text: str) -> str | None:
        """The label of the clause that begins with this passage, if one does."""
        found = _UNIT.match(text)
        if found is not None and _kind(found) == self._kind and _begins(text, found):
            self._unit = f"{'§' if self._kind == 'section' else 'Article'} {found.group(2)}"
            self._items.close()
            rest = text[found.end() :].lstrip(" .:—–-")
            heading = _RUN_IN.match(rest)
            self._items.enters(rest if heading is None else rest[heading.end() :])
            return self._unit + self._items.label
        division = self._division(text)
        if division is not None:
            return division
        if self._unit and self._items.enters(text):
            return self._unit + self._items.label
        return None

    def _division(self, text: str) -> str | None:
        if len(text) > _LONGEST_HEADING:
            return None
        found = _UNIT.match(text)
        if found is not None and _kind(found) == "article" and self._kind == "section":
            rank, number, rest = "part", found.group(2), text[found.end() :]
            shown = f"Article {number}"
        else:
            named = _DIVISION.fullmatch(text)
            if named is None:
                return None
            rank, number, rest = named.group(1).lower(), named.group(2), named.group(3)
            shown = f"{rank.capitalize()} {number}"
        if not _AFTER_DIVISION.match(rest) or rest.rstrip().endswith((",", ";")):
            return None
        outer = {
            each: self._open[each] for each in _RANKS[: _RANKS.index(rank)] if each in self._open
        }
        self._open = {**outer, rank: shown}
        self._unit = ""
        self._items.close()
        return ", ".join(self._open.values())


def _unit(text: str) -> tuple[str, str] | None:
    """What begins with this passage, and its number."""
    found = _UNIT.match(text)
    if found is None or not _begins(text, found):
        return None
    return _kind(found), found.group(2)


def _kind(found: re.Match[str]) -> str:
    return "article" if found.group(1).lower().startswith("art") else "section"


def _begins(text: str, found: re.Match[str]) -> bool:
    """Whether it is a heading, and no reference that a line happens to begin with."""
    number = found.group(2)
    if number.isalpha() and roman(number) is None:
        return False
    rest = text[found.end() :]
    if rest.startswith("("):
        return bool(_FIRST_ITEM.match(rest))
    return bool(_AFTER_UNIT.match(rest))
