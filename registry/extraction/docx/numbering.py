"""The numbers that Word computes for paragraphs (ECMA-376 part 1, 17.9)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from lxml import etree

from registry.extraction import numerals
from registry.extraction.docx.names import W, integer, is_on, value

LEVELS = 9
_PLACE = re.compile(r"%([1-9])")
_FORMATS: dict[str, Callable[[int], str]] = {
    "decimal": str,
    "decimalZero": lambda number: f"{number:02}",
    "upperLetter": lambda number: numerals.repeated_letters(number).upper(),
    "lowerLetter": numerals.repeated_letters,
    "upperRoman": lambda number: numerals.roman(number).upper(),
    "lowerRoman": numerals.roman,
    "chineseCounting": numerals.chinese_counting,
    "chineseCountingThousand": numerals.chinese,
    "chineseLegalSimplified": lambda number: numerals.chinese(number, legal=True),
    "taiwaneseCounting": numerals.chinese_counting,
    "taiwaneseCountingThousand": numerals.chinese,
    "ideographDigital": numerals.digit_by_digit,
    "taiwaneseDigital": lambda number: numerals.digit_by_digit(number, "○"),
    "japaneseCounting": numerals.japanese,
    "japaneseDigitalTenThousand": numerals.digit_by_digit,
    "ideographTraditional": numerals.stem,
    "ideographZodiac": numerals.branch,
    "decimalFullWidth": numerals.full_width,
    "decimalFullWidth2": numerals.full_width,
    "decimalEnclosedCircle": numerals.circled,
    "decimalEnclosedCircleChinese": numerals.circled,
    "decimalEnclosedParen": lambda number: f"({number})",
    "decimalEnclosedFullstop": lambda number: f"{number}.",
    "numberInDash": lambda number: f"- {number} -",
    "ordinal": lambda number: f"{number}{_ordinal(number)}",
}
_UNNUMBERED = frozenset(("bullet", "none"))


def _ordinal(number: int) -> str:
    if number % 100 in (11, 12, 13):
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")


@dataclass(frozen=True, slots=True)
class Level:
    start: int = 1
    format: str = "decimal"
    text: str = ""
    space: str = "\t"
    restart: int | None = None
    legal: bool = False
    style: str | None = None


@dataclass(slots=True)
class _List:
    """One `num`: whose counters it shares, its levels, and which of them start anew with it."""

    abstract: str
    levels: dict[int, Level]
    starts: dict[int, int] = field(default_factory=dict)


class Numbering:
    """Counts as it is asked, paragraph by paragraph."""

    def __init__(self, root: etree._Element | None) -> None:
        self._lists: dict[str, _List] = {}
        self._counters: dict[str, list[int | None]] = {}
        self._started: set[tuple[str, int]] = set()
        if root is not None:
            self._load(root)

    def _load(self, root: etree._Element) -> None:
        abstract: dict[str, etree._Element] = {}
        styles: dict[str, str] = {}
        for element in root.iterfind(W + "abstractNum"):
            name = element.get(W + "abstractNumId", "")
            abstract[name] = element
            linked = value(element, "styleLink")
            if linked is not None:
                styles[linked] = name
        for element in root.iterfind(W + "num"):
            name = value(element, "abstractNumId") or ""
            definition = abstract.get(name)
            link = value(definition, "numStyleLink")
            if link is not None and link in styles:
                name = styles[link]
                definition = abstract[name]
            made = _List(name, _levels(definition))
            for override in element.iterfind(W + "lvlOverride"):
                level = integer(override.get(W + "ilvl"), 0) or 0
                made.levels |= _levels(override)
                start = integer(value(override, "startOverride"))
                if start is not None:
                    made.starts[level] = start
            self._lists.setdefault(element.get(W + "numId", ""), made)

    def level_of_style(self, list_id: str, style: str | None) -> int:
        """The level whose numbers a style's paragraphs have."""
        found = self._lists.get(list_id)
        levels = found.levels if found is not None and style is not None else {}
        return next((level for level, each in levels.items() if each.style == style), 0)

    def next(self, list_id: str, level: int) -> str:
        """The number of the next paragraph of a list, with the space after it; empty for
        bullets, and where there is no such list."""
        found = self._lists.get(list_id)
        if found is None or not 0 <= level < LEVELS:
            return ""
        counters = self._counters.setdefault(found.abstract, [None] * LEVELS)
        self._count(list_id, found, counters, level)
        shape = found.levels.get(level, Level(text=f"%{level + 1}."))
        if shape.format in _UNNUMBERED:
            # A bullet is no text; a level without a number may have words.
            return "" if shape.format == "bullet" or _PLACE.search(shape.text) else shape.text
        text = _PLACE.sub(lambda place: self._written(found, counters, shape, place[1]), shape.text)
        return text + shape.space if text else ""

    def _count(self, list_id: str, found: _List, counters: list[int | None], level: int) -> None:
        start = found.levels.get(level, Level()).start
        if level in found.starts and (list_id, level) not in self._started:
            self._started.add((list_id, level))
            start = found.starts[level]
            counters[level] = None
        count = counters[level]
        counters[level] = start if count is None else count + 1
        for higher in range(level):
            if counters[higher] is None:
                counters[higher] = found.levels.get(higher, Level()).start
        for deeper in range(level + 1, LEVELS):
            restart = found.levels.get(deeper, Level()).restart
            if restart is None or (restart != 0 and level < restart):
                counters[deeper] = None

    def _written(self, found: _List, counters: list[int | None], shape: Level, place: str) -> str:
        level = int(place) - 1
        count = counters[level]
        number = found.levels.get(level, Level()).start if count is None else count
        name = found.levels.get(level, Level()).format
        if shape.legal:
            name = "decimal"
        return "" if name in _UNNUMBERED else _FORMATS.get(name, str)(number)


def _levels(parent: etree._Element | None) -> dict[int, Level]:
    made: dict[int, Level] = {}
    for element in () if parent is None else parent.iterfind(W + "lvl"):
        number = integer(element.get(W + "ilvl"), 0) or 0
        space = {"space": " ", "nothing": ""}.get(value(element, "suff") or "tab", "\t")
        made[number] = Level(
            start=integer(value(element, "start"), 0) or 0,
            format=value(element, "numFmt") or "decimal",
            text=value(element, "lvlText") or "",
            space=space,
            restart=integer(value(element, "lvlRestart")),
            legal=is_on(element, "isLgl"),
            style=value(element, "pStyle"),
        )
    return made
