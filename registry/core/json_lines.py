"""Lines of canonical JSON, as snapshots and log exports have them: bounded and exact.

A line is an object in the form of RFC 8785, without fractions, ended by one line feed.
There is one way to write each value, so that files compare byte for byte; whatever is
written otherwise is refused, with words for what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any, Protocol

import orjson

from registry.core import strict_json
from registry.core.snapshot import Checkpoint, ndjson_line
from registry.core.strict_fields import block_id, closed_object, hexadecimal, whole_number
from registry.core.units import Digest
from registry.errors import InputError

_CHAIN = re.compile(r"eip155:(0|[1-9][0-9]{0,17})")
_ACCOUNT = re.compile(r"0x[0-9a-fA-F]{40}")
_CHECKPOINT = ("chain", "contract", "size", "root", "block")


class Readable(Protocol):
    """What is needed of an open file."""

    def readline(self, limit: int, /) -> bytes: ...


def bounded_lines(file: Readable, limit: int) -> Iterator[bytes]:
    """The lines of a file, each with its line feed; never holds more than `limit` bytes.
    Raises InputError at a longer one."""
    number = 0
    while line := file.readline(limit + 1):
        number += 1
        if len(line) > limit:
            raise InputError(f"line {number} is longer than {limit} bytes")
        yield line


def parse_line(line: bytes) -> dict[str, Any]:
    """The object that a canonical line denotes; raises InputError."""
    if not line.endswith(b"\n"):
        raise InputError("it has no line feed at its end: the file is cut off")
    try:
        value = orjson.loads(line)
        same = ndjson_line(value) == line
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        value, same = strict_json.loads(line[:-1]), False
    if not isinstance(value, dict):
        raise InputError("it is not a JSON object")
    if not same:
        strict_json.loads(line[:-1])
        raise InputError("it is not canonical: keys, spaces or characters are not as RFC 8785 has")
    return value


def checkpoint(fields: dict[str, Any]) -> Checkpoint:
    """What every header says of the log: chain, contract, size, root and block."""
    chain, contract = fields["chain"], fields["contract"]
    if not isinstance(chain, str) or not _CHAIN.fullmatch(chain):
        raise InputError("chain is not a CAIP-2 name such as eip155:1")
    named, _, account = contract.rpartition(":") if isinstance(contract, str) else ("", "", "")
    if named != chain or not _ACCOUNT.fullmatch(account):
        raise InputError(f"contract is not a CAIP-10 name on that chain: {chain}:0x…")
    size = whole_number(fields["size"], "size")
    if size == 0:
        raise InputError("size is 0: there is nothing to tell of an empty log")
    root = Digest(hexadecimal(fields["root"], 32, "root"))
    return Checkpoint(chain, contract, size, root, *block_id(fields["block"]))


def parse_header(line: bytes, schema: str, more: Collection[str]) -> dict[str, Any]:
    """The fields of a header line of this schema: a checkpoint's and `more`."""
    fields = parse_line(line)
    if fields.get("schema") != schema:
        found = fields.get("schema")
        named = f"schema {str(found)[:60]!r}" if "schema" in fields else "no schema"
        raise InputError(f"it has {named}, not {schema!r}")
    return closed_object(fields, ("schema", *_CHECKPOINT, *more), "the header")
