"""A mirror as one file, the same from every database: a header line, the log's entries as a log
export has them, the window of block headers that may still be replaced, the members of collections
as their own files have them, lists of clauses as theirs have them, and a seal.

Nothing that is derived is in it: whoever restores computes it again. The seal is the SHA-256
of all bytes before its line, so that a file that was cut off or altered by accident is known;
it vouches for nothing to somebody who suspects intent, and the chain does that at the next sync.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any

from registry.core.collection import CollectionHeader, read_members
from registry.core.collection import read_header as collection_header
from registry.core.feed import Block, Recorded
from registry.core.json_lines import checkpoint, parse_header, parse_line
from registry.core.log_export import LogHeader, entries_in_order
from registry.core.snapshot import Checkpoint, ndjson_line
from registry.core.strict_fields import block_id, closed_object, hexadecimal, whole_number
from registry.core.text.list_file import Listed, read_lists
from registry.core.units import BlockNumber, UnixSeconds
from registry.core.verdict import FinalityBlocks
from registry.errors import InputError

SCHEMA = "policy-registry/backup/1"
_NONE = BlockNumber(-1)
_HEADER_KEYS = ("first_block", "block_time", "safe", "finalized", "window")


@dataclass(frozen=True, slots=True)
class BackupHeader:
    """Where the mirror stood: the log's size and root at the block up to which the chain was
    read, what of it was settled, how many headers the window has, of how many collections the
    members were known, and how many lists of clauses were."""

    checkpoint: Checkpoint
    first_block: BlockNumber
    block_time: UnixSeconds
    finality: FinalityBlocks
    window: int
    collections: int = 0
    clause_lists: int = 0

    @property
    def log(self) -> LogHeader:
        return LogHeader(self.checkpoint, self.first_block)


def backup_lines(
    header: BackupHeader,
    entries: Iterable[bytes],
    window: Iterable[Block],
    side_data: Iterable[bytes] = (),
) -> Iterator[bytes]:
    """The file's lines; `entries` are those of a log export, `window` from the oldest on,
    `side_data` the lines of each collection's own file, one file after the other, and then those
    of the lists of clauses."""
    hasher = hashlib.sha256()
    for line in _unsealed(header, entries, window, side_data):
        hasher.update(line)
        yield line
    yield ndjson_line({"sha256": hasher.hexdigest()})


def header_fields(header: BackupHeader) -> dict[str, Any]:
    told, finality = header.checkpoint, header.finality
    # Left out where there is none: so were all files before there were such.
    counts = {"collections": header.collections, "clause_lists": header.clause_lists}
    return {
        **{name: count for name, count in counts.items() if count},
        "schema": SCHEMA,
        "chain": told.chain,
        "contract": told.contract,
        "first_block": header.first_block,
        "size": told.size,
        "root": told.root.hex(),
        "block": {"number": told.block, "hash": "0x" + told.block_hash.hex()},
        "block_time": header.block_time,
        "safe": finality.safe if finality.safe >= 0 else None,
        "finalized": finality.finalized if finality.finalized >= 0 else None,
        "window": header.window,
    }


def _unsealed(
    header: BackupHeader,
    entries: Iterable[bytes],
    window: Iterable[Block],
    side_data: Iterable[bytes],
) -> Iterator[bytes]:
    yield ndjson_line(header_fields(header))
    yield from entries
    for block in window:
        yield ndjson_line(
            {
                "block": {"number": block.number, "hash": "0x" + block.hash.hex()},
                "parent": "0x" + block.parent.hex(),
                "time": block.time,
            }
        )
    yield from side_data


class BackupReader:
    """Reads a backup's lines once, from the first to the last: the header at once, then
    `entries`, `window`, `collections` and `clause_lists`. Only when the last has ended was the
    whole file what was written.

    Raises InputError for what can not be read, was cut off or altered, and NotVerified for a
    manifest that its entry does not name, or members or clauses that do not have their root.
    """

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = _sealed(lines)
        line = next(self._lines, None)
        if line is None:
            raise InputError("the file is empty")
        self.header = _read_header(line)

    def entries(self) -> Iterator[Recorded]:
        """The log, in order; not more than once."""
        return entries_in_order(self.header.log, self._lines)

    def window(self) -> list[Block]:
        """The headers that follow the entries, from the oldest on."""
        header = self.header
        # Without side data nothing but headers follows, and more than are told of is an error.
        most = header.window if header.collections or header.clause_lists else None
        found = [_block(line) for line in islice(self._lines, most)]
        if len(found) != header.window:
            raise InputError(f"it has {len(found)} block headers, its header says {header.window}")
        for before, after in pairwise(found):
            follows = after.number == before.number + 1
            if after.number <= before.number or (follows and after.parent != before.hash):
                raise InputError(f"the header of block {after.number} does not follow the others")
        told = header.checkpoint
        if found and (found[-1].number, found[-1].hash) != (told.block, told.block_hash):
            raise InputError("the last block header is not the one of the header's block")
        return found

    def collections(self) -> Iterator[tuple[CollectionHeader, Iterator[bytes]]]:
        """The members that follow the window, each collection's to be read to its end."""
        for number in range(self.header.collections):
            line = next(self._lines, None)
            if line is None:
                said = self.header.collections
                raise InputError(f"it has {number} collections, its header says {said}")
            header = collection_header(line)
            yield header, read_members(header, self._lines)
        if not self.header.clause_lists and next(self._lines, None) is not None:
            raise InputError("it goes on after its last collection")

    def clause_lists(self) -> Iterator[Listed]:
        """The lists of clauses that follow the collections."""
        yield from read_lists(self.header.clause_lists, self._lines)
        if next(self._lines, None) is not None:
            raise InputError("it goes on after its last list of clauses")


def _sealed(lines: Iterable[bytes]) -> Iterator[bytes]:
    """All lines but the last, which must be the seal of the others."""
    hasher, before = hashlib.sha256(), None
    for line in lines:
        if before is not None:
            hasher.update(before)
            yield before
        before = line
    if before is not None and before != ndjson_line({"sha256": hasher.hexdigest()}):
        raise InputError(
            "its last line is not the seal of the others: the file is cut off, or was altered",
            hint="take another backup; polreg sync builds a mirror from the chain alone",
        )


def _read_header(line: bytes) -> BackupHeader:
    there = parse_line(line)
    more = [name for name in ("collections", "clause_lists") if name in there]
    fields = parse_header(line, SCHEMA, (*_HEADER_KEYS, *more))
    told = checkpoint(fields)
    first = BlockNumber(whole_number(fields["first_block"], "first_block"))
    if first > told.block:
        raise InputError("first_block lies after the block")
    return BackupHeader(
        checkpoint=told,
        first_block=first,
        block_time=UnixSeconds(whole_number(fields["block_time"], "block_time")),
        finality=FinalityBlocks(_settled(fields, "safe"), _settled(fields, "finalized")),
        window=whole_number(fields["window"], "window"),
        collections=whole_number(fields.get("collections", 0), "collections"),
        clause_lists=whole_number(fields.get("clause_lists", 0), "clause_lists"),
    )


def _settled(fields: dict[str, Any], key: str) -> BlockNumber:
    return _NONE if fields[key] is None else BlockNumber(whole_number(fields[key], key))


def _block(line: bytes) -> Block:
    fields = closed_object(parse_line(line), ("block", "parent", "time"), "the line")
    number, block_hash = block_id(fields["block"])
    parent = hexadecimal(fields["parent"], 32, "parent", "0x")
    return Block(number, block_hash, parent, UnixSeconds(whole_number(fields["time"], "time")))
