"""Who signs: a key in memory, a remote signer, a key management service.

A key never appears in `repr`, an error or a log. Whatever signs, what it gives is checked here
before anything is done with it: a transaction is the one that was asked for to the last byte, a
signature is the account's over exactly this, and s is low. What fails is never sent.
"""

from __future__ import annotations

from typing import Any, Protocol

from registry.chain.addresses import checksummed
from registry.chain.signatures import (
    Signature,
    decode_signature,
    require_signed_by,
)
from registry.chain.transactions import assembled, checked, signing_digest
from registry.chain.typed_data import digest_of
from registry.core.signed_act import ActsToSign
from registry.core.units import Address
from registry.errors import InputError


class Signer(Protocol):
    """Signs for one account. Raises Rejected where it will not, Unavailable where it can not be
    reached."""

    address: Address

    def sign_transaction(self, fields: dict[str, Any]) -> bytes:
        """The raw signed transaction."""

    def sign_typed_data(self, acts: ActsToSign) -> bytes:
        """65 bytes over the EIP-712 digest of the acts."""


class DigestSigner(Protocol):
    """Signs 32 bytes, whatever they stand for: a key in memory, or in a service for keys."""

    address: Address

    def sign_digest(self, digest: bytes) -> Signature: ...


class LocalSigner:
    """A private key in this process's memory."""

    def __init__(self, key: bytes) -> None:
        from eth_keys.datatypes import PrivateKey
        from eth_utils.exceptions import ValidationError

        if len(key) != 32:
            raise InputError("the private key is not one")
        try:
            self._key = PrivateKey(key)
            self.address = Address(self._key.public_key.to_canonical_address())
        except (ValidationError, ValueError, AssertionError):
            # The library's own error may quote the key.
            raise InputError("the private key is not one") from None

    def __repr__(self) -> str:
        return f"LocalSigner({checksummed(self.address)})"

    def sign_digest(self, digest: bytes) -> Signature:
        signed = self._key.sign_msg_hash(digest)
        return Signature(signed.r, signed.s, signed.v)

    def sign_transaction(self, fields: dict[str, Any]) -> bytes:
        return sign_transaction(self, fields)

    def sign_typed_data(self, acts: ActsToSign) -> bytes:
        return self.sign_digest(digest_of(acts)).encode()


def sign_transaction(signer: DigestSigner, fields: dict[str, Any]) -> bytes:
    """The raw transaction by whoever signs digests."""
    return assembled(fields, signer.sign_digest(signing_digest(fields)))


class CheckedSigner:
    """Another signer, of which nothing is believed."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self.address = signer.address

    def __repr__(self) -> str:
        return f"CheckedSigner({self._signer!r})"

    def sign_transaction(self, fields: dict[str, Any]) -> bytes:
        """The raw transaction, once it is exactly this one by this account; raises Rejected."""
        return checked(self._signer.sign_transaction(fields), fields, self.address)

    def sign_typed_data(self, acts: ActsToSign) -> bytes:
        """65 bytes, once they are this account's over these acts; raises Rejected."""
        signature = decode_signature(self._signer.sign_typed_data(acts))
        require_signed_by(self.address, digest_of(acts), signature)
        return signature.encode()


def signer_from_hex(text: str) -> LocalSigner:
    """From a private key in hexadecimal, whose text no error repeats."""
    body = text.strip().removeprefix("0x")
    try:
        key = bytes.fromhex(body)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise InputError(
            "POLREG_PRIVATE_KEY is not a private key", hint="it is 64 hexadecimal characters"
        )
    return LocalSigner(key)
