"""Fields of parsed JSON, taken exactly: closed objects, whole numbers, lower-case hexadecimal.

Whatever is written another way raises InputError, saying where and what is wrong.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from registry.core.units import BlockNumber
from registry.errors import InputError


def closed_object(value: Any, keys: Collection[str], where: str) -> dict[str, Any]:
    """An object with exactly these keys."""
    if not isinstance(value, dict):
        raise InputError(f"{where} is not a JSON object")
    for key in keys:
        if key not in value:
            raise InputError(f"{where} has no {key!r}")
    if len(value) > len(keys):
        unknown = next(key for key in value if key not in keys)
        raise InputError(f"{where} has an unknown key {unknown[:40]!r}")
    return value


def whole_number(value: Any, where: str) -> int:
    """An integer from 0 that JSON can carry."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**53:
        raise InputError(f"{where} is not a whole number from 0")
    return value


def decoded(value: Any) -> bytes | None:
    """The bytes of lower-case hexadecimal; None where it is anything else."""
    try:
        found = bytes.fromhex(value)
    except (TypeError, ValueError):
        return None
    # fromhex takes capitals and spaces, too.
    return found if found.hex() == value else None


def hexadecimal(value: Any, length: int | None, where: str, prefix: str = "") -> bytes:
    """The bytes of lower-case hexadecimal, `length` of them if it is given."""
    if not isinstance(value, str) or not value.startswith(prefix):
        raise InputError(f"{where} is not hexadecimal" + (f" with {prefix}" if prefix else ""))
    found = decoded(value[len(prefix) :])
    if found is None:
        raise InputError(f"{where} is not lower-case hexadecimal")
    if length is not None and len(found) != length:
        raise InputError(f"{where} has {len(found)} bytes, not {length}")
    return found


def block_id(value: Any, where: str = "block") -> tuple[BlockNumber, bytes]:
    """Number and hash of `{"number":…,"hash":"0x…"}`."""
    fields = closed_object(value, ("number", "hash"), where)
    number = BlockNumber(whole_number(fields["number"], f"{where}.number"))
    return number, hexadecimal(fields["hash"], 32, f"{where}.hash", "0x")
