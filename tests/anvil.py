"""Anvil for tests: starts the native binary on a free port and stops it again.

    with running_anvil() as url: ...

Found on PATH or in node_modules (`npm ci`). A missing binary is an error, never a skip.
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
START_TIMEOUT_SECONDS = 30.0
CHAIN_ID = 31337

# The first four keys of the public test mnemonic, funded on every development node.
DEV_KEYS = (
    "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
    "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
)

_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


class ToolMissingError(Exception):
    """A tool that the tests need is not installed."""


class AnvilStartError(Exception):
    """The node ended, or said nothing, before it listened; carries its last output."""


def foundry_binary(tool: str) -> Path:
    """The native binary of `anvil` or `forge`: npm's pinned one, else the one on PATH."""
    system = platform.system().lower()
    architecture = _ARCHITECTURES.get(platform.machine().lower(), platform.machine())
    pinned = (
        ROOT / "node_modules" / "@foundry-rs" / f"{tool}-{system}-{architecture}" / "bin" / tool
    )
    if pinned.is_file():
        return pinned
    found = shutil.which(tool)
    if found is None:
        raise ToolMissingError(f"{tool} is neither in node_modules nor on PATH: run npm ci")
    return Path(found)


class _Output:
    """Reads a node's output to its end, so that the pipe never fills, and finds its address."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._last: deque[str] = deque(maxlen=20)
        self._listening = threading.Event()
        self._url: str | None = None
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        for line in self._stream:
            self._last.append(line)
            found = re.match(r"Listening on (\S+)", line)
            if found:
                self._url = f"http://{found[1]}"
                self._listening.set()
        self._listening.set()

    def url(self, timeout_seconds: float) -> str:
        self._listening.wait(timeout_seconds)
        if self._url is None:
            raise AnvilStartError("anvil did not start: " + "".join(self._last))
        return self._url

    def close(self) -> None:
        self._thread.join()
        self._stream.close()


@contextmanager
def running_anvil(*arguments: str) -> Iterator[str]:
    """An Anvil on a free port of this machine, as its URL; killed on leaving.

    `arguments` are added to the command line, `"--block-time", "1"` for example.
    Raises ToolMissingError or AnvilStartError.
    """
    # Port 0 lets the node take a free port itself, so that two tests never race for one.
    command = [str(foundry_binary("anvil")), "--host", "127.0.0.1", "--port", "0", *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        output = _Output(process.stdout)
        try:
            yield output.url(START_TIMEOUT_SECONDS)
        finally:
            process.kill()
            output.close()
