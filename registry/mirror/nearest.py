"""Which registered texts share clauses with one: looked up by the clauses' hashes, from an index.

A clause that very many texts have (a closing formula, a signature) tells nothing and would cost
most: it is passed over where there are others.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select, text

from registry.core.units import Digest
from registry.mirror.engine import on_postgres
from registry.mirror.schema import clause_lists

COMMON = 200
"""A clause of more lists than these is passed over."""

# One look-up in the index for each key, none of which reads further than it is told to.
_ON_POSTGRES = text(
    'SELECT wanted.key, found."list" FROM unnest(CAST(:keys AS bigint[])) AS wanted(key) '
    'CROSS JOIN LATERAL (SELECT "list" FROM clauses WHERE hash_key = wanted.key LIMIT :most) found'
)
_ON_SQLITE = text(
    "SELECT wanted.value, (SELECT group_concat(found) FROM "
    '(SELECT "list" AS found FROM clauses WHERE hash_key = wanted.value LIMIT :most)) '
    "FROM json_each(:keys) AS wanted"
)


@dataclass(frozen=True, slots=True)
class Near:
    """A list of clauses that is known here, and how many different clauses it shares."""

    list: int
    root: Digest
    size: int
    shared: int


def nearest(connection: Connection, hash_keys: Iterable[int], most: int = 10) -> list[Near]:
    """The lists that share most clauses with those of these keys (text_rows.hash_key), at most so
    many; of those that share as many, the shorter first."""
    counts = _shared(connection, sorted(set(hash_keys)))
    # Of very many that share as much, some are looked at.
    best = counts.most_common(8 * most)
    rows = connection.execute(
        select(clause_lists).where(clause_lists.c.id.in_([each for each, _ in best]))
    )
    sizes = {row.id: (Digest(row.root), int(row.size)) for row in rows}
    found = [Near(each, *sizes[each], shared) for each, shared in best if each in sizes]
    return sorted(found, key=lambda each: (-each.shared, each.size, each.list))[:most]


def _shared(connection: Connection, keys: Sequence[int]) -> Counter[int]:
    telling, common = Counter[int](), Counter[int]()
    for lists in _lists(connection, keys):
        (common if len(lists) > COMMON else telling).update(set(lists))
    return telling or common


def _lists(connection: Connection, keys: Sequence[int]) -> Iterator[list[int]]:
    """For each key the lists that have it, one more than COMMON at most."""
    if on_postgres(connection):
        found: dict[int, list[int]] = {}
        given = {"keys": list(keys), "most": COMMON + 1}
        for key, each in connection.execute(_ON_POSTGRES, given):
            found.setdefault(key, []).append(each)
        yield from found.values()
        return
    given = {"keys": json.dumps(list(keys)), "most": COMMON + 1}
    for _, joined in connection.execute(_ON_SQLITE, given):
        if joined is not None:
            yield [int(each) for each in str(joined).split(",")]
