"""The tiles that leaves make, beside the ones that are stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection

from registry.core import tiles
from registry.core.merkle import Frontier
from registry.core.tiles import HASH_SIZE, TILE_SIZE, WIDTH, TileId
from registry.mirror.findings import Finding
from registry.mirror.stored import stored

_SOME = (
    "SELECT number, hashes FROM tiles WHERE level = :level AND number >= :low AND number < :high"
)


class RecomputedTiles:
    """All tiles of a growing tree, computed anew. Of those that are done, the ones that are
    stored otherwise are kept in `differing`, as they should be."""

    def __init__(self, connection: Connection) -> None:
        self.size = 0
        self.there = 0
        self.differing: dict[TileId, bytes] = {}
        self._connection = connection
        self._partial: dict[TileId, bytes] = {}

    def grow(self, leaves: Sequence[bytes]) -> None:
        """Take on the next leaf hashes."""
        changed = tiles.grow(self.size, leaves, self._partial)
        self.size += len(leaves)
        kept = {**self._partial, **changed}
        self._partial = {tile: kept[tile] for tile in tiles.edge(self.size)}
        for tile, hashes in changed.items():
            if len(hashes) == TILE_SIZE:
                self._compare(tile, hashes)

    def finish(self) -> Frontier:
        """The tree, once it has all its leaves."""
        for tile, hashes in self._partial.items():
            self._compare(tile, hashes)
        return Frontier(self.size, tiles.peaks(self.size, self._partial))

    def _compare(self, tile: TileId, hashes: bytes) -> None:
        found = stored_tile(self._connection, tile)
        self.there += found is not None
        right = tiles.with_nodes(hashes)
        if found != right:
            self.differing[tile] = right


def from_stored_leaves(
    connection: Connection, size: int
) -> tuple[Frontier, dict[TileId, bytes]] | None:
    """The tree that the stored leaf hashes make, and the tiles above them that are stored
    otherwise; None where a leaf hash is missing."""
    recomputed = RecomputedTiles(connection)
    while recomputed.size < size:
        tile = TileId(0, recomputed.size // WIDTH)
        hashes, end = stored_tile(connection, tile), tiles.width(tile, size) * HASH_SIZE
        if not isinstance(hashes, bytes) or len(hashes) < end:
            return None
        recomputed.grow([hashes[at : at + HASH_SIZE] for at in range(0, end, HASH_SIZE)])
    return recomputed.finish(), recomputed.differing


def surplus(connection: Connection, size: int) -> Iterator[Finding]:
    """Tiles that a tree of this size has not."""
    for level, number in stored(connection, "SELECT level, number FROM tiles"):
        possible = isinstance(level, int) and isinstance(number, int) and number >= 0
        if not possible or not 0 <= level <= tiles.MAX_LEVEL:
            yield Finding("tiles", (level, number), "there is no such tile")
        elif not tiles.width(TileId(level, number), size):
            yield Finding("tiles", (level, number), f"a log of {size} entries has no such tile")


def stored_tile(connection: Connection, tile: TileId) -> object:
    """A tile's hashes as they are stored, None where there are none."""
    return stored_tiles(connection, tile.level, tile.number, tile.number + 1).get(tile.number)


def stored_tiles(connection: Connection, level: int, low: int, high: int) -> dict[int, object]:
    """The same for the tiles of a level from number `low` up to, and without, `high`."""
    return dict(stored(connection, _SOME, level=level, low=low, high=high))
