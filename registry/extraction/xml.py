"""XML: Akoma Ntoso and the laws of the District of Columbia by their own structure, any other by
its leaf elements.

No DTD is loaded, no entity is resolved, nothing is fetched; libxml2's limits on depth (256) and
on one text's length (10 MB) hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from registry.core.text.passages import Passage
from registry.extraction import akoma_ntoso, dc_law, html
from registry.extraction.structure import Schema, read
from registry.extraction.unreadable import Unreadable

_PAGE = re.compile(rb"<(?:!doctype\s+html|html[\s>])", re.IGNORECASE)
_HEAD = 4096
XHTML = "http://www.w3.org/1999/xhtml"


def passages(content: bytes) -> tuple[Passage, ...]:
    try:
        root = _parsed(content)
    except Unreadable:
        if _PAGE.search(content[:_HEAD]):
            # XHTML as browsers meet it, with HTML's own entities and errors.
            return html.passages(content)
        raise
    name = etree.QName(root)
    if name.namespace == XHTML:
        return html.passages(content)
    schema = _schema_of(name)
    if schema is not None:
        return read(root, schema)
    return tuple(Passage(text) for text in _leaves(root))


def _parsed(content: bytes) -> etree._Element:
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        strip_cdata=True,
    )
    try:
        root = etree.fromstring(content.lstrip(b" \t\r\n"), parser)
    except etree.XMLSyntaxError as error:
        raise Unreadable(f"is not well-formed XML: {error.msg}") from None
    if root is None:
        raise Unreadable("is not well-formed XML: it has no element")
    document_type = root.getroottree().docinfo.internalDTD
    if document_type is not None and next(root.iter(etree.Entity), None) is not None:
        raise Unreadable("uses entities of its own, which are not read")
    return root


def _schema_of(name: etree.QName) -> Schema | None:
    if name.namespace == dc_law.NAMESPACE and name.localname == "document":
        return dc_law.SCHEMA
    if name.localname == "akomaNtoso":
        return akoma_ntoso.SCHEMA
    return None


def _leaves(element: etree._Element) -> Iterator[str]:
    """Each element that holds words of its own, with all that it holds; in the document's order."""
    if len(element) == 0 or _holds_words(element):
        text = "".join(map(str, element.itertext()))
        if text and not text.isspace():
            yield text
        return
    for child in element:
        yield from _leaves(child)


def _holds_words(element: etree._Element) -> bool:
    own = [element.text, *(child.tail for child in element)]
    return any(text and not text.isspace() for text in own)
