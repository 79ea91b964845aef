"""How many blocks to ask a node's logs for at once.

Grows while answers are small and quick, shrinks where a node refuses, is too slow or
answers with too much. No limit that was met is kept for good, for the next stretch of the
chain, or the next node, may have another: it is tried again after more and more answers.
Reads no clock and asks nothing.

    ranges = Ranges(500, 10_000)
    last = ranges.next(first, head)
    try: logs = …first to last…
    except (Unavailable, RpcError) as error:
        if ranges.refused(error): …ask again with ranges.next(first, head)…
        else: raise
    ranges.answered(last - first + 1, len(logs), seconds)
"""

from __future__ import annotations

from registry.chain.faults import TooLarge
from registry.chain.range_words import asks_for_fewer_blocks, blocks_named
from registry.chain.rpc import RpcError
from registry.core.following import Fault
from registry.core.units import BlockNumber
from registry.errors import RegistryError, Unavailable

LOGS_WANTED = 10_000
"""What one answer is meant to hold at most: about 20 MB with manifests of 300 bytes."""

SLOW_SECONDS = 5.0
"""An answer that took this long came too slowly to ask for more."""

# How many answers in a row it takes to try a larger range: at first one, and after a
# refusal ever more, so that a limit that stays costs less and less to have been tried.
_PATIENCE_AFTER_REFUSAL = 8
_MOST_PATIENCE = 1024

# Where nothing else is known a time-out says that much less is needed: each costs its time.
_SHRINK_AFTER_TIME_OUT = 8


class Ranges:
    """Sizes of ranges for one node, `initial` blocks at first and `most` at last."""

    def __init__(self, initial: int, most: int, *, logs_wanted: int = LOGS_WANTED) -> None:
        if not 0 < initial <= most:
            raise ValueError("a range has at least one block, and at most `most`")
        self._most = most
        self._logs_wanted = logs_wanted
        self._span = initial
        self._asked = initial
        self._first = BlockNumber(0)
        self._refusals = 0
        self._in_a_row = 0
        self._patience = 1
        self._trying = False

    @property
    def span(self) -> int:
        """How many blocks the next range has, where there are so many."""
        return self._span

    def next(self, first: BlockNumber, head: BlockNumber) -> BlockNumber:
        """The last block to ask for, from `first` on: `head` or one before it."""
        last = BlockNumber(min(first + self._span - 1, head))
        self._first, self._asked = first, last - first + 1
        return last

    def answered(self, blocks: int, logs: int, seconds: float = 0.0) -> None:
        """The node answered for so many blocks, with so many logs, in so long."""
        self._refusals = 0
        if logs > self._logs_wanted:
            self._shrink_to(blocks * self._logs_wanted // logs)
        elif seconds > 2 * SLOW_SECONDS:
            self._shrink_to(blocks // 2)
        elif blocks >= self._span and logs * 2 <= self._logs_wanted and seconds <= SLOW_SECONDS:
            self._grow()

    def refused(self, error: RegistryError) -> bool:
        """Whether to ask again, with the smaller range that `next` gives now.

        False where the error says nothing of the range, or where it is a second time-out in
        a row: the next attempt is smaller then, but whoever asked should hear of it first.
        Raises Unavailable where the range that is refused is a single block.
        """
        timed_out = isinstance(error, Unavailable) and error.fault == Fault.TIMED_OUT
        too_large = isinstance(error, TooLarge)
        too_wide = isinstance(error, RpcError) and asks_for_fewer_blocks(error.message)
        if not (timed_out or too_large or too_wide):
            return False
        if self._asked == 1:
            if timed_out:
                return False
            raise Unavailable(
                f"the node does not even answer for the logs of block {self._first} alone: {error}",
                hint="its limits are too small for this block: use another node in POLREG_RPC_URL",
                fault=Fault.REFUSED if too_wide else Fault.MALFORMED,
            ) from None
        if self._refusals == 0:
            more = max(self._patience * 4, _PATIENCE_AFTER_REFUSAL)
            self._patience = min(more, _MOST_PATIENCE)
        self._shrink_to(self._smaller(error, timed_out))
        self._refusals += 1
        return not timed_out or self._refusals == 1

    def _grow(self) -> None:
        if self._trying:
            self._patience = max(1, self._patience // 4)
            self._trying = False
        self._in_a_row += 1
        if self._in_a_row >= self._patience and self._span < self._most:
            self._span = min(self._span * 2, self._most)
            self._in_a_row = 0
            self._trying = True

    def _smaller(self, error: RegistryError, timed_out: bool) -> int:
        if timed_out:
            return self._asked // _SHRINK_AFTER_TIME_OUT
        half = self._asked // 2
        named = blocks_named(error.message, self._asked) if isinstance(error, RpcError) else None
        if named is None:
            return half
        # Believed once: a node that refuses the size it named itself is asked for halves.
        return named if self._refusals == 0 else min(named, half)

    def _shrink_to(self, blocks: int) -> None:
        self._span = max(1, min(blocks, self._most))
        self._in_a_row = 0
        self._trying = False
