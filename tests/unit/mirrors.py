"""Mirrors of small logs, written as the product writes them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from registry.core.feed import Place, Recorded
from registry.core.merkle import Frontier
from registry.core.position import Position
from registry.core.snapshot import Logged
from registry.core.verdict import FinalityBlocks
from registry.mirror.engine import Engine, open_engine, sqlite_url, writing
from registry.mirror.position import write_position
from registry.mirror.store import append


def mirror_of(path: Path, logged: Sequence[Logged]) -> Engine:
    """A mirror that has followed these entries, one block each."""
    return mirror_at(sqlite_url(path), logged)


def mirror_at(url: str, logged: Sequence[Logged]) -> Engine:
    """The same in the database of that URL."""
    engine = open_engine(url)
    frontier = Frontier()
    events = []
    for number, each in enumerate(logged):
        leaf = each.entry.leaf_hash()
        frontier.append(leaf)
        place = Place(number + 1, hashlib.sha256(b"%d" % number).digest(), b"\1" * 32, 0)
        events.append(Recorded(each.entry, leaf, place, each.manifest))
    position = Position(
        chain_id=1,
        contract=b"\1" * 20,
        first_block=1,
        block=len(logged),
        block_hash=events[-1].place.block_hash,
        block_time=0,
        finality=FinalityBlocks(0, 0),
        size=frontier.size,
        root=frontier.root(),
        peaks=tuple(frontier.peaks),
        synced_at=0,
        proven_block=len(logged),
    )
    with writing(engine) as connection:
        append(connection, events)
        write_position(connection, position)
    return engine
