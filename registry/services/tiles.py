"""The log's hashes as tiles, for others to compute proofs from: one by one, or as a folder
of static files that any web server or CDN can serve.

A tile of finalised entries never changes, so it may be kept for ever. Layout: C2SP
tlog-tiles. The checkpoint carries no signature: it is the contract that vouches for it.
"""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from registry.chain.addresses import checksummed
from registry.core import tiles
from registry.core.chain_id import caip10
from registry.core.position import Position
from registry.core.tiles import HASH_SIZE, TILE_SIZE, WIDTH, TileId
from registry.core.verdict import Finality
from registry.errors import InputError, LocalFailure, NotFound
from registry.mirror.engine import Connection, Engine, reading
from registry.mirror.queries import block_of_entry, encoded_entries
from registry.mirror.tiles import read_tile, read_tiles
from registry.services.files import write_whole
from registry.services.verify import required_position

Progress = Callable[[int, int], None]
"""Called with files done and files in all."""

_LENGTH_BYTES = 2


@dataclass(frozen=True, slots=True)
class ServedTile:
    """A tile's hashes, and whether they are final: of entries in finalised blocks only."""

    hashes: bytes
    final: bool


def serve_tile(engine: Engine, tile: TileId, width: int | None) -> ServedTile:
    """A full tile, or the first `width` hashes of one. Raises NotFound where the log has not
    grown so far."""
    if not 0 <= tile.level <= tiles.MAX_LEVEL or not 0 <= tile.number < 2**56:
        raise NotFound(f"there is no tile {tile.level}/{tile.number}")
    wanted = WIDTH if width is None else width
    with reading(engine) as connection:
        position = required_position(connection)
        hashes = read_tile(connection, tile) or b""
        held = min(WIDTH, len(hashes) // HASH_SIZE)
        if not 0 < wanted <= held:
            raise NotFound(
                f"tile {tile.level}/{tile.number} has {held} hashes so far, not {wanted}",
                hint=f"a part of it is at {tiles.path(tile, held)}" if 0 < held < WIDTH else None,
            )
        last = (tile.number * WIDTH + wanted << 8 * tile.level) - 1
        found = block_of_entry(connection, last)
    final = found is not None and position.finality.of(found[0]) is Finality.FINALIZED
    return ServedTile(hashes[: wanted * HASH_SIZE], final)


def checkpoint_note(position: Position) -> str:
    """The text of a C2SP checkpoint, without signatures: origin, size, root, and the block."""
    origin = caip10(position.chain_id, checksummed(position.contract))
    root = base64.b64encode(position.root).decode()
    block = f"block {position.block} 0x{position.block_hash.hex()}"
    return f"{origin}\n{position.size}\n{root}\n{block}\n"


@dataclass(frozen=True, slots=True)
class ExportedTiles:
    """What an export wrote: files that were new, and files in all."""

    position: Position
    written: int
    files: int


def export_tiles(engine: Engine, folder: Path, progress: Progress | None = None) -> ExportedTiles:
    """Write all tiles, the entries in bundles of 256, and the checkpoint that they are of.

    The checkpoint comes last: a crash before that leaves the folder as good as it was.
    Exporting again writes only what is new. Raises InputError where the folder holds
    another log's tiles, LocalFailure where it can not be written.
    """
    written = done = 0
    try:
        with reading(engine) as connection:
            position = required_position(connection)
            _require_same_origin(folder, position)
            total = sum(1 for _ in _names(position.size))
            for name, content in _files(connection, position.size):
                written += _write(folder / name, content)
                done += 1
                if progress:
                    progress(done, total)
        write_whole(folder / "checkpoint", [checkpoint_note(position).encode()])
        _drop_overtaken(folder)
    except OSError as error:
        raise LocalFailure(
            f"{error.filename or folder} can not be written: {error.strerror}"
        ) from None
    return ExportedTiles(position, written, done)


def _names(size: int) -> Iterator[TileId]:
    for level in range(tiles.MAX_LEVEL + 1):
        for number in range((size >> 8 * level) + WIDTH - 1 >> 8):
            yield TileId(level, number)


def _files(connection: Connection, size: int) -> Iterator[tuple[str, bytes]]:
    for tile in _names(size):
        held = tiles.width(tile, size)
        yield tiles.path(tile, held), read_tiles(connection, [tile])[tile][: held * HASH_SIZE]
        if tile.level == 0:
            first = tile.number * WIDTH
            entries = encoded_entries(connection, first, first + held)
            bundle = b"".join(len(each).to_bytes(_LENGTH_BYTES, "big") + each for each in entries)
            yield tiles.path(tile, held).replace("tile/0/", "tile/entries/", 1), bundle


def _require_same_origin(folder: Path, position: Position) -> None:
    note = folder / "checkpoint"
    if not note.exists():
        return
    origin = note.read_text("utf-8", "replace").partition("\n")[0]
    if origin != checkpoint_note(position).partition("\n")[0]:
        raise InputError(
            f"{folder} holds the tiles of another log: {origin[:100]}", hint="use another folder"
        )


def _write(path: Path, content: bytes) -> int:
    """1 where the file was not there yet; a full tile that is there is not touched."""
    if path.exists():
        if path.read_bytes() == content:
            return 0
        if len(content) == TILE_SIZE:
            raise InputError(
                f"{path} holds another tile than the log", hint="remove it and export again"
            )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, [content])
    return 1


def _drop_overtaken(folder: Path) -> None:
    """Remove partial tiles whose full one is there: nobody needs them from now on."""
    for partial in sorted(folder.glob("tile/**/*.p")):
        if partial.with_name(partial.name.removesuffix(".p")).is_file():
            shutil.rmtree(partial)
