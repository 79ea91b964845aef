"""Random single-bit flips in a mirror, each found and named by fsck, as JSON.

    python scripts/bench/fsck.py MIRROR [FLIPS]

MIRROR is a mirror's SQLite file; a copy of it is damaged. Every column that holds
anything has its turn, the full-text index's own tables among them. The chain is not
asked. Goal: all found, each named.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from pathlib import Path

from measure import median

from registry.chain.client import Client
from registry.core.units import BlockNumber
from registry.errors import Unavailable
from registry.mirror.engine import Engine, open_unchecked, sqlite_url
from registry.services.fsck import fsck
from tests.integration.bit_flips import Flip, columns, flipped, has_values, open_raw, whole_copy

FLIPS = 1000


def main() -> None:
    if len(sys.argv) < 2 or not Path(sys.argv[1]).is_file():
        raise SystemExit(__doc__)
    count = int(sys.argv[2]) if len(sys.argv) > 2 else FLIPS
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "mirror.sqlite"
        whole_copy(Path(sys.argv[1]), copy)
        print(json.dumps(_measured(copy, count), indent=2))


def _measured(path: Path, count: int) -> dict[str, object]:
    engine, raw, chance = open_unchecked(sqlite_url(path)), open_raw(path), random.Random(36)
    every = [each for each in columns(raw) if has_values(raw, each)]
    before, _ = _fsck(engine)
    if before:
        raise SystemExit(f"the mirror is bad already: {sorted(before)[:5]}")
    found, named, seconds, not_named = 0, 0, [], list[str]()
    for number in range(count):
        with flipped(raw, every[number % len(every)], chance) as flip:
            rows, taken = _fsck(engine)
        seconds.append(taken)
        found += bool(rows)
        if any(flip.is_named_by(*row) for row in rows):
            named += 1
        else:
            not_named.append(_shown(flip))
    after, _ = _fsck(engine)
    engine.dispose()
    return {
        "flips": count,
        "columns": len(every),
        "found": found,
        "named": named,
        "not_named": not_named,
        "clean_when_put_back": not after,
        "seconds_per_fsck": median(seconds),
    }


def _fsck(engine: Engine) -> tuple[set[tuple[str, str]], float]:
    """The rows that are named, and how long it took, on a connection of its own."""
    engine.dispose()
    started = time.perf_counter()
    done = fsck(engine, _no_chain, BlockNumber(0))
    taken = time.perf_counter() - started
    return {(each.table, each.shown_key) for each in done.findings}, taken


def _no_chain() -> Client:
    raise Unavailable("the chain is not asked")


def _shown(flip: Flip) -> str:
    return f"{flip.column.table}.{flip.column.name} of {flip.keys[0]}, bit {flip.bit}"


if __name__ == "__main__":
    main()
