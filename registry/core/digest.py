"""SHA-256 digests: the one hash of this registry. The digest of a document is what
`sha256sum FILE` prints."""

from __future__ import annotations

import hashlib
import re

from registry.core.units import Digest
from registry.errors import InputError

DIGEST_SIZE = 32
ZERO_DIGEST = Digest(bytes(DIGEST_SIZE))
EMPTY_FILE_DIGEST = Digest(hashlib.sha256(b"").digest())

_HEX = re.compile(r"[0-9a-fA-F]{64}")


def sha256(data: bytes) -> Digest:
    return Digest(hashlib.sha256(data).digest())


def parse_digest(text: str) -> Digest:
    """A digest from its 64 hexadecimal characters; raises InputError."""
    if not _HEX.fullmatch(text):
        raise InputError(
            f"{text[:80]!r} is not a SHA-256 digest",
            hint="a digest is 64 hexadecimal characters, as sha256sum prints them",
        )
    return Digest(bytes.fromhex(text))
