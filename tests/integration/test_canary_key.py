"""A key is used in every way there is, and looked for wherever it might have been left."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import orjson
import pytest
from eth_account import Account

from registry.chain.keystore import write_private
from registry.core.signed_act import write_signed_act
from tests.anvil import ROOT, running_anvil
from tests.relaying import World, address_of, make_world

pytestmark = pytest.mark.xdist_group("submissions")

KEY = bytes.fromhex("ca11ab1e0dd5eed5" * 4)
PASSWORD = "canary-of-the-keystore"
FORMS = {
    "hexadecimal": KEY.hex().encode(),
    "capitals": KEY.hex().upper().encode(),
    "bytes": KEY,
    "number": str(int.from_bytes(KEY, "big")).encode(),
    "base64": base64.b64encode(KEY)[:40],
    "repr": repr(KEY).encode()[2:-1],
    "password": PASSWORD.encode(),
}


def found_in(content: bytes) -> list[str]:
    return [name for name, form in FORMS.items() if form in content]


def test_the_key_would_be_found_were_it_there() -> None:
    for name, form in FORMS.items():
        assert name in found_in(b"before " + form + b" after")
    assert found_in(b"nothing") == []


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_anvil() as url:
        made = make_world(url, tmp_path_factory.mktemp("canary"))
        made.admin.done("authority", "appoint", "CN.GD", address_of(KEY))
        made.transport.request("anvil_setBalance", [address_of(KEY), hex(10**20)])
        yield made


@dataclass
class Canary:
    """Somebody whose key is the canary; all that is said is kept."""

    world: World
    folder: Path
    secrets: Path
    said: bytes = b""

    def environment(self, by: str, **more: str) -> dict[str, str]:
        keystore, password = self.secrets / "key.json", self.secrets / "password"
        named = (
            {"POLREG_PRIVATE_KEY": "0x" + KEY.hex()}
            if by == "environment"
            else {"POLREG_KEYSTORE": str(keystore), "POLREG_PASSWORD_FILE": str(password)}
        )
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "POLREG_HOME": str(self.folder / "home"),
            "POLREG_RPC_URL": self.world.url,
            "POLREG_CONTRACT": "0x" + self.world.contract.hex(),
            "POLREG_DEBUG": "1",
            **named,
            **more,
        }

    def run(self, by: str, *words: str, **more: str) -> int:
        ended = subprocess.run(
            [sys.executable, "-m", "registry", *words],
            env=self.environment(by, **more),
            cwd=self.folder, capture_output=True, check=False, timeout=120,
        )  # fmt: skip
        self.said += ended.stdout + ended.stderr
        return ended.returncode

    def left_behind(self) -> dict[str, list[str]]:
        """Every file in which the key is, and what was said."""
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        found = {str(path): found_in(path.read_bytes()) for path in files}
        found["what was said"] = found_in(self.said)
        return {place: forms for place, forms in found.items() if forms}


@pytest.fixture
def canary(world: World, tmp_path: Path) -> Canary:
    folder, secrets = tmp_path / "canary", tmp_path / "secrets"
    for each in (folder, secrets):
        each.mkdir()
    encrypted = Account.encrypt(KEY, PASSWORD, kdf="scrypt", iterations=2)
    write_private(secrets / "key.json", orjson.dumps(encrypted))
    write_private(secrets / "password", PASSWORD.encode())
    (folder / "d.md").write_text("Article 1.")
    return Canary(world, folder, secrets)


def test_no_command_leaves_the_key_behind(canary: Canary) -> None:
    named = ("--authority", "CN.GD", "--number", "canary", "--title-en", "One")
    assert canary.run("environment", "publish", "d.md", *named) == 0
    place = ("--chain-id", "31337", "--contract", "0x" + canary.world.contract.hex())
    signed = ("sign", "withdraw", "CN.GD", "canary", "--reason", "x", "--title-en", "One", *place)
    assert canary.run("keystore", *signed, "--sequence", "2", "-o", "act.json") == 0
    assert canary.run("keystore", "relay", "act.json") == 0
    # Where it fails: by the contract, the node, the file, the key itself.
    assert canary.run("environment", "publish", "d.md", *named) != 0
    away = {"POLREG_RPC_URL": "http://127.0.0.1:9", "POLREG_RPC_TIMEOUT": "1"}
    assert canary.run("keystore", "publish", "d.md", *named, **away) != 0
    assert canary.run("keystore", "relay", "d.md") != 0
    wrong = {"POLREG_PRIVATE_KEY": KEY.hex()[:-1] + "z"}
    assert canary.run("environment", "relay", "act.json", **wrong) != 0
    assert (canary.folder / "home").is_dir()
    assert b"error:" in canary.said
    assert canary.left_behind() == {}


def test_a_server_that_relays_shows_its_key_to_nobody(canary: Canary) -> None:
    log = canary.folder / "log.ndjson"
    with log.open("wb") as output:
        serving = subprocess.Popen(
            [sys.executable, "-m", "registry", "serve", "--relay", "--port", "0"],
            env=canary.environment("keystore", POLREG_LOG_FORMAT="json"),
            cwd=canary.folder, stdout=output, stderr=output, preexec_fn=_let_dump,
        )  # fmt: skip
    try:
        with httpx.Client(base_url=_url(log, serving)) as client:
            while client.get("/readyz").status_code != 200:
                time.sleep(0.05)
            act = write_signed_act(canary.world.signed("canary served", key=KEY))
            taken = client.post("/v1/submissions", content=act)
            assert taken.status_code == 202
            while client.get(taken.headers["location"]).json()["submission"]["entry"] is None:
                time.sleep(0.05)
            for content in (b"{}", act[:-2], b"\xff"):
                client.post("/v1/submissions", content=content)
        # Others on this machine may be trying the same key.
        own = ("-p", str(serving.pid), "--ppid", str(serving.pid))
        listed = subprocess.run(["ps", *own, "-o", "args", "eww"], capture_output=True, check=True)
        assert str(canary.secrets).encode() in listed.stdout
        assert found_in(listed.stdout) == []
        limits = Path(f"/proc/{serving.pid}/limits").read_text()
        assert limits.partition("Max core file size")[2].split()[:2] == ["0", "0"]
    finally:
        serving.send_signal(signal.SIGABRT)
        _, status = os.waitpid(serving.pid, 0)
        serving.returncode = -signal.SIGABRT
    assert os.WIFSIGNALED(status)
    assert not os.WCOREDUMP(status)
    assert canary.left_behind() == {}


def _let_dump() -> None:
    """As a machine that is set up to keep dumps."""
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (most, most))


def _url(log: Path, serving: subprocess.Popen[bytes]) -> str:
    """Where the server says that it answers."""
    while True:
        for line in log.read_bytes().splitlines():
            event = orjson.loads(line) if line.startswith(b"{") and line.endswith(b"}") else {}
            if "url" in event:
                return str(event["url"])
        assert serving.poll() is None, log.read_text()
        time.sleep(0.05)
