"""A mirror can not be fooled by the node it reads from, and forgets nothing of the truth.

Each seed brings one kind of fault, or several at once, in some of a node's answers, while the
chain behind it grows and replaces blocks. After every poll each row of the mirror is held
against what Anvil itself says of the block at which the mirror stands; once the node is honest
again, two polls make the mirror the same as a new one.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from random import Random

import pytest

from registry.chain.client import Client
from registry.chain.rpc import HttpTransport
from registry.core.entry import Action
from registry.core.units import BlockNumber
from registry.errors import CouldNotCheck, InputError
from registry.mirror.engine import Engine
from registry.services.sync import sync
from tests import anvil_chain
from tests.anvil import CHAIN_ID, running_anvil
from tests.anvil_chain import AnvilChain
from tests.databases import content
from tests.interruptions import after_calls
from tests.lies import SHUFFLED
from tests.lying_node import KINDS, LyingNode, Plan, Wire
from tests.mirrored_truth import new_mirror, require_rows, stands_at
from tests.simulated_contract import AUTHORITY, Act

SEEDS = int(os.environ.get("POLREG_LYING_SEEDS", "300"))
FIRST = BlockNumber(1)
HISTORY = 45
POLLS = 4
FINAL_AFTER = 16
SEEDS_PER_ANVIL = 40
# Long enough for an honest answer mostly; one that comes too late is a fault like any other.
TIMEOUT_SECONDS = 0.15

# Logs may come in any order; limits are met by asking for less, in another way, or one by one.
COPED_WITH = {
    SHUFFLED,
    *("range_too_wide", "too_many_results", "method_missing", "state_pruned"),
    *(Wire.BATCH_REFUSED, Wire.ANSWER_MISSING, Wire.WRONG_IDS),
}


@dataclass
class Outcomes:
    """What came of the polls, by kind of fault."""

    told: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)


class World:
    """An Anvil, another one that parted from its chain two blocks ago, and a node that lies
    about them."""

    def __init__(self, stack: ExitStack) -> None:
        self._anvil = stack.enter_context(ExitStack())
        self.fork = made(stack.enter_context(running_anvil(*anvil_chain.ARGUMENTS)))
        self.fork.replace(2, Random(1))
        self.chain = self.fork
        self.node = stack.enter_context(LyingNode(self.fork.url, self.fork.url))
        self.healed = self.asked_through(HttpTransport(self.node.url))

    def asked_through(self, transport: HttpTransport) -> Client:
        """Somebody who has met this network while its node was honest, and so knows that its
        headers fit their hashes."""
        client = Client(transport, self.chain.client.address, chain_id=CHAIN_ID)
        client.head()
        return client

    def renew(self) -> None:
        """A new Anvil with the same history: one forgets the state of its blocks when it has
        made and unmade some hundreds."""
        self._anvil.close()
        self.chain = made(self._anvil.enter_context(running_anvil(*anvil_chain.ARGUMENTS)))
        assert set(self.chain.known) <= set(self.fork.known)
        self.node.honest = self.chain.url

    def require_true(self, mirror: Engine) -> None:
        """What the mirror holds was true at the block it stands at, on either fork. Where no
        contract bore it out yet, nothing may be answered from it, and anything may be there."""
        position = stands_at(mirror)
        if position is None:
            return
        if position.proven_block < position.block:
            assert position.synced_at is None
            return
        seen = {**self.fork.known, **self.chain.known}[position.block_hash]
        assert (position.chain_id, position.contract) == (CHAIN_ID, self.chain.client.address)
        assert (position.block, position.block_time) == (seen.number, seen.time)
        assert (position.size, position.root) == (len(seen.recorded), seen.root)
        require_rows(mirror, seen.recorded)


def made(url: str) -> AnvilChain:
    """The shared history."""
    chain, random = AnvilChain(url), Random(20261122)
    for _ in range(HISTORY):
        chain.mine_at_random(random)
    return chain


@pytest.fixture(scope="module")
def prepared() -> Iterator[World]:
    with ExitStack() as stack:
        yield World(stack)


@pytest.fixture
def world(prepared: World) -> World:
    """One with nothing but its history."""
    prepared.renew()
    return prepared


def test_no_lie_leaves_a_wrong_row_and_none_outlasts_two_polls(world: World) -> None:
    outcomes = Outcomes()
    for seed in range(SEEDS):
        if seed and seed % SEEDS_PER_ANVIL == 0:
            world.renew()
        try:
            lied_to(world, seed, outcomes)
        except Exception as error:
            error.add_note(f"seed {seed}: {Plan(seed).rates}")
            raise
    require_tried(outcomes)


def test_what_a_node_without_states_makes_up_is_dropped(world: World) -> None:
    """An appointment, of which no block's receipts are asked for, is made up together with the
    log's root, by a node that has not kept the state that would tell. It is read, nothing is
    answered from it meanwhile, and the state of the newest block takes it away again."""
    node, mirror, before = world.node, new_mirror("lied to"), world.chain.head
    sync(world.healed, mirror, FIRST)
    world.chain.mine([Act(Action.APPOINT_REGISTRAR, AUTHORITY, "somebody")])
    world.chain.mine_empty(FINAL_AFTER)
    client = world.asked_through(HttpTransport(node.url))
    node.plan = Plan.always("entry_made_up", "state_pruned")
    read: list[int] = []

    def look(_done: int, _in_all: int, size: int) -> None:
        position = stands_at(mirror)
        assert position is not None
        assert position.synced_at is None
        read.append(size)

    try:
        with pytest.raises(CouldNotCheck):
            sync(client, mirror, FIRST, look)
    finally:
        node.plan = None
    assert read == [len(before.recorded) + 2]
    left = stands_at(mirror)
    assert left is not None
    assert (left.size, left.synced_at) == (len(before.recorded), None)
    require_healed(world, mirror)


def lied_to(world: World, seed: int, outcomes: Outcomes) -> None:
    random, chain, node = Random(seed), world.chain, world.node
    before, since = chain.transport.request("evm_snapshot"), chain.head.number
    mirror = new_mirror("lied to")
    transport = HttpTransport(node.url, timeout_seconds=TIMEOUT_SECONDS)
    client = world.asked_through(transport)
    try:
        if random.random() < 0.5:
            # It followed an honest node up to here.
            sync(world.healed, mirror, FIRST)
        node.plan = Plan(seed)
        for _ in range(POLLS):
            change(chain, since, random)
            # Now and then the chain changes in the middle of a poll.
            calls = random.choice((0, 0, 0, random.randint(2, 8)))
            with node.before_each(after_calls(calls, partial(change, chain, since, random))):
                poll(client, mirror, node, outcomes)
            world.require_true(mirror)
        node.plan = None
        require_healed(world, mirror)
    finally:
        node.plan = None
        transport.close()
        chain.transport.request("evm_revert", [before])
        chain.observe()


def change(chain: AnvilChain, since: int, random: Random) -> None:
    """Nothing, a block or two, or others in place of some that came after the block `since`."""
    replaceable = chain.head.number - since
    match random.choice(("nothing", "grow", "grow", "replace")):
        case "replace" if replaceable:
            chain.replace(random.randint(1, replaceable), random)
        case "grow" | "replace":
            for _ in range(random.choice((1, 2))):
                chain.mine_at_random(random)


def poll(client: Client, mirror: Engine, node: LyingNode, outcomes: Outcomes) -> None:
    told, refused = node.told.copy(), False
    try:
        sync(client, mirror, FIRST)
    except (CouldNotCheck, InputError):
        refused = True
    for kind in node.told - told:
        outcomes.told[kind] += 1
        outcomes.refused[kind] += refused


def require_healed(world: World, mirror: Engine) -> None:
    try:
        sync(world.healed, mirror, FIRST)
    except CouldNotCheck:
        sync(world.healed, mirror, FIRST)
    position = stands_at(mirror)
    assert position is not None
    assert position.synced_at is not None
    fresh = new_mirror("fresh")
    sync(world.chain.client, fresh, FIRST)
    assert content(mirror) == content(fresh)
    require_rows(fresh, world.chain.head.recorded)


def require_tried(outcomes: Outcomes) -> None:
    """Every kind of fault was really met, and all but those that can be coped with made a poll
    fail that met them."""
    assert {kind for kind in KINDS if not outcomes.told[kind]} == set()
    assert {kind for kind in KINDS if not outcomes.refused[kind]} <= COPED_WITH
    told, refused = (sum(each.values()) for each in (outcomes.told, outcomes.refused))
    assert refused > told // 2
