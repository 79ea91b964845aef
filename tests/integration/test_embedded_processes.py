"""Several processes and threads on one chain: one writer at a time, all see all blocks."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from registry.chain.embedded import EmbeddedChain
from registry.chain.embedded.lock import WriterLock
from registry.errors import LocalFailure
from tests.integration.embedded_accounts import LOGGER, SEND, Sender, assert_linear, headers, word
from tests.integration.embedded_processes import (
    READY,
    hold_the_lock,
    make_a_chain,
    other,
    send_some,
)


def test_two_processes_send_at_once_and_every_transaction_is_mined(tmp_path: Path) -> None:
    path, count = tmp_path / "chain.db", 25
    rich = [Sender(number).raw_address for number in (1, 2, 3)]
    with EmbeddedChain.open(path, create=True, fund=rich) as reader:
        logger = Sender(3).deploy(reader, LOGGER)
        with (
            other(send_some, path, logger, 1, count) as first,
            other(send_some, path, logger, 2, count) as second,
        ):
            assert (first.hear(), second.hear()) == (READY, READY)
            first.go()
            second.go()
            told = [first.rest(), second.rest()]
        assert [len(each) for each in told] == [count, count]

        # `reader` was open all the time and sees what the others wrote.
        blocks = headers(reader)
        assert_linear(blocks)
        assert len(blocks) == 2 + 2 * count
        mined = [each["hash"] for block in blocks[2:] for each in block["transactions"]]
        assert sorted(mined) == sorted([*told[0], *told[1]])
        assert [each for each in mined if each in set(told[0])] == told[0]
        assert len(reader.request("eth_getLogs", [{"fromBlock": "0x0"}])) == 2 * count
        assert reader.lost is None


def test_threads_share_one_chain(tmp_path: Path) -> None:
    senders = [Sender(number) for number in range(1, 5)]
    rich = [sender.raw_address for sender in senders]
    with EmbeddedChain.open(tmp_path / "chain.db", create=True, fund=rich) as chain:
        logger = senders[0].deploy(chain, LOGGER)
        faults: list[BaseException] = []

        def send(sender: Sender) -> None:
            try:
                for number in range(8):
                    chain.request(SEND, [sender.sign(to=logger, data=word(number))])
                    chain.request("eth_getLogs", [{"fromBlock": "0x0"}])
            except BaseException as fault:
                faults.append(fault)

        threads = [threading.Thread(target=send, args=(sender,)) for sender in senders]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert faults == []
        assert len(chain.request("eth_getLogs", [{"fromBlock": "0x0"}])) == 32
        assert_linear(headers(chain))


def test_a_lock_that_is_not_given_up_names_its_holder(tmp_path: Path) -> None:
    path, sender = tmp_path / "chain.db", Sender()
    with EmbeddedChain.open(
        path, create=True, fund=[sender.raw_address], lock_timeout_seconds=0.2
    ) as chain:
        raw = sender.sign(to=sender.address)
        with other(hold_the_lock, path.with_name("chain.db.lock")) as holder:
            assert holder.hear() == READY
            with pytest.raises(LocalFailure) as caught:
                chain.request(SEND, [raw])
            assert f"process {holder.process.pid} (holder)" in str(caught.value)
            assert chain.request("eth_blockNumber") == "0x0"  # reading needs no lock
            holder.go()
            holder.rest()
            assert chain.request(SEND, [raw])
        assert chain.request("eth_blockNumber") == "0x1"


def test_a_killed_holder_is_in_nobodys_way(tmp_path: Path) -> None:
    lock = tmp_path / "chain.db.lock"
    with other(hold_the_lock, lock) as holder:
        assert holder.hear() == READY
        holder.kill()
        holder.rest()
    begun = time.monotonic()
    with WriterLock(lock, timeout_seconds=5).held():
        assert time.monotonic() - begun < 1
        assert lock.read_text().startswith(f"{os.getpid()} ")


def test_a_block_in_the_making_elsewhere_is_not_called_lost(tmp_path: Path) -> None:
    path = tmp_path / "chain.db"
    with EmbeddedChain.open(path, create=True) as first:
        with first._writer_lock.held():
            first._store.note_intent(1, [bytes(32)])
            with EmbeddedChain.open(path) as second:
                assert second.lost is None
            assert first._store.intent() is not None
        with EmbeddedChain.open(path) as third:
            assert third.lost is not None
            assert (third.lost.number, third.lost.transactions) == (1, (bytes(32),))
        assert first._store.intent() is None


def test_whoever_makes_the_chain_second_finds_the_first_ones(tmp_path: Path) -> None:
    path = tmp_path / "chain.db"
    with (
        other(make_a_chain, path, bytes([1] * 20)) as first,
        other(make_a_chain, path, bytes([2] * 20)) as second,
    ):
        assert first.rest() == second.rest() != []
