"""A header's RLP is made from exactly the fields that its block's hash covers."""

from __future__ import annotations

from typing import Any

import pytest

from registry.chain.header import header_rlp
from registry.errors import Inconsistent

EMPTY_LIST = "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"
EMPTY_TRIE = "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"

# Ethereum's first block, which names no later fork's field.
MAINNET_GENESIS = {
    "hash": "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3",
    "parentHash": "0x" + "00" * 32,
    "sha3Uncles": EMPTY_LIST,
    "miner": "0x" + "00" * 20,
    "stateRoot": "0xd7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544",
    "transactionsRoot": EMPTY_TRIE,
    "receiptsRoot": EMPTY_TRIE,
    "logsBloom": "0x" + "00" * 256,
    "difficulty": "0x400000000",
    "number": "0x0",
    "gasLimit": "0x1388",
    "gasUsed": "0x0",
    "timestamp": "0x0",
    "extraData": "0x11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa",
    "mixHash": "0x" + "00" * 32,
    "nonce": "0x0000000000000042",
    "totalDifficulty": "0x400000000",
    "size": "0x21c",
    "transactions": [],
    "uncles": [],
}


def refusal(block: Any) -> str:
    with pytest.raises(Inconsistent) as caught:
        header_rlp(block)
    return str(caught.value)


def test_the_first_block_of_ethereum_is_rebuilt() -> None:
    header = header_rlp(MAINNET_GENESIS)
    # The block is one list of the header and two empty lists, of transactions and uncles.
    assert 3 + len(header) + 2 == int(str(MAINNET_GENESIS["size"]), 16)
    assert header_rlp(MAINNET_GENESIS | {"baseFeePerGas": None}) == header


@pytest.mark.parametrize(
    "changed",
    [
        {"gasLimit": "0x1389"},
        {"extraData": "0x"},
        {"baseFeePerGas": "0x0"},
        {"hash": "0x" + "11" * 32},
    ],
)
def test_a_header_that_is_not_the_hash_s_is_refused(changed: dict[str, str]) -> None:
    said = refusal(MAINNET_GENESIS | changed)
    assert "fields that this program does not know" in said
    assert "no header proof can be made" in said


def test_no_later_field_may_be_missing_in_the_middle() -> None:
    said = refusal(MAINNET_GENESIS | {"withdrawalsRoot": EMPTY_TRIE})
    assert "withdrawalsRoot" in said


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in MAINNET_GENESIS
        if name not in {"totalDifficulty", "size", "transactions", "uncles"}
    ],
)
def test_a_field_that_is_missing_or_not_text_is_named(name: str) -> None:
    without = {key: value for key, value in MAINNET_GENESIS.items() if key != name}
    assert name in refusal(without)
    others: list[Any] = [None, 0, True, b"\0", [], {}]
    for wrong in others:
        assert name in refusal(MAINNET_GENESIS | {name: wrong})


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("hash", ""),
        ("parentHash", "0x"),
        ("parentHash", "00" * 32),
        ("stateRoot", "0x" + "00" * 31),
        ("stateRoot", "0x" + "00" * 33),
        ("stateRoot", "0x" + "0g" * 32),
        ("miner", "0x" + "00" * 32),
        ("logsBloom", "0x0"),
        ("nonce", "0x42"),
        ("nonce", "0x0"),
        ("extraData", "0x1"),
        ("extraData", "0x11\n"),
        ("number", "0x"),
        ("number", "0x00"),
        ("number", "0"),
        ("number", "0x-1"),
        ("number", "0x1_0"),
        ("number", "0x0\n"),
        ("gasLimit", "0x01388"),
        ("gasLimit", "0x１"),
        ("gasLimit", "0x1" + "0" * 64),
    ],
)
def test_a_malformed_field_is_named(name: str, wrong: str) -> None:
    assert name in refusal(MAINNET_GENESIS | {name: wrong})


@pytest.mark.parametrize("answer", [None, [], "0x", 1])
def test_an_answer_that_is_no_block_is_refused(answer: Any) -> None:
    assert "block" in refusal(answer)
