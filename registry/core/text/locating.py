"""Where in a clause something stands, as a lawyer cites it: 第一款第（三）项.

Of a Chinese 条, lines are its 款 but those that begin with （一）, which are the 项 of the 款
before them, and those below them that begin with 1., which are its 目. An only 款 is not named.
Other clauses are cut at their numbered levels already: (b)(2) is in the label. No IO.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_ITEM = re.compile(r"\s*[（(]\s*(?P<number>[〇零一二三四五六七八九十百]+|\d+)\s*[）)]")
_POINT = re.compile(r"\s*(?P<number>\d{1,3})\s*[.．、]")


@dataclass(frozen=True, slots=True)
class Spot:
    """`name` is that of the text from `start` on, a place in characters."""

    start: int
    name: str


def locate(label: str, text: str, offset: int) -> str:
    """The sub-label of what stands at `offset`; empty where the clause has no parts or there is
    only one."""
    name = ""
    for spot in spots(label, text):
        if spot.start > offset:
            break
        name = spot.name
    return name


def spots(label: str, text: str) -> list[Spot]:
    """All named parts of a clause, in their order."""
    return list(_chinese(text)) if label.endswith("条") or "条之" in label else []


def _lines(text: str) -> Iterator[tuple[int, str]]:
    at = 0
    for line in text.splitlines(keepends=True):
        if line.strip():
            yield at, line
        at += len(line)


def _chinese(text: str) -> Iterator[Spot]:
    lines = list(_lines(text))
    several = sum(not _ITEM.match(line) and not _POINT.match(line) for _, line in lines) > 1
    paragraph, item = 0, ""
    for at, line in lines:
        named, point = _ITEM.match(line), _POINT.match(line)
        if named is not None and paragraph:
            item = f"第（{named['number']}）项"
        elif point is not None and item:
            yield Spot(at, f"{_paragraph(paragraph, several)}{item}第{point['number']}目")
            continue
        else:
            paragraph, item = paragraph + 1, ""
        yield Spot(at, _paragraph(paragraph, several) + item)


def _paragraph(number: int, several: bool) -> str:
    return f"第{_numeral(number)}款" if several else ""


def _numeral(number: int) -> str:
    """From 1 to 999."""
    digits = "〇一二三四五六七八九"
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    written = f"{digits[hundreds]}百" if hundreds else ""
    if tens:
        written += ("" if tens == 1 and not hundreds else digits[tens]) + "十"
    elif hundreds and ones:
        written += "零"
    return written + (digits[ones] if ones else "")
