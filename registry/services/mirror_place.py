"""Where a mirror stands on its chain: the position it starts from, and the blocks that it knows."""

from __future__ import annotations

from registry.chain.client import Client, Head
from registry.core.chain_id import caip2
from registry.core.follow import Mark
from registry.core.merkle import EMPTY_ROOT
from registry.core.position import Position
from registry.core.units import BlockNumber, UnixSeconds
from registry.core.verdict import FinalityBlocks
from registry.errors import InputError
from registry.mirror.engine import Engine, reading, writing
from registry.mirror.headers import oldest_header, stored_headers
from registry.mirror.position import read_position, write_position
from registry.mirror.store import stored_blocks
from registry.services.read_ahead import reached

NEWEST_MARKS = 1024
"""How many headers of the window are looked at: a chain that is slow to settle has many."""

OLDER_MARKS = 256
"""How many blocks with entries are looked at below those."""

UNSETTLED = 4096
"""How many headers are kept of a chain that settles nothing: nothing else would end the window."""


def started(client: Client, engine: Engine, head: Head, first_block: BlockNumber) -> Position:
    """The mirror's position, made on its first sync; raises where it follows another chain."""
    with reading(engine) as connection:
        found = read_position(connection)
    if found is None:
        client.require_contract()
        before = before_first(first_block)
        fresh = Position(
            chain_id=head.chain_id,
            contract=client.address,
            first_block=first_block,
            block=before,
            block_hash=b"",
            block_time=UnixSeconds(0),
            finality=FinalityBlocks(BlockNumber(-1), BlockNumber(-1)),
            size=0,
            root=EMPTY_ROOT,
            peaks=(),
            synced_at=None,
            proven_block=BlockNumber(-1),
        )
        fresh = reached(fresh, client.headers([before])[before], fresh.frontier())
        with writing(engine) as connection:
            found = read_position(connection)
            if found is None:
                write_position(connection, fresh)
                found = fresh
    if found.chain_id != head.chain_id:
        raise InputError(
            f"the node is on chain {caip2(head.chain_id)}, the mirror follows "
            f"{caip2(found.chain_id)}",
            hint="check POLREG_RPC_URL, or use another POLREG_DATABASE_URL or POLREG_HOME",
        )
    if found.contract != client.address:
        raise InputError(
            "the mirror follows another contract",
            hint="check POLREG_CONTRACT, or use another POLREG_DATABASE_URL or POLREG_HOME",
        )
    return found


def marks(engine: Engine, base: Position) -> list[Mark]:
    """The blocks that the mirror knows, from `base` backwards."""
    with reading(engine) as connection:
        headers = stored_headers(connection, NEWEST_MARKS)
        oldest = headers[-1].number if headers else BlockNumber(base.block + 1)
        older = stored_blocks(connection, oldest, OLDER_MARKS)
        settled = oldest_header(connection)
    known = [Mark(header.number, header.hash) for header in headers]
    known += [Mark(*block) for block in older]
    if settled is not None and settled[0] not in {mark.number for mark in known}:
        known = sorted([*known, Mark(*settled)], key=lambda mark: -mark.number)
    tip = Mark(base.block, base.block_hash)
    return [tip, *(mark for mark in known if mark.number < base.block)]


def kept_from(finalized: BlockNumber, tip: BlockNumber) -> BlockNumber:
    """The first block whose header is still of use, where blocks up to `finalized` are final."""
    return finalized if finalized >= 0 else BlockNumber(tip - UNSETTLED)


def before_first(first_block: BlockNumber) -> BlockNumber:
    return BlockNumber(max(first_block - 1, 0))
