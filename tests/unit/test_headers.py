"""The window of headers that the mirror keeps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.core.digest import sha256
from registry.core.feed import Block
from registry.core.units import BlockNumber, UnixSeconds
from registry.mirror.engine import Connection, open_engine, sqlite_url, writing
from registry.mirror.headers import (
    forget_headers,
    settle_headers,
    stored_headers,
    write_headers,
)


def chain(first: int, last: int, fork: bytes = b"") -> list[Block]:
    """Linked blocks with these numbers; another `fork` has other hashes."""
    return [
        Block(BlockNumber(at), _hash(at, fork), _hash(at - 1, fork), UnixSeconds(12 * at))
        for at in range(first, last + 1)
    ]


def _hash(number: int, fork: bytes) -> bytes:
    return sha256(b"%d" % number + fork)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    engine = open_engine(sqlite_url(tmp_path / "mirror.sqlite"))
    with writing(engine) as connection:
        yield connection
    engine.dispose()


def test_the_window_is_read_from_the_newest(connection: Connection) -> None:
    assert stored_headers(connection) == []
    write_headers(connection, chain(5, 9))
    write_headers(connection, chain(10, 10))
    write_headers(connection, [])
    assert stored_headers(connection) == chain(5, 10)[::-1]


def test_a_header_of_the_same_number_takes_the_place(connection: Connection) -> None:
    write_headers(connection, chain(5, 9))
    write_headers(connection, chain(8, 12, b"fork"))
    assert stored_headers(connection) == [*chain(5, 7), *chain(8, 12, b"fork")][::-1]


def test_what_was_replaced_and_what_is_settled_are_dropped(connection: Connection) -> None:
    write_headers(connection, chain(5, 12))
    forget_headers(connection, BlockNumber(10))
    settle_headers(connection, BlockNumber(7))
    assert stored_headers(connection) == chain(7, 10)[::-1]
