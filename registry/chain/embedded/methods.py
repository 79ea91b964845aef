"""The JSON-RPC methods of the embedded chain that read; `EmbeddedChain` adds the writes.

Guarantees: parameters are read strictly, results are what a node sends over the wire.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from eth._utils.address import generate_contract_address
from eth_typing import Address

from registry.chain.embedded import calls, logs, params, wire
from registry.chain.embedded.evm import EmbeddedRules, Header
from registry.chain.embedded.fees import fee_history
from registry.chain.embedded.limits import CHAIN_ID, PRIORITY_FEE_WEI
from registry.chain.embedded.params import Tag
from registry.chain.embedded.reader import decode_account
from registry.chain.rpc import RpcError

if TYPE_CHECKING:
    from eth.abc import StateAPI

    from registry.chain.embedded.reader import Block, Reader
    from registry.chain.embedded.store import Store

Params = Sequence[Any]
Method = Callable[[Params], Any]


class Methods:
    """Answers of one chain. Not safe for two threads at once."""

    def __init__(
        self, store: Store, reader: Reader, clock: Callable[[], float] = time.time
    ) -> None:
        self._reader = reader
        self._clock = clock
        self._rules, _ = EmbeddedRules.over(store)
        self.by_name: dict[str, Method] = {
            "web3_clientVersion": lambda _: f"py-evm/{version('py-evm')}/policy-registry",
            "net_version": lambda _: str(CHAIN_ID),
            "eth_chainId": lambda _: hex(CHAIN_ID),
            "eth_syncing": lambda _: False,
            "eth_accounts": lambda _: [],
            "eth_blockNumber": lambda _: hex(reader.head().block_number),
            "eth_getBlockByNumber": self._block_by_number,
            "eth_getBlockByHash": self._block_by_hash,
            "eth_getTransactionByHash": self._transaction_by_hash,
            "eth_getTransactionReceipt": self._transaction_receipt,
            "eth_getLogs": self._logs,
            "eth_call": self._call,
            "eth_estimateGas": self._estimate_gas,
            "eth_getTransactionCount": self._transaction_count,
            "eth_getBalance": self._balance,
            "eth_getCode": self._code,
            "eth_getStorageAt": self._storage_at,
            "eth_getProof": self._proof,
            "eth_gasPrice": lambda _: hex(self._next_base_fee() + PRIORITY_FEE_WEI),
            "eth_maxPriorityFeePerGas": lambda _: hex(PRIORITY_FEE_WEI),
            "eth_feeHistory": self._fee_history,
        }

    def receipt(self, transaction: bytes) -> dict[str, Any] | None:
        """A mined transaction's receipt; None where it is not mined."""
        if (place := self._reader.locate(transaction)) is None:
            return None
        block, index = place
        sent = self._reader.transaction(block, index)
        sender = self._reader.sender(sent)
        created = None if sent.to else generate_contract_address(Address(sender), sent.nonce)
        return wire.receipt(sent, sender, created, block, index)

    def _block_by_number(self, given: Params) -> dict[str, Any] | None:
        params.count(given, 2, 2)
        wanted, full = params.block_id(given[0]), params.flag(given[1], "full")
        if isinstance(wanted, params.BlockHash):
            raise params.invalid("block is not a number or a tag")
        if wanted is Tag.PENDING:
            return wire.pending_block(self._pending())
        return self._shown(self._reader.find(wanted), full)

    def _block_by_hash(self, given: Params) -> dict[str, Any] | None:
        params.count(given, 2, 2)
        wanted = params.BlockHash(params.octets(given[0], "hash", length=32))
        return self._shown(self._reader.find(wanted), params.flag(given[1], "full"))

    def _shown(self, header: Header | None, full: bool) -> dict[str, Any] | None:
        if header is None:
            return None
        block = self._reader.block(header)
        listed = (
            [self._transaction(block, index) for index in range(len(block.encoded))]
            if full
            else [wire.octets(sent) for sent in block.transaction_hashes]
        )
        return wire.block(header, listed, size=wire.block_size(block))

    def _transaction_by_hash(self, given: Params) -> dict[str, Any] | None:
        params.count(given, 1, 1)
        place = self._reader.locate(params.octets(given[0], "hash", length=32))
        return None if place is None else self._transaction(*place)

    def _transaction(self, block: Block, index: int) -> dict[str, Any]:
        sent = self._reader.transaction(block, index)
        return wire.transaction(sent, self._reader.sender(sent), block, index)

    def _transaction_receipt(self, given: Params) -> dict[str, Any] | None:
        params.count(given, 1, 1)
        return self.receipt(params.octets(given[0], "hash", length=32))

    def _logs(self, given: Params) -> list[dict[str, Any]]:
        params.count(given, 1, 1)
        return logs.find(logs.parse(given[0], self._reader), self._reader)

    def _call(self, given: Params) -> str:
        params.count(given, 1, 4)
        if any(given[2:]):
            raise params.invalid("state and block overrides are not supported")
        header = self._header(given, 1)
        return wire.octets(calls.call(self._rules, header, calls.Call.parse(given[0])))

    def _estimate_gas(self, given: Params) -> str:
        params.count(given, 1, 4)
        if any(given[2:]):
            raise params.invalid("state and block overrides are not supported")
        header = self._header(given, 1)
        return hex(calls.estimate_gas(self._rules, header, calls.Call.parse(given[0])))

    def _transaction_count(self, given: Params) -> str:
        address, state = self._account(given, 1)
        return hex(state.get_nonce(address))

    def _balance(self, given: Params) -> str:
        address, state = self._account(given, 1)
        return hex(state.get_balance(address))

    def _code(self, given: Params) -> str:
        address, state = self._account(given, 1)
        return wire.octets(state.get_code(address))

    def _storage_at(self, given: Params) -> str:
        params.count(given, 2, 3)
        address, state = self._account(given, 2)
        return wire.word(state.get_storage(address, params.slot(given[1], "slot")))

    def _proof(self, given: Params) -> dict[str, Any]:
        params.count(given, 2, 3)
        address = params.octets(given[0], "address", length=20)
        slots = params.slots(given[1], "storageKeys")
        proof = self._reader.prove(self._header(given, 2).state_root, address)
        account = decode_account(proof.value)
        storage = [
            (slot, self._reader.prove(account.storage_root, slot.to_bytes(32, "big")))
            for slot in slots
        ]
        return wire.account_proof(address, account, proof, storage)

    def _account(self, given: Params, block_at: int) -> tuple[Address, StateAPI]:
        params.count(given, block_at, block_at + 1)
        address = params.octets(given[0], "address", length=20)
        return Address(address), self._rules.vm_at(self._header(given, block_at)).state

    def _fee_history(self, given: Params) -> dict[str, Any]:
        params.count(given, 2, 3)
        blocks = params.quantity(given[0], "blockCount")
        percentiles = given[2] if len(given) > 2 else None
        newest = self._header(given, 1, mined=True)
        return fee_history(self._reader, self._rules, blocks, newest, percentiles)

    def _header(self, given: Params, position: int, *, mined: bool = False) -> Header:
        """The block a call is about. Its state is that after its transactions; the
        pending block has none yet, so its state is the head's."""
        wanted = params.optional_block(given, position)
        if wanted is Tag.PENDING and not mined:
            return self._pending()
        if (header := self._reader.find(wanted)) is None:
            raise RpcError(-32000, "header not found")
        return header

    def _pending(self) -> Header:
        head = self._reader.head()
        timestamp = max(int(self._clock()), head.timestamp + 1)
        return self._rules.child(head, timestamp=timestamp)

    def _next_base_fee(self) -> int:
        return int(self._pending().base_fee_per_gas)
