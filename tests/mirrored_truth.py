"""What a mirror should hold, told without the follower, and mirrors that cost little to make.

`require_log` and `require_rows` hold a mirror, row for row, against what was recorded on a
chain: the one quickly, the other down to every derived table.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import select, text

from registry.core.feed import Recorded
from registry.core.position import Position
from registry.mirror import schema
from registry.mirror.engine import Engine, open_engine, reading, sqlite_url, writing
from registry.mirror.position import read_position
from registry.mirror.rows import block_row, entry_row
from registry.mirror.store import append
from tests.databases import content

# Without a disk underneath, waiting for it takes no time; nothing here is about power cuts.
_MEMORY = Path("/dev/shm")

_LOG = (schema.entries, schema.manifests, schema.blocks)
_OF_THE_CHAIN = ("position", "headers")


@cache
def folder() -> Path:
    """A folder that is gone when the tests are over, in memory where there is such a place."""
    made = Path(tempfile.mkdtemp(prefix="mirrors-", dir=_MEMORY if _MEMORY.is_dir() else None))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


@cache
def _template() -> bytes:
    """The file of an empty mirror."""
    path = folder() / "empty.sqlite"
    engine = open_engine(sqlite_url(path))
    with writing(engine) as connection:
        # Whatever still stands in the log of writes is put where it belongs.
        connection.execute(text("SELECT 1"))
    engine.dispose()
    assert not path.with_name("empty.sqlite-wal").exists()
    return path.read_bytes()


@cache
def _engine(path: Path) -> Engine:
    path.write_bytes(_template())
    return open_engine(sqlite_url(path))


def new_mirror(name: str) -> Engine:
    """An empty mirror in place of the last one of this name. The engine is the same one, since
    it keeps the statements that it has translated: most of what a new one would cost."""
    path = folder() / f"{name}.sqlite"
    engine = _engine(path)
    engine.dispose()
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    path.write_bytes(_template())
    return engine


def stands_at(engine: Engine) -> Position | None:
    with reading(engine) as connection:
        return read_position(connection)


def require_log(engine: Engine, recorded: Sequence[Recorded]) -> None:
    """Entries, manifests and blocks are those of this log: nothing else, nothing less, each
    with its place."""
    with reading(engine) as connection:
        found = [sorted(map(tuple, connection.execute(select(table)))) for table in _LOG]
    assert found == [sorted(rows) for rows in _log_rows(recorded)]


def require_rows(engine: Engine, recorded: Sequence[Recorded]) -> None:
    """Every table is what this log gives, also those that are derived from it."""
    assert _of_the_log(engine) == _rows_of_log(tuple(recorded))


def _of_the_log(engine: Engine) -> dict[str, list[Any]]:
    found = content(engine)
    return {table: rows for table, rows in found.items() if table not in _OF_THE_CHAIN}


def _log_rows(recorded: Sequence[Recorded]) -> list[list[Any]]:
    firsts: dict[bytes, int] = {}
    entries, manifests = [], []
    blocks: dict[int, Any] = {}
    for event in recorded:
        entry = event.entry
        policy = None
        if entry.action.on_policy:
            policy = firsts.setdefault(entry.policy.policy_id, entry.index)
        entries.append(entry_row(event, policy))
        if event.manifest is not None:
            manifests.append((entry.index, event.manifest))
        place = event.place
        blocks[place.block] = block_row(place.block, place.block_hash, entry.index + 1)
    return [entries, manifests, list(blocks.values())]


@lru_cache(maxsize=512)
def _rows_of_log(recorded: tuple[Recorded, ...]) -> dict[str, list[Any]]:
    """The rows that a mirror has to which the whole log was appended at once."""
    engine = new_mirror("truth")
    with writing(engine) as connection:
        append(connection, recorded)
    return _of_the_log(engine)
