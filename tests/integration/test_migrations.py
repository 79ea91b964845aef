"""The migrations make the schema that the code declares, and can be taken back."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from registry.mirror.engine import SCHEMA_VERSION, open_engine, sqlite_url
from registry.mirror.schema import metadata


def configuration(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", "registry.mirror:migrations")
    config.attributes["url"] = url
    return config


def test_the_migrated_schema_is_the_declared_one(tmp_path: Path) -> None:
    engine = open_engine(sqlite_url(tmp_path / "mirror.sqlite"))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        differences = [
            each
            for each in compare_metadata(context, metadata)
            # the full-text index is not a table of the metadata
            if not (each[0] == "remove_table" and each[1].name.startswith("search"))
        ]
    assert differences == []


def test_the_program_knows_its_newest_migration() -> None:
    heads = ScriptDirectory.from_config(configuration("sqlite://")).get_heads()
    assert heads == [SCHEMA_VERSION]


def test_every_migration_can_be_taken_back(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "mirror.sqlite")
    open_engine(url).dispose()
    command.downgrade(configuration(url), "base")
    with create_engine(url).connect() as connection:
        tables = connection.execute(text("SELECT name FROM sqlite_master")).scalars().all()
        assert {name for name in tables if "autoindex" not in name} == {"alembic_version"}
    command.upgrade(configuration(url), "head")
