"""How many calls a node takes at once, as it says itself when it takes no more.

Nodes refuse a batch in their own ways: with an error object instead of the array, with an
array of one error, with an HTTP status. What a node named, or a fraction of what it
refused, is kept for as long as the connection is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

_NAMED = re.compile(r"(?:limit|max\w*|than|of|exceeds?|up to)\D{0,12}(\d{1,5})\b")
_SHRINK = 5

RESPONSE_TOO_LARGE = -32003
"""go-ethereum's code for the calls of a batch that it left out because the answers before
them were long enough; asked alone they are answered."""


class BatchSize:
    """The most calls to send at once."""

    def __init__(self, most: int) -> None:
        self.most = most

    def refused(self, sent: int, message: str) -> None:
        """The node refused a batch of `sent` calls: send fewer from now on."""
        named = [int(number) for number in _NAMED.findall(message[:300].lower())]
        fewer = max((number for number in named if 0 < number < sent), default=sent // _SHRINK)
        self.most = max(1, min(self.most, fewer))


def whole_refusal(answer: Any, sent: int) -> dict[str, Any] | None:
    """The error object with which a node answered all of a batch at once, if it did."""
    if isinstance(answer, list) and len(answer) == 1 and sent > 1:
        answer = answer[0]
    if isinstance(answer, dict) and answer.get("error") is not None:
        return answer
    return None


def in_order(answers: Any, sent: int) -> Sequence[dict[str, Any]] | None:
    """A batch's answers in the order of its calls, which had the ids 0 to `sent` - 1; None
    where one is missing, or doubled, or none of them was asked for."""
    if not isinstance(answers, list) or len(answers) != sent:
        return None
    by_id = {
        answer.get("id"): answer
        for answer in answers
        if isinstance(answer, dict) and type(answer.get("id")) is int
    }
    if set(by_id) != set(range(sent)):
        return None
    return [by_id[number] for number in range(sent)]
