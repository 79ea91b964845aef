"""Clauses begin where the document numbers them, and together are the whole text."""

from __future__ import annotations

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.core.text.clauses import (
    SALT_BYTES,
    ClauseHash,
    Text,
    clauses_root,
    read_record,
    record_of,
    text_hash,
)
from registry.core.text.normal import normal
from registry.core.text.passages import Extracted, Passage
from registry.core.text.splitting import split
from registry.core.units import Digest
from registry.errors import InputError


def text(*lines: str) -> Text:
    return split(Extracted(tuple(map(Passage, lines)), "test 1"))


def labels(*lines: str) -> list[str]:
    return [each.label for each in text(*lines).clauses]


def test_a_law_in_articles() -> None:
    found = text(
        "深圳经济特区条例",
        "2010年12月23日通过",
        "第一章 总　则",
        "第一条　为了规范，根据第三条的规定，制定本条例。",
        "第二条 本条例所称：",
        "（一）甲；",
        "（二）乙。",
        "第二章 责任",
        "第一节 一般规定",
        "第三条 依照",
        "第四条的规定处罚。",
        "第三条之一 新增。",
        "第四条 施行。",
        "附件1：名录",
        "甲",
    )
    assert [each.label for each in found.clauses] == [
        "题注",
        "第一章",
        "第一条",
        "第二条",
        "第二章",
        "第二章第一节",
        "第三条",
        "第三条之一",
        "第四条",
        "附件1",
    ]
    assert found.clauses[3].text == "第二条 本条例所称：\n（一）甲；\n（二）乙。"
    assert found.clauses[6].text == "第三条 依照\n第四条的规定处罚。"


def test_articles_that_no_space_follows_count_where_they_are_next() -> None:
    assert labels("第一条为了规范。", "第二条本条例", "第三条所称的", "第三条所列。") == [
        "第一条",
        "第二条",
    ]


def test_a_table_of_contents_is_one_clause() -> None:
    chapters = ("第一章 总则", "第二章 责任")
    law = ("第一章 总则", "第一条 一", "第二章 责任", "第二条 二")
    wanted = ["题注", "目录", "第一章", "第一条", "第二章", "第二条"]
    assert labels("条例", "目 录", *chapters, *law) == wanted
    assert labels("条例", *chapters, *law) == wanted


def test_parts_begin_chapters_anew() -> None:
    found = labels("第一编 总则", "第一章 甲", "第一条 一", "第二编 物权", "第一章 乙", "第二条 二")
    assert found == ["第一编", "第一编第一章", "第一条", "第二编", "第二编第一章", "第二条"]


def test_a_decision_in_numbered_points() -> None:
    found = labels(
        "决定", "一、甲", "（一）子", "（二）丑", "1．寅", "2．卯", "二、乙", "“第五条 丙", "三、丁"
    )
    assert found == ["题注", "一", "一（一）", "一（二）", "一（二）(1)", "一（二）(2)", "二", "三"]


def test_sections_with_their_sub_levels() -> None:
    found = labels(
        "An Act",
        "Sec. 2. Definitions.",
        "(a) In this act:",
        "(1) “Board” means",
        "(A) the board; or",
        "(i) its chair;",
        "(ii) its members",
        "(B) the council.",
        "(2) “Fee” means a fee under",
        "(a) of this section.",
        "(b) More.",
        "§ 3. Fees. (a)(1) Each fee",
        "Section 2 of the Act is amended.",
        "(2) Another",
        "Section 4. Effective date.",
    )
    assert found == [
        "Preamble",
        "§ 2",
        "§ 2(a)",
        "§ 2(a)(1)",
        "§ 2(a)(1)(A)",
        "§ 2(a)(1)(A)(i)",
        "§ 2(a)(1)(A)(ii)",
        "§ 2(a)(1)(B)",
        "§ 2(a)(2)",
        "§ 2(b)",
        "§ 3(a)(1)",
        "§ 3(a)(2)",
        "§ 4",
    ]


def test_a_single_article_is_one_where_it_is_the_first() -> None:
    assert labels("Measures", "Article 1. The industry is supported.") == ["Preamble", "Article 1"]
    assert labels("Notice", "Article 9. It is repealed.") == ["¶ 1", "¶ 2"]


