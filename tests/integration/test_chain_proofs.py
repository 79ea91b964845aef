"""What a node proves of the registry's state holds under the hash of its block.

Proofs are checked by the trie package, which has no part in making them, on the embedded
chain and on Anvil; headers are rebuilt on both, and on Anvil under older forks.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import rlp  # type: ignore[import-untyped]  # it has no stubs
from eth_hash.auto import keccak
from hypothesis import given
from hypothesis import strategies as st
from trie.exceptions import MissingTrieNode
from trie.hexary import HexaryTrie

from registry.chain.addresses import parse_address
from registry.chain.client import Client
from registry.chain.embedded import CHAIN_ID as EMBEDDED_CHAIN_ID
from registry.chain.embedded import EmbeddedChain
from registry.chain.embedded.trie import prove
from registry.chain.header import header_rlp
from registry.chain.rpc import HttpTransport, RpcError, Transport
from registry.chain.sender import Sender
from registry.chain.signers import signer_from_hex
from registry.config import Settings
from registry.core.authority import encode_code
from registry.core.digest import sha256
from registry.core.draft import Draft, FileDescription
from registry.core.entry import Action
from registry.core.policy import number_hash
from registry.errors import Inconsistent
from registry.services.authorities import open_authority
from registry.services.setup import deploy
from tests.anvil import CHAIN_ID, DEV_KEYS, running_anvil
from tests.integration.embedded_accounts import SEND_AND_WAIT, STORE, deploy_code, word
from tests.integration.embedded_accounts import Sender as SmallSender
from tests.publishing import publish

SIZE_SLOT, FIRST_PEAK_SLOT, POLICIES_SLOT = 0, 1, 65  # PolicyLog.sol
NUMBERS = ("1", "2", "3")
NOBODY = "0x" + "99" * 20


def policy_slot(number: str) -> int:
    authority = keccak(encode_code("CN") + word(POLICIES_SLOT))
    return int.from_bytes(keccak(number_hash(number) + authority), "big")


@dataclass(frozen=True)
class Registry:
    """The real contract with a few entries, and the blocks from before it to its head."""

    transport: Transport
    contract: str
    blocks: range

    def block(self, at: int | str) -> dict[str, Any]:
        number = at if isinstance(at, str) else hex(at)
        shown: dict[str, Any] = self.transport.request("eth_getBlockByNumber", [number, False])
        return shown

    def proof(self, address: str, slots: Sequence[int], at: Any) -> dict[str, Any]:
        keys = ["0x" + word(slot).hex() for slot in slots]
        answer: dict[str, Any] = self.transport.request("eth_getProof", [address, keys, at])
        return answer


@pytest.fixture(scope="module", params=["embedded", "anvil"])
def registry(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Registry]:
    home = tmp_path_factory.mktemp("home")
    signer = signer_from_hex(DEV_KEYS[0])
    transport: Transport = (
        HttpTransport(request.getfixturevalue("anvil"))
        if request.param == "anvil"
        else EmbeddedChain.open(home / "chain.db", create=True, fund=[signer.address])
    )
    with closing(transport):
        noted = deploy(transport, signer, Settings(home=home))
        client = Client(transport, parse_address(noted.contract))
        sender = Sender(transport, signer)
        open_authority("CN", {"zh": "中国"}, None, client, sender)
        for number in NUMBERS:
            file = FileDescription(sha256(number.encode()), 7, "a.md")
            draft = Draft(Action.PUBLISH, "CN", number, {"zh": "通知"}, document=file)
            publish(draft, client, sender)
        head = int(transport.request("eth_blockNumber"), 16)
        # Anvil's genesis names an empty state, while its accounts are funded: nothing in it
        # can be proved.
        first = max(noted.first_block - 1, 1 if request.param == "anvil" else 0)
        yield Registry(transport, noted.contract.lower(), range(first, head + 1))


def octets(shown: str) -> bytes:
    return bytes.fromhex(shown[2:])


def held(root: str, key: bytes, proof: Sequence[str]) -> Any:
    """What the trie package finds under `key`; raises MissingTrieNode. None for nothing."""
    nodes = {keccak(octets(node)): octets(node) for node in proof}
    found = HexaryTrie(nodes, octets(root)).get(keccak(key))
    return rlp.decode(found) if found else None


def check(proof: dict[str, Any], block: dict[str, Any]) -> dict[int, int]:
    """The values of the slots, after every part of the proof has held."""
    numbers = (word(int(proof[name], 16)).lstrip(b"\0") for name in ("nonce", "balance"))
    shown = [*numbers, octets(proof["storageHash"]), octets(proof["codeHash"])]
    account = held(block["stateRoot"], octets(proof["address"]), proof["accountProof"])
    assert account in (shown, None)
    if account is None:
        assert shown == [b"", b"", HexaryTrie.BLANK_NODE_HASH, keccak(b"")]
    for slot in proof["storageProof"]:
        value = held(proof["storageHash"], octets(slot["key"]), slot["proof"])
        assert int.from_bytes(value or b"", "big") == int(slot["value"], 16)
    return {int(slot["key"], 16): int(slot["value"], 16) for slot in proof["storageProof"]}


def test_every_slot_of_the_registry_is_proved_at_every_block(registry: Registry) -> None:
    slots = [SIZE_SLOT, FIRST_PEAK_SLOT, FIRST_PEAK_SLOT + 1, FIRST_PEAK_SLOT + 63]
    slots += [policy_slot(number) for number in (*NUMBERS, "absent")]
    sizes = set()
    for number in registry.blocks:
        values = check(
            registry.proof(registry.contract, slots, hex(number)), registry.block(number)
        )
        for slot in slots:
            asked = [registry.contract, hex(slot), hex(number)]
            stored = registry.transport.request("eth_getStorageAt", asked)
            assert values[slot] == int(stored, 16)
        sizes.add(values[SIZE_SLOT])
    assert len(sizes) > len(NUMBERS)
    assert values[policy_slot("1")] > 0
    assert values[policy_slot("absent")] == values[FIRST_PEAK_SLOT + 63] == 0


def test_a_block_may_be_named_as_anywhere_else(registry: Registry) -> None:
    block = registry.block("latest")
    number = int(block["number"], 16)
    proof = registry.proof(registry.contract, [SIZE_SLOT], hex(number))
    names = ["latest", None, {"blockHash": block["hash"]}, {"blockNumber": hex(number)}]
    for name in names:
        assert registry.proof(registry.contract, [SIZE_SLOT], name) == proof
    with pytest.raises(RpcError):
        registry.proof(registry.contract, [SIZE_SLOT], {"blockHash": "0x" + "11" * 32})
    with pytest.raises(RpcError):
        registry.proof(registry.contract, [SIZE_SLOT], hex(number + 1_000))


def test_accounts_without_storage_and_no_account_at_all_are_proved(registry: Registry) -> None:
    block = registry.block("latest")
    rich = "0x" + signer_from_hex(DEV_KEYS[0]).address.hex()
    for address in (rich, NOBODY):
        proof = registry.proof(address, [0, 2**256 - 1], "latest")
        assert check(proof, block) == {0: 0, 2**256 - 1: 0}
        assert [slot["proof"] for slot in proof["storageProof"]] == [["0x80"], ["0x80"]]
        balance = registry.transport.request("eth_getBalance", [address, "latest"])
        assert proof["balance"] == balance
        assert proof["address"] == address
        assert registry.proof(address, [], "latest") == proof | {"storageProof": []}
    assert list(proof) == [
        *("address", "balance", "codeHash", "nonce", "storageHash", "accountProof"),
        "storageProof",
    ]


def test_a_proof_with_one_bit_changed_or_one_node_left_out_does_not_hold(
    registry: Registry,
) -> None:
    block = registry.block("latest")
    proof = registry.proof(registry.contract, [policy_slot("1")], "latest")
    (slot,) = proof["storageProof"]
    parts = [
        (block["stateRoot"], octets(proof["address"]), proof["accountProof"]),
        (proof["storageHash"], octets(slot["key"]), slot["proof"]),
    ]
    for root, key, nodes in parts:
        assert len(nodes) > 1
        for place, node in enumerate(nodes):
            last = f"{int(node[-1], 16) ^ 1:x}"
            for altered in ([node[:-1] + last], []):
                with pytest.raises(MissingTrieNode):
                    held(root, key, [*nodes[:place], *altered, *nodes[place + 1 :]])


def test_the_embedded_chain_proves_a_storage_byte_for_byte_as_anvil_does(
    anvil: str, tmp_path: Path
) -> None:
    sender = SmallSender(77)
    keys = ["0x" + word(slot).hex() for slot in (*range(40), 2**256 - 1)]
    answers = []
    with (
        closing(HttpTransport(anvil)) as node,
        EmbeddedChain.open(
            tmp_path / "chain.db", create=True, fund=[sender.raw_address]
        ) as embedded,
    ):
        node.request("anvil_setBalance", [sender.address, hex(10**20)])
        for transport, chain_id in ((node, CHAIN_ID), (embedded, EMBEDDED_CHAIN_ID)):
            code = sender.sign(data=deploy_code(STORE), chainId=chain_id, nonce=0)
            store = transport.request(SEND_AND_WAIT, [code])["contractAddress"]
            for nonce, slot in enumerate((0, 1, *range(5, 35)), 1):
                data = word(slot) + word(7**slot)
                sent = sender.sign(to=store, data=data, chainId=chain_id, nonce=nonce)
                transport.request(SEND_AND_WAIT, [sent])
            answers.append(transport.request("eth_getProof", [store, keys, "latest"]))
    # Other accounts, so another way to this one.
    theirs, ours = (answer | {"accountProof": []} for answer in answers)
    assert ours == theirs
    assert list(answers[1]) == list(answers[0])


def test_a_slot_may_be_written_in_each_way_and_is_shown_as_32_bytes(tmp_path: Path) -> None:
    with EmbeddedChain.open(tmp_path / "chain.db", create=True) as chain:
        keys = ["0x1", "0x01", "0x" + word(1).hex()]
        proof = chain.request("eth_getProof", [NOBODY, keys])
        assert [slot["key"] for slot in proof["storageProof"]] == [keys[2]] * 3
        # Nobody is funded here: even the state's own trie is empty.
        assert proof["accountProof"] == ["0x80"]
        assert check(proof, chain.request("eth_getBlockByNumber", ["latest", False])) == {1: 0}


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        [NOBODY],
        [NOBODY[:-2], []],
        [NOBODY, "0x1"],
        [NOBODY, None],
        [NOBODY, [1]],
        [NOBODY, ["0x"]],
        [NOBODY, ["0x1" + "00" * 32]],
        [NOBODY, [], "newest"],
        [NOBODY, [], "latest", None],
    ],
)
def test_what_is_asked_wrongly_is_refused(tmp_path: Path, wrong: list[Any]) -> None:
    with EmbeddedChain.open(tmp_path / "chain.db", create=True) as chain:
        with pytest.raises(RpcError) as caught:
            chain.request("eth_getProof", wrong)
        assert caught.value.code == -32602


def test_state_that_the_file_has_lost_is_told_as_in_any_other_method(tmp_path: Path) -> None:
    path, sender = tmp_path / "chain.db", SmallSender()
    with EmbeddedChain.open(path, create=True, fund=[sender.raw_address]) as chain:
        root = chain.request("eth_getBlockByNumber", ["0x0", False])["stateRoot"]
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("DELETE FROM node WHERE key = ?", (octets(root),))
    hints = set()
    with EmbeddedChain.open(path) as chain:
        for method, asked in (
            ("eth_getProof", [sender.address, [], "latest"]),
            ("eth_getBalance", [sender.address, "latest"]),
        ):
            with pytest.raises(Inconsistent, match="the chain's store lacks") as caught:
                chain.request(method, asked)
            hints.add(caught.value.hint)
    assert len(hints) == 1


# Keys this short make nodes that stand in their parent, and values in branches.
@given(st.dictionaries(st.binary(min_size=1, max_size=3), st.binary(min_size=1, max_size=40)))
def test_a_proof_holds_in_tries_of_every_shape(content: dict[bytes, bytes]) -> None:
    nodes: dict[bytes, bytes] = {}
    trie = HexaryTrie(nodes)
    for key, value in content.items():
        trie[key] = value
    for key in [*content, b"", *(key[:-1] for key in content), *(key + b"\0" for key in content)]:
        proof = prove(nodes.__getitem__, trie.root_hash, key)
        found = HexaryTrie({keccak(node): node for node in proof.nodes}, trie.root_hash)
        assert proof.value == content.get(key, b"") == found.get(key)


def test_a_header_is_rebuilt_from_each_block(registry: Registry) -> None:
    for number in (0, *registry.blocks):
        block = registry.block(number)
        header = header_rlp(block)
        assert "0x" + keccak(header).hex() == block["hash"]
        assert rlp.decode(header)[3] == octets(block["stateRoot"])
        by_hash = registry.transport.request("eth_getBlockByHash", [block["hash"], True])
        assert header_rlp(by_hash) == header


@pytest.mark.parametrize("fork", ["shanghai", "cancun", "prague", "osaka"])
def test_a_header_of_each_fork_is_rebuilt(fork: str) -> None:
    with running_anvil("--hardfork", fork) as url, closing(HttpTransport(url)) as node:
        node.request("evm_mine")
        for number in ("0x0", "0x1"):
            block = node.request("eth_getBlockByNumber", [number, False])
            assert "0x" + keccak(header_rlp(block)).hex() == block["hash"]
