"""DOCX: what Word shows, with the numbers it computes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import docx as python_docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from registry.core.text.passages import Passage
from registry.extraction import docx, numerals
from registry.extraction.unreadable import Unreadable

NS = nsdecls("w")


def made(*body: str, numbering: str | None = None, styles: str = "") -> bytes:
    """A document with these elements, `numbering` as the content of its numbering part."""
    document = python_docx.Document()
    end = document.element.body.sectPr
    for each in body:
        end.addprevious(parse_xml(f"<w:x {NS}>{each}</w:x>")[0])
    if styles:
        for style in parse_xml(f"<w:x {NS}>{styles}</w:x>"):
            document.styles.element.append(style)
    if numbering is not None:
        part = document.part.numbering_part.element
        for child in list(part):
            part.remove(child)
        for child in list(parse_xml(f"<w:x {NS}>{numbering}</w:x>")):
            part.append(child)
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def paragraph(text: str, properties: str = "") -> str:
    return (
        f'<w:p><w:pPr>{properties}</w:pPr><w:r><w:t xml:space="preserve">{text}</w:t></w:r></w:p>'
    )


def numbered(text: str, level: int = 0, list_id: int = 1) -> str:
    at = f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{list_id}"/></w:numPr>'
    return paragraph(text, at)


def level(number: int, form: str, text: str, rest: str = "") -> str:
    return (
        f'<w:lvl w:ilvl="{number}"><w:start w:val="1"/><w:numFmt w:val="{form}"/>{rest}'
        f'<w:suff w:val="space"/><w:lvlText w:val="{text}"/></w:lvl>'
    )


def lists(*levels: str, nums: str = "") -> str:
    return (
        f'<w:abstractNum w:abstractNumId="1">{"".join(levels)}</w:abstractNum>'
        f'<w:num w:numId="1"><w:abstractNumId w:val="1"/></w:num>{nums}'
    )


def texts(content: bytes) -> list[str]:
    return [" ".join(each.text.split()) for each in docx.passages(content)]


def test_paragraphs_headings_and_tables_in_their_order() -> None:
    document = python_docx.Document()
    document.add_heading("Law", 0)
    document.add_heading("Chapter", 2)
    document.add_paragraph("One")
    table = document.add_table(2, 3)
    for number, cell in enumerate(table._cells):
        cell.text = f"c{number}"
    table.cell(0, 0).merge(table.cell(1, 0))
    table.cell(0, 1).merge(table.cell(0, 2))
    document.add_paragraph("Two\nthree")
    document.sections[0].header.paragraphs[0].text = "no"
    document.sections[0].footer.paragraphs[0].text = "no"
    stream = io.BytesIO()
    document.save(stream)
    assert docx.passages(stream.getvalue())[:3] == (
        Passage("Law", 1),
        Passage("Chapter", 2),
        Passage("One"),
    )
    assert texts(stream.getvalue())[3:] == [
        "c0", "c3", "c1", "c2", "c4", "c5", "Two", "three",
    ]  # fmt: skip


def test_levels_of_headings_come_from_the_paragraph_then_its_style() -> None:
    styles = (
        '<w:style w:type="paragraph" w:styleId="A"><w:name w:val="A"/><w:pPr>'
        '<w:outlineLvl w:val="2"/></w:pPr></w:style>'
        '<w:style w:type="paragraph" w:styleId="B"><w:name w:val="B"/><w:basedOn w:val="A"/>'
        "</w:style>"
        '<w:style w:type="paragraph" w:styleId="C"><w:basedOn w:val="C"/></w:style>'
    )
    content = made(
        paragraph("a", '<w:pStyle w:val="B"/>'),
        paragraph("b", '<w:pStyle w:val="B"/><w:outlineLvl w:val="9"/>'),
        paragraph("c", '<w:outlineLvl w:val="0"/>'),
        paragraph("d", '<w:pStyle w:val="C"/>'),
        styles=styles,
    )
    assert [each.heading for each in docx.passages(content)] == [3, None, 1, None]


def test_numbers_are_computed_as_word_computes_them() -> None:
    numbering = lists(
        level(0, "chineseCountingThousand", "第%1条"),
        level(1, "decimal", "%1.%2", "<w:isLgl/>"),
        level(2, "lowerLetter", "(%3)"),
        level(3, "bullet", "•"),
        nums='<w:num w:numId="2"><w:abstractNumId w:val="1"/><w:lvlOverride w:ilvl="0">'
        '<w:startOverride w:val="7"/></w:lvlOverride></w:num>',
    )
    content = made(
        numbered("a"),
        numbered("b", 1),
        numbered("c", 2),
        numbered("d", 2),
        numbered("e", 3),
        numbered("f"),
        numbered("g", 2),
        paragraph("plain"),
        numbered("h", list_id=2),
        numbered("i", list_id=2),
        numbered("j", list_id=9),
        paragraph("none", '<w:numPr><w:numId w:val="0"/></w:numPr>'),
        numbering=numbering,
    )
    assert texts(content) == [
        "第一条 a", "1.1 b", "(a) c", "(b) d", "e", "第二条 f", "(a) g", "plain", "第七条 h",
        "第八条 i", "j", "none",
    ]  # fmt: skip


def test_a_level_may_go_on_counting_or_start_only_after_a_higher_one() -> None:
    numbering = lists(
        level(0, "decimal", "%1"),
        level(1, "decimal", "%1.%2", '<w:lvlRestart w:val="0"/>'),
        level(2, "upperRoman", "%3", '<w:lvlRestart w:val="1"/>'),
    )
    content = made(*(numbered("x", each) for each in (0, 1, 2, 1, 2, 0, 1, 2)), numbering=numbering)
    assert texts(content) == ["1 x", "1.1 x", "I x", "1.2 x", "II x", "2 x", "2.3 x", "I x"]


def test_a_style_numbers_its_paragraphs() -> None:
    numbering = lists(
        level(0, "decimal", "%1."), level(1, "decimal", "%1.%2.", '<w:pStyle w:val="S"/>')
    )
    style = (
        '<w:style w:type="paragraph" w:styleId="S"><w:name w:val="S"/><w:pPr><w:numPr>'
        '<w:numId w:val="1"/></w:numPr></w:pPr></w:style>'
        '<w:style w:type="paragraph" w:styleId="T"><w:name w:val="T"/><w:basedOn w:val="S"/>'
        '<w:pPr><w:numPr><w:ilvl w:val="0"/></w:numPr></w:pPr></w:style>'
    )
    content = made(
        paragraph("a", '<w:pStyle w:val="S"/>'),
        paragraph("b", '<w:pStyle w:val="S"/>'),
        paragraph("c", '<w:pStyle w:val="T"/>'),
        paragraph("d", '<w:pStyle w:val="S"/><w:numPr><w:numId w:val="0"/></w:numPr>'),
        numbering=numbering,
        styles=style,
    )
    assert texts(content) == ["1.1. a", "1.2. b", "2. c", "d"]


@pytest.mark.parametrize(
    ("write", "number", "written"),
    [
        (numerals.chinese, 10, "十"),
        (numerals.chinese, 15, "十五"),
        (numerals.chinese, 110, "一百一十"),
        (numerals.chinese, 105, "一百零五"),
        (numerals.chinese, 1005, "一千零五"),
        (numerals.chinese, 1260, "一千二百六十"),
        (numerals.chinese, 10_000, "一万"),
        (numerals.chinese, 20_034, "二万零三十四"),
        (numerals.japanese, 105, "百五"),
        (numerals.japanese, 21, "二十一"),
        (numerals.digit_by_digit, 105, "一〇五"),
        (numerals.full_width, 12, "１２"),
        (numerals.roman, 1994, "mcmxciv"),
        (numerals.letters, 28, "ab"),
        (numerals.repeated_letters, 28, "bb"),
    ],
)
def test_numerals(write: Callable[[int], str], number: int, written: str) -> None:
    assert write(number) == written


def test_tracked_changes_are_read_as_accepted() -> None:
    content = made(
        "<w:p><w:r><w:t>The </w:t></w:r><w:ins><w:r><w:t>new</w:t></w:r></w:ins>"
        "<w:del><w:r><w:delText>old</w:delText></w:r></w:del><w:moveFrom><w:r><w:t>no</w:t></w:r>"
        "</w:moveFrom><w:moveTo><w:r><w:t> law</w:t></w:r></w:moveTo></w:p>",
        "<w:p><w:pPr><w:rPr><w:del/></w:rPr></w:pPr><w:r><w:t>One sen</w:t></w:r></w:p>",
        paragraph("tence."),
        "<w:tbl><w:tr><w:trPr><w:del/></w:trPr><w:tc><w:p><w:r><w:t>no</w:t></w:r></w:p></w:tc>"
        "</w:tr><w:tr><w:tc><w:p><w:r><w:t>yes</w:t></w:r></w:p></w:tc></w:tr></w:tbl>",
    )
    assert texts(content) == ["The new law", "One sentence.", "yes"]


def test_fields_show_their_result_and_links_their_words() -> None:
    begin, separate, end = (
        f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>' for kind in ("begin", "separate", "end")
    )
    content = made(
        f"<w:p>{begin}<w:r><w:instrText>PAGE</w:instrText></w:r><w:r><w:t>no</w:t></w:r>{separate}"
        f"<w:r><w:t>result</w:t></w:r>{end}<w:r><w:t> a</w:t></w:r></w:p>",
        '<w:p><w:fldSimple w:instr="x"><w:r><w:t>simple</w:t></w:r></w:fldSimple><w:hyperlink>'
        "<w:r><w:t> link</w:t></w:r></w:hyperlink><w:sdt><w:sdtContent><w:r><w:t> control</w:t>"
        "</w:r></w:sdtContent></w:sdt></w:p>",
        "<w:sdt><w:sdtContent><w:p><w:r><w:t>block</w:t></w:r></w:p></w:sdtContent></w:sdt>",
    )
    assert texts(content) == ["result a", "simple link control", "block"]


def test_characters_that_are_elements() -> None:
    content = made(
        "<w:p><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:noBreakHyphen/><w:t>c</w:t><w:softHyphen/>"
        "<w:t>d</w:t><w:br/><w:t>e</w:t></w:r><w:r><w:rPr><w:vanish/></w:rPr><w:t>no</w:t></w:r>"
        '<w:r><w:rPr><w:vanish w:val="0"/></w:rPr><w:t>f</w:t></w:r></w:p>'
    )
    assert texts(content) == ["a b\u2011cd", "ef"]


def test_a_text_box_is_read_once_after_its_paragraph() -> None:
    box = "<w:txbxContent><w:p><w:r><w:t>box</w:t></w:r></w:p></w:txbxContent>"
    content = made(
        '<w:p xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><w:r><w:t>a'
        f"</w:t></w:r><w:r><mc:AlternateContent><mc:Choice Requires='wps'>{box}</mc:Choice>"
        f"<mc:Fallback>{box}</mc:Fallback></mc:AlternateContent></w:r><w:r><w:t>b</w:t></w:r></w:p>"
    )
    assert texts(content) == ["ab", "box"]


def test_notes_come_at_the_end() -> None:
    content = made(
        '<w:p><w:r><w:t>one</w:t></w:r><w:r><w:footnoteReference w:id="2"/></w:r></w:p>',
        paragraph("two"),
    )
    notes = (
        f'<?xml version="1.0"?><w:footnotes {NS}><w:footnote w:id="0"><w:p><w:r><w:t>no</w:t></w:r>'
        '</w:p></w:footnote><w:footnote w:id="2"><w:p><w:r><w:footnoteRef/></w:r><w:r><w:t>note'
        "</w:t></w:r></w:p></w:footnote></w:footnotes>"
    )
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes"
    content = changed(
        content,
        {
            "[Content_Types].xml": lambda old: old.replace(
                "</Types>",
                f'<Override PartName="/word/footnotes.xml" ContentType="{kind}"/></Types>',
            ),
            "word/_rels/document.xml.rels": lambda old: old.replace(
                "</Relationships>",
                f'<Relationship Id="n1" Type="{relation}" Target="footnotes.xml"/></Relationships>',
            ),
        },
        {"word/footnotes.xml": notes},
    )
    assert texts(content) == ["one", "two", "note"]


def changed(content: bytes, edits: dict[str, Callable[[str], str]], more: dict[str, str]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            if name in edits:
                part = edits[name](part.decode()).encode()
            new.writestr(name, part)
        for name, text in more.items():
            new.writestr(name, text)
    return stream.getvalue()


def test_what_is_no_document_of_word_is_refused() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("word/document.xml", "<a/>")
    with pytest.raises(Unreadable, match="not a document of Word"):
        docx.passages(stream.getvalue())
    with pytest.raises(Unreadable, match="another document"):
        docx.passages(made("<w:altChunk/>"))
    with pytest.raises(Unreadable, match="broken ZIP"):
        docx.passages(stream.getvalue()[:30])


def test_a_bomb_is_refused_before_it_unpacks() -> None:
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("word/document.xml", "w", force_zip64=True) as part,
    ):
        for _ in range(300):
            part.write(bytes(1 << 20))
    with pytest.raises(Unreadable, match="unpacks to more than 256 MB"):
        docx.passages(stream.getvalue())
