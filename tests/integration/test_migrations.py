"""The migrations make the schema that the code declares, and can be taken back, on both
databases."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from registry.core.entry import Action
from registry.errors import CouldNotCheck, InputError
from registry.mirror.engine import (
    SCHEMA_VERSION,
    Engine,
    open_engine,
    open_reader,
    open_unchecked,
    reading,
    writing,
)
from registry.mirror.headers import stored_headers, write_headers
from registry.mirror.members import held_collections
from registry.mirror.schema import metadata
from registry.mirror.search import SEARCH
from tests.collections import act, manifest
from tests.collections import keep as keep_members
from tests.databases import content
from tests.postgres import Server
from tests.texts import act as text_act
from tests.texts import law
from tests.unit.logs import Log
from tests.unit.mirrors import mirror_at
from tests.unit.test_headers import chain

VERSIONS = ["0001", "0002", "0003", "0004", "0005", "0006", SCHEMA_VERSION]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database in which there is nothing yet."""
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgres")
        return server.empty()
    return f"sqlite:///{tmp_path_factory.mktemp('empty')}/mirror.sqlite"


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = open_unchecked(url)
    yield engine
    engine.dispose()


def configuration(engine: Engine | None) -> Config:
    config = Config()
    config.set_main_option("script_location", "registry.mirror:migrations")
    config.attributes["engine"] = engine
    return config


def tables(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(inspect(connection).get_table_names())


def test_the_migrated_schema_is_the_declared_one(url: str) -> None:
    engine = open_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        differences = [
            each
            for each in compare_metadata(context, metadata)
            # the index of texts is not a table of the metadata
            if not (each[0].startswith("remove_") and each[1].name.startswith("search"))
        ]
    engine.dispose()
    assert differences == []


def test_texts_are_searched_in_the_table_that_is_declared(postgres: Server) -> None:
    engine = open_engine(postgres.empty())
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), SEARCH.metadata)
    engine.dispose()
    mine = [each for each in differences if "search" in repr(each[1])]
    # The index is told of by the migration alone.
    assert [each[0] for each in mine] == ["remove_index"]


def test_text_is_compared_by_code_points(postgres: Server) -> None:
    """Else which authorities are below another one would hang on the server's language."""
    engine = open_engine(postgres.empty())
    engine.dispose()
    database = str(engine.url.database)
    other = postgres.sql(
        "SELECT table_name, column_name, collation_name FROM information_schema.columns WHERE "
        "table_schema = 'public' AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'",
        database,
    )
    assert other == []


def test_the_program_knows_its_newest_migration() -> None:
    heads = ScriptDirectory.from_config(configuration(None)).get_heads()
    assert heads == [SCHEMA_VERSION]


def test_every_migration_can_be_taken_back(engine: Engine) -> None:
    before = set[str]()
    for version in VERSIONS:
        there = tables(engine)
        command.upgrade(configuration(engine), version)
        assert tables(engine) > there
        command.downgrade(configuration(engine), "-1")
        assert tables(engine) - {"alembic_version"} == there - {"alembic_version"}
        command.upgrade(configuration(engine), version)
        assert tables(engine) > before
        before = tables(engine)
    command.downgrade(configuration(engine), "base")
    assert tables(engine) == {"alembic_version"}
    command.upgrade(configuration(engine), "head")
    assert tables(engine) == before


@pytest.mark.parametrize("version", VERSIONS[:-1])
def test_an_earlier_schema_is_brought_up_to_date_when_it_is_opened(
    url: str, engine: Engine, version: str
) -> None:
    command.upgrade(configuration(engine), version)
    with pytest.raises(CouldNotCheck, match=version):
        open_reader(url)
    opened = open_engine(url)
    assert not any(content(opened).values())
    opened.dispose()
    open_reader(url).dispose()


def test_what_was_written_before_texts_were_known_is_read_again(url: str) -> None:
    """The chain has what manifests said of texts all along; of other side data nothing is lost."""
    plain = [manifest(number) for number in range(3)]
    telling = [text_act(f"m {number}", law("One.")).manifest() for number in range(2)]
    log = Log()
    log.record(text_act("1", law("One.", "Two.")))
    log.record(act(plain))
    log.record(act(telling, Action.AMEND))
    engine = mirror_at(url, log.logged)
    before = content(engine)
    for members in (plain, telling):
        keep_members(engine, members)
    command.downgrade(configuration(engine), "-1")
    engine.dispose()
    engine = open_engine(url)
    with reading(engine) as connection:
        assert [each.size for each in held_collections(connection)] == [3]
    found = content(engine)
    assert not any(found[name] for name in ("texts", "entries", "policies", "position"))
    assert {row[0] < 0 for row in found["search"]} == {True}
    engine.dispose()
    engine = mirror_at(url, log.logged)
    assert content(engine)["texts"] == before["texts"] != []
    keep_members(engine, telling)
    assert len(content(engine)["member_texts"]) == 2
    engine.dispose()


def test_many_that_open_an_empty_database_at_once_make_one_schema(url: str) -> None:
    failures: list[BaseException] = []

    def opening() -> None:
        try:
            open_engine(url).dispose()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=opening) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_reader_makes_no_schema(url: str, engine: Engine) -> None:
    with pytest.raises(CouldNotCheck, match="no mirror"):
        open_reader(url)
    assert tables(engine) == set()


def test_a_reader_of_sqlite_makes_no_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/mirror.sqlite"
    with pytest.raises(CouldNotCheck, match="no mirror"):
        open_reader(url)
    assert list(tmp_path.iterdir()) == []
    open_engine(url).dispose()
    open_reader(url).dispose()


def test_a_newer_schema_is_refused(url: str, engine: Engine) -> None:
    open_engine(url).dispose()
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0999'")
    with pytest.raises(InputError, match="schema 0999"):
        open_engine(url)
    with pytest.raises(CouldNotCheck, match="schema 0999"):
        open_reader(url)


def test_a_database_that_can_not_hold_chinese_is_refused(postgres: Server) -> None:
    postgres.sql("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(InputError, match="LATIN1"):
        open_engine(postgres.url("latin"))


def test_reading_is_of_one_moment_whatever_is_written_meanwhile(
    databases: Callable[[], str],
) -> None:
    engine = open_engine(databases())
    with reading(engine) as reader:
        assert stored_headers(reader) == []
        with writing(engine) as writer:
            write_headers(writer, chain(1, 3))
        assert stored_headers(reader) == []
    with reading(engine) as reader:
        assert stored_headers(reader) == chain(1, 3)[::-1]
    engine.dispose()
