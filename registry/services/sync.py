"""Bringing the mirror up to the chain's head.

Each range of blocks is checked before it is written, in one transaction: entries
without a gap, the root recomputed from them equal to every Checkpoint event and to the
contract's own answer at the range's last block. A kill loses at most the range under
way. Where the chain replaced blocks, the mirror goes back to the last block that both
have and reads on from there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from registry.chain.client import Client
from registry.core.chain_id import caip2
from registry.core.feed import Block, Checkpointed, Recorded
from registry.core.merkle import EMPTY_ROOT, Frontier
from registry.core.position import Position
from registry.core.units import BlockNumber, UnixSeconds
from registry.core.verdict import FinalityBlocks
from registry.errors import Inconsistent, InputError
from registry.mirror.engine import Engine, reading, writing
from registry.mirror.position import closed_at, read_position, write_position
from registry.mirror.store import append, require_entitled, rewind, stored_blocks
from registry.mirror.tiles import frontier

BLOCKS_PER_RANGE = 500

Progress = Callable[[int, int, int], None]
"""Called with blocks done, blocks in all, entries so far."""


@dataclass(frozen=True, slots=True)
class Synced:
    """What one sync did."""

    position: Position
    entries_added: int
    entries_removed: int


def sync(
    client: Client, engine: Engine, first_block: BlockNumber, progress: Progress | None = None
) -> Synced:
    """Read the chain from where the mirror stopped to its head.

    Another process may be doing the same: whoever comes second to a range finds it
    written and goes on after it. Raises Unavailable or Inconsistent where the node
    fails or contradicts itself; what was written before stays, and is right.
    """
    head, finality = client.head()
    started = _started(client, engine, first_block)
    position = _on_this_chain(client, engine, started, head)
    removed, start, added = started.size - position.size, position.block, 0
    while position.block < head.number:
        last = BlockNumber(min(position.block + BLOCKS_PER_RANGE, head.number))
        end = head if last == head.number else _required_block(client, last)
        events = client.events(BlockNumber(position.block + 1), last)
        following, recorded = _checked(client, position, events, end, finality)
        with writing(engine) as connection:
            found = read_position(connection)
            if found == position:
                require_entitled(connection, recorded)
                append(connection, recorded)
                write_position(connection, following)
                position, added = following, added + len(recorded)
            else:
                position = _required(found)
        if progress:
            progress(position.block - start, head.number - start, position.size)
    _require_same_log(client, position, head.number)
    with writing(engine) as connection:
        found = _required(read_position(connection))
        if (found.block, found.block_hash) == (head.number, head.hash):
            position = replace(found, finality=finality, synced_at=_now())
            write_position(connection, position)
        position = replace(position, closed=closed_at(connection, position.size))
    return Synced(position, added, removed)


def _started(client: Client, engine: Engine, first_block: BlockNumber) -> Position:
    """The mirror's position, made on its first sync; raises where it follows another chain."""
    chain_id = client.chain_id()
    with writing(engine) as connection:
        found = read_position(connection)
        if found is None:
            client.require_contract()
            before = BlockNumber(max(first_block - 1, 0))
            block = _required_block(client, before)
            found = Position(
                chain_id=chain_id,
                contract=client.address,
                first_block=first_block,
                block=before,
                block_hash=block.hash,
                block_time=block.time,
                finality=FinalityBlocks(BlockNumber(-1), BlockNumber(-1)),
                size=0,
                root=EMPTY_ROOT,
                peaks=(),
                synced_at=None,
                proven_block=before,
            )
            write_position(connection, found)
    if found.chain_id != chain_id:
        raise InputError(
            f"the node is on chain {caip2(chain_id)}, the mirror follows {caip2(found.chain_id)}",
            hint="check POLREG_RPC_URL, or use another POLREG_DATABASE_URL or POLREG_HOME",
        )
    if found.contract != client.address:
        raise InputError(
            "the mirror follows another contract",
            hint="check POLREG_CONTRACT, or use another POLREG_DATABASE_URL or POLREG_HOME",
        )
    return found


