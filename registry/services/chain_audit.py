"""What the chain says of a mirror that is being audited, and the rows that it gives back.

A node that can not be asked, is behind, has forgotten the state of a block or follows
another chain says nothing against the mirror: that is CouldNotCheck, never a finding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from registry.chain.client import Client
from registry.chain.refetch import recorded
from registry.core.chain_id import caip2
from registry.core.feed import Block, Recorded
from registry.core.merkle import Frontier
from registry.core.position import Position
from registry.core.units import BlockNumber, Digest, EntryIndex
from registry.errors import CouldNotCheck, RegistryError
from registry.mirror.audit import Reference, intact_position, last_block
from registry.mirror.engine import Connection
from registry.mirror.findings import Finding, Remedy
from registry.mirror.stored import stored

_BATCH = 100
_STALE = "run polreg sync first"


def reference(client: Client, connection: Connection) -> Reference | None:
    """The log as the contract had it where the mirror stands; None where the mirror's own
    place is damaged so far that none can be asked about. Raises CouldNotCheck."""
    position = intact_position(connection)
    chain_id = client.chain_id()
    if position is not None:
        if (position.chain_id, position.contract) != (chain_id, client.address):
            raise CouldNotCheck(
                f"the mirror is of another contract or chain than the node's {caip2(chain_id)}",
                hint="check POLREG_RPC_URL and POLREG_CONTRACT",
            )
        number: int | None = position.block
        known: bytes | None = position.block_hash
    else:
        number = last_block(connection)
        known = None if number is None else _stored_hash(connection, number)
    if number is None:
        return None
    block = client.block(BlockNumber(number))
    if block is None:
        raise CouldNotCheck(f"the node has no block {number} yet, where the mirror stands")
    if block.hash != known:
        raise CouldNotCheck(f"the chain has replaced block {number} since", hint=_STALE)
    size, root = _checkpoint(client, block.number, position)
    return Reference(size, root, f"the contract at block {number}")


def _checkpoint(
    client: Client, block: BlockNumber, position: Position | None
) -> tuple[int, Digest]:
    try:
        return client.checkpoint(block)
    except CouldNotCheck:
        raise
    except RegistryError as error:
        # Many nodes forget old state; the newest serves where the log has not grown.
        size, root = client.checkpoint()
        if position is not None and (size, root) == (position.size, position.root):
            return size, root
        raise CouldNotCheck(
            f"the node can not tell the log's root at block {block} ({error})",
            hint="run polreg sync, or use a node that keeps old state",
        ) from None


def _stored_hash(connection: Connection, number: int) -> bytes:
    source = "SELECT hash FROM blocks WHERE number = :number"
    return bytes(next(stored(connection, source, number=number))[0])


def replaced_blocks(client: Client, connection: Connection) -> Iterator[Finding]:
    """Stored blocks whose hash is not the chain's."""
    rows = stored(connection, "SELECT number, hash FROM blocks ORDER BY number")
    some = [row for row in rows if isinstance(row[0], int) and row[0] >= 0]
    for at in range(0, len(some), _BATCH):
        wanted = some[at : at + _BATCH]
        found = client.blocks([BlockNumber(number) for number, _ in wanted])
        for (number, known), block in zip(wanted, found, strict=True):
            if block is None:
                raise CouldNotCheck(f"the node has no block {number}")
            if block.hash != known:
                problem = f"its hash is not the chain's, 0x{block.hash.hex()}"
                yield Finding("blocks", (number,), problem, Remedy.REFETCH)


@dataclass(frozen=True, slots=True)
class ChainSource:
    """Rows from the chain for a repair."""

    client: Client
    first_block: BlockNumber

    def entry(self, index: EntryIndex, first: BlockNumber | None, last: BlockNumber) -> Recorded:
        head = self.client.head().block.number
        low = self.first_block if first is None else first
        return recorded(self.client, index, low, BlockNumber(min(last, head)))

    def block(self, number: BlockNumber) -> Block:
        found = self.client.block(number)
        if found is None:
            raise CouldNotCheck(f"the node has no block {number}")
        return found

    def position(self, block: BlockNumber | None, tree: Frontier) -> Position:
        before_first = BlockNumber(max(self.first_block - 1, 0))
        found = self.block(before_first if block is None else block)
        told = self.client.head()
        return Position(
            chain_id=told.chain_id,
            contract=self.client.address,
            first_block=self.first_block,
            block=found.number,
            block_hash=found.hash,
            block_time=found.time,
            finality=told.finality,
            size=tree.size,
            root=tree.root(),
            peaks=tuple(tree.peaks),
            # The next sync says since when it holds all that there is.
            synced_at=None,
            proven_block=found.number,
        )
