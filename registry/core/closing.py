"""A closed registry in words, everywhere the same: where it goes on, and what that is worth.

The successor is whatever address the administrator named when closing: nothing on the chain
says that it is a registry, or that the authorities know of it. Whoever stole the
administrator's key could name their own. So no hint leads there without this warning.
"""

from __future__ import annotations

from registry.core.units import Address

NOWHERE = Address(bytes(20))
"""The successor of a registry that was closed without naming one."""

UNCONFIRMED = (
    "the administrator named that address, and whoever stole the administrator's key could "
    "name any: confirm it with the authority by another way before you trust it"
)


def goes_on(successor: str) -> str:
    """That the registry is closed, and where it goes on; `successor` is 0x and 40
    hexadecimal characters."""
    if is_nowhere(successor):
        return "the registry is closed, and names no other where it goes on"
    return f"the registry is closed, and goes on at {successor}"


def is_nowhere(successor: str) -> bool:
    return int(successor, 16) == 0
