"""Single bits of a mirror on PostgreSQL, flipped in any column and put back again.

Text becomes what no client could send: bytes that are no UTF-8, by a cast that only this
database has.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from registry.mirror.schema import OPERATIONAL, SIDE_DATA, metadata
from registry.mirror.search import SEARCH
from tests.integration.bit_flips import Column, Flip, Stored, shown_key, turned
from tests.postgres import Server

_BITS = {"smallint": 16, "integer": 32, "bigint": 64}
_SOMETHING = {
    "text": "octet_length({}) > 0",
    "character varying": "octet_length({}) > 0",
    "bytea": "octet_length({}) > 0",
    "ARRAY": "cardinality({}) > 0",
}
_NUMBER = "{} IS NOT NULL"
_TRIES = 20


class Raw:
    """The mirror without the program's own care: no keys are enforced, text is bytes."""

    def __init__(self, server: Server, database: str) -> None:
        self.connection: psycopg.Connection[Any] = server.connect(database)
        self.connection.execute("SET session_replication_role = replica")
        self.connection.execute("CREATE CAST (bytea AS text) WITHOUT FUNCTION")
        types = self.connection.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns "
            "WHERE table_schema = 'public'"
        )
        self._types = {(table, name): kind for table, name, kind in types}

    def columns(self) -> list[Column]:
        """Every column of every table that is audited, but for members of collections."""
        tables = [*metadata.tables.values(), SEARCH]
        found = [
            Column(table.name, column.name, tuple(each.name for each in table.primary_key))
            for table in tables
            if table.name not in OPERATIONAL | SIDE_DATA
            for column in table.columns
        ]
        return [*found, Column("alembic_version", "version_num", ("version_num",))]

    @contextmanager
    def flipped(self, column: Column, chance: random.Random) -> Iterator[Flip]:
        """One random bit of one random row of this column, turned over for the while."""
        for _ in range(_TRIES):
            *key, value = self._row(column, chance)
            bit = chance.getrandbits(30)
            changed = self._turned(column, value, bit)
            after = [
                changed if name == column.name else each
                for name, each in zip(column.key, key, strict=True)
            ]
            try:
                self._write(column, key, changed)
            except psycopg.errors.UniqueViolation:
                continue
            try:
                yield Flip(column, (shown_key(tuple(key)), shown_key(tuple(after))), bit)
            finally:
                self._write(column, after, value)
            return
        raise AssertionError(f"no bit of {column.table}.{column.name} can be flipped")

    def _turned(self, column: Column, value: Any, bit: int) -> Any:
        if isinstance(value, list):
            changed = list(value)
            changed[bit % len(value)] ^= 1 << bit % 31
            return changed
        if isinstance(value, int):
            bits = _BITS[self._kind(column)]
            unsigned = (value & 2**bits - 1) ^ 1 << bit % bits
            return unsigned - 2**bits if unsigned >> bits - 1 else unsigned
        return turned(value, bit)

    def _kind(self, column: Column, name: str | None = None) -> str:
        return str(self._types[column.table, name or column.name])

    def _row(self, column: Column, chance: random.Random) -> list[Any]:
        names = (*column.key, column.name)
        chosen = sql.SQL(", ").join(
            sql.SQL("textsend({})" if self._is_text(column, each) else "{}").format(
                sql.Identifier(each)
            )
            for each in names
        )
        there = sql.SQL(f"FROM {{}} WHERE {_SOMETHING.get(self._kind(column), _NUMBER)}").format(
            sql.Identifier(column.table), sql.Identifier(column.name)
        )
        (count,) = self.connection.execute(sql.SQL("SELECT count(*) {}").format(there)).fetchone()  # type: ignore[misc]
        assert count, f"{column.table}.{column.name} has no value to flip a bit of"
        at = chance.randrange(count)
        query = sql.SQL("SELECT {} {} ORDER BY {} LIMIT 1 OFFSET {}").format(
            chosen, there, sql.SQL(", ").join(map(sql.Identifier, column.key)), at
        )
        row = self.connection.execute(query).fetchone()
        assert row is not None
        return [
            Stored(value) if self._is_text(column, name) else value
            for name, value in zip(names, row, strict=True)
        ]

    def _is_text(self, column: Column, name: str) -> bool:
        return self._kind(column, name) in {"text", "character varying"}

    def _write(self, column: Column, key: list[Any], value: Any) -> None:
        where = sql.SQL(" AND ").join(
            sql.SQL("textsend({}) = {}" if isinstance(each, Stored) else "{} = {}").format(
                sql.Identifier(name), sql.Placeholder()
            )
            for name, each in zip(column.key, key, strict=True)
        )
        cast = sql.SQL("({}::bytea)::text" if isinstance(value, Stored) else "{}")
        statement = sql.SQL("UPDATE {} SET {} = {} WHERE {}").format(
            sql.Identifier(column.table),
            sql.Identifier(column.name),
            cast.format(sql.Placeholder()),
            where,
        )
        given = [bytes(each) if isinstance(each, Stored) else each for each in (value, *key)]
        done = self.connection.execute(statement, given)
        assert done.rowcount == 1, f"{column.table} {key} is not one row"
