"""A key that AWS KMS keeps and never gives out: it signs digests.

Its signatures are DER, with either of the two values of s, and do not say which of two keys they
are of: that is found here. Credentials and region are those of the AWS environment. Needs the
extra `kms`.
"""

from __future__ import annotations

from typing import Any

from registry.chain.addresses import checksummed
from registry.chain.signatures import Signature, recoverable
from registry.chain.signers import sign_transaction
from registry.chain.typed_data import digest_of
from registry.core.signed_act import ActsToSign
from registry.core.units import Address
from registry.errors import InputError, RegistryError, Rejected, Unavailable

_ALGORITHM = "ECDSA_SHA_256"
# Of digests that are given as they are, it is Keccak's as well as SHA-256's.

_PUBLIC_KEY = bytes.fromhex("3056301006072a8648ce3d020106052b8104000a03420004")
"""What a SubjectPublicKeyInfo (RFC 5480) of a key on secp256k1 begins with, before x and y."""

_CONNECT_SECONDS, _READ_SECONDS = 5, 10


class KmsSigner:
    """The key with this id, ARN or alias. Asks for its public half at once."""

    def __init__(self, key: str, client: Any = None) -> None:
        self._key = key
        self._client = client or _client()
        self.address = self._address()

    def __repr__(self) -> str:
        return f"KmsSigner({checksummed(self.address)})"

    def sign_digest(self, digest: bytes) -> Signature:
        answer = self._asked(
            "sign", Message=digest, MessageType="DIGEST", SigningAlgorithm=_ALGORITHM
        )
        r, s = _der_numbers(answer["Signature"])
        return recoverable(self.address, digest, r, s)

    def sign_transaction(self, fields: dict[str, Any]) -> bytes:
        return sign_transaction(self, fields)

    def sign_typed_data(self, acts: ActsToSign) -> bytes:
        return self.sign_digest(digest_of(acts)).encode()

    def _address(self) -> Address:
        from eth_hash.auto import keccak

        content = self._asked("get_public_key")["PublicKey"]
        if len(content) != len(_PUBLIC_KEY) + 64 or not content.startswith(_PUBLIC_KEY):
            raise InputError(
                "the key of POLREG_KMS_KEY is none of an account on Ethereum",
                hint="make one with key spec ECC_SECG_P256K1 and key usage SIGN_VERIFY",
            )
        return Address(keccak(content[len(_PUBLIC_KEY) :])[12:])

    def _asked(self, method: str, **parameters: Any) -> Any:
        from botocore.exceptions import (  # type: ignore[import-untyped]  # it has no types
            BotoCoreError,
            ClientError,
        )

        try:
            return getattr(self._client, method)(KeyId=self._key, **parameters)
        except (ClientError, BotoCoreError) as error:
            raise _in_words(error) from None


def _client() -> Any:
    try:
        import boto3  # type: ignore[import-untyped]  # it comes without types
        from botocore.config import Config  # type: ignore[import-untyped]  # as boto3
        from botocore.exceptions import BotoCoreError
    except ImportError:
        raise InputError(
            "POLREG_KMS_KEY needs boto3", hint="pip install 'policy-registry[kms]'"
        ) from None
    limits = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"total_max_attempts": 2},
    )
    try:
        return boto3.client("kms", config=limits)
    except BotoCoreError as error:
        raise _in_words(error) from None


def _in_words(error: Exception) -> RegistryError:
    """The error's own words name requests and keys, never credentials."""
    from botocore.exceptions import (
        ClientError,
        HTTPClientError,
        NoCredentialsError,
        NoRegionError,
        PartialCredentialsError,
    )

    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code", "")
        passing = ("Throttling", "KMSInternal", "DependencyTimeout", "ServiceUnavailable")
        if code.startswith(passing):
            return Unavailable(f"AWS KMS did not sign: {code}", hint="try again")
        return Rejected(
            f"AWS KMS refused: {code}",
            hint="check POLREG_KMS_KEY, and that kms:Sign and kms:GetPublicKey are granted",
        )
    if isinstance(error, NoCredentialsError | NoRegionError | PartialCredentialsError):
        return InputError(
            f"AWS KMS can not be asked: {error}", hint="set AWS_REGION and credentials as for aws"
        )
    if isinstance(error, HTTPClientError):
        return Unavailable(f"AWS KMS does not answer ({type(error).__name__})")
    return Unavailable(f"AWS KMS could not be asked ({type(error).__name__})")


def _der_numbers(content: bytes) -> tuple[int, int]:
    """r and s of an ECDSA signature (SEC 1 C.5: a sequence of two integers)."""
    numbers, at = [], 2
    if len(content) < 8 or content[0] != 0x30 or content[1] != len(content) - 2:
        raise _unreadable()
    for _ in range(2):
        if content[at : at + 1] != b"\x02" or at + 2 > len(content):
            raise _unreadable()
        end = at + 2 + content[at + 1]
        numbers.append(int.from_bytes(content[at + 2 : end], "big"))
        at = end
    if at != len(content):
        raise _unreadable()
    return numbers[0], numbers[1]


def _unreadable() -> Rejected:
    return Rejected("AWS KMS gave a signature that can not be read", hint="nothing was sent")
