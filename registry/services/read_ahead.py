"""The next range of blocks is read, and its rows made ready, while the one before it is written.

A node takes as long to answer as a database to write, and both leave this process idle; nor does
SQLite need Python while it inserts. So one thread reads, checks and derives, and the caller's
own has little to do but to wait for the database. What comes out is what `read_range` and
`batch_of` give for each range in turn, errors included.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from types import TracebackType
from typing import Self

from registry.chain.client import Client
from registry.chain.ranges import Ranges
from registry.chain.rpc import RpcError
from registry.core.feed import Block
from registry.core.merkle import Frontier
from registry.core.position import Position
from registry.core.units import BlockNumber
from registry.errors import Unavailable
from registry.mirror.batch import Batch, batch_of
from registry.services.chain_range import ReadRange, read_range

Ready = tuple[ReadRange, Batch]
"""A range that is right as far as it can be known, and its entries as rows."""


class ReadAhead:
    """Ranges up to the block `last`, one after the other. `walked` are the headers of these
    blocks, or of none of them. No thread is started where there is one range alone."""

    def __init__(
        self,
        client: Client,
        ranges: Ranges,
        last: BlockNumber,
        walked: Mapping[BlockNumber, Block],
    ) -> None:
        self._client = client
        self._ranges = ranges
        self._last = last
        self._walked = walked
        self._threads: ThreadPoolExecutor | None = None
        self._reading: tuple[Position, Future[Ready]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        # Nobody reads from the node behind the back of whoever asks it next.
        if self._threads is not None:
            self._threads.shutdown(wait=True, cancel_futures=True)

    def after(self, position: Position) -> Ready:
        """The range after `position`, which is where the one before ended; the next begins
        to be read.

        Raises as `read_range` does, RpcError and Unavailable only where a smaller range is
        of no use.
        """
        ready = self._taken(position)
        found, _ = ready
        if found.end.number < self._last:
            following = reached(position, found.end, found.tree)
            if self._threads is None:
                self._threads = ThreadPoolExecutor(1, thread_name_prefix="read-ahead")
            self._reading = following, self._threads.submit(self._read, following)
        return ready

    def _taken(self, position: Position) -> Ready:
        if self._reading is None:
            return self._read(position)
        (expected, reading), self._reading = self._reading, None
        if (expected.block_hash, expected.root) != (position.block_hash, position.root):
            raise ValueError("a range follows the one before it")
        return reading.result()

    def _read(self, position: Position) -> Ready:
        first = BlockNumber(position.block + 1)
        while True:
            end = self._ranges.next(first, self._last)
            started = time.monotonic()
            try:
                found = read_range(self._client, position, end, self._walked)
            except (RpcError, Unavailable) as error:
                if not self._ranges.refused(error):
                    raise
                continue
            seconds = time.monotonic() - started
            self._ranges.answered(end - first + 1, len(found.recorded), seconds)
            return found, batch_of(found.recorded)


def reached(position: Position, block: Block, tree: Frontier) -> Position:
    """`position`, gone on to `block`, where the log is `tree`."""
    return replace(
        position,
        block=block.number,
        block_hash=block.hash,
        block_time=block.time,
        size=tree.size,
        root=tree.root(),
        peaks=tuple(tree.peaks),
    )
