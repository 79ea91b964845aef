"""A long log from a recorded node into the mirror, in a process of its own: rate and memory.

python scripts/bench/sync_recorded.py NODE_URL DATABASE_URL     one such process
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import recorded_node
from databases import Database
from measure import median

from registry.chain.client import Client
from registry.chain.rpc import HttpTransport
from registry.core.units import BlockNumber
from registry.mirror.engine import open_engine
from registry.services.sync import ENTRIES_PER_RANGE, sync


def from_record(databases: Sequence[Database], work: Path, entries: int) -> Any:
    recorded_node.record(work / f"recorded-{entries}", entries)
    found: dict[str, Any] = {}
    for each in databases:
        few, many = (
            _measured(work / f"recorded-{entries}", size, each.fresh())
            for size in (entries // 100, entries)
        )
        slower = few["entries_per_second"] / many["entries_per_second"]
        found[each.name] = {"few": few, "many": many, "time_per_entry": round(slower, 2)}
    return found | {"goal": {"time_per_entry": 1.3, "memory_mb": 300}}


def _measured(folder: Path, size: int, url: str) -> Any:
    """What `_synced_alone` finds in a process of its own."""
    with _serving(folder, size) as node:
        command = [sys.executable, __file__, node, url]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


@contextmanager
def _serving(folder: Path, size: int) -> Iterator[str]:
    command = [sys.executable, recorded_node.__file__, str(folder), str(size)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def _synced_alone(node: str, url: str) -> dict[str, Any]:
    """Entries a second, and megabytes at the peak: all, and those of the program itself."""
    client = Client(HttpTransport(node), recorded_node.CONTRACT)
    engine = open_engine(url)
    own = [_megabytes("RssAnon")]
    started = time.perf_counter()

    def watch(_done: int, _all: int, _size: int) -> None:
        own.append(_megabytes("RssAnon"))

    size = sync(client, engine, BlockNumber(1), watch).position.size
    taken = time.perf_counter() - started
    return {
        "entries": size,
        "entries_per_second": median([size / taken]),
        "entries_per_range": ENTRIES_PER_RANGE,
        "memory_mb": {
            "before": own[0],
            "own_peak": max(own),
            "peak_with_mapped_file": _megabytes("VmHWM"),
        },
    }


def _megabytes(name: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return round(int(line.split()[1]) / 1000, 1)
    raise SystemExit(f"this system does not tell {name}")


if __name__ == "__main__":
    print(json.dumps(_synced_alone(*sys.argv[1:])))
