"""The contract's storage, as PolicyLog.sol lays it out: which slot holds what.

Slots are 32-byte words; a slot's value is a number of 256 bits, its bytes counted from
the least significant.
"""

from __future__ import annotations

from dataclasses import dataclass

from registry.core.authority import encode_code
from registry.core.entry import NO_ENTRY
from registry.core.lifecycle import UNPUBLISHED, PolicyState, Status
from registry.core.policy import PolicyKey
from registry.core.units import Address, EntryIndex, UnixSeconds
from registry.errors import Inconsistent

_FIRST_PEAK = 1
_POLICIES = 65


@dataclass(frozen=True, slots=True)
class LogState:
    """Slot 0: the log's size, and where it goes on if it is closed."""

    size: int
    retired: bool
    successor: Address


LOG_SLOT = bytes(32)


def peak_slots(size: int) -> list[bytes]:
    """The slots of the live peaks of a log of `size`, the largest subtree first."""
    levels = [level for level in range(64) if size >> level & 1]
    return [_word(_FIRST_PEAK + level) for level in reversed(levels)]


def policy_slot(key: PolicyKey) -> bytes:
    """keccak-256(number ‖ keccak-256(authority ‖ 65))."""
    from eth_hash.auto import keccak

    return keccak(key.number_hash + keccak(encode_code(key.authority) + _word(_POLICIES)))


def log_slots(size: int, key: PolicyKey) -> list[bytes]:
    """All that a receipt for a policy proves: size, live peaks, the policy's slot."""
    return [LOG_SLOT, *peak_slots(size), policy_slot(key)]


def log_state(value: int) -> LogState:
    return LogState(
        size=_bits(value, 0, 8),
        retired=bool(_bits(value, 8, 1)),
        successor=Address(_bits(value, 9, 20).to_bytes(20, "big")),
    )


def policy_state(value: int) -> PolicyState:
    """Raises Inconsistent where the contract can not have written this."""
    sequence, head = _bits(value, 1, 4), _bits(value, 5, 8)
    if sequence == 0:
        return UNPUBLISHED
    try:
        status = Status(_bits(value, 0, 1))
    except ValueError:
        raise Inconsistent(f"a policy's slot has the status {_bits(value, 0, 1)}") from None
    if head == NO_ENTRY:
        raise Inconsistent("a published policy's slot names no entry")
    return PolicyState(status, sequence, EntryIndex(head), UnixSeconds(_bits(value, 13, 8)))


def _bits(value: int, first: int, count: int) -> int:
    """`count` bytes of the value from byte `first`, the least significant being 0."""
    return value >> 8 * first & (1 << 8 * count) - 1


def _word(value: int) -> bytes:
    return value.to_bytes(32, "big")
