"""Accounts and small contracts for the tests of the embedded chain."""

from __future__ import annotations

from itertools import count, pairwise
from typing import Any

from eth_account import Account
from eth_utils.address import to_checksum_address

from registry.chain.embedded import CHAIN_ID, EmbeddedChain

SEND = "eth_sendRawTransaction"
SEND_AND_WAIT = "eth_sendRawTransactionSync"

# Emits its calldata as one log whose topics are the first 32 bytes and the caller:
# calldatacopy(0, 0, size); log2(0, size, calldataload(0), caller)
LOGGER = bytes.fromhex("365f5f37335f35365fa200")
# Writes calldata's second word to the slot that the first one names, and returns the
# slot's content as it was: v = sload(k); sstore(k, w); return v
STORE = bytes.fromhex("5f35545f526020355f355560205ff3")
# Reverts with its calldata.
REVERTER = bytes.fromhex("365f5f37365ffd")


def deploy_code(runtime: bytes) -> bytes:
    """Init code that installs `runtime`."""
    return bytes([0x60, len(runtime), 0x80, 0x60, 9, 0x5F, 0x39, 0x5F, 0xF3]) + runtime


class Sender:
    """An account that signs; `number` makes its key."""

    def __init__(self, number: int = 1) -> None:
        self._account = Account.from_key(number.to_bytes(32, "big"))
        self.address: str = self._account.address.lower()
        self.raw_address = bytes.fromhex(self.address[2:])
        self._nonces = count()

    def sign(self, *, to: str | None = None, data: bytes = b"", **fields: Any) -> str:
        """A raw transaction; nonce, gas and fees are chosen unless given."""
        wanted: dict[str, Any] = {
            "gas": 200_000,
            "maxFeePerGas": 10**12,
            "maxPriorityFeePerGas": 10**9,
            "value": 0,
            "chainId": CHAIN_ID,
            "data": data,
        }
        if "gasPrice" in fields:
            del wanted["maxFeePerGas"], wanted["maxPriorityFeePerGas"]
        if to is not None:
            wanted["to"] = to_checksum_address(to)
        wanted |= fields
        if "nonce" not in wanted:
            wanted["nonce"] = next(self._nonces)
        return "0x" + bytes(self._account.sign_transaction(wanted).raw_transaction).hex()

    def deploy(self, chain: EmbeddedChain, runtime: bytes) -> str:
        """The address of a new contract with this code."""
        receipt = chain.request(SEND_AND_WAIT, [self.sign(data=deploy_code(runtime))])
        assert receipt["status"] == "0x1"
        address: str = receipt["contractAddress"]
        return address

    def resume(self, chain: EmbeddedChain) -> None:
        """Go on with the nonce that the chain expects."""
        self._nonces = count(int(chain.request("eth_getTransactionCount", [self.address]), 16))


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def headers(chain: EmbeddedChain) -> list[dict[str, Any]]:
    """Every block, oldest first."""
    head = int(chain.request("eth_blockNumber"), 16)
    return [
        chain.request("eth_getBlockByNumber", [hex(number), True]) for number in range(head + 1)
    ]


def assert_linear(blocks: list[dict[str, Any]]) -> None:
    """Each block names its parent by hash and is later than it."""
    for parent, child in pairwise(blocks):
        assert child["parentHash"] == parent["hash"]
        assert int(child["timestamp"], 16) > int(parent["timestamp"], 16)
