"""A receipt: all that shows one policy's documents to be in the registry, in one file.

It holds every entry of the policy, in the log's order, each with its manifest and the path
to one checkpoint of the log; what ties the checkpoint to the chain (a block header and
storage proofs); for a collection's member a second path; and where single clauses are shown, theirs
(registry.core.receipt_clause). Reading is strict: a
file that holds anything else than these fields, in exactly this form, is refused with
ProofError at step 1. Nothing in it is believed before `registry.core.receipt_check`
and a block hash, or a node, have vouched for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, cast

import orjson

from registry.core import strict_json
from registry.core.entry import ENTRY_SIZE, Entry, decode_entry, entry_leaf_hash
from registry.core.receipt_clause import ClausePart, part_fields, read_part
from registry.core.strict_fields import block_id, closed_object, decoded, hexadecimal, whole_number
from registry.core.units import Address, BlockNumber, Digest, EntryIndex
from registry.errors import Inconsistent, InputError, ProofError

SCHEMA = "policy-registry/receipt/1"
MAX_SIZE = 4 * 1024 * 1024
"""Bytes of a receipt. One of a thousand acts has less; a typical one a thousandth."""

READ = 1
"""The step at which a receipt that can not be read fails."""

_HASH_SIZE = 32
_STATE_KEYS = ("header", "account", "storage")
_MEMBER_KEYS = ("entry", "manifest", "index", "size", "path")
_ENTRY_KEYS = ("entry", "manifest", "path", "block", "transaction")
_CHECKPOINT_KEYS = ("size", "root", "block")
_REPORT_KEYS = ("entry", "path")
_RECEIPT_KEYS = ("schema", "contract", "checkpoint", "entries", "member", "state")
_MORE_KEYS = ("reports", "clause")
_CONTRACT = re.compile(r"eip155:(0|[1-9][0-9]{0,19}):0x([0-9a-f]{40})")


@dataclass(frozen=True, slots=True)
class BlockId:
    number: BlockNumber
    hash: bytes


@dataclass(frozen=True, slots=True)
class ShownEntry:
    """An entry with what proves it. Block and transaction say where to look; no step
    depends on them."""

    entry: Entry
    encoded: bytes
    manifest: bytes | None
    path: tuple[Digest, ...]
    block: BlockId
    transaction: bytes

    @property
    def leaf(self) -> Digest:
        return entry_leaf_hash(self.encoded)


@dataclass(frozen=True, slots=True)
class ShownReport:
    """A report of the same log that a key was compromised, with its path."""

    entry: Entry
    encoded: bytes
    path: tuple[Digest, ...]

    @property
    def leaf(self) -> Digest:
        return entry_leaf_hash(self.encoded)


@dataclass(frozen=True, slots=True)
class Member:
    """A document of a collection: its own manifest, as leaf `index` of the tree of `size`
    whose root is the document of `entry`."""

    entry: EntryIndex
    manifest: bytes
    index: int
    size: int
    path: tuple[Digest, ...]


@dataclass(frozen=True, slots=True)
class StateProof:
    """EIP-1186 against one block: the header's RLP, and the trie nodes that lead from its
    state root to the contract's account and from there to the log's slots."""

    header: bytes
    account: tuple[bytes, ...]
    storage: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """The entries of one policy up to `checkpoint`, all of them, in the log's order; and such
    reports as mark some of them (core.compromise), which whoever made it knew of."""

    chain_id: int
    contract: Address
    size: int
    root: Digest
    block: BlockId
    entries: tuple[ShownEntry, ...]
    member: Member | None
    state: StateProof | None
    reports: tuple[ShownReport, ...] = ()
    clause: ClausePart | None = None


def read_receipt(content: bytes) -> Receipt:
    """The receipt of a file's bytes; raises ProofError at step 1, saying what is wrong."""
    try:
        if len(content) > MAX_SIZE:
            raise InputError(f"it has {len(content):,} bytes, a receipt at most {MAX_SIZE:,}")
        return _receipt(strict_json.loads(content))
    except (InputError, Inconsistent) as error:
        raise ProofError(READ, f"this is not a receipt: {error}") from None


