"""Whether the chain holds a log: its root, compared with the contract's own.

A node's logs are asked first, since every node keeps them; the contract's state at an old
block, which only some keep, where a node refuses. What the node does not have is
CouldNotCheck; what it has otherwise is NotVerified.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from registry.chain.client import Client
from registry.chain.events import decode_logs
from registry.chain.rpc import RpcError
from registry.core.feed import Block, Place, Recorded
from registry.core.snapshot import Checkpoint
from registry.core.units import BlockNumber, Digest, EntryIndex
from registry.errors import CouldNotCheck, InputError, NotVerified, Rejected

_BATCH = 100
_LOGS_BATCH = 20

RootAt = Callable[[int], Digest | None]
"""The root of the log's first entries, this many; None where the log is shorter."""


def require_root(client: Client, told: Checkpoint, root_at: RootAt) -> int:
    """Check that the log with `root_at` is the contract's at the checkpoint's block.

    A checkpoint is made once a transaction: where the size lies within one, the next one
    of the same block vouches for the entries before it. Returns the log's size at the end
    of the block.
    """
    require_block(client, told.block, told.block_hash)
    known = _known(client, told)
    size, root = next((each for each in known if each[0] >= told.size), (0, None))
    if root is None:
        raise NotVerified(
            f"the contract has no {told.size} entries at block {told.block}, it has {known[-1][0]}"
        )
    ours = root_at(size)
    if ours is None:
        raise CouldNotCheck(
            f"the chain's next root is that of {size} entries, and the log here is shorter",
            hint="use a longer log",
        )
    if ours != root:
        raise NotVerified(
            f"the contract's root of {size} entries is {root.hex()}, that of the log {ours.hex()}"
        )
    return known[-1][0]


def require_block(client: Client, number: BlockNumber, block_hash: bytes) -> Block:
    """The node's block, where it has this hash."""
    return _same(client.block(number), number, block_hash)


def require_places(client: Client, events: Sequence[Recorded]) -> None:
    """Check that the chain has the blocks that these entries name, by hash and by time."""
    blocks = [list(some) for _, some in groupby(events, key=lambda each: each.place.block)]
    for at in range(0, len(blocks), _BATCH):
        some = blocks[at : at + _BATCH]
        found = client.blocks([entries[0].place.block for entries in some])
        for block, entries in zip(found, some, strict=True):
            place: Place = entries[0].place
            same = _same(block, place.block, place.block_hash)
            for each in entries:
                if each.entry.recorded_at != same.time:
                    raise NotVerified(
                        f"entry {each.entry.index} was not recorded at the time of block "
                        f"{place.block}"
                    )


def require_digests_alone(client: Client, events: Iterable[Recorded]) -> None:
    """Check what an export says of those entries whose manifest it does not hold: that none
    came with them. No root tells, and the logs of their blocks do; these also have the
    transactions that they are of. Whether the chain has the blocks is for `require_places`.

    Raises NotVerified for an entry that is told otherwise, CouldNotCheck where the node has
    not the logs.
    """
    told = [each for each in events if each.manifest is None and each.entry.manifest is not None]
    blocks = [list(some) for _, some in groupby(told, key=lambda each: each.place.block_hash)]
    for at in range(0, len(blocks), _LOGS_BATCH):
        some = blocks[at : at + _LOGS_BATCH]
        found = _recorded_in(client, [entries[0].place for entries in some])
        for known, entries in zip(found, some, strict=True):
            for each in entries:
                _require_digest_alone(each, known)


def _require_digest_alone(told: Recorded, known: dict[EntryIndex, Recorded]) -> None:
    entry = told.entry
    found = known.get(entry.index)
    if found is None or found.leaf != told.leaf:
        raise NotVerified(f"entry {entry.index} is not in block {told.place.block} of the chain")
    if found.manifest is not None:
        raise NotVerified(
            f"line {entry.index + 2}: the export leaves out the manifest that came with entry "
            f"{entry.index}"
        )
    if found.place.transaction != told.place.transaction:
        raise NotVerified(
            f"line {entry.index + 2}: entry {entry.index} came with transaction "
            f"0x{found.place.transaction.hex()}"
        )


def _recorded_in(client: Client, places: Sequence[Place]) -> list[dict[EntryIndex, Recorded]]:
    """The entries of each block by their index, each with the manifest that came with it."""
    address, found = "0x" + client.address.hex(), []
    wanted = [{"address": address, "blockHash": "0x" + each.block_hash.hex()} for each in places]
    answers = client.transport.batch([("eth_getLogs", [each]) for each in wanted])
    for place, logs in zip(places, answers, strict=True):
        # Entries are said to be there: a node that has none may merely not keep logs.
        if not isinstance(logs, list) or not logs:
            raise CouldNotCheck(
                f"the node does not tell the logs of block {place.block}: whether manifests came "
                "with its entries is not known",
                hint="use another node",
            )
        events = decode_logs(logs, client.address)
        found.append({each.entry.index: each for each in events if isinstance(each, Recorded)})
    return found


def _same(block: Block | None, number: BlockNumber, block_hash: bytes) -> Block:
    if block is None:
        raise CouldNotCheck(
            f"the node does not have block {number}",
            hint="wait until it has caught up, or use another node",
        )
    if block.hash != block_hash:
        raise NotVerified(
            f"block {number} of the chain is 0x{block.hash.hex()}, not 0x{block_hash.hex()}"
        )
    return block


def _known(client: Client, told: Checkpoint) -> list[tuple[int, Digest]]:
    """Sizes and roots of the log that the chain has for a block, the last at its end."""
    try:
        made = client.checkpoints_in(told.block_hash)
    except RpcError:
        made = []
    if made:
        return [(each.size, each.root) for each in made]
    try:
        return [client.checkpoint(told.block)]
    except (RpcError, Rejected, InputError) as error:
        raise CouldNotCheck(
            f"the node tells neither the logs nor the state of block {told.block}: {error}",
            hint="use another node",
        ) from None