def test_sections_of_a_code_have_long_numbers() -> None:
    found = labels("§ 12101. Findings.", "(a) Text.", "§ 12101a-1. More.", "Sec. 2-218.31. Fees.")
    assert found == ["§ 12101", "§ 12101(a)", "§ 12101a-1", "§ 2-218.31"]


def test_the_ninth_letter_is_no_roman_number() -> None:
    items = [f"({each}) x" for each in "abcdefghij"]
    assert labels("Section 1.", *items, "Section 2.")[-3:-1] == ["§ 1(i)", "§ 1(j)"]


def test_articles_of_a_regulation_under_their_chapters() -> None:
    found = labels(
        "REGULATION (EU) 2016/679",
        "CHAPTER I",
        "General provisions",
        "Article 1",
        "Subject-matter",
        "1. This Regulation lays down rules.",
        "2. It protects:",
        "(a) rights;",
        "(b) freedoms.",
        "CHAPTER II Principles",
        "Article 2",
        "1. Data shall be",
    )
    assert found == [
        "Preamble",
        "Chapter I",
        "Article 1",
        "Article 1(1)",
        "Article 1(2)",
        "Article 1(2)(a)",
        "Article 1(2)(b)",
        "Chapter II",
        "Article 2",
        "Article 2(1)",
    ]


def test_without_structure_each_paragraph_is_one() -> None:
    assert labels("One paragraph.", " ", "Another.") == ["¶ 1", "¶ 2"]
    assert text("", "\u200b").clauses == ()


def test_a_structure_of_the_format_goes_before_the_words() -> None:
    passages = (
        Passage("An Act"),
        Passage("2 Definitions", label="§ 2"),
        Passage("Section 9. As follows:"),
        Passage("(a) x", label="§ 2(a)"),
        Passage("(a) y", label="§ 2(a)"),
        Passage("(a) z", label="§ 2(a)"),
    )
    found = split(Extracted(passages, "test 1")).clauses
    assert [each.label for each in found] == [
        "Preamble",
        "§ 2",
        "§ 2(a)",
        "§ 2(a) [2]",
        "§ 2(a) [3]",
    ]


LINES = st.lists(
    st.one_of(
        st.text(max_size=12),
        st.sampled_from(
            [
                "第一条 甲",
                "第二条乙",
                "第一章 总则",
                "目录",
                "(a) x",
                "(1) y",
                "1. z",
                "一、甲",
                "Section 2.",
            ]
        ),
    )
)


@given(LINES)
def test_the_clauses_are_the_whole_text_in_its_order(lines: list[str]) -> None:
    found = text(*lines)
    whole = "\n".join(each.text for each in found.clauses)
    assert normal(whole) == normal("\n".join(lines))
    assert len({each.label for each in found.clauses}) == len(found.clauses)
    assert all(normal(each.text) for each in found.clauses)


def test_a_record_is_read_as_it_was_written() -> None:
    found = text("第一条 甲", "第二条 乙")
    record = record_of(found)
    assert record.root == clauses_root(found.hashed())
    assert read_record(record.fields()) == record
    for bad in (None, {}, {**record.fields(), "profile": "text/2"}):
        assert read_record(bad) is None
    for key, value in (
        ("clauses", -1),
        ("clauses", True),
        ("sha256", "A" * 64),
        ("clauses_root", 7),
    ):
        assert read_record({**record.fields(), key: value}) is None


def test_salted_clauses_have_hashes_that_can_not_be_guessed() -> None:
    found = text("第一条 甲", "第二条 甲")
    salts = [secrets.token_bytes(SALT_BYTES) for _ in found.clauses]
    assert record_of(found, salts).salted
    assert record_of(found, salts).root != record_of(found).root
    assert record_of(found, salts).digest == record_of(found).digest
    with pytest.raises(InputError, match="of its own"):
        found.hashed([salts[0]] * 2)
    with pytest.raises(InputError, match="32 bytes"):
        text_hash("甲", b"short")


def test_a_label_is_no_part_of_the_text() -> None:
    """Where a label ends and its hash begins can not be shifted."""
    one = ClauseHash("第一条", Digest(bytes(32)))
    other = ClauseHash("第一条\x00", Digest(bytes(32)))
    assert one.leaf_hash != other.leaf_hash
    with pytest.raises(InputError):
        _ = ClauseHash("x" * 513, Digest(bytes(32))).leaf_hash
