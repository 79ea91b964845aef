"""The log as a file: written from a mirror, and a mirror built from it.

An import believes the file nothing that binds: entries and manifests are compared with
the contract's root, blocks with the node's; that no manifest came with an entry which has
none there, with the logs of its block. All of it is one transaction, committed after
the last comparison: a kill at any moment leaves the mirror empty.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from registry.chain.addresses import checksummed
from registry.chain.client import Client
from registry.core.chain_id import caip2, caip10
from registry.core.feed import Block, Place, Recorded
from registry.core.json_lines import bounded_lines
from registry.core.log_export import (
    MAX_LINE,
    LogHeader,
    entry_line,
    header_line,
    read_entries,
    read_header,
)
from registry.core.merkle import Frontier
from registry.core.position import Position
from registry.core.snapshot import Checkpoint
from registry.core.units import BlockNumber, Digest, UnixSeconds
from registry.errors import Inconsistent, InputError, LocalFailure, NotVerified
from registry.mirror.engine import Connection, Engine, reading, writing
from registry.mirror.position import closed_at, read_position, write_position
from registry.mirror.queries import entries_in_block, log_rows
from registry.mirror.store import append, entry_of, require_entitled
from registry.services.chain_root import (
    require_block,
    require_digests_alone,
    require_places,
    require_root,
)
from registry.services.snapshots import checkpoint_of
from registry.services.verify import required_position

Progress = Callable[[int, int], None]
"""Called with entries done and entries in all."""

_BATCH = 2000


@dataclass(frozen=True, slots=True)
class LogExport:
    """An export that is ready to be streamed."""

    engine: Engine
    header: LogHeader

    def lines(self, progress: Progress | None = None) -> Iterator[bytes]:
        """The file's lines. Raises Inconsistent where the mirror's rows do not have the
        root of the header."""
        told, grown = self.header.checkpoint, Frontier()
        yield header_line(self.header)
        with reading(self.engine) as connection:
            for row in log_rows(connection, told.size):
                event = recorded(row)
                grown.append(event.leaf)
                yield entry_line(event)
                if progress and grown.size % _BATCH == 0:
                    progress(grown.size, told.size)
        if (grown.size, grown.root()) != (told.size, told.root):
            raise Inconsistent(
                "the mirror's entries do not have its root: it was damaged, or the chain was "
                "reorganised meanwhile",
                hint="run polreg fsck, or try again",
            )


def recorded(row: Any) -> Recorded:
    """A row of the log as the chain reported it, but for its number within the block."""
    entry = entry_of(row)
    place = Place(BlockNumber(row.block), row.hash, row.transaction, 0)
    return Recorded(entry, entry.leaf_hash(), place, row.content)


def export_log(engine: Engine, size: int | None = None) -> LogExport:
    """The log's first `size` entries, else all. Raises InputError for a size that is not
    the log's at the end of a block: the chain has no root of it."""
    with reading(engine) as connection:
        position = required_position(connection)
        wanted = position.size if size is None else size
        told = checkpoint_of(connection, position, wanted)
        first, last = entries_in_block(connection, told.block)
    if last + 1 != wanted:
        others = f"{first} or {last + 1}" if first else str(last + 1)
        raise InputError(
            f"the log's first {wanted} entries end within block {told.block}, where the chain "
            "has no root to compare with",
            hint=f"export {others}",
        )
    return LogExport(engine, LogHeader(told, position.first_block))


