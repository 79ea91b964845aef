"""What a mirror knows of texts and their clauses, on both databases."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from sqlalchemy import text as sql

from registry.core.digest import sha256
from registry.core.entry import Action
from registry.core.snapshot import Logged
from registry.core.text.clauses import ClauseHash, record_of
from registry.core.text.list_file import Listed, lists_file
from registry.core.units import Digest
from registry.errors import NotVerified
from registry.mirror.engine import Engine, reading, sqlite_url, writing
from registry.mirror.nearest import COMMON, ON_POSTGRES, ON_SQLITE, nearest
from registry.mirror.own_lists import keep_own_lists
from registry.mirror.store import rewind
from registry.mirror.text_rows import hash_key
from registry.mirror.texts import (
    by_root,
    by_text_digest,
    clause_list,
    registered_lists,
    text_record,
)
from registry.services.texts.clause_lists import Imported, import_lists
from tests.collections import act as collection
from tests.collections import keep as keep_members
from tests.texts import act, bytes_of, keep, law
from tests.unit.logs import Log, draft
from tests.unit.mirrors import mirror_at

WATER = law("Water is owned by the state.", "It is used sparingly.", "In force at once.")
LATER = law("Water is owned by the state.", "It is used with care.", "In force at once.")
SECRET = law("The budget is 5 million.", "Nobody is to know.")
SALTS = [b"%032d" % each for each in range(2)]


@pytest.fixture
def engine(databases: Callable[[], str]) -> Iterator[Engine]:
    """A mirror of a law with two versions, and of a confidential document."""
    log = Log()
    log.record(draft(Action.PUBLISH, "0", "without a text"))
    log.record(act("1", WATER))
    log.record(act("1", LATER, Action.AMEND))
    log.record(act("2", SECRET, salts=SALTS))
    engine = mirror_at(databases(), log.logged)
    yield engine
    engine.dispose()


def test_a_document_is_found_with_what_is_registered_of_its_text(engine: Engine) -> None:
    with reading(engine) as connection:
        found = text_record(connection, sha256(bytes_of(LATER).encode()))
        assert found is not None
        assert (found.entry, found.record, found.member) == (2, record_of(LATER), None)
        (same,) = by_text_digest(connection, WATER.digest)
        assert (same.entry, same.document) == (1, sha256(bytes_of(WATER).encode()))
        (secret,) = by_text_digest(connection, SECRET.digest)
        assert secret.record.salted
        assert text_record(connection, sha256(b"without a text")) is None


def test_a_member_of_a_collection_is_found_by_its_text_in_its_collections_entry(
    databases: Callable[[], str],
) -> None:
    log = Log()
    members = [draft(Action.PUBLISH, "m 0", "plain").manifest(), act("m 1", WATER).manifest()]
    log.record(draft(Action.PUBLISH, "0", "another"))
    log.record(collection(members))
    engine = mirror_at(databases(), log.logged)
    with reading(engine) as connection:
        assert by_text_digest(connection, WATER.digest) == []
    keep_members(engine, members)
    with reading(engine) as connection:
        (found,) = by_text_digest(connection, WATER.digest)
        assert (found.entry, found.member, found.record) == (1, 1, record_of(WATER))
        assert text_record(connection, found.document) == found
    assert keep(engine, WATER)
    engine.dispose()


@pytest.mark.parametrize(
    "changed",
    [
        {"text": {**record_of(WATER).fields(), "profile": "text/9"}},
        {"text": {**record_of(WATER).fields(), "clauses": -1}},
        {"text": {**record_of(WATER).fields(), "sha256": "AA"}},
        {"text": ["three clauses"]},
        {"text": None},
        {"document": {"sha256": "00" * 32}},
        {"number": "2"},
        {"collection": {"members": 2}},
    ],
    ids=str,
)
def test_what_says_nothing_readable_of_the_entrys_document_stands_in_no_row(
    tmp_path: Path, changed: dict[str, object]
) -> None:
    log = Log()
    log.record(act("1", WATER))
    (plain,) = log.logged
    content = orjson.dumps({**orjson.loads(plain.manifest or b""), **changed})
    entry = replace(plain.entry, manifest=sha256(content))
    engine = mirror_at(sqlite_url(tmp_path / "mirror"), [Logged(entry, content)])
    with reading(engine) as connection:
        assert by_text_digest(connection, WATER.digest) == []
    engine.dispose()


def test_a_list_of_clauses_is_kept_by_its_root(engine: Engine) -> None:
    root = record_of(WATER).root
    with reading(engine) as connection:
        assert clause_list(connection, root) is None
    assert keep(engine, WATER)
    assert not keep(engine, WATER)
    with reading(engine) as connection:
        found = clause_list(connection, root)
        assert found is not None
        assert (list(found.hashes), found.texts) == (WATER.hashed(), None)
    # What the clauses say may come later, from a document that is kept.
    assert not keep(engine, WATER, said=True)
    assert not keep(engine, WATER)
    with reading(engine) as connection:
        found = clause_list(connection, root)
        assert found is not None
        assert found.texts == tuple(clause.text for clause in WATER.clauses)


def imported(engine: Engine, folder: Path, root: Digest, hashes: list[ClauseHash]) -> Imported:
    """What comes of a file with this list."""
    file = folder / "lists.ndjson"
    file.write_bytes(b"".join(lists_file(1, [Listed(root, hashes)])))
    return import_lists(file, engine)


def test_a_list_that_was_altered_is_refused(engine: Engine, tmp_path: Path) -> None:
    root, hashes = record_of(WATER).root, WATER.hashed()
    relabelled = [replace(hashes[0], label="Article 9"), *hashes[1:]]
    for altered in (hashes[:-1], hashes[::-1], relabelled):
        with pytest.raises(NotVerified, match=root.hex()):
            imported(engine, tmp_path, root, altered)
    with reading(engine) as connection:
        assert clause_list(connection, root) is None
    assert imported(engine, tmp_path, root, hashes) == Imported(1, 1)


def test_a_list_that_no_manifest_tells_of_is_refused_unless_it_was_made_here(
    engine: Engine,
) -> None:
    stranger = law("Not in this log.")
    with pytest.raises(NotVerified, match="no manifest in the log"):
        keep(engine, stranger)
    assert keep(engine, stranger, own=True)
    keep(engine, WATER)
    with reading(engine) as connection:
        assert list(registered_lists(connection)) == [record_of(WATER).root]


def test_a_label_that_no_database_can_hold_is_passed_over(engine: Engine) -> None:
    odd = [replace(WATER.hashed()[0], label="Article\x001")]
    lists = [Listed(Digest(bytes(32)), odd), Listed(record_of(WATER).root, WATER.hashed())]
    with writing(engine) as connection:
        assert keep_own_lists(connection, lists) == [record_of(WATER).root]


def test_the_clauses_of_a_salted_document_are_taken_from_nobody(
    engine: Engine, tmp_path: Path
) -> None:
    with reading(engine) as connection:
        (secret,) = by_text_digest(connection, SECRET.digest)
    with pytest.raises(NotVerified, match="no manifest in the log"):
        imported(engine, tmp_path, secret.record.root, SECRET.hashed(SALTS))


def test_records_go_with_their_entry_and_lists_stay(engine: Engine) -> None:
    keep(engine, LATER)
    with writing(engine) as connection:
        rewind(connection, 2)  # type: ignore[arg-type]
    with reading(engine) as connection:
        assert by_text_digest(connection, LATER.digest) == []
        assert [each.entry for each in by_text_digest(connection, WATER.digest)] == [1]
        assert clause_list(connection, record_of(LATER).root) is not None
        assert list(registered_lists(connection)) == []
        assert by_root(connection, record_of(LATER).root) == []


def test_the_nearest_text_is_the_one_that_shares_most_clauses(engine: Engine) -> None:
    keep(engine, WATER)
    keep(engine, LATER)
    asked = law("Water is owned by the state.", "It is used with care.", "In force never.")
    keys = [hash_key(each.text_hash) for each in asked.hashed()]
    with reading(engine) as connection:
        first, second = nearest(connection, keys)
        assert (first.root, first.shared, first.size) == (record_of(LATER).root, 2, 3)
        assert (second.root, second.shared) == (record_of(WATER).root, 1)
        # Versions of one policy take nothing from each other's weight.
        assert (first.weight, second.weight) == (2.0, 1.0)
        assert nearest(connection, [1, -(2**63), 2**63 - 1]) == []
        assert nearest(connection, []) == []


def test_contents_weigh_more_than_formulas(engine: Engine) -> None:
    formulas = ["The Minister is heard.", "In force at once."]
    with writing(engine) as connection:
        for number in range(5):
            each = law(f"Decree {number}.", *formulas)
            keep_own_lists(connection, [Listed(record_of(each).root, each.hashed())])
    keep(engine, WATER)
    asked = law("Water is owned by the state.", "Wells are closed.", *formulas)
    with reading(engine) as connection:
        found = nearest(connection, [hash_key(each.text_hash) for each in asked.hashed()])
    assert (found[0].root, found[0].shared) == (record_of(WATER).root, 2)
    assert found[0].weight == 1 + 1 / 6
    assert found[1].shared == 2
    assert found[1].weight < 0.5


def test_the_nearest_text_is_looked_up_in_an_index(engine: Engine) -> None:
    is_postgres = engine.dialect.name == "postgresql"
    statement = ON_POSTGRES if is_postgres else ON_SQLITE
    explain = "EXPLAIN " if is_postgres else "EXPLAIN QUERY PLAN "
    keys = list(range(50)) if is_postgres else json.dumps(list(range(50)))
    with reading(engine) as connection:
        if is_postgres:
            # Of a few rows a scan is rightly preferred.
            connection.execute(sql("SET LOCAL enable_seqscan = off"))
        plan = connection.execute(sql(explain + statement.text), {"keys": keys, "most": 201}).all()
    told = " ".join(str(row) for row in plan)
    assert "clauses_by_hash" in told
    assert "SCAN clauses" not in told


def test_a_clause_that_very_many_texts_have_tells_nothing(engine: Engine) -> None:
    keep(engine, WATER)
    with writing(engine) as connection:
        for number in range(COMMON + 1):
            each = law(f"Decree {number}.", "In force at once.")
            keep_own_lists(connection, [Listed(record_of(each).root, each.hashed())])
    closing = hash_key(WATER.hashed()[2].text_hash)
    telling = hash_key(WATER.hashed()[0].text_hash)
    with reading(engine) as connection:
        (found,) = nearest(connection, [closing, telling])
        assert (found.root, found.shared) == (record_of(WATER).root, 1)
        # Where there is nothing else it is better than nothing.
        assert len(nearest(connection, [closing], most=7)) == 7
