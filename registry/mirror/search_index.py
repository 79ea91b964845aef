"""The full-text index as SQLite keeps it: a seal to tell damage by, and a new start.

FTS5's own integrity check compares what the index finds with the texts. It passes over
what no look-up shows: search paths to a wrong page, a mark of deletion, counters. So a
seal, over every byte of the index's own tables, is written with each change. It is kept
by segment, since those that a change did not touch need not be read again; FTS5 leaves
keys of its configuration alone that it does not know.

Only SQLite has any of this.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError, NoResultFound

_FORMAT = ("version", 4)
_SEAL = "polreg_seal"
_AVERAGES, _STRUCTURE = 1, 10
# FTS5 numbers the pages of a segment from its number times this.
_SEGMENT = 1 << 37
_EMPTY = [(_AVERAGES, b""), (_STRUCTURE, bytes(7))]
_EMPTYING = (
    "DELETE FROM search_data",
    "DELETE FROM search_idx",
    "DELETE FROM search_docsize",
    "DELETE FROM search_config",
)
_DIGEST = 16
_PAGE = "SELECT id, block FROM search_data WHERE id IN (?, ?) ORDER BY id"
_PAGES = "SELECT id, block FROM search_data WHERE id >= ? AND id < ? ORDER BY id"
_PATHS = "SELECT segid, term, pgno FROM search_idx WHERE segid = ? ORDER BY term"


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the index, and its first and last page."""

    number: int
    first: int
    last: int


def seal(connection: Connection) -> None:
    """Seal the index as it is now."""
    # FTS5 holds what is new in memory: a savepoint makes it write that to its tables.
    with connection.begin_nested():
        pass
    fresh = _sealed(connection, _held(connection))
    connection.exec_driver_sql(
        "INSERT OR REPLACE INTO search_config (k, v) VALUES (?, ?)", (_SEAL, _text(fresh))
    )


def damage(connection: Connection) -> Iterator[tuple[str, str]]:
    """What is wrong with the index's own tables: which one, and how."""
    rows = connection.exec_driver_sql("SELECT k, v FROM search_config")
    config: dict[Any, Any] = dict(tuple(row) for row in rows)
    stored = config.pop(_SEAL, None)
    if config != dict([_FORMAT]):
        yield "search_config", "it does not hold the one format that there is"
    try:
        fresh = _sealed(connection, {})
    except (NoResultFound, StopIteration, TypeError, ValueError, OverflowError):
        yield "search_data", "the list of the index's parts can not be read"
        return
    if stored != _text(fresh):
        yield from _differences(stored, fresh)
    yield from _strangers(connection, {int(number) for number in fresh["segments"]})


def _differences(stored: Any, fresh: dict[str, Any]) -> Iterator[tuple[str, str]]:
    try:
        head, segments = (orjson.loads(stored)[each] for each in ("head", "segments"))
        parts = sorted({*segments, *fresh["segments"]})
    except (orjson.JSONDecodeError, UnicodeEncodeError, TypeError, KeyError, ValueError):
        yield "search_config", "the index has no seal that can be read"
        return
    if head != fresh["head"]:
        yield "search_data", "the list of the index's parts is not the one that was sealed"
    found = False
    for number in parts:
        if segments.get(number) != fresh["segments"].get(number):
            found = True
            yield "search_data", f"part {number} of the index is not the one that was sealed"
    if not found and head == fresh["head"]:
        yield "search_config", "the index's seal is not written as seals are"


def lookups_fail(connection: Connection) -> str | None:
    """What FTS5 itself finds wrong when it compares the index with the texts; it wants a
    write transaction, and changes nothing."""
    try:
        with connection.begin_nested():
            connection.exec_driver_sql("INSERT INTO search(search) VALUES('integrity-check')")
    except DatabaseError as error:
        if "locked" in str(error.orig) or "readonly" in str(error.orig):
            raise
        return f"the index does not find what the texts say ({error.orig})"
    return None


