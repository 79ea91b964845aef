"""A block header's RLP, built again from what a node's JSON says of the block.

Guarantees: the bytes hash to the block's own hash, so whoever trusts that hash can trust
each field in them, the state root among them. Whether the block is in the chain, and the
block that was asked for, is not judged here.

Source: Ethereum Yellow Paper §4.4; the fields since then: EIP-1559, 4895, 4844, 4788, 7685.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from registry.chain.seals import hashed_extra_data
from registry.errors import Inconsistent

_QUANTITY = re.compile(r"0x(?:0|[1-9a-fA-F][0-9a-fA-F]{0,63})")
_OCTETS = re.compile(r"0x(?:[0-9a-fA-F]{2})*")

Encoder = Callable[[str], bytes]
"""From a field as the JSON writes it to what its RLP string holds; raises ValueError."""


def _quantity(written: str) -> bytes:
    if not _QUANTITY.fullmatch(written):
        raise ValueError("not a quantity")
    number = int(written, 16)
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _octets(written: str) -> bytes:
    if not _OCTETS.fullmatch(written):
        raise ValueError("not bytes")
    return bytes.fromhex(written[2:])


def _exactly(length: int) -> Encoder:
    def encode(written: str) -> bytes:
        value = _octets(written)
        if len(value) != length:
            raise ValueError(f"not {length} bytes")
        return value

    return encode


_HASH: Final = _exactly(32)

# In the order of the header's RLP. Each fork adds at the end, and keeps what was there.
_FIELDS: Final[Mapping[str, Encoder]] = {
    "parentHash": _HASH,
    "sha3Uncles": _HASH,
    "miner": _exactly(20),
    "stateRoot": _HASH,
    "transactionsRoot": _HASH,
    "receiptsRoot": _HASH,
    "logsBloom": _exactly(256),
    "difficulty": _quantity,
    "number": _quantity,
    "gasLimit": _quantity,
    "gasUsed": _quantity,
    "timestamp": _quantity,
    "extraData": _octets,
    "mixHash": _HASH,
    "nonce": _exactly(8),
}
_LATER_FIELDS: Final[Mapping[str, Encoder]] = {
    "baseFeePerGas": _quantity,
    "withdrawalsRoot": _HASH,
    "blobGasUsed": _quantity,
    "excessBlobGas": _quantity,
    "parentBeaconBlockRoot": _HASH,
    "requestsHash": _HASH,
}
# Avalanche's C-Chain has some of its own in between (coreth, plugin/evm/customtypes).
_LATER_FIELDS_OF_AVALANCHE: Final[Mapping[str, Encoder]] = {
    "extDataHash": _HASH,
    "baseFeePerGas": _quantity,
    "extDataGasUsed": _quantity,
    "blockGasCost": _quantity,
    "blobGasUsed": _quantity,
    "excessBlobGas": _quantity,
    "parentBeaconBlockRoot": _HASH,
}
_HINT = "a newer version of this program may know them; try another node too"


def header_rlp(block: Mapping[str, Any]) -> bytes:
    """The header of a block as eth_getBlockByNumber or eth_getBlockByHash shows it.

    Where the hash leaves the validators' seals out of the extra data, so do these bytes. A later
    fork's field that is null counts as not there. Raises Inconsistent where a
    field is missing or can not be read, and where the header does not have the block's hash.
    """
    import rlp  # type: ignore[import-untyped]  # it has no stubs
    from eth_hash.auto import keccak

    avalanche = _field(block, "extDataHash") is not None
    later_fields = _LATER_FIELDS_OF_AVALANCHE if avalanche else _LATER_FIELDS
    later = [name for name in later_fields if _field(block, name) is not None]
    if later != list(later_fields)[: len(later)]:
        raise Inconsistent(
            f"the node's block has {later[-1]}, but not every header field that comes before it,"
            " so no header proof can be made",
            hint=_HINT,
        )
    fields = {name: _encoded(block, name, encode) for name, encode in _FIELDS.items()}
    fields |= {name: _encoded(block, name, later_fields[name]) for name in later}
    wanted = _encoded(block, "hash", _HASH)
    for extra_data in hashed_extra_data(fields["extraData"]):
        header: bytes = rlp.encode(list((fields | {"extraData": extra_data}).values()))
        if keccak(header) == wanted:
            return header
    raise Inconsistent(
        f"what the node shows of block {int(block['number'], 16)} does not give its hash:"
        " the node's blocks have fields that this program does not know, or it shows"
        " wrong ones, so no header proof can be made",
        hint=_HINT,
    )


def _encoded(block: Mapping[str, Any], name: str, encode: Encoder) -> bytes:
    written = _field(block, name)
    if written is None:
        raise Inconsistent(
            f"the node's blocks have no {name}: they are of a form that this program does not"
            " know, so no header proof can be made",
            hint=_HINT,
        )
    if not isinstance(written, str):
        raise Inconsistent(f"the node sent a block without a readable {name}")
    try:
        return encode(written)
    except ValueError as fault:
        raise Inconsistent(f"the node sent a block whose {name} is {fault}") from None


def _field(block: Any, name: str) -> Any:
    if not isinstance(block, Mapping):
        raise Inconsistent("the node sent something else where a block belongs")
    return block.get(name)
