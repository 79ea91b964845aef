"""The embedded chain answers each JSON-RPC method as a node does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from registry.chain.embedded import CHAIN_ID, EmbeddedChain
from registry.chain.rpc import RpcError
from tests.integration.embedded_accounts import (
    REVERTER,
    SEND,
    SEND_AND_WAIT,
    STORE,
    Sender,
    word,
)


@pytest.fixture
def sender() -> Sender:
    return Sender()


@pytest.fixture
def chain(tmp_path: Path, sender: Sender) -> Iterator[EmbeddedChain]:
    with EmbeddedChain.open(
        tmp_path / "chain.db", create=True, fund=[sender.raw_address]
    ) as opened:
        yield opened


def refusal(ask: Callable[[], Any]) -> RpcError:
    with pytest.raises(RpcError) as caught:
        ask()
    return caught.value


@pytest.mark.parametrize("method", ["eth_call", "eth_estimateGas"])
def test_a_revert_in_a_call_carries_its_data(
    chain: EmbeddedChain, sender: Sender, method: str
) -> None:
    reverter = sender.deploy(chain, REVERTER)
    data = "0xdeadbeef" + word(7).hex()
    fault = refusal(lambda: chain.request(method, [{"to": reverter, "data": data}]))
    assert (fault.code, fault.message, fault.data) == (3, "execution reverted", data)


def test_a_solidity_reason_is_in_the_message(chain: EmbeddedChain, sender: Sender) -> None:
    reverter = sender.deploy(chain, REVERTER)
    reason = b"no such policy"
    data = bytes.fromhex("08c379a0") + word(32) + word(len(reason)) + reason.ljust(32, b"\0")
    fault = refusal(
        lambda: chain.request("eth_call", [{"to": reverter, "input": "0x" + data.hex()}])
    )
    assert fault.message == "execution reverted: no such policy"


def test_an_estimate_suffices_and_is_close(chain: EmbeddedChain, sender: Sender) -> None:
    store = sender.deploy(chain, STORE)
    for data in (word(1) + word(2), word(0) + word(0), b"\1" * 900):
        asked = {"from": sender.address, "to": store, "data": "0x" + data.hex()}
        gas = int(chain.request("eth_estimateGas", [asked]), 16)
        receipt = chain.request(SEND_AND_WAIT, [sender.sign(to=store, data=data, gas=gas)])
        assert receipt["status"] == "0x1"
        assert gas <= int(receipt["gasUsed"], 16) * 1.25
    plain = {"from": sender.address, "to": "0x" + "44" * 20, "value": "0x1"}
    assert chain.request("eth_estimateGas", [plain]) == hex(21_000)


def test_a_call_sees_the_block_it_names(chain: EmbeddedChain, sender: Sender) -> None:
    store = sender.deploy(chain, STORE)
    for value in (5, 6):
        chain.request(SEND, [sender.sign(to=store, data=word(0) + word(value))])
    asked = {"to": store, "data": "0x" + bytes(64).hex()}

    def content(block: Any) -> int:
        return int(chain.request("eth_call", [asked, block]), 16)

    hash_2 = chain.request("eth_getBlockByNumber", ["0x2", False])["hash"]
    assert [content("0x1"), content("0x2"), content("latest"), content("pending")] == [0, 5, 6, 6]
    assert [content("safe"), content("finalized"), content({"blockHash": hash_2})] == [6, 6, 5]
    assert chain.request("eth_call", [asked, "earliest"]) == "0x"  # no code there yet
    assert refusal(lambda: content("0x9")).message == "header not found"
    assert content("latest") == 6  # the calls, which store 0, left nothing behind


def test_a_block_has_its_names_and_no_others(chain: EmbeddedChain, sender: Sender) -> None:
    chain.request(SEND, [sender.sign(to=sender.address)])
    ask = "eth_getBlockByNumber"
    latest = chain.request(ask, ["latest", False])
    assert latest == chain.request(ask, ["0x1", False])
    assert latest == chain.request(ask, ["safe", False]) == chain.request(ask, ["finalized", False])
    assert latest == chain.request("eth_getBlockByHash", [latest["hash"], False])
    assert chain.request(ask, ["earliest", False])["number"] == "0x0"
    pending = chain.request(ask, ["pending", False])
    assert (pending["number"], pending["hash"]) == ("0x2", None)
    assert chain.request(ask, ["0x2", False]) is None
    assert chain.request("eth_getBlockByHash", [latest["stateRoot"], False]) is None
    assert chain.request("eth_getTransactionReceipt", ["0x" + "00" * 32]) is None
    assert chain.request("eth_getTransactionByHash", ["0x" + "00" * 32]) is None


def test_a_blocks_size_is_that_of_its_rlp(chain: EmbeddedChain, sender: Sender) -> None:
    import rlp  # type: ignore[import-untyped]  # it has no stubs
    from eth_typing import BlockNumber

    from registry.chain.embedded.evm import EmbeddedRules

    chain.batch(
        [
            (SEND, [sender.sign(to=sender.address, **fields)])
            for fields in ({}, {"gasPrice": 10**11}, {"data": b"x" * 500})
        ]
    )
    rules, _ = EmbeddedRules.over(chain._store)
    for number in (0, 1):
        block = rules.get_canonical_block_by_number(BlockNumber(number))
        shown = chain.request("eth_getBlockByNumber", [hex(number), False])
        assert int(shown["size"], 16) == len(rlp.encode(block))


def test_what_a_node_is_asked_before_a_transaction(chain: EmbeddedChain, sender: Sender) -> None:
    assert chain.request("eth_chainId") == hex(CHAIN_ID)
    assert chain.request("net_version") == str(CHAIN_ID)
    assert chain.request("eth_accounts") == []
    assert chain.request("eth_syncing") is False
    assert chain.request("web3_clientVersion").startswith("py-evm/")
    chain.request(SEND, [sender.sign(to=sender.address)])
    assert chain.request("eth_getTransactionCount", [sender.address, "pending"]) == "0x1"
    history = chain.request("eth_feeHistory", ["0x5", "latest", [50]])
    assert history["oldestBlock"] == "0x0"
    assert len(history["baseFeePerGas"]) == 3
    assert history["reward"] == [["0x0"], [hex(10**9)]]
    price = int(chain.request("eth_gasPrice"), 16)
    tip = int(chain.request("eth_maxPriorityFeePerGas"), 16)
    assert price == tip + int(history["baseFeePerGas"][-1], 16)


@pytest.mark.parametrize(
    ("method", "given", "code"),
    [
        ("eth_mine", [], -32601),
        ("eth_getBalance", [], -32602),
        ("eth_getBalance", ["0x12"], -32602),
        ("eth_getBlockByNumber", ["0x01", False], -32602),
        ("eth_getBlockByNumber", [1, False], -32602),
        ("eth_getBlockByNumber", ["latest"], -32602),
        ("eth_getBlockByNumber", ["newest", False], -32602),
        ("eth_getLogs", [{"fromBlock": "0x2", "toBlock": "0x1"}], -32602),
        ("eth_getLogs", [{"topics": [None] * 5}], -32602),
        ("eth_getLogs", [{"blockHash": "0x" + "00" * 32}], -32000),
        ("eth_getLogs", [{"blockHash": "0x" + "00" * 32, "toBlock": "0x1"}], -32602),
        ("eth_call", [{"to": "0x" + "11" * 20, "value": "0x1"}], -32000),
        ("eth_call", [{}, "latest", {"0x" + "11" * 20: {}}], -32602),
        ("eth_feeHistory", ["0x1", "latest", [60, 50]], -32602),
    ],
)
def test_what_is_asked_wrongly_is_refused(
    chain: EmbeddedChain, method: str, given: list[Any], code: int
) -> None:
    assert refusal(lambda: chain.request(method, given)).code == code
