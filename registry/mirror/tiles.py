"""The log's hashes as the mirror keeps them: tiles, written with the entries they are of."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    Connection,
    Select,
    and_,
    bindparam,
    delete,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects import registry

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
_WRITE = text(
    "INSERT INTO tiles (level, number, hashes) VALUES (:level, :number, :hashes) "
    "ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes"
)


def read_tile(connection: Connection, tile: TileId) -> bytes | None:
    """A tile as it is kept: a full one with the nodes above its hashes."""
    found = connection.execute(_TILE, {"level": tile.level, "number": tile.number}).scalar()
    return None if found is None else bytes(found)


def read_tiles(connection: Connection, wanted: Collection[TileId]) -> dict[TileId, bytes]:
    """These tiles, in one look-up. Raises Inconsistent where one is missing."""
    if not wanted:
        return {}
    rows = _rows(connection, list(wanted))
    found = {TileId(level, number): bytes(hashes) for level, number, hashes in rows}
    for tile in wanted:
        if tile not in found:
            raise Inconsistent(
                f"the mirror lacks tile {tile.level}/{tile.number}", hint="run polreg fsck"
            )
    return found


def _rows(connection: Connection, wanted: Sequence[TileId]) -> list[Any]:
    if connection.dialect.positional:
        # Written out once: the look-up is on the hot path, and takes less than its making.
        statement = _in_words(connection.dialect.name, len(wanted))
        keys = tuple(key for tile in wanted for key in tile)
        return list(connection.exec_driver_sql(statement, keys))
    named = {
        f"{name}{at}": key
        for at, tile in enumerate(wanted)
        for name, key in (("level", tile.level), ("number", tile.number))
    }
    return list(connection.execute(_some_tiles(len(wanted)), named))


@cache
def _in_words(dialect: str, count: int) -> str:
    return str(_some_tiles(count).compile(dialect=registry.load(dialect)()))


@cache
def _some_tiles(count: int) -> Select[Any]:
    """A look-up of `count` tiles. Written with OR: for pairs IN a list SQLite reads the
    whole table."""
    each = (
        and_(_TILES.c.level == bindparam(f"level{at}"), _TILES.c.number == bindparam(f"number{at}"))
        for at in range(count)
    )
    return select(_TILES.c.level, _TILES.c.number, _TILES.c.hashes).where(or_(*each))


def inclusion_path(connection: Connection, index: int, size: int) -> list[Digest]:
    """The path of entry `index` in the log's first `size` entries."""
    return tiles.inclusion_path(
        index, size, read_tiles(connection, tiles.of_inclusion(index, size))
    )


def frontier(connection: Connection, size: int) -> Frontier:
    """The tree of the log's first `size` entries, ready to grow."""
    if size == 0:
        return Frontier()
    return Frontier(size, tiles.peaks(size, read_tiles(connection, tiles.of_root(size))))


def append_leaves(connection: Connection, size: int, leaves: Sequence[bytes]) -> None:
    """Let the tree of `size` grow by these leaf hashes."""
    partial = read_tiles(connection, tiles.edge(size))
    changed = tiles.grow(size, leaves, partial)
    rows = [
        {"level": tile.level, "number": tile.number, "hashes": tiles.with_nodes(hashes)}
        for tile, hashes in changed.items()
    ]
    if rows:
        connection.execute(_WRITE, rows)


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
