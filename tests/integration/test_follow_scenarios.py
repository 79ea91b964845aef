"""Single turns of a chain that a follower got wrong once, or would easily."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest

from registry.chain.client import Client
from registry.chain.rpc import RpcError
from registry.core.entry import Action
from registry.core.following import Fault
from registry.core.units import BlockNumber
from registry.errors import CouldNotCheck, Inconsistent
from registry.mirror.engine import Engine, reading
from registry.mirror.headers import stored_headers
from registry.services import mirror_place
from registry.services.sync import sync
from tests.databases import content
from tests.interruptions import after_calls
from tests.mirrored_truth import new_mirror, require_log, stands_at
from tests.simulated_blocks import Transaction
from tests.simulated_chain import Chain, Node, founded
from tests.simulated_contract import ADDRESS, AUTHORITY, FOUNDING, Act

FIRST = BlockNumber(1)
PUBLISHED = Transaction((Act(Action.PUBLISH, AUTHORITY, "1"),), 1)


@pytest.fixture
def mirror() -> Engine:
    return new_mirror("followed")


def followed(chain: Chain, mirror: Engine) -> None:
    sync(Client(Node(chain), ADDRESS), mirror, FIRST)


def require_followed(chain: Chain, mirror: Engine) -> None:
    followed(chain, mirror)
    position = stands_at(mirror)
    assert position is not None
    assert position.block_hash == chain.head.hash
    require_log(mirror, chain.head.recorded)
    fresh = new_mirror("fresh")
    followed(chain, fresh)
    assert content(mirror) == content(fresh)


def test_the_log_may_be_taken_back_to_its_beginning(mirror: Engine) -> None:
    chain = founded(3).copy()
    followed(chain, mirror)
    chain.rollback(3)
    chain.mine()
    chain.mine(Transaction(FOUNDING, 0))
    require_followed(chain, mirror)


@pytest.mark.parametrize("calls", range(1, 14))
def test_headers_of_one_chain_are_never_joined_to_the_logs_of_another(
    mirror: Engine, calls: int
) -> None:
    """Blocks with an entry are replaced by as many without one, at any of a poll's requests:
    between the headers and the logs neither the logs, of which there are none, nor the contract,
    which is asked by number, tell of it."""
    chain = founded(2).copy()
    followed(chain, mirror)
    chain.mine(PUBLISHED)
    chain.mine()

    def replace() -> None:
        chain.rollback(2)
        for _ in range(2):
            chain.mine()

    node = Node(chain, after_calls(calls, replace))
    with suppress(Inconsistent):
        sync(Client(node, ADDRESS), mirror, FIRST)
    position = stands_at(mirror)
    assert position is not None
    block = chain.known[position.block_hash]
    assert (position.size, position.root) == (block.contract.size, block.contract.root)
    require_log(mirror, block.recorded)
    require_followed(chain, mirror)


def test_what_is_final_on_another_chain_is_not_final_here(mirror: Engine) -> None:
    """Between the newest block, which is known, and the finalised one, both asked for in one
    batch, blocks are replaced, and more of them come: the finalised one was never read."""
    chain = founded(24, finalized_after=12).copy()
    followed(chain, mirror)

    def replace() -> None:
        chain.rollback(12)
        for _ in range(14):
            chain.mine()

    node = Node(chain, after_calls(3, replace))
    with suppress(Inconsistent):
        sync(Client(node, ADDRESS), mirror, FIRST)
    position = stands_at(mirror)
    assert position is not None
    assert position.finality.finalized == 12
    # It was no alarm, and is none.
    require_followed(chain, mirror)


def test_a_chain_that_got_shorter_is_followed(mirror: Engine) -> None:
    """Fewer blocks weigh more now and then, and a test network is rolled back."""
    chain = founded(10).copy()
    chain.mine(PUBLISHED)
    followed(chain, mirror)
    chain.rollback(4)
    chain.mine()
    require_followed(chain, mirror)


def test_a_chain_that_only_lost_blocks_is_one_that_is_late(mirror: Engine) -> None:
    chain = founded(10).copy()
    chain.mine(PUBLISHED)
    followed(chain, mirror)
    before = content(mirror)
    chain.rollback(4)
    with pytest.raises(CouldNotCheck) as raised:
        followed(chain, mirror)
    assert getattr(raised.value, "fault", None) == Fault.STALE_HEAD
    assert content(mirror) == before
    for _ in range(5):
        chain.mine()
    require_followed(chain, mirror)


class Tagless(Node):
    """A node of a chain that settles nothing that it could show."""

    def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        if method == "eth_getBlockByNumber" and params[0] in {"safe", "finalized"}:
            raise RpcError(-32602, "unknown block tag")
        return super().request(method, params)


def test_a_chain_that_settles_nothing_is_followed_with_a_bounded_window(
    mirror: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror_place, "UNSETTLED", 10)
    monkeypatch.setattr(mirror_place, "NEWEST_MARKS", 4)
    chain = founded(2).copy()
    client = Client(Tagless(chain), ADDRESS)
    for number in range(30):
        chain.mine(*([PUBLISHED] if number == 3 else []))
        sync(client, mirror, FIRST)
    with reading(mirror) as connection:
        assert len(stored_headers(connection)) <= 11
    for depth in (3, 8, 20):
        chain.rollback(depth)
        for _ in range(depth + 1):
            chain.mine()
        position = sync(client, mirror, FIRST).position
        assert position.block_hash == chain.head.hash
        require_log(mirror, chain.head.recorded)
    assert position.finality.finalized == -1


def test_what_is_final_is_looked_at_however_long_the_window_is(
    mirror: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror_place, "NEWEST_MARKS", 4)
    monkeypatch.setattr(mirror_place, "OLDER_MARKS", 1)
    chain = founded(80).copy()
    followed(chain, mirror)
    for _ in range(30):
        chain.mine()
        followed(chain, mirror)
    position = stands_at(mirror)
    assert position is not None
    assert position.finality.finalized == chain.finalized == 40
    chain.rollback(60)
    for _ in range(61):
        chain.mine()
    require_followed(chain, mirror)
    chain.rollback(75)
    for _ in range(80):
        chain.mine()
    with pytest.raises(Inconsistent) as raised:
        followed(chain, mirror)
    assert raised.value.fault == Fault.FINALIZED_CHANGED
