"""What to offer for a transaction's gas, on a network with EIP-1559, without it, or where gas
is free. Pure: from what a node said, which is read strictly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from registry.chain.rpc import RpcError
from registry.core.following import Fault
from registry.core.outbox import Fees
from registry.errors import Inconsistent


@dataclass(frozen=True, slots=True)
class Market:
    """What a node says of gas. `base_fee` is None on a network without EIP-1559; `tip` and
    `price` where the node does not know the method."""

    block_gas_limit: int
    base_fee: int | None
    tip: int | None
    price: int | None
    balance: int
    settles_elsewhere: bool = False
    """Whether a transaction's gas also pays for another chain's (Arbitrum), so that what the
    contract uses is not all of it."""

    @property
    def offers(self) -> dict[str, int]:
        """The fields of a transaction that say what is paid for gas, in wei.

        An account that holds nothing can act only where gas is free, and there is nothing
        else that it could offer: so that is what it does.
        """
        if self.base_fee is None:
            return {"gasPrice": 0 if self.balance == 0 else self.price or 0}
        if self.base_fee == 0 and self.balance == 0:
            return {"maxFeePerGas": 0, "maxPriorityFeePerGas": 0}
        tip = self.tip
        if tip is None:
            tip = max(0, (self.price or 0) - self.base_fee)
        return {"maxFeePerGas": 2 * self.base_fee + tip, "maxPriorityFeePerGas": tip}


def read_market(head: Any, tip: Any, price: Any, balance: Any) -> Market:
    """From the latest block, eth_maxPriorityFeePerGas, eth_gasPrice and eth_getBalance.

    Raises RpcError where the node refuses what every node knows, and Inconsistent for what
    is no answer.
    """
    for required in (head, balance):
        if isinstance(required, RpcError):
            raise required
    if not isinstance(head, Mapping):
        raise _unreadable("latest block")
    base_fee = head.get("baseFeePerGas")
    if base_fee is None and isinstance(price, RpcError):
        raise price
    return Market(
        block_gas_limit=read_quantity(head.get("gasLimit"), "gas limit"),
        base_fee=None if base_fee is None else read_quantity(base_fee, "base fee"),
        tip=None if isinstance(tip, RpcError) else read_quantity(tip, "priority fee"),
        price=None if isinstance(price, RpcError) else read_quantity(price, "gas price"),
        balance=read_quantity(balance, "balance"),
        settles_elsewhere="l1BlockNumber" in head,
    )


def fees_of(offers: Mapping[str, int]) -> Fees:
    """The market's offer as fees; without EIP-1559 both are the gas price."""
    price = offers.get("gasPrice")
    if price is not None:
        return Fees(price, price)
    return Fees(offers["maxFeePerGas"], offers["maxPriorityFeePerGas"])


def offers_of(fees: Fees, market: Market) -> dict[str, int]:
    """The fields of a transaction that offers these, on this network."""
    if market.base_fee is None:
        return {"gasPrice": fees.most}
    return {"maxFeePerGas": fees.most, "maxPriorityFeePerGas": fees.priority}


def too_dear(market: Market, most: int | None) -> str:
    """That no more than `most` is to be paid, and that it does not suffice, in words."""
    asked = market.base_fee or fees_of(market.offers).most
    return f"the network asks for {asked} wei a unit of gas, more than the {most} allowed"


def read_quantity(written: Any, what: str) -> int:
    """A number that a node sent; raises Inconsistent."""
    try:
        return int(written, 16)
    except (TypeError, ValueError):
        raise _unreadable(what) from None


def _unreadable(what: str) -> Inconsistent:
    return Inconsistent(f"the node sent a {what} that can not be read", fault=Fault.MALFORMED)
