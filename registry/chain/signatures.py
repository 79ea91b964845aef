"""Signatures on secp256k1 as Ethereum takes them: r, s and which of two keys is meant.

Every signature is checked before it leaves: s is the lower of its two values (EIP-2; a contract
refuses the other), and the account that it recovers to is the one that was to sign.
"""

from __future__ import annotations

from dataclasses import dataclass

from registry.chain.addresses import checksummed
from registry.core.units import Address
from registry.errors import Rejected

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""Of secp256k1's group (SEC 2)."""

_V = {0: 0, 1: 1, 27: 0, 28: 1}


@dataclass(frozen=True, slots=True)
class Signature:
    """`parity` is that of the curve point's y, by which the key is found again."""

    r: int
    s: int
    parity: int

    @property
    def is_low(self) -> bool:
        return self.s <= ORDER // 2

    def encode(self) -> bytes:
        """65 bytes: r, s, and v as 27 or 28."""
        words = self.r.to_bytes(32, "big") + self.s.to_bytes(32, "big")
        return words + bytes([27 + self.parity])


def decode_signature(content: bytes) -> Signature:
    """The signature in 65 bytes; raises Rejected where it is none that Ethereum takes."""
    if len(content) != 65:
        raise Rejected(f"a signature of an account has 65 bytes, this one has {len(content)}")
    parity = _V.get(content[64])
    if parity is None:
        raise Rejected(f"the last byte of a signature is 27 or 28, this one's is {content[64]}")
    r, s = int.from_bytes(content[:32], "big"), int.from_bytes(content[32:64], "big")
    if not (0 < r < ORDER and 0 < s < ORDER):
        raise Rejected("the signature's numbers are outside the curve's order")
    signature = Signature(r, s, parity)
    if not signature.is_low:
        raise Rejected("the signature's s is the higher of its two values, which EIP-2 excludes")
    return signature


def recovered(digest: bytes, signature: Signature) -> Address | None:
    """The account that signed these 32 bytes; None where there is no such key."""
    from eth_keys.datatypes import Signature as Recoverable
    from eth_keys.exceptions import BadSignature
    from eth_utils.exceptions import ValidationError

    try:
        given = Recoverable(vrs=(signature.parity, signature.r, signature.s))
        key = given.recover_public_key_from_msg_hash(digest)
    except (BadSignature, ValidationError, ValueError):
        return None
    return Address(key.to_canonical_address())


def require_signed_by(account: Address, digest: bytes, signature: Signature) -> None:
    """Raise Rejected unless the account signed the digest."""
    signer = recovered(digest, signature)
    if signer != account:
        found = "nobody's" if signer is None else f"{checksummed(signer)}'s, or of something else"
        raise Rejected(
            f"the signature is not {checksummed(account)}'s over exactly this: it is {found}",
            hint="nothing was sent",
        )


def recoverable(account: Address, digest: bytes, r: int, s: int) -> Signature:
    """The signature with the lower s and the parity that leads back to `account`. Raises
    Rejected where neither does."""
    if not (0 < r < ORDER and 0 < s < ORDER):
        raise Rejected("the signature's numbers are outside the curve's order")
    low = min(s, ORDER - s)
    for parity in (0, 1):
        signature = Signature(r, low, parity)
        if recovered(digest, signature) == account:
            return signature
    raise Rejected(
        f"the signature is not {checksummed(account)}'s over exactly this",
        hint="nothing was sent",
    )
