"""The lists of edits that the contract's tests are tried with fit the contract as it is today.

`make mutants` tries them, which takes hours; that none of them has gone stale is seen here.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.mutants import edits
from scripts.mutants.edits import CONTRACTS, ListError, by_rule, listed


def test_each_edit_of_the_lists_applies_exactly_once_and_changes_its_file() -> None:
    mutants = listed()
    assert len(mutants) >= 60
    for mutant in mutants:
        original = (CONTRACTS / mutant.file).read_text(encoding="utf-8")
        assert original.count(mutant.before) == 1
        assert mutant.source == original.replace(mutant.before, mutant.after) != original
    assert len({mutant.source for mutant in mutants}) == len(mutants)


def test_there_are_edits_of_every_file_that_has_code() -> None:
    files = {path.name for path in CONTRACTS.glob("*.sol")} - {"IPolicyRegistry.sol"}
    assert {mutant.file for mutant in listed()} == files
    assert {mutant.file for mutant in by_rule()} == files


def test_edits_made_by_rule_change_one_line_and_are_not_those_of_the_lists() -> None:
    known = {mutant.source for mutant in listed()}
    for mutant in by_rule():
        original = (CONTRACTS / mutant.file).read_text(encoding="utf-8").split("\n")
        differ = [
            number
            for number, pair in enumerate(
                zip(original, mutant.source.split("\n"), strict=True), start=1
            )
            if pair[0] != pair[1]
        ]
        assert differ == [mutant.line]
        assert mutant.source not in known


@pytest.mark.parametrize(
    ("find", "put", "message"),
    [
        ("no such text", "", "occurs 0 times"),
        ("return", "", "occurs [0-9]+ times"),
        ("WORDS = 11", "WORDS = 11", "changes nothing"),
    ],
)
def test_an_edit_that_does_not_fit_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, find: str, put: str, message: str
) -> None:
    listing = f'[[mutant]]\nbreaks = "it"\nfind = "{find}"\nput = "{put}"\n'
    (tmp_path / "Entry.toml").write_text(listing, encoding="utf-8")
    monkeypatch.setattr(edits, "LISTS", tmp_path)
    with pytest.raises(ListError, match=message):
        listed()


def test_a_reason_for_an_edit_that_is_not_made_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reasons = tmp_path / "by_rule.toml"
    line = 'file = "Entry.sol"\nfind = "gone"\nput = ""\nreason = "none"\n'
    reasons.write_text(f"[[equivalent]]\n{line}", encoding="utf-8")
    monkeypatch.setattr(edits, "BY_RULE", reasons)
    with pytest.raises(ListError, match="no such edit"):
        by_rule()
