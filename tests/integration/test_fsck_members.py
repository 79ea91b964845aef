"""Whatever is damaged of a collection's members is named, and mended, or taken away to be imported
again: the chain has their root alone."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from registry.core.entry import Action
from registry.core.text.clauses import record_of
from registry.core.units import BlockNumber
from registry.core.verdict import ExitCode, Match
from registry.errors import Unavailable
from registry.mirror.engine import Engine, sqlite_url, writing
from registry.mirror.member_rows import FIRST_TEXT
from registry.mirror.schema import MEMBERS
from registry.services.fsck import Checked, fsck
from tests.collections import act, keep, lead, manifest, opened_log
from tests.collections import text as text_of
from tests.databases import content
from tests.integration.bit_flips import columns, flipped, open_raw
from tests.texts import law
from tests.unit.logs import draft
from tests.unit.mirrors import mirror_at

_SAID = record_of(law("One.", "Two.")).fields()
MANY = [manifest(number, extra={"text": _SAID}) for number in range(300)]
OTHERS = [manifest(number) for number in range(300, 310)]


@pytest.fixture
def engine(databases: Callable[[], str]) -> Engine:
    """A mirror with two collections and a policy of its own."""
    log = opened_log()
    log.record(draft(Action.PUBLISH, "1", "one"))
    log.record(act(MANY))
    log.record(act(OTHERS, Action.AMEND))
    engine = mirror_at(databases(), log.logged)
    keep(engine, MANY)
    keep(engine, OTHERS)
    return engine


def checked(engine: Engine, *, repair: bool = False) -> Checked:
    """What fsck says of it; the chain of these mirrors can not be asked."""

    def unreachable() -> object:
        raise Unavailable("no answer from the node")

    return fsck(engine, unreachable, BlockNumber(1), repair=repair)  # type: ignore[arg-type]


def change(engine: Engine, statement: str) -> None:
    with writing(engine) as connection:
        given = {"bytes": b"\1" * 64} if ":bytes" in statement else {}
        assert connection.execute(text(statement), given).rowcount


def test_undamaged_members_are_clean(engine: Engine) -> None:
    done = checked(engine)
    assert done.findings == []
    counts = done.audited.counts
    assert (counts["collections"], counts["members"], counts["member_files"]) == (2, 310, 310)
    assert (counts["search"], counts["member_texts"]) == (312, 300)
    engine.dispose()


def test_every_flipped_bit_is_found_and_its_row_or_its_collection_named(tmp_path: Path) -> None:
    log = opened_log()
    log.record(act(MANY))
    engine = mirror_at(sqlite_url(tmp_path / "mirror.sqlite"), log.logged)
    keep(engine, MANY)
    engine.dispose()
    raw, chance = open_raw(tmp_path / "mirror.sqlite"), random.Random(41)
    passed_over = []
    for column in columns(raw, MEMBERS) * 6:
        with flipped(raw, column, chance) as flip:
            engine.dispose()
            found = [(each.table, each.shown_key) for each in checked(engine).findings]
            # Which member was altered is not known where none of it vouches for itself.
            of_all = ("collections", "0") in found and column.table not in {
                "member_files",
                "member_texts",
            }
            if not of_all and not any(flip.is_named_by(*each) for each in found):
                passed_over.append((flip, found))
    assert passed_over == []
    assert checked(engine).findings == []
    engine.dispose()


_TEXT = FIRST_TEXT + 5
MENDED = {
    "leaf": "UPDATE members SET leaf = (SELECT leaf FROM members WHERE id = 6) WHERE id = 5",
    "collection": "UPDATE members SET collection = 300 WHERE id = 5",
    "role": "UPDATE member_files SET role = 'rendition' WHERE member = 5",
    "member": "UPDATE member_files SET member = 17 WHERE member = 5",
    "beyond": "UPDATE member_files SET member = 900 WHERE member = 5",
    "negative": "UPDATE member_files SET member = -900 WHERE member = 305",
    "sha256": "UPDATE member_files SET sha256 = (SELECT leaf FROM members WHERE id = 0) "
    "WHERE member = 5",
    "text digest": "UPDATE member_texts SET sha256 = root WHERE member = 5",
    "record gone": "DELETE FROM member_texts WHERE member = 299",
    "record of none": "UPDATE member_texts SET member = 900 WHERE member = 5",
    "record before all": "UPDATE member_texts SET member = -1 WHERE member = 5",
    "file gone": "DELETE FROM member_files WHERE member = 299",
    "nodes": "UPDATE collections SET nodes = :bytes WHERE id = 0",
    "text": f"UPDATE search SET title_zh = 'x' WHERE rowid = {_TEXT}",
    "text gone": f"DELETE FROM search WHERE rowid = {_TEXT}",
    "text of none": f"UPDATE search SET rowid = {FIRST_TEXT + 900} WHERE rowid = {_TEXT}",
    "text before all": f"UPDATE search SET rowid = {FIRST_TEXT - 1} WHERE rowid = {_TEXT}",
}


@pytest.mark.parametrize("damage", MENDED.values(), ids=MENDED.keys())
def test_what_a_manifest_vouches_for_is_mended(engine: Engine, damage: str) -> None:
    before = content(engine)
    change(engine, damage)
    assert checked(engine).exit_code is ExitCode.NOT_VERIFIED
    assert checked(engine, repair=True).repaired
    assert checked(engine).findings == []
    assert content(engine) == before
    engine.dispose()


LOST = {
    "manifest": "UPDATE members SET manifest = (SELECT manifest FROM members WHERE id = 6) "
    "WHERE id = 5",
    "member gone": "DELETE FROM members WHERE id = 5",
    "member elsewhere": "UPDATE members SET id = 900 WHERE id = 5",
    "root": "UPDATE collections SET root = (SELECT leaf FROM members WHERE id = 6) WHERE id = 0",
    "size": "UPDATE collections SET size = 299 WHERE id = 0",
    "huge": "UPDATE collections SET size = 4611686018427387904 WHERE id = 0",
    "collection gone": "DELETE FROM collections WHERE id = 0",
    "collection elsewhere": "UPDATE collections SET id = 7 WHERE id = 0",
}


@pytest.mark.parametrize("damage", LOST.values(), ids=LOST.keys())
def test_what_nothing_vouches_for_is_taken_away_and_imported_again(
    engine: Engine, damage: str
) -> None:
    change(engine, damage)
    assert checked(engine).exit_code is ExitCode.NOT_VERIFIED
    assert checked(engine, repair=True).repaired
    assert checked(engine).findings == []
    missed = lead(engine, text_of(5))
    assert (missed.match, missed.exit_code) == (Match.UNKNOWN, ExitCode.COULD_NOT_CHECK)
    assert lead(engine, text_of(305)).match is Match.EXACT
    keep(engine, MANY)
    assert checked(engine).findings == []
    assert lead(engine, text_of(5)).match is Match.EXACT
    engine.dispose()
