"""Each clause is traced to the version that last changed its text."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from registry.core.digest import sha256
from registry.core.text.blaming import Blamed, blame
from registry.core.text.clauses import ClauseHash
from registry.core.text.comparing import Change


def version(*texts: str) -> list[ClauseHash]:
    return [ClauseHash(str(at), sha256(text.encode())) for at, text in enumerate(texts, 1)]


def told(found: Sequence[Blamed]) -> list[tuple[str, int, str]]:
    return [(each.clause.label, each.version, each.change.value) for each in found]


def test_a_clause_keeps_the_version_that_wrote_it() -> None:
    versions = [version("a", "b", "c"), version("a", "B", "c"), version("a", "B", "n", "c")]
    found = blame(versions)
    assert told(found) == [
        ("1", 0, "added"), ("2", 1, "changed"), ("3", 2, "added"), ("4", 0, "added"),
    ]  # fmt: skip
    assert (found[3].renumbered, found[3].formerly) == (2, "3")
    assert found[1].renumbered is None


def test_a_text_that_comes_back_was_changed_by_the_version_that_brought_it_back() -> None:
    assert told(blame([version("a"), version("b"), version("a")])) == [("1", 2, "changed")]


def test_of_versions_that_are_not_known_nothing_is_claimed() -> None:
    found = blame([version("a", "b"), None, version("a", "B")])
    assert [(each.version, each.earliest) for each in found] == [(0, 0), (2, 1)]
    found = blame([None, version("a"), None])
    assert [(each.version, each.earliest) for each in found] == [(1, 0)]
    assert blame([None]) == blame([]) == []


texts = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=8, unique=True)


@given(st.lists(texts, min_size=1, max_size=5))
def test_every_clause_of_the_last_version_is_told_of_once(versions: list[list[str]]) -> None:
    found = blame([version(*each) for each in versions])
    assert [each.clause for each in found] == version(*versions[-1])
    for each in found:
        assert each.change in (Change.ADDED, Change.CHANGED)
        assert each.earliest == each.version
        # The text has been there ever since.
        for later in versions[each.version :]:
            assert each.clause.text_hash in {sha256(text.encode()) for text in later}
        if each.version:
            before = {sha256(text.encode()) for text in versions[each.version - 1]}
            assert each.clause.text_hash not in before
