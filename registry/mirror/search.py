"""The texts that a search looks in, and how one finds a word in them.

An index finds candidates, and each is then looked at as text, so that both databases find
just what `core.search.occurs` says. SQLite has FTS5's trigrams, which know no word of
fewer than three characters. PostgreSQL has an index over pairs of neighbours, so that a
Chinese word of two is looked up too. What no index knows is looked for row by row.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Integer,
    MetaData,
    Select,
    Table,
    Text,
    bindparam,
    column,
    delete,
    false,
    func,
    or_,
    select,
)

from registry.core.search import grams, is_text
from registry.mirror.bulk import copy_rows, packed
from registry.mirror.engine import on_postgres
from registry.mirror.findings import Row

COLUMNS = ("rowid", "title_zh", "title_en", "number")
_TRIGRAM = 3
_IN_LIST = 500

# Not of the mirror's own metadata: in SQLite it is no such table.
SEARCH = Table(
    "search",
    MetaData(),
    Column("rowid", BigInteger, primary_key=True),
    Column("title_zh", Text),
    Column("title_en", Text),
    Column("number", Text),
    Column("grams", ARRAY(Integer), nullable=False),
)
_TEXTS = (SEARCH.c.title_zh, SEARCH.c.title_en, SEARCH.c.number)
# FTS5: matching the table's own name searches all its columns.
_ALL_TEXTS: ColumnElement[Any] = column("search")
# Rows that are not needed are left empty. SQLite takes 32,766 values in a statement unless it
# was built for fewer.
_INSERT = (
    "INSERT INTO search (rowid, title_zh, title_en, number) "
    "SELECT * FROM (VALUES {}) WHERE column1 IS NOT NULL"
)
_AT_ONCE = (8, 64, 512, 4096)


def insert_texts(connection: Connection, rows: Sequence[Row]) -> None:
    """Keep these rows of COLUMNS, their texts folded."""
    if not rows:
        return
    if on_postgres(connection):
        copy_rows(connection, SEARCH, [(*row, packed(grams(*row[1:]))) for row in rows])
    else:
        for at in range(0, len(rows), _AT_ONCE[-1]):
            _insert_together(connection, rows[at : at + _AT_ONCE[-1]])


def _insert_together(connection: Connection, rows: Sequence[Row]) -> None:
    """Insert rows by one statement: FTS5 begins a new part of its index with each that has
    several, and Python can do something else meanwhile."""
    size = next(each for each in _AT_ONCE if each >= len(rows))
    nothing = (None,) * (len(COLUMNS) * (size - len(rows)))
    connection.exec_driver_sql(_insert(size), (*chain.from_iterable(rows), *nothing))


@cache
def _insert(size: int) -> str:
    return _INSERT.format(", ".join(["(?, ?, ?, ?)"] * size))


def delete_texts(connection: Connection, policies: Sequence[int]) -> None:
    if not on_postgres(connection):
        gone = [(identity,) for identity in policies]
        connection.exec_driver_sql("DELETE FROM search WHERE rowid = ?", gone)
        return
    for at in range(0, len(policies), _IN_LIST):
        some = list(policies[at : at + _IN_LIST])
        connection.execute(delete(SEARCH).where(SEARCH.c.rowid.in_(some)))


def having(
    connection: Connection, words: Sequence[str], *, of_members: bool = False
) -> Select[Any] | None:
    """The rowids of the texts of policies, or else of members, in which all these folded words
    occur; None for no words."""
    if not words:
        return None
    # Not by the key in PostgreSQL, which would take that index for the one of pairs.
    row = SEARCH.c.rowid + 0 if on_postgres(connection) else SEARCH.c.rowid
    whose = row < 0 if of_members else row >= 0
    if not all(map(is_text, words)):
        return select(SEARCH.c.rowid).where(false())
    if on_postgres(connection):
        pairs = grams(*words)
        all_of = bindparam("pairs", pairs, type_=SEARCH.c.grams.type)
        indexed = [SEARCH.c.grams.op("@>")(all_of)] if pairs else []
        contained = [or_(*(func.strpos(each, word) > 0 for each in _TEXTS)) for word in words]
        return select(SEARCH.c.rowid).where(whose, *indexed, *contained)
    long = [word for word in words if len(word) >= _TRIGRAM]
    contained = [or_(*(func.instr(each, word) > 0 for each in _TEXTS)) for word in words]
    found = select(SEARCH.c.rowid).where(whose, *contained)
    if long:
        quoted = " AND ".join('"' + word.replace('"', '""') + '"' for word in long)
        found = found.where(_ALL_TEXTS.op("MATCH")(quoted))
    return found
