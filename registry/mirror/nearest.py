"""Which registered texts share clauses with one: looked up by the clauses' hashes, from an index.

A clause that very many texts have (a closing formula, a signature) tells nothing and would cost
most: it is passed over where there are others. What is left weighs the more the fewer other
policies have it, so that the nearest text is not the one with the same formulas, but the one with
the same contents. The versions of one policy share their clauses without taking from the weight.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from sqlalchemy import Connection, select, text

from registry.core.units import Digest
from registry.mirror.engine import on_postgres
from registry.mirror.schema import clause_lists, texts

COMMON = 200
"""A clause of more lists than these is passed over."""
KEYS = 2_000
"""Of a text with more different clauses, so many are looked for, evenly spread."""

# One look-up in the index for each key, none of which reads further than it is told to.
ON_POSTGRES = text(
    'SELECT wanted.key, found."list" FROM unnest(CAST(:keys AS bigint[])) AS wanted(key) '
    'CROSS JOIN LATERAL (SELECT "list" FROM clauses WHERE hash_key = wanted.key LIMIT :most) found'
)
ON_SQLITE = text(
    "SELECT wanted.value, (SELECT group_concat(found) FROM "
    '(SELECT "list" AS found FROM clauses WHERE hash_key = wanted.value LIMIT :most)) '
    "FROM json_each(:keys) AS wanted"
)


@dataclass(frozen=True, slots=True)
class Near:
    """A list of clauses that is known here, and how many different clauses it shares. A clause
    that no other policy has weighs 1, one that n others have 1 / (n + 1)."""

    list: int
    root: Digest
    size: int
    shared: int
    weight: float


def nearest(connection: Connection, hash_keys: Iterable[int], most: int = 10) -> list[Near]:
    """The lists that share most with the clauses of these keys (text_rows.hash_key), at most so
    many, by weight; of those with the same, the ones that share more, then the shorter, first."""
    holders = _holders(connection, _spread(sorted(set(hash_keys))))
    counts = Counter(each for some in holders for each in some)
    rough: dict[int, float] = {}
    for some in holders:
        for each in some:
            rough[each] = rough.get(each, 0.0) + 1 / len(some)
    # The versions of one policy take each other's place here, and not below.
    best = sorted(rough, key=lambda each: (-rough[each], -counts[each], each))[: 3 * most]
    rows = connection.execute(select(clause_lists).where(clause_lists.c.id.in_(best)))
    sizes = {row.id: (Digest(row.root), int(row.size)) for row in rows}
    kin = _kin(connection, list(sizes))
    found = [
        Near(each, *sizes[each], counts[each], _weight(each, holders, kin.get(each, frozenset())))
        for each in sizes
    ]
    return sorted(found, key=lambda each: (-each.weight, -each.shared, each.size, each.list))[:most]


def _spread(keys: Sequence[int]) -> Sequence[int]:
    return keys if len(keys) <= KEYS else [keys[at * len(keys) // KEYS] for at in range(KEYS)]


def _weight(identity: int, holders: Iterable[Set[int]], kin: Set[int]) -> float:
    own = kin | {identity}
    return sum(1 / (1 + len(some) - len(some & own)) for some in holders if identity in some)


def _kin(connection: Connection, lists: Sequence[int]) -> Mapping[int, Set[int]]:
    """The lists of the same policy, of each of these that is an entry's own document's."""
    others, theirs = texts.alias(), clause_lists.alias()
    statement = (
        select(clause_lists.c.id, theirs.c.id.label("kin"))
        .join(texts, texts.c.root == clause_lists.c.root)
        .join(others, others.c.policy == texts.c.policy)
        .join(theirs, theirs.c.root == others.c.root)
        .where(clause_lists.c.id.in_(lists))
    )
    found: dict[int, set[int]] = {}
    for row in connection.execute(statement):
        found.setdefault(row.id, set()).add(row.kin)
    return found


def _holders(connection: Connection, keys: Sequence[int]) -> list[set[int]]:
    """For each key that some lists have, these; without the keys that too many have, unless there
    are no others."""
    found = _lists(connection, keys)
    telling = [some for some in found if len(some) <= COMMON]
    return telling or found


def _lists(connection: Connection, keys: Sequence[int]) -> list[set[int]]:
    """For each key the lists that have it, one more than COMMON at most."""
    found: dict[int, set[int]] = {}
    if on_postgres(connection):
        given = {"keys": list(keys), "most": COMMON + 1}
        for key, each in connection.execute(ON_POSTGRES, given):
            found.setdefault(key, set()).add(each)
        return list(found.values())
    given = {"keys": json.dumps(list(keys)), "most": COMMON + 1}
    for key, joined in connection.execute(ON_SQLITE, given):
        if joined is not None:
            found[key] = {int(each) for each in str(joined).split(",")}
    return list(found.values())
