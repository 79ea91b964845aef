"""Transactions as bytes: what of one is signed, and what is sent.

Fields are named as in JSON-RPC: chainId, nonce, gas, value, data, `to` unless a contract is
made, and either gasPrice (EIP-155) or maxFeePerGas and maxPriorityFeePerGas (EIP-1559).
`checked` compares what a signer gave back with what it was asked for, to the last byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from registry.chain.addresses import parse_address
from registry.chain.signatures import (
    Signature,
    decode_signature,
    require_signed_by,
)
from registry.core.units import Address
from registry.errors import Rejected

Fields = Mapping[str, Any]

_DYNAMIC_FEE = b"\x02"


def signing_digest(fields: Fields) -> bytes:
    """The 32 bytes whose signature makes the transaction."""
    from eth_hash.auto import keccak
    from rlp import encode  # type: ignore[import-untyped]  # it has no stubs

    if _has_dynamic_fee(fields):
        return keccak(_DYNAMIC_FEE + encode(_dynamic_fee(fields)))
    return keccak(encode([*_legacy(fields), fields["chainId"], 0, 0]))


def assembled(fields: Fields, signature: Signature) -> bytes:
    """The raw transaction."""
    from rlp import encode

    if _has_dynamic_fee(fields):
        signed = [*_dynamic_fee(fields), signature.parity, signature.r, signature.s]
        return _DYNAMIC_FEE + bytes(encode(signed))
    v = fields["chainId"] * 2 + 35 + signature.parity
    return bytes(encode([*_legacy(fields), v, signature.r, signature.s]))


def checked(raw: bytes, fields: Fields, account: Address) -> bytes:
    """`raw` itself, once it is shown to be exactly the transaction of `fields`, signed by
    `account`. Raises Rejected."""
    signature = _signature_of(raw, fields)
    require_signed_by(account, signing_digest(fields), signature)
    if assembled(fields, signature) != raw:
        raise _another()
    return raw


def _signature_of(raw: bytes, fields: Fields) -> Signature:
    from rlp import decode
    from rlp.exceptions import RLPException  # type: ignore[import-untyped]  # as rlp

    dynamic = _has_dynamic_fee(fields)
    if dynamic != raw.startswith(_DYNAMIC_FEE):
        raise _another()
    try:
        items = decode(raw[1:] if dynamic else raw)
    except (RLPException, TypeError):
        raise Rejected("what the signer gave back is not a transaction") from None
    if not isinstance(items, list) or len(items) != (12 if dynamic else 9):
        raise _another()
    if any(not isinstance(each, bytes) or len(each) > 32 for each in items[-3:]):
        raise _another()
    v, r, s = (int.from_bytes(each, "big") for each in items[-3:])
    parity = v if dynamic else v - fields["chainId"] * 2 - 35
    if parity not in (0, 1):
        raise _another()
    return decode_signature(r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([27 + parity]))


def _another() -> Rejected:
    return Rejected(
        "the signer gave back another transaction than the one it was to sign",
        hint="nothing was sent; whoever answers as the signer is not to be trusted",
    )


def _has_dynamic_fee(fields: Fields) -> bool:
    return "maxFeePerGas" in fields


def _dynamic_fee(fields: Fields) -> list[Any]:
    return [
        fields["chainId"],
        fields["nonce"],
        fields["maxPriorityFeePerGas"],
        fields["maxFeePerGas"],
        fields["gas"],
        _to(fields),
        fields["value"],
        _data(fields),
        [],
    ]


def _legacy(fields: Fields) -> list[Any]:
    return [
        fields["nonce"],
        fields["gasPrice"],
        fields["gas"],
        _to(fields),
        fields["value"],
        _data(fields),
    ]


def _to(fields: Fields) -> bytes:
    to = fields.get("to")
    return parse_address(to) if to else b""


def _data(fields: Fields) -> bytes:
    return bytes.fromhex(str(fields["data"]).removeprefix("0x"))
