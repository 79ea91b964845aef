"""Replaying a log and comparing what it gives with a snapshot's file, byte for byte.

The log comes from the mirror, from an export or from the chain; the latter two are read
into a mirror in a temporary folder, so that one code path gives the lines that are
expected. Root and lines come from the same entries and manifests, in one transaction, and
nothing that the mirror derived from them is believed: a mirror whose entries do not have
its root is damaged, and says nothing of the snapshot. The steps are those of
`registry.core.snapshot_check`. A log that is too short and a node that does not answer are
CouldNotCheck, never a failed step.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from registry.chain.addresses import checksummed, parse_address
from registry.chain.client import Client
from registry.chain.nodes import open_nodes
from registry.chain.rpc import RpcError
from registry.core.calendar import iso_time
from registry.core.chain_id import caip2, caip10
from registry.core.json_lines import bounded_lines
from registry.core.merkle import Frontier
from registry.core.position import Position
from registry.core.receipt_check import Trace
from registry.core.snapshot_check import (
    CHAIN,
    END,
    HEADER,
    LINES,
    LOG,
    MAX_LINE,
    REGISTRY,
    Stated,
    check_lines,
    read_stated,
)
from registry.core.units import BlockNumber, Digest
from registry.core.verdict import FinalityBlocks
from registry.errors import CouldNotCheck, InputError, NotVerified, ProofError
from registry.mirror.audit import intact_position
from registry.mirror.engine import Connection, Engine, open_engine, reading, sqlite_url, writing
from registry.mirror.position import read_position, write_position
from registry.mirror.queries import digest_only_rows, size_recorded_by
from registry.mirror.replay import damaged, replayed
from registry.mirror.replay import require_block as require_intact_block
from registry.mirror.snapshot_lines import replayed_lines
from registry.services.chain_root import (
    require_block,
    require_digests_alone,
    require_places,
    require_root,
)
from registry.services.log_export import fill, opened, opened_log, recorded
from registry.services.receipts import Registry, registry_of
from registry.services.snapshots import checkpoint_of
from registry.services.sync import sync
from registry.services.workspace import Workspace

_BATCH = 500


@dataclass(frozen=True, slots=True)
class Against:
    """What a snapshot is compared with: the log of an export or of the chain, else the
    mirror's; the node at a URL, else the workspace's; the registry that is meant."""

    log: Path | None = None
    from_chain: bool = False
    rpc: str | None = None
    meant: Registry | None = None


def verify_snapshot(path: Path, against: Against, workspace: Workspace, trace: Trace) -> Stated:
    """All six steps; what held is in `trace`.

    Raises ProofError at the step that fails, CouldNotCheck where one can not be done,
    InputError for a file that has no header to go by.
    """
    with opened(path) as file, ExitStack() as closing:
        lines = bounded_lines(file, MAX_LINE)
        stated = read_stated(lines)
        told = stated.checkpoint
        trace.held(HEADER, f"the header reads: count {stated.count}, size {told.size}")
        node = _Node(stated, against, workspace)
        closing.callback(node.close)
        engine = closing.enter_context(_log(against, node, workspace))
        connection = closing.enter_context(reading(engine))
        position = _required_position(connection)
        _check_registry(stated, position, against, trace)
        tree = _check_log(connection, position, stated, trace)
        undone = _check_chain(connection, position, node, tree, trace)
        check_lines(lines, replayed_lines(connection, told.size, stated.filters), stated.count)
        trace.held(LINES, f"every line is the one that the log gives: {stated.count}")
        trace.held(END, "the file ends after them")
    if undone is not None:
        raise CouldNotCheck(
            f"steps 1, 2, 3, 5 and 6 hold, but not whether the chain has this root: {undone}",
            hint=undone.hint or "give --rpc URL with a node of that chain",
        )
    return stated


class _Node:
    """The node that is asked, opened when it is: of an export's log, more than of others."""

    def __init__(self, stated: Stated, against: Against, workspace: Workspace) -> None:
        self.told = stated.checkpoint
        self.of_export = against.log is not None
        self._workspace = workspace
        self._transport = None if against.rpc is None else open_nodes([against.rpc])

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def client(self) -> Client:
        """The header's contract there. Raises CouldNotCheck where there is no node, and
        InputError where it is on another chain."""
        if self._transport is None and not self._workspace.has_chain:
            raise CouldNotCheck("no node is known here", hint="give --rpc URL")
        address = parse_address(self.told.contract.rpartition(":")[2], "contract in the header")
        client = Client(self._transport or self._workspace.transport, address)
        found = caip2(client.chain_id())
        if found != self.told.chain:
            raise InputError(
                f"the node is on chain {found}, the snapshot is of {self.told.chain}",
                hint="give --rpc URL with a node of that chain",
            )
        return client


@contextmanager
def _log(against: Against, node: _Node, workspace: Workspace) -> Iterator[Engine]:
    """A mirror of the log that the snapshot is compared with."""
    if against.log is None and not against.from_chain:
        yield workspace.reader
        return
    with tempfile.TemporaryDirectory(prefix="polreg-") as folder:
        engine = open_engine(sqlite_url(Path(folder) / "mirror.sqlite"))
        try:
            if against.log is not None:
                _read_export(against.log, engine)
            else:
                client = node.client()
                _require_contract(client)
                sync(client, engine, _first_block(client, workspace))
            yield engine
        finally:
            engine.dispose()


