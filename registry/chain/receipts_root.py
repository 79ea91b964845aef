"""All logs of a block, as its header commits to them.

`eth_getLogs` may leave a manifest out of a block, renumber the rest, and no root of ours would
tell: an entry whose manifest is withheld looks like one that was recorded by digest alone. The
block's receipts root tells. The receipts are encoded again from what the node shows, their
root compared with the header's, and the header with the block's hash.

Sources: Ethereum Yellow Paper §4.4.1 (receipts), EIP-2718 (types), EIP-658 (status).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from registry.chain.header import header_rlp
from registry.core.following import Fault
from registry.errors import Inconsistent

# Whose receipts have the four fields of the Yellow Paper. Other networks' own types have more.
_KNOWN_TYPES = frozenset(range(5))

Receipt = Mapping[str, Any]


def committed_logs(
    block: Mapping[str, Any], receipts: Sequence[Receipt]
) -> list[dict[str, Any]] | None:
    """Every log of the block in order, numbered from 0; None where a receipt has a form that
    this program does not know, so that nothing can be said.

    `block` and `receipts` are as a node shows them. Raises Inconsistent where the receipts are
    not those that the header commits to, or the header is not the block's.
    """
    header_rlp(block)
    try:
        if any(_type(receipt) not in _KNOWN_TYPES for receipt in receipts):
            return None
        wanted = bytes.fromhex(block["receiptsRoot"][2:])
        # Polygon's nodes show one receipt more, of an event between the chains, that no header
        # commits to.
        for shown in (receipts, receipts[:-1]):
            if _root([_encoded(receipt) for receipt in shown]) == wanted:
                return list(_logs(block, shown))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _fault(f"the node sent a receipt that can not be read ({error!r})") from None
    raise _fault(
        f"the receipts that the node shows of block {int(block['number'], 16)} are not those "
        "that the block commits to"
    )


def _type(receipt: Receipt) -> int:
    return int(receipt.get("type", "0x0"), 16)


def _encoded(receipt: Receipt) -> bytes:
    import rlp  # type: ignore[import-untyped]  # it has no stubs

    outcome = _octets(receipt["root"]) if receipt.get("root") else _quantity(receipt["status"])
    logs = [
        [_octets(log["address"]), [_octets(each) for each in log["topics"]], _octets(log["data"])]
        for log in receipt["logs"]
    ]
    fields = [outcome, _quantity(receipt["cumulativeGasUsed"]), _octets(receipt["logsBloom"]), logs]
    kind = _type(receipt)
    encoded: bytes = rlp.encode(fields)
    return bytes([kind]) + encoded if kind else encoded


def _root(encoded: Sequence[bytes]) -> bytes:
    import rlp
    from trie.hexary import HexaryTrie

    tree = HexaryTrie({})
    for index, each in enumerate(encoded):
        tree[rlp.encode(index)] = each
    return bytes(tree.root_hash)


def _logs(block: Mapping[str, Any], receipts: Sequence[Receipt]) -> Iterator[dict[str, Any]]:
    """What the root covers is taken from the receipts' logs; where they are, from the block."""
    number = 0
    for receipt, transaction in zip(receipts, block["transactions"], strict=False):
        for log in receipt["logs"]:
            yield {
                "address": log["address"],
                "topics": log["topics"],
                "data": log["data"],
                "blockHash": block["hash"],
                "blockNumber": block["number"],
                "transactionHash": transaction,
                "logIndex": hex(number),
            }
            number += 1


def _octets(written: str) -> bytes:
    return bytes.fromhex(written[2:])


def _quantity(written: str) -> bytes:
    number = int(written, 16)
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _fault(message: str) -> Inconsistent:
    return Inconsistent(message, fault=Fault.INCONSISTENT_LOGS)
