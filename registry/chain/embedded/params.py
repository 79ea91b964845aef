"""Reading JSON-RPC parameters as strictly as a node does.

Source: the Ethereum JSON-RPC specification (execution-apis), EIP-1474, EIP-1898.
Every fault is an RpcError with code -32602 that names the parameter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from registry.chain.rpc import RpcError

INVALID_PARAMS = -32602

_QUANTITY = re.compile(r"0x(?:0|[1-9a-fA-F][0-9a-fA-F]{0,63})")
_BYTES = re.compile(r"0x(?:[0-9a-fA-F]{2})*")


class Tag(StrEnum):
    """The names a block may go by. This chain has no reorgs: safe and finalized are latest."""

    LATEST = "latest"
    SAFE = "safe"
    FINALIZED = "finalized"
    PENDING = "pending"
    EARLIEST = "earliest"


@dataclass(frozen=True, slots=True)
class BlockHash:
    """A block named by its hash."""

    value: bytes


BlockId = Tag | int | BlockHash


def invalid(message: str) -> RpcError:
    return RpcError(INVALID_PARAMS, message)


def count(params: Sequence[Any], least: int, most: int) -> None:
    """Refuse a call with too few or too many parameters."""
    if len(params) < least:
        raise invalid(f"missing value for required argument {len(params)}")
    if len(params) > most:
        raise invalid(f"too many arguments, want at most {most}")


def quantity(value: Any, name: str) -> int:
    """An integer as 0x and its shortest hex."""
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise invalid(f"{name} is not a quantity (0x and hex digits, no leading zeros)")
    return int(value, 16)


def octets(value: Any, name: str, *, length: int | None = None) -> bytes:
    """Bytes as 0x and two hex digits each; of exactly `length` where it is given."""
    if not isinstance(value, str) or not _BYTES.fullmatch(value):
        raise invalid(f"{name} is not data (0x and an even number of hex digits)")
    result = bytes.fromhex(value[2:])
    if length is not None and len(result) != length:
        raise invalid(f"{name} has {len(result)} bytes, want {length}")
    return result


def slot(value: Any, name: str) -> int:
    """A storage slot: a quantity, or up to 32 bytes of data."""
    if isinstance(value, str) and re.fullmatch(r"0x[0-9a-fA-F]{1,64}", value):
        return int(value, 16)
    raise invalid(f"{name} is not a storage slot")


def slots(value: Any, name: str) -> list[int]:
    if not isinstance(value, list):
        raise invalid(f"{name} is not a list")
    return [slot(each, f"each of {name}") for each in value]


def flag(value: Any, name: str) -> bool:
    if not isinstance(value, bool):
        raise invalid(f"{name} is not true or false")
    return value


def mapping(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise invalid(f"{name} is not an object")
    return value


def block_id(value: Any, name: str = "block") -> BlockId:
    """A tag, a number, or EIP-1898's object."""
    if isinstance(value, dict):
        if isinstance(value.get("blockHash"), str) and "blockNumber" not in value:
            return BlockHash(octets(value["blockHash"], name, length=32))
        if isinstance(value.get("blockNumber"), str) and "blockHash" not in value:
            return block_id(value["blockNumber"], name)
        raise invalid(f"{name} must have either blockHash or blockNumber")
    if isinstance(value, str) and value in set(Tag):
        return Tag(value)
    return quantity(value, name)


def optional_block(params: Sequence[Any], position: int) -> BlockId:
    """The block a state call is about; latest where none is given."""
    if position >= len(params) or params[position] is None:
        return Tag.LATEST
    return block_id(params[position])
