"""`polreg fsck` finds every flipped bit, names its row, and puts right just that row."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from registry.chain.addresses import parse_address
from registry.chain.client import Client
from registry.chain.rpc import Call, HttpTransport, RpcError, Transport
from registry.chain.sender import Sender
from registry.chain.signers import signer_from_hex
from registry.config import Settings
from registry.core.units import BlockNumber
from registry.core.verdict import ExitCode
from registry.errors import Unavailable
from registry.mirror.engine import open_engine, open_unchecked, sqlite_url
from registry.services.fsck import Checked, fsck
from registry.services.setup import deploy
from registry.services.sync import sync
from tests.anvil import DEV_KEYS
from tests.integration.audited_registry import fill
from tests.integration.bit_flips import Column, columns, flipped, open_raw
from tests.integration.command_line import User

LAWS = 75
FLIPS = 1000
FLIPS_IN_THE_CORPUS = 25
FIRST = BlockNumber(1)


@dataclass
class Mirror:
    """A mirror's file, and the chain that it is of."""

    path: Path
    client: Client

    def fsck(self, *, chain: bool = True, repair: bool = False) -> Checked:
        engine = open_unchecked(sqlite_url(self.path))
        try:
            return fsck(engine, self._client if chain else unreachable, FIRST, repair=repair)
        finally:
            engine.dispose()

    def sync(self) -> None:
        engine = open_engine(sqlite_url(self.path))
        sync(self.client, engine, FIRST)
        engine.dispose()

    def change(self, *statements: str) -> None:
        connection = open_raw(self.path)
        for each in statements:
            assert connection.execute(each).rowcount, each
        connection.close()

    def _client(self) -> Client:
        return self.client


def unreachable() -> Client:
    raise Unavailable("no answer from the node")


def named(done: Checked) -> list[tuple[str, str]]:
    return [(each.table, each.shown_key) for each in done.findings]


def rows(path: Path) -> dict[str, list[Any]]:
    """All rows of all tables, but for when it was synced and how the index is laid out."""
    with sqlite3.connect(path) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        laid_out = {"search_data", "search_idx", "search_docsize", "search_config", "position"}
        found = {
            name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall(), key=repr)
            for (name,) in names
            if name not in laid_out
        }
        found["position"] = connection.execute(
            "SELECT chain_id, contract, first_block, block, block_hash, size, root, peaks "
            "FROM position"
        ).fetchall()
    connection.close()
    return found


@pytest.fixture(scope="module")
def registry(anvil: str, corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Mirror:
    """A mirror in which every column has values; nothing may change it."""
    home = tmp_path_factory.mktemp("audited")
    transport, signer = HttpTransport(anvil), signer_from_hex(DEV_KEYS[0])
    noted = deploy(transport, signer, Settings(home=home, rpc_url=anvil))
    client = Client(transport, parse_address(noted.contract))
    mirror = Mirror(home / "mirror.sqlite", client)
    fill(corpus, client, Sender(transport, signer), LAWS)
    mirror.sync()
    return mirror


@pytest.fixture
def mirror(registry: Mirror, tmp_path: Path) -> Mirror:
    """A copy to damage."""
    shutil.copy(registry.path, tmp_path / "mirror.sqlite")
    return Mirror(tmp_path / "mirror.sqlite", registry.client)


def test_an_undamaged_mirror_is_clean(mirror: Mirror) -> None:
    done = mirror.fsck()
    assert (done.findings, done.exit_code) == ([], ExitCode.VERIFIED)
    assert done.audited.counts["entries"] == len(rows(mirror.path)["entries"])
    assert all(done.audited.counts.values())


def test_every_flipped_bit_is_found_and_its_row_named(mirror: Mirror) -> None:
    raw, chance = open_raw(mirror.path), random.Random(36)
    every = columns(raw)
    assert len(every) <= FLIPS / 10
    passed_over = [
        (flip, found) for flip, found in flips(mirror, raw, every, FLIPS, chance) if not found
    ]
    assert passed_over == []
    assert mirror.fsck(chain=False).findings == []


def flips(
    mirror: Mirror, raw: sqlite3.Connection, every: list[Column], count: int, chance: random.Random
) -> Iterator[tuple[object, bool]]:
    """Each flip, and whether the row was named. Every column has its turn."""
    engine = open_unchecked(sqlite_url(mirror.path))
    for number in range(count):
        with flipped(raw, every[number % len(every)], chance) as flip:
            # A connection of its own each time: nothing read before is remembered.
            engine.dispose()
            done = fsck(engine, unreachable, FIRST)
            yield flip, any(flip.is_named_by(*each) for each in named(done))
    engine.dispose()


def test_a_sound_row_is_not_named_beside_a_damaged_one(mirror: Mirror) -> None:
    """One flip in each column of the log's own tables names one row, with the chain or not."""
    raw, chance = open_raw(mirror.path), random.Random(37)
    own = {"entries", "manifests", "tiles", "blocks", "position", "policies", "grants"}
    for column in columns(raw):
        if column.table in own and column.name not in column.key:
            with flipped(raw, column, chance) as flip:
                for chain in (False, True):
                    found = named(mirror.fsck(chain=chain))
                    assert len(found) == 1, (flip, found)
                    assert flip.is_named_by(*found[0])
