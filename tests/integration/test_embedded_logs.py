"""eth_getLogs gives exactly the logs that a plain reading of the receipts gives."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.chain.embedded import EmbeddedChain
from registry.chain.embedded.trie import decode
from registry.chain.rpc_server import RpcServer
from tests.integration.embedded_accounts import (
    LOGGER,
    REVERTER,
    SEND,
    Sender,
    headers,
    word,
)

BLOCKS = 14
TOPICS = ["0x" + word(number).hex() for number in range(5)]


class Recorded:
    """A chain with logs of three contracts by two senders, and all its logs by receipt."""

    def __init__(self, chain: EmbeddedChain) -> None:
        choose = random.Random(11)
        first, second = senders = [Sender(1), Sender(2)]
        self.chain = chain
        self.contracts = [first.deploy(chain, code) for code in (LOGGER, LOGGER, REVERTER)]
        for number in range(BLOCKS - 3):
            # One block is longer than 128 transactions, where a trie's keys grow.
            size = 135 if number == 4 else choose.randrange(1, 5)
            chain.batch(
                [
                    (
                        SEND,
                        [
                            choose.choice(senders).sign(
                                to=choose.choice(self.contracts),
                                data=word(choose.randrange(4)) + b"x" * choose.randrange(90),
                            )
                        ],
                    )
                    for _ in range(size)
                ]
            )
        self.callers = ["0x" + bytes(12).hex() + each.address[2:] for each in (first, second)]
        sent = [each["hash"] for block in headers(chain) for each in block["transactions"]]
        receipts = chain.batch([("eth_getTransactionReceipt", [each]) for each in sent])
        self.logs: list[dict[str, Any]] = [log for each in receipts for log in each["logs"]]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    path = tmp_path_factory.mktemp("logs") / "chain.db"
    rich = [Sender(number).raw_address for number in (1, 2)]
    with EmbeddedChain.open(path, create=True, fund=rich) as chain:
        yield Recorded(chain)


def brute_force(logs: list[dict[str, Any]], wanted: dict[str, Any]) -> list[dict[str, Any]]:
    """The filter's meaning, word for word from the specification."""
    addresses = wanted.get("address")
    if isinstance(addresses, str):
        addresses = [addresses]

    def fits(log: dict[str, Any]) -> bool:
        if addresses and log["address"] not in addresses:
            return False
        for position, topic in enumerate(wanted.get("topics", [])):
            if position >= len(log["topics"]):
                return False
            if topic is None or topic == []:
                continue
            if log["topics"][position] not in (topic if isinstance(topic, list) else [topic]):
                return False
        first, last = int(wanted["fromBlock"], 16), int(wanted["toBlock"], 16)
        return first <= int(log["blockNumber"], 16) <= last

    return [log for log in logs if fits(log)]


@st.composite
def filters(draw: st.DrawFn) -> dict[str, Any]:
    """Indexes stand for contracts and callers, which exist only once the chain does."""
    topic = st.sampled_from(TOPICS)
    caller = st.sampled_from(["first", "second", TOPICS[0]])
    first = draw(st.integers(0, BLOCKS))
    return {
        "fromBlock": hex(first),
        "toBlock": hex(draw(st.integers(first, BLOCKS + 3))),
        "address": draw(
            st.none() | st.integers(0, 3) | st.lists(st.integers(0, 3), min_size=1, max_size=3)
        ),
        "topics": draw(
            st.one_of(
                st.just([]),
                st.tuples(_position(topic)).map(list),
                st.tuples(_position(topic), _position(caller)).map(list),
                st.tuples(_position(topic), _position(caller), st.none()).map(list),
            )
        ),
    }


def _position(values: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    return st.none() | values | st.lists(values, max_size=3)


def _named(recorded: Recorded, drawn: dict[str, Any]) -> dict[str, Any]:
    addresses = [*recorded.contracts, "0x" + "77" * 20]
    callers = dict(zip(("first", "second"), recorded.callers, strict=True))

    def replace(value: Any) -> Any:
        if isinstance(value, list):
            return [replace(each) for each in value]
        return addresses[value] if isinstance(value, int) else callers.get(value, value)

    wanted = drawn | {"topics": replace(drawn["topics"])}
    if drawn["address"] is None:
        del wanted["address"]
    else:
        wanted["address"] = replace(drawn["address"])
    return wanted


@settings(max_examples=80, deadline=None)
@given(drawn=filters())
def test_a_filter_gives_what_reading_all_receipts_gives(
    recorded: Recorded, drawn: dict[str, Any]
) -> None:
    wanted = _named(recorded, drawn)
    found = recorded.chain.request("eth_getLogs", [wanted])
    assert found == brute_force(recorded.logs, wanted)


def test_a_block_hash_names_one_block(recorded: Recorded) -> None:
    for block in headers(recorded.chain):
        found = recorded.chain.request("eth_getLogs", [{"blockHash": block["hash"]}])
        assert found == [log for log in recorded.logs if log["blockHash"] == block["hash"]]


def test_without_a_range_it_is_the_latest_block(recorded: Recorded) -> None:
    head = recorded.chain.request("eth_blockNumber")
    found = recorded.chain.request("eth_getLogs", [{}])
    assert found == [log for log in recorded.logs if log["blockNumber"] == head]


def test_web3_reads_the_same_logs_over_http(recorded: Recorded) -> None:
    from eth_typing import HexStr
    from web3 import HTTPProvider, Web3
    from web3.types import FilterParams, TxParams

    with RpcServer(recorded.chain, port=0) as server:
        node = Web3(HTTPProvider(server.url))
        assert node.is_connected()
        wanted: FilterParams = {"fromBlock": 0, "toBlock": "latest"}
        found = node.eth.get_logs(wanted)
        assert [dict(log) for log in found] == [
            {
                "address": Web3.to_checksum_address(log["address"]),
                "topics": [bytes.fromhex(topic[2:]) for topic in log["topics"]],
                "data": bytes.fromhex(log["data"][2:]),
                "blockHash": bytes.fromhex(log["blockHash"][2:]),
                "transactionHash": bytes.fromhex(log["transactionHash"][2:]),
                "blockNumber": int(log["blockNumber"], 16),
                "blockTimestamp": log["blockTimestamp"],  # which web3 does not know
                "logIndex": int(log["logIndex"], 16),
                "transactionIndex": int(log["transactionIndex"], 16),
                "removed": False,
            }
            for log in recorded.logs
        ]
        block = node.eth.get_block(5, full_transactions=True)
        assert len(block["transactions"]) > 0
        sent = found[0]["transactionHash"]
        assert node.eth.get_transaction_receipt(sent)["status"] == 1
        asked: TxParams = {
            "from": Web3.to_checksum_address(Sender(1).address),
            "to": Web3.to_checksum_address(recorded.contracts[0]),
            "data": HexStr("0x" + word(1).hex()),
        }
        assert node.eth.call(asked) == b""
        assert node.eth.estimate_gas(asked) > 21_000


_rlp_value: st.SearchStrategy[Any] = st.recursive(
    st.binary(max_size=70) | st.binary(min_size=250, max_size=260), st.lists, max_leaves=12
)


@settings(max_examples=60, deadline=None)
@given(value=_rlp_value)
def test_the_rlp_reader_agrees_with_the_rlp_package(value: Any) -> None:
    import rlp  # type: ignore[import-untyped]  # it has no stubs

    assert decode(rlp.encode(value)) == value
