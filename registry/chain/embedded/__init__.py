"""A chain in this process, kept on disk: what runs when no RPC URL is set.

    chain      EmbeddedChain: the transport, threads, batches
    methods    the reading JSON-RPC methods; calls, logs, fees, params, wire serve it
    writer     making blocks; admission says which transactions may go in
    reader     blocks from the store; trie reads a block's lists, and proves
    evm        py-evm over the store (slow to import: only `EmbeddedChain.open` does)
    store      SQLite: one commit a block, and the note of a block being written
    lock       one writer at a time across processes

Importing this package imports neither py-evm nor eth-tester.
"""

from registry.chain.embedded.chain import EmbeddedChain
from registry.chain.embedded.limits import BLOCK_GAS_LIMIT, CHAIN_ID, TRANSACTION_GAS_LIMIT
from registry.chain.embedded.store import LostBlock

__all__ = ["BLOCK_GAS_LIMIT", "CHAIN_ID", "TRANSACTION_GAS_LIMIT", "EmbeddedChain", "LostBlock"]
