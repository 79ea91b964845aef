"""Tiles give the proofs that the leaves give, from a bounded number of hashes."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from test_merkle import LEAVES, consistency, inclusion
from test_merkle import root as root_of

from registry.core import merkle, tiles
from registry.core.tiles import HASH_SIZE, MAX_LEVEL, TILE_SIZE, WIDTH, TileId
from registry.errors import Inconsistent
from registry.mirror import schema
from registry.mirror import tiles as stored
from registry.mirror.engine import Engine, open_engine, reading, sqlite_url, writing

LARGEST = 2**64 - 1
# Beyond a full tile of tiles: the first hash of level 2 is of 65,536 leaves.
MOST = WIDTH * WIDTH + 600
MANY = [hashlib.sha256(b"\0leaf %d" % n).digest() for n in range(MOST)]
SIZES = st.integers(1, LARGEST) | st.sampled_from(
    [1, 255, 256, 257, 2**16 - 1, 2**16, 2**16 + 1, 2**63, LARGEST - 1, LARGEST]
)


def grown(leaves: Sequence[bytes], steps: Sequence[int]) -> dict[TileId, bytes]:
    """The tiles of a tree that has grown to each of these sizes in turn."""
    held: dict[TileId, bytes] = {}
    size = 0
    for following in steps:
        partial = {tile: held[tile] for tile in tiles.edge(size)}
        held |= tiles.grow(size, leaves[size:following], partial)
        size = following
    return held


def at_once(leaves: Sequence[bytes]) -> dict[TileId, bytes]:
    """The same from the definition: each tile holds the roots of perfect subtrees."""
    held: dict[TileId, bytes] = {}
    level, hashes = 0, list(leaves)
    while hashes:
        for at in range(0, len(hashes), WIDTH):
            held[TileId(level, at // WIDTH)] = b"".join(hashes[at : at + WIDTH])
        whole = range(0, len(hashes) - WIDTH + 1, WIDTH)
        level, hashes = level + 1, [merkle.root(hashes[at : at + WIDTH]) for at in whole]
    return held


@cache
def of(size: int) -> dict[TileId, bytes]:
    return at_once(LEAVES[:size])


@cache
def large() -> dict[TileId, bytes]:
    return at_once(MANY)


def only(held: dict[TileId, bytes], wanted: frozenset[TileId], size: int) -> dict[TileId, bytes]:
    """These tiles as they are in a tree of `size`."""
    return {tile: held[tile][: tiles.width(tile, size) * HASH_SIZE] for tile in wanted}


# Proofs


def some_below(size: int) -> set[int]:
    chosen = random.Random(size)
    edges = {0, size - 1, size // WIDTH * WIDTH, WIDTH - 1}
    return {at for at in edges if at < size} | {chosen.randrange(size) for _ in range(2)}


def test_inclusion_paths_are_the_trees_own_for_every_size() -> None:
    for size in range(1, len(LEAVES)):
        for index in some_below(size):
            wanted = tiles.of_inclusion(index, size)
            found = tiles.inclusion_path(index, size, only(of(size), wanted, size))
            assert found == inclusion(index, size)


def test_consistency_paths_are_the_trees_own_for_every_size() -> None:
    for size2 in range(1, len(LEAVES)):
        for size1 in {at + 1 for at in some_below(size2)}:
            wanted = tiles.of_consistency(size1, size2)
            found = tiles.consistency_path(size1, size2, only(of(size2), wanted, size2))
            assert found == consistency(size1, size2)


def test_roots_and_peaks_are_the_trees_own_for_every_size() -> None:
    assert tiles.root(0, {}) == merkle.EMPTY_ROOT
    frontier = merkle.Frontier()
    for size in range(1, len(LEAVES)):
        frontier.append(LEAVES[size - 1])  # type: ignore[arg-type]
        held = only(of(size), tiles.of_root(size), size)
        assert tiles.root(size, held) == root_of(size)
        assert tiles.peaks(size, held) == frontier.peaks


AROUND = [600, 65_536, MOST]


@pytest.mark.parametrize("size", AROUND)
def test_proofs_of_larger_trees_are_the_leaves_own(size: int) -> None:
    leaves, held = MANY[:size], large()
    tree = merkle.root(leaves)
    assert tiles.root(size, only(held, tiles.of_root(size), size)) == tree
    for index in (0, 255, 256, size // 2, size - 257, size - 1):
        wanted = only(held, tiles.of_inclusion(index, size), size)
        path = tiles.inclusion_path(index, size, wanted)
        merkle.verify_inclusion(leaves[index], index, size, path, tree)
    for size1 in (1, 257, size - 1):
        wanted = only(held, tiles.of_consistency(size1, size), size)
        path = tiles.consistency_path(size1, size, wanted)
        merkle.verify_consistency(size1, size, path, merkle.root(leaves[:size1]), tree)


@given(st.data(), SIZES)
def test_a_proof_reads_at_most_two_tiles_of_a_level(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    size1 = data.draw(st.integers(1, size))
    for wanted in (
        tiles.of_inclusion(index, size),
        tiles.of_consistency(size1, size),
        tiles.of_root(size),
    ):
        levels = [tile.level for tile in wanted]
        assert all(levels.count(level) <= 2 for level in levels)
        assert max(levels, default=0) <= MAX_LEVEL
        assert all(tiles.width(tile, size) for tile in wanted)


def test_a_tile_that_is_too_short_gives_no_proof() -> None:
    short = {tile: hashes[:-HASH_SIZE] for tile, hashes in of(300).items()}
    with pytest.raises(ValueError, match="too short"):
        tiles.root(300, short)
    with pytest.raises(ValueError, match="too short"):
        tiles.inclusion_path(0, 300, short)


def test_a_later_trees_tiles_give_an_earlier_trees_proofs() -> None:
    """Full tiles never change, and a partial one only grows."""
    for size in (1, 7, 255, 256, 257, 400):
        assert tiles.root(size, of(512)) == root_of(size)
        assert tiles.inclusion_path(size - 1, size, of(512)) == inclusion(size - 1, size)


# Growth


@given(st.lists(st.integers(0, len(LEAVES)), max_size=12))
def test_tiles_do_not_depend_on_the_steps_of_growth(sizes: list[int]) -> None:
    steps = sorted(sizes)
    assert grown(LEAVES, steps) == at_once(LEAVES[: steps[-1] if steps else 0])


def test_a_tile_of_tiles_is_made_when_it_is_full() -> None:
    chosen = random.Random(1)
    steps = [*sorted(chosen.sample(range(MOST), 12)), 65_535, 65_536, 65_537, MOST]
    assert grown(MANY, sorted(steps)) == large()
    assert TileId(2, 0) in large()
    assert len(large()[TileId(2, 0)]) == HASH_SIZE


@pytest.mark.parametrize("size", [1, 255, 257, 300, 65_537])
@pytest.mark.parametrize("wrong", [b"", b"\0" * 31, "one hash less", "one hash more"])
def test_a_partial_tile_of_another_width_is_refused(size: int, wrong: bytes | str) -> None:
    held = {tile: large()[tile][: tiles.width(tile, size) * HASH_SIZE] for tile in tiles.edge(size)}
    first = held[TileId(0, size // WIDTH)]
    match wrong:
        case "one hash less":
            altered = first[:-HASH_SIZE]
        case "one hash more":
            altered = first + bytes(HASH_SIZE)
        case _:
            altered = bytes(wrong)  # type: ignore[arg-type]
    held[TileId(0, size // WIDTH)] = altered
    with pytest.raises(ValueError, match="does not hold what a tree of"):
        tiles.grow(size, MANY[size : size + 1], held)


def test_growth_by_nothing_changes_nothing() -> None:
    assert tiles.grow(0, [], {}) == tiles.grow(256, [], {}) == {}


# Which tile is which


@given(SIZES)
def test_the_edge_is_every_partial_tile(size: int) -> None:
    edge = tiles.edge(size)
    levels = range(MAX_LEVEL + 1)
    assert [tile.level for tile in edge] == [
        level for level in levels if size // WIDTH**level % WIDTH
    ]
    for tile in edge:
        held = tiles.width(tile, size)
        assert 0 < held < WIDTH
        assert tile.number * WIDTH + held == size // WIDTH**tile.level
        assert tiles.width(TileId(tile.level, tile.number + 1), size) == 0
        if tile.number:
            assert tiles.width(TileId(tile.level, tile.number - 1), size) == WIDTH


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 512, 65_535, 65_536])
def test_the_width_is_that_of_the_tree(size: int) -> None:
    held = at_once(MANY[:size])
    for level in range(3):
        for number in range(3):
            tile = TileId(level, number)
            assert tiles.width(tile, size) * HASH_SIZE == len(held.get(tile, b""))


@pytest.mark.parametrize(
    ("level", "number", "hashes", "expected"),
    [
        # the examples of c2sp.org/tlog-tiles
        (0, 1_234_067, WIDTH, "tile/0/x001/x234/067"),
        (0, 1_234_067, 5, "tile/0/x001/x234/067.p/5"),
        (0, 0, WIDTH, "tile/0/000"),
        (1, 0, 1, "tile/1/000.p/1"),
        (0, 999, WIDTH, "tile/0/999"),
        (0, 1000, WIDTH, "tile/0/x001/000"),
        (3, 1_000_000, 255, "tile/3/x001/x000/000.p/255"),
        (0, LARGEST // WIDTH, 255, "tile/0/x072/x057/x594/x037/x927/935.p/255"),
    ],
)
def test_the_path_is_that_of_c2sp(level: int, number: int, hashes: int, expected: str) -> None:
    assert tiles.path(TileId(level, number), hashes) == expected


@given(st.integers(0, LARGEST // WIDTH))
def test_a_path_leads_back_to_its_number(number: int) -> None:
    _, _, *elements = tiles.path(TileId(0, number), WIDTH).split("/")
    assert int("".join(each.removeprefix("x") for each in elements)) == number
    assert [each[0] == "x" for each in elements] == [True] * (len(elements) - 1) + [False]


# In the mirror


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(sqlite_url(tmp_path / "mirror.sqlite"))
    yield engine
    engine.dispose()


def kept(engine: Engine) -> dict[TileId, bytes]:
    """The mirror's tiles, without the nodes that it keeps after the hashes of a full one."""
    columns = schema.tiles.c
    with reading(engine) as connection:
        rows = connection.execute(select(columns.level, columns.number, columns.hashes))
        found = {TileId(level, number): bytes(content) for level, number, content in rows}
    for content in found.values():
        assert content == tiles.with_nodes(content[:TILE_SIZE])
    return {tile: content[:TILE_SIZE] for tile, content in found.items()}


