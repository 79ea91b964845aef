"""What texts cost, as JSON.

    python scripts/bench/text.py nearest --work FOLDER [--clauses 3000000] [--databases sqlite]
    python scripts/bench/text.py reading [--rounds 3]
    python scripts/bench/text.py audit --work FOLDER
    python scripts/bench/text.py verify --work FOLDER [--clauses 3000000]

`nearest`: the look-up of an altered text among so many clauses, beside a scan. `reading`: documents
of the corpus from bytes to clauses, beside the same libraries' parsing alone. `audit`: the whole
corpus, as it was published and with one character of each law altered. `verify`: altered laws
explained, end to end, in a mirror of the corpus that is filled up to so many clauses.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from databases import opened_databases
from text_audit import measure_audit, measure_verify
from text_nearest import measure_nearest
from text_reading import measure_reading


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("section", choices=["nearest", "reading", "audit", "verify"])
    parser.add_argument("--work", type=Path)
    parser.add_argument("--clauses", type=int, default=3_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgres"])
    given = parser.parse_args()
    if given.section != "reading":
        if given.work is None:
            parser.error("--work names the folder for what is built")
        given.work.mkdir(parents=True, exist_ok=True)
    json.dump({given.section: measured(given)}, sys.stdout, indent=2)
    print()


def measured(given: argparse.Namespace) -> dict[str, Any]:
    match given.section:
        case "nearest":
            with opened_databases(given.databases, given.work) as databases:
                return {each.name: measure_nearest(each, given.clauses) for each in databases}
        case "reading":
            return measure_reading(given.rounds)
        case "audit":
            return measure_audit(given.work)
        case _:
            return measure_verify(given.work, given.clauses)


if __name__ == "__main__":
    main()
