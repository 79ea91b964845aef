"""py-evm on top of the store: the chain's rules, its genesis, its reads.

Importing this takes about a second; `EmbeddedChain.open` does it, nothing else should.

Guarantees: nothing py-evm writes reaches the disk before `Store.commit_block`; what it
reads is on disk or in the block being made. The chain is eth-tester's (same chain
id, Prague rules, NoProof consensus, constant gas limit), under a block gas limit that
holds three of the largest transactions EIP-7825 allows.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from registry.chain.embedded.slow_imports import defer_bls12_381

defer_bls12_381()

# ruff: noqa: E402  the line above must come before py-evm
import rlp
from eth.chains.base import Chain
from eth.consensus import ConsensusApplier, NoProofConsensus
from eth.constants import (
    POST_MERGE_DIFFICULTY,
    POST_MERGE_MIX_HASH,
    POST_MERGE_NONCE,
    ZERO_ADDRESS,
)
from eth.db.atomic import AtomicDB
from eth.db.backends.base import BaseDB
from eth.db.schema import SchemaV1
from eth.vm.forks.prague import PragueVM
from eth.vm.forks.prague.blocks import PragueBlockHeader as Header
from eth.vm.forks.prague.transactions import PragueTransactionBuilder as transactions
from eth_hash.auto import keccak

from registry.chain.embedded.limits import BLOCK_GAS_LIMIT, CHAIN_ID, GENESIS_BALANCE_WEI

if TYPE_CHECKING:
    from registry.chain.embedded.store import Store

__all__ = [
    "HEAD",
    "BlockBuffer",
    "EmbeddedRules",
    "Header",
    "SchemaV1",
    "decode_header",
    "genesis",
    "keccak",
    "transactions",
]

HEAD = SchemaV1.make_canonical_head_hash_lookup_key()


def decode_header(encoded: bytes) -> Header:
    return rlp.decode(encoded, sedes=Header)


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

    def create_header_from_parent(self, parent_header: Header, **fields: Any) -> Header:
        return super().create_header_from_parent(
            parent_header, **{"gas_limit": parent_header.gas_limit, **fields}
        )

    @classmethod
    def over(cls, store: Store) -> tuple[EmbeddedRules, BlockBuffer]:
        buffer = BlockBuffer(store)
        return cls(AtomicDB(buffer)), buffer


def genesis(fund: Sequence[bytes]) -> dict[bytes, bytes | None]:
    """The keys and values of a new chain in which each address of `fund` is rich."""
    buffer = BlockBuffer(None)
    account = {"balance": GENESIS_BALANCE_WEI, "nonce": 0, "code": b"", "storage": {}}
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
        dict.fromkeys(fund, account),
    )
    return buffer.writes
