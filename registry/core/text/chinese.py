"""Clauses of a law in articles, 第…条, under 编, 章 and 节. An article is one clause, with all of
its 款 and 项: what is not numbered can not be told from a line that a PDF breaks. No IO."""

from __future__ import annotations

import re

from registry.core.text.numerals import CHINESE, chinese

FRONT = "题注"
"""What comes before the first heading: the title, and when it was adopted."""

CONTENTS = "目录"
_NUMERAL = f"[{CHINESE}]"
_ARTICLE = re.compile(rf"第 ?({_NUMERAL}{{1,9}}) ?条(?: ?之 ?({_NUMERAL}{{1,3}})(?!{_NUMERAL}))?")
_DIVISION = re.compile(
    rf"第 ?({_NUMERAL}{{1,5}}) ?(编|分编|部分|章|节)(?![、，。；的和或至及与规])(.*)", re.DOTALL
)
_CONTENTS = re.compile(r"目 ?[录次](?: ?[:：])?")
_ANNEX = re.compile(rf"(附件|附录|附表|附则表|附图) ?({_NUMERAL}{{0,3}})(?= |[:：.．、]|$)")
_GOES_ON = re.compile(r"[的、，。；和或至及与第款项所之关中以规等）)》」』”]")
_LONGEST_HEADING = 60
_RANKS = ("部分", "编", "分编", "章", "节")


def is_in_articles(heads: list[str]) -> bool:
    """Whether a document, by the heads of its passages, is one in articles."""
    found = [_ARTICLE.match(text) for text in heads]
    numbers = [chinese(each.group(1)) for each in found if each is not None]
    return len(numbers) >= 2 or numbers == [1]


class ArticleHeads:
    """Finds where clauses begin, one passage after the other: `heads` are theirs, all of them."""

    def __init__(self, heads: list[str]) -> None:
        self._last = 0
        self._open: dict[str, str] = {}
        self._at = -1
        self._contents = _contents(heads)

    def label(self, text: str) -> str | None:
        """The label of the clause that begins with the next passage, if one does."""
        self._at += 1
        if self._at in self._contents:
            return CONTENTS if self._at == self._contents.start else None
        division = _division(text)
        if division is not None:
            return self._under(*division)
        article = _ARTICLE.match(text)
        if article is not None:
            return self._article(article, text)
        annex = _ANNEX.match(text)
        if annex is not None and len(text) <= _LONGEST_HEADING and self._last:
            return annex.group(1) + annex.group(2)
        return None

    def _article(self, found: re.Match[str], text: str) -> str | None:
        number = chinese(found.group(1))
        if number is None:
            return None
        rest = text[found.end() :]
        stands_alone = not rest or rest[0] in " :：【（"
        follows = number == self._last + 1 or (found.group(2) and number == self._last)
        if not stands_alone and (not follows or _GOES_ON.match(rest)):
            return None
        self._last = number
        return found.group().replace(" ", "")

    def _under(self, label: str, rank: str) -> str:
        outer = {each: self._open[each] for each in _RANKS if each in self._open}
        for each in _RANKS[_RANKS.index(rank) :]:
            outer.pop(each, None)
        self._open = {**outer, rank: label}
        return "".join(self._open[each] for each in _RANKS if each in self._open)


def _division(text: str) -> tuple[str, str] | None:
    """第二章 and 章, where the passage is such a heading."""
    found = _DIVISION.fullmatch(text)
    if found is None or len(text) > _LONGEST_HEADING or text[-1] in "。；：":
        return None
    return f"第{found.group(1)}{found.group(2)}", found.group(2)


def _contents(heads: list[str]) -> range:
    """Where the table of contents is: 目录, or headings one after the other that come again. It
    ends where the first of them does."""
    divisions = [_division(text) for text in heads]
    first = next((at for at, each in enumerate(divisions) if each is not None), len(heads))
    begins = first
    if first and _CONTENTS.fullmatch(heads[first - 1]):
        begins = first - 1
    end = first
    while end < len(heads) and divisions[end] is not None:
        if end > first and divisions[end] == divisions[first]:
            return range(begins, end)
        end += 1
    again = {each for each in divisions[end:] if each is not None}
    named = [each for each in divisions[first:end] if each in again]
    return range(begins, end) if len(named) > 1 or begins < first else range(0)
