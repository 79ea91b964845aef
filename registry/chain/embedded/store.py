"""The embedded chain's bytes on disk: one SQLite file, one commit a block.

Guarantees: a block is on disk whole or not at all (WAL, synchronous=FULL); a value
filed under its own keccak hash is checked against it when it is read back; the
intent to write a block is on disk before the block is executed and leaves in the
same commit that brings the block, so a kill between the two is told on the next
open. Every fault of the file or the disk is a `LocalFailure` with a hint.

Does not know what a block is, takes no lock between processes (see `lock`), and is
not safe for two threads at once (`EmbeddedChain` is).
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from registry.errors import Inconsistent, LocalFailure

FORMAT = 1
_APPLICATION_ID = 0x504F4C52  # "POLR"
_CACHED_VALUES = 20_000

_SCHEMA = """
CREATE TABLE node (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE intent (
    number INTEGER PRIMARY KEY,
    transactions BLOB NOT NULL
);
"""

# One statement for a range of blocks: a look-up by number, then one by hash. The
# first key is py-evm's (SchemaV1), its value the RLP of 32 bytes: 0xa0 ‖ hash.
_HEADERS = """
WITH RECURSIVE span(number) AS (
    SELECT ?1 UNION ALL SELECT number + 1 FROM span WHERE number < ?2
)
SELECT span.number, header.key, header.value
FROM span
CROSS JOIN node AS place ON place.key = CAST('block-number-to-hash:' || span.number AS BLOB)
CROSS JOIN node AS header ON header.key = substr(place.value, 2)
"""


@dataclass(frozen=True, slots=True)
class LostBlock:
    """A block that was being written when its process died. Nothing of it is kept.

    `transactions` are the hashes that were to go into it; none of them is mined, and
    each may be sent again as it was.
    """

    number: int
    transactions: tuple[bytes, ...]


class Store:
    """Keys and values of a chain. Get one from `create` or `open`."""

    def __init__(
        self, path: Path, connection: sqlite3.Connection, keccak: Callable[[bytes], bytes]
    ) -> None:
        self._path = path
        self._connection = connection
        self._keccak = keccak
        self._cache: dict[bytes, bytes] = {}

    @classmethod
    def open(cls, path: Path, keccak: Callable[[bytes], bytes]) -> Store | None:
        """The store at `path`, or None where there is none yet (no file, or one that a
        kill during `create` left without content)."""
        try:
            is_directory, exists = path.is_dir(), path.exists()
        except OSError as fault:
            raise LocalFailure(f"cannot look at {path}: {fault.strerror}") from fault
        if is_directory:
            raise LocalFailure(
                f"{path} is a directory; the chain's store is a file",
                hint="name a file, or let POLREG_HOME choose",
            )
        if not exists:
            return None
        store = cls(path, _connect(path), keccak)
        try:
            return store if store._has_content() else None
        finally:
            if not store._is_usable:
                store.close()

    @classmethod
    def create(
        cls, path: Path, keccak: Callable[[bytes], bytes], genesis: Mapping[bytes, bytes | None]
    ) -> Store:
        """A new store that holds `genesis`, in one commit; needs the lock."""
        store = cls(path, _connect(path), keccak)
        with store._explained("create the chain's store"):
            store._connection.execute("PRAGMA journal_mode = WAL")
            with store._transaction():
                for statement in _SCHEMA.split(";"):
                    store._connection.execute(statement)
                store._connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
                store._connection.execute(f"PRAGMA user_version = {FORMAT}")
                store._put(genesis)
        store._is_usable = True
        return store

    _is_usable = False

    def _has_content(self) -> bool:
        with self._explained("open the chain's store"):
            application = self._pragma("application_id")
            tables = self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if application == 0 and tables == 0:
                return False
            if application != _APPLICATION_ID:
                raise LocalFailure(
                    f"{self._path} is a database, but not a chain's store",
                    hint="move it away, or name another file",
                )
            version = self._pragma("user_version")
            if version != FORMAT:
                raise LocalFailure(
                    f"{self._path} has format {version}; this version reads format {FORMAT}",
                    hint="it was written by a newer version: upgrade, or use another home folder",
                )
            self._is_usable = True
            return True

    def _pragma(self, name: str) -> int:
        return int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])

    def get(self, key: bytes) -> bytes | None:
        """The value under `key`. Values under a 32-byte key never change (they are their
        own hash), so those are kept in memory; all others are read afresh, which is how
        another process's block is seen."""
        if len(key) == 32 and (held := self._cache.get(key)) is not None:
            return held
        with self._explained("read from the chain's store"):
            row = self._connection.execute(
                "SELECT value FROM node WHERE key = ?", (key,)
            ).fetchone()
        if row is None:
            return None
        value: bytes = row[0]
        if len(key) == 32:
            self.check(key, value)
            self._keep(key, value)
        return value

    def check(self, key: bytes, value: bytes) -> None:
        """Raise Inconsistent unless `key` is the keccak hash of `value`."""
        if self._keccak(value) != key:
            raise Inconsistent(
                f"{self._path} holds other bytes under 0x{key.hex()} than were put there",
                hint="the file is damaged: restore a copy, or begin with a new home folder",
            )

    def headers(self, first: int, last: int) -> Iterator[tuple[int, bytes, bytes]]:
        """(number, hash, header RLP) of the blocks `first` to `last`, both included.
        Headers are not checked against their hash: see `check`."""
        with self._explained("read from the chain's store"):
            yield from self._connection.execute(_HEADERS, (first, last))

    def note_intent(self, number: int, transactions: Sequence[bytes]) -> None:
        """Put on disk that block `number` is about to be made of `transactions`.

        A crash after this and before `commit_block` loses that block and no other; the
        next process finds the note.
        """
        with self._explained(f"begin block {number}"), self._transaction():
            self._connection.execute(
                "INSERT OR REPLACE INTO intent VALUES (?, ?)", (number, b"".join(transactions))
            )

    def intent(self) -> LostBlock | None:
        """The block that somebody is writing, or was writing when they died."""
        with self._explained("read from the chain's store"):
            row = self._connection.execute(
                "SELECT number, transactions FROM intent ORDER BY number"
            ).fetchone()
        if row is None:
            return None
        number, hashes = row
        starts = range(0, len(hashes), 32)
        return LostBlock(number, tuple(hashes[start : start + 32] for start in starts))

    def clear_intent(self) -> None:
        with self._explained("clear the note of a lost block"), self._transaction():
            self._connection.execute("DELETE FROM intent")

    def commit_block(self, number: int, writes: Mapping[bytes, bytes | None]) -> None:
        """Put block `number` on disk and take its intent away, in one commit.

        A crash before the commit leaves the chain as it was; after it, the block is kept.
        """
        with self._explained(f"write block {number}"), self._transaction():
            self._put(writes)
            self._connection.execute("DELETE FROM intent")
        for key, value in writes.items():
            if len(key) == 32 and value is not None:
                self._keep(key, value)

    def close(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()

    def _put(self, writes: Mapping[bytes, bytes | None]) -> None:
        self._connection.executemany(
            "INSERT INTO node VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            sorted((key, value) for key, value in writes.items() if value is not None),
        )
        self._connection.executemany(
            "DELETE FROM node WHERE key = ?",
            [(key,) for key, value in writes.items() if value is None],
        )

    def _keep(self, key: bytes, value: bytes) -> None:
        if len(self._cache) >= _CACHED_VALUES:
            self._cache.clear()
        self._cache[key] = value

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            # SQLite has rolled back by itself after a full disk or an I/O error.
            if self._connection.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
            raise

    @contextlib.contextmanager
    def _explained(self, act: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as fault:
            raise _explain(fault, act, self._path) from fault


def _connect(path: Path) -> sqlite3.Connection:
    try:
        # autocommit: every transaction here is spelled out
        connection = sqlite3.connect(
            path, timeout=30.0, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA synchronous = FULL")
    except sqlite3.Error as fault:
        raise _explain(fault, "open the chain's store", path) from fault
    return connection


def _explain(fault: sqlite3.Error, act: str, path: Path) -> LocalFailure:
    """What went wrong, what it means for the chain, what to do."""
    match getattr(fault, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_FULL:
            why, hint = "the disk is full", "make room; every earlier block is kept"
        case sqlite3.SQLITE_IOERR:
            why, hint = f"the disk failed ({fault})", "every earlier block is kept"
        case sqlite3.SQLITE_NOTADB:
            why, hint = "the file is not a chain's store", "move it away, or name another file"
        case sqlite3.SQLITE_CORRUPT:
            why = "the file is damaged"
            hint = "restore a copy, or begin with a new home folder"
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            why = str(fault)
            hint = "may this user write the file and its folder?"
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            why, hint = "another program holds the file", "close it and try again"
        case _:
            why, hint = str(fault), "see the message of SQLite"
    return LocalFailure(f"could not {act} in {path}: {why}", hint=hint)
