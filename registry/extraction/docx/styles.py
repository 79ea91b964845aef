"""What a paragraph has from its style: its level as a heading, its numbering, whether it hides."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml import etree

from registry.extraction.docx.names import VAL, W, integer, is_on, value

_BODY_LEVEL = 9
_HEADING = re.compile(r"heading ([1-9])", re.IGNORECASE)
_DEEPEST = 32


@dataclass(frozen=True, slots=True)
class Style:
    heading: int | None = None
    list_id: str | None = None
    list_level: int | None = None
    hidden: bool = False


class Styles:
    def __init__(self, root: etree._Element | None) -> None:
        self._elements: dict[str, etree._Element] = {}
        self._known: dict[str, Style] = {}
        self.default: str | None = None
        for style in () if root is None else root.iterfind(W + "style"):
            name = style.get(W + "styleId")
            if name is None:
                continue
            self._elements.setdefault(name, style)
            is_default = style.get(W + "default") in ("1", "true", "on")
            if is_default and style.get(W + "type") == "paragraph":
                self.default = name

    def of(self, name: str | None) -> Style:
        name = self.default if name is None else name
        if name is None:
            return Style()
        if name not in self._known:
            self._known[name] = self._resolved(name)
        return self._known[name]

    def of_run(self, name: str | None) -> bool:
        """Whether a character style hides what has it."""
        return name is not None and self.of(name).hidden

    def _resolved(self, name: str) -> Style:
        heading: int | None = None
        list_id = level = None
        hidden = found_heading = False
        at: str | None = name
        for _ in range(_DEEPEST):
            element = self._elements.get(at) if at is not None else None
            if element is None:
                break
            properties = element.find(W + "pPr")
            if not found_heading:
                found_heading, heading = _heading_of(element, properties)
            numbered = properties.find(W + "numPr") if properties is not None else None
            if numbered is not None:
                list_id = list_id or value(numbered, "numId")
                level = integer(value(numbered, "ilvl")) if level is None else level
            hidden = hidden or is_on(element.find(W + "rPr"), "vanish")
            at = value(element, "basedOn")
        return Style(heading, list_id, level, hidden)


def _heading_of(
    element: etree._Element, properties: etree._Element | None
) -> tuple[bool, int | None]:
    level = integer(value(properties, "outlineLvl"))
    if level is not None:
        return True, level + 1 if 0 <= level < _BODY_LEVEL else None
    name = element.find(W + "name")
    written = "" if name is None else name.get(VAL, "")
    found = _HEADING.fullmatch(written)
    if found:
        return True, int(found[1])
    return (True, 1) if written.lower() == "title" else (False, None)


def heading_of(properties: etree._Element | None, style: Style) -> int | None:
    """The level of a paragraph as a heading: its own, else its style's."""
    level = integer(value(properties, "outlineLvl"))
    if level is None:
        return style.heading
    return level + 1 if 0 <= level < _BODY_LEVEL else None
