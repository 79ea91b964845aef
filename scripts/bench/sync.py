"""Entries a second into the mirror, beside what else could read or write them, as JSON.

    python scripts/bench/sync.py [--entries N] [--recorded N] [--blocks N] [--rounds N]
        [--databases sqlite,postgresql] [--without-ponder] [--work FOLDER]

Three parts; a size of 0 leaves its part out.

`anvil`: a registry on Anvil with `--entries` policies. In turn, round by round: `sync_…` with
all its checks into an empty mirror; `rows_…`, the same rows inserted raw into the same schema
(bulk.py); `fetch`, the node's logs as JSON and nothing done with them; `web3`, its decoded
`contract.events.Recorded.get_logs`, nothing checked and nothing written. Once: ponder, which
writes one row an event into its default database (ponder_indexing.py). Ratios are medians of
the rounds' own. Goals: half of the raw rows; five times web3 and ponder on SQLite, eight times
web3 on PostgreSQL.

`recorded`: a node that answers from a record (recorded_node.py), with a hundredth of
`--recorded` entries and with all of them, synced in a process of its own each: entries a
second, and memory at its peak, the program's own without the database's mapped pages. Goals:
less than 300 MB; a hundred times the entries take at most 1.3 times as long each.

`follow`: `--blocks` blocks of 50 entries, one a second, and `polreg sync --follow`
(follow_lag.py). Goal: 99 of 100 can be answered from within a second.

A minute's run: --entries 3000 --recorded 20000 --blocks 5 --rounds 1 --without-ponder
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

os.environ.setdefault("ETH_HASH_BACKEND", "pysha3")

from databases import Database, opened_databases
from filling import ANVIL, Registrar
from follow_lag import lags
from measure import registry_on_anvil
from sync_anvil import from_anvil
from sync_recorded import from_record

PER_BLOCK = 50


def main() -> None:
    given = _arguments()
    with ExitStack() as until_the_end:
        work = given.work or Path(until_the_end.enter_context(tempfile.TemporaryDirectory()))
        names = given.databases.split(",")
        databases = until_the_end.enter_context(opened_databases(names, work))
        found: dict[str, Any] = {}
        if given.entries:
            found["anvil"] = from_anvil(databases, work, given)
        if given.recorded:
            found["recorded"] = from_record(databases, work, given.recorded)
        if given.blocks:
            found["follow"] = {each.name: _follow(each, work, given.blocks) for each in databases}
    print(json.dumps(found, indent=2))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--recorded", type=int, default=1_000_000)
    parser.add_argument("--blocks", type=int, default=120)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--without-ponder", action="store_true")
    parser.add_argument("--work", type=Path, help="keeps the record for the next run")
    return parser.parse_args()


def _follow(database: Database, work: Path, blocks: int) -> Any:
    with (
        tempfile.TemporaryDirectory(dir=work) as home,
        registry_on_anvil(Path(home), *ANVIL) as opened,
    ):
        numbers = range(blocks * PER_BLOCK)
        found = sorted(lags(opened, Registrar(opened), database.fresh(), numbers, PER_BLOCK))
    return {
        "blocks": blocks,
        "entries_per_block": PER_BLOCK,
        "lag_seconds": {
            "median": round(found[len(found) // 2], 3),
            "p99": round(found[min(len(found) - 1, -(-len(found) * 99 // 100) - 1)], 3),
            "max": round(found[-1], 3),
        },
        "goal": {"p99": 1.0},
    }


if __name__ == "__main__":
    main()
