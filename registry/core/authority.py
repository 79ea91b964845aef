"""Authority codes, and the roles that the contract derives from them.

A code is upper-case segments joined by dots (`CN.GD.SHENZHEN`), at most 31 ASCII
characters, so that as bytes32 its last byte is free to name a role: 1 registrar,
2 controller. The code's prefix is its chain of command.
"""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache

from registry.errors import InputError

MAX_CODE_LENGTH = 31
ROOT = ""
"""The code under which the contract's own acts (administrator, retirement) are entered."""

_CODE = re.compile(r"[A-Z0-9]+(?:[.-][A-Z0-9]+)*")


class Role(IntEnum):
    """The last byte of a role's identifier."""

    ADMIN = 0
    REGISTRAR = 1
    CONTROLLER = 2


def check_code(code: str) -> str:
    """The code itself; raises InputError where it is not one."""
    if len(code) > MAX_CODE_LENGTH:
        raise InputError(
            f"the authority code {code[:60]!r} has {len(code)} characters",
            hint=f"at most {MAX_CODE_LENGTH} fit",
        )
    if not _CODE.fullmatch(code):
        raise InputError(
            f"{code!r} is not an authority code",
            hint="upper-case letters, digits and hyphens in segments joined by dots: "
            "CN.GD.SHENZHEN",
        )
    return code


@lru_cache(maxsize=4096)
def encode_code(code: str) -> bytes:
    """The code as the contract's bytes32, left-aligned."""
    return check_code(code).encode("ascii").ljust(32, b"\0") if code else bytes(32)


@lru_cache(maxsize=4096)
def decode_code(word: bytes) -> str:
    """The code of a bytes32, or "" for the contract's own; raises InputError."""
    text = word.rstrip(b"\0").decode("ascii", "replace")
    if len(word) != 32 or encode_code(text) != word:
        raise InputError(f"0x{word.hex()} is not an authority code")
    return text


def parent(code: str) -> str:
    """The authority that opens `code`: "" for the administrator."""
    return code.rpartition(".")[0]


def ancestors(code: str) -> list[str]:
    """The chain of command above `code`, the highest first."""
    segments = code.split(".")
    return [".".join(segments[:count]) for count in range(1, len(segments))]


def role_id(code: str, role: Role) -> bytes:
    """The contract's bytes32 for a role of an authority."""
    word = encode_code(code)
    return word[:31] + bytes([role])


def administering_role(code: str, role: Role) -> bytes:
    """The role that appoints to `role`: controllers appoint registrars; the parent's
    controllers, or the administrator, appoint controllers."""
    if role is Role.REGISTRAR:
        return role_id(code, Role.CONTROLLER)
    above = parent(code)
    return role_id(above, Role.CONTROLLER) if above else bytes(32)
