"""The normal form of text/1: what two renderings of one text have in common, and nothing else."""

from __future__ import annotations

import pytest
import unicodedata2
from hypothesis import given
from hypothesis import strategies as st

from registry.core.text.normal import UNICODE, normal, readable

TEXTS = st.text(
    st.one_of(
        st.characters(exclude_categories=("Cs",)),
        st.sampled_from("第一条，。（１Ａ a-1\u3000\u200b\ufeff\u0301\u3099か\u00ad\r\n\t\x85"),
    )
)


def test_unicode_is_pinned() -> None:
    assert unicodedata2.unidata_version == UNICODE


@given(TEXTS)
def test_a_normal_form_is_its_own(text: str) -> None:
    assert normal(normal(text)) == normal(text)
    assert normal(readable(text)) == normal(text)


@given(st.lists(TEXTS), st.sampled_from([" ", "\n", "\r\n", "\u3000", "\u2028"]))
def test_it_does_not_matter_where_lines_end(texts: list[str], space: str) -> None:
    shown = [each for each in map(readable, texts) if each]
    assert normal(space.join(shown)) == normal("\n".join(shown))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("第一条\r\n为了", "第一条\u3000为了"),
        ("\ufeff第\u200b一条 为了", "第一条为了"),
        ("第１２条", "第12条"),
        ("under  the\tAct.\n", "under the Act."),
        ("inter\u00adnational", "international"),
        ("e\u0301tat", "état"),
        ("か\u3099", "が"),
        ("甲，乙", "甲, 乙"),
    ],
)
def test_what_shows_nothing_makes_no_difference(one: str, other: str) -> None:
    assert normal(one) == normal(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("now here", "nowhere"),
        ("12 3", "1 23"),
        ("may", "nay"),
        ("第五条", "第六条"),
        ("shall.", "shall"),
        ("10\u2075", "105"),
        ("\u202e123", "123"),
        ("А", "A"),
        ("“a”", '"a"'),
        ("not", "NOT"),
    ],
)
def test_what_can_be_read_makes_one(one: str, other: str) -> None:
    assert normal(one) != normal(other)
