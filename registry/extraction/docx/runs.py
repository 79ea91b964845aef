"""The characters of a paragraph: of its runs, within links, insertions and fields."""

from __future__ import annotations

from lxml import etree

from registry.extraction.docx.names import MC, M, W, is_on, value
from registry.extraction.docx.styles import Styles

LINE_END = "\x00"
_OUT = {
    W + "del", W + "moveFrom", W + "pPr", W + "rPr", W + "instrText", W + "delText",
    W + "delInstrText", W + "fldChar", W + "commentReference", W + "annotationRef",
    W + "footnoteRef", W + "endnoteRef", W + "separator", W + "continuationSeparator",
    W + "proofErr", W + "softHyphen",
}  # fmt: skip
_CHARACTERS = {
    W + "tab": "\t", W + "ptab": "\t", W + "br": LINE_END, W + "cr": LINE_END,
    W + "noBreakHyphen": "\u2011",
}  # fmt: skip
_TEXTS = {W + "t", M + "t"}
_SHOWN = {*_TEXTS, *_CHARACTERS, W + "sym"}
_NOTES = (W + "footnoteReference", W + "endnoteReference")
_BOX = W + "txbxContent"


class Runs:
    """Fields reach over paragraphs, and notes are collected over the document: one for a body."""

    def __init__(self, styles: Styles) -> None:
        self._styles = styles
        self._fields: list[bool] = []  # of each open field: whether its result has begun
        self._notes: dict[str, dict[str, None]] = {name: {} for name in _NOTES}
        self._boxes: list[etree._Element] = []
        self._hidden = False

    def notes(self, reference: str) -> tuple[str, ...]:
        """The ids of the notes that were referred to, in that order."""
        return tuple(self._notes[reference])

    def read(self, paragraph: etree._Element, *, hidden: bool) -> tuple[str, list[etree._Element]]:
        """A paragraph's text, and the contents of the text boxes that hang on it."""
        self._boxes = []
        self._hidden = hidden
        made: list[str] = []
        for child in paragraph:
            self._collect(child, made)
        return "".join(made), self._boxes

    def _collect(self, element: etree._Element, made: list[str]) -> None:
        tag = element.tag
        if tag == W + "fldChar":
            self._field(element)
        elif tag in _OUT:
            return
        elif tag == _BOX:
            self._boxes.append(element)
        elif not self._shows(element, tag):
            return
        elif tag in _SHOWN:
            made.append(_character(element, tag))
        elif tag in _NOTES:
            self._notes[tag].setdefault(element.get(W + "id", ""))
        elif tag == W + "ruby":
            self._ruby(element, made)
        elif tag == MC + "AlternateContent":
            choice = element.find(MC + "Choice")
            for child in element if choice is None else choice:
                self._collect(child, made)
        else:
            for child in element:
                self._collect(child, made)

    def _shows(self, element: etree._Element, tag: str) -> bool:
        if tag == W + "r":
            properties = element.find(W + "rPr")
            own = is_on(properties, "vanish") or self._styles.of_run(value(properties, "rStyle"))
            if own or (
                self._hidden and (properties is None or properties.find(W + "vanish") is None)
            ):
                # Its fields still open and close.
                for child in element.iterfind(W + "fldChar"):
                    self._field(child)
                return False
            return True
        # What stands in a field's code is not shown, only its result.
        return tag not in _SHOWN or all(self._fields)

    def _field(self, element: etree._Element) -> None:
        kind = element.get(W + "fldCharType")
        if kind == "begin":
            self._fields.append(False)
        elif kind == "separate" and self._fields:
            self._fields[-1] = True
        elif kind == "end" and self._fields:
            self._fields.pop()

    def _ruby(self, element: etree._Element, made: list[str]) -> None:
        for name in ("rubyBase", "rt"):
            for part in element.iterfind(W + name):
                for child in part:
                    self._collect(child, made)


def _character(element: etree._Element, tag: str) -> str:
    if tag in _TEXTS:
        return element.text or ""
    if tag in _CHARACTERS:
        return _CHARACTERS[tag]
    try:
        return chr(int(element.get(W + "char", ""), 16))
    except (ValueError, OverflowError):
        return ""
