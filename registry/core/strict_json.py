"""JSON that means one thing only: UTF-8 without BOM, no duplicate keys, no NaN, no
floating-point numbers, no integers beyond 2^53, bounded depth. How long a text may be
is the caller's to say."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any, NoReturn

import orjson

from registry.errors import InputError

MAX_DEPTH = 64
_TOO_LARGE = 2**53

# A string is one token, so that the brackets in it count for nothing. One that does not
# end takes the rest of the text, which no parser reads either.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{\]}]', re.DOTALL)


def loads(content: bytes) -> Any:
    """The value that `content` denotes; raises InputError saying what is wrong."""
    found = canonical_object(content)
    return loads_strictly(content) if found is None else found


def canonical_object(content: bytes) -> dict[str, Any] | None:
    """The object that `content` denotes, if that is plain: None says nothing.

    What is parsed and written again as the same bytes has no key twice, and nothing that two
    parsers read differently but fractions and long numbers. A mirror reads millions of
    manifests, nearly all of them in this form, and this takes half the time.
    """
    if not content.startswith(b"{"):
        return None
    try:
        found: dict[str, Any] = orjson.loads(content)
        same = orjson.dumps(found, option=orjson.OPT_SORT_KEYS) == content
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None
    return found if same and _is_plain(found.values(), MAX_DEPTH) else None


def _is_plain(values: Iterable[Any], depth: int) -> bool:
    """Whether all numbers in these values are such as may stand in them, and none is deeper."""
    if depth == 0:
        return False
    for value in values:
        kind = type(value)
        if kind is str:
            continue
        if kind is dict:
            if not _is_plain(value.values(), depth - 1):
                return False
        elif kind is list:
            if not _is_plain(value, depth - 1):
                return False
        elif kind is float or (kind is int and abs(value) >= _TOO_LARGE):
            return False
    return True


def loads_strictly(content: bytes) -> Any:
    """As `loads`, whatever the form; and with words for what is wrong."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"it is not UTF-8 (byte {error.start})") from None
    if text.count("[") + text.count("{") > MAX_DEPTH and _too_deep(text):
        raise InputError(f"it is nested deeper than {MAX_DEPTH} levels")
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise InputError(f"it is not JSON ({error.msg} at character {error.pos})") from None
    except ValueError as error:
        # int() refuses numbers of thousands of digits
        raise InputError(f"it is not JSON ({error})") from None


def _too_deep(text: str) -> bool:
    """Whether arrays and objects are nested deeper than they may be."""
    depth = 0
    for token in _TOKEN.finditer(text):
        match token.group()[0]:
            case "[" | "{":
                depth += 1
                if depth > MAX_DEPTH:
                    return True
            case "]" | "}":
                depth -= 1
    return False


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        # A stranger's object may have a million keys: no look at all for each.
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counts.items() if count > 1)
        raise InputError(f"the key {twice[:40]!r} occurs twice")
    return found


def _integer(digits: str) -> int:
    value = int(digits)
    if abs(value) >= _TOO_LARGE:
        raise InputError("it holds a number beyond 2^53, which JSON may not carry")
    return value


def _refuse_float(_digits: str) -> NoReturn:
    raise InputError("it holds a floating-point number")


def _refuse_constant(name: str) -> NoReturn:
    raise InputError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_integer,
    parse_float=_refuse_float,
    parse_constant=_refuse_constant,
)
