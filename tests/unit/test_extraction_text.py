"""Plain text, Markdown and HTML: what is read of them, and in which encoding."""

from __future__ import annotations

import codecs
import sys

import pytest

from registry.core.text.passages import Passage
from registry.extraction import html, markdown, plain
from registry.extraction.encodings import decode
from registry.extraction.extract import extract
from registry.extraction.formats import Format, format_of
from registry.extraction.unreadable import MissingLibrary, Unreadable
from tests.documents import docx_of

LAW = "第一条 为了保护环境，制定本条例。\n第二条 本条例自公布之日起施行。\n"


def texts(passages: tuple[Passage, ...]) -> list[str]:
    return [" ".join(each.text.split()) for each in passages]


@pytest.mark.parametrize(
    "content",
    [
        LAW.encode("utf-8"),
        codecs.BOM_UTF8 + LAW.encode("utf-8"),
        codecs.BOM_UTF16_LE + LAW.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + LAW.encode("utf-16-be"),
        LAW.encode("utf-16-le"),
        LAW.encode("utf-16-be"),
        codecs.BOM_UTF32_LE + LAW.encode("utf-32-le"),
        LAW.encode("gb18030"),
    ],
    ids=["utf-8", "utf-8 mark", "utf-16-le", "utf-16-be", "le bare", "be bare", "utf-32", "gb"],
)
def test_one_law_in_eight_encodings_is_one_text(content: bytes) -> None:
    assert decode(content) == LAW


def test_other_encodings_are_not_taken_for_chinese() -> None:
    french = "Le décret entre en vigueur à l'été, où qu'il soit publié. " * 20
    assert decode(french.encode("cp1252")) == french
    korean = "이 법은 공포한 날부터 시행한다. 다만 제이조는 다음 해부터 시행한다. " * 20
    assert decode(korean.encode("cp949")) == korean


@pytest.mark.parametrize(
    "content",
    [
        b"\x00\x01\x02\x03" * 50,
        codecs.BOM_UTF8 + b"caf\xe9",
        codecs.BOM_UTF16_LE + b"a\x00\x00\xd8",
        LAW.encode("utf-8") + b"\x00",
    ],
)
def test_what_can_not_be_decoded_is_refused_and_never_replaced(content: bytes) -> None:
    with pytest.raises(Unreadable):
        decode(content)


def test_a_line_of_plain_text_is_a_passage() -> None:
    assert plain.passages(b"One.\r\n\r\n  Two.\rThree.") == (
        Passage("One."),
        Passage("  Two."),
        Passage("Three."),
    )


def test_markdown_is_read_without_its_marks() -> None:
    source = """# Law *on* waters

<!-- INFO END -->

Adopted in **2019**, see [the
gazette](https://example.org "t") and `code`; ![seal](seal.png) &amp; more\\*.

## Chapter 1

3. third
4. fourth

   - bullet
7) other

> quoted

    verbatim
    lines

| a | b |
|---|---|
| c | *d* |
"""
    passages = markdown.passages(source.encode())
    assert texts(passages) == [
        "Law on waters",
        "Adopted in 2019, see the",
        "gazette and code; & more*.",
        "Chapter 1",
        "3. third",
        "4. fourth",
        "bullet",
        "7) other",
        "quoted",
        "verbatim",
        "lines",
        "a",
        "b",
        "c",
        "d",
    ]
    assert [each.heading for each in passages][:4] == [1, None, None, 2]


def test_a_line_of_a_chinese_paragraph_begins_a_passage() -> None:
    assert texts(markdown.passages("第一条 甲。\n（一）乙；\\\n（二）丙。".encode())) == [
        "第一条 甲。",
        "（一）乙；",
        "（二）丙。",
    ]


def test_html_within_markdown_is_read_as_html() -> None:
    source = "<div hidden>no</div>\n\n<table><tr><td>a<td>b</table>\n\nline<br>break <b>bold</b>"
    assert texts(markdown.passages(source.encode())) == ["a", "b", "line", "break bold"]


def test_markdown_nested_beyond_what_is_read_is_refused_and_nothing_is_lost() -> None:
    deep = ">" * 60 + " words"
    assert texts(markdown.passages(deep.encode())) == ["words"]
    with pytest.raises(Unreadable, match="nested"):
        markdown.passages((">" * 200 + " words").encode())


