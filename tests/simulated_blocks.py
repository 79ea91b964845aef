"""Whole blocks in memory with the registry's transactions, as a node would show them.

Headers hash to the block's hash, the receipts' root is the trie's, the bloom holds the logs.
Only the state's root stands for no trie. A block knows the one before it, so that what was
true at any block can be told without a chain.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sha3  # type: ignore[import-not-found]  # it has no stubs
from trie.hexary import HexaryTrie

from registry.chain.events import RECORDED
from registry.core.feed import Place, Recorded
from registry.core.units import BlockNumber
from tests.simulated_contract import ADDRESS, Act, Contract, Log, Refused

GENESIS_TIME = 1_700_000_000
SECONDS_PER_BLOCK = 12


def keccak(content: bytes) -> bytes:
    return bytes(sha3.keccak_256(content).digest())


def rlp(item: bytes | Sequence[Any]) -> bytes:
    """Yellow Paper, appendix B; a general library takes ten times as long."""
    if isinstance(item, bytes):
        if len(item) == 1 and item[0] < 0x80:
            return item
        return _prefixed(0x80, item)
    return _prefixed(0xC0, b"".join(map(rlp, item)))


def _prefixed(kind: int, content: bytes) -> bytes:
    if len(content) < 56:
        return bytes([kind + len(content)]) + content
    length = _minimal(len(content))
    return bytes([kind + 55 + len(length)]) + length + content


def _minimal(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


_RECORDED = bytes.fromhex(RECORDED[2:])
_UNCLES = keccak(rlp([]))
_EMPTY_BLOOM = bytes(256)
_GAS = 100_000
_BLOOM_BITS = 2048
_NAMES = (
    "parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot",
    "logsBloom", "difficulty", "number", "gasLimit", "gasUsed", "timestamp", "extraData",
    "mixHash", "nonce", "baseFeePerGas",
)  # fmt: skip
_QUANTITIES = {"difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas"}


@dataclass(frozen=True)
class Transaction:
    """Acts that are recorded together, or not at all. `nonce` makes its hash its own."""

    acts: tuple[Act, ...]
    nonce: int

    @cached_property
    def hash(self) -> bytes:
        return keccak(repr((self.acts, self.nonce)).encode())


Mined = tuple[Transaction, tuple[Log, ...]]


@dataclass(frozen=True, eq=False)
class Block:
    """A block, and the contract after it."""

    header: tuple[bytes, ...]
    number: int
    time: int
    mined: tuple[Mined, ...]
    contract: Contract
    # the block before it; None for the first
    before: Block | None

    @cached_property
    def hash(self) -> bytes:
        return keccak(rlp(self.header))

    def ancestors(self) -> Iterator[Block]:
        """This block and all before it, the newest first."""
        each: Block | None = self
        while each is not None:
            yield each
            each = each.before

    @cached_property
    def recorded(self) -> tuple[Recorded, ...]:
        """The whole log up to this block, as whoever reads it without a fault has it."""
        if self.before is None:
            return ()
        events: list[Recorded] = list(self.before.recorded)
        numbered = enumerate((sent, log) for sent, logs in self.mined for log in logs)
        for log_index, (sent, log) in numbered:
            if log.topics[0] == _RECORDED:
                index = len(events)
                entry = self.contract.entries[index]
                place = Place(BlockNumber(self.number), self.hash, sent.hash, log_index)
                manifest = self.contract.manifests[index]
                events.append(Recorded(entry, entry.leaf_hash(), place, manifest))
        return tuple(events) if self.mined else self.before.recorded


def next_block(
    before: Block | None, transactions: Sequence[Transaction], salt: bytes = b""
) -> tuple[Block, list[Transaction]]:
    """The block after `before` with those transactions that the contract takes, and the others.
    Two blocks of the same content are two if their `salt` differs."""
    number = before.number + 1 if before else 0
    time = before.time + SECONDS_PER_BLOCK if before else GENESIS_TIME
    contract = before.contract if before else Contract()
    mined: list[Mined] = []
    refused = []
    for each in transactions:
        try:
            contract, logs = contract.after(each.acts, time)
        except Refused:
            refused.append(each)
        else:
            mined.append((each, tuple(logs)))
    parent = before.hash if before else bytes(32)
    header = _header(number, parent, time, mined, salt + contract.root)
    return Block(header, number, time, tuple(mined), contract, before), refused


def _header(
    number: int, parent: bytes, time: int, mined: Sequence[Mined], salt: bytes
) -> tuple[bytes, ...]:
    sent = keccak(b"".join(transaction.hash for transaction, _ in mined))
    return (
        parent,
        _UNCLES,
        bytes(20),
        keccak(b"state" + salt),
        sent if mined else HexaryTrie.BLANK_NODE_HASH,
        _receipts_root(mined),
        _bloom([log for _, logs in mined for log in logs]),
        b"",
        _minimal(number),
        _minimal(30_000_000),
        _minimal(_GAS * len(mined)),
        _minimal(time),
        b"",
        bytes(32),
        bytes(8),
        b"\7",
    )


def _receipts_root(mined: Sequence[Mined]) -> bytes:
    """EIP-2718: the type's byte, then status, gas so far, bloom, logs."""
    if not mined:
        return bytes(HexaryTrie.BLANK_NODE_HASH)
    trie: Any = HexaryTrie({})  # parts of it have no types
    for number, (_, logs) in enumerate(mined):
        written = [[ADDRESS, list(log.topics), log.data] for log in logs]
        receipt = [b"\1", _minimal(_GAS * (number + 1)), _bloom(logs), written]
        trie[rlp(_minimal(number))] = b"\2" + rlp(receipt)
    return bytes(trie.root_hash)


