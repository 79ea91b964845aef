"""HTML: what a browser shows of it without style sheets and scripts, in the document's order.

Not text: what is never shown (`script`, `style`, `template`, the head), what `hidden` or a style
attribute hides, what stands there for browsers that can not do something (`noscript`, `object`),
what a user fills in. The number of an item of an ordered list is text, as the browser counts it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from registry.core.text.passages import Passage
from registry.extraction import numerals
from registry.extraction.encodings import decode_declared

_DROPPED = {
    "script", "style", "template", "noscript", "head", "title", "iframe", "object", "embed",
    "audio", "video", "canvas", "svg", "textarea", "select", "option", "button", "input",
    "meter", "progress", "datalist", "map", "area", "frameset", "frame", "noframes", "noembed",
    "applet",
}  # fmt: skip
_BLOCKS = {
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details",
    "dialog", "dir", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form",
    "h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "hr", "html", "legend", "li",
    "listing", "main", "menu", "nav", "ol", "optgroup", "p", "plaintext", "pre", "search",
    "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul", "xmp",
}  # fmt: skip
_PREFORMATTED = {"pre", "listing", "plaintext", "xmp"}
_META = re.compile(
    rb"<meta[^>]+?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]+)|<\?xml[^>]+?encoding\s*=\s*[\"']"
    rb"([A-Za-z0-9_.-]+)",
    re.IGNORECASE,
)
_UNSHOWN = re.compile(r"(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)
_LIST_STYLE = re.compile(r"list-style(?:-type)?\s*:[^;]*?([a-z-]+)\s*(?:!important\s*)?(?:;|$)")
_MARKERS: dict[str, Callable[[int], str]] = {
    "1": str, "decimal": str, "a": numerals.letters, "A": lambda n: numerals.letters(n).upper(),
    "i": numerals.roman, "I": lambda n: numerals.roman(n).upper(),
    "lower-alpha": numerals.letters, "lower-latin": numerals.letters,
    "upper-alpha": lambda n: numerals.letters(n).upper(),
    "upper-latin": lambda n: numerals.letters(n).upper(),
    "lower-roman": numerals.roman, "upper-roman": lambda n: numerals.roman(n).upper(),
    "decimal-leading-zero": lambda n: f"{n:02}",
}  # fmt: skip
_IDEOGRAPHIC: dict[str, Callable[[int], str]] = {
    "cjk-ideographic": numerals.chinese, "simp-chinese-informal": numerals.chinese,
    "trad-chinese-informal": numerals.chinese, "cjk-decimal": numerals.digit_by_digit,
}  # fmt: skip
_NO_MARKERS = {"none", "disc", "circle", "square"}


def passages(content: bytes) -> tuple[Passage, ...]:
    found = _META.search(content[:1024])
    declared = (found[1] or found[2]).decode("ascii") if found else None
    return of_markup(decode_declared(content, declared))


def of_markup(markup: str) -> tuple[Passage, ...]:
    """The passages of HTML that is characters already."""
    # A NUL would end the parser's input.
    try:
        parser = LexborHTMLParser(markup.replace("\x00", ""))
    except SelectolaxError:
        # There is no wrong HTML: what fails is memory.
        raise MemoryError from None
    root = parser.root
    return tuple(_Reading().read(root)) if root is not None else ()


@dataclass(slots=True)
class _List:
    """An ordered list that is open: the number of its next item, and how numbers are written."""

    number: int
    step: int
    style: str


@dataclass(slots=True)
class _Reading:
    """One walk over a document. No recursion: documents may be nested deeper than a stack."""

    parts: list[str] = field(default_factory=list)
    markers: list[str] = field(default_factory=list)
    lists: list[_List | None] = field(default_factory=list)
    heading: int | None = None
    preformatted: int = 0

    def read(self, root: LexborNode) -> Iterator[Passage]:
        node: LexborNode | None = root
        depth = 0
        while node is not None:
            child = None
            if node.is_text_node:
                yield from self._text(node.text_content or "")
            elif node.is_element_node:
                name = node.tag or ""
                if not _is_dropped(node, name):
                    yield from self._enter(node, name)
                    child = node.first_child
                    if child is None:
                        yield from self._leave(name)
            if child is not None:
                node, depth = child, depth + 1
                continue
            while depth and node.next is None and node.parent is not None:
                node, depth = node.parent, depth - 1
                yield from self._leave(node.tag or "")
            node = node.next if depth else None
        yield from self._flush()

    def _text(self, text: str) -> Iterator[Passage]:
        if not self.preformatted:
            self.parts.append(text)
            return
        first, *rest = text.split("\n")
        self.parts.append(first)
        for line in rest:
            yield from self._flush()
            self.parts.append(line)

    def _enter(self, node: LexborNode, name: str) -> Iterator[Passage]:
        if name == "br":
            yield from self._flush()
        if name not in _BLOCKS:
            return
        yield from self._flush()
        if name in _PREFORMATTED:
            self.preformatted += 1
        elif name == "ol":
            self.lists.append(_ordered(node))
        elif name in ("ul", "menu", "dir"):
            self.lists.append(None)
        elif name == "li" and self.lists:
            self._item(node, self.lists[-1])
        elif len(name) == 2 and name[0] == "h" and name[1].isdigit():
            self.heading = int(name[1])

    def _leave(self, name: str) -> Iterator[Passage]:
        if name not in _BLOCKS:
            return
        yield from self._flush()
        if name == "li" and self.markers:
            # An empty item shows its number all the same.
            yield Passage(" ".join(self.markers))
            self.markers.clear()
        elif name in _PREFORMATTED:
            self.preformatted -= 1
        elif name in ("ol", "ul", "menu", "dir"):
            self.lists.pop()
        elif len(name) == 2 and name[0] == "h" and name[1].isdigit():
            self.heading = None

    def _item(self, node: LexborNode, within: _List | None) -> None:
        if within is None:
            return
        attributes = node.attributes
        within.number = _integer(attributes.get("value"), within.number)
        style = _style_of(attributes, within.style)
        if style in _IDEOGRAPHIC:
            self.markers.append(_IDEOGRAPHIC[style](within.number) + "、")
        elif style not in _NO_MARKERS:
            self.markers.append(_MARKERS.get(style, str)(within.number) + ".")
        within.number += within.step

    def _flush(self) -> Iterator[Passage]:
        text = "".join(self.parts)
        self.parts.clear()
        if text and not text.isspace():
            if self.markers:
                text = " ".join((*self.markers, text))
                self.markers.clear()
            yield Passage(text, heading=self.heading)


def _is_dropped(node: LexborNode, name: str) -> bool:
    if name in _DROPPED:
        return True
    attributes = node.attributes
    if not attributes:
        return False
    if "hidden" in attributes:
        return True
    style = attributes.get("style")
    return bool(style and _UNSHOWN.search(style))


def _ordered(node: LexborNode) -> _List:
    attributes = node.attributes
    reverse = "reversed" in attributes
    first = sum(1 for child in node.iter() if child.tag == "li") if reverse else 1
    start = _integer(attributes.get("start"), first)
    return _List(start, -1 if reverse else 1, _style_of(attributes, "decimal"))


def _style_of(attributes: dict[str, str | None], inherited: str) -> str:
    found = _LIST_STYLE.search((attributes.get("style") or "").lower())
    if found:
        return found[1]
    kind = attributes.get("type")
    return kind if kind in _MARKERS else inherited


def _integer(value: str | None, otherwise: int) -> int:
    found = re.match(r"\s*([+-]?[0-9]{1,9})", value or "")
    return int(found[1]) if found else otherwise
