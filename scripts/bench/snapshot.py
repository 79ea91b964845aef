"""Rows a second of a streamed snapshot beside a bare SQL cursor, and its memory, as JSON.

    python scripts/bench/snapshot.py [--policies N] [--work FOLDER] [--index INDEX.csv]

Our side is the NDJSON of the whole log (`take_snapshot(...).ndjson()`), every line of it
taken and dropped. The other side is Python's sqlite3 over the same file, in the same order:

  cursor_lines    SELECT policy_id, snapshot_line FROM policies ORDER BY policy_id
  cursor_columns  the columns that a row is made of: 13 of policies, 4 of the entry that
                  brought the document, recorded_at of the first and the last entry; joined

`cursor_lines` is the least that any answer has to read. Pairs of runs in one process, in
turn, after one that is not counted; the ratio is the median of the pairs' own. Memory is the
peak resident set of a process that streams, less what it has before. Goals: at least half
of the cursor's rows a second, less than 150 MB.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from measure import CORPUS, interleaved, median, median_ratio
from synthetic import mirror

from registry.core.snapshot import Filters
from registry.mirror.engine import open_engine, sqlite_url
from registry.services.snapshots import take_snapshot

ROUNDS = 5
# As the mirror's own connections have it.
_MAPPED = "PRAGMA mmap_size=268435456"
CURSORS = {
    "cursor_lines": "SELECT policy_id, snapshot_line FROM policies ORDER BY policy_id",
    "cursor_columns": """
        SELECT p.policy_id, p.authority, p.number_hash, p.number, p.title_zh, p.title_en, p.type,
            p.jurisdiction, p.status, p.sequence, p.versions, p.issued, p.head,
            shown.entry, shown.document, shown.manifest, shown.effective_on,
            first.recorded_at, last.recorded_at
        FROM policies AS p
        JOIN entries AS shown ON shown.entry = p.document
        JOIN entries AS first ON first.entry = p.id
        JOIN entries AS last ON last.entry = p.head
        ORDER BY p.policy_id""",
}


def main() -> None:
    given = _arguments()
    if given.measure_memory is not None:
        print(json.dumps(_memory(given.measure_memory)))
        return
    with tempfile.TemporaryDirectory() as folder:
        work = given.work or Path(folder)
        engine = mirror(work, given.index, given.policies)
        path = Path(str(engine.url.database))
        engine.dispose()
        measures = {"snapshot": lambda: _snapshot(path)}
        measures |= {name: lambda sql=sql: _cursor(path, sql) for name, sql in CURSORS.items()}
        found = interleaved(ROUNDS, measures)
        command = [sys.executable, __file__, "--measure-memory", str(path)]
        memory = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    print(
        json.dumps(
            {
                "policies": given.policies,
                "database_mb": memory.pop("database_mb"),
                "rounds": ROUNDS,
                "rows_per_second": {name: median(rates) for name, rates in found.items()},
                "ratio": {name: median_ratio(found["snapshot"], found[name]) for name in CURSORS},
                "goal": 0.5,
                "memory_mb": memory,
                "memory_goal_mb": 150,
            },
            indent=2,
        )
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--policies", type=int, default=1_000_000)
    parser.add_argument("--work", type=Path, help="keeps the mirror for the next run")
    parser.add_argument("--index", type=Path, default=CORPUS / "index.csv")
    parser.add_argument("--measure-memory", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _snapshot(path: Path) -> float:
    engine = open_engine(sqlite_url(path))
    taken = take_snapshot(engine, Filters())
    rate = _rate(taken.ndjson())
    engine.dispose()
    return rate


def _cursor(path: Path, sql: str) -> float:
    connection = sqlite3.connect(path)
    connection.execute(_MAPPED)
    rate = _rate(connection.execute(sql))
    connection.close()
    return rate


def _rate(rows: Iterator[object]) -> float:
    started = time.perf_counter()
    count = sum(1 for _ in rows)
    return count / (time.perf_counter() - started)


def _memory(path: Path) -> dict[str, float]:
    """Megabytes resident before and at the peak, and what of the peak is the program's own
    and not the database's file, which the system keeps mapped while nobody else needs it."""
    engine = open_engine(sqlite_url(path))
    taken = take_snapshot(engine, Filters(), 1)
    for _ in taken.ndjson():
        pass
    idle, own_idle = _resident(), _own()
    own = own_idle
    for number, _ in enumerate(take_snapshot(engine, Filters()).ndjson()):
        if number % 10_000 == 0:
            own = max(own, _own())
    return {
        "idle": idle,
        "added": round(_status("VmHWM") - idle, 1),
        "added_own": round(own - own_idle, 1),
        "database_mb": round(path.stat().st_size / 1e6),
    }


def _resident() -> float:
    return _status("VmRSS")


def _own() -> float:
    return _status("RssAnon")


def _status(name: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return round(int(line.split()[1]) / 1000, 1)
    raise SystemExit(f"this system does not tell {name}")


if __name__ == "__main__":
    main()
