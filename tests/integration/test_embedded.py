"""The embedded chain keeps its blocks, and answers as a node does."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from registry.chain.embedded import BLOCK_GAS_LIMIT, CHAIN_ID, TRANSACTION_GAS_LIMIT, EmbeddedChain
from registry.chain.rpc import RpcError
from tests.integration.embedded_accounts import (
    LOGGER,
    REVERTER,
    SEND,
    SEND_AND_WAIT,
    STORE,
    Sender,
    assert_linear,
    headers,
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


def everything(chain: EmbeddedChain, addresses: list[str], slots: int) -> list[Any]:
    """All that a client can see of the chain."""
    blocks = headers(chain)
    sent = [transaction["hash"] for block in blocks for transaction in block["transactions"]]
    calls: list[tuple[str, list[Any]]] = [("eth_getTransactionReceipt", [each]) for each in sent]
    for address in addresses:
        for number in range(len(blocks)):
            at = hex(number)
            calls += [
                ("eth_getBalance", [address, at]),
                ("eth_getTransactionCount", [address, at]),
                ("eth_getCode", [address, at]),
            ]
            calls += [("eth_getStorageAt", [address, hex(slot), at]) for slot in range(slots)]
    calls.append(("eth_getLogs", [{"fromBlock": "0x0"}]))
    return [blocks, *chain.batch(calls)]


@pytest.mark.parametrize("seed", range(2))
def test_a_chain_opened_again_is_the_same_to_the_last_byte(tmp_path: Path, seed: int) -> None:
    choose = random.Random(seed)
    sender = Sender()
    path = tmp_path / "chain.db"
    with EmbeddedChain.open(path, create=True, fund=[sender.raw_address]) as chain:
        contracts = [sender.deploy(chain, code) for code in (LOGGER, STORE, REVERTER)]
        for _ in range(12):
            chain.batch(
                [
                    (
                        SEND,
                        [
                            sender.sign(
                                to=choose.choice(contracts),
                                data=word(choose.randrange(4)) + word(choose.randrange(3)),
                            )
                        ],
                    )
                    for _ in range(choose.randrange(1, 5))
                ]
            )
        before = everything(chain, [*contracts, sender.address], slots=4)
    with EmbeddedChain.open(path) as again:
        assert everything(again, [*contracts, sender.address], slots=4) == before
        assert again.lost is None
        sender.resume(again)
        again.request(SEND, [sender.sign(to=contracts[0])])
        blocks = headers(again)
    assert blocks[:-1] == before[0]
    assert_linear(blocks)


def test_every_block_can_be_executed_again_from_its_parent(tmp_path: Path) -> None:
    """py-evm's own import of a block, on a copy that has only the genesis."""
    from eth.abc import BlockAPI
    from eth_typing import BlockNumber

    from registry.chain.embedded.evm import EmbeddedRules, keccak
    from registry.chain.embedded.store import Store

    sender = Sender()
    with EmbeddedChain.open(tmp_path / "a.db", create=True, fund=[sender.raw_address]):
        pass
    shutil.copy(tmp_path / "a.db", tmp_path / "b.db")
    with EmbeddedChain.open(tmp_path / "a.db") as chain:
        contracts = [sender.deploy(chain, code) for code in (LOGGER, STORE, REVERTER)]
        for number in range(4):
            chain.batch([(SEND, [sender.sign(to=to, data=word(number) * 2)]) for to in contracts])
        blocks = headers(chain)
    original, copy = (Store.open(tmp_path / name, keccak) for name in ("a.db", "b.db"))
    assert original is not None
    assert copy is not None
    source, _ = EmbeddedRules.over(original)
    replica, _ = EmbeddedRules.over(copy)
    for number in range(1, len(blocks)):
        block: BlockAPI = source.get_canonical_block_by_number(BlockNumber(number))
        imported = replica.import_block(block).imported_block
        assert "0x" + imported.hash.hex() == blocks[number]["hash"]
    original.close()
    copy.close()


def test_a_batch_is_mined_as_one_block_in_its_order(chain: EmbeddedChain, sender: Sender) -> None:
    logger = sender.deploy(chain, LOGGER)
    raws = [sender.sign(to=logger, data=word(number)) for number in range(20)]
    answers = chain.batch(
        [("eth_blockNumber", []), *((SEND, [raw]) for raw in raws), ("eth_blockNumber", [])]
    )
    assert (answers[0], answers[-1]) == ("0x1", "0x2")
    block = chain.request("eth_getBlockByNumber", ["latest", False])
    assert block["transactions"] == answers[1:-1]


