"""PDF with a text layer: the characters as pdfium gives them, page by page, a line a passage.

A line that ends in a hyphen, a dash or a slash goes on in the next without a space between. The
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
    waiting = ""
    for line in lines:
        waiting += _BULLET.sub("", line) if not waiting else line
        if not _GOES_ON.search(waiting):
            yield waiting
            waiting = ""
    if waiting:
        yield waiting
