"""New mirrors to be filled, in each kind of database: on disk, and as durable as by default."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import measure  # noqa: F401 - puts the project on the path
from bulk import PostgresRows, SqliteRows

from registry.mirror.engine import open_engine, sqlite_url
from tests.postgres import running_postgres


@dataclass(frozen=True, slots=True)
class Database:
    """A kind of database, and where to make new ones."""

    name: str
    fresh: Callable[[], str]
    """The URL of a new one, with the mirror's schema."""

    @property
    def rows(self) -> type[SqliteRows] | type[PostgresRows]:
        return SqliteRows if self.name == "sqlite" else PostgresRows


@contextmanager
def opened_databases(names: Sequence[str], work: Path) -> Iterator[list[Database]]:
    """The databases of these names; what they hold is in `work`, and is gone afterwards."""
    with ExitStack() as around:
        folder = Path(around.enter_context(tempfile.TemporaryDirectory(dir=work)))
        yield [_database(name, folder, around) for name in names]


def _database(name: str, folder: Path, around: ExitStack) -> Database:
    numbers = itertools.count()

    def fresh_sqlite() -> str:
        for old in folder.iterdir():
            old.unlink()
        url = sqlite_url(folder / f"mirror-{next(numbers)}.sqlite")
        open_engine(url).dispose()
        return url

    if name == "sqlite":
        return Database(name, fresh_sqlite)
    durable = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
    return Database(name, around.enter_context(running_postgres(**durable)).fresh)
