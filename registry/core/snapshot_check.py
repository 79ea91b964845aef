"""Checking a snapshot's file against the log that it says it is of. Each step is numbered
once, here, and cited by every failure (ProofError) and every answer.

    1  the header reads: one line of canonical JSON with these keys and no others
    2  chain and contract are those of the log that it is compared with
    3  the log has that many entries, with that root, the last of them in that block
    4  the chain has that root at that block
    5  each line is the one that the log gives, in its place
    6  the file ends where it must: all lines, each with its line feed, nothing after

Steps 2 to 4 are done by `registry.services.snapshot_check`. Both sides are streamed; a line
is compared by its bytes, and read only to say what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from registry.core.calendar import parse_day, parse_time
from registry.core.json_lines import checkpoint, parse_header
from registry.core.snapshot import SCHEMA, Checkpoint, Filters, header, ndjson_line
from registry.core.strict_fields import closed_object, whole_number
from registry.errors import InputError, ProofError

HEADER, REGISTRY, LOG, CHAIN, LINES, END = 1, 2, 3, 4, 5, 6

MAX_LINE = 1024 * 1024
"""Bytes of a line; what a manifest says of itself is far shorter."""

_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Stated:
    """What a snapshot's header says."""

    checkpoint: Checkpoint
    filters: Filters
    count: int

    @property
    def fields(self) -> dict[str, Any]:
        return header(self.checkpoint, self.filters, self.count)


def read_stated(lines: Iterator[bytes]) -> Stated:
    """Step 1, on the first line. Raises InputError for a table without a header."""
    try:
        line = next(lines, None)
        if line is None:
            raise InputError("the file is empty")
        if line.startswith((b"policy_id,", b"PAR1")):
            raise _no_header()
        return _stated(line)
    except InputError as error:
        if error.hint is not None:
            raise
        raise ProofError(HEADER, f"the header does not read: {error}") from None


def _no_header() -> InputError:
    return InputError(
        "a table has no header that says which log it is of, so it can not be verified alone",
        hint="verify the NDJSON snapshot, and compare the table with polreg snapshot --format csv",
    )


def _stated(line: bytes) -> Stated:
    fields = parse_header(line, SCHEMA, ("filters", "count"))
    asked = closed_object(fields["filters"], ("in_force_on", "recorded_by"), "filters")
    for name, value in asked.items():
        if value is not None and not isinstance(value, str):
            raise InputError(f"filters.{name} is neither a text nor null")
    day, moment = asked["in_force_on"], asked["recorded_by"]
    try:
        filters = Filters(
            None if day is None else parse_day(day), None if moment is None else parse_time(moment)
        )
    except InputError as error:
        raise InputError(f"filters: {error}") from None
    stated = Stated(checkpoint(fields), filters, whole_number(fields["count"], "count"))
    if ndjson_line(stated.fields) != line:
        raise InputError("its values are not written as a snapshot writes them")
    return stated


def check_lines(given: Iterator[bytes], expected: Iterable[bytes], count: int) -> None:
    """Steps 5 and 6, on the lines after the header. `expected` is what the log gives,
    `count` what the header says; raises ProofError naming the first line that differs."""
    number, before = 1, b""
    for line in expected:
        number += 1
        found = _next(given)
        if found != line:
            raise _difference(number, found, line, before, given)
        before = line
    surplus = _next(given)
    if surplus is not None:
        raise _surplus(number + 1, surplus, before)
    if number - 1 != count:
        raise ProofError(END, f"the header counts {count} lines, the log gives {number - 1}")


def _next(given: Iterator[bytes]) -> bytes | None:
    try:
        return next(given, None)
    except InputError as error:
        raise ProofError(LINES, str(error)) from None


def _difference(
    number: int, found: bytes | None, line: bytes, before: bytes, given: Iterator[bytes]
) -> ProofError:
    """What is wrong at the first line that is not the log's `line`."""
    meant = _policy(line)
    if found is None:
        return ProofError(
            END, f"the file ends after line {number - 1}: the line of policy {meant} is missing"
        )
    if not found.endswith(b"\n") and line.startswith(found):
        cut = "has no line feed at its end" if line == found + b"\n" else "is cut off"
        return ProofError(END, f"line {number} (policy {meant}) {cut}")
    row = _row(found)
    if row is None or not isinstance(row.get("policy_id"), str):
        return _no_row(LINES, number, found, row)
    policy = row["policy_id"]
    if policy == meant:
        return ProofError(LINES, f"line {number} (policy {policy}) {_edited(row, line)}")
    if before and policy == _policy(before):
        return ProofError(LINES, f"line {number} (policy {policy}) is doubled")
    if before and policy < _policy(before):
        return _out_of_order(number, policy)
    if policy < meant:
        return ProofError(
            LINES, f"line {number} is of policy {policy[:64]}, which the log does not give"
        )
    following = _row(_next(given) or b"")
    if following is not None and following.get("policy_id") == meant:
        return _out_of_order(number, policy)
    return ProofError(
        LINES, f"line {number} is of policy {policy[:64]}: the line of policy {meant} is missing"
    )


def _surplus(number: int, found: bytes, before: bytes) -> ProofError:
    """What is wrong with a line after the last one that the log gives."""
    row = _row(found)
    policy = None if row is None else row.get("policy_id")
    if not isinstance(policy, str):
        return _no_row(END, number, found, row)
    if before and policy == _policy(before):
        return ProofError(LINES, f"line {number} (policy {policy}) is doubled")
    if before and policy < _policy(before):
        return _out_of_order(number, policy)
    return ProofError(
        LINES, f"line {number} is of policy {policy[:64]}, which the log does not give"
    )


def _out_of_order(number: int, policy: str) -> ProofError:
    return ProofError(LINES, f"line {number} (policy {policy[:64]}) is out of order")


def _no_row(step: int, number: int, found: bytes, row: dict[str, Any] | None) -> ProofError:
    if row is not None and "schema" in row:
        return ProofError(LINES, f"line {number} is a second header")
    shown = found[:_SHOWN].decode("utf-8", "backslashreplace")
    return ProofError(step, f"line {number} is no line of a snapshot: {shown!r}")


def _edited(row: dict[str, Any], line: bytes) -> str:
    """In which fields the row of a policy is not the log's."""
    meant = orjson.loads(line)
    names = [name for name in (*meant, *row) if row.get(name, ...) != meant.get(name, ...)]
    if not names:
        return "is not canonical: keys, spaces or characters are not as a snapshot writes them"
    name, more = names[0], list(dict.fromkeys(names))[1:]
    shown = f"{name[:_SHOWN]} is {_value(row, name)}, the log has {_value(meant, name)}"
    return f"was edited: {shown}" + (f"; also {', '.join(more)[:200]}" if more else "")


def _value(row: dict[str, Any], name: str) -> str:
    return repr(row[name])[:_SHOWN] if name in row else "not there"


def _row(line: bytes) -> dict[str, Any] | None:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _policy(line: bytes) -> str:
    return str(orjson.loads(line)["policy_id"])
