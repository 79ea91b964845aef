"""Tiles: the log's hashes in pieces of 256, as C2SP tlog-tiles lays them out.

Tile `number` of `level` holds the roots of the perfect subtrees of 256^level leaves, from
subtree 256·number on, 32 bytes each. A full tile has 256 of them and never changes; at
most one tile a level is partial. Every node of the tree that a proof needs lies in a
tile or is hashed from a part of one, so that a proof of a tree of any size reads at most
two tiles a level. Source: c2sp.org/tlog-tiles.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from registry.core.merkle import (
    EMPTY_ROOT,
    Range,
    consistency_ranges,
    inclusion_ranges,
    node_hash,
    subtrees,
)
from registry.core.units import Digest

WIDTH = 256
HASH_SIZE = 32
TILE_SIZE = WIDTH * HASH_SIZE
WITH_NODES_SIZE = (2 * WIDTH - 1) * HASH_SIZE
"""A full tile with the 255 nodes above its hashes after them."""
MAX_LEVEL = 7
"""The highest level that a tree of fewer than 2^64 leaves has."""

_HEIGHT = 8
_PER_ELEMENT = 1000
# A level-0 tile and what is hashed from it are 16 KiB.
_REMEMBERED = 1024


class TileId(NamedTuple):
    """Which tile: level 0 holds the leaf hashes."""

    level: int
    number: int


Tiles = Mapping[TileId, bytes]


def width(tile: TileId, size: int) -> int:
    """How many hashes the tile has in a tree of `size`."""
    return min(WIDTH, max(0, (size >> _HEIGHT * tile.level) - WIDTH * tile.number))


def path(tile: TileId, hashes: int) -> str:
    """Where C2SP tlog-tiles puts the tile: `tile/0/x001/x234/067`, a partial one of N
    hashes at `….p/N`."""
    elements = [f"{tile.number % _PER_ELEMENT:03d}"]
    rest = tile.number // _PER_ELEMENT
    while rest:
        elements.append(f"x{rest % _PER_ELEMENT:03d}")
        rest //= _PER_ELEMENT
    partial = "" if hashes == WIDTH else f".p/{hashes}"
    return f"tile/{tile.level}/{'/'.join(reversed(elements))}{partial}"


def edge(size: int) -> list[TileId]:
    """The partial tiles of a tree of `size`: what has to be read to make it grow."""
    counts = ((level, size >> _HEIGHT * level) for level in range(MAX_LEVEL + 1))
    return [TileId(level, count // WIDTH) for level, count in counts if count % WIDTH]


def grow(size: int, leaves: Sequence[bytes], partial: Tiles) -> dict[TileId, bytes]:
    """The tiles that change when a tree of `size` takes on `leaves` (leaf hashes).

    `partial` holds the tiles of `edge(size)`; raises ValueError where one has another width.
    """
    changed: dict[TileId, bytes] = {}
    level, first, fresh = 0, size, list(leaves)
    while fresh:
        full: list[bytes] = []
        for tile, some in _by_tile(level, first, fresh):
            held = partial.get(tile, b"")
            if len(held) != width(tile, size) * HASH_SIZE:
                raise ValueError(f"{tile} does not hold what a tree of {size} has in it")
            changed[tile] = held + b"".join(some)
            if len(changed[tile]) == TILE_SIZE:
                full.append(_perfect(changed[tile])[_HEIGHT])
        level, first, fresh = level + 1, first // WIDTH, full
    return changed


def _by_tile(
    level: int, first: int, hashes: Sequence[bytes]
) -> Iterator[tuple[TileId, Sequence[bytes]]]:
    at = 0
    while at < len(hashes):
        number, held = divmod(first + at, WIDTH)
        yield TileId(level, number), hashes[at : at + WIDTH - held]
        at += WIDTH - held


def with_nodes(hashes: bytes) -> bytes:
    """A full tile with all nodes above its hashes, level by level, so that a proof reads what
    it would have to hash; a partial tile as it is. Proofs take either form."""
    return b"".join(_perfect(hashes)) if len(hashes) == TILE_SIZE else hashes


def of_inclusion(index: int, size: int) -> frozenset[TileId]:
    """The tiles that the inclusion path of leaf `index` is computed from."""
    return _inclusion(index, size).tiles


def inclusion_path(index: int, size: int, tiles: Tiles) -> list[Digest]:
    """PATH(index, leaves) of RFC 9162 §2.1.3.1, from the tiles of `of_inclusion`."""
    return _inclusion(index, size).hashes(tiles)


def of_consistency(size1: int, size2: int) -> frozenset[TileId]:
    """The tiles that the consistency path between two sizes is computed from."""
    return _consistency(size1, size2).tiles


def consistency_path(size1: int, size2: int, tiles: Tiles) -> list[Digest]:
    """PROOF(size1, leaves) of RFC 9162 §2.1.4.1, from the tiles of `of_consistency`."""
    return _consistency(size1, size2).hashes(tiles)


def of_root(size: int) -> frozenset[TileId]:
    """The tiles that the root of the first `size` leaves is computed from."""
    return _plan([(0, size)]).tiles


def peaks(size: int, tiles: Tiles) -> list[Digest]:
    """The roots of the perfect subtrees of a tree of `size`, the largest first."""
    return [_node(place, tiles) for place in _plan([(0, size)]).ranges[0]]


def root(size: int, tiles: Tiles) -> Digest:
    """The root of the first `size` leaves, from the tiles of `of_root`."""
    return _plan([(0, size)]).hashes(tiles)[0] if size else EMPTY_ROOT


_Place = tuple[TileId, int, int]
"""Where the root of a perfect subtree is: the tile that it is hashed from, the height above
that tile's hashes, and its number among the tile's nodes of this height."""


class _Plan(NamedTuple):
    """What a proof is computed from: for each of its hashes the perfect subtrees, from the
    left, that make up the leaves it is over."""

    ranges: Sequence[Sequence[_Place]]
    tiles: frozenset[TileId]

    def hashes(self, tiles: Tiles) -> list[Digest]:
        found = []
        for places in self.ranges:
            nodes = [_node(place, tiles) for place in places]
            node = nodes.pop()
            while nodes:
                node = node_hash(nodes.pop(), node)
            found.append(node)
        return found


# Whoever asks for a proof's tiles asks for the proof next.
@lru_cache(maxsize=64)
def _inclusion(index: int, size: int) -> _Plan:
    return _plan(inclusion_ranges(index, size))


@lru_cache(maxsize=64)
def _consistency(size1: int, size2: int) -> _Plan:
    return _plan(consistency_ranges(size1, size2))


def _plan(ranges: Iterable[Range]) -> _Plan:
    places = [_places(start, end) for start, end in ranges]
    return _Plan(places, frozenset([place[0] for each in places for place in each]))


def _places(start: int, end: int) -> list[_Place]:
    leaves = end - start
    if leaves & leaves - 1 == 0:
        # All but one of a path's ranges: a perfect subtree as a whole.
        height = leaves.bit_length() - 1
        return [_place(height, start >> height)]
    return [_place(height, position) for height, position in subtrees(start, end)]


def _place(height: int, position: int) -> _Place:
    above = height % _HEIGHT
    tile = TileId(height // _HEIGHT, position >> _HEIGHT - above)
    return tile, above, position & (WIDTH >> above) - 1


def _node(place: _Place, tiles: Tiles) -> Digest:
    tile, above, within = place
    content = tiles[tile]
    if len(content) == WITH_NODES_SIZE:
        at = 2 * WIDTH - (2 * WIDTH >> above) + within
    else:
        content, at = _perfect(content)[above], within
    node = content[at * HASH_SIZE : (at + 1) * HASH_SIZE]
    if len(node) != HASH_SIZE:
        raise ValueError(f"{tile} is too short for the tree")
    return Digest(node)


@lru_cache(maxsize=_REMEMBERED)
def _perfect(hashes: bytes) -> tuple[bytes, ...]:
    """The nodes of each height, from 0 to 8, of all perfect subtrees over `hashes`.

    Remembered by content, so that nothing ever has to be forgotten when a log changes.
    """
    levels = [hashes]
    for _ in range(_HEIGHT):
        below = levels[-1]
        pairs = range(0, len(below) - 2 * HASH_SIZE + 1, 2 * HASH_SIZE)
        levels.append(
            b"".join(sha256(b"\x01" + below[at : at + 2 * HASH_SIZE]).digest() for at in pairs)
        )
    return tuple(levels)
