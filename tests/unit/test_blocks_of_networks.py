"""Blocks as real networks' nodes show them: each can be followed, and where the form of its
header is known it can be proved from its hash. Where it is not, that is said, and no proof made."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import rlp
from eth_hash.auto import keccak

from registry.chain.client import Client
from registry.chain.header import header_rlp
from registry.chain.rpc import Call
from registry.chain.seals import hashed_extra_data
from registry.chain.state_proof import ask
from registry.core.policy import PolicyKey
from registry.core.units import Address, BlockNumber, Digest
from registry.errors import Inconsistent

SAMPLES = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((Path(__file__).parents[1] / "vectors" / "blocks").glob("*.json"))
}
HASHED = [name for name, each in SAMPLES.items() if each["header"] != "unknown"]
UNKNOWN = [name for name, each in SAMPLES.items() if each["header"] == "unknown"]
CONTRACT = Address(bytes(20))


class Node:
    """A node that has one block."""

    def __init__(self, block: dict[str, Any]) -> None:
        self.block = block
        self.asked: list[str] = []

    def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        self.asked.append(method)
        return self.block

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        return [self.request(*call) for call in calls]

    def close(self) -> None:
        """Nothing."""


def octets(written: str) -> bytes:
    return bytes.fromhex(written[2:])


def test_there_are_samples_of_every_family_of_consensus() -> None:
    assert {"besu-qbft", "besu-ibft2", "goquorum-ibft", "rinkeby-clique", "bsc-parlia"} <= set(
        HASHED
    )
    assert {"arbitrum", "optimism", "avalanche", "gnosis", "ethereum-classic"} <= set(HASHED)
    assert len(UNKNOWN) >= 8
    assert all(each["source"] for each in SAMPLES.values())


@pytest.mark.parametrize("name", SAMPLES)
def test_every_network_s_block_can_be_followed(name: str) -> None:
    shown = SAMPLES[name]["block"]
    number = BlockNumber(int(shown["number"], 16))
    block = Client(Node(shown), CONTRACT).block(number)
    assert block is not None
    assert (block.number, block.hash, block.parent, block.time) == (
        number,
        octets(shown["hash"]),
        octets(shown["parentHash"]),
        int(shown["timestamp"], 16),
    )
    assert {octets(each) for each in shown["transactions"]} == block.transactions


@pytest.mark.parametrize("name", HASHED)
def test_a_header_is_rebuilt_to_the_very_hash_and_holds_what_a_proof_needs(name: str) -> None:
    shown = SAMPLES[name]["block"]
    header = header_rlp(shown)
    assert keccak(header) == octets(shown["hash"])
    fields = rlp.decode(header)
    assert fields[3] == octets(shown["stateRoot"])
    assert int.from_bytes(fields[8], "big") == int(shown["number"], 16)
    assert int.from_bytes(fields[11], "big") == int(shown["timestamp"], 16)


@pytest.mark.parametrize("name", HASHED)
def test_a_header_with_another_state_root_is_not_the_hash_s(name: str) -> None:
    shown = SAMPLES[name]["block"]
    with pytest.raises(Inconsistent, match="does not give its hash"):
        header_rlp(shown | {"stateRoot": "0x" + "11" * 32})


@pytest.mark.parametrize("name", [n for n in HASHED if SAMPLES[n]["header"] == "rebuilt"])
def test_seals_that_the_hash_leaves_out_change_nothing_and_validators_do(name: str) -> None:
    """Two nodes may have different seals for one block."""
    shown = SAMPLES[name]["block"]
    extra = octets(shown["extraData"])
    start = 32 if name == "goquorum-ibft" else 0
    fields = rlp.decode(extra[start:])
    fewer = extra[:start] + rlp.encode([*fields[:-1], fields[-1][:1]])
    assert header_rlp(shown | {"extraData": "0x" + fewer.hex()}) == header_rlp(shown)
    at = 0 if start else 1
    fields[at] = [*fields[at], bytes(20)]
    more = extra[:start] + rlp.encode(fields)
    with pytest.raises(Inconsistent):
        header_rlp(shown | {"extraData": "0x" + more.hex()})


@pytest.mark.parametrize("name", ["besu-ibft2", "besu-qbft"])
def test_the_round_that_the_validators_needed_is_no_part_of_the_hash(name: str) -> None:
    """They seal the block with its hash, whatever round it comes to (BftBlockHashing)."""
    shown = SAMPLES[name]["block"]
    fields = rlp.decode(octets(shown["extraData"]))
    for number in (b"\x02", b"\x00\x00\x00\x02"):
        later = rlp.encode([*fields[:3], number, fields[4]])
        assert header_rlp(shown | {"extraData": "0x" + later.hex()}) == header_rlp(shown)


@pytest.mark.parametrize("name", UNKNOWN)
def test_of_a_header_of_unknown_form_no_proof_is_made_and_the_reason_is_said(name: str) -> None:
    node = Node(SAMPLES[name]["block"])
    with pytest.raises(Inconsistent, match="no header proof can be made") as caught:
        ask(node, CONTRACT, octets(node.block["hash"]), 1, PolicyKey("CN", Digest(bytes(32))))
    assert "try another node" in str(caught.value.hint)
    assert "eth_getProof" not in node.asked


@pytest.mark.parametrize(
    "extra",
    [b"", b"\x80", b"\xc0", b"\xf8", bytes(31), bytes(97), b"\xff" * 600, rlp.encode([b""] * 5)],
)
def test_any_extra_data_is_first_taken_as_it_stands(extra: bytes) -> None:
    forms = list(hashed_extra_data(extra))
    assert forms[0] == extra
    assert len(forms) <= 4


def test_the_page_says_of_each_of_them_whether_its_header_is_known() -> None:
    page = (Path(__file__).parents[2] / "docs" / "networks.md").read_text(encoding="utf-8")
    said = dict(re.findall(r"^\| `([\w-]+)` \| (known|not known)\b", page, re.MULTILINE))
    assert said == {name: "known" if name in HASHED else "not known" for name in SAMPLES}