def _read_export(path: Path, engine: Engine) -> None:
    """Build a mirror from an export, of which only its own root is compared."""
    grown = Frontier()
    with opened_log(path) as (header, events), writing(engine) as connection:
        told = header.checkpoint
        last = [some[-1] for some in fill(connection, header, events, grown)][-1]
        position = Position(
            chain_id=int(told.chain.rpartition(":")[2]),
            contract=parse_address(told.contract.rpartition(":")[2], "contract of the export"),
            first_block=header.first_block,
            block=told.block,
            block_hash=told.block_hash,
            block_time=last.entry.recorded_at,
            finality=FinalityBlocks(BlockNumber(-1), BlockNumber(-1)),
            size=grown.size,
            root=grown.root(),
            peaks=tuple(grown.peaks),
            synced_at=None,
            proven_block=BlockNumber(-1),
        )
        write_position(connection, position)


def _first_block(client: Client, workspace: Workspace) -> BlockNumber:
    """Where reading the chain begins: where the contract was deployed, if that is known."""
    known = registry_of(workspace.noted)
    if workspace.noted is not None and known is not None and known.contract == client.address:
        return BlockNumber(workspace.noted.first_block)
    return BlockNumber(workspace.settings.first_block)


def _required_position(connection: Connection) -> Position:
    position = read_position(connection)
    if position is None:
        raise CouldNotCheck("the mirror has never been synced", hint="run polreg sync")
    if intact_position(connection) is None:
        raise damaged("the row of where it stands is not as it was written")
    return position


def _check_registry(stated: Stated, position: Position, against: Against, trace: Trace) -> None:
    told, meant = stated.checkpoint, against.meant
    log = caip10(position.chain_id, checksummed(position.contract))
    if told.contract != log:
        raise ProofError(REGISTRY, f"the snapshot is of {told.contract}, the log of {log}")
    if meant is None:
        trace.held(REGISTRY, f"it is of {log}; compare this with the registry you mean")
        return
    chain_id = position.chain_id if meant.chain_id is None else meant.chain_id
    named = caip10(chain_id, checksummed(meant.contract))
    if named != log:
        raise ProofError(REGISTRY, f"the snapshot is of {log}, the registry that is meant {named}")
    trace.held(REGISTRY, f"it is of {log}, the registry that is meant")


def _check_log(
    connection: Connection, position: Position, stated: Stated, trace: Trace
) -> Frontier:
    """Step 3. Returns the tree of the header's size, grown from the entries themselves."""
    told = stated.checkpoint
    if position.size < told.size:
        raise CouldNotCheck(
            f"the log here has {position.size} entries, the snapshot is of {told.size}: it can "
            "not be compared yet",
            hint="run polreg sync, or use a longer log",
        )
    tree = replayed(connection, told.size)
    found = checkpoint_of(connection, position, told.size)
    if tree.root() != found.root:
        raise damaged(
            f"its first {told.size} entries have the root {tree.root().hex()}, and it says "
            f"{found.root.hex()}"
        )
    require_intact_block(connection, found.block)
    if told.root != found.root:
        raise ProofError(
            LOG,
            f"the root of {told.size} entries is {found.root.hex()}, the header says "
            f"{told.root.hex()}",
        )
    if (told.block, told.block_hash) != (found.block, found.block_hash):
        raise ProofError(
            LOG,
            f"entry {told.size - 1} is in block {found.block} 0x{found.block_hash.hex()}, the "
            f"header says {told.block} 0x{told.block_hash.hex()}",
        )
    _check_moment(connection, position, stated)
    trace.held(LOG, f"the log's first {told.size} entries have the root {told.root.hex()}")
    return tree


def _check_moment(connection: Connection, position: Position, stated: Stated) -> None:
    """That a snapshot of what was recorded by a time has all of that."""
    moment, size = stated.filters.recorded_by, stated.checkpoint.size
    if moment is None:
        return
    recorded = size_recorded_by(connection, moment)
    if recorded != size:
        raise ProofError(LOG, f"{recorded} entries were recorded by {iso_time(moment)}, not {size}")
    if size == position.size and moment > max(position.block_time, position.synced_at or 0):
        raise CouldNotCheck(
            f"this log does not reach far enough to tell whether more was recorded by "
            f"{iso_time(moment)}",
            hint="use --from-chain, or a log that goes on",
        )


def _check_chain(
    connection: Connection, position: Position, node: _Node, tree: Frontier, trace: Trace
) -> CouldNotCheck | RpcError | None:
    """Step 4. Returns why it can not be done: the steps after it still can."""

    def root_at(size: int) -> Digest | None:
        return replayed(connection, size, tree).root() if size <= position.size else None

    told = node.told
    try:
        client = node.client()
        require_block(client, told.block, told.block_hash)
        _require_contract(client)
        require_root(client, told, root_at)
        if node.of_export:
            _require_digests_alone(client, connection, told.size)
    except (CouldNotCheck, RpcError) as error:
        return error
    except NotVerified as error:
        raise ProofError(CHAIN, str(error)) from None
    trace.held(CHAIN, f"the chain has that root at block {told.block}")
    return None


def _require_digests_alone(client: Client, connection: Connection, size: int) -> None:
    """That an export's manifests are all that came into the log: no root tells of others."""
    told = map(recorded, digest_only_rows(connection, size))
    while some := list(islice(told, _BATCH)):
        require_places(client, some)
        require_digests_alone(client, some)


def _require_contract(client: Client) -> None:
    """That the contract is a registry: another one may emit whatever events it likes."""
    try:
        client.require_contract()
    except InputError as error:
        raise NotVerified(str(error)) from None
