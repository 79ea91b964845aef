"""Laws in XML by their structure: numbered units within units, labelled as they are cited.

A schema says what part each element plays; the walk is the same for all. A unit's first passage
is its number with its heading, or with its first words: "(a) The Mayor shall". Words after a
unit's numbered parts are a clause by themselves, `§ 3(b) (closing words)`; what is quoted, to
stand elsewhere, continues the label in quotation marks: `§ 2(a) “(1A)(A)”`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum, auto

from lxml import etree

from registry.core.text.passages import Passage
from registry.extraction.labels import Labelled

TITLE, PREAMBLE, CLOSING_WORDS = "Title", "Preamble", "Closing words"
_CLOSING = " (closing words)"
_LINE_END = "\x00"  # which XML can not hold
_DEEPEST_HEADING = 6


class Part(Enum):
    """What an element is in a law."""

    DROPPED = auto()  # not shown: metadata, instructions to editors
    NUMBER = auto()
    PREFIX = auto()  # the word before a number: "Title"
    HEADING = auto()
    UNIT = auto()  # a part that may be numbered and cited
    QUOTED = auto()  # what is to stand elsewhere
    FRONT = auto()  # outside the units: the schema says its label
    BLOCK = auto()  # stands on lines of its own, or holds what does
    INLINE = auto()
    BREAK = auto()


@dataclass(frozen=True, slots=True)
class Cited:
    """How a unit is cited: `name` after its parent's label or, `anew`, without it. Empty: it is
    not cited, and its words are its parent's."""

    name: str
    anew: bool = False


@dataclass(frozen=True, slots=True)
class Schema:
    part: Callable[[etree._Element], Part]
    cited: Callable[[etree._Element, str, str, str], Cited]
    """From a unit, its prefix, its number and its heading."""
    front: Callable[[etree._Element], str]
    """The label of an element that is FRONT."""
    is_shown: Callable[[etree._Element], bool]
    """Whether a unit's number or heading stands in the law, or only in the file."""


Path = tuple[str, ...]
"""A label in the making: its part outside quotation marks, within the first, within the second."""


def label_of(path: Path) -> str:
    label = path[-1]
    for depth in range(len(path) - 2, -1, -1):
        opening, ending = "“”" if depth % 2 == 0 else "‘’"
        label = f"{path[depth]} {opening}{label}{ending}".lstrip() if label else path[depth]
    return label


def read(root: etree._Element, schema: Schema) -> tuple[Passage, ...]:
    walk = _Walk(schema)
    walk.content(root, ("",), 1, frozenset())
    walk.out.finish()
    return tuple(walk.out.passages)


class _Walk:
    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.out = Labelled()
        # The label outside the units: of the element that is read, and the last that has begun.
        self.front: str | None = None
        self.begun: str | None = None
        self.reached_units = False
        # Of the unit that is read: numbered parts have been, and words after them.
        self.divided = self.closed = False

    def content(self, element: etree._Element, path: Path, depth: int, but: frozenset[int]) -> None:
        """What an element holds, in order, but the children with these places."""
        line: list[str] = [element.text] if element.text else []
        for place, child in enumerate(element):
            if place not in but:
                part = self.schema.part(child)
                if part is Part.INLINE:
                    self.inline(child, line)
                elif part is Part.BREAK:
                    line.append(_LINE_END)
                elif part is not Part.DROPPED:
                    if line:
                        self.words(line, path)
                    self.child(child, part, path, depth)
            tail = child.tail
            if tail and (line or not tail.isspace()):
                line.append(tail)
        if line:
            self.words(line, path)

    def child(self, child: etree._Element, part: Part, path: Path, depth: int) -> None:
        if part is Part.UNIT:
            self.unit(child, path, depth)
        elif part is Part.QUOTED:
            self.content(child, (*path, ""), depth, frozenset())
        elif part is Part.FRONT:
            outer, self.front = self.front, self.schema.front(child)
            self.content(child, path, depth, frozenset())
            self.front = outer
        else:
            self.content(child, path, depth, frozenset())

    def unit(self, element: etree._Element, path: Path, depth: int) -> None:
        prefix, number, heading, places = self.head(element)
        cited = self.schema.cited(element, prefix, number, heading)
        if cited.name:
            within = "" if cited.anew else path[-1]
            path = (*path[:-1], within + cited.name if within else cited.name.lstrip(", "))
            self.out.begin(label_of(path))
            self.reached_units, self.begun = True, None
            self.divided = self.closed = False
        head = " ".join(each for each in (prefix, number, heading) if each)
        if heading and (cited.anew or cited.name.startswith(", ") or not number):
            self.out.add(head, heading=min(depth, _DEEPEST_HEADING))
        elif head:
            self.out.lead(head)
        front, self.front = self.front, None if cited.name else self.front
        self.content(element, path, depth + 1, places)
        self.out.finish()
        self.front = front
        if cited.name:
            self.divided, self.closed = True, False

    def head(self, element: etree._Element) -> tuple[str, str, str, frozenset[int]]:
        """A unit's prefix, number and heading, and the places of these among its children."""
        found: dict[Part, str] = {}
        places = set()
        for place, child in enumerate(element):
            part = self.schema.part(child)
            if part in (Part.NUMBER, Part.PREFIX, Part.HEADING):
                if part not in found:
                    found[part] = self.line(child) if self.schema.is_shown(child) else ""
                    places.add(place)
            elif part is not Part.DROPPED:
                break
        words = (found.get(part, "") for part in (Part.PREFIX, Part.NUMBER, Part.HEADING))
        prefix, number, heading = words
        return prefix, number, heading, frozenset(places)

    def line(self, element: etree._Element) -> str:
        words: list[str] = []
        self.inline(element, words)
        return " ".join("".join(words).replace(_LINE_END, " ").split())

    def inline(self, element: etree._Element, line: list[str]) -> None:
        """The words of an element within a line."""
        if element.text:
            line.append(element.text)
        for child in element:
            part = self.schema.part(child)
            if part is Part.BREAK:
                line.append(_LINE_END)
            elif part is not Part.DROPPED:
                self.inline(child, line)
            if child.tail:
                line.append(child.tail)

    def words(self, line: list[str], path: Path) -> None:
        """A line is complete."""
        text = "".join(line)
        line.clear()
        if not text or text.isspace():
            return
        self.label(path, text)
        for each in text.split(_LINE_END):
            self.out.add(each)

    def label(self, path: Path, text: str) -> None:
        """Begins a clause where words stand that no unit's number begins."""
        outside = path == ("",) and not self.reached_units
        front = self.front or (PREAMBLE if outside else None)
        if front is not None:
            if front != self.begun:
                self.begun = front
                self.out.begin(front)
        elif self.divided and not self.closed and _has_words(text):
            self.closed = True
            label = label_of(path)
            self.out.begin(label + _CLOSING if label else CLOSING_WORDS)


def _has_words(text: Iterable[str]) -> bool:
    return any(character.isalnum() for character in text)
