"""A collection's tree, its file, and what a mirror says of its members."""

from __future__ import annotations

import io
import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from registry.core import merkle
from registry.core.collection import (
    GROUP,
    MAX_LINE,
    Growing,
    collection_lines,
    member_path,
    read_collection,
    read_header,
)
from registry.core.digest import sha256
from registry.core.entry import Action
from registry.core.json_lines import bounded_lines
from registry.core.lifecycle import TRANSITIONS
from registry.core.merkle import leaf_hash, verify_inclusion
from registry.core.receipt import read_receipt
from registry.core.receipt_check import Trace
from registry.core.receipt_document import FileFacts, check_file
from registry.core.snapshot import ndjson_line
from registry.core.timeline import Standing
from registry.core.units import Day
from registry.errors import InputError, NotVerified
from registry.services.receipts import check_against_block
from tests.collections import DAY, MEMBERS, act, header_of, keep, lead, manifest, text
from tests.unit.logs import draft
from tests.unit.mirrors import mirror_at
from tests.unit.registries import Registry, block_at, receipt_of

_DATABASES = itertools.count()


@given(st.integers(1, 4 * GROUP + 3), st.data())
@example(GROUP, None)
@example(GROUP + 1, None)
@example(2 * GROUP, None)
def test_roots_of_groups_give_the_tree_s_root_and_every_path(size: int, data: Any) -> None:
    leaves = [leaf_hash(b"%d" % number) for number in range(size)]
    tree = Growing()
    for number in range(size):
        assert tree.append(b"%d" % number) == leaves[number]
    assert (tree.size, tree.root()) == (size, merkle.root(leaves))
    index = size - 1 if data is None else data.draw(st.integers(0, size - 1))
    first = index - index % GROUP
    path = member_path(index, size, tree.nodes(), leaves[first : first + GROUP])
    assert path == merkle.inclusion_path(leaves, index)
    verify_inclusion(leaves[index], index, size, path, tree.root())


LINES = list(collection_lines(header_of(MEMBERS), MEMBERS))


def read(lines: list[bytes]) -> list[bytes]:
    """The members of a file, all of it."""
    _, members = read_collection(bounded_lines(io.BytesIO(b"".join(lines)), MAX_LINE))
    return list(members)


def test_what_is_written_is_read_back() -> None:
    assert read(LINES) == MEMBERS


@pytest.mark.parametrize("at", range(1, len(LINES)))
def test_a_member_that_is_left_out_doubled_or_moved_is_missed(at: int) -> None:
    moved = [*LINES[:at], *LINES[at + 1 :], LINES[at]]
    for lines in (LINES[:at] + LINES[at + 1 :], LINES[: at + 1] + LINES[at:], moved):
        if lines != LINES:
            with pytest.raises((InputError, NotVerified)):
                read(lines)


@given(st.integers(0, len(b"".join(LINES)) - 1), st.integers(1, 255))
def test_no_byte_can_be_altered(place: int, change: int) -> None:
    altered = bytearray(b"".join(LINES))
    altered[place] ^= change
    with pytest.raises((InputError, NotVerified)):
        read([bytes(altered)])


@pytest.mark.parametrize(
    "line",
    [
        ndjson_line({"manifest": 5}),
        ndjson_line({"manifest": "x", "more": 1}),
        ndjson_line({}),
        b'{"manifest":"\\ud800"}\n',
        b"not JSON\n",
        b'{"manifest": "x"}\n',
    ],
)
def test_a_line_is_read_strictly(line: bytes) -> None:
    with pytest.raises(InputError, match="member 0"):
        read([LINES[0], line])


@pytest.mark.parametrize("members", [0, -1, 2**31, "5", True])
def test_a_header_says_how_many(members: object) -> None:
    root = header_of(MEMBERS).root.hex()
    line = ndjson_line({"schema": "policy-registry/collection/1", "root": root, "members": members})
    with pytest.raises(InputError):
        read_header(line)


days = st.none() | st.integers(DAY - 3, DAY + 9)
later_acts = st.lists(
    st.tuples(
        st.sampled_from(
            [each for each in Action if each.on_policy and each.carries_document is False]
        ),
        st.integers(DAY, DAY + 9),
    ),
    max_size=3,
)


@given(days, days, later_acts, st.integers(DAY - 5, DAY + 12))
def test_a_mirror_says_of_a_member_what_its_receipt_says(
    tmp_path_factory: pytest.TempPathFactory,
    since: Day | None,
    until: Day | None,
    acts: list[tuple[Action, int]],
    on: Day,
) -> None:
    if since is not None and until is not None and until < since:
        until = None
    members = [*MEMBERS, manifest(5, effective_from=since, effective_to=until)]
    log, made = Registry(), act(members)
    log.record(made)
    for action, day in acts:
        if log.states[made.key].status in TRANSITIONS[action][0]:
            log.record(draft(action, "catalogue", effective_from=day))
    path = tmp_path_factory.getbasetemp() / f"members-{next(_DATABASES)}.sqlite"
    engine = mirror_at(f"sqlite:///{path}", log.logged)
    keep(engine, members)
    leaves = [leaf_hash(each) for each in members]
    shown = receipt_of(
        block_at(log.logged),
        list(range(len(log.logged))),
        text(5),
        member={
            "entry": 0,
            "manifest": members[5].decode(),
            "index": 5,
            "size": len(members),
            "path": [each.hex() for each in merkle.inclusion_path(leaves, 5)],
        },
    )
    trace = Trace()
    proven = check_against_block(read_receipt(shown.text().encode()), shown.block_hash, None, trace)
    facts = FileFacts(sha256(text(5)), len(text(5)), text(5)[:2])
    receipted = check_file(proven, facts, on, trace).leading
    mirrored = lead(engine, text(5), on).leading
    assert mirrored is not None
    assert receipted is not None
    # A receipt proves no block, does not know how settled it is, nor of reported keys unless it
    # shows a report, nor who issues it too.
    assert mirrored.compromised == ()
    known = replace(mirrored, block=None, finality=receipted.finality, compromised=None, issuers=())
    assert known == receipted
    if acts == [] and since is not None and on < since and on >= DAY:
        assert mirrored.standing is Standing.NOT_YET_IN_FORCE
    engine.dispose()
    path.unlink()
