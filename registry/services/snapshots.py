"""Snapshots from the mirror: the state of every policy after the log's first N entries."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from registry.chain.addresses import checksummed
from registry.core.chain_id import caip2, caip10
from registry.core.position import Position
from registry.core.snapshot import (
    COLUMNS,
    Checkpoint,
    Filters,
    filtered_row,
    header,
    ndjson_line,
    policy_history,
)
from registry.core.units import BlockNumber
from registry.errors import CouldNotCheck, InputError
from registry.mirror.engine import Connection, Engine, reading
from registry.mirror.queries import block_of_entry, histories, size_recorded_by
from registry.mirror.tiles import frontier
from registry.services.verify import required_position


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot that was counted: its header, and how to stream it."""

    engine: Engine
    header: dict[str, Any]
    size: int
    filters: Filters

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row a policy, in the order of policy_id."""
        with reading(self.engine) as connection:
            yield from _rows(connection, self.size, self.filters)

    def ndjson(self) -> Iterator[bytes]:
        yield ndjson_line(self.header)
        for each in self.rows():
            yield ndjson_line(each)

    def csv(self) -> Iterator[bytes]:
        """The same rows as CSV (RFC 4180, UTF-8) with a line of column names. What the
        NDJSON header says has no place in CSV."""
        yield _csv_line(COLUMNS)
        for each in self.rows():
            yield _csv_line([each[name] for name in COLUMNS])


def take_snapshot(engine: Engine, filters: Filters, size: int | None = None) -> Snapshot:
    """The snapshot after `size` entries, or after all that were recorded by a time.

    Raises InputError for a size beyond the log, CouldNotCheck for an empty mirror.
    """
    if size is not None and filters.recorded_by is not None:
        raise InputError("a snapshot is taken by --size or by --recorded-by, not both")
    with reading(engine) as connection:
        position = required_position(connection)
        if filters.recorded_by is not None:
            size = size_recorded_by(connection, filters.recorded_by)
        elif size is None:
            size = position.size
        checkpoint = _checkpoint(connection, position, size)
        count = sum(1 for _ in _rows(connection, size, filters))
    return Snapshot(engine, header(checkpoint, filters, count), size, filters)


def _rows(connection: Connection, size: int, filters: Filters) -> Iterator[dict[str, Any]]:
    for logged in histories(connection, size):
        found = filtered_row(policy_history(logged), filters)
        if found is not None:
            yield found


def _checkpoint(connection: Connection, position: Position, size: int) -> Checkpoint:
    if not 0 < size <= position.size:
        reason = "nothing was recorded by then" if size == 0 else f"it has {position.size} entries"
        raise InputError(f"there is no snapshot of the log's first {size} entries: {reason}")
    last = block_of_entry(connection, size - 1)
    if last is None:
        raise CouldNotCheck(
            f"the mirror lacks the block of entry {size - 1}",
            hint="delete the mirror and run polreg sync",
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


def _csv_line(values: Any) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow(["" if value is None else value for value in values])
    return line.getvalue().encode()
