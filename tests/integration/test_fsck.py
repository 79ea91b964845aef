"""`polreg fsck` finds every flipped bit, names its row, and puts right just that row."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from registry.chain.addresses import parse_address
from registry.chain.client import Client
from registry.chain.rpc import Call, HttpTransport, RpcError, Transport
from registry.chain.sender import Sender
from registry.chain.signers import signer_from_hex
from registry.config import Settings
from registry.core.units import BlockNumber, Digest
from registry.core.verdict import ExitCode
from registry.errors import Unavailable
from registry.mirror.engine import (
    SCHEMA_VERSION,
    open_engine,
    open_unchecked,
    sqlite_url,
    writing,
)
from registry.mirror.position import read_position, write_position
from registry.mirror.schema import OPERATIONAL
from registry.services.fsck import Checked, fsck
from registry.services.setup import deploy
from registry.services.sync import sync
from tests.anvil import DEV_KEYS
from tests.integration.audited_registry import fill, mirror_of
from tests.integration.bit_flips import Column, columns, flipped, has_values, open_raw, whole_copy
from tests.integration.command_line import User

LAWS = 25
FLIPS, SHARES = 1000, 4
FLIPS_IN_THE_CORPUS = 25
WITH_CHAIN = 1 / 3
FIRST = BlockNumber(1)


@dataclass
class Mirror:
    """A mirror's file, and the chain that it is of."""

    path: Path
    client: Client | None

    def fsck(self, *, chain: bool = True, repair: bool = False) -> Checked:
        engine = open_unchecked(sqlite_url(self.path))
        try:
            return fsck(engine, self._client if chain else unreachable, FIRST, repair=repair)
        finally:
            engine.dispose()

    def sync(self) -> None:
        engine = open_engine(sqlite_url(self.path))
        sync(self._client(), engine, FIRST)
        engine.dispose()

    def change(self, *statements: str) -> None:
        connection = open_raw(self.path)
        for each in statements:
            assert connection.execute(each).rowcount, each
        connection.close()

    def _client(self) -> Client:
        assert self.client is not None
        return self.client


def unreachable() -> Client:
    raise Unavailable("no answer from the node")


def named(done: Checked) -> list[tuple[str, str]]:
    return [(each.table, each.shown_key) for each in done.findings]


def rows(path: Path) -> dict[str, list[Any]]:
    """All rows of all tables that the log makes, but for how the index is laid out: not when
    it was synced, how that went, and which headers were passed on the way."""
    with sqlite3.connect(path) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        passed = {"search_data", "search_idx", "search_docsize", "search_config", "position"}
        passed |= OPERATIONAL | {"headers"}
        found = {
            name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall(), key=repr)
            for (name,) in names
            if name not in passed
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
    whole_copy(registry.path, tmp_path / "mirror.sqlite")
    return Mirror(tmp_path / "mirror.sqlite", registry.client)


def test_an_undamaged_mirror_is_clean(mirror: Mirror) -> None:
    done = mirror.fsck()
    assert (done.findings, done.exit_code) == ([], ExitCode.VERIFIED)
    counts, there = done.audited.counts, rows(mirror.path)
    assert counts.pop("headers") > 0
    assert counts == {table: len(there[table]) for table in counts}
    assert {row[0] for row in there["tiles"]} == {0, 1}


