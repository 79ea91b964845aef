"""Whatever is damaged of lists of clauses is named, and mended, or taken away to come again: the
chain has their root alone."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from registry.core.text.clauses import record_of
from registry.core.units import BlockNumber
from registry.core.verdict import ExitCode
from registry.errors import Unavailable
from registry.mirror.engine import Engine, reading, sqlite_url, writing
from registry.mirror.schema import CLAUSES
from registry.mirror.texts import clause_list
from registry.services.fsck import Checked, fsck
from tests.collections import opened_log
from tests.databases import content
from tests.integration.bit_flips import columns, flipped, open_raw
from tests.texts import act, keep, law
from tests.unit.mirrors import mirror_at

FIRST = law("Water is owned by the state.", "It is used sparingly.", "In force at once.")
SECOND = law("Fire is owned by nobody.", "In force at once.")


def filled(url: str) -> Engine:
    log = opened_log()
    log.record(act("1", FIRST))
    log.record(act("2", SECOND))
    engine = mirror_at(url, log.logged)
    keep(engine, FIRST, said=True)
    keep(engine, SECOND)
    return engine


@pytest.fixture
def engine(databases: Callable[[], str]) -> Iterator[Engine]:
    engine = filled(databases())
    yield engine
    engine.dispose()


def checked(engine: Engine, *, repair: bool = False) -> Checked:
    """What fsck says of it; the chain of these mirrors can not be asked."""

    def unreachable() -> object:
        raise Unavailable("no answer from the node")

    return fsck(engine, unreachable, BlockNumber(1), repair=repair)  # type: ignore[arg-type]


def change(engine: Engine, statement: str) -> None:
    with writing(engine) as connection:
        assert connection.execute(text(statement)).rowcount


def test_undamaged_clauses_are_clean(engine: Engine) -> None:
    done = checked(engine)
    assert done.findings == []
    counts = done.audited.counts
    there = [counts[table] for table in ("texts", "clause_lists", "clauses", "clause_texts")]
    assert there == [2, 2, 5, 3]


def test_every_flipped_bit_is_found_and_its_row_or_its_list_named(tmp_path: Path) -> None:
    engine = filled(sqlite_url(tmp_path / "mirror.sqlite"))
    raw, chance = open_raw(tmp_path / "mirror.sqlite"), random.Random(7)
    passed_over = []
    for column in columns(raw, CLAUSES) * 12:
        with flipped(raw, column, chance) as flip:
            engine.dispose()
            found = [(each.table, each.shown_key) for each in checked(engine).findings]
            # Which clause was altered is not known where the root alone vouches for all.
            of_list = column.table == "clauses" and "clause_lists" in {each for each, _ in found}
            if not of_list and not any(flip.is_named_by(*each) for each in found):
                passed_over.append((flip, found))
    assert passed_over == []
    assert checked(engine).findings == []
    engine.dispose()


MENDED = {
    "key": "UPDATE clauses SET hash_key = 7 WHERE list = 0 AND position = 1",
    "clause of none": "INSERT INTO clauses SELECT 9, 0, label, text_hash, hash_key "
    "FROM clauses WHERE list = 0 AND position = 0",
    "text of none": "INSERT INTO clause_texts VALUES (9, 0, 'x')",
    "text of a list without": "INSERT INTO clause_texts VALUES (1, 7, 'x')",
}


@pytest.mark.parametrize("damage", MENDED.values(), ids=MENDED.keys())
def test_what_the_list_vouches_for_is_mended(engine: Engine, damage: str) -> None:
    before = content(engine)
    change(engine, damage)
    assert checked(engine).exit_code is ExitCode.NOT_VERIFIED
    assert checked(engine, repair=True).repaired
    assert checked(engine).findings == []
    assert content(engine) == before


LOST = {
    "label": "UPDATE clauses SET label = 'Article 9' WHERE list = 0 AND position = 1",
    "no clause": "DELETE FROM clauses WHERE list = 0 AND position = 2",
    "no clauses": "DELETE FROM clauses WHERE list = 0",
    "root": "UPDATE clause_lists SET root = (SELECT text_hash FROM clauses LIMIT 1) WHERE id = 0",
    "size": "UPDATE clause_lists SET size = 2 WHERE id = 0",
    "no list": "DELETE FROM clause_lists WHERE id = 0",
    "a list elsewhere": "UPDATE clause_lists SET id = 5 WHERE id = 0",
}


@pytest.mark.parametrize("damage", LOST.values(), ids=LOST.keys())
def test_a_list_that_has_not_its_root_is_taken_away_and_comes_again(
    engine: Engine, damage: str
) -> None:
    change(engine, damage)
    done = checked(engine)
    assert done.exit_code is ExitCode.NOT_VERIFIED
    assert checked(engine, repair=True).repaired
    assert checked(engine).findings == []
    with reading(engine) as connection:
        assert clause_list(connection, record_of(FIRST).root) is None
        assert clause_list(connection, record_of(SECOND).root) is not None
    assert keep(engine, FIRST, said=True)
    assert checked(engine).findings == []


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE clause_texts SET text = 'Fire.' WHERE list = 0 AND position = 1",
        "DELETE FROM clause_texts WHERE list = 0 AND position = 1",
    ],
    ids=["changed", "gone"],
)
def test_what_clauses_say_goes_where_one_of_them_is_lost_and_their_list_stays(
    engine: Engine, damage: str
) -> None:
    change(engine, damage)
    assert {each.table for each in checked(engine).findings} == {"clause_texts"}
    assert checked(engine, repair=True).repaired
    with reading(engine) as connection:
        found = clause_list(connection, record_of(FIRST).root)
    assert found is not None
    assert (list(found.hashes), found.texts) == (FIRST.hashed(), None)
