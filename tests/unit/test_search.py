"""What it means that a word occurs in a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.core.search import folded, grams, is_text, occurs, words

ANY = st.text()


@given(ANY)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert folded(folded(text)) == folded(text)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("深府〔2017〕71号", "2017"),
        ("深府〔２０１７〕７１号", "71号"),
        ("ＡＣＴ　ｏｎ　ｗａｔｅｒ", "act WATER"),
        ("Straße", "STRASSE"),
        ("ПРИКАЗ № 5", "приказ"),
        ("ΝΌΜΟΣ", "νόμος"),
        ("第①条", "第1条"),
        ("100%_\\ 'x' \"y\"", "%_\\ 'X' \"Y\""),
        ("e\u0301tat", "État"),
    ],
)
def test_a_word_occurs_in_any_width_and_case(text: str, query: str) -> None:
    assert all(occurs(word, (None, text)) for word in words(query))


@pytest.mark.parametrize(
    ("text", "query"),
    [("abc", "ac"), ("100", "%"), ("axb", "a_b"), ("金融", "融金"), ("État", "etat")],
)
def test_nothing_is_a_wildcard_and_accents_count(text: str, query: str) -> None:
    assert not any(occurs(word, (text,)) for word in words(query))


@given(ANY, st.integers(0), st.integers(0))
def test_an_index_of_pairs_passes_over_no_text_that_holds_the_word(
    text: str, start: int, length: int
) -> None:
    whole = folded(text)
    at = start % (len(whole) + 1)
    word = whole[at : at + length % 8]
    assert set(grams(word)) <= set(grams("x", None, whole))


@given(ANY)
def test_pairs_are_numbers_of_32_bits_each_once_and_in_order(text: str) -> None:
    found = grams(text)
    assert found == sorted(set(found))
    assert all(-(2**31) <= each < 2**31 for each in found)


def test_what_no_database_holds_is_no_text() -> None:
    assert is_text("金\U0001f4dc")
    assert not is_text("\ud800")
    assert not is_text("a\0b")