@pytest.mark.parametrize("share", range(SHARES))
def test_every_flipped_bit_is_found_and_its_row_named(mirror: Mirror, share: int) -> None:
    raw, chance = open_raw(mirror.path), random.Random(share)
    every = columns(raw)
    assert len(every) <= FLIPS / SHARES
    passed_over = [
        flip for flip, found in flips(mirror, raw, every, FLIPS // SHARES, chance) if not found
    ]
    assert passed_over == []
    assert mirror.fsck(chain=False).findings == []


def test_the_same_in_a_mirror_of_the_whole_corpus(corpus: Path, tmp_path: Path) -> None:
    mirror = Mirror(tmp_path / "mirror.sqlite", None)
    mirror_of(corpus, mirror.path)
    raw, chance = open_raw(mirror.path), random.Random(38)
    some = [each for each in columns(raw) if has_values(raw, each)]
    some = chance.sample(some, FLIPS_IN_THE_CORPUS)
    passed_over = [flip for flip, found in flips(mirror, raw, some, len(some), chance) if not found]
    assert passed_over == []


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
    own = {"entries", "manifests", "tiles", "blocks", "headers", "position", "policies", "grants"}
    for column in columns(raw):
        if column.table in own and column.name not in column.key:
            with flipped(raw, column, chance) as flip:
                found = named(mirror.fsck(chain=chance.random() < WITH_CHAIN))
                assert len(found) == 1, (flip, found)
                assert flip.is_named_by(*found[0])


DAMAGE = {
    "entries": ("UPDATE entries SET recorded_at = recorded_at + 1 WHERE entry = 230", "230"),
    "an entry's place": ("UPDATE entries SET block = block + 1 WHERE entry = 230", "230"),
    "an entry's policy": ("UPDATE entries SET policy = 1 WHERE entry = 230", "230"),
    "a missing entry": ("DELETE FROM entries WHERE entry = 230", "230"),
    "a missing act on an authority": ("DELETE FROM entries WHERE entry = 20", "20"),
    "a moved entry": ("UPDATE entries SET entry = 9000 WHERE entry = 230", "230"),
    "an entry without action": ("UPDATE entries SET action = 99 WHERE entry = 230", "230"),
    "an entry of text": ("UPDATE entries SET number = 'text' WHERE entry = 230", "230"),
    "manifests": ("UPDATE manifests SET content = content || ' ' WHERE entry = 230", "230"),
    "a missing manifest": ("DELETE FROM manifests WHERE entry = 230", "230"),
    "tiles": ("UPDATE tiles SET hashes = zeroblob(length(hashes)) WHERE level = 1", "1/0"),
    "a short tile": ("UPDATE tiles SET hashes = substr(hashes, 33) WHERE number = 1", "0/1"),
    "a missing tile": ("DELETE FROM tiles WHERE level = 0 AND number = 0", "0/0"),
    "policies": ("UPDATE policies SET title_en = 'x', status = 5 WHERE id = 230", "230"),
    "a missing policy": ("DELETE FROM policies WHERE id = 230", "230"),
    "blocks": ("UPDATE blocks SET hash = zeroblob(32) WHERE number = {block}", "{block}"),
    "a missing block": ("DELETE FROM blocks WHERE number = {block}", "{block}"),
    "headers": (
        "UPDATE headers SET hash = zeroblob(32) WHERE number = (SELECT max(number) FROM headers)",
        "{head}",
    ),
    "position": ("UPDATE position SET root = zeroblob(32)", "1"),
    "a position of text": ("UPDATE position SET block = 'text'", "1"),
    "a missing position": ("DELETE FROM position", "1"),
    "a second position": ("UPDATE position SET id = 3", "3"),
    "authorities": ("UPDATE authorities SET name_en = NULL WHERE code = 'US'", "US"),
    "a missing grant": ("DELETE FROM grants WHERE appointed = 20", "20"),
    "search": ("UPDATE search_content SET c1 = 'x' WHERE id = 230", "230"),
    "an index without parts": ("DELETE FROM search_data", "search_data"),
    "an index of another format": ("UPDATE search_config SET v = 5", "search_config"),
    "alembic_version": ("UPDATE alembic_version SET version_num = '0099'", "0099"),
    "a missing version": ("DELETE FROM alembic_version", SCHEMA_VERSION),
}


@pytest.mark.parametrize(("damage", "key"), DAMAGE.values(), ids=DAMAGE.keys())
def test_a_bad_row_is_repaired_and_the_mirror_is_the_same_again(
    registry: Mirror, mirror: Mirror, damage: str, key: str
) -> None:
    block, head = rows(mirror.path)["blocks"][-2][0], rows(mirror.path)["position"][0][3]
    mirror.change(damage.format(block=block))
    done = mirror.fsck(repair=True)
    assert key.format(block=block, head=head) in {each for _, each in named(done)}
    assert (done.repaired, done.exit_code) == (True, ExitCode.VERIFIED), done.failure
    assert mirror.fsck().findings == []
    mirror.sync()
    assert rows(mirror.path) == rows(registry.path)


def test_many_bad_rows_at_once_are_repaired_in_one_go(registry: Mirror, mirror: Mirror) -> None:
    mirror.change(
        "UPDATE entries SET sequence = 7 WHERE entry % 40 = 3",
        "DELETE FROM manifests WHERE entry % 30 = 5",
        "UPDATE tiles SET hashes = zeroblob(8192) WHERE number = 0",
        "DELETE FROM policies WHERE id % 20 = 1",
        "DELETE FROM intervals WHERE policy % 20 = 2",
        "UPDATE documents SET version = 9 WHERE entry % 20 = 3",
        "DELETE FROM blocks WHERE number % 50 = 1",
        "DELETE FROM search_idx",
        "UPDATE position SET size = 1",
        "DELETE FROM compromises",
    )
    done = mirror.fsck(repair=True)
    assert done.repaired, done.failure
    mirror.sync()
    assert rows(mirror.path) == rows(registry.path)
    assert mirror.fsck().findings == []


MISSING = (
    "entries", "manifests", "tiles", "policies", "intervals", "documents", "authorities",
    "grants", "compromises", "blocks", "position", "alembic_version",
    "search_content", "search_data", "search_idx", "search_docsize", "search_config",
)  # fmt: skip


@pytest.mark.parametrize("table", MISSING)
def test_a_missing_row_is_named(mirror: Mirror, table: str) -> None:
    raw = open_raw(mirror.path)
    key = next(each.key for each in columns(raw) if each.table == table)
    names = ", ".join(key)
    chosen = f"SELECT {names} FROM {table} ORDER BY {names} DESC LIMIT 1"
    mirror.change(f"DELETE FROM {table} WHERE ({names}) IN ({chosen})")
    named_tables = {each for each, _ in named(mirror.fsck(chain=False))}
    assert ("search" if table.startswith("search") else table) in named_tables


EXTRA = {
    "entries": "INSERT INTO entries SELECT 9000, previous, authority, number, sequence, action, "
    'effective_on, document, manifest, registrar, recorded_at, block, "transaction", policy, '
    "checksum FROM entries WHERE entry = 230",
    "manifests": "INSERT INTO manifests VALUES (9000, x'7b7d')",
    "tiles": "INSERT INTO tiles VALUES (2, 0, zeroblob(32))",
    "policies": "INSERT INTO policies SELECT 9000, zeroblob(32), authority, number_hash, status, "
    "sequence, head, versions, number, title_zh, title_en, type, jurisdiction, issued, "
    "issued_year, endorses, document, snapshot_line FROM policies WHERE id = 230",
    "intervals": "INSERT INTO intervals VALUES (9000, 0, 1, 'in_force', 230, 1)",
    "documents": "INSERT INTO documents VALUES (zeroblob(32), 230, 'document', 230, 1, 0, "
    "NULL, NULL, NULL, NULL)",
    "authorities": "INSERT INTO authorities VALUES ('XX', 1, 1, NULL, NULL)",
    "grants": "INSERT INTO grants VALUES (9000, 'CN', zeroblob(20), 1, NULL)",
    "compromises": "INSERT INTO compromises VALUES (9000, 'CN', zeroblob(20), 1)",
    "blocks": "INSERT INTO blocks VALUES (900000, zeroblob(32), 1, zeroblob(8))",
    "position": "INSERT INTO position SELECT 2, chain_id, contract, first_block, block, "
    "block_hash, block_time, safe_block, finalized_block, size, root, peaks, synced_at, "
    "proven_block, checksum FROM position",
    "headers": "INSERT INTO headers VALUES (900000, zeroblob(32), zeroblob(32), 1, zeroblob(8))",
    "alembic_version": "INSERT INTO alembic_version VALUES ('0004')",
    "search_content": "INSERT INTO search_content VALUES (9000, 'a', 'b', 'c')",
    "search_data": "INSERT INTO search_data VALUES (900000000000000, x'00')",
    "search_idx": "INSERT INTO search_idx VALUES (99, x'00', 2)",
    "search_docsize": "INSERT INTO search_docsize VALUES (9000, x'00')",
    "search_config": "INSERT INTO search_config VALUES ('pgsz', 100)",
    "text for a policy": "INSERT INTO intervals VALUES ('x', 0, 1, 'in_force', 230, 1)",
}


@pytest.mark.parametrize(("table", "statement"), EXTRA.items(), ids=EXTRA.keys())
def test_an_extra_row_is_named_and_taken_away(
    registry: Mirror, mirror: Mirror, table: str, statement: str
) -> None:
    mirror.change(statement)
    done = mirror.fsck(repair=True)
    table = "intervals" if table.startswith("text") else table
    assert ("search" if table.startswith("search") else table) in {each for each, _ in named(done)}
    assert done.repaired, done.failure
    assert rows(mirror.path) == rows(registry.path)


def test_without_the_chain_the_rest_is_checked_and_said(mirror: Mirror) -> None:
    done = mirror.fsck(chain=False)
    assert (done.findings, done.exit_code) == ([], ExitCode.COULD_NOT_CHECK)
    assert "no answer" in str(done.chain_problem)
    mirror.change("UPDATE policies SET status = 5 WHERE id = 230")
    assert mirror.fsck(chain=False).exit_code is ExitCode.NOT_VERIFIED


def test_without_the_chain_what_is_derived_is_repaired_and_the_log_is_left(mirror: Mirror) -> None:
    mirror.change("UPDATE policies SET status = 5 WHERE id = 230", "DELETE FROM tiles")
    done = mirror.fsck(chain=False, repair=True)
    assert (done.repaired, done.exit_code) == (True, ExitCode.COULD_NOT_CHECK)
    mirror.change("UPDATE policies SET status = 5 WHERE id = 230", "DELETE FROM blocks")
    before = rows(mirror.path)
    done = mirror.fsck(chain=False, repair=True)
    assert (done.repaired, done.exit_code) == (False, ExitCode.NOT_VERIFIED)
    assert "from the chain" in str(done.failure)
    assert rows(mirror.path) == before


class Forgetful:
    """A node that refuses some calls, as one that keeps no old state does."""

    def __init__(self, node: Transport, answer: Callable[[str, Sequence[Any]], Any]) -> None:
        self._node, self._answer = node, answer

    def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        found = self._answer(method, params)
        return self._node.request(method, params) if found is None else found

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        return [self.request(method, params) for method, params in calls]

    def close(self) -> None:
        pass


def forgetting(method: str, params: Sequence[Any]) -> Any:
    if method == "eth_call":
        raise RpcError(-32000, "missing trie node")


def another_chain(method: str, params: Sequence[Any]) -> Any:
    return "0x1" if method == "eth_chainId" else None


def behind(method: str, params: Sequence[Any]) -> Any:
    if method == "eth_getBlockByNumber" and params[0] != "latest":
        raise RpcError(-32000, "header not found")


def replaced(method: str, params: Sequence[Any]) -> Any:
    if method != "eth_getBlockByNumber":
        return None
    made_up = "0x" + "ab" * 32
    return {"number": params[0], "hash": made_up, "parentHash": made_up, "timestamp": "0x1"}


@pytest.mark.parametrize("answer", [forgetting, another_chain, behind, replaced])
def test_what_a_node_can_not_say_is_never_held_against_a_row(
    registry: Mirror, mirror: Mirror, answer: Callable[[str, Sequence[Any]], Any]
) -> None:
    node = registry.client.transport  # type: ignore[union-attr]
    mirror.client = Client(Forgetful(node, answer), registry.client.address)  # type: ignore[union-attr]
    done = mirror.fsck()
    assert (done.findings, done.exit_code) == ([], ExitCode.COULD_NOT_CHECK)


def test_rows_that_all_agree_on_another_log_are_found_by_the_chain(mirror: Mirror) -> None:
    """A forger who makes every checksum right can not make the contract's root."""
    engine = open_unchecked(sqlite_url(mirror.path))
    with writing(engine) as connection:
        position = read_position(connection)
        assert position is not None
        write_position(connection, replace(position, root=Digest(bytes(32))))
    engine.dispose()
    assert ("position", "1") in named(mirror.fsck(chain=False))
    assert named(mirror.fsck()) == [("position", "1")]
    mirror.change("UPDATE blocks SET hash = zeroblob(32)")
    assert mirror.fsck(repair=True).repaired


def test_pages_that_can_not_be_read_are_no_row_s_fault(mirror: Mirror) -> None:
    content = bytearray(mirror.path.read_bytes())
    content[5 * 4096 : 20 * 4096] = bytes(15 * 4096)
    mirror.path.write_bytes(content)
    done = mirror.fsck(repair=True)
    assert done.exit_code is ExitCode.NOT_VERIFIED
    assert "database" in {each.table for each in done.findings}
    assert done.failure is not None
    assert "delete it and run polreg sync" in str(done.failure.hint)


def test_the_command_names_rows_counts_and_the_root(user: User, tmp_path: Path) -> None:
    document = tmp_path / "a.md"
    document.write_text("第一条", "utf-8")
    user.done("publish", document, "--authority", "CN.GD", "--number", "1", "--title-zh", "一")
    clean = user.done("fsck")
    assert "no row is bad" in clean.out
    assert "of the contract at block" in clean.out
    (path,) = user.home.glob("mirror-*.sqlite")
    mirror = Mirror(path, None)
    before = rows(path)
    for damage in (
        "UPDATE entries SET document = zeroblob(32) WHERE document IS NOT NULL",
        "DELETE FROM manifests",
        "UPDATE tiles SET hashes = zeroblob(length(hashes))",
        "DELETE FROM policies",
        "UPDATE blocks SET size = 77",
        "UPDATE position SET size = 77",
        "UPDATE alembic_version SET version_num = CAST(x'ff' AS TEXT)",
    ):
        mirror.change(damage)
        bad = user("fsck")
        table = damage.split()[2 if damage.startswith("DELETE") else 1]
        assert bad.code == 1
        assert f"\n{table} " in f"\n{bad.out}"
        assert "fsck --repair" in bad.out
        told = user("fsck", "--repair", "--json").json
        assert told["repaired"] is True
        assert table in {each["table"] for each in told["findings"]}
        user.done("sync")
        assert rows(path) == before
    mirror.change("DELETE FROM alembic_version")
    assert "fsck --repair" in user("status").err
    user.done("fsck", "--repair")
    user.done("status")


def test_there_may_be_no_mirror_yet(user: User) -> None:
    for each in user.home.glob("mirror-*"):
        each.unlink()
    outcome = user("fsck")
    assert outcome.code == 3
    assert "run polreg sync" in outcome.err
