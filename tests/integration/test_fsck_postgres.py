"""`polreg fsck` on PostgreSQL: the same audit, of the same rows, put right in the same way."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from registry.chain.addresses import parse_address
from registry.chain.client import Client
from registry.chain.rpc import HttpTransport
from registry.chain.sender import Sender
from registry.chain.signers import signer_from_hex
from registry.config import Settings
from registry.core.units import BlockNumber
from registry.core.verdict import ExitCode
from registry.errors import CouldNotCheck, Unavailable
from registry.mirror.engine import Engine, open_engine, open_unchecked
from registry.services.fsck import Checked, fsck
from registry.services.setup import deploy
from registry.services.sync import sync
from tests.anvil import DEV_KEYS
from tests.databases import content
from tests.integration.audited_registry import fill
from tests.integration.postgres_flips import Raw
from tests.postgres import Server

LAWS = 6
FIRST = BlockNumber(1)
AUDITED = "audited"


@pytest.fixture(scope="module")
def client(
    anvil: str, corpus: Path, postgres: Server, tmp_path_factory: pytest.TempPathFactory
) -> Client:
    """The contract of a mirror in which every column has values: the database `audited`."""
    home = tmp_path_factory.mktemp("audited")
    transport, signer = HttpTransport(anvil), signer_from_hex(DEV_KEYS[0])
    noted = deploy(transport, signer, Settings(home=home, rpc_url=anvil))
    client = Client(transport, parse_address(noted.contract))
    fill(corpus, client, Sender(transport, signer), LAWS)
    postgres.sql(f"CREATE DATABASE {AUDITED} TEMPLATE template0")
    engine = open_engine(postgres.url(AUDITED))
    sync(client, engine, FIRST)
    engine.dispose()
    return client


@pytest.fixture
def mirror(client: Client, postgres: Server) -> Iterator[Engine]:
    """A copy to damage."""
    engine = open_unchecked(postgres.copy_of(AUDITED))
    yield engine
    engine.dispose()


@pytest.fixture
def raw(mirror: Engine, postgres: Server) -> Iterator[Raw]:
    raw = Raw(postgres, str(mirror.url.database))
    yield raw
    raw.connection.close()


def unreachable() -> Client:
    raise Unavailable("no answer from the node")


def named(done: Checked) -> list[tuple[str, str]]:
    return [(each.table, each.shown_key) for each in done.findings]


@contextmanager
def as_before(mirror: Engine, client: Client) -> Iterator[None]:
    """After the repair and a sync every row is as it was. Headers may be fewer."""
    before = content(mirror)
    yield
    sync(client, mirror, FIRST)
    after = content(mirror)
    for each in (before, after):
        del each["headers"], each["position"]
    assert after == before


def test_an_undamaged_mirror_is_clean(mirror: Engine, client: Client) -> None:
    done = fsck(mirror, lambda: client, FIRST)
    assert (done.findings, done.exit_code) == ([], ExitCode.VERIFIED)
    there = content(mirror)
    assert done.audited.counts == {name: len(there[name]) for name in done.audited.counts}
    assert set(done.audited.counts) == set(there)


def test_a_flipped_bit_in_any_column_is_found_and_its_row_named(mirror: Engine, raw: Raw) -> None:
    chance = random.Random(15)
    passed_over = []
    for column in raw.columns():
        with raw.flipped(column, chance) as flip:
            done = fsck(mirror, unreachable, FIRST)
            if not any(flip.is_named_by(*each) for each in named(done)):
                passed_over.append(flip)
    assert passed_over == []
    assert fsck(mirror, unreachable, FIRST).findings == []


DAMAGE = {
    "an entry": "UPDATE entries SET recorded_at = recorded_at + 1 WHERE entry = 225",
    "a missing entry": "DELETE FROM entries WHERE entry = 225",
    "a moved entry": "UPDATE entries SET entry = 9000 WHERE entry = 225",
    "a missing manifest": "DELETE FROM manifests WHERE entry = 225",
    "tiles": "UPDATE tiles SET hashes = '' WHERE level = 0",
    "policies": "UPDATE policies SET title_en = 'x', status = 5 WHERE id = 225",
    "a missing policy": "DELETE FROM policies WHERE id = 225",
    "a moved policy": "UPDATE policies SET id = 9000 WHERE id = 225",
    "intervals": "UPDATE intervals SET standing = 'repealed' WHERE policy = 225",
    "text that is none": "UPDATE authorities SET code = '\\xff'::bytea::text WHERE code = 'US'",
    "what is searched": "UPDATE search SET title_en = 'x' WHERE rowid = 225",
    "how it is found": "UPDATE search SET grams = '{}' WHERE rowid = 225",
    "a text of no policy": "INSERT INTO search VALUES (9000, 'a', 'b', 'c', '{}')",
    "a header": "UPDATE headers SET time = 0",
    "position": "UPDATE position SET root = hash FROM blocks",
    "a missing position": "DELETE FROM position",
    "alembic_version": "UPDATE alembic_version SET version_num = '0099'",
    "a missing version": "DELETE FROM alembic_version",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_bad_row_is_repaired_and_the_mirror_is_the_same_again(
    mirror: Engine, raw: Raw, client: Client, damage: str
) -> None:
    with as_before(mirror, client):
        assert raw.connection.execute(damage).rowcount  # type: ignore[arg-type]
        done = fsck(mirror, lambda: client, FIRST, repair=True)
        assert done.findings
        assert (done.repaired, done.exit_code) == (True, ExitCode.VERIFIED), done.failure
        assert fsck(mirror, lambda: client, FIRST).findings == []


def test_a_database_that_others_use_too_holds_no_mirror_yet(postgres: Server) -> None:
    engine = open_unchecked(postgres.empty())
    database = str(engine.url.database)
    postgres.sql("CREATE TABLE somebody_elses (a int)", database)
    with pytest.raises(CouldNotCheck, match="no mirror yet"):
        fsck(engine, unreachable, FIRST)
    open_engine(engine.url.render_as_string(hide_password=False)).dispose()
    with pytest.raises(CouldNotCheck, match="never been synced"):
        fsck(engine, unreachable, FIRST)
    engine.dispose()
