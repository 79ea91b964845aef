"""PDF with a text layer: the characters as pdfium gives them, page by page, a line a passage.

A line that ends in a hyphen, a dash or a slash goes on in the next without a space between; so
does one that ends in `)` before `(`, where the file shows that a space would be there. The
bullet before a list's item is no text, as in the other formats. Scripts and forms are not run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pypdfium2 as pdfium  # type: ignore[import-untyped]  # it has no types
from pypdfium2 import raw

from registry.core.text.passages import Passage
from registry.extraction.unreadable import Unreadable

MAX_PAGES = 20_000
# pdfium writes U+FFFE for a hyphen that ends a line, and leaves out the line's end.
_LINE_HYPHEN = "\ufffe"
_GOES_ON = re.compile(r"[^\s][-/\u2010-\u2015]\Z")
_FULL = 0.7  # of a long line, longer than nine in ten: a shorter one ends its paragraph
_BULLET = re.compile("\\A\\s*[•◦▪‣⁃\uf0b7\uf0a7\uf0d8]\\s+(?=\\S)")
_ERRORS = {
    raw.FPDF_ERR_PASSWORD: "is encrypted",
    raw.FPDF_ERR_SECURITY: "is encrypted",
}


def passages(content: bytes) -> tuple[Passage, ...]:
    lines = [line for line in _lines(content) if line and not line.isspace()]
    if not lines:
        raise Unreadable("has no text layer: it is a scan, or empty")
    return tuple(Passage(line) for line in _joined(lines))


def _lines(content: bytes) -> Iterator[str]:
    try:
        document = pdfium.PdfDocument(content)
    except pdfium.PdfiumError as error:
        code = getattr(error, "err_code", None)
        raise Unreadable(_ERRORS.get(code, f"is a broken PDF: {error}")) from None
    try:
        if len(document) > MAX_PAGES:
            raise Unreadable(f"has more than {MAX_PAGES:,} pages")
        for number in range(len(document)):
            yield from _page(document, number).replace(_LINE_HYPHEN, "-").split("\n")
    finally:
        document.close()


def _page(document: pdfium.PdfDocument, number: int) -> str:
    try:
        page = document[number]
        return str(page.get_textpage().get_text_range()).replace("\r\n", "\n").replace("\r", "\n")
    except pdfium.PdfiumError as error:
        raise Unreadable(f"is a broken PDF: page {number + 1}: {error}") from None


def _joined(lines: list[str]) -> Iterator[str]:
    """The lines, with those put together that were one word before they were broken."""
    full = _FULL * sorted(map(len, lines))[9 * len(lines) // 10] if _writes_spaces(lines) else None
    waiting = ""
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        waiting += line if waiting else _BULLET.sub("", line)
        between = waiting.endswith(")") and following.startswith("(")
        if _GOES_ON.search(waiting) or (between and full is not None and len(line) >= full):
            continue
        yield waiting
        waiting = ""
    if waiting:
        yield waiting


def _writes_spaces(lines: list[str]) -> bool:
    """Whether the file keeps the space at which a line was broken: then a line without one ends
    a paragraph, or was broken within a word."""
    within = [line for line in lines if line.rstrip()[-1:].isalpha()]
    return 2 * sum(line.endswith(" ") for line in within) > len(within)
