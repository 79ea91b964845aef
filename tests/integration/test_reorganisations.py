"""Anvil replaces its blocks, and the mirror follows: as deep as finality lets it, again while
it reads, and across restarts. What was final and is replaced all the same stops it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import count
from random import Random
from typing import Any

import pytest

from registry.chain.client import Client
from registry.chain.rpc import Call, Transport
from registry.core.entry import Action
from registry.core.following import Fault, State
from registry.core.units import BlockNumber
from registry.errors import CouldNotCheck, Inconsistent
from registry.mirror import schema
from registry.mirror.engine import Engine, reading
from registry.mirror.operations import read_report
from registry.services.following import POLLS_BEFORE_ALARM, Following
from registry.services.sync import Progress, Synced, sync
from tests import anvil_chain
from tests.anvil import running_anvil
from tests.anvil_chain import AnvilChain
from tests.databases import content
from tests.mirrored_truth import new_mirror, require_rows, stands_at
from tests.simulated_contract import AUTHORITY, Act

FIRST = BlockNumber(1)
DEEPEST = 64
FINAL_AFTER = 2 * 32
PUBLISHED = Act(Action.PUBLISH, AUTHORITY, "moved 1")
OTHER = Act(Action.PUBLISH, AUTHORITY, "moved 2")


@contextmanager
def started(*arguments: str) -> Iterator[AnvilChain]:
    """A registry of a few dozen entries, all of them final."""
    with running_anvil(*anvil_chain.CONTROLLED, *arguments) as url:
        chain, random = AnvilChain(url), Random(5)
        for _ in range(12):
            chain.mine_at_random(random)
        chain.mine_empty(FINAL_AFTER)
        yield chain


@pytest.fixture
def chain() -> Iterator[AnvilChain]:
    with started() as chain:
        yield chain


@pytest.fixture
def shallow_chain() -> Iterator[AnvilChain]:
    """One whose blocks are final when 8 follow."""
    with started("--slots-in-an-epoch", "4") as chain:
        yield chain


@pytest.fixture
def mirror() -> Engine:
    return new_mirror("followed")


def require_followed(chain: AnvilChain, mirror: Engine) -> None:
    """The mirror is what the chain says, and what a new mirror would be."""
    position = stands_at(mirror)
    assert position is not None
    assert (position.size, position.root) == chain.client.checkpoint()
    require_rows(mirror, chain.head.recorded)
    fresh = new_mirror("fresh")
    sync(chain.client, fresh, FIRST)
    assert content(mirror) == content(fresh)


@pytest.mark.parametrize("natively", [False, True], ids=["anvil_rollback", "anvil_reorg"])
def test_every_depth_that_is_not_final(chain: AnvilChain, mirror: Engine, natively: bool) -> None:
    """In any order, one after the other; at every third the follower was started anew."""
    random = Random(natively)
    depths = list(range(1 + natively, DEEPEST + 1, 2))
    random.shuffle(depths)
    removed = 0
    sync(chain.client, mirror, FIRST)
    for number, depth in enumerate(depths):
        if natively:
            chain.transport.request("anvil_reorg", [depth, []])
            chain.observe()
            chain.mine_at_random(random)
        else:
            chain.replace(depth, random, blocks_with_acts=4)
        if number % 3 == 0:
            mirror.dispose()
        removed += sync(chain.client, mirror, FIRST).entries_removed
        require_followed(chain, mirror)
        chain.mine_empty(max(0, FINAL_AFTER - 1 - depth) // 8)
    assert removed > 10


class Changing:
    """A node whose chain changes before it answers the call with this number."""

    def __init__(self, node: Transport, at: int, change: Callable[[], None]) -> None:
        self._node, self._left, self._change = node, at, change

    def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        self._left -= 1
        if self._left == 0:
            self._change()
        return self._node.request(method, params)

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        self._left -= 1
        if self._left == 0:
            self._change()
        return self._node.batch(calls)

    def close(self) -> None:
        pass


def test_a_reorganisation_within_a_reorganisation(chain: AnvilChain, mirror: Engine) -> None:
    """Blocks are replaced, and again while that is being read, before each of its requests."""
    random = Random(3)
    sync(chain.client, mirror, FIRST)
    for depth, inner in ((3, 1), (10, 4), (30, 40)):
        for at in count(1):
            chain.replace(depth, random, blocks_with_acts=2)
            again = partial(chain.replace, inner, random, blocks_with_acts=2)
            node = Changing(chain.transport, at, again)
            before = chain.head
            with suppress(CouldNotCheck):
                sync(Client(node, chain.client.address), mirror, FIRST)
            position = stands_at(mirror)
            assert position is not None
            require_rows(mirror, chain.known[position.block_hash].recorded)
            if chain.head is before:
                # The poll had fewer requests than that.
                break
            sync(chain.client, mirror, FIRST)
            require_followed(chain, mirror)
        assert at > 4


def place_of(mirror: Engine, act: Act) -> tuple[int, int, bytes]:
    """Index, block and transaction of the entry of an act."""
    names = [column.name for column in schema.entries.columns]
    rows = [dict(zip(names, row, strict=True)) for row in content(mirror)["entries"]]
    (found,) = [row for row in rows if row["number"] == act.number]
    return found["entry"], found["block"], found["transaction"]


def test_an_entry_moves_to_another_block(chain: AnvilChain, mirror: Engine) -> None:
    chain.mine([PUBLISHED])
    sync(chain.client, mirror, FIRST)
    index, block, transaction = place_of(mirror, PUBLISHED)
    chain.rollback(1)
    chain.mine_empty(1)
    chain.mine([PUBLISHED])
    sync(chain.client, mirror, FIRST)
    assert place_of(mirror, PUBLISHED) == (index, block + 1, transaction)
    require_followed(chain, mirror)


def test_an_entry_vanishes_and_comes_back_with_another_index(
    chain: AnvilChain, mirror: Engine
) -> None:
    chain.mine([PUBLISHED])
    sync(chain.client, mirror, FIRST)
    index, block, _ = place_of(mirror, PUBLISHED)
    chain.rollback(1)
    chain.mine_empty(2)
    assert sync(chain.client, mirror, FIRST).entries_removed == 1
    with pytest.raises(ValueError, match="not enough values"):
        place_of(mirror, PUBLISHED)
    require_followed(chain, mirror)
    chain.mine([OTHER])
    chain.mine([PUBLISHED])
    sync(chain.client, mirror, FIRST)
    assert place_of(mirror, PUBLISHED)[:2] == (index + 1, block + 3)
    require_followed(chain, mirror)


def test_a_finalised_block_that_is_replaced_raises_the_alarm(
    shallow_chain: AnvilChain, mirror: Engine
) -> None:
    chain, polls = shallow_chain, 0
    chain.mine([PUBLISHED])
    chain.mine_empty(8)
    sync(chain.client, mirror, FIRST)
    before = content(mirror)
    chain.replace(12, Random(1))
    with pytest.raises(Inconsistent) as raised:
        sync(chain.client, mirror, FIRST)
    assert raised.value.fault == Fault.FINALIZED_CHANGED

    def poll(progress: Progress) -> Synced:
        nonlocal polls
        polls += 1
        return sync(chain.client, mirror, FIRST, progress)

    assert Following(poll, lambda: mirror, 0.0).run() is State.ALARM
    assert polls == POLLS_BEFORE_ALARM
    assert content(mirror) == before
    with reading(mirror) as connection:
        report = read_report(connection)
    assert report is not None
    assert report.state is State.ALARM
    assert report.alarm is not None
