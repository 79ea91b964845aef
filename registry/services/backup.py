"""The mirror as a file, and back, into any database.

A backup is taken in one reading transaction: it is of one moment, whatever is written meanwhile. It
is whole or not there, and was read back when it is said to be made.

A restore believes the file nothing that the chain can be asked: it computes the log's root and
all that is derived again, in one transaction, and leaves the mirror unproven. The next sync
compares it with the contract's own root, and only then is anything answered from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path

from registry.chain.addresses import checksummed, parse_address
from registry.config import Deployment
from registry.core.backup import BackupHeader, BackupReader, backup_lines
from registry.core.chain_id import caip2, caip10
from registry.core.collection import collection_lines
from registry.core.json_lines import bounded_lines
from registry.core.log_export import MAX_LINE, entry_line
from registry.core.merkle import Frontier
from registry.core.position import Position
from registry.core.snapshot import Checkpoint
from registry.core.text.list_file import list_lines
from registry.core.units import BlockNumber
from registry.errors import CouldNotCheck, Inconsistent, InputError, LocalFailure, NotVerified
from registry.mirror.engine import Connection, Engine, reading, writing
from registry.mirror.headers import forget_headers, stored_headers, write_headers
from registry.mirror.leader import leadership
from registry.mirror.members import forget_members, held_collections, write_members
from registry.mirror.own_lists import keep_own_lists
from registry.mirror.position import forget_position, read_position, write_position
from registry.mirror.queries import log_rows
from registry.mirror.store import rewind
from registry.mirror.texts import forget_clauses, held_lists
from registry.services.collections import checked_members
from registry.services.files import write_whole
from registry.services.hashing import hash_file
from registry.services.log_export import fill, opened, recorded
from registry.services.texts.clause_lists import stored_lists

Progress = Callable[[int, int], None]
"""Called with entries done and entries in all."""

_BATCH, _LISTS = 2000, 200
_UNPROVEN = BlockNumber(-1)


def back_up(engine: Engine, output: Path, progress: Progress | None = None) -> BackupHeader:
    """Write the mirror to `output`, which is whole or as it was. Raises CouldNotCheck where
    there is nothing yet, Inconsistent where the mirror's rows do not have its root."""
    with reading(engine) as connection:
        position = read_position(connection)
        if position is None or position.size == 0:
            raise CouldNotCheck("the mirror has read nothing yet", hint="run polreg sync")
        window = stored_headers(connection)[::-1]
        held = held_collections(connection)
        roots = held_lists(connection)
        header = _header(position, len(window), len(held), len(roots))
        entries = _entry_lines(connection, position, progress)
        members = chain.from_iterable(
            collection_lines(each.header, checked_members(connection, each)) for each in held
        )
        lists = list_lines(stored_lists(connection, roots))
        lines = backup_lines(header, entries, window, chain(members, lists))
        written = write_whole(output, lines)
    if output.is_file() and hash_file(output).sha256.hex() != written:
        raise LocalFailure(f"{output} does not read as it was written", hint="check the disk")
    return header


def _header(position: Position, window: int, collections: int, lists: int) -> BackupHeader:
    network = caip2(position.chain_id)
    contract = caip10(position.chain_id, checksummed(position.contract))
    told = Checkpoint(
        network, contract, position.size, position.root, position.block, position.block_hash
    )
    return BackupHeader(
        told,
        position.first_block,
        position.block_time,
        position.finality,
        window,
        collections,
        lists,
    )


def _entry_lines(
    connection: Connection, position: Position, progress: Progress | None
) -> Iterator[bytes]:
    grown = Frontier()
    for row in log_rows(connection, position.size):
        event = recorded(row)
        grown.append(event.leaf)
        yield entry_line(event)
        if progress and grown.size % _BATCH == 0:
            progress(grown.size, position.size)
    if (grown.size, grown.root()) != (position.size, position.root):
        raise Inconsistent("the mirror's entries do not have its root", hint="run polreg fsck")


def check_backup(path: Path, progress: Progress | None = None) -> BackupHeader:
    """Read the whole file and compute the log's root; raises InputError or NotVerified."""
    with _opened(path) as reader:
        told, grown = reader.header.checkpoint, Frontier()
        for event in reader.entries():
            grown.append(event.leaf)
            if progress and grown.size % _BATCH == 0:
                progress(grown.size, told.size)
        reader.window()
        for _, members in reader.collections():
            for _ in members:
                pass
        for _ in reader.clause_lists():
            pass
    if grown.root() != told.root:
        raise NotVerified("the entries do not have the root that the header says")
    return reader.header


def restore(
    path: Path,
    engine: Engine,
    deployment: Deployment,
    *,
    replace: bool = False,
    progress: Progress | None = None,
) -> BackupHeader:
    """Fill the mirror from a backup, all of it or nothing. Without `replace` it must be empty.

    Raises InputError for a mirror that is not, a file that can not be read and another
    registry's; NotVerified for entries that do not have the root; LocalFailure where a
    follower writes this mirror.
    """
    with _opened(path) as reader, _nobody_following(engine), writing(engine) as connection:
        header = reader.header
        told = header.checkpoint
        _require_registry(told, deployment)
        _make_empty(connection, replace=replace)
        grown = Frontier()
        for _ in fill(connection, header.log, reader.entries(), grown):
            if progress:
                progress(grown.size, told.size)
        write_headers(connection, reader.window())
        write_position(connection, _position(header, deployment, grown))
        # Reading it to its end shows whether the file was whole. Members whose entry the chain had
        # taken back are kept, as they were: they are answered from only while the log has it.
        for collection, members in reader.collections():
            for _ in write_members(connection, collection, members):
                pass
        lists = reader.clause_lists()
        while some := list(islice(lists, _LISTS)):
            keep_own_lists(connection, some)
    return header


@contextmanager
def _opened(path: Path) -> Iterator[BackupReader]:
    with opened(path) as file:
        yield BackupReader(bounded_lines(file, MAX_LINE))


@contextmanager
def _nobody_following(engine: Engine) -> Iterator[None]:
    with leadership(engine) as lead:
        if not lead.wait(0):
            raise LocalFailure(
                f"a follower writes this mirror: {lead.holder() or 'another process'}",
                hint="stop it, restore, and start it again",
            )
        yield


def _require_registry(told: Checkpoint, deployment: Deployment) -> None:
    here = caip10(deployment.chain_id, deployment.contract)
    if told.contract != here:
        raise InputError(
            f"this is a backup of {told.contract}, the registry here is {here}",
            hint="check POLREG_RPC_URL and POLREG_CONTRACT",
        )


def _make_empty(connection: Connection, *, replace: bool) -> None:
    position = read_position(connection)
    if position is None:
        return
    if not replace:
        raise InputError(
            f"the mirror is not empty: it stands at block {position.block} with "
            f"{position.size} entries",
            hint="add --replace to restore in its place",
        )
    rewind(connection, _UNPROVEN)
    forget_headers(connection, _UNPROVEN)
    forget_members(connection)
    forget_clauses(connection)
    forget_position(connection)


def _position(header: BackupHeader, deployment: Deployment, grown: Frontier) -> Position:
    """As it was, but that nothing was confirmed by the chain."""
    told = header.checkpoint
    return Position(
        chain_id=deployment.chain_id,
        contract=parse_address(deployment.contract),
        first_block=header.first_block,
        block=told.block,
        block_hash=told.block_hash,
        block_time=header.block_time,
        finality=header.finality,
        size=grown.size,
        root=grown.root(),
        peaks=tuple(grown.peaks),
        synced_at=None,
        proven_block=_UNPROVEN,
    )
