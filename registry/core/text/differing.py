"""In what two files differ that say the same: their packaging, named so that a reader believes it.

Where only the registered file's SHA-256 is known, the file's own bytes are put otherwise (line
ends, byte order mark, encoding, composition, what is invisible) until the digest is the registered
one: then it is known, not guessed, in what they differ. Where the registered bytes are kept the two
are compared. Else what can be seen of this one alone is said. No IO.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import product

from registry.core.text.packaging import TEXTUAL, Packaging
from registry.core.units import Digest

LARGEST = 2 << 20
"""Bytes; a larger file is not put otherwise."""

_MARKS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_INVISIBLE = re.compile("[\u00ad\u180e\u200b\u2060\ufeff]")
_SPACES = re.compile(r"[^\S\n]+")
_LINE_ENDS = {"\r\n": "CRLF", "\n": "LF", "\r": "CR"}


@dataclass(frozen=True, slots=True)
class Registered:
    """What is known of the registered file; `content` where it is kept."""

    sha256: Digest
    size: int | None = None
    media_type: str | None = None
    name: str | None = None
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """In what the bytes differ. `proven`: put so, this file has the registered SHA-256."""

    named: tuple[str, ...]
    proven: bool = False


def differences(
    content: bytes, mine: Packaging, registered: Registered, theirs: Packaging
) -> Difference:
    """In what a file differs from a registered one with the same text."""
    if mine.format != theirs.format and theirs.format is not None:
        return Difference((_format(mine, theirs),))
    if mine.format in TEXTUAL:
        found = put_otherwise(content, registered)
        if found is not None:
            return Difference(tuple(found), proven=True)
        if registered.content is not None:
            return Difference(tuple(_compared(content, registered.content, mine)))
        return Difference(tuple(_alone(content)))
    return Difference((_maker(mine, theirs),))


def _format(mine: Packaging, theirs: Packaging) -> str:
    made = f", made by {mine.maker}" if mine.maker else ""
    return f"another format: {mine.format or 'unknown'}{made}; registered as {theirs.format}"


def _maker(mine: Packaging, theirs: Packaging) -> str:
    kind = mine.format or "file"
    what = f"saved again as {kind}"
    if mine.maker:
        what += f" by {mine.maker}"
    if theirs.maker and theirs.maker != mine.maker:
        what += f"; the registered one by {theirs.maker}"
    return what


# What a text file can be put to, each with what it is called where the registered file has it.
_Step = tuple[str | None, Callable[[str], str]]


def put_otherwise(content: bytes, registered: Registered) -> list[str] | None:
    """What the registered file has that this one has otherwise, where that is all; else None."""
    decoded = decoded_text(content)
    if decoded is None or len(content) > LARGEST:
        return None
    text, encoding, marked = decoded
    seen: set[str] = set()
    steps: list[list[_Step]] = [_ends_of(text), _lasts(), _trailing(), _invisibles(), _forms(text)]
    for combination in sorted(
        product(*steps), key=lambda some: sum(each[0] is not None for each in some)
    ):
        put = text
        for _, step in combination[::-1]:
            put = step(put)
        if put in seen:
            continue
        seen.add(put)
        for called, made in _encodings(put, encoding, marked=marked):
            if registered.size is not None and len(made) != registered.size:
                continue
            if sha256(made).digest() == registered.sha256:
                named = [each for each, _ in combination if each is not None]
                return [*([called] if called else []), *named]
    return None


def decoded_text(content: bytes) -> tuple[str, str, bool] | None:
    """The characters, the encoding, and whether a byte order mark says so."""
    for mark, encoding in _MARKS.items():
        if content.startswith(mark):
            try:
                return content[len(mark) :].decode(encoding), encoding, True
            except UnicodeDecodeError:
                return None
    guesses = ("utf-16-le", "utf-16-be") if b"\x00" in content[:4096] else ("utf-8", "gb18030")
    for encoding in guesses:
        try:
            return content.decode(encoding), encoding, False
        except UnicodeDecodeError:
            continue
    return None


def _same(text: str) -> str:
    return text


def _ends_of(text: str) -> list[_Step]:
    mine = _line_end(text)
    lines: list[_Step] = [(None, _same)]
    for end, called in _LINE_ENDS.items():
        words = f"line ends: {mine}, registered {called}"
        lines.append((words, lambda each, end=end: _unix(each).replace("\n", end)))  # type: ignore[misc]
    return lines


def _lasts() -> list[_Step]:
    return [
        (None, _same),
        ("white space at the end of the file", lambda text: text.rstrip()),
        ("a line end at the end of the file", lambda text: text.rstrip() + "\n"),
    ]


def _trailing() -> list[_Step]:
    strip: _Step = (
        "white space at the ends of lines",
        lambda text: re.sub(r"[^\S\r\n]+(?=\r|\n|\Z)", "", text),
    )
    return [(None, _same), strip]


def _invisibles() -> list[_Step]:
    return [(None, _same), ("characters that show nothing", lambda text: _INVISIBLE.sub("", text))]


def _forms(text: str) -> list[_Step]:
    forms: list[_Step] = [(None, _same)]
    for form in ("NFC", "NFD"):
        if not text.isascii() and unicodedata.normalize(form, text) != text:
            words = f"Unicode composition: registered in {form}"
            forms.append((words, lambda each, form=form: unicodedata.normalize(form, each)))  # type: ignore[misc]
    return forms


def _encodings(text: str, encoding: str, *, marked: bool) -> Iterator[tuple[str | None, bytes]]:
    mine = _encoding_words(encoding, marked=marked)
    for other, mark in (
        ("utf-8", b""),
        ("utf-8", b"\xef\xbb\xbf"),
        ("gb18030", b""),
        ("utf-16-le", b"\xff\xfe"),
        ("utf-16-be", b"\xfe\xff"),
        ("utf-16-le", b""),
    ):
        try:
            made = mark + text.encode(other)
        except UnicodeEncodeError:
            continue
        if (other, bool(mark)) == (encoding, marked):
            yield None, made
        elif other == encoding:
            yield (
                f"byte order mark: {'none here, registered with one' if mark else 'only here'}",
                made,
            )
        else:
            yield f"encoding: {mine}, registered {_encoding_words(other, marked=bool(mark))}", made


def _encoding_words(encoding: str, *, marked: bool) -> str:
    return encoding.upper() + (" with a byte order mark" if marked else "")


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _line_end(text: str) -> str:
    found = [called for end, called in _LINE_ENDS.items() if re.search(_ALONE[end], text)]
    return " and ".join(found) or "none"


_ALONE = {"\r\n": r"\r\n", "\n": r"(?<!\r)\n", "\r": r"\r(?!\n)"}


def _compared(mine: bytes, theirs: bytes, packaging: Packaging) -> Iterator[str]:
    """What differs between two text files of which no single way leads from one to the other."""
    one, other = decoded_text(mine), decoded_text(theirs)
    if one is None or other is None:
        yield "bytes that are no text in a known encoding"
        return
    if one[1:] != other[1:]:
        words = [_encoding_words(each[1], marked=each[2]) for each in (one, other)]
        yield f"encoding: {words[0]}, registered {words[1]}"
    ends = _line_end(one[0]), _line_end(other[0])
    if ends[0] != ends[1]:
        yield f"line ends: {ends[0]}, registered {ends[1]}"
    yield from _by_leaving_out(_unix(one[0]), _unix(other[0]), packaging)


def _by_leaving_out(one: str, other: str, packaging: Packaging) -> Iterator[str]:
    """Each kind of difference without which the others would not make the two alike."""
    steps: dict[str, Callable[[str], str]] = {
        "characters that show nothing": lambda text: _INVISIBLE.sub("", text),
        "Unicode composition": lambda text: unicodedata.normalize("NFC", text),
        "full-width forms": _half_width,
        "white space": lambda text: re.sub(r"\s+", "", text),
    }
    if _through(steps, one) != _through(steps, other):
        kind = packaging.format
        yield f"{kind} syntax" if kind in ("Markdown", "HTML", "XML") else "layout"
        return
    for name in steps:
        rest = {each: step for each, step in steps.items() if each != name}
        if _through(rest, one) != _through(rest, other):
            yield name


def _through(steps: dict[str, Callable[[str], str]], text: str) -> str:
    for step in steps.values():
        text = step(text)
    return text


_FULL_WIDTH = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}


def _half_width(text: str) -> str:
    return text.translate(_FULL_WIDTH)


def _alone(content: bytes) -> Iterator[str]:
    """What is to be seen of this file; the registered one is not kept here."""
    decoded = decoded_text(content)
    seen = "" if decoded is None else _encoding_words(decoded[1], marked=decoded[2])
    if decoded is not None:
        seen += f", line ends {_line_end(decoded[0])}"
        if _INVISIBLE.search(decoded[0]):
            seen += ", characters that show nothing"
    yield f"white space, mark-up or other packaging (here {seen or 'an unknown encoding'})"
