"""What is wrong with a store is said, and costs no block that was written."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from registry.chain.embedded import EmbeddedChain
from registry.errors import Inconsistent, InputError, LocalFailure
from tests.integration.embedded_accounts import LOGGER, SEND, Sender, headers, word
from tests.integration.embedded_processes import other, send_until_files_may_not_grow


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A chain of five blocks, closed."""
    sender = Sender()
    path = tmp_path / "chain.db"
    with EmbeddedChain.open(path, create=True, fund=[sender.raw_address]) as chain:
        logger = sender.deploy(chain, LOGGER)
        for number in range(4):
            chain.request(SEND, [sender.sign(to=logger, data=word(number))])
    return path


def change(path: Path, statement: str, *values: Any) -> None:
    connection = sqlite3.connect(path)
    with connection:
        assert connection.execute(statement, values).rowcount != 0
    connection.close()


def test_no_file_is_made_unless_asked_for(tmp_path: Path) -> None:
    with pytest.raises(LocalFailure, match="there is no chain at"):
        EmbeddedChain.open(tmp_path / "chain.db")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    with EmbeddedChain.open(tmp_path / "a" / "b" / "chain.db", create=True) as chain:
        assert chain.request("eth_blockNumber") == "0x0"


def test_a_directory_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(LocalFailure, match="is a directory"):
        EmbeddedChain.open(tmp_path, create=True)


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LocalFailure, match="cannot make the folder"):
        EmbeddedChain.open(tmp_path / "file" / "chain.db", create=True)


def test_another_kind_of_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "chain.db"
    path.write_bytes(b"Minutes of the meeting\n" * 100)
    with pytest.raises(LocalFailure, match="not a chain's store"):
        EmbeddedChain.open(path, create=True)
    assert path.read_bytes() == b"Minutes of the meeting\n" * 100


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "chain.db"
    change(path, "CREATE TABLE mine (x)")
    with pytest.raises(LocalFailure, match="not a chain's store"):
        EmbeddedChain.open(path, create=True)


def test_a_newer_format_is_not_read(path: Path) -> None:
    change(path, "PRAGMA user_version = 2")
    with pytest.raises(LocalFailure, match="has format 2; this version reads format 1"):
        EmbeddedChain.open(path)


def test_an_address_to_fund_has_20_bytes(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        EmbeddedChain.open(tmp_path / "chain.db", create=True, fund=[b"short"])


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_store_without_access(path: Path) -> None:
    path.chmod(0)
    with pytest.raises(LocalFailure):
        EmbeddedChain.open(path)


def test_a_changed_value_is_noticed(path: Path) -> None:
    change(
        path,
        "UPDATE node SET value = zeroblob(length(value)) WHERE length(key) = 32"
        " AND length(value) > 500",
    )
    with pytest.raises(Inconsistent, match="holds other bytes"):
        EmbeddedChain.open(path)


def test_a_header_with_another_bloom_hides_no_log(path: Path) -> None:
    connection = sqlite3.connect(path)
    (place,) = connection.execute(
        "SELECT value FROM node WHERE key = CAST('block-number-to-hash:3' AS BLOB)"
    ).fetchone()
    (header,) = connection.execute("SELECT value FROM node WHERE key = ?", (place[1:],)).fetchone()
    connection.close()
    emptied = header[:192] + bytes(256) + header[448:]
    change(path, "UPDATE node SET value = ? WHERE key = ?", emptied, place[1:])
    with EmbeddedChain.open(path) as chain, pytest.raises(Inconsistent, match="other bytes"):
        chain.request("eth_getLogs", [{"fromBlock": "0x0", "topics": ["0x" + word(1).hex()]}])


@pytest.mark.parametrize("method", ["eth_getLogs", "eth_getBlockByNumber"])
def test_a_missing_block_is_not_an_empty_answer(path: Path, method: str) -> None:
    change(path, "DELETE FROM node WHERE key = CAST('block-number-to-hash:3' AS BLOB)")
    given = [{"fromBlock": "0x0"}] if method == "eth_getLogs" else ["0x3", False]
    with EmbeddedChain.open(path) as chain, pytest.raises(Inconsistent):
        chain.request(method, given)


def test_missing_state_is_not_an_empty_account(path: Path) -> None:
    with EmbeddedChain.open(path) as chain:
        root = chain.request("eth_getBlockByNumber", ["latest", False])["stateRoot"]
    change(path, "DELETE FROM node WHERE key = ?", bytes.fromhex(root[2:]))
    sender = Sender()
    with EmbeddedChain.open(path) as chain:
        asked: list[tuple[str, list[Any]]] = [
            ("eth_getBalance", [sender.address]),
            ("eth_call", [{"to": sender.address}]),
            (SEND, [sender.sign(to=sender.address)]),
        ]
        for method, given in asked:
            with pytest.raises(Inconsistent):
                chain.request(method, given)


def test_a_torn_file_is_called_damaged(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 8192 * 4096] + b"\xff" * 4096)

    def read_all() -> None:
        with EmbeddedChain.open(path) as chain:
            headers(chain)
            chain.request("eth_getLogs", [{"fromBlock": "0x0"}])

    with pytest.raises((LocalFailure, Inconsistent)) as caught:
        read_all()
    assert caught.value.hint


def test_a_full_disk_loses_nothing(path: Path) -> None:
    sender = Sender()
    with EmbeddedChain.open(path) as chain:
        before = headers(chain)
        sender.resume(chain)
        raws = [sender.sign(data=b"\0" + b"\xaa" * 20_000, gas=2_000_000) for _ in range(3)]
        pages = chain._store._connection.execute("PRAGMA page_count").fetchone()[0]
        chain._store._connection.execute(f"PRAGMA max_page_count = {pages + 1}")
        with pytest.raises(LocalFailure, match=r"write block 6 in .*: the disk is full"):
            chain.batch([(SEND, [raw]) for raw in raws])
        assert headers(chain) == before
        chain._store._connection.execute(f"PRAGMA max_page_count = {pages + 1000}")
        assert all(isinstance(each, str) for each in chain.batch([(SEND, [raw]) for raw in raws]))
        assert chain.lost is None
        assert headers(chain)[:-1] == before


def test_a_write_that_the_system_refuses_loses_nothing(path: Path) -> None:
    """In a process whose files may not grow: every write past the limit fails (EFBIG)."""
    with other(send_until_files_may_not_grow, path, 200_000) as writer:
        *sent, (message, hint), head = writer.rest()
    assert "could not" in message
    assert "every earlier block is kept" in hint
    assert int(head, 16) == 5 + len(sent)
    with EmbeddedChain.open(path) as chain:
        blocks = headers(chain)
        assert [block["transactions"][0]["hash"] for block in blocks[6:]] == sent


def test_a_closed_chain_says_so(path: Path) -> None:
    chain = EmbeddedChain.open(path)
    chain.close()
    chain.close()
    with pytest.raises(LocalFailure, match="closed"):
        chain.request("eth_blockNumber")
