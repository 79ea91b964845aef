"""The log's hashes as the mirror keeps them: tiles, written with the entries they are of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, bindparam, delete, func, select, update

from registry.core import tiles
from registry.core.merkle import Frontier
from registry.core.tiles import HASH_SIZE, TileId
from registry.core.units import Digest
from registry.errors import Inconsistent
from registry.mirror import schema

_TILES = schema.tiles
_TILE = select(_TILES.c.hashes).where(
    _TILES.c.level == bindparam("level"), _TILES.c.number == bindparam("number")
)
_WRITE = "INSERT OR REPLACE INTO tiles (level, number, hashes) VALUES (?, ?, ?)"


def read_tile(connection: Connection, tile: TileId) -> bytes | None:
    """A tile as it is now, full or partial."""
    found = connection.execute(_TILE, {"level": tile.level, "number": tile.number}).scalar()
    return None if found is None else bytes(found)


def read_tiles(connection: Connection, wanted: Iterable[TileId]) -> dict[TileId, bytes]:
    """These tiles. Raises Inconsistent where one is missing."""
    found: dict[TileId, bytes] = {}
    for tile in wanted:
        hashes = read_tile(connection, tile)
        if hashes is None:
            raise Inconsistent(
                f"the mirror lacks tile {tile.level}/{tile.number}", hint="run polreg fsck"
            )
        found[tile] = hashes
    return found


def inclusion_path(connection: Connection, index: int, size: int) -> list[Digest]:
    """The path of entry `index` in the log's first `size` entries."""
    return tiles.inclusion_path(
        index, size, read_tiles(connection, tiles.of_inclusion(index, size))
    )


def frontier(connection: Connection, size: int) -> Frontier:
    """The tree of the log's first `size` entries, ready to grow."""
    return Frontier(size, tiles.peaks(size, read_tiles(connection, tiles.of_root(size))))


def append_leaves(connection: Connection, size: int, leaves: Sequence[bytes]) -> None:
    """Let the tree of `size` grow by these leaf hashes."""
    partial = read_tiles(connection, tiles.edge(size))
    changed = tiles.grow(size, leaves, partial)
    rows = [(tile.level, tile.number, hashes) for tile, hashes in changed.items()]
    connection.exec_driver_sql(_WRITE, rows)


def shrink_to(connection: Connection, size: int) -> None:
    """Let the tree be the one of the log's first `size` entries again."""
    for level in range(tiles.MAX_LEVEL + 1):
        last, held = divmod(size >> 8 * level, tiles.WIDTH)
        at_level = _TILES.c.level == level
        after = last if held else last - 1
        connection.execute(delete(_TILES).where(at_level, _TILES.c.number > after))
        if held:
            connection.execute(
                update(_TILES)
                .where(at_level, _TILES.c.number == last)
                .values(hashes=func.substr(_TILES.c.hashes, 1, held * HASH_SIZE))
            )
