"""What a mirror says of the members of collections, on both databases."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from registry.core.digest import sha256
from registry.core.entry import Action
from registry.core.merkle import leaf_hash, verify_inclusion
from registry.core.verdict import DocumentRole, ExitCode, Match
from registry.mirror.engine import writing
from registry.mirror.listing import MemberFilter
from registry.mirror.members import member_and_path
from registry.mirror.store import rewind
from registry.services.collections import find_members
from tests.collections import DAY, MEMBERS, ON, act, header_of, keep, lead, text
from tests.unit.logs import Log, draft
from tests.unit.mirrors import mirror_at


@pytest.fixture
def database(databases: Callable[[], str]) -> str:
    return databases()


def test_a_member_is_found_by_its_file_and_is_told_of_which_collection(database: str) -> None:
    log = Log()
    log.record(act(MEMBERS))
    engine = mirror_at(database, log.logged)
    keep(engine, MEMBERS)
    found = lead(engine, text(3)).leading
    assert found is not None
    assert found.collection is not None
    assert (found.role, found.number, found.entry) == (DocumentRole.MEMBER, "m 3", 0)
    assert (found.collection.index, found.collection.members) == (3, 5)
    assert (found.collection.root, found.collection.number) == (
        header_of(MEMBERS).root,
        "catalogue",
    )
    _, listed, more = find_members(engine, MemberFilter(on=ON, text="关于M 3"))
    assert ([each.sha256 for each in listed], more) == ([sha256(text(3))], False)
    engine.dispose()


def test_what_hashes_to_the_root_is_no_document(database: str) -> None:
    two = MEMBERS[:2]
    node = b"\1" + leaf_hash(two[0]) + leaf_hash(two[1])
    assert sha256(node) == header_of(two).root
    log = Log()
    log.record(act(two))
    engine = mirror_at(database, log.logged)
    keep(engine, two)
    assert lead(engine, node).match is Match.UNKNOWN
    assert lead(engine, MEMBERS[0]).match is Match.UNKNOWN
    engine.dispose()


def test_without_its_members_nothing_is_said_to_be_unknown(database: str) -> None:
    """Whatever is not found may be one of them."""
    log = Log()
    log.record(act(MEMBERS))
    engine = mirror_at(database, log.logged)
    missed = lead(engine, text(3))
    assert (missed.match, missed.unsearched) == (Match.UNKNOWN, 1)
    assert missed.exit_code is ExitCode.COULD_NOT_CHECK
    keep(engine, MEMBERS)
    stranger = lead(engine, b"a stranger")
    assert (stranger.unsearched, stranger.exit_code) == (0, ExitCode.NOT_VERIFIED)
    engine.dispose()


def test_members_go_with_their_entry_and_come_back_with_it(database: str) -> None:
    log = Log()
    log.record(draft(Action.PUBLISH, "1", "one", issued=DAY))
    log.record(act(MEMBERS))
    engine = mirror_at(database, log.logged)
    keep(engine, MEMBERS)
    assert lead(engine, text(0)).match is Match.EXACT
    with writing(engine) as connection:
        rewind(connection, 1)  # type: ignore[arg-type]
    gone = lead(engine, text(0))
    assert (gone.match, gone.unsearched) == (Match.UNKNOWN, 0)
    assert find_members(engine, MemberFilter(on=ON))[1] == []
    with writing(engine) as connection:
        rewind(connection, -1)  # type: ignore[arg-type]
    mirror_at(database, log.logged).dispose()
    assert lead(engine, text(0)).match is Match.EXACT
    engine.dispose()


def test_a_leaf_that_is_no_manifest_is_in_the_tree_and_finds_nothing(database: str) -> None:
    members = [*MEMBERS, b"garbage"]
    log = Log()
    log.record(act(members))
    engine = mirror_at(database, log.logged)
    keep(engine, members)
    assert lead(engine, b"garbage").match is Match.UNKNOWN
    assert lead(engine, text(4)).match is Match.EXACT
    with writing(engine) as connection:
        found = member_and_path(connection, header_of(members).root, 5)
    assert found is not None
    assert found[0] == b"garbage"
    verify_inclusion(leaf_hash(b"garbage"), 5, 6, found[1], header_of(members).root)
    engine.dispose()
