"""What a mirror has to do follows from block hashes alone, and the chain may be any."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.core.digest import sha256
from registry.core.feed import Block
from registry.core.follow import (
    WALKED,
    Behind,
    Decision,
    Deep,
    Extend,
    Gap,
    Local,
    Mark,
    Need,
    Rewind,
    follow,
)
from registry.core.units import BlockNumber, UnixSeconds
from registry.errors import Inconsistent

Chain = list[Block]


def chain(length: int, base: Chain | None = None, name: str = "") -> Chain:
    """A chain of `length` blocks, of which the first are those of `base`."""
    blocks = list(base or ())
    while len(blocks) < length:
        number = len(blocks)
        parent = blocks[-1].hash if blocks else bytes(32)
        made = sha256(parent + f"{name}{number}".encode())
        blocks.append(Block(BlockNumber(number), made, parent, UnixSeconds(number)))
    return blocks


def local(blocks: Chain, finalized: int = -1, marks: list[int] | None = None) -> Local:
    """A mirror that has read `blocks`, and knows those numbered `marks`."""
    known = range(len(blocks)) if marks is None else sorted({*marks, len(blocks) - 1})
    newest_first = [Mark(blocks[n].number, blocks[n].hash) for n in reversed(known)]
    return Local(newest_first, BlockNumber(finalized), BlockNumber(0))


def decided(mirror: Local, remote: Chain, settled: int = -1) -> tuple[Decision, int]:
    """What comes of it once all headers are there that are asked for, and how many were."""
    known: dict[BlockNumber, Block] = {}
    for _ in range(1000):
        decision = follow(mirror, remote[-1], known, BlockNumber(settled))
        if not isinstance(decision, Need):
            return decision, len(known)
        assert decision.numbers
        assert not known.keys() & set(decision.numbers)
        known |= {number: remote[number] for number in decision.numbers}
    raise AssertionError("it never decides")


def test_the_same_head_is_nothing_to_do() -> None:
    blocks = chain(10)
    assert decided(local(blocks), blocks) == (Extend(()), 0)


def test_a_child_of_the_tip_extends_it_without_another_question() -> None:
    blocks = chain(11)
    assert decided(local(blocks[:10]), blocks) == (Extend((blocks[10],)), 0)


def test_blocks_that_were_missed_are_walked() -> None:
    blocks = chain(40)
    assert decided(local(blocks[:10]), blocks) == (Extend(tuple(blocks[10:])), 29)


def test_far_behind_a_settled_chain_only_the_tip_is_looked_at() -> None:
    blocks = chain(1000)
    found = decided(local(blocks[:10]), blocks, settled=900)
    assert found == (Gap(BlockNumber(10), BlockNumber(900)), 1)


def test_far_behind_a_chain_that_settles_nothing_the_newest_blocks_are_walked() -> None:
    blocks = chain(1000)
    last = BlockNumber(999 - WALKED)
    assert decided(local(blocks[:10]), blocks) == (Gap(BlockNumber(10), last), 1)


def test_far_behind_on_another_chain_the_fork_is_found_first() -> None:
    mine = chain(30)
    theirs = chain(1000, mine[:25], "other")
    assert decided(local(mine, finalized=20), theirs, settled=900)[0] == Rewind(theirs[24])


def test_a_node_that_is_late_takes_nothing_back() -> None:
    blocks = chain(30)
    for length in range(1, 30):
        for marks in (None, [3, 9, 20]):
            mirror = local(blocks, finalized=20, marks=marks)
            assert decided(mirror, blocks[:length])[0] == Behind()


def test_another_block_than_a_finalised_one_is_deep_also_from_a_shorter_chain() -> None:
    mine = chain(30)
    for shared in (0, 5, 20):
        for length in range(shared + 1, 40):
            theirs = chain(length, mine[:shared], "other")
            if length > shared:
                assert decided(local(mine, 20), theirs)[0] == Deep(BlockNumber(20))


def test_where_nothing_was_final_another_chain_is_read_from_its_start() -> None:
    mine, theirs = chain(30), chain(40, None, "other")
    assert decided(local(mine), theirs)[0] == Rewind(theirs[0])


def test_a_chain_that_does_not_hang_together_is_refused() -> None:
    blocks = chain(20)
    torn = [*blocks[:15], *chain(20, None, "other")[15:]]
    with pytest.raises(Inconsistent, match="does not follow the block before it"):
        decided(local(blocks[:10]), torn)
    with pytest.raises(Inconsistent, match="does not follow"):
        decided(local(blocks[:10]), [*blocks[:10], *chain(20, None, "other")[10:]])


@given(st.data())
def test_any_two_chains(data: st.DataObject) -> None:
    """Whatever both chains, the marks and the finality are: the decision is the right one."""
    number = st.integers(1, 80)
    mine = chain(data.draw(number))
    shared = data.draw(st.integers(1, len(mine)))
    theirs = chain(data.draw(st.integers(shared, shared + 80)), mine[:shared], "other")
    shared = sum(a == b for a, b in zip(mine, theirs, strict=False))
    finalized = data.draw(st.integers(-1, len(mine) - 1))
    # All blocks from the newest finalised one on are known, and some of those before.
    older = data.draw(st.lists(st.integers(0, max(0, finalized)), max_size=5))
    marks = [*range(max(0, finalized), len(mine)), *older]
    settled = data.draw(st.integers(-1, len(theirs) - 1))
    decision, _ = decided(local(mine, finalized, marks), theirs, settled)
    assert decision == expected(mine, theirs, shared, finalized, settled, set(marks))


def expected(
    mine: Chain, theirs: Chain, shared: int, finalized: int, settled: int, marks: set[int]
) -> Decision:
    tip, head = len(mine) - 1, len(theirs) - 1
    if shared == len(mine):
        walked = max(settled, head - WALKED)
        if tip < walked:
            return Gap(BlockNumber(tip + 1), BlockNumber(walked))
        return Extend(tuple(theirs[tip + 1 :]))
    if shared == len(theirs):
        return Behind()
    differing = {number for number in marks if shared <= number <= head}
    if any(number <= finalized for number in differing):
        return Deep(BlockNumber(finalized))
    if not differing:
        return Behind()
    newest = max((number for number in marks if number < shared), default=0)
    return Rewind(theirs[newest])


def test_headers_of_another_chain_among_those_known_are_noticed_before_anything_follows() -> None:
    mine = chain(30)
    theirs = chain(33, mine[:28], "other")
    known: Mapping[BlockNumber, Block] = {
        **{BlockNumber(n): theirs[n] for n in (30, 31)},
        BlockNumber(29): theirs[29],
        BlockNumber(28): chain(33, mine[:28], "third")[28],
        BlockNumber(27): mine[27],
    }
    assert follow(local(mine, 20), theirs[-1], known, BlockNumber(-1)) == Rewind(mine[27])
    with pytest.raises(Inconsistent, match="does not follow"):
        follow(local(mine[:28], 20), theirs[-1], known, BlockNumber(-1))
