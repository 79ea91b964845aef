"""Why a poll does not go on: what the node says can not be, or can not be known to be."""

from __future__ import annotations

from registry.core.following import Fault
from registry.core.units import BlockNumber
from registry.errors import Inconsistent, Unavailable


def finalized_changed(finalized: BlockNumber) -> Inconsistent:
    return Inconsistent(
        f"the node has another block than the finalised one that the mirror read (up to block "
        f"{finalized}): the mirror stays as it is",
        hint="check POLREG_RPC_URL; to start over, delete the mirror and run polreg sync",
        fault=Fault.FINALIZED_CHANGED,
    )


def other_settled(number: BlockNumber) -> Inconsistent:
    return Inconsistent(
        f"the node calls another block {number} settled than the one that it shows there: it "
        "changed its chain while it was read, or answers from several",
        hint="trying again helps, unless the node is faulty",
        fault=Fault.UNLINKED_BLOCKS,
    )


def behind(head: BlockNumber, block: BlockNumber) -> Inconsistent:
    return Inconsistent(
        f"the node is at block {head}, behind the mirror at block {block}",
        hint="wait until it has caught up, or use another POLREG_RPC_URL",
        fault=Fault.STALE_HEAD,
    )


def not_proven(number: BlockNumber) -> Unavailable:
    return Unavailable(
        f"the node can not tell what the contract held at block {number}, its newest",
        hint="try again, or use another POLREG_RPC_URL",
        fault=Fault.PRUNED_HISTORY,
    )
