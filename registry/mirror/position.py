"""Where a mirror stands: which chain it follows and how far it has read it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select

from registry.core.entry import Action
from registry.core.position import Position
from registry.core.units import Address, BlockNumber, Digest, UnixSeconds
from registry.core.verdict import FinalityBlocks
from registry.mirror import schema
from registry.mirror.rows import checksum

_HASH = 32
_POSITION = select(schema.position)
_CLOSING = select(schema.entries.c.number).where(
    schema.entries.c.entry == bindparam("last"),
    schema.entries.c.action == int(Action.RETIRE),
)


def read_position(connection: Connection) -> Position | None:
    """Where the mirror stands; None before its first sync. Whether the log was closed is
    left to `closed_at`: this reads no row but its own, so that it can not fail by another."""
    row = connection.execute(_POSITION).first()
    if row is None:
        return None
    peaks = row.peaks
    return Position(
        chain_id=row.chain_id,
        contract=Address(row.contract),
        first_block=BlockNumber(row.first_block),
        block=BlockNumber(row.block),
        block_hash=row.block_hash,
        block_time=UnixSeconds(row.block_time),
        finality=FinalityBlocks(BlockNumber(row.safe_block), BlockNumber(row.finalized_block)),
        size=row.size,
        root=Digest(row.root),
        peaks=tuple(Digest(peaks[at : at + _HASH]) for at in range(0, len(peaks), _HASH)),
        synced_at=row.synced_at,
        proven_block=BlockNumber(row.proven_block),
    )


def closed_at(connection: Connection, size: int) -> Address | None:
    """The successor that the last of the log's first `size` entries names, if that one
    closed the log (`Position.closed`). Nothing can follow a Retire, so the last one tells."""
    number = connection.execute(_CLOSING, {"last": size - 1}).scalar_one_or_none()
    return None if number is None else Address(number[12:])


def write_position(connection: Connection, position: Position) -> None:
    row = position_row(position)
    connection.execute(delete(schema.position))
    connection.execute(insert(schema.position), row)


def forget_position(connection: Connection) -> None:
    """As if nothing had ever been read."""
    connection.execute(delete(schema.position))


def position_row(position: Position) -> dict[str, Any]:
    """The row of `position`."""
    row: dict[str, Any] = {
        "id": 1,
        "chain_id": position.chain_id,
        "contract": position.contract,
        "first_block": position.first_block,
        "block": position.block,
        "block_hash": position.block_hash,
        "block_time": position.block_time,
        "safe_block": position.finality.safe,
        "finalized_block": position.finality.finalized,
        "size": position.size,
        "root": position.root,
        "peaks": b"".join(position.peaks),
        "synced_at": position.synced_at,
        "proven_block": position.proven_block,
    }
    return {**row, "checksum": checksum(*row.values())}
