"""XML: laws by their structure, with the labels that a lawyer cites; other XML by its leaves."""

from __future__ import annotations

import pytest

from registry.core.text.clauses import MAX_LABEL_BYTES
from registry.core.text.passages import Passage
from registry.extraction import xml
from registry.extraction.unreadable import Unreadable

DC = """<?xml version='1.0' encoding='utf-8'?>
<document xmlns="https://code.dccouncil.us/schemas/dc-library"
 xmlns:codify="https://code.dccouncil.us/schemas/codify" id="D.C. Law 1-1">
<num type="law">1-1</num><heading type="short">Waters Act</heading>
<meta><effective>2020-01-01</effective></meta>
<text>BE IT ENACTED,</text>
<container><prefix>TITLE</prefix><num>I</num><heading>WATERS</heading>
<container><prefix>SUBTITLE</prefix><num>A</num><heading>RIVERS</heading>
<section><num>2</num><heading>Rivers.</heading><text>The Act (<em>supra</em>) is amended:</text>
<para><num>(a)</num><text>A new paragraph reads:</text>
<codify:find-replace><find>no</find><replace>no</replace></codify:find-replace>
<include><para><codify:insert/><num>(1A)</num><text>"River" means:</text>
<para><num>(A)</num><text>water;</text></para></para></include><aftertext>.</aftertext></para>
<para><num>(b)</num><para><num>(1)</num><text>One; and</text></para>
<para><num>(2)</num><text>two,</text></para><aftertext>if published.</aftertext></para>
<annotation>no</annotation></section></container></container>
<section><num>3</num><text>Table:<table><tr><th>x</th><td>1</td></tr></table></text>
<para><num undesignated="true">(a)</num><text>Plain.</text><para><num>(1)</num>
<text>Numbered.</text></para></para></section>
<section><num>3</num><text>Again.</text></section>
</document>"""

AKN = """<akomaNtoso xmlns="http://docs.oasis-open.org/legaldocml/ns/akn/3.0"><act>
<meta><identification>no</identification></meta>
<preface><longTitle><p>Law on <docTitle>waters</docTitle></p></longTitle></preface>
<preamble><recitals><recital><num>(1)</num><p>Whereas water,</p></recital></recitals></preamble>
<body><chapter><num>CHAPTER 2</num><heading>Rivers</heading>
<article><num>Article 5.</num><heading>Scope</heading>
<paragraph><num>1.</num><content><p>First <del>no</del><ins>yes</ins>.</p></content></paragraph>
<paragraph><num>2.</num><list><intro><p>Second:</p></intro>
<point><num>(a)</num><content><p>a;<eol/>b</p></content></point>
<wrapUp><p>as published.</p></wrapUp></list></paragraph></article>
<article><num>第六条</num><content><p>Quotes: <mod><quotedStructure><article><num>Article 9</num>
<content><p>Nine.</p></content></article></quotedStructure></mod></p></content></article>
</chapter></body><conclusions><p>Done.</p></conclusions></act></akomaNtoso>"""


def labelled(source: str) -> list[tuple[str | None, str]]:
    found = xml.passages(source.encode("utf-8"))
    return [(each.label, " ".join(each.text.split())) for each in found]


def test_a_law_of_the_district_is_labelled_as_it_is_cited() -> None:
    assert labelled(DC) == [
        ("Title", "1-1"),
        (None, "Waters Act"),
        ("Preamble", "BE IT ENACTED,"),
        ("Title I", "TITLE I WATERS"),
        ("Title I, Subtitle A", "SUBTITLE A RIVERS"),
        ("§ 2", "2 Rivers."),
        (None, "The Act (supra) is amended:"),
        ("§ 2(a)", "(a) A new paragraph reads:"),
        ("§ 2(a) “(1A)”", '(1A) "River" means:'),
        ("§ 2(a) “(1A)(A)”", "(A) water;"),
        (None, "."),
        ("§ 2(b)", "(b)"),
        ("§ 2(b)(1)", "(1) One; and"),
        ("§ 2(b)(2)", "(2) two,"),
        ("§ 2(b) (closing words)", "if published."),
        ("§ 3", "3 Table:"),
        (None, "x"),
        (None, "1"),
        (None, "Plain."),
        ("§ 3(1)", "(1) Numbered."),
        ("§ 3 [2]", "3 Again."),
    ]


def test_akoma_ntoso_is_labelled_as_it_is_cited() -> None:
    assert labelled(AKN) == [
        ("Title", "Law on waters"),
        ("Recital 1", "(1) Whereas water,"),
        ("Chapter 2", "CHAPTER 2 Rivers"),
        ("Article 5", "Article 5. Scope"),
        ("Article 5(1)", "1. First yes."),
        ("Article 5(2)", "2. Second:"),
        ("Article 5(2)(a)", "(a) a;"),
        (None, "b"),
        ("Article 5(2) (closing words)", "as published."),
        ("第六条", "第六条 Quotes:"),
        ("第六条 “Article 9”", "Article 9 Nine."),
        ("Conclusions", "Done."),
    ]


def test_headings_have_levels() -> None:
    found = {each.label: each.heading for each in xml.passages(DC.encode())}
    assert (found["Title I"], found["Title I, Subtitle A"], found["§ 2"]) == (1, 2, 3)


def test_labels_are_unique_and_short_enough() -> None:
    sections = "".join(
        f"<container><prefix>Part</prefix><num>1</num><heading>{'条' * 300}</heading>"
        f"<container><heading>{'条' * 300}</heading><text>x{number}</text></container></container>"
        for number in range(12)
    )
    source = f'<document xmlns="https://code.dccouncil.us/schemas/dc-library">{sections}</document>'
    labels = [label for label, _ in labelled(source) if label is not None]
    assert len(labels) == len(set(labels)) == 24
    assert max(len(label.encode()) for label in labels) <= MAX_LABEL_BYTES
    assert labels[-1].endswith(" [12]")


def test_a_label_waits_for_what_is_shown() -> None:
    source = (
        '<document xmlns="https://code.dccouncil.us/schemas/dc-library">'
        "<section><num>1</num><text>\u200b</text><text>words</text></section></document>"
    )
    assert labelled(source) == [("§ 1", "1 words")]


def test_other_xml_is_read_by_its_leaves() -> None:
    source = "<a x='no'><b>one</b><!-- no --><c><d>two</d><e/></c><f>three <g>four</g>.</f></a>"
    assert labelled(source) == [(None, "one"), (None, "two"), (None, "three four.")]


def test_xhtml_is_read_as_html() -> None:
    source = (
        '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title>no</title>'
        "</head><body><p>one</p></body></html>"
    )
    assert xml.passages(source.encode()) == (Passage("one"),)
    # HTML's own entities are none of XML's.
    page = '<?xml version="1.0"?><!DOCTYPE html><html><body><p>one&nbsp;two</body></html>'
    assert labelled(page) == [(None, "one two")]


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("<a><b></a>", "not well-formed"),
        ("", "not well-formed"),
        ('<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>', "entities"),
        ('<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]><a>&e;</a>', "entities"),
        ("<a>" * 300 + "</a>" * 300, "depth"),
    ],
)
def test_what_is_no_plain_xml_is_refused(source: str, cause: str) -> None:
    with pytest.raises(Unreadable, match=cause):
        xml.passages(source.encode())


def test_a_document_type_alone_is_no_reason_to_refuse_and_is_not_loaded() -> None:
    assert labelled('<!DOCTYPE a SYSTEM "file:///etc/hostname"><a>x</a>') == [(None, "x")]