def test_nonces_may_be_out_of_order_within_a_batch(chain: EmbeddedChain, sender: Sender) -> None:
    logger = sender.deploy(chain, LOGGER)
    raws = [sender.sign(to=logger, data=word(number)) for number in range(9)]
    random.Random(5).shuffle(raws)
    answers = chain.batch([(SEND, [raw]) for raw in raws])
    block = chain.request("eth_getBlockByNumber", ["latest", True])
    assert [int(each["nonce"], 16) for each in block["transactions"]] == list(range(1, 10))
    assert set(answers) == {each["hash"] for each in block["transactions"]}


def test_a_batch_beyond_the_block_gas_limit_takes_more_blocks(
    chain: EmbeddedChain, sender: Sender
) -> None:
    """The limit counts the gas that transactions ask for, less what those before left."""
    burner = sender.deploy(chain, b"\xfe")  # INVALID takes all the gas that is left
    raws = [sender.sign(to=burner, gas=TRANSACTION_GAS_LIMIT) for _ in range(7)]
    answers = chain.batch([(SEND, [raw]) for raw in raws])
    found = [chain.request("eth_getTransactionReceipt", [each]) for each in answers]
    assert [receipt["status"] for receipt in found] == ["0x0"] * 7
    per_block = BLOCK_GAS_LIMIT // TRANSACTION_GAS_LIMIT
    assert [int(receipt["blockNumber"], 16) - 2 for receipt in found] == [
        number // per_block for number in range(7)
    ]


def test_one_refused_transaction_does_not_hold_back_its_batch(
    chain: EmbeddedChain, sender: Sender
) -> None:
    logger = sender.deploy(chain, LOGGER)
    good, other = (sender.sign(to=logger, data=word(number)) for number in range(2))
    answers = chain.batch([(SEND, [good]), (SEND, ["0xc0"]), (SEND, [good]), (SEND, [other])])
    assert isinstance(answers[0], str)
    assert isinstance(answers[1], RpcError)
    assert answers[1].message.startswith("rlp:")
    assert isinstance(answers[2], RpcError)
    assert answers[2].message == "already known"
    assert isinstance(answers[3], str)
    assert chain.request("eth_blockNumber") == "0x2"


def test_a_revert_is_mined_with_status_0(chain: EmbeddedChain, sender: Sender) -> None:
    reverter = sender.deploy(chain, REVERTER)
    receipt = chain.request(SEND_AND_WAIT, [sender.sign(to=reverter, data=b"why")])
    assert receipt["status"] == "0x0"
    assert receipt["logs"] == []
    assert chain.request("eth_getTransactionReceipt", [receipt["transactionHash"]]) == receipt
    assert chain.request("eth_getTransactionCount", [sender.address, "latest"]) == "0x2"


REFUSALS: dict[str, tuple[dict[str, Any], str]] = {
    "a used nonce": ({"nonce": 0}, "nonce too low: next nonce 1, tx nonce 0"),
    "a nonce with a gap": ({"nonce": 3}, "nonce too high"),
    "little gas": ({"gas": 20_999}, "intrinsic gas too low: gas 20999, minimum needed 21"),
    "gas below the floor of its data": (
        {"data": b"\1" * 1000, "gas": 60_000},
        "insufficient gas for floor data gas cost: gas 60000, minimum needed 61000",
    ),
    "more gas than EIP-7825 allows": (
        {"gas": TRANSACTION_GAS_LIMIT + 1},
        "transaction gas limit too high (cap: 16777216, tx: 16777217)",
    ),
    "more than it has": ({"value": 10**30}, "insufficient funds for gas * price + value"),
    "a fee below the base fee": (
        {"maxFeePerGas": 1, "maxPriorityFeePerGas": 1},
        "max fee per gas less than block base fee",
    ),
    "a tip above its fee": (
        {"maxFeePerGas": 10**10, "maxPriorityFeePerGas": 10**11},
        "max priority fee per gas higher than max fee per gas",
    ),
    "another chain": ({"chainId": 1}, f"invalid chain id for signer: have 1 want {CHAIN_ID}"),
    "more bytes than a node's pool takes": (
        {"data": b"\1" * (128 * 1024), "gas": 10_000_000},
        "oversized data: transaction size",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_transaction_is_refused_in_geths_words(
    chain: EmbeddedChain, sender: Sender, name: str
) -> None:
    sender.deploy(chain, LOGGER)
    fields, words = REFUSALS[name]
    to = "0x" + "11" * 20
    fault = refusal(lambda: chain.request(SEND, [sender.sign(to=to, **fields)]))
    assert fault.code == -32000
    assert fault.message.startswith(words)
    assert chain.request("eth_blockNumber") == "0x1"
    assert chain._store.intent() is None


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("0x", "rlp: "),
        ("0x05c0", "transaction type not supported"),
        ("0x03c0", "transaction type not supported"),
        ("0x04c0", "transaction type not supported"),
        ("0x02c0", "rlp: "),
        ("0xzz", "transaction is not data"),
    ],
)
def test_what_is_no_transaction_is_refused(chain: EmbeddedChain, raw: str, words: str) -> None:
    assert refusal(lambda: chain.request(SEND, [raw])).message.startswith(words)


