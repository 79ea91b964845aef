"""Snapshots from the mirror: the state of every policy after the log's first N entries."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson

from registry.chain.addresses import checksummed
from registry.core.calendar import iso_time
from registry.core.chain_id import caip2, caip10
from registry.core.position import Position
from registry.core.snapshot import COLUMNS, Checkpoint, Filters, header, ndjson_line
from registry.core.units import BlockNumber, UnixSeconds
from registry.errors import CouldNotCheck, Inconsistent, InputError
from registry.mirror.engine import Connection, Engine, reading
from registry.mirror.position import read_position
from registry.mirror.queries import block_of_entry, size_recorded_by
from registry.mirror.snapshot_lines import count_lines, snapshot_lines
from registry.mirror.tiles import frontier
from registry.services.verify import required_position


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot that was counted: its header, and how to stream it."""

    engine: Engine
    checkpoint: Checkpoint
    filters: Filters
    count: int

    @property
    def size(self) -> int:
        return self.checkpoint.size

    @property
    def header(self) -> dict[str, Any]:
        return header(self.checkpoint, self.filters, self.count)

    def ndjson(self) -> Iterator[bytes]:
        """The header's line, then one a policy in the order of policy_id. Raises
        Inconsistent, before anything is yielded, where the log was replaced meanwhile."""
        with self.same_log() as connection:
            yield ndjson_line(self.header)
            yield from snapshot_lines(connection, self.size, self.filters)

    def csv(self) -> Iterator[bytes]:
        """The same rows as CSV (RFC 4180, UTF-8) with a line of column names. What the
        NDJSON header says has no place in CSV."""
        with self.same_log() as connection:
            yield csv_line(COLUMNS)
            for line in snapshot_lines(connection, self.size, self.filters):
                row = orjson.loads(line)
                yield csv_line([cell(row.get(name)) for name in COLUMNS])

    @contextmanager
    def same_log(self) -> Iterator[Connection]:
        """A transaction in which the log still is the one that was counted."""
        with reading(self.engine) as connection:
            position = read_position(connection)
            if (
                position is None
                or self.size > position.size
                or checkpoint_of(connection, position, self.size) != self.checkpoint
            ):
                raise Inconsistent(
                    "the chain was reorganised while the snapshot was being taken",
                    hint="take it again",
                )
            yield connection


def cell(value: Any) -> Any:
    """A value as CSV has it: entries of a list with a space between them."""
    return " ".join(map(str, value)) if isinstance(value, list) else value


def take_snapshot(engine: Engine, filters: Filters, size: int | None = None) -> Snapshot:
    """The snapshot after `size` entries, or after all that were recorded by a time.

    Raises InputError for a size beyond the log, CouldNotCheck for an empty mirror and for
    a time after the mirror's last sync.
    """
    if size is not None and filters.recorded_by is not None:
        raise InputError("a snapshot is taken by --size or by --recorded-by, not both")
    with reading(engine) as connection:
        position = required_position(connection)
        if filters.recorded_by is not None:
            _require_passed(position, filters.recorded_by)
            size = size_recorded_by(connection, filters.recorded_by)
        elif size is None:
            size = position.size
        checkpoint = checkpoint_of(connection, position, size)
        count = count_lines(connection, size, filters)
    return Snapshot(engine, checkpoint, filters, count)


def _require_passed(position: Position, moment: UnixSeconds) -> None:
    """What is recorded by a time is known only once the mirror has read up to it."""
    read_to = max(position.block_time, position.synced_at or 0)
    if moment > read_to:
        raise CouldNotCheck(
            f"the mirror was synced at {iso_time(read_to)}: more may be recorded by "
            f"{iso_time(moment)}",
            hint="run polreg sync, or ask for an earlier time",
        )


def checkpoint_of(connection: Connection, position: Position, size: int) -> Checkpoint:
    """The log's first `size` entries: their root, and the block of the last of them.

    Raises InputError where the log is shorter.
    """
    if not 0 < size <= position.size:
        reason = "nothing was recorded by then" if size == 0 else f"it has {position.size} entries"
        raise InputError(f"there is no snapshot of the log's first {size} entries: {reason}")
    last = block_of_entry(connection, size - 1)
    if last is None:
        raise CouldNotCheck(
            f"the mirror lacks the block of entry {size - 1}",
            hint="run polreg fsck --repair",
        )
    whole = size == position.size
    return Checkpoint(
        chain=caip2(position.chain_id),
        contract=caip10(position.chain_id, checksummed(position.contract)),
        size=size,
        root=position.root if whole else frontier(connection, size).root(),
        block=BlockNumber(last[0]),
        block_hash=last[1],
    )


def csv_line(values: Any) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow(["" if value is None else value for value in values])
    return line.getvalue().encode()
