"""Blocks as they are on disk: headers, transactions, receipts, where each is; proofs of state.

Guarantees: the head is read afresh for every question, so a block another process
wrote is seen; everything else is looked up by hash. A block that should be there and
is not is `Inconsistent`, never an absent answer.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from registry.chain.embedded import trie
from registry.chain.embedded.evm import (
    HEAD,
    Header,
    TransactionBuilder,
    decode_header,
    keccak,
    number_key,
    transaction_key,
)
from registry.chain.embedded.params import BlockHash, BlockId, Tag
from registry.errors import Inconsistent

if TYPE_CHECKING:
    from eth.abc import SignedTransactionAPI

    from registry.chain.embedded.store import Store

_KEPT_BLOCKS = 16
_NO_CODE = keccak(b"")


@dataclass(frozen=True, slots=True)
class Log:
    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """One transaction's outcome; gas is in units, cumulative over the block so far."""

    status: int
    cumulative_gas: int
    bloom: bytes
    logs: tuple[Log, ...]


@dataclass(frozen=True, slots=True)
class Account:
    """What the state's trie holds of an account (Yellow Paper §4.1); the balance is in wei.
    The defaults are what a node says of an account that is not there."""

    nonce: int = 0
    balance: int = 0
    storage_root: bytes = trie.EMPTY_ROOT
    code_hash: bytes = _NO_CODE


@dataclass(frozen=True, slots=True)
class Block:
    """One mined block. `encoded` are the transactions as they were sent."""

    header: Header
    encoded: tuple[bytes, ...]
    transaction_hashes: tuple[bytes, ...]
    receipts: tuple[Receipt, ...]


class Reader:
    """Reads one store; holds recently used blocks."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._kept: OrderedDict[bytes, Block] = OrderedDict()
        self._senders: OrderedDict[bytes, bytes] = OrderedDict()
        self._head: Header | None = None

    def head(self) -> Header:
        """The newest block's header."""
        head_hash = self._required(HEAD)
        if self._head is None or self._head.hash != head_hash:
            self._head = self._header(head_hash)
        return self._head

    def find(self, block: BlockId) -> Header | None:
        """The header of a mined block; None where there is no such block. `pending` is
        not mined: ask for it elsewhere."""
        match block:
            case Tag.LATEST | Tag.SAFE | Tag.FINALIZED | Tag.PENDING:
                return self.head()
            case Tag.EARLIEST:
                return self.by_number(0)
            case int():
                return self.by_number(block)
            case BlockHash():
                found = self.store.get(block.value)
                # Trie nodes and code lie under hashes too; only a header is listed by number.
                if found is None or not is_header(found):
                    return None
                header = decode_header(found)
                return header if self._is_listed(header) else None

    def by_number(self, number: int) -> Header | None:
        if number > self.head().block_number:
            return None
        place = self._required(number_key(number))
        return self._header(trie.decode(place))

    def block(self, header: Header) -> Block:
        """A header's whole block."""
        if (kept := self._kept.get(header.hash)) is not None:
            self._kept.move_to_end(header.hash)
            return kept
        encoded = self.items(header.transaction_root)
        block = Block(
            header,
            tuple(encoded),
            tuple(keccak(transaction) for transaction in encoded),
            tuple(decode_receipt(receipt) for receipt in self.items(header.receipt_root)),
        )
        self._kept[header.hash] = block
        if len(self._kept) > _KEPT_BLOCKS:
            self._kept.popitem(last=False)
        return block

    def locate(self, transaction: bytes) -> tuple[Block, int] | None:
        """The block that holds a transaction, and its place there; None if not mined."""
        found = self.store.get(transaction_key(transaction))
        if found is None:
            return None
        number, index = (int.from_bytes(part, "big") for part in trie.decode(found))
        header = self.by_number(number)
        if header is None:
            raise Inconsistent(f"the store names block {number}, which is beyond its head")
        block = self.block(header)
        if block.transaction_hashes[index] != transaction:
            raise Inconsistent(f"0x{transaction.hex()} is not where the store says it is")
        return block, index

    def transaction(self, block: Block, index: int) -> SignedTransactionAPI:
        return TransactionBuilder.decode(block.encoded[index])

    def sender(self, transaction: SignedTransactionAPI) -> bytes:
        """Who signed it; kept, since recovering a key is the slow part of a receipt."""
        if (known := self._senders.get(transaction.hash)) is not None:
            return known
        sender = bytes(transaction.sender)
        self._senders[transaction.hash] = sender
        if len(self._senders) > 4096:
            self._senders.popitem(last=False)
        return sender

    def items(self, root: bytes) -> list[bytes]:
        """The transactions or receipts under a root, as encoded."""
        return trie.items(self._required, root)

    def prove(self, root: bytes, key: bytes) -> trie.Proof:
        """What the state's trie, or an account's storage trie, holds under a 20-byte
        address or a 32-byte slot. This chain deletes nothing: each block has its state."""
        return trie.prove(self._required, root, keccak(key))

    def _is_listed(self, header: Header) -> bool:
        listed = self.store.get(number_key(header.block_number))
        return listed is not None and trie.decode(listed) == header.hash

    def _header(self, block_hash: bytes) -> Header:
        return decode_header(self._required(block_hash))

    def _required(self, key: bytes) -> bytes:
        value = self.store.get(key)
        if value is None:
            raise Inconsistent(
                f"the chain's store lacks what it should hold under {key!r}",
                hint="the file is damaged: restore a copy, or begin with a new home folder",
            )
        return value


def is_header(encoded: bytes) -> bool:
    """Whether bytes look like this fork's header: a long RLP list, the bloom in its place."""
    return encoded[:1] == b"\xf9" and encoded[189:192] == b"\xb9\x01\x00"


def decode_account(encoded: bytes) -> Account:
    """b"" is an account that is not there."""
    if not encoded:
        return Account()
    nonce, balance, storage_root, code_hash = trie.decode(encoded)
    return Account(
        int.from_bytes(nonce, "big"), int.from_bytes(balance, "big"), storage_root, code_hash
    )


def decode_receipt(encoded: bytes) -> Receipt:
    """EIP-2718: a type byte first, unless it is a legacy transaction's."""
    status, gas, bloom, logs = trie.decode(encoded if encoded[0] >= 0xC0 else encoded[1:])
    return Receipt(
        int.from_bytes(status, "big"),
        int.from_bytes(gas, "big"),
        bloom,
        tuple(Log(address, tuple(topics), data) for address, topics, data in logs),
    )
