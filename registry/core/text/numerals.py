"""Numbers as legal texts write them: Chinese, Roman, Arabic, and letters."""

from __future__ import annotations

from enum import Enum

CHINESE = "〇零一二三四五六七八九十百千两0-9０-９"
"""For a character class of a regular expression."""

_DIGITS = {each: value for value, each in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100, "d": 500, "m": 1000}


def chinese(numeral: str) -> int | None:
    """The value of 一百二十三, 一二三, 123 or １２３; None where it is no number."""
    if numeral.isdecimal():
        return int(numeral)
    if all(each in _DIGITS for each in numeral):
        return int("".join(str(_DIGITS[each]) for each in numeral)) if numeral else None
    total = digit = 0
    for each in numeral:
        if each in _UNITS:
            total += (digit or 1) * _UNITS[each]
            digit = 0
        elif each in _DIGITS:
            digit = _DIGITS[each]
        else:
            return None
    return total + digit


def roman(numeral: str) -> int | None:
    """The value of xiv or XIV, as long as it is written as Romans are written; else None."""
    letters = numeral.lower()
    if not letters or any(each not in _ROMAN for each in letters):
        return None
    values = [_ROMAN[each] for each in letters]
    following = [*values[1:], 0]
    value = sum(
        -each if each < after else each for each, after in zip(values, following, strict=True)
    )
    return value if to_roman(value) == letters else None


def to_roman(value: int) -> str:
    """In lower case; from 1."""
    written = ""
    for worth, letters in (
        (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"),
        (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
    ):  # fmt: skip
        written += letters * (value // worth)
        value %= worth
    return written


def letters(numeral: str) -> int | None:
    """a is 1, z 26, and as legal texts go on: aa is 27, bb 28; None where it is neither."""
    first = numeral[:1].lower()
    if not ("a" <= first <= "z") or set(numeral.lower()) != {first}:
        return None
    return ord(first) - ord("a") + 1 + 26 * (len(numeral) - 1)


class Numbering(Enum):
    """How the items of one list are numbered, brackets and points included."""

    CHINESE = "一、"
    CHINESE_IN_BRACKETS = "（一）"
    DIGITS = "1."
    DIGITS_IN_BRACKETS = "(1)"
    LETTERS = "a."
    LETTERS_IN_BRACKETS = "(a)"
    CAPITALS = "A."
    CAPITALS_IN_BRACKETS = "(A)"
    ROMAN = "i."
    ROMAN_IN_BRACKETS = "(i)"
    ROMAN_CAPITALS = "I."
    ROMAN_CAPITALS_IN_BRACKETS = "(I)"


def readings(numeral: str, *, bracketed: bool) -> list[tuple[Numbering, int]]:
    """What an item's numeral may be: (i) is the ninth letter and the first Roman number."""
    chosen: list[tuple[Numbering, int | None]]
    if numeral.isdecimal():
        chosen = [(Numbering.DIGITS, int(numeral))]
    elif not numeral.isascii():
        chosen = [(Numbering.CHINESE, chinese(numeral))]
    elif numeral.islower():
        chosen = [(Numbering.LETTERS, letters(numeral)), (Numbering.ROMAN, roman(numeral))]
    elif numeral.isupper():
        chosen = [
            (Numbering.CAPITALS, letters(numeral)),
            (Numbering.ROMAN_CAPITALS, roman(numeral)),
        ]
    else:
        chosen = []
    return [
        (Numbering[f"{kind.name}_IN_BRACKETS"] if bracketed else kind, value)
        for kind, value in chosen
        if value is not None
    ]
