"""Blocks, transactions, receipts and logs as a node sends them over JSON-RPC.

Source: the Ethereum JSON-RPC specification (execution-apis), as geth answers it. Pure:
values in, JSON-ready values out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from registry.chain.embedded import trie
from registry.chain.embedded.evm import encode_rlp

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from eth.abc import SignedTransactionAPI

    from registry.chain.embedded.evm import Header
    from registry.chain.embedded.reader import Account, Block, Log


def octets(value: bytes) -> str:
    return "0x" + value.hex()


def word(value: int) -> str:
    return f"0x{value:064x}"


def block(header: Header, transactions: Sequence[Any], *, size: int) -> dict[str, Any]:
    """`size` is the length in bytes of the block's RLP."""
    return {
        "number": hex(header.block_number),
        "hash": octets(header.hash),
        "parentHash": octets(header.parent_hash),
        "nonce": octets(header.nonce),
        "sha3Uncles": octets(header.uncles_hash),
        "logsBloom": f"0x{header.bloom:0512x}",
        "transactionsRoot": octets(header.transaction_root),
        "stateRoot": octets(header.state_root),
        "receiptsRoot": octets(header.receipt_root),
        "miner": octets(header.coinbase),
        "difficulty": hex(header.difficulty),
        "extraData": octets(header.extra_data),
        "size": hex(size),
        "gasLimit": hex(header.gas_limit),
        "gasUsed": hex(header.gas_used),
        "timestamp": hex(header.timestamp),
        "transactions": list(transactions),
        "uncles": [],
        "baseFeePerGas": hex(header.base_fee_per_gas),
        "mixHash": octets(header.mix_hash),
        "withdrawals": [],
        "withdrawalsRoot": octets(header.withdrawals_root),
        "blobGasUsed": hex(header.blob_gas_used),
        "excessBlobGas": hex(header.excess_blob_gas),
        "parentBeaconBlockRoot": octets(header.parent_beacon_block_root),
        "requestsHash": octets(header.requests_hash),
    }


def pending_block(header: Header) -> dict[str, Any]:
    """The block that would be mined now: it has no hash, no nonce and no miner yet."""
    unknown = {"hash": None, "nonce": None, "miner": None}
    return block(header, [], size=len(encode_rlp([header, [], [], []]))) | unknown


def block_size(found: Block) -> int:
    # A typed transaction stands in the block's RLP as a string, a legacy one as a list.
    bodies = [encode_rlp(encoded) if encoded[0] < 0xC0 else encoded for encoded in found.encoded]
    body = _with_prefix(sum(map(len, bodies)))
    return _with_prefix(len(encode_rlp(found.header)) + body + 2)


def _with_prefix(payload: int) -> int:
    """The length of an RLP list whose items take `payload` bytes."""
    return payload + 1 + (0 if payload < 56 else (payload.bit_length() + 7) // 8)


def transaction(
    sent: SignedTransactionAPI, sender: bytes, found: Block, index: int
) -> dict[str, Any]:
    kind = sent.type_id or 0
    header = found.header
    result: dict[str, Any] = {
        "blockHash": octets(header.hash),
        "blockNumber": hex(header.block_number),
        "blockTimestamp": hex(header.timestamp),
        "transactionIndex": hex(index),
        "hash": octets(sent.hash),
        "type": hex(kind),
        "from": octets(sender),
        "to": octets(sent.to) if sent.to else None,
        "nonce": hex(sent.nonce),
        "gas": hex(sent.gas),
        "gasPrice": hex(gas_price(sent, header)),
        "value": hex(sent.value),
        "input": octets(sent.data),
        "chainId": hex(sent.chain_id or 0),
        "r": hex(sent.r),
        "s": hex(sent.s),
    }
    if kind == 0:
        # Only the legacy class has it, and mypy sees their common interface.
        return result | {"v": hex(sent.v)}  # type: ignore[attr-defined]
    if kind == 2:
        result["maxFeePerGas"] = hex(sent.max_fee_per_gas)
        result["maxPriorityFeePerGas"] = hex(sent.max_priority_fee_per_gas)
    parity = hex(sent.y_parity)
    return result | {"accessList": _access_list(sent), "yParity": parity, "v": parity}


def _access_list(sent: SignedTransactionAPI) -> list[dict[str, Any]]:
    return [
        {"address": octets(address), "storageKeys": [word(slot) for slot in slots]}
        for address, slots in sent.access_list
    ]


def gas_price(sent: SignedTransactionAPI, header: Header) -> int:
    """What a unit of gas cost, in wei (EIP-1559's effective gas price)."""
    base_fee = int(header.base_fee_per_gas)
    return min(sent.max_fee_per_gas, base_fee + sent.max_priority_fee_per_gas)


def receipt(
    sent: SignedTransactionAPI, sender: bytes, created: bytes | None, found: Block, index: int
) -> dict[str, Any]:
    """`created` is the address of the contract that the transaction made, if any."""
    outcome = found.receipts[index]
    gas_before = found.receipts[index - 1].cumulative_gas if index else 0
    return {
        "transactionHash": octets(sent.hash),
        "transactionIndex": hex(index),
        "blockHash": octets(found.header.hash),
        "blockNumber": hex(found.header.block_number),
        "from": octets(sender),
        "to": octets(sent.to) if sent.to else None,
        "type": hex(sent.type_id or 0),
        "status": hex(outcome.status),
        "gasUsed": hex(outcome.cumulative_gas - gas_before),
        "cumulativeGasUsed": hex(outcome.cumulative_gas),
        "effectiveGasPrice": hex(gas_price(sent, found.header)),
        "contractAddress": None if created is None else octets(created),
        "logsBloom": octets(outcome.bloom),
        "logs": list(_receipt_logs(found, index)),
    }


def _receipt_logs(found: Block, index: int) -> Iterator[dict[str, Any]]:
    header = found.header
    place = {
        "blockHash": octets(header.hash),
        "blockNumber": hex(header.block_number),
        "blockTimestamp": hex(header.timestamp),
        "transactionHash": octets(found.transaction_hashes[index]),
        "transactionIndex": hex(index),
    }
    first = sum(len(earlier.logs) for earlier in found.receipts[:index])
    for number, entry in enumerate(found.receipts[index].logs, first):
        yield log(entry, number, place)


def log(entry: Log, number: int, place: dict[str, str]) -> dict[str, Any]:
    """`number` counts the logs of the block; `place` names block and transaction."""
    return {
        "address": octets(entry.address),
        "topics": [octets(topic) for topic in entry.topics],
        "data": octets(entry.data),
        "logIndex": hex(number),
        "removed": False,
        **place,
    }


def account_proof(
    address: bytes, account: Account, proof: trie.Proof, storage: Sequence[tuple[int, trie.Proof]]
) -> dict[str, Any]:
    """EIP-1186's answer, as Anvil gives it: a slot is shown as 32 bytes, however it was asked."""
    return {
        "address": octets(address),
        "balance": hex(account.balance),
        "codeHash": octets(account.code_hash),
        "nonce": hex(account.nonce),
        "storageHash": octets(account.storage_root),
        "accountProof": [octets(node) for node in proof.nodes],
        "storageProof": [_slot_proof(slot, held) for slot, held in storage],
    }


def _slot_proof(slot: int, held: trie.Proof) -> dict[str, Any]:
    # A leaf of the storage trie holds the RLP of the word without its leading zeros.
    value = int.from_bytes(trie.decode(held.value), "big") if held.value else 0
    return {
        "key": word(slot),
        "value": hex(value),
        "proof": [octets(node) for node in held.nodes],
    }
