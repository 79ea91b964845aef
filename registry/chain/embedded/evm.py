"""py-evm on top of the store: the chain's rules, its genesis, its reads.

Importing this takes about a second; `EmbeddedChain.open` does it, nothing else should.

Guarantees: nothing py-evm writes reaches the disk before `Store.commit_block`; what it
reads is on disk or in the block being made. The chain is eth-tester's (same chain
id, Prague rules, NoProof consensus, constant gas limit), under a block gas limit that
holds three of the largest transactions EIP-7825 allows.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol, Self, cast

from registry.chain.embedded.tuning import defer_bls12_381, prefer_fast_keccak

defer_bls12_381()
prefer_fast_keccak()

# ruff: noqa: E402  the lines above must come before py-evm
import rlp  # type: ignore[import-untyped]  # it has no stubs
from eth.abc import BlockHeaderAPI, VirtualMachineAPI
from eth.chains.base import Chain
from eth.consensus.applier import ConsensusApplier
from eth.consensus.noproof import NoProofConsensus
from eth.constants import (
    POST_MERGE_DIFFICULTY,
    POST_MERGE_MIX_HASH,
    POST_MERGE_NONCE,
    ZERO_ADDRESS,
)
from eth.db.atomic import AtomicDB
from eth.db.backends.base import BaseDB
from eth.db.schema import SchemaV1
from eth.exceptions import BlockNotFound, HeaderNotFound
from eth.vm.forks.prague import PragueVM
from eth.vm.forks.prague.blocks import PragueBlockHeader
from eth.vm.forks.prague.transactions import PragueTransactionBuilder
from eth.vm.interrupt import EVMMissingData
from eth_hash.auto import keccak
from eth_typing import Address, BlockNumber, Hash32
from trie.exceptions import MissingTrieNode

from registry.chain.embedded.limits import BLOCK_GAS_LIMIT, CHAIN_ID, GENESIS_BALANCE_WEI
from registry.errors import Inconsistent

if TYPE_CHECKING:
    from eth.typing import AccountDetails

    from registry.chain.embedded.store import Store

__all__ = [
    "HEAD",
    "BlockBuffer",
    "EmbeddedRules",
    "Header",
    "MalformedRlp",
    "TransactionBuilder",
    "decode_header",
    "encode_rlp",
    "genesis",
    "keccak",
    "nothing_missing",
    "number_key",
    "transaction_key",
]

HEAD = SchemaV1.make_canonical_head_hash_lookup_key()
TransactionBuilder = PragueTransactionBuilder
MalformedRlp: type[Exception] = rlp.exceptions.RLPException


class Header(Protocol):
    """A block's header. py-evm's own type leaves open which fork's fields it has."""

    parent_hash: bytes
    uncles_hash: bytes
    coinbase: bytes
    state_root: bytes
    transaction_root: bytes
    receipt_root: bytes
    bloom: int
    difficulty: int
    block_number: int
    gas_limit: int
    gas_used: int
    timestamp: int
    extra_data: bytes
    mix_hash: bytes
    nonce: bytes
    base_fee_per_gas: int
    withdrawals_root: bytes
    blob_gas_used: int
    excess_blob_gas: int
    parent_beacon_block_root: bytes
    requests_hash: bytes

    @property
    def hash(self) -> bytes: ...

    def copy(self, **fields: Any) -> Self: ...


def decode_header(encoded: bytes) -> Header:
    return cast(Header, rlp.decode(encoded, sedes=PragueBlockHeader))


def encode_rlp(value: Any) -> bytes:
    return cast(bytes, rlp.encode(value))


@contextlib.contextmanager
def nothing_missing() -> Iterator[None]:
    """What py-evm does not find is a fault of the store: this chain deletes nothing."""
    try:
        yield
    except (EVMMissingData, MissingTrieNode, HeaderNotFound, BlockNotFound) as fault:
        raise Inconsistent(
            f"the chain's store lacks something it should hold: {fault}",
            hint="the file is damaged: restore a copy, or begin with a new home folder",
        ) from fault


def number_key(number: int) -> bytes:
    """Where the hash of the block with this number is kept, as RLP."""
    return SchemaV1.make_block_number_to_hash_lookup_key(BlockNumber(number))


def transaction_key(transaction: bytes) -> bytes:
    """Where the block number and the index of a mined transaction are kept, as RLP."""
    return SchemaV1.make_transaction_hash_to_block_lookup_key(Hash32(transaction))


class BlockBuffer(BaseDB):
    """py-evm's database: reads from the store, keeps writes until they are taken."""

    def __init__(self, store: Store | None) -> None:
        self._store = store
        self.writes: dict[bytes, bytes | None] = {}

    def __getitem__(self, key: bytes) -> bytes:
        if key in self.writes:
            value = self.writes[key]
        else:
            value = None if self._store is None else self._store.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self.writes[key] = value

    def __delitem__(self, key: bytes) -> None:
        self.writes[key] = None

    def _exists(self, key: bytes) -> bool:
        try:
            self[key]
        except KeyError:
            return False
        return True

    def discard(self) -> None:
        """Forget a block that did not come to be."""
        self.writes = {}


class EmbeddedRules(Chain):
    """The chain's rules; holds no head of its own."""

    chain_id = CHAIN_ID
    vm_configuration = ConsensusApplier(NoProofConsensus).amend_vm_configuration(((0, PragueVM),))

    def child(self, parent: Header, *, timestamp: int, **fields: Any) -> Header:
        """The header of a block on `parent` before anything is executed in it."""
        # Without this py-evm would let the gas limit drift towards its own idea of one.
        fields = {"gas_limit": parent.gas_limit, "timestamp": timestamp, **fields}
        return cast(Header, self.create_header_from_parent(cast(BlockHeaderAPI, parent), **fields))

    def vm_at(self, header: Header) -> VirtualMachineAPI:
        """A machine in the block of `header`, on the state that its state root names."""
        return self.get_vm(cast(BlockHeaderAPI, header))

    @classmethod
    def over(cls, store: Store) -> tuple[EmbeddedRules, BlockBuffer]:
        buffer = BlockBuffer(store)
        return cls(AtomicDB(buffer)), buffer


def genesis(fund: Sequence[bytes]) -> dict[bytes, bytes | None]:
    """The keys and values of a new chain in which each address of `fund` is rich."""
    buffer = BlockBuffer(None)
    account: AccountDetails = {
        "balance": GENESIS_BALANCE_WEI,
        "nonce": 0,
        "code": b"",
        "storage": {},
    }
    EmbeddedRules.from_genesis(
        AtomicDB(buffer),
        {
            "coinbase": ZERO_ADDRESS,
            "difficulty": POST_MERGE_DIFFICULTY,
            "extra_data": b"",
            "gas_limit": BLOCK_GAS_LIMIT,
            "mix_hash": POST_MERGE_MIX_HASH,
            "nonce": POST_MERGE_NONCE,
            "timestamp": int(time.time()),
        },
        dict.fromkeys(map(Address, fund), account),
    )
    return buffer.writes
