"""The normal form of `text/1`: what two renderings of one text have in common.

Two texts with one normal form differ in nothing that is read: in line ends and other white
space, in characters that show nothing, in how a letter is composed, in full-width forms. Not in
any letter, digit, or mark of punctuation, nor in the order of what is read. What can change the
meaning stays: directional controls, variation selectors, the joiners of Indic and Arabic script,
super- and subscript digits.

Unicode is pinned (`UNICODE`), so that every machine gets the same bytes whatever its Python.
No IO.
"""

from __future__ import annotations

import re

import unicodedata2  # type: ignore[import-not-found]  # a C module without stubs

UNICODE = "16.0.0"
"""The version of the Unicode Character Database by which text is composed."""

_FULL_WIDTH = {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_FULL_WIDTH_FORM = re.compile("[\uff01-\uff5e]")
# Zero-width space, word joiner, byte order mark, soft hyphen, Mongolian vowel separator; controls
# but white space; what is no character, and what UTF-8 can not write.
_NOTHING = re.compile(
    "[\u00ad\u180e\u200b\u2060\ufeff\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ufffe\uffff\ud800-\udfff]"
)
# White_Space of PropList.txt, and the four separators of ASCII, which split lines as well.
_SPACE = "\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_OTHER_SPACE = _SPACE.replace("\x1c-\x20", "\x1c-\x1f")
# What is not one plain space already.
_SPACES = re.compile(f"[{_OTHER_SPACE}][{_SPACE}]*| [{_SPACE}]+")
# Scripts that are written without spaces, with their punctuation: a space beside them is layout.
_UNSPACED = (
    "\u2e80-\u2fdf\u3000-\u30ff\u3100-\u312f\u31a0-\u33ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff"
)
_BESIDE = re.compile(f" (?:(?<=[{_UNSPACED}] )|(?=[{_UNSPACED}]))")


def readable(text: str) -> str:
    """One passage as it is shown: composed, without what shows nothing, and with single spaces.
    Its normal form is that of `text`."""
    # Quickly: what is printable holds none of `_NOTHING`, in any version of Unicode, and no white
    # space but the plain.
    printable = text.isprintable()
    text = _composed(text if printable else _NOTHING.sub("", text))
    if not printable or "  " in text:
        text = _SPACES.sub(" ", text)
    return text.strip(" ")


def normal(text: str) -> str:
    """The normal form. It is its own normal form, and that of two texts that are joined by white
    space follows from theirs."""
    text = readable(text)
    if text.isascii():
        return text
    # What has come together, or is no longer full-width, may compose.
    text = _BESIDE.sub("", text)
    return _composed(_FULL_WIDTH_FORM.sub(_half_width, text))


def _half_width(found: re.Match[str]) -> str:
    return _FULL_WIDTH[found[0]]


def _composed(text: str) -> str:
    return text if text.isascii() else unicodedata2.normalize("NFC", text)