def test_a_resend_of_a_mined_transaction_is_already_known(
    chain: EmbeddedChain, sender: Sender
) -> None:
    raw = sender.sign(to=sender.address)
    chain.request(SEND, [raw])
    assert refusal(lambda: chain.request(SEND, [raw])).message == "already known"


@pytest.mark.parametrize(
    "fields",
    [
        {"gasPrice": 10**11},
        {"gasPrice": 10**11, "accessList": [{"address": "0x" + "22" * 20, "storageKeys": []}]},
        {},
    ],
)
def test_each_type_of_transaction_comes_back_as_it_was_signed(
    chain: EmbeddedChain, sender: Sender, fields: dict[str, Any]
) -> None:
    from eth_account import Account

    raw = sender.sign(to="0x" + "33" * 20, data=b"\0\1", **fields)
    sent = chain.request("eth_getTransactionByHash", [chain.request(SEND, [raw])])
    assert (sent["from"], sent["to"]) == (sender.address, "0x" + "33" * 20)
    assert (sent["input"], sent["nonce"], sent["chainId"]) == ("0x0001", "0x0", hex(CHAIN_ID))
    assert Account.recover_transaction(raw).lower() == sent["from"]
    assert sent == chain.request("eth_getBlockByNumber", ["latest", True])["transactions"][0]


def test_time_follows_the_clock_and_never_stands_still(tmp_path: Path, sender: Sender) -> None:
    clock = [0.0]
    with EmbeddedChain.open(
        tmp_path / "chain.db", create=True, fund=[sender.raw_address], clock=lambda: clock[0]
    ) as chain:
        start = int(chain.request("eth_getBlockByNumber", ["latest", False])["timestamp"], 16)
        seen = []
        for elapsed in (100.9, 100.9, 101.0, 500.0, -9.0):
            clock[0] = start + elapsed
            chain.request(SEND, [sender.sign(to=sender.address)])
            block = chain.request("eth_getBlockByNumber", ["latest", False])
            seen.append(int(block["timestamp"], 16) - start)
    assert seen == [100, 101, 102, 500, 501]


def test_precompiles_whose_import_is_put_off_still_work(tmp_path: Path) -> None:
    """EIP-2537's G1 addition of the point at infinity to itself, and EIP-196's."""
    program = f"""
import sys
from pathlib import Path
from registry.chain.embedded import EmbeddedChain
assert not [name for name in sys.modules if name.partition(".")[0] in ("eth", "eth_tester", "web3")]
chain = EmbeddedChain.open(Path({str(tmp_path / "chain.db")!r}), create=True)
assert "eth" in sys.modules
assert not [name for name in sys.modules if name.partition(".")[0] in ("eth_tester", "web3")]
assert "py_ecc.optimized_bls12_381" not in sys.modules
def ask(address, size):
    call = {{"to": "0x" + address.rjust(40, "0"), "data": "0x" + "00" * size}}
    return chain.request("eth_call", [call])
assert ask("6", 128) == "0x" + "00" * 64
assert ask("b", 256) == "0x" + "00" * 128
assert "py_ecc.optimized_bls12_381" in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
