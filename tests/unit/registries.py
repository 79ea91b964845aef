"""A registry on a made-up chain, down to its blocks' headers, and receipts from it.

Written from docs/formats.md: tree, storage, tries, headers and a receipt's JSON share no
code with the product. Only manifests and the 352 bytes of an entry are the product's.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import rlp  # type: ignore[import-untyped]  # it has no stubs
from eth_hash.auto import keccak
from logs import Log, draft
from test_merkle import node, split
from trie.hexary import HexaryTrie

from registry.core.authority import encode_code
from registry.core.draft import FileDescription
from registry.core.entry import Action, Entry
from registry.core.policy import policy_key
from registry.core.snapshot import Logged

CHAIN_ID = 1
CONTRACT, OTHER_CONTRACT = b"\x11" * 20, b"\x22" * 20
NAME = f"eip155:{CHAIN_ID}:0x{CONTRACT.hex()}"
OTHER_NAME = f"eip155:{CHAIN_ID}:0x{OTHER_CONTRACT.hex()}"
AUTHORITY = "CN.GD"
TIME = 1_700_000_000

_AFTER = {
    Action.SUSPEND: 2,
    Action.SUPERSEDE: 3,
    Action.REPEAL: 4,
    Action.WITHDRAW: 5,
}
_POLICIES, _SUBJECTS = 65, 66


def sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


# The log's tree


def root(leaves: Sequence[bytes]) -> bytes:
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"")
    k = split(len(leaves))
    return node(root(leaves[:k]), root(leaves[k:]))


def path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if index < k:
        return [*path(index, leaves[:k]), root(leaves[k:])]
    return [*path(index - k, leaves[k:]), root(leaves[:k])]


def leaf(entry: Entry) -> bytes:
    return sha256(b"\0" + entry.encode())


# The contract's storage


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def mapped(subject: bytes, authority: str, slot: int) -> bytes:
    return keccak(subject + keccak(encode_code(authority) + word(slot)))


def policy_slot(number: str) -> bytes:
    return mapped(sha256(number.encode()), AUTHORITY, _POLICIES)


SIZE_SLOT = word(0)


def peak_slot(level: int) -> bytes:
    return word(1 + level)


def storage_of(entries: Iterable[Entry]) -> dict[bytes, int]:
    """The slots after these entries, stale peaks among them."""
    slots: dict[bytes, int] = {}
    size = 0
    for size, entry in enumerate(entries, 1):
        hashed, level = leaf(entry), 0
        while (size - 1) >> level & 1:
            hashed = node(word(slots[peak_slot(level)]), hashed)
            level += 1
        slots[peak_slot(level)] = int.from_bytes(hashed, "big")
        if entry.action <= Action.WITHDRAW:
            value = _AFTER.get(entry.action, 1) | entry.sequence << 8 | entry.index << 40
            key = mapped(entry.number, entry.authority, _POLICIES)
            slots[key] = value | entry.recorded_at << 104
        else:
            key = mapped(entry.number, entry.authority, _SUBJECTS)
            slots[key] = entry.sequence | entry.index << 32
    slots[SIZE_SLOT] = size
    return slots


# The chain


class Trie:
    """What lies under the keccak-256 of keys, and the nodes that lead there."""

    def __init__(self, content: Mapping[bytes, bytes]) -> None:
        self._trie: Any = HexaryTrie({})  # parts of it have no types
        for key in sorted(content):
            self._trie[keccak(key)] = content[key]
        self.root = bytes(self._trie.root_hash)

    def nodes(self, *keys: bytes) -> list[bytes]:
        """The nodes on the way to the keys, each once."""
        found = (each for key in keys for each in self._trie.get_proof(keccak(key)))
        return list(dict.fromkeys(rlp.encode(each) for each in found))


@dataclass(frozen=True)
class Block:
    """One block: its header's RLP, and the storage of the contract at its end."""

    number: int
    header: bytes
    accounts: Trie
    storage: Trie
    entries: Sequence[Logged]

    @property
    def hash(self) -> bytes:
        return keccak(self.header)

    def named(self) -> dict[str, Any]:
        return {"number": self.number, "hash": "0x" + self.hash.hex()}


def header_fields(number: int, state_root: bytes) -> list[Any]:
    return [
        sha256(b"parent of %d" % number),
        keccak(rlp.encode([])),
        bytes(20),
        state_root,
        HexaryTrie.BLANK_NODE_HASH,
        HexaryTrie.BLANK_NODE_HASH,
        bytes(256),
        b"",
        number.to_bytes(8, "big").lstrip(b"\0"),
        (30_000_000).to_bytes(4, "big"),
        b"",
        (TIME + 12 * number).to_bytes(8, "big").lstrip(b"\0"),
        b"",
        bytes(32),
        bytes(8),
        b"\7",
    ]