def _on_this_chain(client: Client, engine: Engine, position: Position, head: Block) -> Position:
    """`position`, or after a reorganisation the last one that mirror and chain share."""
    block = client.block(position.block)
    if block is not None and block.hash == position.block_hash:
        return position
    client.require_contract()
    with reading(engine) as connection:
        stored = stored_blocks(connection)
    shared = _last_shared(client, position, stored, head)
    # Empty blocks are not kept: that a newer one was replaced changes no finalised row.
    replaced = [number for number, _ in stored if number > shared.number]
    if any(number <= position.finality.finalized for number in replaced):
        raise Inconsistent(
            f"the node has another block than the finalised one that the mirror read (after "
            f"block {shared.number}): the mirror stays as it is",
            hint="check POLREG_RPC_URL; to start over, delete the mirror and run polreg sync",
        )
    with writing(engine) as connection:
        size = rewind(connection, shared.number)
        back_then = frontier(connection, size)
        back = replace(
            position,
            block=shared.number,
            block_hash=shared.hash,
            block_time=shared.time,
            size=size,
            root=back_then.root(),
            peaks=tuple(back_then.peaks),
            # Until the replaced blocks are read the mirror lacks a part of the log.
            synced_at=None,
        )
        write_position(connection, back)
    return back


def _last_shared(
    client: Client, position: Position, stored: Sequence[tuple[BlockNumber, bytes]], head: Block
) -> Block:
    """The newest block that mirror and chain share. Raises Inconsistent where the node is
    merely behind: that it does not have a block yet says nothing against the block."""
    reached = [each for each in stored if each[0] <= head.number]
    for place, row in enumerate(reached):
        shared = _same(client, *row)
        if shared is not None:
            if place == 0 and head.number < position.block:
                break
            return shared
    else:
        if reached:
            return _required_block(client, BlockNumber(max(position.first_block - 1, 0)))
    raise Inconsistent(
        f"the node is at block {head.number}, behind the mirror at block {position.block}",
        hint="wait until it has caught up, or use another POLREG_RPC_URL",
    )


def _require_same_log(client: Client, position: Position, head: BlockNumber) -> None:
    """Never call a mirror up to date that has not the contract's own root."""
    if position.block == head and client.checkpoint(head) != (position.size, position.root):
        raise Inconsistent(
            f"the mirror has {position.size} entries at block {head}, and another log than the "
            "contract",
            hint="try again; if it stays so, run polreg fsck",
        )


def _same(client: Client, number: int, block_hash: bytes) -> Block | None:
    block = client.block(BlockNumber(number))
    return block if block is not None and block.hash == block_hash else None


def _checked(
    client: Client,
    position: Position,
    events: Sequence[Recorded | Checkpointed],
    end: Block,
    finality: FinalityBlocks,
) -> tuple[Position, list[Recorded]]:
    """The position after `events`, once they are shown to be all and unaltered."""
    grown = position.frontier()
    recorded = _rooted(grown, events)
    root = grown.root()
    size, told = client.checkpoint(end.number)
    if (size, told) != (grown.size, root):
        raise Inconsistent(
            f"the node sent {grown.size} entries, the contract has {size} at block "
            f"{end.number}, or their roots differ: nothing of this range was written",
            hint="the node may be lagging or faulty: try again, or use another POLREG_RPC_URL",
        )
    following = replace(
        position,
        block=end.number,
        block_hash=end.hash,
        block_time=end.time,
        finality=finality,
        size=grown.size,
        root=root,
        peaks=tuple(grown.peaks),
    )
    return following, recorded


def _rooted(tree: Frontier, events: Sequence[Recorded | Checkpointed]) -> list[Recorded]:
    """Grow `tree` by the events; raises Inconsistent at a gap or a wrong root."""
    recorded = []
    for event in events:
        if isinstance(event, Recorded):
            if event.entry.index != tree.size:
                raise Inconsistent(
                    f"entry {tree.size} is missing: the node sent {event.entry.index}"
                )
            tree.append(event.leaf)
            recorded.append(event)
        elif event.size != tree.size or event.root != tree.root():
            raise Inconsistent(f"the root after {event.size} entries is not the contract's")
    return recorded


def _required(position: Position | None) -> Position:
    if position is None:
        raise Inconsistent("the mirror was deleted while it was being synced")
    return position


def _required_block(client: Client, number: BlockNumber) -> Block:
    block = client.block(number)
    if block is None:
        raise Inconsistent(f"the node has no block {number}")
    return block


def _now() -> UnixSeconds:
    return UnixSeconds(int(time.time()))
