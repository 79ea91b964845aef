"""Receipts as files, good ones and bad ones named by what was done to them.

Any verifier in any language can be run over `tests/vectors/receipts`: every file says
which step of docs/formats.md §13 refuses it, or null where none does. The check is the one
against a block hash.

The files are made here, from the made-up chain of registries.py. After changing what is
made: python tests/unit/test_receipt_vectors.py
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import clause_vectors
import pytest
import report_vectors
import rlp  # type: ignore[import-untyped]  # it has no stubs
from eth_hash.auto import keccak
from logs import draft
from registries import (
    CONTRACT,
    ENTRIES,
    FIRST,
    LEAF_LIKE,
    MEMBERS,
    NAME,
    NODE_LIKE,
    ONLY_MEMBER,
    OTHER_CONTRACT,
    OTHER_NAME,
    RENDITION,
    SECOND,
    SIZE_SLOT,
    THIRD,
    UNSHOWN,
    UNSHOWN_LEAF,
    UNSHOWN_NODE,
    Registry,
    Shown,
    account,
    at_size,
    block_at,
    collection,
    complete,
    member,
    member_leaves,
    member_manifest,
    peak_slot,
    policy_slot,
    receipt_of,
    sha256,
    shown_entry,
    state_of,
    word,
)
from test_merkle import node

from registry.core.calendar import parse_day
from registry.core.entry import NO_ENTRY, Action
from registry.core.receipt import MAX_SIZE, read_receipt
from registry.core.receipt_check import Trace
from registry.core.snapshot import Logged
from registry.errors import CouldNotCheck, ProofError
from registry.services.receipts import check_against_block, check_document, parse_registry

FOLDER = Path(__file__).parents[1] / "vectors" / "receipts"
ON = parse_day("2024-06-01")
LARGEST_FILE, LARGEST_FOLDER = 12_000, 2_000_000
NO_VERDICT = "no verdict"
SAFE = 2**53 - 1


@dataclass(frozen=True)
class Vector:
    """A receipt file and what a verifier says of it; `content` stands for other bytes than
    those of `shown`."""

    name: str
    expected: int | str | None
    shown: Shown
    desc: str
    content: bytes | None = None
    entry: int | None = None
    latest: bool | None = None
    marked: Sequence[int] | None = None
    doubted: bool | None = None

    def fields(self) -> dict[str, Any]:
        content = self.shown.text().encode() if self.content is None else self.content
        held: dict[str, Any] = {
            "file_base64": base64.b64encode(self.shown.file).decode(),
            "block_hash": "0x" + self.shown.block_hash.hex(),
            "contract": self.shown.contract,
            "expected": self.expected,
            "desc": self.desc,
        }
        try:
            held["receipt"] = content.decode()
        except UnicodeDecodeError:
            held["receipt_base64"] = base64.b64encode(content).decode()
        if self.expected is None:
            held |= {"entry": self.entry, "latest": self.latest}
        if self.marked is not None:
            held |= {"marked": self.marked, "doubted": self.doubted}
        return held


Cases = Iterator[tuple[str, Shown, str]]


@cache
def one() -> Shown:
    """A publish in a log of six entries."""
    return complete("1", 6, FIRST)


@cache
def bare() -> Shown:
    """The same without what makes it large: it reads, and that is all."""
    return one().put("entries.0.manifest", None).put("state", None)


@cache
def two() -> Shown:
    """A publish and an amend in a log of seven."""
    return complete("1", 7, SECOND)


@cache
def three() -> Shown:
    """A publish, an amend and a correct in a log of eight."""
    return complete("1", 8, THIRD)


@cache
def of_member() -> Shown:
    return complete("3", 9, MEMBERS[3], member=member(3, 8))


def flipped(written: str) -> str:
    """Hexadecimal whose last bit is another."""
    return f"{written[:-1]}{int(written[-1], 16) ^ 1:x}"


# Good ones


def good() -> Iterator[Vector]:
    for name, entry, shown, desc in (
        ("one-entry", 4, one(), "one entry; the log has two peaks"),
        ("amended", 6, two(), "two entries; the log has three peaks"),
        ("older-version", 4, replace(two(), file=FIRST), "the file of the version before"),
        ("log-of-8", 7, three(), "three entries; the log has one peak, and stale ones"),
        ("log-of-15", 13, complete("6", 15, NODE_LIKE), "four peaks"),
        ("log-of-16", 11, complete("4", 16, b"four"), "one peak"),
        ("five-acts", 7, complete("1", 11, THIRD), "amended, corrected, suspended, reinstated"),
        ("log-of-1", 0, alone(), "the only entry: its path is empty, and its leaf the root"),
        ("manifest-not-in-the-log", 5, complete("2", 6, UNSHOWN), "only a digest was anchored"),
        ("manifest-not-shown", 4, one().put("entries.0.manifest", None), "the log has it"),
        ("first-manifest-not-shown", 6, two().put("entries.0.manifest", None), "that of another"),
        ("suspended-manifest-not-shown", 7, suspended(), "it ended anyhow"),
        ("rendition", 11, complete("4", 12, RENDITION), "a rendition that the manifest names"),
        ("member", 8, of_member(), "a member of a collection"),
        ("member-rendition", 8, replace(of_member(), file=b"member 3 as a picture"), "of it"),
        ("last-member", 8, complete("3", 9, MEMBERS[4], member=member(4, 8)), "a shorter path"),
        ("only-member", 12, only_member(), "a collection of one: its path is empty"),
        ("member-from-2999", 0, dated_member(effective_from="2999-01-01"), "its own first day"),
        ("member-until-2021", 0, dated_member(effective_to="2021-12-31"), "its own last day"),
        (
            "member-of-2020-to-2999",
            0,
            dated_member(effective_from="2020-02-01", effective_to="2999-12-31"),
            "its own days, the collection's being others",
        ),
        ("document-like-a-node", 13, complete("6", 14, NODE_LIKE), "65 bytes that begin with 01"),
        ("document-like-a-leaf", 14, complete("7", 15, LEAF_LIKE), "it begins with 00 and {"),
        ("no-contract-meant", 4, replace(one(), contract=None), "step 2 compares with nothing"),
        ("nodes-too-many", 4, nodes_too_many(), "nodes that no slot needs"),
        ("nodes-twice", 4, nodes_twice(), "each node twice"),
        ("nodes-reversed", 4, nodes_reversed(), "the order of nodes means nothing"),
        ("retired", 4, retired(), "the log was closed, with a successor"),
        ("retired-without-successor", 4, retired(bytes(20)), "the log was closed"),
        ("unproved-block", 4, one().put("entries.0.block.number", 7), "it only says where to look"),
    ):
        yield Vector(f"{name}-good", None, shown, desc, entry=entry, latest=True)
    for name, field, value, desc in (
        (
            "title-of-two-lines",
            "title",
            {"en": "One\n  exact: as published \u2028\u200b"},
            "readable",
        ),
        ("manifest-unreadable", "title", {"en": "\x1b[2J\x9b1m"}, "controls: it says nothing"),
        ("manifest-of-another-policy", "number", "2", "anchored all the same: it says nothing"),
        ("manifest-of-another-act", "action", "amend", "the entry wins"),
    ):
        yield Vector(f"{name}-good", None, described_as(field, value), desc, entry=0, latest=True)
    spaced = json.dumps(one().fields, indent=4, sort_keys=True, ensure_ascii=True).encode()
    yield Vector("spaced-good", None, one(), "spaces, keys in another order", spaced, 4, True)
    for name, entry, shown, desc in (
        ("older-than-an-amendment", 4, receipt_of(at_size(7), [4], FIRST), "one later act"),
        ("older-than-a-suspension", 7, receipt_of(at_size(10), [4, 6, 7], THIRD), "suspended"),
        ("older-than-all", 4, receipt_of(at_size(11), [4], FIRST), "four later acts"),
        ("retired-and-older", 4, retired(size=7), "closed, after one later act"),
    ):
        yield Vector(f"{name}-good", None, shown, desc, entry=entry, latest=False)


def alone() -> Shown:
    (logged,) = renumbered([ENTRIES[4]])
    return receipt_of(block_at([logged]), [0], FIRST)


def described_as(field: str, value: Any, act: Logged = ENTRIES[4], file: bytes = FIRST) -> Shown:
    """The only entry of a log, with another value in the manifest that it anchors."""
    manifest = json.dumps({**json.loads(act.manifest or b""), field: value}).encode()
    entry: Any = replace(act.entry, manifest=sha256(manifest))  # type: ignore[arg-type]
    return receipt_of(block_at(renumbered([Logged(entry, manifest)])), [0], file)


def renumbered(logged: Sequence[Logged]) -> list[Logged]:
    """A log of these acts on one policy and no others."""
    found = []
    for index, each in enumerate(logged):
        place: Any = {"index": index, "previous": index - 1 if index else None}
        found.append(replace(each, entry=replace(each.entry, sequence=index + 1, **place)))
    return found


def only_member() -> Shown:
    leaves = [sha256(b"\0" + member_manifest(ONLY_MEMBER))]
    return complete("5", 13, ONLY_MEMBER, member=member(0, 12, leaves, ONLY_MEMBER))


def dated_member(**dates: str) -> Shown:
    """The only member of a collection in force, with dates of its own."""
    days: Any = {name: parse_day(written) for name, written in dates.items()}
    manifest = draft(Action.PUBLISH, "3", ONLY_MEMBER.decode(), **days).manifest()
    log = Registry()
    log.record(collection("3", [sha256(b"\0" + manifest)]))
    place = {"entry": 0, "manifest": manifest.decode(), "index": 0, "size": 1, "path": []}
    return receipt_of(block_at(log.logged), [0], ONLY_MEMBER, member=place)


def suspended() -> Shown:
    return complete("1", 10, THIRD).put("entries.2.manifest", None)


def nodes_too_many() -> Shown:
    block = at_size(6)
    accounts = ["0x" + each.hex() for each in block.accounts.nodes(OTHER_CONTRACT)]
    slots = ["0x" + each.hex() for each in block.storage.nodes(peak_slot(0), policy_slot("2"))]
    garbage = ["0x", "0x80", "0xffff"]
    more = one().put("state.account", one().at("state.account") + accounts + garbage)
    return more.put("state.storage", garbage + one().at("state.storage") + slots)


def nodes_twice() -> Shown:
    twice = one().put("state.account", one().at("state.account") * 2)
    return twice.put("state.storage", one().at("state.storage") * 2)


def nodes_reversed() -> Shown:
    turned = one().put("state.account", one().at("state.account")[::-1])
    return turned.put("state.storage", one().at("state.storage")[::-1])


def retired(successor: bytes = OTHER_CONTRACT, size: int = 6) -> Shown:
    closed = size | 1 << 64 | int.from_bytes(successor, "big") << 72
    return receipt_of(block_at(ENTRIES[:size], slots={SIZE_SLOT: closed}), [4], FIRST)


# Step 1: it can not be read


def unreadable_text() -> Iterator[tuple[str, bytes, str]]:
    text, whole = bare().text(), one().text()
    size, twice = '"size":6', '"size":6,"size":6'
    assert text.count(size) == 1
    for name, written, desc in (
        ("empty", "", "a file of no bytes"),
        ("truncated-after-1", whole[:1], "cut off"),
        ("truncated-in-the-entry", whole[:500], "cut off"),
        ("truncated-in-the-manifest", whole[:1200], "cut off"),
        ("truncated-in-the-state", whole[:-200], "cut off"),
        ("truncated-before-the-end", whole[:-1], "the last bracket is missing"),
        ("garbage-after", whole + "garbage", "more after the value"),
        ("value-after", whole + "{}", "a second value"),
        ("nul-after", whole + "\0", "no white space"),
        ("garbage-before", "x" + text, "more before the value"),
        ("no-break-space-before", "\xa0" + text, "no white space in JSON"),
        ("key-twice", whole[:-1] + ',"member":null}', "the same key twice"),
        ("key-twice-inside", text.replace(size, twice), "in an object within"),
        (
            "key-twice-once-escaped",
            text.replace(size, '"size":6,"\\u0073ize":6'),
            "the same key in two ways of writing",
        ),
        ("nested-64", "[" * 64 + "]" * 64, "a list where an object belongs"),
        ("nested-65", "[" * 65 + "]" * 65, "deeper than 64 levels"),
        ("nested-2000", "[" * 2000 + "]" * 2000, "deeper than 64 levels"),
        ("member-nested-2000", _member(text, "[" * 2000 + "]" * 2000), "deeper than 64 levels"),
        ("member-open-1000", _member(text, '{"a":' * 1000), "deeper than 64 levels, never closed"),
        ("list", f"[{text}]", "a list with a receipt in it"),
        ("null", "null", "no object"),
        ("manifest", one().at("entries.0.manifest"), "a manifest, not a receipt"),
        ("size-negative", _size(text, "-6"), "less than 0"),
        ("size-fraction", _size(text, "6.0"), "a fraction, though a whole number"),
        ("size-exponent", _size(text, "6e0"), "an exponent"),
        ("size-text", _size(text, '"6"'), "a number as text"),
        ("size-true", _size(text, "true"), "no number"),
        ("size-leading-zero", _size(text, "06"), "no number in JSON"),
        ("size-full-width", _size(text, "６"), "no number in JSON"),
        ("size-nan", _size(text, "NaN"), "no number in JSON"),
        ("size-2-53", _size(text, str(2**53)), "beyond what every reader can hold"),
        ("size-2-64-and-6", _size(text, str(2**64 + 6)), "6 where 64 bits are kept"),
        ("size-5000-digits", _size(text, "9" * 5000), "far beyond"),
        ("single-quotes", text.replace('"schema"', "'schema'"), "no JSON"),
        ("comment", "/* a receipt */" + text, "no JSON"),
        ("trailing-comma", text[:-1] + ",}", "no JSON"),
        ("tab-in-manifest", whole.replace('{\\"action', '\t{\\"action'), "a control, not escaped"),
        (
            "half-surrogate",
            whole.replace('{\\"action', '\\ud800{\\"action'),
            "half a pair, which UTF-8 can not write",
        ),
    ):
        yield name, written.encode(), desc
    yield "byte-order-mark", b"\xef\xbb\xbf" + whole.encode(), "before the value"
    yield "utf-16", text.encode("utf-16"), "another encoding"
    yield "utf-16-big-endian", text.encode("utf-16-be"), "another encoding, not marked"
    yield "latin-1", whole.replace("On 1", "\xdc").encode("latin-1", "replace"), "no UTF-8"
    bad = whole.replace("On 1", "On @").encode().replace(b"On @", b"On \xc0\xb1")
    yield "overlong-utf-8", bad, "a character in more bytes than it needs"


def _size(text: str, written: str) -> str:
    return text.replace('"size":6', f'"size":{written}')


def _member(text: str, written: str) -> str:
    return text.replace('"member":null', f'"member":{written}')


def unreadable() -> Cases:
    shown = one()
    for place, value, name, desc in (
        ("schema", "policy-registry/receipt/2", "schema-of-2", "another version"),
        ("schema", "policy-registry/manifest/1", "schema-of-a-manifest", "another kind"),
        ("schema", None, "schema-null", "no schema"),
        ("note", None, "unknown-key", "a key that a receipt has not"),
        ("Member", None, "key-in-capitals", "a key that a receipt has not"),
        ("checkpoint.block.time", 0, "block-unknown-key", "a key too many"),
        ("entries.0.index", 4, "entry-unknown-key", "a key too many"),
        ("state.address", "0x", "state-unknown-key", "a key too many"),
        ("entries", [], "entries-empty", "nothing is shown"),
        ("entries", shown.at("entries.0"), "entries-object", "no list"),
        ("entries.0", None, "entry-null", "no object"),
        ("entries.0.path", None, "path-null", "no list"),
        ("entries.0.manifest", json.loads(shown.at("entries.0.manifest")), "manifest-object", ""),
        ("entries.0.block", None, "entry-block-null", "no object"),
        ("entries.0.block.number", 2**53, "entry-block-2-53", "not proved, but read"),
        ("entries.0.block.number", "105", "entry-block-text", "a number as text"),
        ("entries.0.transaction", None, "transaction-null", "no hexadecimal"),
        ("member", False, "member-false", "neither null nor an object"),
        ("state", [], "state-list", "neither null nor an object"),
        ("state.account", "0x", "account-text", "no list"),
        ("state.storage.0", None, "node-null", "no hexadecimal"),
    ):
        yield name, _put(place, value), desc or "an object where a text belongs"
    for place in (
        *("schema", "contract", "entries", "member", "state", "checkpoint.size"),
        *("checkpoint.block.hash", "entries.0.manifest", "entries.0.path", "entries.0.transaction"),
        *("state.header", "state.account"),
    ):
        base = one() if "." not in place or place.startswith("state") else bare()
        yield f"no-{place.replace('.', '-')}", base.without(place), "a key is missing"
    for place in ("index", "size", "path"):
        yield f"no-member-{place}", of_member().without(f"member.{place}"), "a key is missing"
    yield "member-unknown-key", of_member().put("member.file", ""), "a key too many"
    yield "member-index-text", of_member().put("member.index", "3"), "a number as text"
    yield "member-index-negative", of_member().put("member.index", -1), "less than 0"
    yield from _hexadecimal(shown)
    yield from _contracts(bare())
    yield from _entries(bare())


def _put(place: str, value: Any) -> Shown:
    """The change in a whole receipt only where it is about what makes it whole."""
    base = one() if place.startswith(("state", "note", "entries.0.manifest")) else bare()
    return base.put(place, value)


def _hexadecimal(shown: Shown) -> Cases:
    root, trusted = shown.at("checkpoint.root"), shown.at("checkpoint.block.hash")
    entry, sibling = shown.at("entries.0.entry"), shown.at("entries.0.path.0")
    header, transaction = shown.at("state.header"), shown.at("entries.0.transaction")
    for place, value, name, desc in (
        ("checkpoint.root", root.upper(), "root-upper-case", "capitals"),
        ("checkpoint.root", "0x" + root, "root-with-0x", "0x where none belongs"),
        ("checkpoint.root", root[:-1], "root-odd", "half a byte is missing"),
        ("checkpoint.root", root[:-2], "root-31-bytes", "a byte is missing"),
        ("checkpoint.root", root + "00", "root-33-bytes", "a byte too many"),
        ("checkpoint.root", root[:-1] + "g", "root-no-hexadecimal", "a letter beyond f"),
        ("checkpoint.root", root[:-1] + "６", "root-full-width-digit", "a digit beyond ASCII"),
        ("checkpoint.root", root + "\n", "root-line-feed", "a line feed after it"),
        ("checkpoint.root", "", "root-empty", "no bytes"),
        ("checkpoint.block.hash", trusted[2:], "hash-without-0x", "0x is missing"),
        ("checkpoint.block.hash", "0X" + trusted[2:], "hash-with-0X", "0X is not 0x"),
        ("checkpoint.block.hash", trusted[:-2], "hash-31-bytes", "a byte is missing"),
        ("entries.0.entry", entry.upper(), "entry-upper-case", "capitals"),
        ("entries.0.entry", entry[:-1], "entry-odd", "half a byte is missing"),
        ("entries.0.entry", entry[:-2], "entry-351-bytes", "a byte is missing"),
        ("entries.0.entry", entry + "00", "entry-353-bytes", "a byte too many"),
        ("entries.0.entry", "0x" + entry, "entry-with-0x", "0x where none belongs"),
        ("entries.0.path.0", sibling[:-2], "path-hash-31-bytes", "a byte is missing"),
        ("entries.0.path.0", sibling + sibling, "path-hashes-joined", "64 bytes"),
        ("entries.0.transaction", transaction[:-2], "transaction-31-bytes", "a byte is missing"),
        ("state.header", header[2:], "header-without-0x", "0x is missing"),
        ("state.header", header.upper(), "header-upper-case", "capitals"),
        ("state.storage.0", shown.at("state.storage.0") + " ", "node-space", "a space after it"),
    ):
        yield name, _put(place, value), desc


def _contracts(shown: Shown) -> Cases:
    address = "0x" + "aB" * 20
    for value, name, desc in (
        (f"eip155:1:{address}", "contract-capitals", "as EIP-55 writes it"),
        (NAME.replace("0x", "0X"), "contract-0X", "0X is not 0x"),
        (NAME.replace(":1:", ":01:"), "contract-leading-zero", "the chain id in another way"),
        (NAME.replace(":1:", "::"), "contract-no-chain", "no chain id"),
        (NAME.replace(":1:", ":0x1:"), "contract-hexadecimal-chain", "not in decimal"),
        (NAME.replace(":1:", ":１:"), "contract-full-width-chain", "a digit beyond ASCII"),
        (NAME.replace("eip155", "EIP155"), "contract-namespace-capitals", "capitals"),
        (NAME.replace("eip155", "bip122"), "contract-other-namespace", "no chain of Ethereum's"),
        (NAME[len("eip155:1:") :], "contract-address-only", "no chain"),
        (NAME + "00", "contract-21-bytes", "a byte too many"),
        (NAME + "\n", "contract-line-feed", "a line feed after it"),
        (" " + NAME, "contract-space", "a space before it"),
        (None, "contract-null", "no text"),
    ):
        yield name, shown.put("contract", value), desc


def _entries(shown: Shown) -> Cases:
    """Bytes that the contract can not have written."""
    for at, value, name, desc in (
        (0, 1 << 64 | 4, "entry-word-0-padding", "a bit left of the number"),
        (1, 2**256 - 1, "entry-word-1-padding", "all bits left of the number"),
        (2, int.from_bytes(b"cn.gd".ljust(32, b"\0"), "big"), "entry-authority-small", "no code"),
        (5, 0, "entry-action-0", "no action"),
        (5, 19, "entry-action-19", "no action"),
        (5, 257, "entry-word-5-padding", "1 where 8 bits are kept"),
        (6, 2**256 - 2**32 + 18262, "entry-word-6-padding", "a sign that is not the day's"),
        (6, 2**32 - 1, "entry-word-6-sign", "a day before 1970 without its sign"),
    ):
        yield name, word_put(shown, 0, at, value), desc


def unadorned(shown: Shown) -> Shown:
    """The same with no manifest shown."""
    for at in range(len(shown.at("entries"))):
        shown = shown.put(f"entries.{at}.manifest", None)
    return shown


def word_put(shown: Shown, entry: int, at: int, value: int) -> Shown:
    """With another word in an entry."""
    written = shown.at(f"entries.{entry}.entry")
    changed = written[: 64 * at] + word(value).hex() + written[64 * (at + 1) :]
    assert changed != written
    return shown.put(f"entries.{entry}.entry", changed)


# Steps 2 to 6: chain, contract, block, account, storage, checkpoint


def of_another_registry() -> Cases:
    elsewhere = NAME.replace(":1:", ":2:")
    yield "contract-of-another-chain", one().put("contract", elsewhere), "another chain's"
    yield "contract-another", one().put("contract", OTHER_NAME), "another contract's"
    yield "contract-meant-is-another", replace(one(), contract=OTHER_NAME), "another is meant"
    yield "chain-meant-is-another", replace(one(), contract=elsewhere), "another is meant"
    both = replace(two(), block_hash=bytes(32), contract=OTHER_NAME)
    yield "contract-meant-is-another-and-hash-wrong", both, "the first step that fails is named"


def of_another_block() -> Cases:
    shown, other = one(), at_size(7)
    header = shown.at("state.header")
    wrong = sha256(b"another block")
    yield "block-hash-wrong", replace(shown, block_hash=wrong), "the verifier trusts another"
    yield "block-hash-of-the-next", replace(shown, block_hash=other.hash), "another block's"
    yield "header-bit-flipped", shown.put("state.header", flipped(header)), "a bit of the nonce"
    yield "header-empty", shown.put("state.header", "0x"), "no header"
    changed = "0x" + other.header.hex()
    yield "header-of-the-next", shown.put("state.header", changed), "another block's"
    both = replace(shown.put("state.header", changed), block_hash=other.hash)
    yield "header-and-hash-of-the-next", both, "the checkpoint names another block"
    number = shown.at("checkpoint.block.number")
    for value, name in ((number + 1, "plus-one"), (number - 1, "minus-one"), (SAFE, "2-53-minus")):
        changed_number = shown.put("checkpoint.block.number", value)
        yield f"checkpoint-block-{name}", changed_number, "not the header's number"
    hashed = shown.put("checkpoint.block.hash", flipped(shown.at("checkpoint.block.hash")))
    yield "checkpoint-hash-bit-flipped", hashed, "not the header's hash"
    both = shown.put("checkpoint.block.number", number + 1).put("state.account", [])
    yield "checkpoint-block-plus-one-and-account-missing", both, "the first step that fails"
    block = at_size(6)
    fields = rlp.decode(block.header)
    for name, made, desc in (
        ("header-bytes-after", block.header + b"\0", "more after the list"),
        ("header-truncated", block.header[:-1], "the last byte is missing"),
        ("header-14-fields", rlp.encode(fields[:14]), "a field too few"),
        ("header-state-root-31-bytes", rlp.encode(_with(fields, 3, fields[3][:31])), "no root"),
        ("header-list-inside", rlp.encode(_with(fields, 1, [])), "a list where a string belongs"),
        ("header-no-list", rlp.encode(block.header), "one string"),
        ("header-long-length", _long_length(block.header), "a length in more bytes than needed"),
    ):
        trusted = shown.put("state.header", "0x" + made.hex())
        trusted = trusted.put("checkpoint.block.hash", "0x" + keccak(made).hex())
        yield name, replace(trusted, block_hash=keccak(made)), f"{desc}; the hash is its own"


def _with(fields: Sequence[Any], at: int, value: Any) -> list[Any]:
    return [*fields[:at], value, *fields[at + 1 :]]


def _long_length(header: bytes) -> bytes:
    assert header[0] == 0xF9
    return b"\xfa\0" + header[1:]


def of_another_account() -> Cases:
    shown, block = one(), at_size(6)
    others = [each.hex() for each in block.accounts.nodes(OTHER_CONTRACT)]
    elsewhere = replace(shown.put("contract", OTHER_NAME), contract=OTHER_NAME)
    yield "account-of-another-contract", elsewhere, "the nodes lead to another account"
    yield "account-none", shown.put("state.account", []), "no nodes"
    last = len(shown.at("state.account")) - 1
    for at, name in ((0, "first"), (last, "last")):
        place = f"state.account.{at}"
        yield f"account-{name}-node-missing", shown.without(place), "a node is missing"
        altered = shown.put(place, flipped(shown.at(place)))
        yield f"account-{name}-node-bit-flipped", altered, "its hash is another"
    theirs = shown.put("state.account", ["0x" + each for each in others])
    yield "account-nodes-of-another-contract", theirs, "the nodes lead elsewhere"
    nobody = b"\x33" * 20
    name = f"eip155:1:0x{nobody.hex()}"
    absent = shown.put("state.account", ["0x" + e.hex() for e in block.accounts.nodes(nobody)])
    absent = replace(absent.put("contract", name), contract=name)
    yield "account-shown-to-be-absent", absent, "the nodes show that there is none"
    fields = rlp.decode(account(block.storage.root))
    for name, made, desc in (
        ("account-3-fields", rlp.encode(fields[:3]), "no account"),
        ("account-5-fields", rlp.encode([*fields, b""]), "no account"),
        ("account-storage-root-31-bytes", rlp.encode(_with(fields, 2, b"\1" * 31)), "no root"),
        ("account-bytes-after", rlp.encode(fields) + b"\0", "more after the list"),
        ("account-no-list", rlp.encode(rlp.encode(fields)), "one string"),
    ):
        altered_block = block_at(ENTRIES[:6], accounts={CONTRACT: made})
        yield name, receipt_of(altered_block, [4], FIRST), f"{desc}; the state holds it so"


def of_another_storage() -> Cases:
    shown, block = one(), at_size(6)
    slots = {"size": SIZE_SLOT, "peak": peak_slot(1), "policy": policy_slot("1")}
    for name, slot in slots.items():
        last = "0x" + block.storage.nodes(slot)[-1].hex()
        nodes = shown.at("state.storage")
        assert nodes.count(last) == 1
        without = [each for each in nodes if each != last]
        yield f"storage-{name}-missing", shown.put("state.storage", without), "a node is missing"
        altered = [flipped(each) if each == last else each for each in nodes]
        yield f"storage-{name}-altered", shown.put("state.storage", altered), "another value"
    yield "storage-none", shown.put("state.storage", []), "no nodes"
    yield "storage-first-node-missing", shown.without("state.storage.0"), "the root's node"
    later = ["0x" + each.hex() for each in at_size(7).storage.nodes(*slots.values(), peak_slot(0))]
    yield "storage-of-the-next-block", shown.put("state.storage", later), "another block's"
    theirs = block_at(ENTRIES[:6], slots={word(67): 1})
    other = shown.put("state.storage", receipt_of(theirs, [4], FIRST).at("state.storage"))
    yield "storage-of-another-contract", other, "the nodes lead from another root"
    other = shown.put("entries.0", complete("2", 6, b"").at("entries.0"))
    yield "storage-of-another-policy", other, "the nodes do not lead to its policy's slot"
    for name, slot, value, desc in (
        ("size-leading-zero", SIZE_SLOT, rlp.encode(b"\0\6"), "a number with a zero before it"),
        ("size-zero-byte", SIZE_SLOT, rlp.encode(b"\0"), "0 is not written"),
        ("size-empty", SIZE_SLOT, rlp.encode(b""), "0 is not written"),
        ("size-list", SIZE_SLOT, rlp.encode([b"\6"]), "no string"),
        ("size-long-form", SIZE_SLOT, b"\x81\6", "one byte in two"),
        ("peak-33-bytes", peak_slot(1), rlp.encode(b"\1" * 33), "more than a word"),
        ("policy-bytes-after", policy_slot("1"), rlp.encode(b"\1") + b"\0", "more after it"),
    ):
        held = block_at(ENTRIES[:6], values={slot: value})
        yield f"storage-{name}", receipt_of(held, [4], FIRST), f"{desc}; the storage holds it so"
    status = block_at(ENTRIES[:6], slots={policy_slot("1"): slot_value(6, 1, 4)})
    yield "storage-policy-status-6", receipt_of(status, [4], FIRST), "no status"
    head = block_at(ENTRIES[:6], slots={policy_slot("1"): slot_value(1, 1, NO_ENTRY)})
    yield "storage-policy-head-none", receipt_of(head, [4], FIRST), "a policy without an entry"


def slot_value(status: int, sequence: int, head: int, recorded_at: int | None = None) -> int:
    at = ENTRIES[4].entry.recorded_at if recorded_at is None else recorded_at
    return status | sequence << 8 | head << 40 | at << 104


def of_another_checkpoint() -> Cases:
    shown = one()
    for value, name in ((7, "plus-one"), (5, "minus-one"), (0, "zero"), (SAFE, "2-53-minus-one")):
        yield f"size-{name}", shown.put("checkpoint.size", value), "not the contract's"
    root = shown.at("checkpoint.root")
    yield "root-bit-flipped", shown.put("checkpoint.root", flipped(root)), "not the contract's"
    other = one().put("checkpoint.root", two().at("checkpoint.root"))
    yield "root-of-the-next", other, "a later root"
    both = other.put("checkpoint.size", 7)
    yield "size-and-root-of-the-next", both, "a later checkpoint"
    yield "root-of-size-8-in-size-6", _stale_peaks(), "a stale peak is none"
    yield "log-empty", _empty_log(shown), "the contract's log is empty"


def _empty_log(shown: Shown) -> Shown:
    """Of a block at which the contract has a slot for the policy, and no log."""
    block = block_at([], slots={policy_slot("1"): slot_value(1, 1, 4)})
    there = shown.put("state", state_of(block, policy_slot("1")))
    return replace(there.put("checkpoint.block", block.named()), block_hash=block.hash)


def _stale_peaks() -> Shown:
    """The size is 6, and the root is folded from the peak of level 0 too."""
    leaves = [sha256(b"\0" + each.entry.encode()) for each in ENTRIES[:6]]
    four = node(node(leaves[0], leaves[1]), node(leaves[2], leaves[3]))
    folded = node(four, node(node(leaves[4], leaves[5]), leaves[4]))
    return one().put("checkpoint.root", folded.hex())


# Steps 7 and 8: paths and the history


def of_another_place() -> Cases:
    shown = unadorned(two())
    path = shown.at("entries.0.path")
    assert len(path) == 3
    for name, value, desc in (
        ("first-bit-flipped", [flipped(path[0]), *path[1:]], "another hash"),
        ("last-bit-flipped", [*path[:-1], flipped(path[-1])], "another hash"),
        ("first-missing", path[1:], "a hash too few"),
        ("last-missing", path[:-1], "a hash too few"),
        ("empty", [], "no hash"),
        ("one-too-many", [*path, path[-1]], "a hash too many"),
        ("first-twice", [path[0], *path], "a hash too many"),
        ("swapped", [path[1], path[0], path[2]], "in another order"),
        ("of-the-other-entry", shown.at("entries.1.path"), "of entry 6"),
    ):
        yield f"path-{name}", shown.put("entries.0.path", value), desc
    other = shown.put("entries.1.path", [flipped(shown.at("entries.1.path.0"))])
    yield "path-of-the-second-bit-flipped", other, "of the entry after it"
    empty = _empty_log(one()).put("checkpoint.size", 0)
    empty = empty.put("checkpoint.root", sha256(b"").hex())
    yield "log-empty-as-the-checkpoint-says", empty, "no entry lies in it"
    # Words of the second entry: those of the first say which slot is looked up at step 5.
    second = ENTRIES[6].entry
    code = int.from_bytes(b"CN".ljust(32, b"\0"), "big")
    for at, value, name in (
        (0, second.index + 1, "index-plus-one"),
        (0, second.index - 1, "index-minus-one"),
        (0, 2**63, "index-large"),
        (1, 3, "previous"),
        (2, code, "authority"),
        (3, int.from_bytes(second.number, "big") ^ 1, "number"),
        (4, second.sequence + 1, "sequence"),
        (5, Action.CORRECT, "action"),
        (6, 0, "effective-on"),
        (7, int.from_bytes(sha256(b"another document"), "big"), "document"),
        (8, int.from_bytes(sha256(b"another manifest"), "big"), "manifest"),
        (9, 7, "registrar"),
        (10, second.recorded_at - 1, "recorded-at"),
    ):
        yield f"entry-{name}-altered", word_put(shown, 1, at, value), f"word {at} is another"
    yield "entry-document-of-the-file", _forged_document(), "altered so that the file fits"


def _forged_document() -> Shown:
    forged = b"Article 1. All of it is yours."
    altered = word_put(unadorned(two()), 1, 7, int.from_bytes(sha256(forged), "big"))
    return replace(altered, file=forged)


def of_another_history() -> Cases:
    shown, block = unadorned(three()), at_size(8)
    yield "entry-in-the-middle-left-out", shown.without("entries.1"), "4 and 7 of 4, 6, 7"
    yield "entry-at-the-beginning-left-out", shown.without("entries.0"), "6 and 7 of 4, 6, 7"
    entries = shown.at("entries")
    yield "entries-reversed", shown.put("entries", entries[::-1]), "in another order"
    yield "entries-swapped", shown.put("entries", [entries[i] for i in (0, 2, 1)]), "likewise"
    yield "entry-twice", shown.put("entries", [entries[i] for i in (0, 1, 1, 2)]), "one entry twice"
    yield "first-entry-twice", shown.put("entries", [entries[0], *entries]), "one entry twice"
    for index, name, desc in (
        (5, "another-policys-entry", "entry 5 between 4 and 6"),
        (3, "act-on-an-authority", "entry 3 between 4 and 6"),
    ):
        between = [entries[0], shown_entry(ENTRIES[index], block), *entries[1:]]
        yield f"{name}-between", shown.put("entries", between), desc
    appointed = receipt_of(block, [3], FIRST)
    yield "act-on-an-authority-only", appointed, "its policy's slot is shown to be empty"
    yield from _impossible_histories()


def _impossible_histories() -> Cases:
    """Logs of a contract that checks nothing, all proved."""
    publish, amend, correct, suspend, reinstate = (ENTRIES[at] for at in (4, 6, 7, 9, 10))
    for name, acts, desc in (
        ("published-twice", [publish, publish], "the second publish may not be"),
        ("not-published", [amend, correct], "an amend of what is not there"),
        ("amended-while-suspended", [publish, suspend, amend], "an amend of what is suspended"),
        ("reinstated-while-in-force", [publish, reinstate], "nothing to reinstate"),
    ):
        yield f"history-{name}", _log_of(renumbered(acts)), desc
    place: Any
    for name, at, place, desc in (
        ("sequence-from-0", 0, {"sequence": 0}, "sequences begin with 1"),
        ("sequence-from-2", 0, {"sequence": 2}, "sequences begin with 1"),
        ("sequence-left-out", 1, {"sequence": 3}, "sequences rise by one"),
        ("previous-in-the-first", 0, {"previous": 0}, "the first has none"),
        ("previous-none-in-the-second", 1, {"previous": None}, "the second has one"),
        ("previous-another", 1, {"previous": 7}, "the one before"),
        ("amend-without-document", 1, {"document": None}, "an amend needs one"),
    ):
        logged = renumbered([publish, amend])
        logged[at] = replace(logged[at], entry=replace(logged[at].entry, **place))
        yield f"history-{name}", _log_of(logged), desc
    document: Any = sha256(FIRST)
    logged = renumbered([publish, suspend])
    logged[1] = replace(logged[1], entry=replace(logged[1].entry, document=document))
    yield "history-suspend-with-document", _log_of(logged), "a suspend takes none"
    falling = _log_of(renumbered([publish, amend]))
    yield "history-of-one-reversed", falling.put("entries", falling.at("entries")[::-1]), "indexes"


def _log_of(logged: Sequence[Logged]) -> Shown:
    return unadorned(receipt_of(block_at(logged), range(len(logged)), FIRST))


# Step 9: the policy's slot


def of_another_slot() -> Cases:
    for name, value, desc in (
        ("sequence-smaller", slot_value(1, 1, 4), "one act fewer than shown"),
        ("sequence-zero", 0, "shown to be empty"),
        ("head-another", slot_value(1, 2, 5, ENTRIES[6].entry.recorded_at), "another entry"),
        ("status-another", slot_value(4, 2, 6, ENTRIES[6].entry.recorded_at), "repealed"),
        ("recorded-at-another", slot_value(1, 2, 6, 7), "another time"),
    ):
        block = block_at(ENTRIES[:7], slots={policy_slot("1"): value})
        yield f"slot-{name}", receipt_of(block, [4, 6], SECOND), desc


# Step 10: manifests


def of_another_manifest() -> Cases:
    manifest = two().at("entries.0.manifest")
    altered = manifest.replace("2020-01-01", "2021-01-01")
    assert altered != manifest
    for name, value, desc in (
        ("altered", altered, "another date"),
        ("of-another-entry", two().at("entries.1.manifest"), "of the same policy"),
        ("line-feed-after", manifest + "\n", "more bytes than were anchored"),
        ("empty", "", "an empty text is not null"),
        ("escaped", json.dumps(json.loads(manifest)), "the same fields in other bytes"),
    ):
        yield f"manifest-{name}", two().put("entries.0.manifest", value), desc
    made_up = complete("2", 6, UNSHOWN).put("entries.0.manifest", manifest)
    yield "manifest-made-up", made_up, "for an entry whose manifest the log does not hold"


# Step 11: the file


def of_another_file() -> Cases:
    for name, shown, file, desc in (
        ("another", one(), SECOND, "a document of an act that is not shown"),
        ("byte-altered", one(), b"onf", "a byte is another"),
        ("byte-after", one(), FIRST + b"\n", "a byte too many"),
        ("empty", one(), b"", "no bytes"),
        ("is-the-manifest", one(), one().at("entries.0.manifest").encode(), "its metadata"),
        ("is-the-entry", one(), bytes.fromhex(one().at("entries.0.entry")), "its entry"),
        ("rendition-not-named", one(), RENDITION, "another policy's rendition"),
        ("rendition-manifest-not-shown", _no_manifest("4", 12, RENDITION), RENDITION, "unproved"),
    ):
        yield f"file-{name}", replace(shown, file=file), desc
    yield from _of_collections()
    yield from _of_members()


def _no_manifest(number: str, size: int, file: bytes) -> Shown:
    return complete(number, size, file).put("entries.0.manifest", None)


def top_node() -> bytes:
    """The bytes whose hash is the root of the collection of five."""
    leaves = member_leaves()
    four = node(node(leaves[0], leaves[1]), node(leaves[2], leaves[3]))
    return b"\1" + four + leaves[4]


def _of_collections() -> Cases:
    shown = complete("3", 9, top_node())
    yield "collection-node-as-document", shown, "65 bytes that hash to the collection's root"
    leaf = b"\0" + member_manifest(ONLY_MEMBER)
    yield "collection-leaf-as-document", complete("5", 13, leaf), "bytes that hash to the root"
    yield "member-as-document", replace(shown, file=MEMBERS[3]), "its proof is left out"
    manifest = member_manifest(MEMBERS[3])
    yield "member-manifest-as-document", replace(shown, file=manifest), "not even the file"


def _of_members() -> Cases:
    shown = of_member()
    path = shown.at("member.path")
    for place, value, name, desc in (
        ("path.0", flipped(path[0]), "path-bit-flipped", "another hash"),
        ("path", path[:-1], "path-hash-missing", "a hash too few"),
        ("path", [*path, path[0]], "path-hash-too-many", "a hash too many"),
        ("path", [], "path-empty", "no hash"),
        ("index", 2, "index-another", "its neighbour's place"),
        ("index", 5, "index-is-size", "outside of the collection"),
        ("index", SAFE, "index-2-53-minus-one", "far outside of the collection"),
        ("size", 4, "size-smaller", "not what the collection says"),
        ("size", 8, "size-larger", "not what the collection says"),
        ("size", 0, "size-zero", "an empty collection"),
        ("entry", 4, "entry-not-shown", "the receipt does not show entry 4"),
        ("entry", SAFE, "entry-2-53-minus-one", "the receipt does not show it"),
        (
            "manifest",
            member_manifest(MEMBERS[2]).decode(),
            "manifest-of-another",
            "its neighbour's",
        ),
        ("manifest", "", "manifest-empty", "no manifest"),
    ):
        yield f"member-{name}", shown.put(f"member.{place}", value), desc
    elsewhere = member(0, 8, [sha256(b"\0" + member_manifest(ONLY_MEMBER))], ONLY_MEMBER)
    other = replace(shown.put("member", elsewhere), file=ONLY_MEMBER)
    yield "member-of-another-collection", other, "a collection of one, not this one"
    yield "member-file-of-another", replace(shown, file=MEMBERS[2]), "its neighbour's file"
    yield "member-file-is-its-manifest", replace(shown, file=member_manifest(MEMBERS[3])), ""
    yield "member-file-is-the-node", replace(shown, file=top_node()), "of the collection's root"
    document = member(0, 4, [sha256(b"\0" + member_manifest(FIRST))], FIRST)
    yield "document-as-member", one().put("member", document), "the entry is no collection"
    both = one().put("member", {**document, "entry": 5})
    yield "document-with-a-member", both, "with a member the file is nothing else"
    hidden = shown.put("entries.0.manifest", None)
    yield "member-collection-not-shown", hidden, "no manifest says that it is a collection"
    yield "member-manifest-no-manifest", _leaf_of_garbage(), "the leaf is no manifest"


def _leaf_of_garbage() -> Shown:
    """A collection of one whose leaf is not a manifest: the root is anchored all the same."""
    log = Registry()
    log.record(collection("3", [sha256(b"\0" + b"garbage")]))
    place = {"entry": 0, "manifest": "garbage", "index": 0, "size": 1, "path": []}
    return receipt_of(block_at(log.logged), [0], b"garbage", member=place)


def without_verdict() -> Cases:
    yield "state-null", one().put("state", None), "nothing to set against the block hash"
    shown = complete("3", 9, top_node()).put("entries.0.manifest", None)
    yield "collection-node-without-manifest", shown, "it may be a document of 65 bytes"
    unreadable = described_as("number", "\x1b", ENTRIES[8], top_node())
    yield "collection-node-manifest-unreadable", unreadable, "it is there, and says nothing"
    leaf = b"\0" + member_manifest(ONLY_MEMBER)
    yield "collection-leaf-without-manifest", _no_manifest("5", 13, leaf), "it may be a document"
    yield "document-like-a-node-without-manifest", complete("8", 17, UNSHOWN_NODE), "likewise"
    yield "document-like-a-leaf-without-manifest", complete("9", 18, UNSHOWN_LEAF), "likewise"


STEPS: dict[int | str, Any] = {
    1: unreadable,
    2: of_another_registry,
    3: of_another_block,
    4: of_another_account,
    5: of_another_storage,
    6: of_another_checkpoint,
    7: of_another_place,
    8: of_another_history,
    9: of_another_slot,
    10: of_another_manifest,
    11: of_another_file,
    NO_VERDICT: without_verdict,
}


def vectors() -> Iterator[Vector]:
    yield from good()
    for name, content, desc in unreadable_text():
        yield Vector(name, 1, one(), desc, content)
    for name, entry, shown, marked, doubted, desc in report_vectors.good():
        yield Vector(
            f"{name}-good", None, shown, desc, entry=entry, latest=True, marked=marked,
            doubted=doubted,
        )  # fmt: skip
    for refused, reported in report_vectors.bad().items():
        for name, shown, desc in reported:
            yield Vector(name, refused, shown, desc)
    for name, shown, desc in clause_vectors.good():
        yield Vector(f"{name}-good", None, shown, desc, entry=0, latest=True)
    for refused, reported in clause_vectors.bad().items():
        for name, shown, desc in reported:
            yield Vector(name, refused, shown, desc)
    for step, cases in STEPS.items():
        for name, shown, desc in cases():
            yield Vector(name, step, shown, desc)


@cache
def files() -> dict[str, bytes]:
    """The files by name. The same on every run."""
    made: dict[str, bytes] = {}
    for each in vectors():
        name = f"{each.name}.json"
        assert name not in made, name
        written = json.dumps(each.fields(), indent=1, sort_keys=True, ensure_ascii=False)
        made[name] = written.encode() + b"\n"
    return made


FILES = files()


@dataclass(frozen=True)
class Answer:
    """What the product says: the step that fails, or which entry brought the file."""

    expected: int | str | None
    entry: int | None = None
    latest: bool | None = None
    marked: list[int] | None = None
    doubted: bool | None = None


def answer(vector: dict[str, Any], file: Path) -> Answer:
    written = vector.get("receipt")
    content = base64.b64decode(vector["receipt_base64"]) if written is None else written.encode()
    file.write_bytes(base64.b64decode(vector["file_base64"]))
    meant = vector["contract"] and parse_registry(vector["contract"])
    trace = Trace()
    try:
        receipt = read_receipt(content)
        trusted = bytes.fromhex(vector["block_hash"][2:])
        shown = check_against_block(receipt, trusted, meant, trace)
        verdict = check_document(shown, file, ON, trace)
    except ProofError as refusal:
        return Answer(refusal.step)
    except CouldNotCheck:
        return Answer(NO_VERDICT)
    lead = verdict.leading or verdict.says_the_same
    assert lead is not None
    marked = lead.compromised
    latest = shown.later == 0
    if marked is None:
        return Answer(None, lead.entry, latest)
    return Answer(None, lead.entry, latest, [each.entry for each in marked], lead.doubted)


def test_the_committed_files_are_the_ones_made_here() -> None:
    assert {each.name: each.read_bytes() for each in FOLDER.iterdir()} == FILES


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_receipt_is_refused_at_the_step_its_file_names(name: str, folder: Path) -> None:
    vector = json.loads((FOLDER / name).read_bytes())
    found = answer(vector, folder / "file")
    told = ("entry", "latest", "marked", "doubted")
    assert found == Answer(vector["expected"], *(vector.get(each) for each in told))


def test_every_step_refuses_a_receipt() -> None:
    seen = {json.loads(each)["expected"] for each in FILES.values()}
    assert seen == {None, *range(1, 12), 13, NO_VERDICT}


def test_the_files_stay_small() -> None:
    assert max(map(len, FILES.values())) < LARGEST_FILE
    assert sum(map(len, FILES.values())) < LARGEST_FOLDER


def test_a_receipt_of_100_megabytes_is_refused_for_its_size() -> None:
    for content in (b" " * 100_000_000, one().text().encode() + b" " * MAX_SIZE):
        with pytest.raises(ProofError, match=f"step 1: .*at most {MAX_SIZE:,}"):
            read_receipt(content)


def test_the_largest_receipt_is_read() -> None:
    text = one().text().encode()
    assert read_receipt(text + b" " * (MAX_SIZE - len(text))) == read_receipt(text)


def write() -> None:
    """Make the folder anew."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.json"):
        old.unlink()
    for name, content in FILES.items():
        (FOLDER / name).write_bytes(content)


if __name__ == "__main__":
    write()
