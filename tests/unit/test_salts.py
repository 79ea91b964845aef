"""The salts of a confidential document: one for each clause, in this home folder alone, and the
same again for a command that was interrupted."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry.core.digest import sha256
from registry.core.text.clauses import record_of
from registry.core.units import Digest
from registry.errors import Inconsistent, NotFound
from registry.services.texts.salts import salted_of_root, salts_for, salts_path
from tests.texts import law

BUDGET = law("The budget is 5 million.", "Nobody is to know.", "Nobody is to know.")
DOCUMENT = sha256(b"the budget")


def test_each_clause_has_a_salt_of_its_own_for_this_user_alone(tmp_path: Path) -> None:
    salts = salts_for(tmp_path, DOCUMENT, BUDGET)
    assert len(set(salts)) == 3
    path = salts_path(tmp_path, DOCUMENT, record_of(BUDGET, salts).root)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    # Two clauses that say the same do not show it.
    assert len({each.text_hash for each in BUDGET.hashed(salts)}) == 3


def test_they_are_the_same_again_for_the_same_document(tmp_path: Path) -> None:
    salts = salts_for(tmp_path, DOCUMENT, BUDGET)
    assert salts_for(tmp_path, DOCUMENT, BUDGET) == salts
    assert salts_for(tmp_path, sha256(b"another"), BUDGET) != salts
    # Read otherwise it has other clauses, and other salts.
    assert salts_for(tmp_path, DOCUMENT, law("The budget is 5 million.")) != salts
    assert len(list((tmp_path / "salts").iterdir())) == 3


def test_they_are_found_by_the_root(tmp_path: Path) -> None:
    salts = salts_for(tmp_path, DOCUMENT, BUDGET)
    found = salted_of_root(tmp_path, record_of(BUDGET, salts).root)
    assert (found.document, found.salts) == (DOCUMENT, salts)
    assert list(found.hashes) == BUDGET.hashed(salts)


def test_what_is_lost_with_them_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="not in this home folder") as raised:
        salted_of_root(tmp_path, Digest(bytes(32)))
    assert "no clause of it can be proved" in str(raised.value.hint)


def test_a_file_that_was_changed_is_not_believed(tmp_path: Path) -> None:
    salts = salts_for(tmp_path, DOCUMENT, BUDGET)
    root = record_of(BUDGET, salts).root
    path = salts_path(tmp_path, DOCUMENT, root)
    whole = path.read_bytes()
    label = whole.replace(b"Article 1", b"Article 9")
    for content in (b"", whole[:-1], label, whole.replace(b"salts/1", b"salts/2")):
        path.write_bytes(content)
        with pytest.raises(Inconsistent, match=path.name):
            salted_of_root(tmp_path, root)
        with pytest.raises(Inconsistent):
            salts_for(tmp_path, DOCUMENT, BUDGET)
