"""What the outbox asks of a node for one account: what became of its transactions, what gas
costs, to take one more. Decides nothing and keeps nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from registry.chain.addresses import checksummed
from registry.chain.client import Client, Head
from registry.chain.fees import Market, fees_of, offers_of, read_market, read_quantity
from registry.chain.refusals import refusal
from registry.chain.rpc import Call, RpcError
from registry.chain.sender import already_there
from registry.chain.signers import Signer
from registry.core.following import Fault
from registry.core.outbox import Fees, Mined, Seen
from registry.core.units import Address, BlockNumber
from registry.errors import Inconsistent, Unavailable

_PER_BATCH = 100
GAS_OF_A_CALL = 1_000_000
"""More than any act on an authority takes; what is not used is not paid."""


class Taken(StrEnum):
    """What a node did with a transaction that it was sent."""

    ACCEPTED = "accepted"
    """It has it, be it since before."""
    UNKNOWN = "unknown"
    """No answer: it may have it."""
    NONCE_USED = "nonce_used"
    """One with this nonce is mined, this one or another."""
    UNDERPRICED = "underpriced"
    """One with this nonce waits that pays as much, or the network wants more."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Sent:
    """How a sending went; `why` are the node's words where it did not take it."""

    taken: Taken
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A transaction that is asked about; `block` is where it was seen to have done what it was
    for."""

    hash: bytes
    nonce: int
    block: BlockNumber | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """What a node said at one moment. `receipts` are those of the transactions that it has in
    a block and that were not there before; `pending` is the account's next nonce with what the node
    has waiting."""

    chain_id: int
    seen: Seen
    pending: int
    market: Market
    receipts: Mapping[bytes, Mapping[str, Any]]


class Outgoing:
    """Transactions of the account of `signer`, or of `account` where nothing is to be signed."""

    def __init__(self, client: Client, account: Address, signer: Signer | None) -> None:
        self._client = client
        self._transport = client.transport
        self._signer = signer
        self._chain_id: int | None = None
        self.account = account

    def look(self, asked: Sequence[Asked] = (), head: Head | None = None) -> Look:
        """What became of these, and how the account and the network stand. `head`: where it is
        known already.

        The nonces are read first: what is not mined then may be a moment later, and what is
        found mined is. Receipts and bodies are long, so that they are asked for only where
        nothing shorter tells.
        """
        head = head or self._client.head()
        account = "0x" + self.account.hex()
        calls: list[Call] = [
            ("eth_getTransactionCount", [account, "latest"]),
            ("eth_getTransactionCount", [account, "pending"]),
            ("eth_getBlockByNumber", ["latest", False]),
            ("eth_maxPriorityFeePerGas", []),
            ("eth_gasPrice", []),
            ("eth_getBalance", [account, "latest"]),
        ]
        answers = self._transport.batch(calls)
        latest, pending = (_quantity(_raised(answer)) for answer in answers[:2])
        market = read_market(*answers[2:])
        self._chain_id = head.chain_id
        # What is to be final is asked for itself: in a block alone it may have failed.
        final = head.finality.finalized
        mined = self._still_there([each for each in asked if (each.block or -1) > final])
        receipts = self._receipts(
            [each.hash for each in asked if each.nonce < latest and each.hash not in mined]
        )
        mined |= {each: _mined(receipt) for each, receipt in receipts.items()}
        seen = Seen(
            head=head.block.number,
            finalized=head.finality.finalized,
            nonce=latest,
            mined=mined,
            pooled=self._waiting([each for each in asked if each.nonce >= latest], pending),
            fees=fees_of(market.offers),
        )
        return Look(head.chain_id, seen, max(latest, pending), market, receipts)

    def _still_there(self, asked: Sequence[Asked]) -> dict[bytes, Mined]:
        """Those that are in the block where they were seen before."""
        found: dict[bytes, Mined] = {}
        settled: dict[BlockNumber, list[bytes]] = {}
        for each in asked:
            settled.setdefault(each.block or BlockNumber(0), []).append(each.hash)
        numbers = sorted(settled)
        for at in range(0, len(numbers), _PER_BATCH):
            some = numbers[at : at + _PER_BATCH]
            answers = self._transport.batch(
                [("eth_getBlockByNumber", [hex(number), False]) for number in some]
            )
            for number, answer in zip(some, answers, strict=True):
                listed = _listed(_raised(answer))
                found |= {each: Mined(number, True) for each in settled[number] if each in listed}
        return found

    def _waiting(self, asked: Sequence[Asked], pending: int) -> Collection[bytes] | None:
        """Those that the node has waiting; None where it can not tell. Up to its own next nonce
        it lacks none."""
        known = {each.hash for each in asked if each.nonce < pending}
        found = self._pooled([each.hash for each in asked if each.nonce >= pending])
        return None if found is None else known | set(found)

    def sign(
        self, to: Address, data: bytes, gas: int, nonce: int, fees: Fees, market: Market
    ) -> tuple[bytes, bytes]:
        """The raw transaction and its hash. Asks the signer, and nobody else."""
        from eth_hash.auto import keccak

        if self._signer is None or self._chain_id is None:
            raise AssertionError("nothing can be signed without a key and a look at the chain")
        raw = self._signer.sign_transaction(
            {
                "chainId": self._chain_id,
                "nonce": nonce,
                "gas": gas,
                "value": 0,
                "to": checksummed(to),
                "data": "0x" + data.hex(),
                **offers_of(fees, market),
            }
        )
        return raw, keccak(raw)

    def send(self, raw: bytes) -> Sent:
        """Send the bytes; to send them again does nothing more."""
        try:
            self._transport.request("eth_sendRawTransaction", ["0x" + raw.hex()])
        except RpcError as error:
            return _sorted(error)
        except Unavailable as error:
            return Sent(Taken.UNKNOWN, str(error))
        return Sent(Taken.ACCEPTED)

    def simulate(self, to: Address, data: bytes, gas: int) -> None:
        """Raise Rejected, in words, where the contract would refuse."""
        call = {
            "from": "0x" + self.account.hex(),
            "to": "0x" + to.hex(),
            "data": "0x" + data.hex(),
            "gas": hex(gas),
        }
        try:
            self._transport.request("eth_call", [call, "latest"])
        except RpcError as error:
            raise refusal(error) from None

    def estimate(self, to: Address, data: bytes) -> int:
        """The gas that the network itself says a call takes, and a quarter more, since prices
        move: where a transaction's gas also pays for another chain's. Raises Rejected."""
        call = {
            "from": "0x" + self.account.hex(),
            "to": "0x" + to.hex(),
            "data": "0x" + data.hex(),
        }
        try:
            found = self._transport.request("eth_estimateGas", [call])
        except RpcError as error:
            raise refusal(error) from None
        return read_quantity(found, "estimate of gas") * 5 // 4

    def _receipts(self, transactions: Sequence[bytes]) -> dict[bytes, Mapping[str, Any]]:
        found: dict[bytes, Mapping[str, Any]] = {}
        for some, answers in self._batched("eth_getTransactionReceipt", transactions):
            for each, answer in zip(some, answers, strict=True):
                receipt = _raised(answer)
                if receipt is not None:
                    found[each] = receipt
        return found

    def _pooled(self, transactions: Sequence[bytes]) -> Collection[bytes] | None:
        """Those that the node knows, mined or waiting; None where it can not tell."""
        known: set[bytes] = set()
        for some, answers in self._batched("eth_getTransactionByHash", transactions):
            for each, answer in zip(some, answers, strict=True):
                if isinstance(answer, RpcError):
                    return None
                if answer is not None:
                    known.add(each)
        return frozenset(known)

    def _batched(
        self, method: str, transactions: Sequence[bytes]
    ) -> list[tuple[Sequence[bytes], list[Any]]]:
        pieces = [
            transactions[at : at + _PER_BATCH] for at in range(0, len(transactions), _PER_BATCH)
        ]
        return [
            (some, self._transport.batch([(method, ["0x" + each.hex()]) for each in some]))
            for some in pieces
        ]


def _sorted(error: RpcError) -> Sent:
    """By the words of go-ethereum, Anvil, Nethermind, Besu and Erigon."""
    message = error.message.lower()
    if already_there(error):
        return Sent(Taken.ACCEPTED)
    if "nonce" in message and ("low" in message or "old" in message or "used" in message):
        return Sent(Taken.NONCE_USED, error.message)
    if (
        "underpriced" in message
        or "fee too low" in message
        or "less than block base fee" in message
    ):
        return Sent(Taken.UNDERPRICED, error.message)
    return Sent(Taken.REFUSED, str(refusal(error)))


def _mined(receipt: Mapping[str, Any]) -> Mined:
    """Also that what else is read of a receipt, its gas and its logs' addresses, can be."""
    try:
        int(receipt["gasUsed"], 16)
        if not all(isinstance(log["address"], str) for log in receipt["logs"]):
            raise TypeError
        return Mined(BlockNumber(int(receipt["blockNumber"], 16)), int(receipt["status"], 16) == 1)
    except (KeyError, TypeError, ValueError):
        raise _unreadable("receipt") from None


def _listed(block: Any) -> frozenset[bytes]:
    """The hashes of a block's transactions; none where there is no such block."""
    if block is None:
        return frozenset()
    try:
        return frozenset(bytes.fromhex(each[2:]) for each in block["transactions"])
    except (KeyError, TypeError, ValueError):
        raise _unreadable("block") from None


def _quantity(value: Any) -> int:
    try:
        return int(value, 16)
    except (TypeError, ValueError):
        raise _unreadable("number") from None


def _raised(answer: Any) -> Any:
    if isinstance(answer, RpcError):
        raise Unavailable(str(answer), fault=Fault.REFUSED)
    return answer


def _unreadable(what: str) -> Inconsistent:
    return Inconsistent(f"the node sent a {what} that can not be read", fault=Fault.MALFORMED)
