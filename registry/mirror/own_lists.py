"""Lists of clauses of documents that are being published here, many at once.

They are written before their entries are in the log, so that a kill loses none: what is left of
an act that comes to nothing is a list that no manifest tells of, which is in no answer and in no
export.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, delete, func, select

from registry.core.text.list_file import Listed
from registry.core.units import Digest
from registry.mirror.bulk import insert_rows
from registry.mirror.schema import clause_lists, clause_texts, clauses
from registry.mirror.text_rows import clause_rows
from registry.mirror.texts import by_root, forget_clauses, is_unfit

_IN_LIST = 500


def _is_fit(each: Listed) -> bool:
    """Whether a database can hold it."""
    words = (*(clause.label for clause in each.hashes), *(each.said or ()))
    return bool(each.hashes) and not any(map(is_unfit, words))


def keep_own_lists(connection: Connection, lists: Collection[Listed]) -> list[Digest]:
    """Keep these lists, and what they say; the roots of those that are new here. Whoever calls has
    computed their roots; what no database can hold is passed over."""
    wanted = {each.root: each for each in lists if _is_fit(each)}
    held = _held(connection, list(wanted))
    fresh = [each for root, each in wanted.items() if root not in held]
    newest = connection.execute(select(func.max(clause_lists.c.id))).scalar()
    first = 0 if newest is None else int(newest) + 1
    ids = held | {each.root: first + at for at, each in enumerate(fresh)}
    insert_rows(
        connection, clause_lists, [(ids[each.root], each.root, len(each.hashes)) for each in fresh]
    )
    rows = [row for each in fresh for row in clause_rows(ids[each.root], each.hashes)]
    insert_rows(connection, clauses, rows)
    _say(connection, {ids[root]: each for root, each in wanted.items() if each.said is not None})
    return [each.root for each in fresh]


def forget_unregistered(connection: Connection, roots: Collection[Digest]) -> None:
    """Take away those of these lists that no manifest in the log tells of."""
    for root, identity in _held(connection, list(roots)).items():
        if not by_root(connection, root):
            forget_clauses(connection, identity)


def _held(connection: Connection, roots: Sequence[Digest]) -> dict[Digest, int]:
    found: dict[Digest, int] = {}
    for at in range(0, len(roots), _IN_LIST):
        some = clause_lists.c.root.in_(roots[at : at + _IN_LIST])
        for row in connection.execute(select(clause_lists).where(some)):
            found[Digest(row.root)] = int(row.id)
    return found


def _say(connection: Connection, lists: dict[int, Listed]) -> None:
    """Write down what these lists say, by their ids."""
    ids = list(lists)
    for at in range(0, len(ids), _IN_LIST):
        some = clause_texts.c["list"].in_(ids[at : at + _IN_LIST])
        connection.execute(delete(clause_texts).where(some))
    rows = [
        (identity, position, text)
        for identity, each in lists.items()
        for position, text in enumerate(each.said or ())
    ]
    insert_rows(connection, clause_texts, rows)
