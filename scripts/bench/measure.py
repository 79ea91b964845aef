"""What the measurements share: paired runs, whole-process times, a registry on Anvil."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from registry.config import Settings  # noqa: E402
from registry.services.keys import signer_of  # noqa: E402
from registry.services.setup import deploy  # noqa: E402
from registry.services.workspace import Workspace  # noqa: E402
from tests.anvil import DEV_KEYS, running_anvil  # noqa: E402

CORPUS = ROOT.parent / "shared" / "corpus"


@dataclass(frozen=True, slots=True)
class Run:
    """One finished process: user CPU and wall-clock seconds, exit code."""

    user: float
    wall: float
    code: int


def run(command: Sequence[str], environment: dict[str, str] | None = None) -> Run:
    """Run a command to its end, its output thrown away."""
    values = {**os.environ, **(environment or {})}
    # Start-up is to be timed with compiled modules, as users have them.
    values.pop("PYTHONDONTWRITEBYTECODE", None)
    started = time.perf_counter()
    with subprocess.Popen(
        command, env=values, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return Run(usage.ru_utime, time.perf_counter() - started, process.returncode)


def interleaved(rounds: int, measures: dict[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Each measure once a round, in turn, after one round that is not counted."""
    found: dict[str, list[float]] = {name: [] for name in measures}
    for number in range(rounds + 1):
        for name, measure in measures.items():
            value = measure()
            if number:
                found[name].append(value)
    return found


def median(values: Sequence[float]) -> float:
    return float(f"{statistics.median(values):.4g}")


def median_ratio(above: Sequence[float], below: Sequence[float]) -> float:
    """The median of the ratios pair by pair: it holds when the machine's speed drifts."""
    return median([a / b for a, b in zip(above, below, strict=True)])


@contextmanager
def registry_on_anvil(home: Path, *arguments: str) -> Iterator[Workspace]:
    """A fresh contract on a fresh Anvil, with the home folder `home`; `arguments` are Anvil's."""
    with running_anvil(*arguments) as url:
        settings = Settings(home=home, rpc_url=url, private_key=DEV_KEYS[0])
        with Workspace(settings) as first:
            deploy(first.transport, signer_of(settings, no_password), settings)
        with Workspace(settings) as opened:
            yield opened


def no_password(_prompt: str) -> str:
    raise AssertionError("the development key needs no password")
