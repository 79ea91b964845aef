"""A kill at any moment costs at most the block being written, and is told."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from registry.chain.embedded import EmbeddedChain, LostBlock
from tests.integration.embedded_accounts import (
    LOGGER,
    SEND,
    SEND_AND_WAIT,
    Sender,
    assert_linear,
    headers,
    word,
)

# Sends without end and prints the hash of each transaction once it is acknowledged.
# `at` names a step of writing a block at which the process kills itself instead.
WRITER = """
import os, signal, sys
from pathlib import Path
from registry.chain.embedded import EmbeddedChain
from registry.chain.embedded.store import Store
from registry.chain.embedded.writer import BlockBuilder
from tests.integration.embedded_accounts import SEND, Sender, word

path, logger, at, after = sys.argv[1:]
remaining = int(after)

def kill_here(*_):
    global remaining
    remaining -= 1
    if remaining < 0:
        os.kill(os.getpid(), signal.SIGKILL)

def wrapped(owner, name, *, before):
    real = getattr(owner, name)
    def step(*arguments):
        if before:
            kill_here()
        result = real(*arguments)
        if not before:
            kill_here()
        return result
    setattr(owner, name, step)

match at:
    case "before the note": wrapped(Store, "note_intent", before=True)
    case "after the note": wrapped(Store, "note_intent", before=False)
    case "while executing": wrapped(BlockBuilder, "add", before=False)
    case "before the commit": wrapped(Store, "commit_block", before=True)
    case "within the commit": wrapped(Store, "_put", before=False)
    case "after the commit": wrapped(Store, "commit_block", before=False)
    case "never": pass
    case _: raise SystemExit(at)

chain = EmbeddedChain.open(Path(path))
sender = Sender()
sender.resume(chain)
print("ready", flush=True)
number = 0
while True:
    number += 1
    raws = [sender.sign(to=logger, data=word(number)) for _ in range(1 + number % 3)]
    for answer in chain.batch([(SEND, [raw]) for raw in raws]):
        print(answer, flush=True)
"""


@pytest.fixture
def prepared(tmp_path: Path) -> tuple[Path, str]:
    """A chain's file, and a contract on it."""
    sender = Sender()
    path = tmp_path / "chain.db"
    with EmbeddedChain.open(path, create=True, fund=[sender.raw_address]) as chain:
        return path, sender.deploy(chain, LOGGER)


def start(path: Path, logger: str, at: str, after: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), logger, at, str(after)],
        stdout=subprocess.PIPE,
        text=True,
    )


def acknowledged(writer: subprocess.Popen[str]) -> list[str]:
    """What the killed writer had been told is mined; a torn last line does not count."""
    assert writer.stdout is not None
    lines = writer.stdout.read().splitlines(keepends=True)
    writer.stdout.close()
    assert writer.wait(30) == -signal.SIGKILL
    return [line.strip() for line in lines if line.startswith("0x") and line.endswith("\n")]


def assert_nothing_else_is_lost(path: Path, told: list[str]) -> LostBlock | None:
    """Opens the chain twice, goes on with it, and says what the first opening found."""
    with EmbeddedChain.open(path) as chain:
        lost = chain.lost
        blocks = headers(chain)
        assert_linear(blocks)
        mined = {each["hash"] for block in blocks for each in block["transactions"]}
        assert set(told) <= mined
        for each in mined:
            assert chain.request("eth_getTransactionReceipt", [each])["status"] == "0x1"
        if lost is not None:
            assert lost.number == len(blocks)
            assert lost.transactions
            assert not {"0x" + each.hex() for each in lost.transactions} & mined
    with EmbeddedChain.open(path) as again:
        assert again.lost is None
        assert headers(again) == blocks
        sender = Sender()
        sender.resume(again)
        raw = sender.sign(to=sender.address, data=word(1))
        assert again.request(SEND_AND_WAIT, [raw])["blockNumber"] == hex(len(blocks))
    return lost


@pytest.mark.parametrize(
    ("at", "is_lost"),
    [
        ("before the note", False),
        ("after the note", True),
        ("while executing", True),
        ("before the commit", True),
        ("within the commit", True),
        ("after the commit", False),
    ],
)
def test_killed_at_a_step(prepared: tuple[Path, str], at: str, is_lost: bool) -> None:
    path, logger = prepared
    told = acknowledged(start(path, logger, at, after=4))
    assert (assert_nothing_else_is_lost(path, told) is not None) is is_lost


@pytest.mark.parametrize("seed", range(6))
def test_killed_at_any_moment(prepared: tuple[Path, str], seed: int) -> None:
    path, logger = prepared
    writer = start(path, logger, "never", after=0)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "ready\n"
    time.sleep(random.Random(seed).uniform(0.0, 0.4))
    writer.kill()
    assert_nothing_else_is_lost(path, acknowledged(writer))


def test_killed_while_the_store_is_made(tmp_path: Path) -> None:
    program = """
import os, signal, sys
from pathlib import Path
from registry.chain.embedded import EmbeddedChain
from registry.chain.embedded.store import Store
Store._put = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
EmbeddedChain.open(Path(sys.argv[1]), create=True)
"""
    path = tmp_path / "chain.db"
    killed = subprocess.run([sys.executable, "-c", program, str(path)], check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    sender = Sender()
    with EmbeddedChain.open(path, create=True, fund=[sender.raw_address]) as chain:
        assert chain.lost is None
        chain.request(SEND, [sender.sign(to=sender.address)])
        assert chain.request("eth_blockNumber") == "0x1"