def test_html_is_what_is_seen_in_the_documents_order() -> None:
    source = """<!DOCTYPE html><html><head><title>no</title><style>no</style></head><body>
<h2>Law <i>on</i>
waters</h2><p>One<br>two<!-- no --><script>no</script><noscript>no</noscript>
<template>no</template><span hidden>no</span><b style="display: none">no</b>
<p>three <em>four</em>five<div>six<div>seven</div>eight</div>
<table><caption>cap</caption><tr><th>a<td>b <p>c</table><pre>
x
 y</pre><img alt="no"><button>no</button><select><option>no</select></body></html>"""
    passages = html.passages(source.encode())
    assert texts(passages) == [
        "Law on waters", "One", "two", "three fourfive", "six", "seven", "eight", "cap", "a", "b",
        "c", "x", "y",
    ]  # fmt: skip
    assert passages[0].heading == 2
    assert {each.heading for each in passages[1:]} == {None}


def test_the_numbers_of_ordered_lists_are_text_as_a_browser_counts() -> None:
    source = """<ol start=3><li>a<li value=9>b<li><p>c</p></ol><ol type=a><li>a<li><ol type=I>
<li>x</ol></ol><ol reversed><li>two<li>one</ol><ul><li>bullet</ul><ol><li></ol>
<ol style="list-style-type: lower-roman"><li>r</ol><ol style="list-style: none"><li>bare</ol>"""
    assert texts(html.of_markup(source)) == [
        "3. a", "9. b", "10. c", "a. a", "b. I. x", "2. two", "1. one", "bullet", "1.", "i. r",
        "bare",
    ]  # fmt: skip


@pytest.mark.parametrize("declared", ["gb2312", "GBK", "gb18030"])
def test_html_says_its_encoding(declared: str) -> None:
    source = f'<html><head><meta charset="{declared}"></head><body>镕基 {LAW}</body></html>'
    assert texts(html.passages(source.encode("gb18030")))[0].startswith("镕基 第一条")
    # What is not true does not count.
    assert texts(html.passages(source.encode("utf-8-sig")))[0].startswith("镕基 第一条")


def test_html_nested_deeply_is_walked_without_recursion() -> None:
    assert texts(html.of_markup("<div>" * 5_000 + "x")) == ["x"]


@pytest.mark.parametrize(
    ("content", "name", "expected"),
    [
        (b"%PDF-1.7\n", "a.txt", Format.PDF),
        (b"PK\x03\x04....word/document.xml", "a.pdf", Format.DOCX),
        (b"<?xml version='1.0'?><a/>", "a.html", Format.XML),
        (b"\xef\xbb\xbf \n<!-- c -->\n<!DOCTYPE html><p>", "a.md", Format.HTML),
        ("<html>".encode("utf-16"), "a", Format.HTML),
        (b'<akomaNtoso xmlns="x">', "", Format.XML),
        (b"<p>one", "page", Format.HTML),
        (b"<p>one", "a.md", Format.MARKDOWN),
        (b"words", "a.MD", Format.MARKDOWN),
        (b"# Title\n", "", Format.MARKDOWN),
        (b"words", "README", Format.PLAIN),
        (b"words", "", Format.PLAIN),
    ],
)
def test_the_format_is_told_by_the_bytes_then_by_the_name(
    content: bytes, name: str, expected: Format
) -> None:
    assert format_of(content, name) is expected


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "empty"),
        (b" \n\t", "empty"),
        (b"\x89PNG\r\n", "picture"),
        (b"{\\rtf1 x}", "RTF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "before 2007"),
        (b"PK\x03\x04 another", "ZIP"),
    ],
)
def test_what_has_no_text_that_can_be_had_says_why(content: bytes, cause: str) -> None:
    with pytest.raises(Unreadable, match=cause):
        format_of(content, "a.txt")


@pytest.mark.parametrize(
    ("library", "name", "package"),
    [
        ("lxml", "a.xml", "lxml"),
        ("selectolax.lexbor", "a.html", "selectolax"),
        ("markdown_it", "a.md", "markdown-it-py"),
        ("pypdfium2", "%PDF-", "pypdfium2"),
        ("docx.package", "PK\x03\x04 word/document", "python-docx"),
    ],
)
def test_a_library_that_is_not_installed_is_named(
    monkeypatch: pytest.MonkeyPatch, library: str, name: str, package: str
) -> None:
    for module in [each for each in sys.modules if each.startswith("registry.extraction.")]:
        if module.rpartition(".")[2] not in ("extract", "unreadable", "formats", "encodings"):
            monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, library, None)
    content = docx_of("x") if package == "python-docx" else name.encode()
    with pytest.raises(MissingLibrary, match=package):
        extract(content, name)
