"""Names of WordprocessingML's elements and attributes, as lxml gives them."""

from __future__ import annotations

from lxml import etree

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
VAL = W + "val"


def value(parent: etree._Element | None, name: str) -> str | None:
    """The `val` of a child, or None."""
    if parent is None:
        return None
    child = parent.find(W + name)
    return None if child is None else child.get(VAL)


def integer(text: str | None, otherwise: int | None = None) -> int | None:
    try:
        return int(text) if text is not None and len(text) < 12 else otherwise
    except ValueError:
        return otherwise


def is_on(parent: etree._Element | None, name: str) -> bool:
    """Whether a property stands there and is not switched off."""
    if parent is None:
        return False
    child = parent.find(W + name)
    return child is not None and child.get(VAL, "1") not in ("0", "false", "off")
