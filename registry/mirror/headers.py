"""The window of headers that may still be replaced, as the mirror keeps it.

Each is written with a checksum, and its parent is the one before it: an audit finds a
header that is damaged, and one that is missing. Runs inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, select

from registry.core.feed import Block
from registry.core.units import BlockNumber, UnixSeconds
from registry.mirror import schema
from registry.mirror.bulk import insert_rows
from registry.mirror.rows import header_row

_HEADERS = schema.headers
_NEWEST_FIRST = select(_HEADERS).order_by(_HEADERS.c.number.desc())


def write_headers(connection: Connection, blocks: Sequence[Block]) -> None:
    """Keep these headers; one of a number that is there already takes its place."""
    if not blocks:
        return
    low, high = (choose(block.number for block in blocks) for choose in (min, max))
    connection.execute(delete(_HEADERS).where(_HEADERS.c.number.between(low, high)))
    insert_rows(connection, _HEADERS, [header_row(block) for block in blocks])


def stored_headers(connection: Connection, most: int | None = None) -> list[Block]:
    """The window, the newest first; the newest so many of it."""
    return [
        Block(BlockNumber(row.number), row.hash, row.parent, UnixSeconds(row.time))
        for row in connection.execute(_NEWEST_FIRST.limit(most))
    ]


def stored_hash(connection: Connection, number: BlockNumber) -> bytes | None:
    """The hash of a block in the window, or of one that entries were read from."""
    for table in (_HEADERS, schema.blocks):
        statement = select(table.c.hash).where(table.c.number == number)
        found = connection.execute(statement).scalar_one_or_none()
        if found is not None:
            return bytes(found)
    return None


def oldest_header(connection: Connection) -> tuple[BlockNumber, bytes] | None:
    """Number and hash of the window's first block: the newest finalised one, if any is."""
    first = select(_HEADERS.c.number, _HEADERS.c.hash).order_by(_HEADERS.c.number).limit(1)
    row = connection.execute(first).one_or_none()
    return None if row is None else (BlockNumber(row.number), bytes(row.hash))


def forget_headers(connection: Connection, after: BlockNumber) -> None:
    """Drop those above `after`: the chain replaced them."""
    connection.execute(delete(_HEADERS).where(_HEADERS.c.number > after))


def settle_headers(connection: Connection, finalized: BlockNumber) -> None:
    """Drop those that nothing can replace any more, but for the newest of them: by its hash
    it is seen whether the chain is still the one that was final."""
    newest = select(func.max(_HEADERS.c.number)).where(_HEADERS.c.number <= finalized)
    connection.execute(delete(_HEADERS).where(_HEADERS.c.number < newest.scalar_subquery()))
