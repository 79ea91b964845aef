"""Single bits of a mirror, flipped in any table and column and put back again.

A value keeps its storage class: of a number one of 64 bits is turned over, of text and
bytes one bit of one byte, valid text or not.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from registry.mirror.findings import shown
from registry.mirror.schema import OPERATIONAL, SIDE_DATA

_TRIES = 20


class Stored(bytes):
    """Text as its bytes."""


@dataclass(frozen=True)
class Column:
    """A column, and its table's primary key."""

    table: str
    name: str
    key: tuple[str, ...]


@dataclass(frozen=True)
class Flip:
    """One bit of one value. `keys` are the row's key before and after, as fsck shows it."""

    column: Column
    keys: tuple[str, str]
    bit: int

    def is_named_by(self, table: str, key: str) -> bool:
        """Whether a finding names the row. The tables of the full-text index are one."""
        if self.column.table.startswith("search_"):
            return table == "search" and (self.column.table != "search_content" or key in self.keys)
        return table == self.column.table and key in self.keys


def open_raw(path: Path) -> sqlite3.Connection:
    """The mirror without the program's own care: no keys are enforced, text is bytes."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    connection.text_factory = Stored
    return connection


def whole_copy(mirror: Path, copy: Path) -> None:
    """The mirror as one file, with what its write-ahead log still holds."""
    with sqlite3.connect(mirror) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    source.close()
    target.close()


def columns(
    connection: sqlite3.Connection, side_data: frozenset[str] = frozenset()
) -> list[Column]:
    """Every column of every table that is audited, the index's own tables among them; of those
    that hold side data only those that are meant, and then no others."""
    tables = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
    )
    found = []
    for (name,) in tables.fetchall():
        meant = name.decode() in side_data if side_data else name.decode() not in SIDE_DATA
        if name.decode() in OPERATIONAL or not meant:
            continue
        rows = connection.execute(f"PRAGMA table_info({name.decode()})").fetchall()
        keyed = sorted((row[5], row[1].decode()) for row in rows if row[5])
        key = tuple(each for _, each in keyed)
        found += [Column(name.decode(), row[1].decode(), key) for row in rows]
    return found


def has_values(connection: sqlite3.Connection, column: Column) -> bool:
    """Whether there is anything in the column."""
    return bool(connection.execute(f"SELECT count(*) {_there(column)}").fetchone()[0])


@contextmanager
def flipped(
    connection: sqlite3.Connection, column: Column, chance: random.Random
) -> Iterator[Flip]:
    """One random bit of one random row of this column, turned over for the while."""
    for _ in range(_TRIES):
        row, bit = _row(connection, column, chance), chance.getrandbits(30)
        key, value = row[:-1], row[-1]
        changed = turned(value, bit)
        after = tuple(
            changed if name == column.name else each
            for name, each in zip(column.key, key, strict=True)
        )
        try:
            _write(connection, column, key, changed)
        except sqlite3.IntegrityError:
            continue
        try:
            yield Flip(column, (shown_key(key), shown_key(after)), bit)
        finally:
            _write(connection, column, after, value)
        return
    raise AssertionError(f"no bit of {column.table}.{column.name} can be flipped")


def _row(connection: sqlite3.Connection, column: Column, chance: random.Random) -> tuple[Any, ...]:
    names = ", ".join(f'"{each}"' for each in (*column.key, column.name))
    (count,) = connection.execute(f"SELECT count(*) {_there(column)}").fetchone()
    assert count, f"{column.table}.{column.name} has no value to flip a bit of"
    at = chance.randrange(count)
    return tuple(
        connection.execute(f"SELECT {names} {_there(column)} LIMIT 1 OFFSET {at}").fetchone()
    )


def _there(column: Column) -> str:
    return f'FROM {column.table} WHERE length("{column.name}") > 0'


def turned(value: Any, bit: int) -> Any:
    """The value with one bit turned over. Text stays text."""
    if isinstance(value, int):
        unsigned = (value & 2**64 - 1) ^ 1 << bit % 64
        return unsigned - 2**64 if unsigned >= 2**63 else unsigned
    at = bit // 8 % len(value)
    return type(value)(value[:at] + bytes([value[at] ^ 1 << bit % 8]) + value[at + 1 :])


def _write(
    connection: sqlite3.Connection, column: Column, key: tuple[Any, ...], value: Any
) -> None:
    where = " AND ".join(
        f'"{name}" IS {_mark(each)}' for name, each in zip(column.key, key, strict=True)
    )
    done = connection.execute(
        f'UPDATE {column.table} SET "{column.name}" = {_mark(value)} WHERE {where}', (value, *key)
    )
    assert done.rowcount == 1, f"{column.table} {key} is not one row"


def _mark(value: Any) -> str:
    return "CAST(? AS TEXT)" if isinstance(value, Stored) else "?"


def shown_key(key: tuple[Any, ...]) -> str:
    return "/".join(
        shown(
            each.decode("utf-8", "surrogateescape") if isinstance(each, Stored) else each,
            whole=True,
        )
        for each in key
    )