def write_receipt(receipt: Receipt) -> bytes:
    """The file of a receipt: indented JSON, keys in the order of docs/formats.md. Raises
    InputError where no reader would take it."""
    content = orjson.dumps(_fields(receipt), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    if len(content) > MAX_SIZE:
        raise InputError(
            f"the receipt would have {len(content):,} bytes, and readers take {MAX_SIZE:,}",
            hint="this policy has too many acts for one file: see polreg history --prove",
        )
    return content


def _fields(receipt: Receipt) -> dict[str, Any]:
    member, state = receipt.member, receipt.state
    return {
        "schema": SCHEMA,
        "contract": f"eip155:{receipt.chain_id}:0x{receipt.contract.hex()}",
        "checkpoint": {
            "size": receipt.size,
            "root": receipt.root.hex(),
            "block": _block_fields(receipt.block),
        },
        "entries": [
            {
                "entry": each.encoded.hex(),
                "manifest": None if each.manifest is None else each.manifest.decode(),
                "path": [sibling.hex() for sibling in each.path],
                "block": _block_fields(each.block),
                "transaction": "0x" + each.transaction.hex(),
            }
            for each in receipt.entries
        ],
        "member": member
        and {
            "entry": member.entry,
            "manifest": member.manifest.decode(),
            "index": member.index,
            "size": member.size,
            "path": [sibling.hex() for sibling in member.path],
        },
        "state": state
        and {
            "header": "0x" + state.header.hex(),
            "account": ["0x" + node.hex() for node in state.account],
            "storage": ["0x" + node.hex() for node in state.storage],
        },
        **(
            {"reports": [_report_fields(each) for each in receipt.reports]}
            if receipt.reports
            else {}
        ),
        **({"clause": part_fields(receipt.clause)} if receipt.clause else {}),
    }


def _report_fields(report: ShownReport) -> dict[str, Any]:
    return {
        "entry": report.encoded.hex(),
        "path": [sibling.hex() for sibling in report.path],
    }


def as_text(manifest: bytes | None) -> bytes | None:
    """A manifest as a receipt can hold it: one that is not UTF-8 is left out, and says
    nothing to any reader anyway."""
    try:
        if manifest is not None:
            manifest.decode()
    except UnicodeDecodeError:
        return None
    return manifest


def _block_fields(block: BlockId) -> dict[str, Any]:
    return {"number": block.number, "hash": "0x" + block.hash.hex()}


def _receipt(value: Any) -> Receipt:
    if isinstance(value, dict) and "schema" in value and value["schema"] != SCHEMA:
        raise InputError(f"its schema is {str(value['schema'])[:60]!r}, not {SCHEMA}")
    # Only where there are some: all other receipts are what they were before there were any.
    more = [name for name in _MORE_KEYS if isinstance(value, dict) and name in value]
    fields = closed_object(value, (*_RECEIPT_KEYS, *more), "it")
    reports = _list(fields["reports"], "reports") if "reports" in more else []
    if "reports" in more and not reports:
        raise InputError("it has a list of reports, and none in it")
    contract = fields["contract"]
    named = _CONTRACT.fullmatch(contract) if isinstance(contract, str) else None
    if named is None:
        raise InputError("its contract is not a CAIP-10 address in lower case: eip155:1:0x…")
    checkpoint = closed_object(fields["checkpoint"], _CHECKPOINT_KEYS, "checkpoint")
    entries = _list(fields["entries"], "entries")
    if not entries:
        raise InputError("it shows no entry")
    return Receipt(
        chain_id=int(named[1]),
        contract=Address(bytes.fromhex(named[2])),
        size=whole_number(checkpoint["size"], "checkpoint.size"),
        root=Digest(hexadecimal(checkpoint["root"], 32, "checkpoint.root")),
        block=_block(checkpoint["block"], "checkpoint.block"),
        entries=tuple(_entry(each, f"entries[{at}]") for at, each in enumerate(entries)),
        member=None if fields["member"] is None else _member(fields["member"]),
        state=None if fields["state"] is None else _state(fields["state"]),
        reports=tuple(_report(each, f"reports[{at}]") for at, each in enumerate(reports)),
        clause=read_part(fields["clause"]) if "clause" in more else None,
    )


def _entry(value: Any, where: str) -> ShownEntry:
    fields = closed_object(value, _ENTRY_KEYS, where)
    encoded = hexadecimal(fields["entry"], ENTRY_SIZE, f"{where}.entry")
    manifest = fields["manifest"]
    return ShownEntry(
        entry=decode_entry(encoded),
        encoded=encoded,
        manifest=None if manifest is None else _text(manifest, f"{where}.manifest"),
        path=_path(fields["path"], f"{where}.path"),
        block=_block(fields["block"], f"{where}.block"),
        transaction=hexadecimal(fields["transaction"], 32, f"{where}.transaction", "0x"),
    )


def _report(value: Any, where: str) -> ShownReport:
    fields = closed_object(value, _REPORT_KEYS, where)
    encoded = hexadecimal(fields["entry"], ENTRY_SIZE, f"{where}.entry")
    return ShownReport(decode_entry(encoded), encoded, _path(fields["path"], f"{where}.path"))


def _member(value: Any) -> Member:
    fields = closed_object(value, _MEMBER_KEYS, "member")
    return Member(
        entry=EntryIndex(whole_number(fields["entry"], "member.entry")),
        manifest=_text(fields["manifest"], "member.manifest"),
        index=whole_number(fields["index"], "member.index"),
        size=whole_number(fields["size"], "member.size"),
        path=_path(fields["path"], "member.path"),
    )


def _state(value: Any) -> StateProof:
    fields = closed_object(value, _STATE_KEYS, "state")
    account, storage = (
        tuple(
            hexadecimal(node, None, f"state.{name}[{at}]", "0x")
            for at, node in enumerate(_list(fields[name], f"state.{name}"))
        )
        for name in ("account", "storage")
    )
    return StateProof(hexadecimal(fields["header"], None, "state.header", "0x"), account, storage)


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise InputError(f"{where} is not a list")
    return value


def _path(value: Any, where: str) -> tuple[Digest, ...]:
    hashes = [decoded(each) for each in _list(value, where)]
    for at, each in enumerate(hashes):
        if each is None or len(each) != _HASH_SIZE:
            hexadecimal(value[at], _HASH_SIZE, f"{where}[{at}]")
    return cast("tuple[Digest, ...]", tuple(hashes))


def _block(value: Any, where: str) -> BlockId:
    return BlockId(*block_id(value, where))


def _text(value: Any, where: str) -> bytes:
    if not isinstance(value, str):
        raise InputError(f"{where} is not a text")
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise InputError(f"{where} holds half a surrogate pair") from None
