"""A kill at any moment costs at most the block being written, and is told."""

from __future__ import annotations

import random
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
from tests.integration.embedded_processes import (
    READY,
    die_making_a_chain,
    other,
    send_without_end,
)


@pytest.fixture
def prepared(tmp_path: Path) -> tuple[Path, str]:
    """A chain's file, and a contract on it."""
    sender = Sender()
    path = tmp_path / "chain.db"
    with EmbeddedChain.open(path, create=True, fund=[sender.raw_address]) as chain:
        return path, sender.deploy(chain, LOGGER)


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
    with other(send_without_end, path, logger, at, 4) as writer:
        assert writer.hear() == READY
        told = writer.rest()
        assert writer.was_killed
    assert (assert_nothing_else_is_lost(path, told) is not None) is is_lost


@pytest.mark.parametrize("seed", range(8))
def test_killed_at_any_moment(prepared: tuple[Path, str], seed: int) -> None:
    path, logger = prepared
    with other(send_without_end, path, logger, "never", 0) as writer:
        assert writer.hear() == READY
        time.sleep(random.Random(seed).uniform(0.0, 0.25))
        writer.kill()
        told = writer.rest()
        assert writer.was_killed
    assert_nothing_else_is_lost(path, told)


def test_killed_while_the_store_is_made(tmp_path: Path) -> None:
    path, sender = tmp_path / "chain.db", Sender()
    with other(die_making_a_chain, path) as maker:
        assert maker.rest() == []
        assert maker.was_killed
    with EmbeddedChain.open(path, create=True, fund=[sender.raw_address]) as chain:
        assert chain.lost is None
        chain.request(SEND, [sender.sign(to=sender.address)])
        assert chain.request("eth_blockNumber") == "0x1"
