"""Which format a file has: by what it holds, and only where that leaves it open by its name."""

from __future__ import annotations

import re
from enum import StrEnum

from registry.extraction.unreadable import Unreadable


class Format(StrEnum):
    MARKDOWN = "Markdown"
    PLAIN = "plain text"
    HTML = "HTML"
    XML = "XML"
    DOCX = "DOCX"
    PDF = "PDF"


_ENDINGS = {
    "md": Format.MARKDOWN, "markdown": Format.MARKDOWN, "mdown": Format.MARKDOWN,
    "mkd": Format.MARKDOWN, "txt": Format.PLAIN, "text": Format.PLAIN,
    "html": Format.HTML, "htm": Format.HTML, "xhtml": Format.HTML, "shtml": Format.HTML,
    "xml": Format.XML, "akn": Format.XML,
}  # fmt: skip
_REFUSED = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is of Word before 2007, or encrypted"),
    (b"{\\rtf", "is RTF, which is not read"),
    (b"\x89PNG", "is a picture"),
    (b"\xff\xd8\xff", "is a picture"),
    (b"GIF8", "is a picture"),
    (b"II*\x00", "is a picture"),
    (b"MM\x00*", "is a picture"),
    (b"\x1f\x8b", "is compressed"),
    (b"7z\xbc\xaf\x27\x1c", "is an archive"),
    (b"Rar!", "is an archive"),
)
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_HEAD = 4096
_COMMENTS = re.compile(r"\A(?:\s+|<!--.*?-->|<\?xml-[^>]*\?>)+", re.DOTALL)
_HTML = re.compile(r"\A<(?:!doctype\s+html|html|head|body|title|meta)[\s>]", re.IGNORECASE)
_HTML_PART = re.compile(
    r"\A<(?:p|div|h[1-6]|table|ul|ol|article|section|main|span|center|font)[\s>]", re.IGNORECASE
)
_XML = re.compile(r"\A<(?:\?xml[\s?]|!doctype\s|(?:[\w.-]+:)?[\w.-]+[^<>]*\sxmlns[:=])")
_MARKDOWN = re.compile(r"^#{1,6}[ \t]+\S", re.MULTILINE)


def format_of(content: bytes, name: str = "") -> Format:
    """The format. Raises Unreadable for what has no text that can be had."""
    if b"%PDF-" in content[:1024]:
        return Format.PDF
    if content.startswith(b"PK\x03\x04"):
        return _zipped(content)
    for start, cause in _REFUSED:
        if content.startswith(start):
            raise Unreadable(cause)
    if not content.strip(b" \t\r\n\x00"):
        raise Unreadable("is empty")
    head = _head(content)
    if _HTML.match(head):
        return Format.HTML
    if _XML.match(head):
        return Format.XML
    ending = _ENDINGS.get(name.rpartition(".")[2].lower()) if "." in name else None
    if ending is not None:
        return ending
    if _HTML_PART.match(head):
        return Format.HTML
    return Format.MARKDOWN if _MARKDOWN.search(head) else Format.PLAIN


def _zipped(content: bytes) -> Format:
    # Names of files stand in a ZIP as they are.
    if b"word/document" in content or b"[Content_Types].xml" in content:
        return Format.DOCX
    raise Unreadable("is a ZIP that holds no document of Word")


def _head(content: bytes) -> str:
    """The beginning in characters, for what is ASCII in it; comments before it left out."""
    start = content[:_HEAD]
    if start.startswith(_MARKS[1:]):
        encoding = "utf-16-le" if start.startswith(_MARKS[1]) else "utf-16-be"
        text = start[2:].decode(encoding, "replace")
    else:
        text = start.removeprefix(_MARKS[0]).decode("latin-1")
    return _COMMENTS.sub("", text)
