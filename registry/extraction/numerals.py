"""Numbers as documents that number themselves write them: in HTML's lists, in Word's."""

from __future__ import annotations

from registry.core.text.numerals import to_roman

_DIGITS = "零一二三四五六七八九"
_LEGAL_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_UNITS = ("", "十", "百", "千")
_LEGAL_UNITS = ("", "拾", "佰", "仟")
_STEMS = "甲乙丙丁戊己庚辛壬癸"
_BRANCHES = "子丑寅卯辰巳午未申酉戌亥"


def roman(number: int) -> str:
    """In lower case; from 1 to 3999, else in decimal."""
    if not 1 <= number <= 3999:
        return str(number)
    return to_roman(number)


def letters(number: int) -> str:
    """As browsers count: a … z, aa, ab."""
    if number < 1:
        return str(number)
    written = ""
    while number:
        number, place = divmod(number - 1, 26)
        written = chr(ord("a") + place) + written
    return written


def repeated_letters(number: int) -> str:
    """As Word counts: a … z, aa, bb."""
    if not 1 <= number <= 780:
        return str(number)
    times, place = divmod(number - 1, 26)
    return chr(ord("a") + place) * (times + 1)


def chinese(number: int, *, legal: bool = False) -> str:
    """一百零五; from 0 to 99,999,999, else in decimal. 10 to 19 are 十, 十一, … ; `legal` is
    壹佰零伍."""
    if not 0 <= number <= 99_999_999:
        return str(number)
    digits = _LEGAL_DIGITS if legal else _DIGITS
    high, low = divmod(number, 10_000)
    written = _below_ten_thousand(low, legal, padded=high > 0)
    if high:
        written = _below_ten_thousand(high, legal, padded=False) + "万" + written
    if written.startswith("一十"):
        written = written[1:]
    return written or digits[0]


def _below_ten_thousand(number: int, legal: bool, *, padded: bool) -> str:
    digits, units = (_LEGAL_DIGITS, _LEGAL_UNITS) if legal else (_DIGITS, _UNITS)
    written, gap = "", padded and 0 < number < 1000
    for place in (3, 2, 1, 0):
        digit = number // 10**place % 10
        if digit:
            written += (digits[0] if gap else "") + digits[digit] + units[place]
            gap = False
        elif written:
            gap = True
    return written


def japanese(number: int) -> str:
    """百五; from 1 to 9,999, else in decimal."""
    if not 1 <= number <= 9999:
        return str(number)
    written = ""
    for place in (3, 2, 1, 0):
        digit = number // 10**place % 10
        if digit:
            written += ("" if digit == 1 and place else _DIGITS[digit]) + _UNITS[place]
    return written


def digit_by_digit(number: int, zero: str = "〇") -> str:
    """一〇五."""
    return "".join(zero if digit == "0" else _DIGITS[int(digit)] for digit in str(abs(number)))


def chinese_counting(number: int) -> str:
    """十一 up to 99, then digit by digit: 一○五 (ECMA-376, ST_NumberFormat, chineseCounting)."""
    return chinese(number) if 0 < number < 100 else digit_by_digit(number, "○")


def full_width(number: int) -> str:
    return "".join(chr(ord(digit) + 0xFEE0) for digit in str(number))


def circled(number: int) -> str:
    """①; from 1 to 20, else in decimal."""
    return chr(0x2460 + number - 1) if 1 <= number <= 20 else str(number)


def stem(number: int) -> str:
    return _STEMS[(number - 1) % 10]


def branch(number: int) -> str:
    return _BRANCHES[(number - 1) % 12]
