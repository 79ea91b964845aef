"""What gas costs: in blocks that are there, and at this moment. In wei a unit of gas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from registry.chain.fees import read_market, read_quantity
from registry.chain.rpc import RpcError, Transport
from registry.core.units import BlockNumber

_PER_BATCH = 100
_SOMEBODY = "0x1"


def base_fees(
    transport: Transport, numbers: Sequence[BlockNumber]
) -> dict[BlockNumber, int | None]:
    """The base fee of each of these blocks; None on a network without EIP-1559, and for a block
    that the node does not have."""
    found: dict[BlockNumber, int | None] = {}
    for at in range(0, len(numbers), _PER_BATCH):
        some = numbers[at : at + _PER_BATCH]
        answers = transport.batch([("eth_getBlockByNumber", [hex(each), False]) for each in some])
        found |= {number: _base_fee(answer) for number, answer in zip(some, answers, strict=True)}
    return found


def price_now(transport: Transport) -> int:
    """What a transaction that was sent now would pay, by the latest block and the node's own
    advice. Raises RpcError or Unavailable."""
    head, tip, price = transport.batch(
        [
            ("eth_getBlockByNumber", ["latest", False]),
            ("eth_maxPriorityFeePerGas", []),
            ("eth_gasPrice", []),
        ]
    )
    market = read_market(head, tip, price, _SOMEBODY)
    if market.base_fee is None:
        return market.price or 0
    return market.base_fee + market.offers["maxPriorityFeePerGas"]


def _base_fee(block: Any) -> int | None:
    if isinstance(block, RpcError) or block is None or block.get("baseFeePerGas") is None:
        return None
    return read_quantity(block["baseFeePerGas"], "base fee")
