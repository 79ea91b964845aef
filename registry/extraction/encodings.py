"""From bytes to characters: strictly, so that nothing is replaced or guessed away in silence.

The order is part of `text/1` (docs/formats.md): a byte order mark; UTF-8; UTF-16 without a mark,
only where bytes occur that no other text holds; GB18030, where what comes out is Chinese; then
what charset-normalizer finds.
"""

from __future__ import annotations

import codecs
import re

from registry.extraction.unreadable import MissingLibrary, Unreadable

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What running text in UTF-16 consists of: ASCII, Latin, general and Chinese punctuation, Chinese
# characters, full-width forms.
_USUAL = re.compile(
    "[\t\n\f\r -~\u00a0-\u024f\u2000-\u206f\u3000-\u303f\u3400-\u4dbf\u4e00-\u9fff\uff00-\uffef]"
)
_CHINESE_WORDS = re.compile("[，。、；：（）《》一的第条不是了在和有]")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_SAMPLE = 1 << 16


def decode(content: bytes) -> str:
    """The characters of a text file. Raises Unreadable."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _strict(content[len(mark) :], encoding)
    if b"\x00" in content or b"\x02" in content:
        return _utf_16(content)
    for decoded in (_utf_8(content), _gb18030(content)):
        if decoded is not None:
            return decoded
    return _by_statistics(content)


def decode_declared(content: bytes, declared: str | None) -> str:
    """As `decode`, but what the document itself says of its encoding comes after a byte order
    mark and before the rest; where it is not true it does not count."""
    marked = any(content.startswith(mark) for mark, _ in _MARKS)
    encoding = _DECLARED.get((declared or "").strip().lower())
    if not marked and encoding is not None:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            pass
    return decode(content)


def _strict(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise Unreadable(
            f"has the mark of {encoding.upper()} and is not: at byte {error.start}"
        ) from None


def _utf_8(content: bytes) -> str | None:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _utf_16(content: bytes) -> str:
    best, score = "", 0.0
    for encoding in ("utf-16-le", "utf-16-be"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        sample = text[:_SAMPLE]
        usual = len(_USUAL.findall(sample)) / max(1, len(sample))
        if usual > score and not _CONTROLS.search(sample):
            best, score = text, usual
    if score < 0.95:
        raise Unreadable("holds bytes that no text holds")
    return best


def _gb18030(content: bytes) -> str | None:
    try:
        text = content.decode("gb18030")
    except UnicodeDecodeError:
        return None
    # Other encodings decode as GB18030 as well, to rare characters.
    sample = [character for character in text[: 4 * _SAMPLE] if character >= "\x80"][:_SAMPLE]
    common = sum(map(_is_common, sample))
    if common < 0.9 * len(sample) or not _CHINESE_WORDS.search("".join(sample)):
        return None
    return text


def _is_common(character: str) -> bool:
    """Whether it is of GB 2312's punctuation and frequent characters (rows 1-9 and 16-55)."""
    try:
        first = character.encode("gb2312")[0]
    except UnicodeEncodeError:
        return False
    return first <= 0xD7


def _by_statistics(content: bytes) -> str:
    try:
        import charset_normalizer
    except ImportError:
        raise MissingLibrary("charset-normalizer") from None
    found = charset_normalizer.from_bytes(content[:_SAMPLE]).best()
    if found is None:
        raise Unreadable("is in no encoding of text that is known")
    try:
        return content.decode(found.encoding)
    except (UnicodeDecodeError, LookupError):
        raise Unreadable("is in no encoding of text that is known") from None


_DECLARED = {
    # as browsers take these names (WHATWG Encoding)
    "utf-8": "utf-8", "utf8": "utf-8", "unicode-1-1-utf-8": "utf-8",
    "utf-16": "utf-8", "utf-16le": "utf-8", "utf-16be": "utf-8",
    "gb2312": "gb18030", "gb_2312": "gb18030", "gb_2312-80": "gb18030", "gbk": "gb18030",
    "x-gbk": "gb18030", "gb18030": "gb18030", "chinese": "gb18030", "csgb2312": "gb18030",
    "big5": "big5hkscs", "big5-hkscs": "big5hkscs", "x-x-big5": "big5hkscs",
    "shift_jis": "cp932", "shift-jis": "cp932", "sjis": "cp932", "windows-31j": "cp932",
    "euc-jp": "euc_jp", "iso-2022-jp": "iso2022_jp",
    "euc-kr": "cp949", "ks_c_5601-1987": "cp949", "windows-949": "cp949",
    "us-ascii": "cp1252", "ascii": "cp1252", "iso-8859-1": "cp1252", "iso8859-1": "cp1252",
    "latin1": "cp1252", "windows-1252": "cp1252", "cp1252": "cp1252",
    "iso-8859-2": "iso8859_2", "iso-8859-5": "iso8859_5", "iso-8859-7": "iso8859_7",
    "iso-8859-9": "cp1254", "iso-8859-15": "iso8859_15",
    "windows-1250": "cp1250", "windows-1251": "cp1251", "windows-1253": "cp1253",
    "windows-1254": "cp1254", "windows-1255": "cp1255", "windows-1256": "cp1256",
    "windows-1257": "cp1257", "windows-1258": "cp1258", "koi8-r": "koi8_r", "koi8-u": "koi8_u",
}  # fmt: skip
