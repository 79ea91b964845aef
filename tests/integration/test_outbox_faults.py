"""Eight workers with one key, killed at random, behind a node that loses what it is sent, beside
another program with the same key, over reorganisations and a restart of the node: each document
is recorded once, none is missing, no nonce is left open.

POLREG_OUTBOX_DOCUMENTS: how many; `make soak` asks for more.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random

import pytest

from registry.chain.rpc import HttpTransport, RpcError
from registry.chain.signers import signer_from_hex
from registry.config import Settings
from registry.core.digest import sha256
from registry.errors import RegistryError
from registry.mirror import outbox as rows
from registry.mirror.engine import reading
from registry.services.authorities import open_authority
from registry.services.setup import deploy, outbox_for
from registry.services.workspace import Workspace
from tests.anvil import DEV_KEYS, ROOT, foundry_binary
from tests.forgetful_node import Fault, ForgetfulNode
from tests.integration.outbox_worker import files

DOCUMENTS = int(os.environ.get("POLREG_OUTBOX_DOCUMENTS", "200"))
WORKERS = 8
KILLS = DOCUMENTS // 16
REORGANISATIONS = (1, 2, 3, 4, 5)


class Anvil:
    """A node that keeps its state in a file over a restart, and its address."""

    def __init__(self, state: Path) -> None:
        self._state, self._port = state, "0"
        self.start()

    def start(self) -> None:
        words = ["--host", "127.0.0.1", "--port", self._port, "--block-time", "0.5"]
        self._process = subprocess.Popen(
            [str(foundry_binary("anvil")), *words, "--state", str(self._state)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("Listening on "):
                self.url = f"http://{line.split()[-1]}"
                self._port = self.url.rpartition(":")[2]
                break
        threading.Thread(target=self._process.stdout.read, daemon=True).start()

    def stop(self) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.wait(30)


@contextmanager
def registry(folder: Path) -> Iterator[tuple[Anvil, ForgetfulNode, Workspace]]:
    node = Anvil(folder / "state.json")
    try:
        with ForgetfulNode(node.url, seed=1) as proxy:
            proxy.faults = False
            settings = Settings(
                home=folder / "home", rpc_url=proxy.url, private_key=DEV_KEYS[0], stuck_after=2
            )
            transport = HttpTransport(proxy.url)
            deploy(transport, signer_from_hex(DEV_KEYS[0]), settings)
            transport.close()
            with Workspace(settings) as opened:
                opened.sync()
                open_authority("CN", {}, None, opened.client, outbox_for(opened, lambda _: ""))
                # What is needed before anything can be recorded is not reorganised away.
                opened.transport.request("anvil_mine", [hex(2 * max(REORGANISATIONS))])
                yield node, proxy, opened
    finally:
        node.stop()


class Workers:
    """Processes that are started again until each has done its share."""

    def __init__(self, folder: Path, url: str, documents: Path) -> None:
        self._environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "POLREG_HOME": str(folder / "home"),
            "POLREG_RPC_URL": url,
            "POLREG_PRIVATE_KEY": DEV_KEYS[0],
            "POLREG_STUCK_AFTER": "2",
            "POLREG_TEST_DOCUMENTS": str(documents),
        }
        share = DOCUMENTS // WORKERS
        self._shares = [(at * share, (at + 1) * share) for at in range(WORKERS)]
        self._running = {share: self._start(share) for share in self._shares}
        self.ended: Counter[int] = Counter()

    def _start(self, share: tuple[int, int]) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-m", "tests.integration.outbox_worker", *map(str, share)]
        return subprocess.Popen(words, env=self._environment, cwd=ROOT)

    def look(self) -> int:
        """Start again what ended without being done; how many are left."""
        for share, process in list(self._running.items()):
            code = process.poll()
            if code is not None:
                self.ended[code] += 1
                del self._running[share]
                if code != 0:
                    self._running[share] = self._start(share)
        return len(self._running)

    def kill_one(self, random: Random) -> None:
        if self._running:
            random.choice(list(self._running.values())).kill()

    def stop(self) -> None:
        for process in self._running.values():
            process.kill()
            process.wait()


def test_each_document_is_recorded_once_whatever_fails(
    tmp_path: Path, corpus_documents: Path
) -> None:
    random = Random(2)
    with registry(tmp_path) as (node, proxy, opened):
        size, _ = opened.client.checkpoint()
        proxy.faults = True
        workers = Workers(tmp_path, proxy.url, corpus_documents)
        try:
            trouble(node, workers, opened, size, random)
            proxy.faults = False
            wait_until_done(workers, opened)
        finally:
            workers.stop()
        settle(opened)
        documents = [sha256(path.read_bytes()) for path in files(corpus_documents)]
        assert sorted(recorded(opened)) == sorted(documents[:DOCUMENTS])
        assert_no_gap(opened)
        assert set(proxy.done) == set(Fault)
        assert workers.ended[-signal.SIGKILL] > 0
        assert workers.ended[5] == 0


def trouble(node: Anvil, workers: Workers, opened: Workspace, begun: int, random: Random) -> None:
    """Kill, reorganise, use the key for something else and start the node again, spread over
    the documents that come into the log."""
    account = "0x" + signer_from_hex(DEV_KEYS[0]).address.hex()
    what: list[str | int] = ["kill"] * KILLS + ["other"] * 6 + list(REORGANISATIONS)
    random.shuffle(what)
    # Last: an Anvil that was started again can not go back behind that.
    what += ["restart", "kill"]
    direct = HttpTransport(node.url)
    for number, each in enumerate(what):
        wanted = begun + DOCUMENTS * number // (2 * len(what))
        until = time.monotonic() + 10
        while workers.look() and time.monotonic() < until:
            with suppress(RegistryError):
                if opened.client.checkpoint()[0] >= wanted:
                    break
            time.sleep(0.05)
        if each == "kill":
            workers.kill_one(random)
        elif each == "other":
            with suppress(RpcError):  # where one of ours has the nonce that the node gave it
                direct.request("eth_sendTransaction", [{"from": account, "to": "0x" + "11" * 20}])
        elif each == "restart":
            node.stop()
            node.start()
        else:
            direct.request("anvil_reorg", [each, []])
    direct.close()


def wait_until_done(workers: Workers, opened: Workspace) -> None:
    for _ in range(6000):
        if not workers.look():
            return
        time.sleep(0.05)
    raise AssertionError(f"the workers do not end: {what_waits(opened)}")


def what_waits(opened: Workspace) -> dict[str, object]:
    """What the outbox and the node have in line, for whoever reads why this failed."""
    account = "0x" + signer_from_hex(DEV_KEYS[0]).address.hex()
    with reading(opened.engine) as connection:
        ours = connection.exec_driver_sql(
            "SELECT nonce, stage, about, sent_at, most_fee, priority_fee, reason, block"
            " FROM transactions WHERE stage NOT IN ('finalized', 'replaced') ORDER BY nonce"
        ).fetchall()
    return {
        "now": int(time.time()),
        "ours": [tuple(each) for each in ours],
        "staged": outbox_for(opened, lambda _: "").in_line(),
        "latest": opened.transport.request("eth_getTransactionCount", [account, "latest"]),
        "pool": opened.transport.request("txpool_inspect"),
    }


def settle(opened: Workspace) -> None:
    """What another program left is used up, and what is in line is in blocks."""
    outbox = outbox_for(opened, lambda _: "")
    for _ in range(200):
        outbox.push((1, 10**9))
        with reading(opened.engine) as connection:
            if not rows.waiting_since(connection, outbox.account):
                return
        time.sleep(0.1)
    raise AssertionError("something waits for ever")


def recorded(opened: Workspace) -> list[bytes]:
    opened.sync()
    with reading(opened.engine) as connection:
        found = connection.exec_driver_sql(
            "SELECT document FROM entries WHERE document IS NOT NULL"
        )
        return list(found.scalars())


def assert_no_gap(opened: Workspace) -> None:
    account = "0x" + signer_from_hex(DEV_KEYS[0]).address.hex()
    for _ in range(50):
        latest, pending = opened.transport.batch(
            [("eth_getTransactionCount", [account, tag]) for tag in ("latest", "pending")]
        )
        pool = opened.transport.request("txpool_status")
        if latest == pending and {int(each, 16) for each in pool.values()} == {0}:
            return
        time.sleep(0.1)
    raise AssertionError(f"the account stands at {latest}, with what waits at {pending}: {pool}")


@pytest.fixture
def corpus_documents(corpus: Path, tmp_path: Path) -> Path:
    """Real laws, as many as are wanted; each another document."""
    folder = tmp_path / "documents"
    folder.mkdir()
    seen: set[bytes] = set()
    for path in sorted(corpus.rglob("*.*")):
        digest = sha256(path.read_bytes())
        if len(seen) == DOCUMENTS or digest in seen:
            continue
        seen.add(digest)
        shutil.copy(path, folder / f"{len(seen):05}{path.suffix}")
    while len(seen) < DOCUMENTS:
        content = f"第{len(seen)}号文件。".encode()
        seen.add(sha256(content))
        (folder / f"{len(seen):05}.md").write_bytes(content)
    return folder
