"""How long after its block an entry can be answered from, while the chain goes on.

`polreg sync --follow` follows in a process of its own. Blocks are mined one at a time; the
clock starts when the node is asked to mine, and stops when a reader of the mirror finds the
block's last entry there, in a mirror that answers.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from filling import Registrar
from measure import ROOT

from registry.mirror.engine import Engine, open_engine, reading
from registry.mirror.position import read_position
from registry.services.workspace import Workspace

_READ_EVERY_SECONDS = 0.005
_PATIENCE_SECONDS = 60.0


def lags(
    opened: Workspace,
    registrar: Registrar,
    database: str,
    numbers: Sequence[int],
    per_block: int,
) -> list[float]:
    """Seconds for each block of `per_block` of these policies, one block a second."""
    found = []
    with _following(opened, database), _mined_by_hand(opened), _opened(database) as mirror:
        _await(mirror, _size(opened))
        due = time.perf_counter()
        for start in range(0, len(numbers), per_block):
            registrar.send(numbers[start : start + per_block])
            due = max(due + 1.0, time.perf_counter())
            time.sleep(max(0.0, due - time.perf_counter()))
            size = _size(opened) + per_block
            began = time.perf_counter()
            opened.transport.request("evm_mine", [])
            _await(mirror, size)
            found.append(time.perf_counter() - began)
    return found


def _size(opened: Workspace) -> int:
    return opened.client.checkpoint()[0]


@contextmanager
def _opened(database: str) -> Iterator[Engine]:
    engine = open_engine(database)
    try:
        yield engine
    finally:
        engine.dispose()


def _await(mirror: Engine, size: int) -> None:
    """Return once a mirror that answers holds so many entries."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with reading(mirror) as connection:
            position = read_position(connection)
        if position is not None and position.synced_at is not None and position.size >= size:
            return
        time.sleep(_READ_EVERY_SECONDS)
    raise SystemExit(f"the follower did not reach {size} entries in {_PATIENCE_SECONDS:.0f} s")


@contextmanager
def _following(opened: Workspace, database: str) -> Iterator[None]:
    url = str(opened.settings.rpc_url)
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "POLREG_HOME": str(opened.settings.home),
        "POLREG_RPC_URL": url,
        "POLREG_RPC_WS_URL": url.replace("http://", "ws://"),
        "POLREG_DATABASE_URL": database,
    }
    command = [sys.executable, "-m", "registry", "sync", "--follow"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)


@contextmanager
def _mined_by_hand(opened: Workspace) -> Iterator[None]:
    opened.transport.request("evm_setAutomine", [False])
    try:
        yield
    finally:
        opened.transport.request("evm_setAutomine", [True])