def account(storage_root: bytes) -> bytes:
    found: bytes = rlp.encode([b"\1", b"", storage_root, keccak(b"code")])
    return found


def block_at(
    logged: Sequence[Logged],
    *,
    slots: Mapping[bytes, int] | None = None,
    values: Mapping[bytes, bytes] | None = None,
    accounts: Mapping[bytes, bytes] | None = None,
    fields: Mapping[int, Any] | None = None,
) -> Block:
    """The block after the last of these entries; `slots`, the RLP of `values`, the RLP of
    `accounts` and header `fields` stand in place of what would be there."""
    number = 100 + len(logged)
    held = {**storage_of(each.entry for each in logged), **(slots or {})}
    # A slot of zeros is no slot.
    content = {slot: rlp.encode(word(n).lstrip(b"\0")) for slot, n in held.items() if n}
    storage = Trie({**content, **(values or {})})
    others = Trie({SIZE_SLOT: rlp.encode(b"\1")})
    state = {
        CONTRACT: account(storage.root),
        OTHER_CONTRACT: account(others.root),
    }
    trie = Trie({**state, **(accounts or {})})
    header = header_fields(number, trie.root)
    for at, value in (fields or {}).items():
        header[at] = value
    return Block(number, rlp.encode(header), trie, storage, logged)


# Receipts


@dataclass(frozen=True)
class Shown:
    """A receipt as its JSON's value, the file that it is for, and what the verifier trusts."""

    fields: dict[str, Any]
    file: bytes
    block_hash: bytes
    contract: str | None = NAME

    def put(self, place: str, value: Any) -> Shown:
        """The same with another value at `entries.0.path.1`, say; a name that is not there
        is added."""
        fields = copy.deepcopy(self.fields)
        *way, last = place.split(".")
        inside: Any = fields
        for each in way:
            inside = inside[int(each) if isinstance(inside, list) else each]
        inside[int(last) if isinstance(inside, list) else last] = value
        return replace(self, fields=fields)

    def at(self, place: str) -> Any:
        inside: Any = self.fields
        for each in place.split("."):
            inside = inside[int(each) if isinstance(inside, list) else each]
        return inside

    def without(self, place: str) -> Shown:
        """The same without a key, or an element of a list."""
        changed = self.put(place, None)
        way, _, last = place.rpartition(".")
        inside: Any = changed.at(way) if way else changed.fields
        del inside[int(last) if isinstance(inside, list) else last]
        return changed

    def text(self) -> str:
        return json.dumps(self.fields, ensure_ascii=False, separators=(",", ":"))


def shown_entry(logged: Logged, block: Block) -> dict[str, Any]:
    index = logged.entry.index
    leaves = [leaf(each.entry) for each in block.entries]
    manifest = logged.manifest
    return {
        "entry": logged.entry.encode().hex(),
        "manifest": None if manifest is None else manifest.decode(),
        "path": [each.hex() for each in path(index, leaves)],
        "block": {"number": 101 + index, "hash": "0x" + sha256(b"block %d" % index).hex()},
        "transaction": "0x" + sha256(b"transaction %d" % index).hex(),
    }


def state_of(block: Block, *slots: bytes) -> dict[str, Any]:
    """The state proof of the log's size, its live peaks, and these slots."""
    size = len(block.entries)
    peaks = [peak_slot(level) for level in range(64) if size >> level & 1]
    return {
        "header": "0x" + block.header.hex(),
        "account": ["0x" + each.hex() for each in block.accounts.nodes(CONTRACT)],
        "storage": ["0x" + each.hex() for each in block.storage.nodes(SIZE_SLOT, *peaks, *slots)],
    }


def receipt_of(
    block: Block, indexes: Sequence[int], file: bytes, *, member: dict[str, Any] | None = None
) -> Shown:
    """The receipt that shows these entries at the block."""
    first = block.entries[indexes[0]].entry
    fields = {
        "schema": "policy-registry/receipt/1",
        "contract": NAME,
        "checkpoint": {
            "size": len(block.entries),
            "root": root([leaf(each.entry) for each in block.entries]).hex(),
            "block": block.named(),
        },
        "entries": [shown_entry(block.entries[index], block) for index in indexes],
        "member": member,
        "state": state_of(block, mapped(first.number, first.authority, _POLICIES)),
    }
    return Shown(fields, file, block.hash)


# The example


@dataclass
class Registry(Log):
    """A log that takes acts on authorities too."""

    subjects: dict[tuple[str, bytes], tuple[int, int]] = field(default_factory=dict)

    def appoint(self, action: Action, authority: str, subject: bytes) -> None:
        held = self.subjects.get((authority, subject))
        index = len(self.logged)
        entry = Entry(
            index=index,  # type: ignore[arg-type]
            previous=held[1] if held else None,  # type: ignore[arg-type]
            authority=authority,
            number=subject,  # type: ignore[arg-type]
            sequence=held[0] + 1 if held else 1,
            action=action,
            effective_on=None,
            document=None,
            manifest=None,
            registrar=b"\7" * 20,  # type: ignore[arg-type]
            recorded_at=TIME + 12 * index,  # type: ignore[arg-type]
        )
        self.subjects[authority, subject] = (entry.sequence, index)
        self.logged.append(Logged(entry, None))


