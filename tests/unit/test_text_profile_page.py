"""docs/formats.md, section 20, says what the text profile does: its lists are the code's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import unicodedata2

from registry.core.text.normal import UNICODE, normal
from registry.extraction import encodings, formats, html, markdown, pdf
from registry.extraction.docx import MAX_FILES, MAX_UNPACKED

PAGE = (Path(__file__).parents[2] / "docs" / "formats.md").read_text("utf-8")
SECTION = PAGE[PAGE.index("## 20. The text profile") :]
_RANGE = re.compile(r"U\+([0-9A-F]{4,6})(?:–U\+([0-9A-F]{4,6}))?")
ALL = [*range(0xD800), *range(0xE000, 0x40000), *range(0xE0000, 0xE1000)]


def step(number: int) -> str:
    """One step of the normal form, as the page has it."""
    steps = re.split(r"\n(?=\d\. )", SECTION[SECTION.index("1. Dropped") :])
    return steps[number - 1].split("\n\n")[0]


def code_points(text: str) -> set[int]:
    return {
        code
        for first, last in _RANGE.findall(text)
        for code in range(int(first, 16), int(last or first, 16) + 1)
    }


def test_what_is_dropped_is_what_the_page_lists() -> None:
    found = {code for code in ALL if normal(f"a{chr(code)}b") == "ab"}
    assert found == code_points(step(1))


def test_white_space_is_what_the_page_lists() -> None:
    found = {code for code in ALL if normal(f"a{chr(code)}b") == "a b"}
    assert found == code_points(step(3))


def test_scripts_without_spaces_are_those_that_the_page_lists() -> None:
    other = code_points(step(1)) | code_points(step(3))
    told = code_points(step(4)) - other
    found = {code for code in ALL if normal(f"a {chr(code)} b") == normal(f"a{chr(code)}b")}
    # What composes to another character is of that one's script.
    assert {code for code in found - other if composed(code) == code} == {
        code for code in told if composed(code) == code
    }


def composed(code: int) -> int:
    return ord(unicodedata2.normalize("NFC", chr(code))[0])


def test_full_width_forms_are_those_that_the_page_lists() -> None:
    forms, ascii_ = step(5).split("become")
    for wide, narrow in zip(sorted(code_points(forms)), sorted(code_points(ascii_)), strict=True):
        assert normal(chr(wide)) == chr(narrow)


@pytest.mark.parametrize("ending", sorted(formats._ENDINGS))
def test_endings_of_names(ending: str) -> None:
    assert f"`{ending}`" in SECTION


@pytest.mark.parametrize("element", sorted(html._DROPPED))
def test_elements_that_are_no_text(element: str) -> None:
    assert f"`{element}`" in SECTION


def test_limits_are_the_codes() -> None:
    prose = " ".join(SECTION.split())
    for said in (
        f"Unicode {UNICODE} throughout",
        f"nested deeper than {markdown.MAX_NESTING - 1} make",
        f"unpacks to more than {MAX_UNPACKED >> 20} MB or holds more than {MAX_FILES:,} parts",
        f"at least {pdf._FULL} of the characters",
        f"among the first {encodings._SAMPLE:,}",
        f"in the first {formats._HEAD:,} bytes",
    ):
        assert said in prose, said
