"""Account addresses between bytes and the hexadecimal that people read (EIP-55)."""

from __future__ import annotations

from registry.core.units import Address
from registry.errors import InputError


def parse_address(text: str, what: str = "address") -> Address:
    """20 bytes from 0x and 40 hexadecimal characters; a mixed-case one must have its
    EIP-55 checksum right. Raises InputError."""
    body = text[2:] if text[:2] in {"0x", "0X"} else text
    try:
        raw = bytes.fromhex(body)
    except ValueError:
        raw = b""
    if len(raw) != 20 or len(body) != 40:
        raise InputError(
            f"the {what} {text[:50]!r} is not an account address",
            hint="an address is 0x and 40 hexadecimal characters",
        )
    mixed = body not in {body.lower(), body.upper()}
    if mixed and checksummed(Address(raw))[2:] != body:
        raise InputError(
            f"the {what} {text} has a wrong checksum: a character was mistyped",
            hint="copy it again from where it came",
        )
    return Address(raw)


def checksummed(address: Address) -> str:
    """The address with EIP-55 capitals."""
    from eth_hash.auto import keccak

    plain = address.hex()
    digest = keccak(plain.encode("ascii")).hex()
    return "0x" + "".join(
        c.upper() if int(d, 16) >= 8 else c for c, d in zip(plain, digest, strict=False)
    )
