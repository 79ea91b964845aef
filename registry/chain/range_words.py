"""What a node means when it refuses eth_getLogs: in its own words, which no standard fixes.

Guarantees: a refusal is read as "ask for fewer blocks" only where its words say so; a rate
limit, a pruned history or a wrong parameter never is. A size that the words name is only a
hint, since nodes name wrong ones. Pure; tests/vectors/range_refusals.json has the wordings
that this was written from, each with where it was seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# Only the head of a message is read: a node writes it, and may write any amount.
_MOST_CHARACTERS = 600

# Quotas and rates speak of limits too, and asking for less at a time only makes more requests.
_RATE = re.compile(
    r"rate.?limit|too many requests|compute units|quota|throttl|credits?\b"
    r"|(?:per |/ ?)(?:sec|min|day)|\bdaily\b|request count"
    r"|requests? (?:rate )?exceeded|try again later|usage limit|capacity"
)
_OTHER = re.compile(
    r"can ?not be found|could not be found|not found|unknown block|missing trie|prun|archive"
    r"|invalid block range|begin block|is greater than to|genesis|historical state|not available"
)
_LESS = re.compile(
    r"block range|blocks? (?:distance|span|depth)"
    r"|max(?:imum)?[ _]?(?:block|allowed|rpc|logs?) ?range"
    r"|range (?:is |was )?(?:too|limit|exceed|of|over)|too (?:large|wide|big|many|high)"
    r"|(?:large|wide|bigg?er|great|more|high)e?r? (?:than|range)"
    r"|ranges? over|range \S+ (?:exceeds|is)|exceeds? (?:the )?(?:max|limit|server|range|allowed)"
    r"|limited to|up to an? |narrow|reduc\w+ (?:your|the)|smaller|max (?:results|logs|blocks)"
    r"|response (?:size|is too)|size exceeded|limit exceeded$|timeout exceeded|timed? ?out"
)

_NUMBER = r"(\d[\d,_']*(?!\d))\s?(k\b)?"
_BOUND = re.compile(
    r"(?:limit\w*|max\w*|most|up to|over|exceeds?|than|within|set to|currently|is|filter)"
    r"(?:(?!result)[^\d\[]){0,24}?"
    + _NUMBER
    + r"(?!\s*(?:results?|logs?|items|bytes|mb))(?:\s*-\s*(\d+))?"
)
_BLOCKS = re.compile(_NUMBER + r"[ -]?(?:blocks?\b|max\b)")
_HEX_PAIR = re.compile(r"\[\s*(0x[0-9a-f]{1,16})\s*[,-]\s*(0x[0-9a-f]{1,16})\s*\]")
_PAIR = re.compile(
    r"range:?\s+(0x[0-9a-f]{1,16}|\d{1,18})\s*(?:-|to|,)\s*(0x[0-9a-f]{1,16}|\d{1,18})"
)


def asks_for_fewer_blocks(message: str) -> bool:
    """Whether a refusal of eth_getLogs with this message may be answered by a smaller range."""
    said = _head(message)
    if _RATE.search(said) or _OTHER.search(said):
        return False
    return _LESS.search(said) is not None


def blocks_named(message: str, asked: int) -> int | None:
    """How many blocks, fewer than the `asked`, the refusal says that it would answer."""
    said = _head(message)
    named = [size for size in _suggested(said) if 0 < size < asked]
    if named:
        return max(named)
    bounds = [size for size in _bounds(said) if 0 < size < asked]
    return max(bounds, default=None)


def _head(message: str) -> str:
    return message[:_MOST_CHARACTERS].lower()


def _suggested(said: str) -> Iterator[int]:
    """Sizes of ranges that are given with both their ends."""
    for pattern in (_HEX_PAIR, _PAIR):
        for first, last in pattern.findall(said):
            yield int(last, 0) - int(first, 0) + 1


def _bounds(said: str) -> Iterator[int]:
    for number, thousand, end in _BOUND.findall(said):
        yield _size(end or number, "" if end else thousand)
    for number, thousand in _BLOCKS.findall(said):
        yield _size(number, thousand)


def _size(number: str, thousand: str) -> int:
    return int(re.sub(r"\D", "", number)) * (1000 if thousand else 1)
