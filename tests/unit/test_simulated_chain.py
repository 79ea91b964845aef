"""The chain in memory is one that the product can not tell from a real one."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from registry.chain.client import Client
from registry.chain.events import decode_logs
from registry.chain.header import header_rlp
from registry.chain.rpc import HttpTransport, RpcError
from registry.core.entry import Action
from registry.core.feed import Checkpointed, Recorded
from registry.core.merkle import root
from registry.core.units import BlockNumber
from tests.anvil import running_anvil
from tests.contract.registry_office import opened_office
from tests.simulated_acts import random_transaction
from tests.simulated_blocks import Block
from tests.simulated_chain import Chain, Node, founded
from tests.simulated_contract import ADDRESS, AUTHORITY, Act, Contract, Refused


@pytest.fixture
def chain() -> Chain:
    """Forty blocks, most of them with acts of every kind."""
    made, random = founded().copy(), Random(1)
    for _ in range(40):
        made.mine(
            *(
                random_transaction(made.head.contract, random)
                for _ in range(random.choice((0, 1, 2)))
            )
        )
    return made


def test_headers_hash_to_their_blocks_and_name_their_parents(chain: Chain) -> None:
    node = Node(chain)
    for number, block in enumerate(chain.blocks):
        shown = node.request("eth_getBlockByNumber", [hex(number), False])
        header_rlp(shown)
        assert shown == node.request("eth_getBlockByHash", [shown["hash"], False])
        if number:
            assert shown["parentHash"] == "0x" + chain.blocks[number - 1].hash.hex()
        assert len(shown["transactions"]) == len(block.mined)


def test_its_logs_are_read_as_the_contract_s(chain: Chain) -> None:
    client = Client(Node(chain), ADDRESS)
    client.require_contract()
    events = client.events(BlockNumber(0), BlockNumber(chain.head.number))
    recorded = [each for each in events if isinstance(each, Recorded)]
    assert tuple(recorded) == chain.head.recorded
    assert len({each.entry.action for each in recorded}) > 10
    assert 0 < sum(each.manifest is None for each in recorded) < len(recorded)
    for each in events:
        if isinstance(each, Checkpointed):
            assert each.root == root([event.leaf for event in recorded[: each.size]])
    assert client.checkpoint() == (len(recorded), root([each.leaf for each in recorded]))


def test_every_block_tells_what_was_true_at_it(chain: Chain) -> None:
    client = Client(Node(chain), ADDRESS)
    for block in chain.blocks:
        number = BlockNumber(block.number)
        assert client.checkpoint(number) == (len(block.recorded), block.contract.root)
        emitted = block.recorded[len(block.before.recorded) if block.before else 0 :]
        found = [each for each in client.events(number, number) if isinstance(each, Recorded)]
        assert tuple(found) == emitted


def test_a_receipt_s_logs_are_the_block_s(chain: Chain) -> None:
    node = Node(chain)
    for block in chain.blocks:
        wanted = {"blockHash": "0x" + block.hash.hex()}
        logs = node.request("eth_getLogs", [wanted])
        receipts = node.request("eth_getBlockReceipts", [hex(block.number)])
        assert [log for each in receipts for log in each["logs"]] == logs


def test_what_was_replaced_is_not_served_and_not_forgotten(chain: Chain) -> None:
    node, gone = Node(chain), chain.head
    chain.rollback(3)
    chain.mine()
    assert node.request("eth_getBlockByHash", ["0x" + gone.hash.hex(), False]) is None
    with pytest.raises(RpcError):
        node.request("eth_getLogs", [{"blockHash": "0x" + gone.hash.hex()}])
    assert chain.known[gone.hash] is gone
    assert isinstance(gone, Block)


def test_an_act_that_came_too_late_is_refused() -> None:
    state = founded().head.contract
    publish = Act(Action.PUBLISH, AUTHORITY, "1")
    state, _ = state.after([publish], 0)
    with pytest.raises(Refused):
        state.after([publish], 0)
    with pytest.raises(Refused):
        Contract().after([publish], 0)


def keys(value: Any) -> set[str]:
    return set(value) if isinstance(value, dict) else set()


def test_it_shows_what_anvil_shows(chain: Chain, tmp_path: Any) -> None:
    """Each key that the simulated node shows is one of Anvil's, written in the same way."""
    node = Node(chain)
    number = next(block.number for block in chain.blocks if len(block.mined) == 1)
    with running_anvil() as url:
        transport = HttpTransport(url)
        office = opened_office(transport, url, tmp_path)
        office.publish("a.md")
        head = transport.request("eth_blockNumber")
        address = "0x" + office.client.address.hex()
        asked = [
            (
                ("eth_getBlockByNumber", [hex(number), False]),
                ("eth_getBlockByNumber", [head, False]),
            ),
            (("eth_getBlockReceipts", [hex(number)]), ("eth_getBlockReceipts", [head])),
            (
                ("eth_getLogs", [logs_at(hex(number), "0x" + ADDRESS.hex())]),
                ("eth_getLogs", [logs_at(head, address)]),
            ),
        ]
        for ours, theirs in asked:
            require_alike(node.request(*ours), transport.request(*theirs))
        decode_logs(
            transport.request("eth_getLogs", [logs_at(head, address)]), office.client.address
        )


def logs_at(number: str, address: str) -> dict[str, str]:
    return {"address": address, "fromBlock": number, "toBlock": number}


def require_alike(ours: Any, theirs: Any) -> None:
    """The same kinds of values under the same keys, as deep as they go."""
    assert type(ours) is type(theirs), (ours, theirs)
    if isinstance(ours, dict):
        assert ours.keys() <= theirs.keys()
        for name in ours:
            if ours[name] is not None and theirs[name] is not None:
                require_alike(ours[name], theirs[name])
    elif isinstance(ours, list) and ours and theirs:
        require_alike(ours[0], theirs[0])
    elif isinstance(ours, str):
        assert ours.startswith("0x") == theirs.startswith("0x")
