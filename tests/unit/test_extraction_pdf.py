"""PDF: lines as pdfium gives them, put together where they were broken within a word."""

from __future__ import annotations

import pytest

from registry.extraction import pdf
from registry.extraction.unreadable import Unreadable
from tests.documents import pdf_of as made


def texts(content: bytes) -> list[str]:
    return [" ".join(each.text.split()) for each in pdf.passages(content)]


def test_a_line_is_a_passage_over_all_pages() -> None:
    assert texts(made(["Law on waters", "Article 1"], ["Article 2"])) == [
        "Law on waters",
        "Article 1",
        "Article 2",
    ]


def test_a_line_broken_after_a_hyphen_a_dash_or_a_slash_goes_on() -> None:
    lines = ["a well-", "being and 2019–", "2020 and/", "or more –", "end -", "last"]
    assert texts(made(lines)) == ["a well-being and 2019–2020 and/or more –", "end -", "last"]
    assert texts(made(["across 2019-"], ["2020"])) == ["across 2019-2020"]


def test_brackets_are_put_together_where_the_file_shows_that_no_space_was_there() -> None:
    body = ["The Mayor shall report as the law says ", "and publish the report for all to see "] * 5
    broken = ["notwithstanding what is in section 301(a)", "(1) of the Act."]
    assert (
        texts(made([*body, *broken]))[-1]
        == "notwithstanding what is in section 301(a)(1) of the Act."
    )
    # A short line ends its paragraph.
    assert texts(made([*body, "(a)", "(1) In general."]))[-2:] == ["(a)", "(1) In general."]
    # Where spaces at line ends are not written, nothing is known.
    bare = [line.strip() for line in body]
    assert texts(made([*bare, *broken]))[-1] == "(1) of the Act."


def test_bullets_are_no_text() -> None:
    assert texts(made(["• one", "•two", "a • b"])) == ["one", "•two", "a • b"]


def test_a_file_that_was_saved_anew_has_the_same_text() -> None:
    lines = ["Law on waters", "Article 1. Rivers."]
    assert texts(made(lines)) == texts(made(lines, compressed=True))


def test_a_scan_and_an_encrypted_file_say_so() -> None:
    with pytest.raises(Unreadable, match="no text layer"):
        pdf.passages(made([]))
    locked = "/Encrypt<</Filter/Standard/V 2/R 3/Length 128/P -3904/O<" + "41" * 32 + ">/U<"
    with pytest.raises(Unreadable, match="encrypted"):
        pdf.passages(made(["x"], trailer=locked + "42" * 32 + ">>>/ID[<41><41>]"))
    with pytest.raises(Unreadable, match="broken PDF"):
        pdf.passages(b"%PDF-1.7\nnothing")
