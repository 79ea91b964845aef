"""Whatever a chain does, a mirror that followed it equals one that is made anew.

Thousands of histories of a chain in memory: it grows, replaces up to 64 of its blocks, does so
again while it is being read; entries move to other blocks, vanish, come back with another
index; the follower dies at a commit and starts again; its node lags. After each poll the
mirror holds, row for row, what was true at the block it says it stands at.
"""

from __future__ import annotations

import os
from contextlib import suppress
from itertools import pairwise
from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from registry.chain.client import Client
from registry.core.position import Position
from registry.core.units import BlockNumber
from registry.errors import CouldNotCheck
from registry.mirror.engine import reading
from registry.mirror.headers import stored_headers
from registry.services.sync import sync
from tests.databases import content
from tests.interruptions import Crash, When, after_calls, at_commit, crash
from tests.mirrored_truth import new_mirror, require_log, stands_at
from tests.simulated_acts import random_transaction, replace_blocks
from tests.simulated_chain import Node, founded
from tests.simulated_contract import ADDRESS

HISTORIES = int(os.environ.get("POLREG_HISTORIES", "2000"))
FIRST = BlockNumber(1)
DEEPEST = 64
# How long a chain is at first, and after how many blocks one is final: nothing is yet, soon
# all is, or as many may be replaced as ever.
_SHAPES = ((2, 70), (24, 12), (24, 12), (72, 70))
_CALLS_PER_POLL = 12

SEEDS = st.integers(0, 2**32 - 1)
DEPTHS = st.integers(1, DEEPEST)
CALLS = st.integers(1, _CALLS_PER_POLL)


class Following(RuleBasedStateMachine):
    """One chain and one mirror of it."""

    @initialize(shape=st.sampled_from(_SHAPES), widest=st.sampled_from((None, None, 8)))
    def begin(self, shape: tuple[int, int], widest: int | None) -> None:
        self.chain = founded(*shape).copy()
        self.node = Node(self.chain)
        self.node.widest = widest
        self.engine = new_mirror("followed")
        # what nodes called the head of their chain
        self.heads: set[bytes] = set()

    @rule(seed=SEEDS)
    def blocks_are_mined(self, seed: int) -> None:
        mine(self, Random(seed))

    @rule(depth=DEPTHS, seed=SEEDS)
    def blocks_are_replaced(self, depth: int, seed: int) -> None:
        replace_blocks(self.chain, depth, Random(seed))

    @rule(lag=st.sampled_from([0, 0, 0, 1, 3, 40]), states_kept=st.sampled_from([None, 0, 1, 4]))
    def it_polls(self, lag: int, states_kept: int | None) -> None:
        """From a node that lags, or has not kept the state of older blocks."""
        self.node.lag, self.node.states_kept = lag, states_kept
        self.poll()

    @rule(calls=CALLS, depth=st.sampled_from([0, 0, 3]), seed=SEEDS)
    def another_follower_comes_first(self, calls: int, depth: int, seed: int) -> None:
        """Between two requests of one poll, which has something to read, another follower of
        the same mirror does a whole poll; blocks may have been replaced before that."""
        random = Random(seed)
        mine(self, random)

        def poll() -> None:
            replace_blocks(self.chain, depth, random)
            self.follow(Node(self.chain))

        self.node.lag, self.node.before = 0, after_calls(calls, poll)
        self.poll()

    @rule(calls=CALLS, depth=st.just(0) | DEPTHS, seed=SEEDS)
    def the_chain_changes_while_it_polls(self, calls: int, depth: int, seed: int) -> None:
        """Between two requests of one poll blocks are mined, or some are replaced."""
        random = Random(seed)

        def change() -> None:
            if depth:
                replace_blocks(self.chain, depth, random)
            else:
                mine(self, random)

        self.node.before = after_calls(calls, change)
        self.poll()

    @rule(number=st.integers(1, 6), when=st.sampled_from(When))
    def it_dies_at_a_commit(self, number: int, when: When) -> None:
        with suppress(Crash), at_commit(number, when, crash):
            self.poll()
        self.it_starts_again()

    @rule()
    def it_starts_again(self) -> None:
        self.engine.dispose()
        self.require_truth()

    def poll(self) -> None:
        """One poll, which may fail: the chain may have changed under it, the node may lag."""
        try:
            self.follow(self.node)
        finally:
            self.node.before = None
        self.require_truth()

    def follow(self, node: Node) -> bool:
        """Whether this poll could be done."""
        try:
            sync(client(node), self.engine, FIRST)
        except CouldNotCheck:
            return False
        finally:
            self.heads |= node.told_heads
        return True

    def require_truth(self) -> None:
        """What was written is what was true at the block that the mirror stands at."""
        position = stands_at(self.engine)
        if position is None:
            return
        block = self.chain.known[position.block_hash]
        assert (position.block, position.block_time) == (block.number, block.time)
        assert (position.size, position.root) == (block.contract.size, block.contract.root)
        assert position.finality.finalized <= self.chain.finalized
        require_log(self.engine, block.recorded)
        self.require_headers(position)
        if position.synced_at is not None:
            # It may be answered from: the contract bore it out, and it has been complete.
            assert position.proven_block == position.block
            assert any(each.hash in self.heads for each in block.ancestors())

    def require_headers(self, position: Position) -> None:
        with reading(self.engine) as connection:
            headers = stored_headers(connection)
        for header in headers:
            true = self.chain.known[header.hash]
            assert (header.number, header.time) == (true.number, true.time)
            assert true.before is None or header.parent == true.before.hash
        assert all(later.parent == earlier.hash for later, earlier in pairwise(headers))
        assert not headers or headers[0].hash == position.block_hash

    def teardown(self) -> None:
        """Healed, it takes two polls at most until it is as if nothing had happened."""
        if not hasattr(self, "engine"):
            return
        node = Node(self.chain)
        if not self.follow(node):
            sync(client(node), self.engine, FIRST)
        self.require_truth()
        fresh = new_mirror("fresh")
        sync(client(node), fresh, FIRST)
        assert content(self.engine) == content(fresh)


def client(node: Node) -> Client:
    """This node does not lie: its headers are not to be hashed each time."""
    return Client(node, ADDRESS, check_headers=False)


def mine(machine: Following, random: Random) -> None:
    for _ in range(random.choice((1, 1, 2, 5))):
        sent = random.choice((0, 1, 1, 2))
        contract = machine.chain.head.contract
        machine.chain.mine(*(random_transaction(contract, random) for _ in range(sent)))


class AnotherFollowing(Following):
    """The same under another name, by which hypothesis chooses other histories: two halves
    for two processes."""


TestFollowing = Following.TestCase
TestFollowing.settings = settings(max_examples=HISTORIES // 2, stateful_step_count=7)
TestAnotherFollowing = AnotherFollowing.TestCase
TestAnotherFollowing.settings = TestFollowing.settings
