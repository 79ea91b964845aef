"""The log as one file: a header line, then one entry a line, in order.

Lines are canonical JSON (registry.core.json_lines). Reading checks the form of each line,
that entries follow each other without gap, that a manifest is the one that its entry
names, and that blocks are in order. Whether the entries have the header's root, and
whether the chain has it, is for whoever reads them to compare.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from registry.core.digest import sha256
from registry.core.entry import ENTRY_SIZE, decode_entry, entry_leaf_hash
from registry.core.feed import Place, Recorded
from registry.core.json_lines import checkpoint, parse_header, parse_line
from registry.core.snapshot import Checkpoint, ndjson_line
from registry.core.strict_fields import block_id, closed_object, hexadecimal, whole_number
from registry.core.units import BlockNumber
from registry.errors import Inconsistent, InputError, NotVerified

SCHEMA = "policy-registry/log/1"
MAX_LINE = 32 * 1024 * 1024
"""Bytes of a line. A manifest has at most the bytes that a transaction's gas buys, some two
million, and each may take six characters."""

_END_OF_TIME = 2**63
_KEYS = ("entry", "manifest", "block", "transaction")


@dataclass(frozen=True, slots=True)
class LogHeader:
    """Where an export comes from: the log's first `size` entries, and the block of the
    last of them; `first_block` is where reading the chain for it began."""

    checkpoint: Checkpoint
    first_block: BlockNumber


def header_line(header: LogHeader) -> bytes:
    return ndjson_line(header_fields(header))


def header_fields(header: LogHeader) -> dict[str, Any]:
    told = header.checkpoint
    return {
        "schema": SCHEMA,
        "chain": told.chain,
        "contract": told.contract,
        "first_block": header.first_block,
        "size": told.size,
        "root": told.root.hex(),
        "block": _block(told.block, told.block_hash),
    }


def entry_line(event: Recorded) -> bytes:
    content, place = event.manifest, event.place
    fields: dict[str, Any] = {
        "entry": event.entry.encode().hex(),
        "manifest": None,
        "block": _block(place.block, place.block_hash),
        "transaction": "0x" + place.transaction.hex(),
    }
    if content is not None:
        try:
            fields["manifest"] = content.decode()
        except UnicodeDecodeError:
            fields["manifest_hex"] = content.hex()
    return ndjson_line(fields)


def read_header(lines: Iterator[bytes]) -> LogHeader:
    """The header, from the first line; raises InputError."""
    line = next(lines, None)
    if line is None:
        raise InputError("the file is empty")
    with _Line(1):
        fields = parse_header(line, SCHEMA, ("first_block",))
        told = checkpoint(fields)
        first = BlockNumber(whole_number(fields["first_block"], "first_block"))
        if first > told.block:
            raise InputError("first_block lies after the block of the last entry")
        return LogHeader(told, first)


def read_entries(header: LogHeader, lines: Iterable[bytes]) -> Iterator[Recorded]:
    """The entries, from the lines after the header's, as the chain reported them; their
    places have no number within the block.

    Raises InputError for a line that can not be read or stands where it must not, and
    NotVerified for a manifest that its entry does not name.
    """
    told, remaining = header.checkpoint, iter(lines)
    last: Place | None = None
    for event in entries_in_order(header, remaining):
        last = event.place
        yield event
    if next(remaining, None) is not None:
        with _Line(told.size + 2):
            raise InputError(f"it stands after the {told.size} entries of the header")
    if last is None or (last.block, last.block_hash) != (told.block, told.block_hash):
        raise InputError("the header's block is not the one of the last entry")


def entries_in_order(header: LogHeader, lines: Iterator[bytes]) -> Iterator[Recorded]:
    """The header's number of entries, from so many of the lines; the same errors. What else
    the lines hold is left, and so is whether the last entry is of the header's block."""
    told, number = header.checkpoint, 0
    before: Place | None = None
    for number, line in enumerate(islice(lines, told.size), 1):
        with _Line(number + 1):
            event = _event(line)
            if event.entry.index != number - 1:
                raise InputError(f"entry {event.entry.index} stands where entry {number - 1} must")
            _require_order(header, before, event.place)
        before = event.place
        yield event
    if number != told.size:
        raise InputError(f"the file ends after {number} entries, its header has {told.size}")


def _event(line: bytes) -> Recorded:
    fields = parse_line(line)
    keys = (*_KEYS, "manifest_hex") if "manifest_hex" in fields else _KEYS
    closed_object(fields, keys, "the line")
    encoded = hexadecimal(fields["entry"], ENTRY_SIZE, "entry")
    number, block_hash = block_id(fields["block"])
    transaction = hexadecimal(fields["transaction"], 32, "transaction", "0x")
    try:
        entry = decode_entry(encoded)
    except Inconsistent as error:
        raise InputError(str(error)) from None
    if (entry.previous or 0) > entry.index or entry.recorded_at >= _END_OF_TIME:
        raise InputError("entry names a later one, or a time that no block can have")
    content = _manifest(fields)
    if content is not None and sha256(content) != entry.manifest:
        raise NotVerified(f"the manifest is not the one that entry {entry.index} names")
    place = Place(number, block_hash, transaction, 0)
    return Recorded(entry, entry_leaf_hash(encoded), place, content)


def _manifest(fields: dict[str, Any]) -> bytes | None:
    text, digits = fields["manifest"], fields.get("manifest_hex")
    if "manifest_hex" not in fields:
        if text is not None and not isinstance(text, str):
            raise InputError("manifest is neither a text nor null")
        return None if text is None else text.encode()
    content = hexadecimal(digits, None, "manifest_hex")
    if text is not None:
        raise InputError("it has a manifest and a manifest_hex")
    try:
        content.decode()
    except UnicodeDecodeError:
        return content
    raise InputError("manifest_hex holds UTF-8, which has to stand in manifest")


def _require_order(header: LogHeader, before: Place | None, place: Place) -> None:
    if not header.first_block <= place.block <= header.checkpoint.block:
        raise InputError(f"block {place.block} lies outside of the header's blocks")
    if before is None or before.block < place.block:
        return
    if before.block > place.block:
        raise InputError(f"block {place.block} comes after block {before.block}")
    if before.block_hash != place.block_hash:
        raise InputError(f"block {place.block} has two hashes")


class _Line:
    """Where an error that is raised within names the line."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, InputError | NotVerified):
            raise type(error)(f"line {self.number}: {error}", hint=error.hint) from None


def _block(number: int, block_hash: bytes) -> dict[str, Any]:
    return {"number": number, "hash": "0x" + block_hash.hex()}
