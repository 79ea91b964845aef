"""Two versions compared: every clause is in one row, and no more is said to differ than does."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from registry.core.digest import sha256
from registry.core.text.clauses import Clause, ClauseHash
from registry.core.text.comparing import Change, Comparison, compare, compare_texts

CHINESE = "一二三四五六七八九十"


def hashes(texts: Sequence[str], labels: Sequence[str] | None = None) -> list[ClauseHash]:
    labels = labels or [f"Article {number}" for number in range(1, len(texts) + 1)]
    return [
        ClauseHash(each, sha256(text.encode())) for each, text in zip(labels, texts, strict=True)
    ]


def articles(*texts: str) -> list[Clause]:
    return [
        Clause(f"第{CHINESE[at]}条", f"第{CHINESE[at]}条 {text}") for at, text in enumerate(texts)
    ]


def told(found: Comparison) -> list[tuple[str, str | None, str | None]]:
    return [(row.change.value, row.old_label, row.new_label) for row in found.rows]


lists = st.lists(
    st.builds(
        lambda label, text: ClauseHash(label, sha256(text.encode())),
        st.sampled_from("ABCDEFG"),
        st.sampled_from("uvwxyz"),
    ),
    max_size=30,
)
texts = st.lists(st.text("abc", max_size=5), min_size=1, max_size=40, unique=True)


@given(lists, lists)
def test_every_clause_of_both_versions_is_in_exactly_one_row(
    old: list[ClauseHash], new: list[ClauseHash]
) -> None:
    found = compare(old, new)
    assert sorted(row.old for row in found.rows if row.old is not None) == list(range(len(old)))
    assert [row.new for row in found.rows if row.new is not None] == list(range(len(new)))
    for row in found.rows:
        before = None if row.old is None else old[row.old]
        after = None if row.new is None else new[row.new]
        match row.change:
            case Change.UNCHANGED:
                assert before == after
            case Change.MOVED:
                assert before is not None
                assert after is not None
                assert before.text_hash == after.text_hash
                assert before.label != after.label or not row.in_order
            case Change.CHANGED:
                assert before is not None
                assert after is not None
                assert before.text_hash != after.text_hash
                assert before.label == after.label
            case Change.MISSING:
                assert after is None
            case Change.ADDED:
                assert before is None
    missing = {old[row.old].text_hash for row in found.of(Change.MISSING) if row.old is not None}
    added = {new[row.new].text_hash for row in found.of(Change.ADDED) if row.new is not None}
    assert not missing & added
    assert compare(old, new) == found


@given(lists)
def test_a_version_is_unchanged_against_itself(clauses: list[ClauseHash]) -> None:
    assert compare(clauses, clauses).is_same


@given(texts, st.data())
def test_one_edited_clause_is_the_one_that_changed(words: list[str], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(words) - 1))
    edited = [*words[:at], words[at] + "!", *words[at + 1 :]]
    found = compare(hashes(words), hashes(edited))
    assert [(row.old, row.new) for row in found.of(Change.CHANGED)] == [(at, at)]
    assert found.counts[Change.UNCHANGED] == len(words) - 1


@given(texts, st.data())
def test_an_inserted_clause_renumbers_the_later_ones_and_changes_none(
    words: list[str], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(words)))
    found = compare(hashes(words), hashes([*words[:at], "new", *words[at:]]))
    assert [row.new for row in found.of(Change.ADDED)] == [at]
    moved = found.of(Change.MOVED)
    assert [row.old for row in moved] == list(range(at, len(words)))
    assert all(row.in_order and row.is_renumbered for row in moved)
    assert found.counts[Change.CHANGED] == found.counts[Change.MISSING] == 0


def test_clauses_that_changed_places_are_moved_and_nothing_else() -> None:
    found = compare(hashes("abcd", "1234"), hashes("acbd", "1324"))
    assert found.counts[Change.MOVED] == 1
    assert found.counts[Change.UNCHANGED] == 3
    (moved,) = found.of(Change.MOVED)
    assert not moved.in_order


def test_equal_clauses_are_paired_one_by_one() -> None:
    found = compare(hashes("xxx"), hashes("xx"))
    assert told(found) == [
        ("unchanged", "Article 1", "Article 1"),
        ("unchanged", "Article 2", "Article 2"),
        ("missing", "Article 3", None),
    ]


def test_a_clause_that_is_missing_stands_where_it_stood() -> None:
    found = compare(hashes("abc", "123"), hashes("ac", "13"))
    assert told(found) == [("unchanged", "1", "1"), ("missing", "2", None), ("unchanged", "3", "3")]


OLD = articles(
    "为了促进发展，制定本条例。",
    "市人民政府应当建立数字经济协调机制，研究解决重大问题。",
    "本条例自公布之日起施行。",
)
NEW = articles(
    "为了促进发展，制定本条例。",
    "鼓励企业开展国际合作。",
    "市人民政府应当建立人工智能协调机制，研究解决重大问题。",
    "本条例自公布之日起施行。",
)


def test_a_clause_renumbered_and_edited_is_found_by_its_text() -> None:
    assert told(compare_texts(OLD, NEW)) == [
        ("unchanged", "第一条", "第一条"),
        ("added", None, "第二条"),
        ("changed", "第二条", "第三条"),
        ("moved", "第三条", "第四条"),
    ]


def test_from_hashes_alone_a_clause_that_keeps_its_label_is_the_one_that_changed() -> None:
    found = compare([each.hashed() for each in OLD], [each.hashed() for each in NEW])
    assert told(found) == [
        ("unchanged", "第一条", "第一条"),
        ("changed", "第二条", "第二条"),
        ("added", None, "第三条"),
        ("moved", "第三条", "第四条"),
    ]


def test_a_label_that_went_to_another_part_of_the_text_makes_no_change_of_it() -> None:
    before = hashes(["first", "second", "third"], ["1", "2", "3"])
    after = hashes(["new", "other", "second", "third"], ["2", "3", "4", "5"])
    assert told(compare(before, after)) == [
        ("missing", "1", None),
        ("added", None, "2"),
        ("added", None, "3"),
        ("moved", "2", "4"),
        ("moved", "3", "5"),
    ]


@given(lists, lists)
def test_of_texts_too_every_clause_is_in_one_row(
    old: list[ClauseHash], new: list[ClauseHash]
) -> None:
    shown = [
        [Clause(each.label, each.text_hash.hex()[:4]) for each in version] for version in (old, new)
    ]
    found = compare_texts(*shown)
    assert sorted(row.old for row in found.rows if row.old is not None) == list(range(len(old)))
    assert [row.new for row in found.rows if row.new is not None] == list(range(len(new)))


def test_long_versions_that_share_nothing_are_compared_in_bounded_time() -> None:
    old = [Clause(f"¶ {n}", f"old text number {n * n}") for n in range(3000)]
    new = [Clause(f"§ {n}", f"new words {n * n * 7}") for n in range(3000)]
    found = compare_texts(old, new)
    assert len(found.rows) + found.counts[Change.CHANGED] == 6000
