"""The laws of the District of Columbia in the XML of its Council (github.com/DCCouncil/law-xml).

What the law says is text. Not text: `meta`, and what tells the editors of the Code how to carry
the law out there: `annotation` and all elements of the namespace `codify`, with what they hold.
"""

from __future__ import annotations

import re

from lxml import etree

from registry.extraction.structure import TITLE, Cited, Part, Schema

NAMESPACE = "https://code.dccouncil.us/schemas/dc-library"
_NUMBERS = re.compile(r"\(([^()]+)\)")

_UNITS = ("section", "subsection", "container", "para")
_BLOCKS = {
    "text", "aftertext", "toc", "table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td",
    "p", "ul", "ol", "li", "dl", "dt", "dd", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5",
    "h6", "subheading", "document",
}  # fmt: skip
_PARTS = {
    "num": Part.NUMBER,
    "prefix": Part.PREFIX,
    "heading": Part.HEADING,
    "include": Part.QUOTED,
    "meta": Part.DROPPED,
    "annotation": Part.DROPPED,
    "br": Part.BREAK,
}
_PARTS |= dict.fromkeys(_UNITS, Part.UNIT) | dict.fromkeys(_BLOCKS, Part.BLOCK)
_BY_TAG = {f"{{{NAMESPACE}}}{name}": part for name, part in _PARTS.items()}
_DOCUMENT, _TOC = f"{{{NAMESPACE}}}document", f"{{{NAMESPACE}}}toc"
_OWN = f"{{{NAMESPACE}}}"


def _part(element: etree._Element) -> Part:
    tag = element.tag
    part = _BY_TAG.get(tag)
    if part is None:
        return Part.INLINE if tag.startswith(_OWN) else Part.DROPPED
    if part in (Part.NUMBER, Part.HEADING):
        parent = element.getparent()
        if parent is not None and parent.tag == _DOCUMENT:
            return Part.FRONT
    return part


def _cited(element: etree._Element, prefix: str, number: str, heading: str) -> Cited:
    name = element.tag.removeprefix(_OWN)
    parent = element.getparent()
    if parent is not None and parent.tag == _TOC:
        return Cited("")
    if name == "container":
        label = f"{prefix.capitalize()} {number}".strip() if number else heading or prefix
        return Cited(f", {label}" if label else "")
    if name in ("section", "subsection"):
        section = number.strip(" .§")
        return Cited(f"§ {section}" if section else "", anew=True)
    found = _NUMBERS.search(number)
    if found:
        return Cited(f"({found[1].strip()})")
    bare = number.strip(' ."“”[]')
    return Cited(f"({bare})" if bare else "")


def _is_shown(element: etree._Element) -> bool:
    return element.get("undesignated") != "true"


SCHEMA = Schema(_part, _cited, lambda _: TITLE, _is_shown)
