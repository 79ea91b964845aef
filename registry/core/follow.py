"""What a mirror has to do to follow a chain, decided from block hashes alone.

`follow` is asked again whenever more of the chain's headers are known, until it says what
to do. Of a chain's head, seen from where the mirror stands, one of these is true:

    the head is where the mirror stands, or its ancestors lead there     Extend
    the mirror is on the chain, so far back that headers are not walked  Gap
    the chain has other blocks than the mirror, all of them unsettled    Rewind
    it has another block than one that was finalised                     Deep
    the head is a block that the mirror has passed                       Behind
    which of these it is does not follow from the headers known yet      Need

Every header that is walked names its parent, so a chain that was read piece by piece, while
it changed, is found not to hang together: that raises Inconsistent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from registry.core.feed import Block
from registry.core.following import Fault
from registry.core.units import BlockNumber
from registry.errors import Inconsistent

WALKED = 512
"""How many blocks behind the head a mirror may be for each header to be walked."""

_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Mark:
    """A block that the mirror knows to have read."""

    number: BlockNumber
    hash: bytes


@dataclass(frozen=True, slots=True)
class Local:
    """Where a mirror stands. `marks` are the blocks that it knows, its tip first and then
    ever older ones, not all of them; among those is the newest finalised one, which no block
    may replace any more. `start` is the number of the block before the first one to be read."""

    marks: Sequence[Mark]
    finalized: BlockNumber
    start: BlockNumber

    @property
    def tip(self) -> Mark:
        return self.marks[0]


@dataclass(frozen=True, slots=True)
class Extend:
    """These follow the mirror's tip, the head last; none, where it stands at the head."""

    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """The blocks `first` to `last` can be read without walking their headers."""

    first: BlockNumber
    last: BlockNumber


@dataclass(frozen=True, slots=True)
class Rewind:
    """`to` is the newest block that mirror and chain share: all after it were replaced."""

    to: Block


@dataclass(frozen=True, slots=True)
class Deep:
    """The chain has another block than one that was final, up to the block `finalized`."""

    finalized: BlockNumber


@dataclass(frozen=True, slots=True)
class Behind:
    """The node has yet to reach blocks that the mirror has read."""


@dataclass(frozen=True, slots=True)
class Need:
    """The headers of these blocks have to be read from the same node."""

    numbers: tuple[BlockNumber, ...]


Decision = Extend | Gap | Rewind | Deep | Behind | Need


def follow(
    local: Local, head: Block, known: Mapping[BlockNumber, Block], settled: BlockNumber
) -> Decision:
    """What is to be done. `known` are headers of the chain with the block `head`; up to the
    block `settled` the node calls its own chain final.

    Raises Inconsistent where the headers do not hang together.
    """
    headers = {**known, head.number: head}
    tip = local.tip
    if head.number > tip.number:
        walked = BlockNumber(max(settled, head.number - WALKED))
        if tip.number < walked:
            return _far_behind(local, head, headers, walked)
        missing = _missing(range(tip.number + 1, head.number), headers)
        if missing:
            return Need(missing)
        following = tuple(headers[BlockNumber(n)] for n in range(tip.number + 1, head.number + 1))
        _require_linked(following)
        if following[0].parent == tip.hash:
            return Extend(following)
    elif head.number == tip.number and head.hash == tip.hash:
        return Extend(())
    return _parted(local, head, headers)


def _far_behind(
    local: Local, head: Block, headers: Mapping[BlockNumber, Block], last: BlockNumber
) -> Decision:
    at_tip = headers.get(local.tip.number)
    if at_tip is None:
        return Need((local.tip.number,))
    if at_tip.hash == local.tip.hash:
        return Gap(BlockNumber(local.tip.number + 1), last)
    return _parted(local, head, headers)


def _parted(local: Local, head: Block, headers: Mapping[BlockNumber, Block]) -> Decision:
    """The mirror's tip is not among the head's ancestors, or the head among the tip's."""
    reached = [mark for mark in local.marks if mark.number <= head.number]
    for place, mark in enumerate(reached):
        header = headers.get(mark.number)
        if header is None:
            # Ever more at a time: a reorganisation is mostly short.
            some = reached[place : place + max(8, min(2 * place, _AT_ONCE))]
            return Need(_missing([each.number for each in some], headers))
        if header.hash == mark.hash:
            # Until a block differs, a node that has fewer of them is merely late.
            return _shared(header, headers) if place else _no_further(local, head)
        if mark.number <= local.finalized:
            return Deep(local.finalized)
    if not reached:
        return Behind()
    start = headers.get(local.start)
    return Rewind(start) if start is not None else Need((local.start,))


def _no_further(local: Local, head: Block) -> Decision:
    if head.number < local.tip.number:
        return Behind()
    raise _unlinked(BlockNumber(local.tip.number + 1))


def _shared(shared: Block, headers: Mapping[BlockNumber, Block]) -> Decision:
    following = headers.get(BlockNumber(shared.number + 1))
    if following is not None and following.parent != shared.hash:
        raise _unlinked(following.number)
    return Rewind(shared)


def _missing(
    numbers: Sequence[int], headers: Mapping[BlockNumber, Block]
) -> tuple[BlockNumber, ...]:
    return tuple(BlockNumber(n) for n in numbers if n not in headers)


def _require_linked(blocks: Sequence[Block]) -> None:
    for before, block in pairwise(blocks):
        if block.parent != before.hash:
            raise _unlinked(block.number)


def _unlinked(number: BlockNumber) -> Inconsistent:
    return Inconsistent(
        f"block {number} of the node does not follow the block before it: the node changed "
        "its chain while it was read, or answers from several",
        hint="trying again helps, unless the node is faulty",
        fault=Fault.UNLINKED_BLOCKS,
    )