def _bloom(logs: Sequence[Log]) -> bytes:
    """Yellow Paper §4.3.1: three bits for the address and for each topic."""
    if not logs:
        return _EMPTY_BLOOM
    bits = 0
    for item in {ADDRESS, *(topic for log in logs for topic in log.topics)}:
        hashed = keccak(item)
        for at in (0, 2, 4):
            bits |= 1 << int.from_bytes(hashed[at : at + 2], "big") % _BLOOM_BITS
    return bits.to_bytes(_BLOOM_BITS // 8, "big")


# As a node's JSON shows it


def shown_block(block: Block) -> dict[str, Any]:
    """As `eth_getBlockByNumber` shows it, with its transactions' hashes."""
    header = {
        name: hex(int.from_bytes(value, "big")) if name in _QUANTITIES else "0x" + value.hex()
        for name, value in zip(_NAMES, block.header, strict=True)
    }
    return {
        **header,
        "hash": "0x" + block.hash.hex(),
        "size": hex(len(rlp(block.header))),
        "transactions": ["0x" + sent.hash.hex() for sent, _ in block.mined],
        "uncles": [],
    }


def shown_logs(block: Block) -> list[dict[str, Any]]:
    """All logs of a block, in order."""
    placed = [
        (number, sent, log) for number, (sent, logs) in enumerate(block.mined) for log in logs
    ]
    return [
        {
            "address": "0x" + ADDRESS.hex(),
            "topics": ["0x" + topic.hex() for topic in log.topics],
            "data": "0x" + log.data.hex(),
            "blockHash": "0x" + block.hash.hex(),
            "blockNumber": hex(block.number),
            "blockTimestamp": hex(block.time),
            "transactionHash": "0x" + sent.hash.hex(),
            "transactionIndex": hex(number),
            "logIndex": hex(log_index),
            "removed": False,
        }
        for log_index, (number, sent, log) in enumerate(placed)
    ]


def shown_receipts(block: Block) -> list[dict[str, Any]]:
    """As `eth_getBlockReceipts` shows them."""
    logs = shown_logs(block)
    return [
        {
            "type": "0x2",
            "status": "0x1",
            "cumulativeGasUsed": hex(_GAS * (number + 1)),
            "gasUsed": hex(_GAS),
            "effectiveGasPrice": "0x7",
            "contractAddress": None,
            "from": "0x" + bytes(20).hex(),
            "to": "0x" + ADDRESS.hex(),
            "logsBloom": "0x" + _bloom(emitted).hex(),
            "logs": [each for each in logs if each["transactionIndex"] == hex(number)],
            "blockHash": "0x" + block.hash.hex(),
            "blockNumber": hex(block.number),
            "transactionHash": "0x" + sent.hash.hex(),
            "transactionIndex": hex(number),
        }
        for number, (sent, emitted) in enumerate(block.mined)
    ]
