"""Blocks as a node shows them, held against their own hashes.

A header hashes to its block's hash, so that who can tell that hash apart can not be shown
another parent, time or receipts root for it. Whether the form of a network's headers is known
here shows itself: once a header had the hash that the node gave for it, every later one must.
A network of which none ever had is read on the node's word. One whose upgrade adds a field is
refused from there on, until this program knows the field, or is told to do without.
"""

from __future__ import annotations

from typing import Any

from registry.chain.header import header_rlp
from registry.core.feed import Block
from registry.core.following import Fault
from registry.core.units import BlockNumber, UnixSeconds
from registry.errors import Inconsistent


class Headers:
    """Reads the blocks of one network; `checked` is whether it is to hold them against their
    hashes."""

    def __init__(self, *, checked: bool = True) -> None:
        self._checked = checked
        self._known = False

    @property
    def known(self) -> bool:
        """Whether a header of this network had its own hash yet."""
        return self._known

    def read(self, shown: Any) -> Block | None:
        """The block of a node's JSON, None for null. Raises Inconsistent where it can not be
        read, or is not the one that it says it is."""
        if shown is None:
            return None
        block = _block(shown)
        if self._checked:
            try:
                header_rlp(shown)
            except Inconsistent as error:
                if self._known:
                    raise _altered(block.number) from error
            else:
                self._known = True
        return block


def _block(shown: Any) -> Block:
    try:
        return Block(
            BlockNumber(int(shown["number"], 16)),
            bytes.fromhex(shown["hash"][2:]),
            bytes.fromhex(shown["parentHash"][2:]),
            UnixSeconds(int(shown["timestamp"], 16)),
            frozenset(bytes.fromhex(each[2:]) for each in shown.get("transactions", ())),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Inconsistent(
            "the node sent a block that can not be read", fault=Fault.MALFORMED
        ) from None


def _altered(number: BlockNumber) -> Inconsistent:
    return Inconsistent(
        f"what the node shows of block {number} does not give its hash, as other blocks did",
        hint="the node may be faulty: use another POLREG_RPC_URL; if the network was upgraded "
        "at this block, a newer version of this program may know its headers, and "
        "check_headers = false in networks.toml goes on without looking at them",
        fault=Fault.UNLINKED_BLOCKS,
    )
