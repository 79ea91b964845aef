"""Looking for the nearest text among millions of clauses.

A mirror is filled with lists of 40 clauses, three versions a policy that share most of them, three
clauses of each list being formulas that thousands have. Then altered copies (one clause of 40 is
another) are looked for by their clauses' hashes, each in a read transaction of its own:
milliseconds for the look-up alone (`lookup_ms`), with the found list read and compared
(`altered_ms`), and for the same question by a scan of the table (`scan_ms`), a few times, in turn
with it.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from databases import Database
from sqlalchemy import text

from registry.core.digest import sha256
from registry.core.text.clauses import ClauseHash, clauses_root
from registry.core.text.comparing import Change, compare
from registry.core.text.finding import is_version
from registry.core.units import Digest
from registry.mirror.bulk import insert_rows
from registry.mirror.engine import Engine, on_postgres, open_engine, reading, writing
from registry.mirror.nearest import nearest
from registry.mirror.schema import clause_lists, clauses
from registry.mirror.text_rows import clause_rows, hash_key
from registry.mirror.texts import clause_list

SIZE = 40
FORMULAS = 3
KINDS = 50
"""So many formulas there are: each list has three of them."""
VERSIONS = 3
KEPT = 0.8
"""So much of a version is in the next one."""
ASKED, SCANNED = 300, 3
_BATCH = 500

SCAN = (
    'SELECT "list", count(*) FROM clauses WHERE {} IN ({}) GROUP BY "list" ORDER BY 2 DESC LIMIT 10'
)


def lists(count: int) -> Iterator[list[ClauseHash]]:
    """So many lists; the same on every run."""
    chance = random.Random(7)
    formulas = [sha256(b"formula %d" % number) for number in range(KINDS)]
    previous: list[Digest] = []
    for number in range(count):
        fresh = [Digest(chance.randbytes(32)) for _ in range(SIZE - FORMULAS)]
        if number % VERSIONS:
            fresh = [
                old if chance.random() < KEPT else new
                for old, new in zip(previous, fresh, strict=True)
            ]
        previous = fresh
        hashes = [*fresh, *chance.sample(formulas, FORMULAS)]
        yield [ClauseHash(f"第{at}条", each) for at, each in enumerate(hashes, 1)]


def fill(engine: Engine, count: int, first: int = 0) -> None:
    """Write so many lists, numbered from `first`."""
    batch: list[tuple[int, list[ClauseHash]]] = []
    for number, each in enumerate(lists(count)):
        batch.append((first + number, each))
        if len(batch) == _BATCH or number == count - 1:
            with writing(engine) as connection:
                insert_rows(
                    connection,
                    clause_lists,
                    [(identity, clauses_root(some), len(some)) for identity, some in batch],
                )
                rows = [row for identity, some in batch for row in clause_rows(identity, some)]
                insert_rows(connection, clauses, rows)
            batch = []


def measure_nearest(database: Database, wanted: int) -> dict[str, Any]:
    count = wanted // SIZE
    engine = open_engine(database.fresh())
    started = time.perf_counter()
    fill(engine, count)
    filled = time.perf_counter() - started
    settle(engine)
    chance = random.Random(11)
    asked = sorted(chance.sample(range(count), ASKED))
    kept = {number: each for number, each in enumerate(lists(count)) if number in set(asked)}
    chance.shuffle(asked)
    lookups, whole, scans, right = [], [], [], 0
    for at, number in enumerate(asked):
        altered = list(kept[number])
        altered[5] = ClauseHash(altered[5].label, Digest(chance.randbytes(32)))
        lookups.append(timed(lambda: _look_up(engine, altered)))  # noqa: B023 - called at once
        whole.append(timed(lambda: _explain(engine, altered)))  # noqa: B023
        right += _explain(engine, altered) == number
        if at < SCANNED:
            scans.append(timed(lambda: _scan(engine, altered)))  # noqa: B023
    engine.dispose()
    return {
        "clauses": count * SIZE,
        "lists": count,
        "filled_seconds": round(filled, 1),
        "asked": ASKED,
        "found_right": right,
        "lookup_ms": told(lookups),
        "altered_ms": told(whole),
        "scan_ms": told(scans),
    }


def settle(engine: Engine) -> None:
    """What the database does by itself after so many rows."""
    command = "VACUUM ANALYZE" if engine.dialect.name == "postgresql" else "ANALYZE"
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(command)


def _look_up(engine: Engine, altered: Sequence[ClauseHash]) -> None:
    with reading(engine) as connection:
        nearest(connection, [hash_key(each.text_hash) for each in altered])


def _explain(engine: Engine, altered: Sequence[ClauseHash]) -> int | None:
    """Which list it is a copy of, with exactly one clause changed."""
    with reading(engine) as connection:
        near, *_ = nearest(connection, [hash_key(each.text_hash) for each in altered])
        held = clause_list(connection, near.root)
    if held is None or not is_version(near.shared, len(altered), near.weight):
        return None
    found = compare(held.hashes, altered)
    return near.list if found.counts[Change.CHANGED] == 1 else None


def _scan(engine: Engine, altered: Sequence[ClauseHash]) -> None:
    keys = ", ".join(str(hash_key(each.text_hash)) for each in altered)
    with reading(engine) as connection:
        # A sum is in no index of either database.
        column = "hash_key + 0" if on_postgres(connection) else "+hash_key"
        connection.execute(text(SCAN.format(column, keys))).all()


def timed(measure: Callable[[], object]) -> float:
    started = time.perf_counter()
    measure()
    return (time.perf_counter() - started) * 1000


def told(values: Sequence[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "first": round(values[0], 2),
        "median": round(statistics.median(ordered), 2),
        "p95": round(ordered[int(0.95 * (len(ordered) - 1))], 2),
        "largest": round(ordered[-1], 2),
    }
