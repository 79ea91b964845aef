"""What a policy is called: an authority and the number it gave.

The contract's key is (authority, SHA-256 of the NFC number); `policy_id` is the hex
SHA-256 of authority as bytes32 followed by that hash.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from registry.core.authority import encode_code
from registry.core.digest import sha256
from registry.core.unicode_rules import require_readable, require_writable
from registry.core.units import Digest
from registry.errors import InputError

MAX_NUMBER_BYTES = 256
_SURELY_FITS = MAX_NUMBER_BYTES // 4  # characters

# Format and private-use characters, line and paragraph separators.
_UNSEEN = frozenset({"Cf", "Co", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class PolicyKey:
    """A policy as the contract knows it."""

    authority: str
    number_hash: Digest

    @property
    def policy_id(self) -> Digest:
        return policy_id(self.authority, self.number_hash)


def check_number(number: str) -> str:
    """The number in NFC, to be written; raises InputError where it can not be one."""
    normal = _normal(number)
    require_writable(normal, "number")
    hidden = next((c for c in normal if unicodedata.category(c) in _UNSEEN), None)
    if hidden is not None:
        raise InputError(
            f"the number holds the invisible character U+{ord(hidden):04X}",
            hint="remove it: two numbers could look the same",
        )
    return normal


def number_hash(number: str) -> Digest:
    """The contract's key for a number. As in all reading, a code point that this
    Unicode version has not assigned is no obstacle."""
    return sha256(_normal(number).encode())


def _normal(number: str) -> str:
    normal = unicodedata.normalize("NFC", number)
    if not normal:
        raise InputError("the number is empty", hint="give the number the authority printed")
    # a character has four bytes at most
    if (
        len(normal) > MAX_NUMBER_BYTES // 4
        and len(normal.encode("utf-8", "replace")) > MAX_NUMBER_BYTES
    ):
        raise InputError(
            f"the number {normal[:30]!r}… has more than {MAX_NUMBER_BYTES} bytes of UTF-8",
            hint="give the number, not the title",
        )
    # Nothing that is refused is printable, and of white space the plain one alone is.
    if normal.isprintable() and normal[0] != " " != normal[-1]:
        return normal
    require_readable(normal, "number")
    if normal != normal.strip() or "\n" in normal or "\t" in normal:
        raise InputError(f"the number {normal!r} has white space at an end, or a line break")
    return normal


def policy_id(authority: str, number: Digest) -> Digest:
    return sha256(encode_code(authority) + number)


def policy_key(authority: str, number: str) -> PolicyKey:
    return PolicyKey(authority, number_hash(number))
