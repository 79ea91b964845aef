"""Sending transactions with everything explicit: gas, fees and nonce.

A transaction is simulated before it is paid for, so that a refusal costs nothing and
is said in words; on the embedded chain, where nothing is paid, only after it failed.
Networks without EIP-1559, and those where gas is free, are sent what they take (`fees`).
When no receipt comes in time the outcome is unknown, never "failed". Keeps no record of
its own: a caller that must not send twice asks the contract first.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from registry.chain.abi import deployment_code
from registry.chain.addresses import checksummed
from registry.chain.fees import (
    Market,
    fees_of,
    offers_of,
    read_market,
    read_quantity,
    too_dear,
)
from registry.chain.refusals import refusal
from registry.chain.rpc import RpcError, Transport
from registry.chain.signers import Signer
from registry.core.chain_id import EMBEDDED_CHAIN_ID
from registry.core.outbox import Patience, affordable
from registry.core.submission import Submission
from registry.core.units import Address, BlockNumber
from registry.errors import RegistryError, Rejected, Unavailable, UnknownOutcome

MAX_TRANSACTION_GAS = 16_777_216
"""EIP-7825."""

MAX_TRANSACTION_BYTES = 128 * 1024
"""What nodes take into their pools (geth's txMaxSize)."""

# Upper bounds, unused gas being returned; scripts/bench/gas.py measures the real cost.
_BASE_GAS = 400_000
_ENTRY_GAS = 60_000
_MANIFEST_BYTE_GAS = 60
_DEPLOYMENT_GAS = 8_000_000

# ABI-encoded: seven words a submission; offset, length and padding a manifest.
_ENVELOPE_BYTES = 1024
_SUBMISSION_BYTES = 7 * 32
_PADDING_BYTES = 3 * 32


@dataclass(frozen=True, slots=True)
class Receipt:
    """A mined transaction that did what it was sent for. `gas_used` is None where it was not
    asked for: of a transaction that this machine does not know as its own."""

    transaction: bytes
    block: BlockNumber
    gas_used: int | None
    contract: Address | None


class Sender:
    """Sends from one account, one transaction after the other, for no more than `most_fee` wei
    a unit of gas."""

    def __init__(
        self,
        transport: Transport,
        signer: Signer,
        *,
        wait_seconds: float = 180.0,
        most_fee: int | None = None,
    ) -> None:
        self._transport = transport
        self._signer = signer
        self._most_fee = most_fee
        self._wait = wait_seconds
        self._chain_id = int(transport.request("eth_chainId"), 16)

    @property
    def account(self) -> Address:
        return self._signer.address

    def deploy(self, admin: Address, admin_delay_seconds: int) -> Receipt:
        """Create the contract with `admin` as its administrator. Raises Rejected."""
        data = "0x" + deployment_code(admin, admin_delay_seconds).hex()
        return self._act(None, data, _DEPLOYMENT_GAS)

    def call(self, to: Address, data: str, gas: int = 1_000_000) -> Receipt:
        """Simulate, send, and wait for a call of the contract; raises Rejected."""
        return self._act(to, data, gas)

    def simulate(self, to: Address | None, data: str, gas: int) -> None:
        """Raise Rejected, in words, where the contract or the network would refuse."""
        call = {**self._call_of(to, data), "gas": hex(gas)}
        try:
            self._transport.request("eth_call", [call, "latest"])
        except RpcError as error:
            raise (refusal(error) if to is not None else _undeployable(error)) from None

    def _estimate(self, to: Address | None, data: str) -> int:
        """The gas that the network itself says it takes, and a quarter more: prices move."""
        try:
            found = self._transport.request("eth_estimateGas", [self._call_of(to, data)])
            return read_quantity(found, "estimate of gas") * 5 // 4
        except RpcError as error:
            raise (refusal(error) if to is not None else _undeployable(error)) from None

    def _call_of(self, to: Address | None, data: str) -> dict[str, str]:
        call = {"from": "0x" + self.account.hex(), "data": data}
        return call if to is None else {**call, "to": "0x" + to.hex()}

    def _act(self, to: Address | None, data: str, gas: int) -> Receipt:
        nonce, market = self._asked_before()
        offers = self._offers(market)
        if market.settles_elsewhere:
            gas = max(gas, self._estimate(to, data))
        # A block takes no transaction that may use more than there is room in it.
        gas = min(gas, market.block_gas_limit)
        if self._chain_id != EMBEDDED_CHAIN_ID:
            self.simulate(to, data, gas)
        fields: dict[str, Any] = {
            "chainId": self._chain_id,
            "nonce": nonce,
            "gas": gas,
            "value": 0,
            "data": data,
            **offers,
        }
        if to is not None:
            fields["to"] = checksummed(to)
        return self._send(fields, to, market)

    def _offers(self, market: Market) -> dict[str, int]:
        limit = Patience(most_fee=self._most_fee)
        fees = affordable(fees_of(market.offers), limit, market.base_fee)
        if fees is None:
            raise Rejected(
                too_dear(market, self._most_fee), hint="wait, or raise POLREG_MAX_FEE_GWEI"
            )
        return offers_of(fees, market)

    def _send(self, fields: dict[str, Any], to: Address | None, market: Market) -> Receipt:
        raw = self._signer.sign_transaction(fields)
        try:
            sent = self._transport.request("eth_sendRawTransaction", ["0x" + raw.hex()])
        except RpcError as error:
            if not already_there(error):
                raise self._explained(error, market) from None
            sent = _hash_of(raw)
        except Unavailable:
            # It may have arrived all the same: only the chain can tell.
            sent = _hash_of(raw)
        return self._receipt(sent, to, fields["data"], fields["gas"])

    def _asked_before(self) -> tuple[int, Market]:
        """The next nonce, and what gas costs, in one question."""
        account = "0x" + self.account.hex()
        nonce, head, tip, price, balance = self._transport.batch(
            [
                ("eth_getTransactionCount", [account, "pending"]),
                ("eth_getBlockByNumber", ["latest", False]),
                ("eth_maxPriorityFeePerGas", []),
                ("eth_gasPrice", []),
                ("eth_getBalance", [account, "latest"]),
            ]
        )
        if isinstance(nonce, RpcError):
            raise nonce
        return int(nonce, 16), read_market(head, tip, price, balance)

    def _receipt(self, sent: str, to: Address | None, data: str, gas: int) -> Receipt:
        deadline, pause = time.monotonic() + self._wait, 0.01
        while (answer := self._asked(sent)) is None:
            if time.monotonic() > deadline:
                raise UnknownOutcome(
                    f"transaction {sent} was sent and is not mined after {self._wait:.0f} s",
                    hint="it may still land: look at polreg history before sending again",
                )
            time.sleep(pause)
            pause = min(pause * 1.5, 2.0)
        try:
            succeeded = int(answer["status"], 16) == 1
            created = answer.get("contractAddress")
            receipt = Receipt(
                bytes.fromhex(sent[2:]),
                BlockNumber(int(answer["blockNumber"], 16)),
                int(answer["gasUsed"], 16),
                Address(bytes.fromhex(created[2:])) if created else None,
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            raise UnknownOutcome(
                f"the node's receipt of transaction {sent} can not be read",
                hint="look at polreg history, with another node, before sending again",
            ) from None
        if not succeeded:
            self.simulate(to, data, gas)
            raise Rejected(f"transaction {sent} was mined and reverted")
        return receipt

    def _asked(self, sent: str) -> Any:
        """The receipt, or None while there is none to be had."""
        try:
            return self._transport.request("eth_getTransactionReceipt", [sent])
        except Unavailable:
            return None

    def _explained(self, error: RpcError, market: Market) -> Exception:
        found = refusal(error)
        if found is error and not market.balance:
            return Rejected(
                f"{checksummed(self.account)} holds nothing, and the network does not take its "
                f"transaction for free: {error.message}",
                hint="send it some of the network's currency, or use another account",
            )
        if isinstance(found, Rejected) and "funds" in str(found):
            return Rejected(f"{checksummed(self.account)}: {found}", hint=found.hint)
        return found


def record_fits(submissions: Sequence[Submission]) -> bool:
    """Whether these go into one transaction, by gas and by size."""
    content = sum(len(each.content) + _PADDING_BYTES for each in submissions)
    size = _ENVELOPE_BYTES + _SUBMISSION_BYTES * len(submissions) + content
    return size <= MAX_TRANSACTION_BYTES and record_gas(submissions) <= MAX_TRANSACTION_GAS


def record_gas(submissions: Sequence[Submission]) -> int:
    """An upper bound of the gas that recording these takes in one transaction."""
    content = sum(len(each.content) for each in submissions)
    return _BASE_GAS + _ENTRY_GAS * len(submissions) + _MANIFEST_BYTE_GAS * content


def _hash_of(raw: bytes) -> str:
    from eth_hash.auto import keccak

    return "0x" + keccak(raw).hex()


def already_there(error: RpcError) -> bool:
    """In the words of go-ethereum, Anvil, Nethermind, Besu and OpenEthereum."""
    message = error.message.lower().replace(" ", "")
    return any(
        known in message
        for known in ("alreadyimported", "alreadyknown", "knowntransaction", "samehash")
    )


def _undeployable(error: RpcError) -> RegistryError:
    """Why the contract can not be created, where that is the network's doing."""
    message = error.message.lower()
    if "opcode" in message or "notactivated" in message or "instruction" in message:
        return Rejected(
            f"this network can not run the contract: {error.message}",
            hint="the contract needs the Cancun rules of the EVM, or later ones",
        )
    if "gas" in message and "funds" not in message:
        return Rejected(
            f"the contract can not be created on this network: {error.message}",
            hint=f"its creation takes up to {_DEPLOYMENT_GAS:,} gas in one block",
        )
    return refusal(error)
