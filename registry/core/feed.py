"""What a chain reports of the log: entries and checkpoints with their places."""

from __future__ import annotations

from dataclasses import dataclass, field

from registry.core.entry import Entry
from registry.core.units import BlockNumber, Digest, UnixSeconds


@dataclass(frozen=True, slots=True)
class Block:
    """A block's header, as far as the registry needs it. `transactions` are the hashes of
    those in it, where they are known; they are no part of what makes two blocks the same."""

    number: BlockNumber
    hash: bytes
    parent: bytes
    time: UnixSeconds
    transactions: frozenset[bytes] = field(default=frozenset(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Place:
    """Where on the chain an event stands."""

    block: BlockNumber
    block_hash: bytes
    transaction: bytes
    log_index: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """One appended entry, its leaf hash, and its manifest's bytes if they are in the log."""

    entry: Entry
    leaf: Digest
    place: Place
    manifest: bytes | None


@dataclass(frozen=True, slots=True)
class Checkpointed:
    """The log's size and root at the end of one transaction."""

    size: int
    root: Digest
    place: Place
