"""DOCX: what Word shows of the body, with the numbers it computes. python-docx opens the package;
its elements are read here, since its own objects know neither numbers nor tracked changes.

In: paragraphs and the cells of tables in their order, insertions, results of fields, text boxes
after the paragraph they hang on, foot- and endnotes at the end. Out: deletions, hidden text,
headers, footers, comments, the codes of fields, marks of notes.
"""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

from registry.core.text.passages import Passage
from registry.extraction.docx.body import Body
from registry.extraction.docx.numbering import Numbering
from registry.extraction.docx.styles import Styles
from registry.extraction.unreadable import Unreadable

if TYPE_CHECKING:
    from docx.package import Package
    from lxml import etree

MAX_UNPACKED = 256 << 20
MAX_FILES = 10_000
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"


def passages(content: bytes) -> tuple[Passage, ...]:
    _refuse_bombs(content)
    package = _opened(content)
    document = package.main_document_part
    body = Body(
        Styles(_related(document, "styles")),
        Numbering(_related(document, "numbering")),
        _related(document, "footnotes"),
        _related(document, "endnotes"),
    )
    return tuple(body.read(document.element))


def _refuse_bombs(content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise Unreadable(f"is a broken ZIP: {error}") from None
    if len(parts) > MAX_FILES:
        raise Unreadable(f"holds more than {MAX_FILES:,} files")
    if sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise Unreadable(f"unpacks to more than {MAX_UNPACKED >> 20} MB")
    if any(part.flag_bits & 1 for part in parts):
        raise Unreadable("is encrypted")


def _opened(content: bytes) -> Package:
    from docx.package import Package

    try:
        return Package.open(io.BytesIO(content))
    except MemoryError:
        raise
    except Exception as error:
        # What is wrong with a package shows in python-docx as any of a dozen errors.
        raise Unreadable(f"is not a document of Word: {_said(error)}") from None


def _said(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]


def _related(document: object, name: str) -> etree._Element | None:
    """The root of the part that the document names in this relation."""
    from docx.oxml.parser import parse_xml

    for relation in document.rels.values():  # type: ignore[attr-defined]  # python-docx: untyped
        if relation.reltype == _RELATIONS + name and not relation.is_external:
            part = relation.target_part
            element = getattr(part, "element", None)
            return element if element is not None else parse_xml(part.blob)
    return None
