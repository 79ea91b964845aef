"""Mirrors in any database: new ones, and all that one holds."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from registry.mirror.engine import Engine, reading, sqlite_url
from registry.mirror.schema import OPERATIONAL, metadata
from tests.postgres import Server

# When it was synced differs from mirror to mirror, and the checksum of it.
_MOMENTS = {"position": ("synced_at", "checksum")}


def new_database(request: pytest.FixtureRequest, folder: Path) -> Callable[[], str]:
    """What makes the databases that a fixture's parameter names, as URLs."""
    numbers = itertools.count()
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgres")
        return server.fresh
    return lambda: sqlite_url(folder / f"mirror-{next(numbers)}.sqlite")


def content(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """All rows that a mirror makes of a log, sorted, but for the moments of synchronisation.
    The same whichever database holds them."""
    tables = {
        name: [each.name for each in table.columns if each.name not in _MOMENTS.get(name, ())]
        for name, table in metadata.tables.items()
        if name not in OPERATIONAL
    }
    # A list of clauses is known by its root; its number is the database's own.
    for name, key in (("clause_lists", "id"), ("clauses", "list"), ("clause_texts", "list")):
        tables[name].remove(key)
    tables["search"] = ["rowid", "title_zh", "title_en", "number"]
    found = {}
    with reading(engine) as connection:
        for name, columns in tables.items():
            listed = ", ".join(f'{name}."{each}"' for each in columns)
            source = f"SELECT {listed} FROM {name}"
            if name in {"clauses", "clause_texts"}:
                source = f'SELECT {listed}, root FROM {name} LEFT JOIN clause_lists ON id = "list"'
            rows = connection.execute(text(source))
            found[name] = sorted(map(tuple, rows), key=repr)
    return found
