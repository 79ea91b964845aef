"""Where a mirror stands: which chain it follows and how far it has read it."""

from __future__ import annotations

from dataclasses import dataclass

from registry.core.merkle import Frontier
from registry.core.units import Address, BlockNumber, Digest, UnixSeconds
from registry.core.verdict import FinalityBlocks


@dataclass(frozen=True, slots=True)
class Position:
    """Which chain a mirror follows, and how far it has read it. `synced_at` is when it
    last held all that its node had, None before the first time. `proven_block` is the last
    block at which the contract itself was seen to have the root of its time: what was read
    after it rests on events alone. `closed` is the successor
    that the last of the entries names, if that one closed the log: 20 zero bytes where it
    names none, and None while the log is open. It is read from that entry, not stored."""

    chain_id: int
    contract: Address
    first_block: BlockNumber
    block: BlockNumber
    block_hash: bytes
    block_time: UnixSeconds
    finality: FinalityBlocks
    size: int
    root: Digest
    peaks: tuple[Digest, ...]
    synced_at: UnixSeconds | None
    proven_block: BlockNumber
    closed: Address | None = None

    def frontier(self) -> Frontier:
        return Frontier(self.size, self.peaks)
