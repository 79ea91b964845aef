"""Reading a range of blocks from a node, and believing none of it unchecked.

What comes out is right as far as it can be known: entries without a gap, each with the leaf
whose root is in the Checkpoint events and in the contract's own storage; each in a block that
the node has under this hash, with this time, in a transaction of that block; the contract
ours, on the chain that the mirror follows. Writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from registry.chain.client import Client
from registry.core.feed import Block, Checkpointed, Recorded
from registry.core.following import Fault
from registry.core.merkle import Frontier
from registry.core.position import Position
from registry.core.units import BlockNumber
from registry.errors import Inconsistent

Headers = Mapping[BlockNumber, Block]


@dataclass(frozen=True, slots=True)
class ReadRange:
    """The entries after a position up to the block `end`, and the tree as it is then. `proven`
    is whether the contract's state at `end` could be asked for, and agreed."""

    end: Block
    recorded: list[Recorded]
    tree: Frontier
    proven: bool


def read_range(client: Client, position: Position, last: BlockNumber, known: Headers) -> ReadRange:
    """Read what follows `position` up to the block `last`. `known` are headers that are part of
    one chain; those of other blocks with entries are asked for.

    Raises Inconsistent where anything contradicts itself, and Unavailable or RpcError where
    the node does not answer.
    """
    events = client.events(BlockNumber(position.block + 1), last)
    tree = position.frontier()
    recorded = _rooted(tree, events)
    wanted = {last, *(event.place.block for event in events)}
    headers = {**known, **client.headers(sorted(wanted - known.keys()))}
    _require_places(events, headers)
    _require_no_manifest_withheld(client, recorded, headers)
    end = headers[last]
    proven = confirmed(client, replace(position, block=last, block_hash=end.hash), tree)
    return ReadRange(end, recorded, tree, proven)


def _rooted(tree: Frontier, events: Sequence[Recorded | Checkpointed]) -> list[Recorded]:
    """Grow `tree` by the events; raises Inconsistent at a gap or a wrong root."""
    recorded = []
    for event in events:
        if isinstance(event, Recorded):
            if event.entry.index != tree.size:
                raise Inconsistent(
                    f"entry {tree.size} is missing: the node sent {event.entry.index}",
                    fault=Fault.INCONSISTENT_LOGS,
                )
            tree.append(event.leaf)
            recorded.append(event)
        elif event.size != tree.size or event.root != tree.root():
            raise Inconsistent(
                f"the root after {event.size} entries is not the contract's",
                fault=Fault.WRONG_ROOT,
            )
    return recorded


def _require_places(events: Sequence[Recorded | Checkpointed], headers: Headers) -> None:
    """No root covers where an event stands: the headers must bear it out."""
    for event in events:
        place = event.place
        header = headers[place.block]
        if place.block_hash != header.hash or place.transaction not in header.transactions:
            raise Inconsistent(
                f"the node sent a log of block {place.block} that is not in its block "
                f"{place.block}: the chain changed meanwhile, or the node is faulty",
                fault=Fault.UNLINKED_BLOCKS,
            )
        if isinstance(event, Recorded) and event.entry.recorded_at != header.time:
            raise Inconsistent(
                f"entry {event.entry.index} was recorded at another time than that of its block",
                fault=Fault.UNLINKED_BLOCKS,
            )


def _require_no_manifest_withheld(
    client: Client, recorded: Sequence[Recorded], headers: Headers
) -> None:
    """An entry with a digest alone may be one whose manifest the node keeps back: the block's
    receipts must bear it out, where node and network let that be told."""
    in_block: dict[BlockNumber, list[Recorded]] = {}
    for event in recorded:
        in_block.setdefault(event.place.block, []).append(event)
    for number, here in in_block.items():
        if all(each.manifest is not None or each.entry.manifest is None for each in here):
            continue
        committed = client.committed_events(headers[number])
        there = [event for event in committed or () if isinstance(event, Recorded)]
        if committed is not None and _contents(here) != _contents(there):
            raise Inconsistent(
                f"the node kept back a manifest or an entry of block {number}, which the block "
                "commits to",
                fault=Fault.INCONSISTENT_LOGS,
            )


def _contents(events: Sequence[Recorded]) -> list[tuple[bytes, bytes | None]]:
    return [(event.leaf, event.manifest) for event in events]


def confirmed(client: Client, position: Position, tree: Frontier) -> bool:
    """Whether the contract bears out at the position's block that `tree` is its log; False
    where the node has not kept the state of that block. Raises Inconsistent where it is not."""
    said = client.confirm(position.block, position.block_hash)
    if said is None:
        return False
    if said.chain_id != position.chain_id:
        raise Inconsistent(
            f"the node changed from chain {position.chain_id} to {said.chain_id}",
            hint="check POLREG_RPC_URL",
            fault=Fault.WRONG_CHAIN,
        )
    if said.size and not said.is_registry:
        raise Inconsistent(
            "the contract's code at this node is not that of the policy registry",
            hint="check POLREG_CONTRACT and POLREG_RPC_URL",
            fault=Fault.WRONG_CONTRACT,
        )
    if (said.size, said.root) != (tree.size, tree.root()):
        raise Inconsistent(
            f"the node sent {tree.size} entries, the contract has {said.size} at block "
            f"{position.block}, or their roots differ: nothing of this range was written",
            hint="the node may be lagging or faulty: try again, or use another POLREG_RPC_URL",
            fault=Fault.WRONG_ROOT,
        )
    return True
