"""Lists of clauses as a file: a header line, then each list in the order of the roots.

    {"lists":2,"schema":"policy-registry/clause-lists/1"}
    {"clauses":3,"root":"…"}
    {"clauses":[["第一条","…"],["第二条","…"],["第三条","…"]]}

A list is a line that says its root and how many clauses it has, then its clauses, each its label
and the hash of its text, 256 a line. The file is a function of the lists alone, so that every
mirror writes the same bytes. It is believed for nothing: each list has the root that its line says,
and whoever takes it in compares that with what a manifest in the log says. No IO.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from registry.core.json_lines import parse_line
from registry.core.snapshot import ndjson_line
from registry.core.strict_fields import closed_object, hexadecimal, whole_number
from registry.core.text.clauses import MAX_CLAUSES, MAX_LABEL_BYTES, ClauseHash, clauses_root
from registry.core.units import Digest
from registry.errors import InputError, NotVerified

SCHEMA = "policy-registry/clause-lists/1"
GROUP = 256
MAX_LINE = GROUP * (6 * MAX_LABEL_BYTES + 80) + 100
"""Bytes of a line: labels of which JSON escapes each byte."""


@dataclass(frozen=True, slots=True)
class Listed:
    """The clauses of one root; `said` is what they say, where that is kept. No file has it."""

    root: Digest
    hashes: Sequence[ClauseHash]
    said: Sequence[str] | None = None


def lists_file(count: int, lists: Iterable[Listed]) -> Iterator[bytes]:
    """The file's lines, of `count` lists in the order of their roots."""
    yield ndjson_line({"schema": SCHEMA, "lists": count})
    yield from list_lines(lists)


def list_lines(lists: Iterable[Listed]) -> Iterator[bytes]:
    """The lines after the header's."""
    for each in lists:
        yield ndjson_line({"root": each.root.hex(), "clauses": len(each.hashes)})
        for at in range(0, len(each.hashes), GROUP):
            group = [[c.label, c.text_hash.hex()] for c in each.hashes[at : at + GROUP]]
            yield ndjson_line({"clauses": group})


def read_lists_file(lines: Iterator[bytes]) -> tuple[int, Iterator[Listed]]:
    """How many lists a file has, and each of them once it was found to have its root.

    Raises InputError for what can not be read, ends too early or goes on too long, NotVerified for
    a list that was altered, naming it.
    """
    first = next(lines, None)
    if first is None:
        raise InputError("the file is empty")
    fields = parse_line(first)
    if fields.get("schema") != SCHEMA:
        raise InputError(f"its first line does not say that it holds lists of clauses ({SCHEMA})")
    closed_object(fields, ("schema", "lists"), "the header")
    count = whole_number(fields["lists"], "lists")
    return count, _to_the_end(count, lines)


def _to_the_end(count: int, lines: Iterator[bytes]) -> Iterator[Listed]:
    yield from read_lists(count, lines)
    if next(lines, None) is not None:
        raise InputError("it goes on after its last list")


def read_lists(count: int, lines: Iterator[bytes]) -> Iterator[Listed]:
    """So many lists from the lines after a header; takes no more lines than theirs."""
    before = b""
    for number in range(count):
        line = next(lines, None)
        if line is None:
            raise InputError(f"it has {number} lists, its header says {count}: it is cut off")
        try:
            fields = closed_object(parse_line(line), ("root", "clauses"), "it")
            root = Digest(hexadecimal(fields["root"], 32, "root"))
            size = whole_number(fields["clauses"], "clauses")
            if not 0 < size <= MAX_CLAUSES:
                raise InputError(f"a list has from 1 to {MAX_CLAUSES} clauses")
            if root <= before:
                raise InputError("it does not come after the one before by its root")
        except InputError as error:
            raise InputError(f"list {number}: {error}") from None
        before = root
        listed = Listed(root, _clauses(root, size, lines))
        if clauses_root(listed.hashes) != root:
            raise NotVerified(
                f"the clauses of the list {root.hex()} do not have that root: some of them were "
                "altered, or are not in their order"
            )
        yield listed


def _clauses(root: bytes, size: int, lines: Iterator[bytes]) -> list[ClauseHash]:
    found: list[ClauseHash] = []
    while len(found) < size:
        line = next(lines, None)
        if line is None:
            raise InputError(f"the list {root.hex()} is cut off after {len(found)} clauses")
        try:
            group = closed_object(parse_line(line), ("clauses",), "it")["clauses"]
            if not isinstance(group, list) or len(group) != min(GROUP, size - len(found)):
                raise InputError("its clauses are not as many as they should be")
            found += [_clause(each) for each in group]
        except InputError as error:
            raise InputError(f"the list {root.hex()}, clause {len(found)}: {error}") from None
    return found


def _clause(value: Any) -> ClauseHash:
    match value:
        case [str() as label, digest]:
            if len(label.encode("utf-8", "surrogatepass")) > MAX_LABEL_BYTES:
                raise InputError(f"a label has more than {MAX_LABEL_BYTES} bytes")
            return ClauseHash(label, Digest(hexadecimal(digest, 32, "its hash")))
    raise InputError("a clause is not a label and a hash")
