"""Bringing the mirror up to the chain's head: one poll.

What has to be done is decided by `core.follow` from block hashes; here it is done. Each
range of blocks is checked before it is written (`chain_range`), and written in one
transaction, together with what it takes back where the chain replaced blocks. A kill loses at
most the range under way, and the next poll goes on by the same code.

A node that has not kept the state of old blocks can not confirm what it says of them. What is
read from it is marked as unproven and nothing is answered from it, until the contract's root
at a later block bears it out; where that contradicts it, the mirror goes back to what was
proven.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from registry.chain.client import Client, Head
from registry.chain.ranges import Ranges
from registry.chain.rpc import RpcError
from registry.core.feed import Block
from registry.core.follow import Behind, Deep, Extend, Gap, Local, Need, Rewind, follow
from registry.core.following import Fault
from registry.core.position import Position
from registry.core.units import BlockNumber, UnixSeconds
from registry.core.verdict import FinalityBlocks
from registry.errors import Inconsistent, Rejected, Unavailable
from registry.mirror.batch import Batch
from registry.mirror.engine import Connection, Engine, reading, writing
from registry.mirror.headers import (
    forget_headers,
    settle_headers,
    stored_hash,
    write_headers,
)
from registry.mirror.position import closed_at, read_position, write_position
from registry.mirror.store import append_batch, require_entitled, rewind, size_at
from registry.mirror.tiles import frontier
from registry.services.chain_range import ReadRange, confirmed
from registry.services.interpreter import set_for_syncing
from registry.services.mirror_place import before_first, kept_from, marks, started
from registry.services.read_ahead import ReadAhead, reached
from registry.services.sync_faults import behind, finalized_changed, not_proven, other_settled

BLOCKS_PER_RANGE = 10
"""How many blocks are asked for at first: few, since they may be full of entries."""

MOST_BLOCKS_PER_RANGE = 10_000
ENTRIES_PER_RANGE = 4_000
"""What a range is meant to hold: so many that the commit is a small part of its time, and so
few that two ranges with all their rows stay small beside the program itself."""

Progress = Callable[[int, int, int], None]
"""Called with blocks done, blocks in all, entries so far."""


@dataclass(frozen=True, slots=True)
class Synced:
    """What one sync did, and the head that the node told of."""

    position: Position
    entries_added: int
    entries_removed: int
    head: Block


def sync(
    client: Client, engine: Engine, first_block: BlockNumber, progress: Progress | None = None
) -> Synced:
    """Read the chain from where the mirror stopped to its head.

    Another process may be doing the same: whoever comes second to a range finds it
    written and goes on after it. Raises Unavailable or Inconsistent where the node
    fails or contradicts itself; what was written before stays, and is right.
    """
    try:
        with set_for_syncing():
            poll = _Poll(client, engine, first_block, progress)
            while not poll.step():
                pass
    except (RpcError, Rejected) as error:
        # A node that refuses to be read from says nothing about what it would have said.
        raise Unavailable(str(error), fault=Fault.REFUSED) from error
    return poll.done()


@dataclass(slots=True)
class _Poll:
    """One poll. `stored` is the mirror's position, `base` the one to read on from: another
    one while replaced blocks are still to be taken back, with the next range that is written."""

    client: Client
    engine: Engine
    first_block: BlockNumber
    progress: Progress | None
    head: Head = field(init=False)
    stored: Position = field(init=False)
    base: Position = field(init=False)
    started_at: BlockNumber = field(init=False)
    known: dict[BlockNumber, Block] = field(default_factory=dict)
    ranges: Ranges = field(default_factory=lambda: _ranges())
    added: int = 0
    removed: int = 0

    def __post_init__(self) -> None:
        self.head = self.client.head()
        self.stored = self.base = started(self.client, self.engine, self.head, self.first_block)
        self.started_at = self.base.block

    def step(self) -> bool:
        """Do the next thing that is to be done; whether that was the last."""
        decision = follow(self._local(), self.head.block, self.known, self.head.finality.finalized)
        match decision:
            case Need(numbers):
                self.known |= self.client.headers(numbers)
            case Extend(blocks):
                walked = {block.number: block for block in blocks}
                return self._read(self.head.block.number, walked) if blocks else self._settle()
            case Gap(_, last):
                self._read(last, {})
                # It may have taken hours.
                self._look_again()
            case Rewind(to):
                self.client.require_contract()
                self._take_back(to)
            case Deep(finalized):
                self.client.require_contract()
                raise finalized_changed(finalized)
            case Behind():
                self.client.require_contract()
                raise behind(self.head.block.number, self.base.block)
        return False

    def done(self) -> Synced:
        with reading(self.engine) as connection:
            closed = closed_at(connection, self.stored.size)
        position = replace(self.stored, closed=closed)
        return Synced(position, self.added, self.removed, self.head.block)

    def _local(self) -> Local:
        finalized = BlockNumber(min(self.stored.finality.finalized, self.base.block))
        return Local(marks(self.engine, self.base), finalized, before_first(self.first_block))

    def _look_again(self) -> None:
        self.head, self.known = self.client.head(), {}

    def _take_back(self, to: Block) -> None:
        """Read on from the block `to`. What comes after it is taken back in the same
        transaction that writes what took its place, so that no reader misses either."""
        with reading(self.engine) as connection:
            tree = frontier(connection, size_at(connection, to.number))
        proven = min(self.stored.proven_block, to.number)
        self.base = replace(reached(self.base, to, tree), proven_block=BlockNumber(proven))

    def _read(self, last: BlockNumber, walked: dict[BlockNumber, Block]) -> bool:
        """Read and write range after range up to the block `last`; False where another process
        wrote in between. `walked` are the headers of these blocks, or of none of them."""
        with ReadAhead(self.client, self.ranges, last, walked) as ahead:
            while self.base.block < last:
                try:
                    found, batch = ahead.after(self.base)
                except Inconsistent:
                    self._drop_unproven()
                    raise
                if not self._write(found, batch, walked):
                    self._look_again()
                    return False
                if self.progress:
                    done, in_all = (
                        number - self.started_at
                        for number in (self.base.block, self.head.block.number)
                    )
                    self.progress(done, in_all, self.base.size)
        return True

    def _write(self, found: ReadRange, batch: Batch, walked: dict[BlockNumber, Block]) -> bool:
        """Write a range, and take back what it takes the place of."""
        end = found.end
        at_head = end.hash == self.head.block.hash
        if at_head and not found.proven:
            raise not_proven(end.number)
        # Until replaced blocks are read anew, the mirror lacks a part of the log.
        held = self.base.synced_at if found.proven and self.base is self.stored else None
        read = {block.number: block.hash for block in (*walked.values(), end)}
        following = replace(
            reached(self.base, end, found.tree),
            finality=self._finality(read),
            synced_at=_now() if at_head else held,
            proven_block=end.number if found.proven else self.base.proven_block,
        )
        new = [block for block in walked.values() if self.base.block < block.number < end.number]
        with writing(self.engine) as connection:
            if not self._unchanged(connection):
                return False
            if self.base is not self.stored:
                rewind(connection, self.base.block)
                forget_headers(connection, self.base.block)
            require_entitled(connection, found.recorded)
            append_batch(connection, batch)
            write_headers(connection, [*new, end])
            # The window has no gaps: blocks whose headers were not walked are not in it.
            kept = kept_from(following.finality.finalized, end.number)
            settle_headers(connection, kept if walked else end.number)
            write_position(connection, following)
        self.removed += self.stored.size - self.base.size
        self.added += len(found.recorded)
        self.stored = self.base = following
        return True

    def _settle(self) -> bool:
        """Nothing is new but how far the chain is settled. Never call a mirror up to date
        that has not the contract's own root."""
        if self.base.proven_block < self.base.block:
            try:
                proven = confirmed(self.client, self.base, self.base.frontier())
            except Inconsistent:
                self._drop_unproven()
                raise
            if not proven:
                raise not_proven(self.base.block)
        following = replace(
            self.base,
            finality=self._finality({}),
            synced_at=_now(),
            proven_block=self.base.block,
        )
        with writing(self.engine) as connection:
            if self._unchanged(connection):
                finalized = following.finality.finalized
                settle_headers(connection, kept_from(finalized, following.block))
                write_position(connection, following)
                self.stored = self.base = following
                return True
        self._look_again()
        return False

    def _unchanged(self, connection: Connection) -> bool:
        """Whether the mirror stands where this poll left it; if not, where it stands now."""
        found = read_position(connection)
        if found == self.stored:
            return True
        if found is None:
            raise Inconsistent("the mirror was deleted while it was being synced")
        self.stored = self.base = found
        return False

    def _finality(self, read: Mapping[BlockNumber, bytes]) -> FinalityBlocks:
        """What was final stays so, whatever a node says that lags behind. What it calls settled
        counts once that very block was read: until then the node may have named one of a chain
        that it left since, or came to. `read` are hashes of blocks after `base`."""
        named = {block.number: block.hash for block in self.head.settled}
        before = self.stored.finality.finalized

        def agreed(number: BlockNumber) -> BlockNumber:
            if number <= before or number not in named:
                return max(number, before)
            known = read.get(number) or self._hash_of(number)
            if known not in (None, named[number]):
                raise other_settled(number)
            return before if known is None else number

        finalized = agreed(self.head.finality.finalized)
        return FinalityBlocks(max(finalized, agreed(self.head.finality.safe)), finalized)

    def _hash_of(self, number: BlockNumber) -> bytes | None:
        """The hash of a block up to `base`, if the mirror knows it."""
        if number > self.base.block:
            return None
        if number == self.base.block:
            return self.base.block_hash
        with reading(self.engine) as connection:
            return stored_hash(connection, number)

    def _drop_unproven(self) -> None:
        """What was read since the contract last bore it out may be what is wrong: let it go."""
        stored = self.stored
        if stored.proven_block >= stored.block or stored.size == 0:
            return
        known = marks(self.engine, stored)
        good = [mark for mark in known if mark.number <= stored.proven_block]
        number = good[0].number if good else before_first(self.first_block)
        to = self.client.headers([number])[number]
        with writing(self.engine) as connection:
            if not self._unchanged(connection):
                return
            rewind(connection, number)
            forget_headers(connection, number)
            tree = frontier(connection, size_at(connection, number))
            self.stored = self.base = replace(reached(stored, to, tree), synced_at=None)
            write_position(connection, self.stored)


def _ranges() -> Ranges:
    return Ranges(BLOCKS_PER_RANGE, MOST_BLOCKS_PER_RANGE, logs_wanted=ENTRIES_PER_RANGE)


def _now() -> UnixSeconds:
    return UnixSeconds(int(time.time()))
