"""The body's paragraphs and tables, in the order in which they are read."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from registry.core.text.passages import Passage
from registry.extraction.docx.names import MC, W, integer, is_on, value
from registry.extraction.docx.numbering import Numbering
from registry.extraction.docx.runs import LINE_END, Runs
from registry.extraction.docx.styles import Styles, heading_of
from registry.extraction.unreadable import Unreadable

# What may stand around paragraphs without being shown itself.
_AROUND = {
    W + "sdt", W + "sdtContent", W + "customXml", W + "ins", W + "moveTo", W + "smartTag",
    W + "body", W + "document",
}  # fmt: skip
_ELSEWHERE = {W + "altChunk": "another document", W + "subDoc": "another document"}


class Body:
    def __init__(
        self,
        styles: Styles,
        numbering: Numbering,
        footnotes: etree._Element | None,
        endnotes: etree._Element | None,
    ) -> None:
        self._styles = styles
        self._numbering = numbering
        self._notes = {W + "footnoteReference": footnotes, W + "endnoteReference": endnotes}
        self._runs = Runs(styles)
        self._carried = ""

    def read(self, document: etree._Element) -> Iterator[Passage]:
        yield from self._blocks(document)
        yield from self._rest()
        for reference, part in self._notes.items():
            for number in self._runs.notes(reference):
                yield from self._note(part, number)
        yield from self._rest()

    def _note(self, part: etree._Element | None, number: str) -> Iterator[Passage]:
        for note in () if part is None else part:
            if note.get(W + "id") == number:
                yield from self._blocks(note)

    def _blocks(self, parent: etree._Element) -> Iterator[Passage]:
        for child in parent:
            tag = child.tag
            if tag == W + "p":
                yield from self._paragraph(child)
            elif tag == W + "tbl":
                yield from self._table(child)
            elif tag in _AROUND:
                yield from self._blocks(child)
            elif tag == MC + "AlternateContent":
                yield from self._blocks(chosen(child))
            elif tag in _ELSEWHERE:
                raise Unreadable(f"holds {_ELSEWHERE[tag]}, which is not read")

    def _table(self, table: etree._Element) -> Iterator[Passage]:
        for row in _within(table, "tr"):
            properties = row.find(W + "trPr")
            if properties is not None and properties.find(W + "del") is not None:
                continue
            for cell in _within(row, "tc"):
                merged = cell.find(f"{W}tcPr/{W}vMerge")
                if merged is None or merged.get(W + "val") == "restart":
                    yield from self._blocks(cell)

    def _paragraph(self, paragraph: etree._Element) -> Iterator[Passage]:
        properties = paragraph.find(W + "pPr")
        name = value(properties, "pStyle")
        style = self._styles.of(name)
        text, boxes = self._runs.read(paragraph, hidden=style.hidden)
        number = ""
        if not self._carried:
            number = self._number(properties, name, shown=bool(text.strip()))
        text = self._carried + number + text
        self._carried = ""
        mark = properties.find(W + "rPr") if properties is not None else None
        if mark is not None and mark.find(W + "del") is not None:
            # The paragraph's end is deleted: the next goes on in it.
            self._carried = text
        else:
            heading = heading_of(properties, style)
            for line in text.split(LINE_END):
                if line and not line.isspace():
                    yield Passage(line, heading)
        for box in boxes:
            yield from self._blocks(box)

    def _rest(self) -> Iterator[Passage]:
        for line in self._carried.split(LINE_END):
            if line and not line.isspace():
                yield Passage(line)
        self._carried = ""

    def _number(self, properties: etree._Element | None, name: str | None, *, shown: bool) -> str:
        numbered = properties.find(W + "numPr") if properties is not None else None
        style = self._styles.of(name)
        list_id = value(numbered, "numId") or style.list_id
        if list_id is None or list_id == "0":
            return ""
        level = integer(value(numbered, "ilvl"))
        if level is None and value(numbered, "numId") is None:
            level = style.list_level
            if level is None:
                level = self._numbering.level_of_style(list_id, name or self._styles.default)
        mark = None if properties is None else properties.find(W + "rPr")
        if is_on(mark, "vanish") and not shown:
            return ""
        return self._numbering.next(list_id, level or 0)


def _within(parent: etree._Element, name: str) -> Iterator[etree._Element]:
    """The rows of a table, or the cells of a row, also where something stands around them."""
    for child in parent:
        if child.tag == W + name:
            yield child
        elif child.tag in _AROUND:
            yield from _within(child, name)


def chosen(alternatives: etree._Element) -> etree._Element:
    """Of two ways to say one thing, the first that is not the fallback."""
    choice = alternatives.find(MC + "Choice")
    return alternatives if choice is None else choice