@contextmanager
def opened_log(path: Path) -> Iterator[tuple[LogHeader, Iterator[Recorded]]]:
    """An export's header, and its entries, which are checked as they are read."""
    with opened(path) as file:
        lines = bounded_lines(file, MAX_LINE)
        header = read_header(lines)
        yield header, read_entries(header, lines)


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A regular file to be read; raises InputError or LocalFailure."""
    try:
        # Never wait for a writer: opening a FIFO would.
        with open(path, "rb", opener=_without_waiting) as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise InputError(
                    f"{path} is a FIFO or a device, not a file",
                    hint="write it into a file first, and give the path of that",
                )
            yield file
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"there is no file {path}") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder, not a file") from None
    except OSError as error:
        raise LocalFailure(f"{path} can not be read: {error.strerror}") from None


def _without_waiting(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_NONBLOCK | os.O_CLOEXEC)


def import_log(
    path: Path, client: Client, engine: Engine, progress: Progress | None = None
) -> Position:
    """Build an empty mirror from an export, once the chain bears it out.

    Raises InputError for a mirror that is not empty, a file that can not be read and
    another registry's log; NotVerified for one that the chain does not have; Unavailable
    where no node answers. Then nothing is written.
    """
    chain_id = client.chain_id()
    client.require_contract()
    with opened_log(path) as (header, events), writing(engine) as connection:
        told = header.checkpoint
        _require_empty(connection)
        _require_registry(told, chain_id, client)
        grown = Frontier()
        for some in fill(connection, header, events, grown):
            require_places(client, some)
            require_digests_alone(client, some)
            if progress:
                progress(grown.size, told.size)
        end = require_root(client, told, lambda size: grown.root() if size == told.size else None)
        if end != told.size:
            raise InputError(
                f"the export ends within block {told.block}, which has entries up to {end - 1}",
                hint="ask for one that ends with a block",
            )
        block = require_block(client, told.block, told.block_hash)
        position = _position(header, chain_id, client, block, grown)
        write_position(connection, position)
        return replace(position, closed=closed_at(connection, position.size))


def fill(
    connection: Connection, header: LogHeader, events: Iterable[Recorded], grown: Frontier
) -> Iterator[list[Recorded]]:
    """Append the entries to an empty mirror and to `grown`, batch by batch; at the end
    raises NotVerified where their root is not the header's."""
    remaining = iter(events)
    while some := list(islice(remaining, _BATCH)):
        try:
            require_entitled(connection, some)
            append(connection, some)
        except Inconsistent as error:
            raise NotVerified(
                f"no genuine registry can have made this log: {error}",
                hint="the file was altered, or its contract gives roles outside its log: "
                "polreg sync tells, from the chain",
            ) from None
        for each in some:
            grown.append(each.leaf)
        yield some
    told: Digest = header.checkpoint.root
    if grown.root() != told:
        raise NotVerified(
            f"the entries have the root {grown.root().hex()}, the header says {told.hex()}: "
            "some of them were altered"
        )


def _require_empty(connection: Connection) -> None:
    position = read_position(connection)
    if position is not None:
        raise InputError(
            f"the mirror is not empty: it stands at block {position.block} with "
            f"{position.size} entries",
            hint="run polreg sync, which goes on from there; to import, delete the mirror "
            "or use another POLREG_DATABASE_URL",
        )


def _require_registry(told: Checkpoint, chain_id: int, client: Client) -> None:
    here = caip10(chain_id, checksummed(client.address))
    if (told.chain, told.contract) != (caip2(chain_id), here):
        raise InputError(
            f"this is the log of {told.contract}, the registry here is {here}",
            hint="check POLREG_RPC_URL and POLREG_CONTRACT",
        )


def _position(
    header: LogHeader, chain_id: int, client: Client, block: Block, grown: Frontier
) -> Position:
    """Where the mirror stands: at the log's last block, or at the node's head where
    nothing was recorded since."""
    told = client.head()
    head = told.block
    position = Position(
        chain_id=chain_id,
        contract=client.address,
        first_block=header.first_block,
        block=block.number,
        block_hash=block.hash,
        block_time=block.time,
        finality=told.finality,
        size=grown.size,
        root=grown.root(),
        peaks=tuple(grown.peaks),
        synced_at=None,
        proven_block=block.number,
    )
    if client.checkpoint(head.number) != (position.size, position.root):
        return position
    return replace(
        position,
        block=head.number,
        block_hash=head.hash,
        block_time=head.time,
        synced_at=UnixSeconds(int(time.time())),
    )