def rebuild(connection: Connection) -> None:
    """Make the index anew from the texts. Its tables are emptied first: one that is
    damaged may not even open."""
    for emptying in _EMPTYING:
        connection.exec_driver_sql(emptying)
    connection.exec_driver_sql("INSERT INTO search_config (k, v) VALUES (?, ?)", _FORMAT)
    connection.exec_driver_sql("INSERT INTO search_data (id, block) VALUES (?, ?)", _EMPTY)
    connection.exec_driver_sql("INSERT INTO search(search) VALUES('rebuild')")
    seal(connection)


def _held(connection: Connection) -> dict[str, Any]:
    found = connection.exec_driver_sql("SELECT v FROM search_config WHERE k = ?", (_SEAL,)).scalar()
    try:
        return dict(orjson.loads(found)["segments"]) if found else {}
    except (orjson.JSONDecodeError, TypeError, KeyError, ValueError):
        return {}


def _sealed(connection: Connection, held: dict[str, Any]) -> dict[str, Any]:
    """The seal; a segment that `held` knows by the same fingerprint is not read again."""
    segments: dict[str, list[str]] = {}
    for each in _segments(_block(connection, _STRUCTURE)):
        known = _fingerprint(connection, each)
        before = held.get(str(each.number))
        content = before[1] if before and before[0] == known else _content(connection, each.number)
        segments[str(each.number)] = [known, content]
    return {"segments": segments, "head": _head(connection)}


def _text(sealed: dict[str, Any]) -> str:
    return orjson.dumps(sealed).decode()


def _segments(structure: bytes) -> list[Segment]:
    """The segments that FTS5's structure record lists, after its 4-byte cookie: the number
    of levels, of segments, of written pages; for each level how many merge and how many
    there are; for each segment its number, its first and its last page."""
    numbers = _varints(structure[4:])
    levels, _, _ = next(numbers), next(numbers), next(numbers)
    found = []
    for _ in range(levels):
        _, count = next(numbers), next(numbers)
        found += [Segment(next(numbers), next(numbers), next(numbers)) for _ in range(count)]
    return found


def _varints(data: bytes) -> Iterator[int]:
    """SQLite's variable-length integers of fewer than nine bytes."""
    value = 0
    for byte in data:
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            yield value
            value = 0


def _block(connection: Connection, number: int) -> bytes:
    found = connection.exec_driver_sql("SELECT block FROM search_data WHERE id = ?", (number,))
    return bytes(found.scalar_one())


def _head(connection: Connection) -> str:
    rows = connection.exec_driver_sql(_PAGE, (_AVERAGES, _STRUCTURE))
    return _digest(rows)


def _fingerprint(connection: Connection, segment: Segment) -> str:
    """What tells a segment from another one that took over its number."""
    base = segment.number * _SEGMENT
    ends = connection.exec_driver_sql(_PAGE, (base + segment.first, base + segment.last))
    return f"{segment.first}-{segment.last}-{_digest(ends)}"


def _content(connection: Connection, segment: int) -> str:
    low = segment * _SEGMENT
    pages = connection.exec_driver_sql(_PAGES, (low, low + _SEGMENT))
    paths = connection.exec_driver_sql(_PATHS, (segment,))
    return _digest(pages) + _digest(paths)


def _digest(rows: Any) -> str:
    running = hashlib.sha256()
    for row in rows:
        for value in row:
            # Pages are thousands of bytes: as they are, behind their length, they cost little.
            if type(value) is bytes:
                running.update(b"%d:" % len(value))
                running.update(value)
            else:
                running.update(repr(value).encode("utf-8", "backslashreplace") + b";")
    return running.hexdigest()[:_DIGEST]


def _strangers(connection: Connection, segments: set[int]) -> Iterator[tuple[str, str]]:
    """Rows that belong to no part of the index."""
    listed = {_AVERAGES, _STRUCTURE}
    pages = connection.exec_driver_sql(
        "SELECT id / ? AS segment, count(*) FROM search_data WHERE id NOT IN (?, ?) GROUP BY 1",
        (_SEGMENT, *listed),
    )
    paths = connection.exec_driver_sql("SELECT segid, count(*) FROM search_idx GROUP BY 1")
    for table, groups in (("search_data", pages), ("search_idx", paths)):
        for segment, count in groups:
            if segment not in segments:
                yield table, f"{count} row(s) of a segment {segment} that there is not"
