"""A collection: one entry for any number of documents.

The entry's document is the RFC 9162 root over the members; a member's leaf data is its own
manifest's bytes. Members are not in the log: they travel as NDJSON, a header line and one member
a line in the order of the tree, and are believed where their root is the one that the log has.
The file is a function of the members alone, so that every mirror writes the same bytes.

The tree is kept as the roots of its groups of 256 leaves: these and the leaves of one group give
any path.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from registry.core import merkle
from registry.core.json_lines import parse_line
from registry.core.manifest import Manifest, parse
from registry.core.merkle import leaf_hash
from registry.core.snapshot import ndjson_line
from registry.core.strict_fields import closed_object, hexadecimal, whole_number
from registry.core.timeline import Standing
from registry.core.units import Day, Digest
from registry.errors import InputError, NotVerified

SCHEMA = "policy-registry/collection/1"
MAX_LINE = 65_536
"""Bytes of a line: a manifest of 8 KiB, whatever JSON makes of it."""
MAX_MEMBERS = 2**31 - 1
GROUP = 256

_HEADER_KEYS = ("schema", "root", "members")


def members_of(fields: Any) -> int | None:
    """How many members a manifest says that its entry's collection has."""
    collection = fields.get("collection")
    size = collection.get("members") if isinstance(collection, dict) else None
    return size if isinstance(size, int) and not isinstance(size, bool) and size > 0 else None


def own_standing(member: Manifest, on: Day) -> Standing:
    """What a member of a collection in force is worth by its own dates."""
    if member.effective_from is not None and on < member.effective_from:
        return Standing.NOT_YET_IN_FORCE
    if member.effective_to is not None and on > member.effective_to:
        return Standing.EXPIRED
    return Standing.IN_FORCE


def readable(manifest: bytes) -> Manifest | None:
    """A member's manifest, or None where its leaf is none: it is in the tree all the same."""
    try:
        return parse(manifest)
    except InputError:
        return None


@dataclass(slots=True)
class Growing:
    """A collection's tree while its members come in, one after the other. `groups` are the roots
    of those that are full."""

    groups: list[Digest] = field(default_factory=list)
    last: list[Digest] = field(default_factory=list)

    @property
    def size(self) -> int:
        return GROUP * len(self.groups) + len(self.last)

    def append(self, manifest: bytes) -> Digest:
        """Add one member; its leaf hash."""
        leaf = leaf_hash(manifest)
        self.last.append(leaf)
        if len(self.last) == GROUP:
            self.groups.append(merkle.root(self.last))
            self.last = []
        return leaf

    def nodes(self) -> list[Digest]:
        """The roots of all groups, the last one as far as it goes."""
        return [*self.groups, merkle.root(self.last)] if self.last else list(self.groups)

    def root(self) -> Digest:
        return merkle.root(self.nodes())


def member_path(
    index: int, size: int, nodes: Sequence[Digest], leaves: Sequence[Digest]
) -> list[Digest]:
    """The inclusion path of member `index`, from the roots of all groups and the leaves of its
    own group."""
    first = index - index % GROUP

    def of(start: int, end: int) -> Digest:
        # Where a range leaves the group, it consists of whole ones: 256 is a power of two.
        if first <= start and end <= first + GROUP:
            return merkle.root(leaves[start - first : end - first])
        return merkle.root(nodes[start // GROUP : -(-end // GROUP)])

    return [of(start, end) for start, end in merkle.inclusion_ranges(index, size)]


@dataclass(frozen=True, slots=True)
class CollectionHeader:
    """Which collection a file holds: the root over its members, and how many there are."""

    root: Digest
    members: int


def collection_lines(header: CollectionHeader, manifests: Iterable[bytes]) -> Iterator[bytes]:
    """The file's lines."""
    yield ndjson_line({"schema": SCHEMA, "root": header.root.hex(), "members": header.members})
    for manifest in manifests:
        yield member_line(manifest)


def member_line(manifest: bytes) -> bytes:
    """One member. Raises InputError for one that no file can hold."""
    try:
        line = ndjson_line({"manifest": manifest.decode("utf-8")})
    except UnicodeDecodeError:
        raise InputError("a member that is no UTF-8 can not be written into a file") from None
    if len(line) > MAX_LINE:
        raise InputError(f"a member of more than {MAX_LINE} bytes can not be written into a file")
    return line


def read_header(line: bytes) -> CollectionHeader:
    """A file's first line; raises InputError."""
    fields = parse_line(line)
    if fields.get("schema") != SCHEMA:
        raise InputError(f"its first line does not say that it is a collection ({SCHEMA})")
    closed_object(fields, _HEADER_KEYS, "the header")
    members = whole_number(fields["members"], "members")
    if not 0 < members <= MAX_MEMBERS:
        raise InputError(f"a collection has from 1 to {MAX_MEMBERS} members")
    return CollectionHeader(Digest(hexadecimal(fields["root"], 32, "root")), members)


def read_members(header: CollectionHeader, lines: Iterable[bytes]) -> Iterator[bytes]:
    """The members' manifests, `header.members` of them; only once it has ended are they known to
    have the header's root. Takes no more lines than those.

    Raises InputError for what can not be read or ends too early, NotVerified for another root.
    """
    tree = Growing()
    waiting = iter(lines)
    while tree.size < header.members:
        line = next(waiting, None)
        if line is None:
            raise InputError(
                f"it has {tree.size} members, its header says {header.members}: it is cut off"
            )
        try:
            fields = closed_object(parse_line(line), ("manifest",), "it")
            manifest = _text(fields["manifest"])
        except InputError as error:
            raise InputError(f"member {tree.size}: {error}") from None
        tree.append(manifest)
        yield manifest
    if tree.root() != header.root:
        raise NotVerified(
            f"the members have the root {tree.root().hex()}, not {header.root.hex()}: some of them "
            "were altered, or are not in their order"
        )


def read_collection(lines: Iterator[bytes]) -> tuple[CollectionHeader, Iterator[bytes]]:
    """A file's header, and its members, which must be read to their end. Raises as `read_members`,
    and InputError where the file goes on after the last one."""
    first = next(lines, None)
    if first is None:
        raise InputError("the file is empty")
    header = read_header(first)
    return header, _to_the_end(header, lines)


def _to_the_end(header: CollectionHeader, lines: Iterator[bytes]) -> Iterator[bytes]:
    yield from read_members(header, lines)
    if next(lines, None) is not None:
        raise InputError("it goes on after its last member")


def _text(value: Any) -> bytes:
    if not isinstance(value, str):
        raise InputError("its manifest is not a text")
    try:
        return value.encode("utf-8")
    except UnicodeEncodeError:
        raise InputError("its manifest is not a text that UTF-8 can write") from None
