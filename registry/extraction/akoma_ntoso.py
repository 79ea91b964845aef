"""Akoma Ntoso 3.0 (OASIS LegalDocML), of any version of its namespace.

Not text: `meta`, what is marked as deleted (`del`). Notes stand where they are attached.
"""

from __future__ import annotations

import re

from lxml import etree

from registry.extraction.structure import PREAMBLE, TITLE, Cited, Part, Schema

# Units that are cited within the one above: Chapter 2, Part A.
_CONTAINERS = {
    "book", "tome", "title", "subtitle", "part", "subpart", "chapter", "subchapter", "division",
    "subdivision",
}  # fmt: skip
# Units that are cited by themselves, with the word for them.
_ANEW = {"article": "Article ", "rule": "Rule ", "section": "§ ", "recital": "Recital "}
_UNITS = {
    "alinea", "clause", "indent", "level", "list", "paragraph", "point", "proviso", "subclause",
    "sublist", "subparagraph", "subrule", "subsection", "transitional", "crossHeading",
    "hcontainer", "item", "citation", "attachment",
}  # fmt: skip
_FRONT = {
    "coverPage": TITLE, "preface": TITLE, "longTitle": TITLE, "preamble": PREAMBLE,
    "conclusions": "Conclusions",
}  # fmt: skip
_CHANGES = {"mod", "mmod", "rmod"}
_INLINE = {
    "a", "abbr", "affectedDocument", "authorialNoteMark", "b", "concept", "date", "decoration",
    "def", "docAuthority", "docCommittee", "docDate", "docIntroducer", "docJurisdiction",
    "docketNumber", "docNumber", "docProponent", "docPurpose", "docStage", "docStatus",
    "docTitle", "docType", "entity", "event", "embeddedText", "extractText", "fillIn", "i",
    "inline", "ins", "judge", "lawyer", "legislature", "listConclusion", "location", "marker",
    "mmod", "mod", "mref", "neutralCitation", "noteRef", "object", "omissis", "opinion",
    "organization", "outcome", "party", "person", "placeholder", "process", "quantity",
    "quotedText", "ref", "relatedDocument", "remark", "rmod", "role", "rref", "session",
    "shortTitle", "signature", "span", "sub", "sup", "term", "time", "u", "vote", "courtType",
}  # fmt: skip
_PARTS = {
    "meta": Part.DROPPED,
    "del": Part.DROPPED,
    "num": Part.NUMBER,
    "heading": Part.HEADING,
    "quotedStructure": Part.QUOTED,
    "br": Part.BREAK,
    "eol": Part.BREAK,
}
_PARTS |= dict.fromkeys((*_CONTAINERS, *_ANEW, *_UNITS), Part.UNIT)
_PARTS |= dict.fromkeys(_FRONT, Part.FRONT)
_PARTS |= dict.fromkeys(_INLINE, Part.INLINE)
_WORD = re.compile(
    r"(?:article|art|section|sec|rule|chapter|title|subtitle|part|subpart|book|subchapter|division"
    r"|recital|paragraph|para|point)\b\.?\s*|§+\s*",
    re.IGNORECASE,
)


def _name(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _part(element: etree._Element) -> Part:
    name = _name(element)
    if name in _CHANGES and element.find(".//{*}quotedStructure") is not None:
        return Part.BLOCK
    return _PARTS.get(name, Part.BLOCK)


def _cited(element: etree._Element, _: str, number: str, heading: str) -> Cited:
    name = _name(element)
    bare = _bare(number)
    if name in _ANEW:
        word = _ANEW[name]
        if name == "section" and element.find(".//{*}article") is not None:
            return Cited(f", Section {bare}" if bare else "")
        if not bare:
            return Cited("")
        return Cited(bare if bare.startswith("第") else word + bare, anew=True)
    if name in _CONTAINERS:
        label = bare if bare.startswith("第") else f"{name.capitalize()} {bare}".strip()
        return Cited(f", {label}" if bare else f", {heading}" if heading else "")
    if name == "attachment":
        return Cited(heading or number or "Attachment", anew=True)
    return Cited(f"({bare})" if bare else "")


def _bare(number: str) -> str:
    """A number without the word for its unit, brackets and full stop: "5" of "Article 5."."""
    bare = _WORD.sub("", number.strip(), count=1) if _WORD.match(number.strip()) else number
    return bare.strip(' \t.:;()[]“”"—–-、（）')


SCHEMA = Schema(_part, _cited, lambda element: _FRONT[_name(element)], lambda _: True)
