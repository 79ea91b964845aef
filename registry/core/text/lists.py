"""Nested lists as they are numbered: (a), (1), (A), (i), and 一、, （一）, 1.

Only the numbers at the heads of passages are looked at. One opens a level where it is the first
of a numbering that is not open yet, and goes on with a level where it is the next there; what is
neither is a reference, or text, and begins nothing. So (i) after (h) is the ninth letter, and
after (A) the first Roman number. No IO.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from registry.core.text.numerals import CHINESE, Numbering, readings

_NUMERAL = rf"[{CHINESE}]{{1,5}}|[0-9]{{1,3}}[A-Z]?|[a-z]{{1,5}}|[A-Z]{{1,5}}"
_IN_BRACKETS = re.compile(rf"[(（]({_NUMERAL})[)）]")
_WITH_POINT = re.compile(rf"({_NUMERAL})(?:[.．]\s|[.．](?=[^\W\d_])|、|[)）])")
_GOES_ON = re.compile(
    r"\s*(?:of|or|and|to|through|above|below|et seq|[,;)，；、和或至的])(?:\b|$|\s|(?<=[^\w]))"
)
_DEEPEST = 12


@dataclass(slots=True)
class _Level:
    numbering: Numbering
    value: int
    shown: str


@dataclass(slots=True)
class Nesting:
    """The levels that are open, outermost first."""

    levels: list[_Level] = field(default_factory=list)

    def close(self) -> None:
        self.levels = []

    @property
    def label(self) -> str:
        """(b)(1)(A), or 一（二）3."""
        return "".join(each.shown for each in self.levels)

    def enters(self, text: str) -> bool:
        """Whether an item begins with this passage, which is then the innermost one. Several may
        begin at once: (a)(1) Each…"""
        entered = False
        while True:
            found = _IN_BRACKETS.match(text)
            bracketed = found is not None
            if found is None and not entered:
                found = _WITH_POINT.match(text)
            if found is None or _GOES_ON.match(text, found.end()):
                return entered
            if not self._enter(found.group(1), bracketed=bracketed, deeper=entered):
                return entered
            entered = True
            text = text[found.end() :].lstrip()

    def _enter(self, numeral: str, *, bracketed: bool, deeper: bool) -> bool:
        possible = readings(numeral.rstrip("ABCDEFGH") or numeral, bracketed=bracketed)
        inserted = numeral[:1].isdigit() and not numeral.isdecimal()
        if not deeper:
            for depth in range(len(self.levels) - 1, -1, -1):
                level = self.levels[depth]
                for numbering, value in possible:
                    follows = value == level.value + 1 or (inserted and value == level.value)
                    if numbering is level.numbering and follows:
                        self.levels[depth:] = [_Level(numbering, value, _shown(numeral, bracketed))]
                        return True
        open_ = {level.numbering for level in self.levels}
        for numbering, value in possible:
            if value == 1 and numbering not in open_ and len(self.levels) < _DEEPEST:
                self.levels.append(_Level(numbering, value, _shown(numeral, bracketed)))
                return True
        return False


def _shown(numeral: str, bracketed: bool) -> str:
    if not numeral.isascii():
        return f"（{numeral}）" if bracketed else numeral
    return f"({numeral})"
