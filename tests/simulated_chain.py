"""A chain in memory with the registry's contract on it, and a node that answers for it.

A chain remembers every block that was ever mined, so that a test can ask what was true at any
of them, also after a reorganisation replaced it.

`Node` is a `Transport`. It asserts what it is asked: quantities as a strict node wants them,
no range that begins after its end. It answers with fresh values, never with what it holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from registry.chain.abi import artifact, functions
from registry.chain.rpc import Call, RpcError
from tests.simulated_blocks import (
    Block,
    Transaction,
    next_block,
    shown_block,
    shown_logs,
    shown_receipts,
)
from tests.simulated_contract import ADDRESS, FOUNDING

CHAIN_ID = 31337
_QUANTITY = re.compile(r"0x(?:0|[1-9a-f][0-9a-f]*)")


class Chain:
    """Blocks from the first to the head. The finalised one never goes back by itself."""

    def __init__(self, *, safe_after: int = 32, finalized_after: int = 64) -> None:
        self.blocks = [next_block(None, ())[0]]
        self.known = {self.blocks[0].hash: self.blocks[0]}
        self.safe_after, self.finalized_after = safe_after, finalized_after
        self.safe = self.finalized = self._mined = 0

    @property
    def head(self) -> Block:
        return self.blocks[-1]

    def copy(self) -> Chain:
        """A chain with the same blocks, which goes its own way from here."""
        made = Chain(safe_after=self.safe_after, finalized_after=self.finalized_after)
        made.blocks, made.known = list(self.blocks), dict(self.known)
        made.safe, made.finalized, made._mined = self.safe, self.finalized, self._mined
        return made

    def mine(self, *transactions: Transaction) -> list[Transaction]:
        """One block, which is another than any before; returns the transactions that the
        contract refused, which are left out."""
        self._mined += 1
        block, refused = next_block(self.head, transactions, self._mined.to_bytes(8, "big"))
        self.blocks.append(block)
        self.known[block.hash] = block
        self.safe = max(self.safe, block.number - self.safe_after)
        self.finalized = max(self.finalized, block.number - self.finalized_after)
        return refused

    def rollback(self, depth: int) -> list[Transaction]:
        """Take the last `depth` blocks off; returns their transactions, in order. What was
        called safe may go, what was called finalised too if it comes to that."""
        gone = self.blocks[len(self.blocks) - depth :]
        del self.blocks[len(self.blocks) - depth :]
        self.safe = min(self.safe, self.head.number)
        self.finalized = min(self.finalized, self.head.number)
        return [each for block in gone for each, _ in block.mined]


@cache
def founded(blocks: int = 1, finalized_after: int = 70) -> Chain:
    """A chain with the registry made in block 1, and as many blocks in all. To be copied."""
    chain = Chain(safe_after=finalized_after // 2, finalized_after=finalized_after)
    refused = chain.mine(Transaction(FOUNDING, 0))
    assert not refused
    while chain.head.number < blocks:
        chain.mine()
    return chain


class Node:
    """A node that follows the chain, `lag` blocks behind. `before` is called before each
    call is answered, with its method: the chain may change there."""

    def __init__(self, chain: Chain, before: Callable[[str], None] | None = None) -> None:
        self.chain, self.lag, self.before = chain, 0, before
        # how many blocks it answers for at once, and of how many it keeps the state; None: any
        # number, and all
        self.widest: int | None = None
        self.states_kept: int | None = None
        self.told_heads: set[bytes] = set()

    def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        if self.before:
            self.before(method)
        answer = _METHODS.get(method)
        if answer is None:
            raise RpcError(-32601, f"the method {method} does not exist")
        return answer(self, *params)

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        answers: list[Any] = []
        for method, params in calls:
            try:
                answers.append(self.request(method, params))
            except RpcError as error:
                answers.append(error)
        return answers

    def close(self) -> None:
        pass

    @property
    def head(self) -> int:
        return max(self.chain.head.number - self.lag, 1)

    def _numbered(self, which: str) -> Block | None:
        match which:
            case "latest" | "pending":
                number = self.head
                self.told_heads.add(self.chain.blocks[number].hash)
            case "safe":
                number = min(self.chain.safe, self.head)
            case "finalized":
                number = min(self.chain.finalized, self.head)
            case "earliest":
                number = 0
            case _:
                number = _quantity(which)
        return self.chain.blocks[number] if number <= self.head else None

    def _hashed(self, written: str) -> Block | None:
        """A block by its hash; one that was replaced is not served any more."""
        block = self.chain.known.get(bytes.fromhex(written[2:]))
        if block is None or block.number > self.head:
            return None
        return block if self.chain.blocks[block.number] is block else None

    def block_by_number(self, which: str, full: bool) -> Any:
        assert full is False
        block = self._numbered(which)
        return None if block is None else shown_block(block)

    def block_by_hash(self, written: str, full: bool) -> Any:
        assert full is False
        block = self._hashed(written)
        return None if block is None else shown_block(block)

    def _with_state(self, at: str) -> Block:
        block = self._numbered(at)
        if block is None:
            raise RpcError(-32000, "header not found")
        if self.states_kept is not None and block.number <= self.head - self.states_kept:
            raise RpcError(-32000, f"missing trie node {block.hash.hex()} (path )")
        return block

    def call(self, what: dict[str, str], at: str = "latest") -> str:
        block = self._with_state(at)
        if what["to"] != "0x" + ADDRESS.hex() or not block.contract.size:
            return "0x"
        assert what["data"] == "0x" + functions()["checkpoint"].selector.hex(), what["data"]
        return "0x" + (block.contract.size.to_bytes(32, "big") + block.contract.root).hex()

    def code(self, address: str, at: str = "latest") -> str:
        block = self._with_state(at)
        known = address == "0x" + ADDRESS.hex() and block.contract.size > 0
        return str(artifact()["deployedBytecode"]) if known else "0x"

    def logs(self, wanted: dict[str, Any]) -> list[dict[str, Any]]:
        assert wanted.keys() <= {"address", "fromBlock", "toBlock", "blockHash", "topics"}
        if "blockHash" in wanted:
            block = self._hashed(wanted["blockHash"])
            if block is None:
                raise RpcError(-32000, "unknown block")
            blocks = [block]
        else:
            first, last = self._bound(wanted["fromBlock"]), self._bound(wanted["toBlock"])
            if first > last:
                raise RpcError(-32000, "invalid block range params")
            if self.widest is not None and last - first >= self.widest:
                raise RpcError(-32602, f"block range is too wide (maximum {self.widest})")
            # As nodes do: a range that ends after the head ends at the head.
            blocks = self.chain.blocks[first : min(last, self.head) + 1]
        found = [log for block in blocks for log in shown_logs(block)]
        topics = wanted.get("topics", [])
        return [each for each in found if _matches(each, wanted.get("address"), topics)]

    def _bound(self, written: str) -> int:
        block = self._numbered(written)
        return _quantity(written) if block is None else block.number

    def receipts(self, which: str | dict[str, str]) -> Any:
        by_hash = isinstance(which, dict) or len(which) == 66
        named = which["blockHash"] if isinstance(which, dict) else which
        block = self._hashed(named) if by_hash else self._numbered(named)
        return None if block is None else shown_receipts(block)

    def receipt(self, transaction: str) -> Any:
        for block in self.chain.blocks[self.head : 0 : -1]:
            for number, (each, _) in enumerate(block.mined):
                if "0x" + each.hash.hex() == transaction:
                    return shown_receipts(block)[number]
        return None


def _matches(log: dict[str, Any], address: str | None, topics: Sequence[Any]) -> bool:
    if address is not None and log["address"] != address.lower():
        return False
    if len(topics) > len(log["topics"]):
        return False
    return all(
        wanted is None or has in (wanted if isinstance(wanted, list) else [wanted])
        for wanted, has in zip(topics, log["topics"], strict=False)
    )


def _quantity(written: str) -> int:
    assert _QUANTITY.fullmatch(written), f"not a quantity: {written}"
    return int(written, 16)


_METHODS: dict[str, Callable[..., Any]] = {
    "eth_chainId": lambda node: hex(CHAIN_ID),
    "eth_blockNumber": lambda node: hex(node.head),
    "eth_getBlockByNumber": Node.block_by_number,
    "eth_getBlockByHash": Node.block_by_hash,
    "eth_getCode": Node.code,
    "eth_call": Node.call,
    "eth_getLogs": Node.logs,
    "eth_getBlockReceipts": Node.receipts,
    "eth_getTransactionReceipt": Node.receipt,
}