def test_a_tile_with_its_nodes_gives_the_same_proofs() -> None:
    plain = at_once(MANY[:600])
    larger = {tile: tiles.with_nodes(hashes) for tile, hashes in plain.items()}
    assert {len(each) for each in larger.values()} >= {tiles.WITH_NODES_SIZE}
    for index in (0, 1, 255, 256, 300, 511, 512, 599):
        assert tiles.inclusion_path(index, 600, larger) == tiles.inclusion_path(index, 600, plain)
    for size in (1, 256, 257, 511, 512, 600):
        assert tiles.consistency_path(size, 600, larger) == tiles.consistency_path(size, 600, plain)
        assert tiles.root(size, larger) == tiles.root(size, plain)


def append(engine: Engine, size: int, leaves: Sequence[bytes]) -> None:
    with writing(engine) as connection:
        stored.append_leaves(connection, size, leaves)


def test_the_mirror_shrinks_to_the_tree_that_it_had(mirror: Engine) -> None:
    chosen = random.Random(2)
    size = 0
    for round_ in range(25):
        larger = size + chosen.choice([1, 2, 255, 256, 257, chosen.randrange(1, 2000)])
        append(mirror, size, MANY[size:larger])
        size = chosen.choice([0, 1, larger - 1, larger // WIDTH * WIDTH, chosen.randrange(larger)])
        with writing(mirror) as connection:
            stored.shrink_to(connection, size)
        assert kept(mirror) == at_once(MANY[:size]), (round_, larger, size)


@pytest.mark.parametrize("size", [65_281, 65_535, 65_536])
def test_the_mirror_shrinks_below_a_tile_of_tiles(mirror: Engine, size: int) -> None:
    append(mirror, 0, MANY)
    with writing(mirror) as connection:
        stored.shrink_to(connection, size)
    assert kept(mirror) == at_once(MANY[:size])


def test_what_grows_on_after_shrinking_is_the_tree_of_the_new_leaves(mirror: Engine) -> None:
    append(mirror, 0, MANY[:600])
    with writing(mirror) as connection:
        stored.shrink_to(connection, 300)
    others = MANY[1000:1500]
    append(mirror, 300, others)
    leaves = MANY[:300] + others
    assert kept(mirror) == at_once(leaves)
    with reading(mirror) as connection:
        assert stored.frontier(connection, 800).root() == merkle.root(leaves)
        for index in (0, 299, 300, 799):
            path = stored.inclusion_path(connection, index, 800)
            assert path == merkle.inclusion_path(leaves, index)


def test_the_mirrors_proofs_of_an_earlier_size_are_those_of_then(mirror: Engine) -> None:
    append(mirror, 0, MANY[:600])
    with reading(mirror) as connection:
        for size in (1, 255, 256, 257, 512, 599, 600):
            assert stored.frontier(connection, size).root() == merkle.root(MANY[:size])
            path = stored.inclusion_path(connection, size - 1, size)
            assert path == merkle.inclusion_path(MANY[:size], size - 1)


def test_a_tile_that_the_mirror_lacks_is_named(mirror: Engine) -> None:
    append(mirror, 0, MANY[:300])
    with reading(mirror) as connection:
        assert stored.read_tile(connection, TileId(0, 2)) is None
        assert len(stored.read_tile(connection, TileId(0, 0)) or b"") == tiles.WITH_NODES_SIZE
        with pytest.raises(Inconsistent, match="lacks tile 0/2"):
            stored.read_tiles(connection, [TileId(0, 0), TileId(0, 2)])