def described(content: bytes, name: str = "a.txt") -> FileDescription:
    return FileDescription(sha256(content), len(content), name)  # type: ignore[arg-type]


MEMBERS = [b"member %d" % number for number in range(5)]
ONLY_MEMBER = b"the only member"
RENDITION = b"one, as a picture"
NODE_LIKE = b"\1" + b"a document that looks like a node of a tree".ljust(64)
LEAF_LIKE = b'\0{"a document that looks like a leaf"}'
FIRST, SECOND, THIRD = b"one", b"one, amended", b"one, corrected"
UNSHOWN = b"two"
UNSHOWN_NODE = b"\1" + b"another that looks like a node".ljust(64)
UNSHOWN_LEAF = b'\0{"another that looks like a leaf"}'


def member_manifest(content: bytes) -> bytes:
    act = draft(Action.PUBLISH, "3", content.decode(), issued=18262)
    listed = (described(content + b" as a picture", "a.png"),)
    return replace(act, renditions=listed).manifest()


def member_leaves() -> list[bytes]:
    return [sha256(b"\0" + member_manifest(each)) for each in MEMBERS]


def member(
    index: int, entry: int, leaves: Sequence[bytes] | None = None, content: bytes | None = None
) -> dict[str, Any]:
    found = member_leaves() if leaves is None else leaves
    return {
        "entry": entry,
        "manifest": member_manifest(MEMBERS[index] if content is None else content).decode(),
        "index": index,
        "size": len(found),
        "path": [each.hex() for each in path(index, found)],
    }


def collection(number: str, leaves: Sequence[bytes]) -> Any:
    listed = FileDescription(root(leaves), 0)  # type: ignore[arg-type]
    extra = {"collection": {"members": len(leaves)}}
    return replace(draft(Action.PUBLISH, number, "", issued=18262, extra=extra), document=listed)


def example() -> Registry:
    """Eighteen entries: a policy amended, corrected, suspended, reinstated; one amended later;
    collections; a rendition; documents that look like parts of a collection's tree."""
    log = Registry()
    day = 18262  # 2020-01-01
    log.appoint(Action.APPOINT_ADMIN, "", b"\7".rjust(32, b"\0"))
    log.appoint(Action.OPEN_AUTHORITY, AUTHORITY, bytes(32))
    log.appoint(Action.APPOINT_CONTROLLER, AUTHORITY, b"\7".rjust(32, b"\0"))
    log.appoint(Action.APPOINT_REGISTRAR, AUTHORITY, b"\7".rjust(32, b"\0"))
    log.record(draft(Action.PUBLISH, "1", FIRST.decode(), issued=day))
    log.record(draft(Action.PUBLISH, "2", UNSHOWN.decode(), issued=day), digest_only=True)
    log.record(draft(Action.AMEND, "1", SECOND.decode(), effective_from=day + 731))
    log.record(draft(Action.CORRECT, "1", THIRD.decode()))
    log.record(collection("3", member_leaves()))
    log.record(draft(Action.SUSPEND, "1"))
    log.record(draft(Action.REINSTATE, "1"))
    rendered = (described(RENDITION, "a.png"),)
    log.record(draft(Action.PUBLISH, "4", "four", issued=day, renditions=rendered))
    log.record(collection("5", [sha256(b"\0" + member_manifest(ONLY_MEMBER))]))
    for number, content in (("6", NODE_LIKE), ("7", LEAF_LIKE)):
        act = draft(Action.PUBLISH, number, "", issued=day)
        log.record(replace(act, document=described(content)))
    log.record(draft(Action.AMEND, "2", "two, amended"))
    for number, content in (("8", UNSHOWN_NODE), ("9", UNSHOWN_LEAF)):
        act = draft(Action.PUBLISH, number, "", issued=day)
        log.record(replace(act, document=described(content)), digest_only=True)
    return log


ENTRIES = example().logged


def at_size(size: int) -> Block:
    return block_at(ENTRIES[:size])


def of_policy(number: str, size: int) -> list[int]:
    """The entries of a policy in the example's first `size`."""
    key = policy_key(AUTHORITY, number)
    return [each.entry.index for each in ENTRIES[:size] if each.entry.policy == key]


def complete(number: str, size: int, file: bytes, **more: Any) -> Shown:
    """The receipt that the product would make."""
    return receipt_of(at_size(size), of_policy(number, size), file, **more)
