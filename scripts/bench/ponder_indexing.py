"""Ponder (npm) indexing the registry's Recorded events into one table, its default database.

What it needs is installed by `npm ci` in scripts/bench. The project that it runs is in
scripts/bench/ponder; it is copied, for ponder writes into its folder.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import orjson
import urllib3

from registry.chain.abi import artifact
from registry.chain.addresses import checksummed
from registry.services.workspace import Workspace

_HERE = Path(__file__).resolve().parent
_MODULES = _HERE / "node_modules"
_PATIENCE_SECONDS = 1800.0


@dataclass(frozen=True, slots=True)
class Indexed:
    """How many rows ponder wrote; in how many seconds from its start, and from when its
    server answered until it said that it was ready."""

    rows: int
    seconds: float
    seconds_indexing: float


def index(opened: Workspace, folder: Path) -> Indexed:
    """Let ponder index the log from nothing; raises SystemExit where it does not."""
    if not (_MODULES / "ponder").is_dir():
        raise SystemExit("ponder is not installed: run npm ci in scripts/bench")
    project = folder / "ponder"
    shutil.copytree(_HERE / "ponder", project)
    (project / "node_modules").symlink_to(_MODULES)
    abi = project / "abi.json"
    abi.write_bytes(orjson.dumps([each for each in artifact()["abi"] if each["type"] == "event"]))
    port = _free_port()
    environment = {
        **os.environ,
        "REGISTRY_ABI": str(abi),
        "REGISTRY_RPC": str(opened.settings.rpc_url),
        "REGISTRY_ADDRESS": checksummed(opened.client.address),
        "PONDER_TELEMETRY_DISABLED": "true",
        "CI": "true",
    }
    binary = _MODULES / ".bin" / "ponder"
    command = [binary, "start", "--schema", "bench", "--port", str(port), "--hostname", "127.0.0.1"]
    started = time.perf_counter()
    with (folder / "ponder.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=project, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        alive = _when(process, f"http://127.0.0.1:{port}/health")
        ready = _when(process, f"http://127.0.0.1:{port}/ready")
        answer = urllib3.request("GET", f"http://127.0.0.1:{port}/count")
        rows = int(answer.json()["rows"])
    except SystemExit as failed:
        raise SystemExit(f"{failed}: {(folder / 'ponder.log').read_text()[-2000:]}") from None
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        shutil.rmtree(project)
    return Indexed(rows, ready - started, ready - alive)


def _when(process: subprocess.Popen[bytes], url: str) -> float:
    """The moment at which this answers 200."""
    deadline = time.perf_counter() + _PATIENCE_SECONDS
    while time.perf_counter() < deadline and process.poll() is None:
        with suppress(urllib3.exceptions.HTTPError):
            if urllib3.request("GET", url, retries=False, timeout=5.0).status == 200:
                return time.perf_counter()
        time.sleep(0.05)
    raise SystemExit("ponder ended, or was not ready in time")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
