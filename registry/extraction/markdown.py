"""Markdown: CommonMark with tables. What it shows when it is rendered, without its marks.

The number of a list's item is text, counted as a renderer counts, with the delimiter as written.
A line's end within a paragraph begins a new passage, since paragraphs of Chinese laws hold lines
of their own. HTML in it is read as HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from registry.core.text.passages import Passage
from registry.extraction.encodings import decode
from registry.extraction.unreadable import Unreadable

MAX_NESTING = 100
# A paragraph without any of these is its own text.
_MARKED = re.compile(r"[\\`*_\[\]<>&!]|  +\n")
_COMMENT = re.compile(r"\A\s*<!--(?:(?!-->).)*-->\s*\Z", re.DOTALL)
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)


def passages(content: bytes) -> tuple[Passage, ...]:
    return of_characters(decode(content))


def of_characters(text: str) -> tuple[Passage, ...]:
    """The passages of Markdown that is characters already."""
    parser = _parser()
    env: dict[str, object] = {}
    tokens = parser.parse(text, env)
    if any(token.level >= MAX_NESTING - 1 for token in tokens):
        # Beyond it the parser drops what it finds.
        raise Unreadable(f"is nested more than {MAX_NESTING - 1} deep")
    return tuple(_Reading(parser, env).read(tokens))


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"maxNesting": MAX_NESTING}).enable("table")
    return parser.disable("inline")


@dataclass(slots=True)
class _Reading:
    parser: MarkdownIt
    env: dict[str, object]
    markers: list[str] = field(default_factory=list)
    numbers: list[int | None] = field(default_factory=list)
    heading: int | None = None

    def read(self, tokens: Sequence[Token]) -> Iterator[Passage]:
        for token in tokens:
            kind = token.type
            if kind == "inline":
                yield from self._lines(self._inline(token.content))
            elif kind == "heading_open":
                self.heading = int(token.tag[1])
            elif kind == "heading_close":
                self.heading = None
            elif kind in ("fence", "code_block"):
                yield from self._lines(token.content.split("\n"))
            elif kind == "html_block":
                yield from self._html(token.content)
            elif kind in ("ordered_list_open", "bullet_list_open"):
                ordered = kind == "ordered_list_open"
                self.numbers.append(int(token.attrGet("start") or 1) if ordered else None)
                if ordered and token.attrGet("start") == 0:
                    self.numbers[-1] = 0
            elif kind in ("ordered_list_close", "bullet_list_close"):
                self.numbers.pop()
            elif kind == "list_item_open":
                self._item(token)
            elif kind == "list_item_close":
                yield from self._empty_item()

    def _item(self, token: Token) -> None:
        number = self.numbers[-1]
        if number is not None:
            self.markers.append(f"{number}{token.markup}")
            self.numbers[-1] = number + 1

    def _empty_item(self) -> Iterator[Passage]:
        if self.markers:
            yield Passage(" ".join(self.markers))
            self.markers.clear()

    def _lines(self, lines: Sequence[str]) -> Iterator[Passage]:
        for line in lines:
            if not line or line.isspace():
                continue
            if self.markers:
                line = " ".join((*self.markers, line))
                self.markers.clear()
            yield Passage(line, heading=self.heading)

    def _inline(self, content: str) -> list[str]:
        if not _MARKED.search(content):
            return content.split("\n")
        tokens: list[Token] = []
        self.parser.inline.parse(content, self.parser, self.env, tokens)
        return "".join(_shown(tokens)).split("\n")

    def _html(self, content: str) -> Iterator[Passage]:
        if _COMMENT.match(content):
            return
        from registry.extraction import html

        for passage in html.of_markup(content):
            yield from self._lines([passage.text])


def _shown(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type in ("text", "code_inline", "text_special"):
            yield token.content
        elif token.type in ("softbreak", "hardbreak") or _is_break(token):
            yield "\n"


def _is_break(token: Token) -> bool:
    return token.type == "html_inline" and _BREAK.fullmatch(token.content) is not None
