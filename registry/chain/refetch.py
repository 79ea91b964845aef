"""Asking a node again for a single entry that a mirror has lost.

As strict as the first reading: an entry comes with all the logs of its block, decoded
together. Whether it is the one that the contract's root bears out is for the caller.
"""

from __future__ import annotations

from registry.chain.client import Client
from registry.chain.events import RECORDED
from registry.core.feed import Recorded
from registry.core.units import BlockNumber, EntryIndex
from registry.errors import Inconsistent


def recorded(client: Client, index: EntryIndex, first: BlockNumber, last: BlockNumber) -> Recorded:
    """The event of entry `index`, which stands in blocks `first` to `last`."""
    wanted = {
        "address": "0x" + client.address.hex(),
        "fromBlock": hex(first),
        "toBlock": hex(last),
        "topics": [RECORDED, f"0x{index:064x}"],
    }
    logs = client.transport.request("eth_getLogs", [wanted])
    try:
        (number,) = {BlockNumber(int(log["blockNumber"], 16)) for log in logs}
    except (TypeError, KeyError, ValueError):
        raise Inconsistent(
            f"the node does not say where entry {index} is in blocks {first} to {last}"
        ) from None
    for event in client.events(number, number):
        if isinstance(event, Recorded) and event.entry.index == index:
            return event
    raise Inconsistent(f"the node has entry {index} in block {number}, and has not")
