"""A transaction is sent once, and what became of it is never guessed, whatever a node's words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import rlp  # type: ignore[import-untyped]  # it has no stubs

from registry.chain.client import Client, Head
from registry.chain.faults import NodeFault
from registry.chain.outgoing import Asked, Outgoing
from registry.chain.rpc import Call, RpcError
from registry.chain.sender import Sender
from registry.chain.signers import signer_from_hex
from registry.core.feed import Block
from registry.core.following import Fault
from registry.core.units import Address, BlockNumber, UnixSeconds
from registry.core.verdict import FinalityBlocks
from registry.errors import Inconsistent, Rejected, UnknownOutcome
from tests.anvil import DEV_KEYS

TO = Address(b"\x22" * 20)
MINED = {"status": "0x1", "blockNumber": "0x7", "gasUsed": "0x5208"}


class Node:
    """A node that answers each method from a table; an exception in it is raised."""

    def __init__(self, **answers: Any) -> None:
        self.answers: dict[str, Any] = {
            "eth_chainId": "0x1",
            "eth_getTransactionCount": "0x0",
            "eth_getBlockByNumber": {"gasLimit": "0x1c9c380", "baseFeePerGas": "0x1"},
            "eth_maxPriorityFeePerGas": "0x1",
            "eth_gasPrice": "0x2",
            "eth_getBalance": "0xffffffff",
            "eth_call": "0x",
            "eth_sendRawTransaction": "0x" + "77" * 32,
            "eth_getTransactionReceipt": MINED,
            **answers,
        }
        self.sent: list[str] = []

    def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        if method == "eth_sendRawTransaction":
            self.sent.append(params[0])
        answer = self.answers[method]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        return [self.answers[method] for method, _ in calls]

    def close(self) -> None:
        """Nothing."""


def sender(node: Node) -> Sender:
    return Sender(node, signer_from_hex(DEV_KEYS[0]), wait_seconds=0.0)


@pytest.mark.parametrize(
    "words",
    [
        "already known",
        "transaction already imported",
        "Known transaction",
        "AlreadyKnown",
        "Transaction with the same hash was already imported.",
    ],
)
def test_a_node_that_has_it_already_says_so_in_many_ways(words: str) -> None:
    node = Node(eth_sendRawTransaction=RpcError(-32000, words))
    receipt = sender(node).call(TO, "0x")
    assert receipt.block == 7
    assert len(node.sent) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("insufficient funds for gas * price + value", "not enough funds"),
        ("Upfront cost exceeds account balance", "not enough funds"),
        ("InsufficientFunds, Balance is 0 less than sending value + gas", "not enough funds"),
        ("nonce too low: next nonce 5, tx nonce 4", "came first"),
        ("OldNonce", "came first"),
        ("Transaction nonce is too low. Try incrementing the nonce.", "came first"),
        ("exceeds block gas limit", "more gas than the network has room for"),
        ("intrinsic gas too low", "more gas than the network has room for"),
    ],
)
def test_a_refusal_reads_the_same_from_every_kind_of_node(words: str, said: str) -> None:
    node = Node(eth_sendRawTransaction=RpcError(-32000, words))
    with pytest.raises(Rejected, match=said):
        sender(node).call(TO, "0x")
    assert len(node.sent) == 1


@pytest.mark.parametrize("kind", [Fault.UNREACHABLE, Fault.TIMED_OUT, Fault.MALFORMED])
def test_a_node_that_fails_while_it_is_sent_to_is_asked_what_became_of_it(kind: Fault) -> None:
    node = Node(eth_sendRawTransaction=NodeFault("no answer", kind))
    assert sender(node).call(TO, "0x").gas_used == 21_000
    assert len(node.sent) == 1, "and not sent to again"
    unknown = Node(
        eth_sendRawTransaction=NodeFault("no answer", kind), eth_getTransactionReceipt=None
    )
    with pytest.raises(UnknownOutcome, match="not mined"):
        sender(unknown).call(TO, "0x")


@pytest.mark.parametrize(
    "receipt", [{}, {"status": None}, {**MINED, "blockNumber": None}, {**MINED, "status": 1}, "0x1"]
)
def test_a_receipt_that_can_not_be_read_is_not_taken_for_a_failure(receipt: Any) -> None:
    with pytest.raises(UnknownOutcome, match="can not be read"):
        sender(Node(eth_getTransactionReceipt=receipt)).call(TO, "0x")


def test_a_refusal_in_the_simulation_costs_nothing() -> None:
    node = Node(eth_call=RpcError(3, "execution reverted", "0x"))
    with pytest.raises(Rejected):
        sender(node).call(TO, "0x")
    assert node.sent == []


def test_the_estimate_of_a_network_that_settles_elsewhere_is_what_is_offered() -> None:
    head = {"gasLimit": "0x4000000000000", "baseFeePerGas": "0x1", "l1BlockNumber": "0x1"}
    node = Node(eth_getBlockByNumber=head, eth_estimateGas=hex(4_000_000))
    sender(node).call(TO, "0x", 1_000_000)
    assert gas_of(node.sent[0]) == 5_000_000
    plain = Node()
    sender(plain).call(TO, "0x", 1_000_000)
    assert gas_of(plain.sent[0]) == 1_000_000


def test_no_more_gas_is_asked_for_than_a_block_holds() -> None:
    node = Node(eth_getBlockByNumber={"gasLimit": hex(700_000), "baseFeePerGas": "0x1"})
    sender(node).call(TO, "0x", 1_000_000)
    assert gas_of(node.sent[0]) == 700_000


def test_without_a_base_fee_the_transaction_is_one_that_such_a_network_knows() -> None:
    node = Node(
        eth_getBlockByNumber={"gasLimit": "0x1c9c380"},
        eth_maxPriorityFeePerGas=RpcError(-32601, "the method does not exist"),
    )
    sender(node).call(TO, "0x")
    assert int(node.sent[0][2:4], 16) >= 0xC0, "a list, and no type before it (EIP-2718)"
    modern = Node()
    sender(modern).call(TO, "0x")
    assert modern.sent[0].startswith("0x02")


def gas_of(raw: str) -> int:
    import rlp

    fields = rlp.decode(bytes.fromhex(raw[4:]))
    return int.from_bytes(fields[4], "big")


def test_no_more_is_offered_than_is_allowed() -> None:
    dear = {"gasLimit": "0x1c9c380", "baseFeePerGas": "0x64"}
    node = Node(eth_getBlockByNumber=dear)
    signer = signer_from_hex(DEV_KEYS[0])
    with pytest.raises(Rejected, match="asks for 100 wei a unit of gas, more than the 99 allowed"):
        Sender(node, signer, most_fee=99).call(TO, "0x")
    assert node.sent == []
    Sender(node, signer, most_fee=150).call(TO, "0x")
    assert int.from_bytes(rlp.decode(bytes.fromhex(node.sent[0][4:]))[3], "big") == 150


@pytest.mark.parametrize(
    "receipt",
    [7, [], {}, {**MINED, "gasUsed": None}, {**MINED, "logs": {}, "status": []}, MINED]
    + [{**MINED, "logs": [each]} for each in (None, {}, {"address": 1})],
)
def test_a_receipt_that_can_not_be_read_is_the_nodes_fault(receipt: Any) -> None:
    node = Node(eth_getTransactionReceipt=receipt, eth_getTransactionCount="0x1")
    outgoing = Outgoing(Client(node, TO), TO, None)
    block = Block(BlockNumber(9), b"\1" * 32, b"\2" * 32, UnixSeconds(0), frozenset())
    head = Head(1, block, FinalityBlocks(BlockNumber(-1), BlockNumber(-1)))
    with pytest.raises(Inconsistent, match="receipt that can not be read"):
        outgoing.look([Asked(b"\7" * 32, 0)], head)


@pytest.mark.parametrize("code", [None, 7, {}, "0x1", "0xzz"])
def test_code_that_can_not_be_read_is_the_nodes_fault(code: Any) -> None:
    with pytest.raises(Inconsistent, match="code that can not be read"):
        Client(Node(eth_getCode=code), TO).require_contract()
