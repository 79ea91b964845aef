"""A mirror goes into a file and comes back, into any database, and the chain has the last word."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

import registry.services.backup as backups
from registry.config import settings_from
from registry.core.digest import parse_digest
from registry.core.merkle import leaf_hash, root
from registry.core.snapshot import ndjson_line
from registry.errors import CouldNotCheck, InputError, LocalFailure, NotVerified
from registry.mirror.engine import sqlite_url
from registry.mirror.leader import leadership
from registry.mirror.schema import CLAUSES
from registry.services.backup import back_up, check_backup, restore
from registry.services.workspace import Workspace
from tests.databases import content
from tests.integration.command_line import User
from tests.integration.test_log_export import fill, publish


@pytest.fixture(scope="module")
def filled_home(fresh_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("filled")
    shutil.copytree(fresh_home, folder / "home")
    fill(User(folder / "home", {}), folder)
    return folder / "home"


@pytest.fixture
def filled(filled_home: Path, tmp_path: Path) -> User:
    """Somebody whose registry has some policies."""
    shutil.copytree(filled_home, tmp_path / "home")
    return User(tmp_path / "home", {})


# Of an encoded entry: docs/formats.md.
_DOCUMENT_WORD = 7

Open = Callable[..., Workspace]


@pytest.fixture
def opened(filled: User) -> Iterator[Open]:
    """The registry with a mirror in the database of a URL, else its own."""
    made: list[Workspace] = []

    def workspace(url: str | None = None) -> Workspace:
        given = {"POLREG_HOME": str(filled.home)}
        made.append(Workspace(settings_from(given | ({"POLREG_DATABASE_URL": url} if url else {}))))
        return made[-1]

    yield workspace
    for each in made:
        each.close()


def restored(into: Workspace, path: Path, **options: Any) -> None:
    restore(path, into.engine, into.deployment, **options)


def test_into_either_database_and_back_it_is_the_same_mirror_and_the_same_file(
    opened: Open, databases: Callable[[], str], tmp_path: Path
) -> None:
    first, second, third = opened(), opened(databases()), opened(sqlite_url(tmp_path / "third"))
    back_up(first.engine, tmp_path / "first.backup")
    restored(second, tmp_path / "first.backup")
    second.sync()
    assert content(second.engine) == content(first.engine)
    back_up(second.engine, tmp_path / "second.backup")
    assert (tmp_path / "second.backup").read_bytes() == (tmp_path / "first.backup").read_bytes()
    restored(third, tmp_path / "second.backup")
    third.sync()
    assert content(third.engine) == content(first.engine)


def test_nothing_is_answered_from_it_until_the_chain_bore_it_out(
    filled: User, opened: Open, tmp_path: Path
) -> None:
    publish(filled, tmp_path, 7)
    path, database = tmp_path / "mirror.backup", {"POLREG_DATABASE_URL": f"sqlite:///{tmp_path}/x"}
    filled.done("backup", path)
    publish(filled, tmp_path, 8)
    assert "Run polreg sync now" in filled.done("restore", path, **database).out
    for number in (7, 8):
        assert filled("verify", tmp_path / f"publish-{number}.md", **database).code == 3
    done = filled.done("sync", "--json", **database).json
    assert (done["entries_added"], done["entries_removed"]) == (1, 0)
    for number in (7, 8):
        filled.done("verify", tmp_path / f"publish-{number}.md", **database)
    filled.done("fsck", **database)


def test_it_is_of_one_moment_whatever_is_written_meanwhile(
    filled: User, opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, before = backups.entry_line, opened().sync().position
    written = False

    def and_publish(event: Any) -> bytes:
        nonlocal written
        if not written:
            written = True
            publish(filled, tmp_path, 9)
        return real(event)

    monkeypatch.setattr(backups, "entry_line", and_publish)
    header = back_up(opened().engine, tmp_path / "mirror.backup")
    assert written
    assert (header.checkpoint.size, header.checkpoint.root) == (before.size, before.root)
    assert check_backup(tmp_path / "mirror.backup") == header
    assert opened().sync().position.size == before.size + 1


def test_a_mirror_that_holds_something_is_replaced_only_on_demand(
    filled: User, opened: Open, tmp_path: Path
) -> None:
    mine = opened()
    back_up(mine.engine, tmp_path / "mirror.backup")
    publish(filled, tmp_path, 7)
    whole = content(mine.engine)
    with pytest.raises(InputError, match="not empty") as raised:
        restored(mine, tmp_path / "mirror.backup")
    assert "--replace" in str(raised.value.hint)
    assert content(mine.engine) == whole
    restored(mine, tmp_path / "mirror.backup", replace=True)
    assert len(content(mine.engine)["entries"]) == len(whole["entries"]) - 1
    mine.sync()
    again = content(mine.engine)
    for table in CLAUSES:
        # The chain does not have what came after the backup.
        assert set(again.pop(table)) <= set(whole.pop(table))
    assert again == whole


@pytest.mark.parametrize("lines", [1, 4, -2, -1])
def test_a_file_that_was_cut_off_leaves_the_mirror_as_it_was(
    opened: Open, databases: Callable[[], str], tmp_path: Path, lines: int
) -> None:
    mine, path = opened(databases()), tmp_path / "mirror.backup"
    mine.sync()
    back_up(mine.engine, path)
    whole = content(mine.engine)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:lines]))
    with pytest.raises(InputError):
        restored(mine, path, replace=True)
    with pytest.raises(InputError):
        check_backup(path)
    assert content(mine.engine) == whole


def test_another_registry_s_is_refused(opened: Open, anvil_user: User, tmp_path: Path) -> None:
    path = tmp_path / "mirror.backup"
    back_up(opened().engine, path)
    outcome = anvil_user("restore", path, "--replace")
    assert outcome.code == 2
    assert "the registry here is" in outcome.err


def test_while_a_follower_writes_it_is_refused(opened: Open, tmp_path: Path) -> None:
    mine = opened()
    back_up(mine.engine, tmp_path / "mirror.backup")
    with leadership(mine.engine) as lead:
        assert lead.wait(0)
        with pytest.raises(LocalFailure, match="a follower writes this mirror"):
            restored(mine, tmp_path / "mirror.backup", replace=True)


def forged(path: Path) -> Path:
    """The backup with another document in its last publication, all digests made anew."""
    lines = path.read_bytes().splitlines(keepends=True)
    parsed = [orjson.loads(line) for line in lines]
    header, entries = parsed[0], [each for each in parsed if "entry" in each]
    at = _DOCUMENT_WORD * 32
    victim = next(each for each in reversed(entries) if each["entry"][2 * at :][:64].strip("0"))
    encoded = bytearray.fromhex(victim["entry"])
    encoded[at] ^= 1
    victim["entry"] = encoded.hex()
    header["root"] = root([leaf_hash(bytes.fromhex(each["entry"])) for each in entries]).hex()
    content = b"".join(ndjson_line(each) for each in parsed[:-1])
    seal = {"sha256": hashlib.sha256(content).hexdigest()}
    made = path.with_name("forged.backup")
    made.write_bytes(content + ndjson_line(seal))
    return made


def test_what_somebody_altered_with_all_its_digests_is_found_by_the_chain(
    filled: User, opened: Open, tmp_path: Path
) -> None:
    genuine, mine = opened(), opened(sqlite_url(tmp_path / "mine"))
    back_up(genuine.engine, tmp_path / "mirror.backup")
    restored(mine, forged(tmp_path / "mirror.backup"))
    database = {"POLREG_DATABASE_URL": sqlite_url(tmp_path / "mine")}
    assert filled("verify", tmp_path / "home" / "config.toml", **database).code == 3
    with pytest.raises(CouldNotCheck):
        mine.sync()
    assert filled("verify", tmp_path / "home" / "config.toml", **database).code == 3
    mine.sync()
    assert content(mine.engine) == content(genuine.engine)


def test_what_was_altered_without_its_digests_is_found_at_once(
    opened: Open, tmp_path: Path
) -> None:
    path = tmp_path / "mirror.backup"
    back_up(opened().engine, path)
    made = forged(path)
    lines = made.read_bytes().splitlines(keepends=True)
    header = orjson.loads(lines[0]) | {
        "root": orjson.loads(path.read_bytes().split(b"\n")[0])["root"]
    }
    told = b"".join([ndjson_line(header), *lines[1:-1]])
    made.write_bytes(told + ndjson_line({"sha256": hashlib.sha256(told).hexdigest()}))
    with pytest.raises(NotVerified, match="root"):
        check_backup(made)
    with pytest.raises(NotVerified, match="root"):
        restored(opened(sqlite_url(tmp_path / "other")), made)


def test_a_mirror_that_read_nothing_has_nothing_to_back_up(opened: Open, tmp_path: Path) -> None:
    with pytest.raises(CouldNotCheck, match="has read nothing"):
        back_up(opened(sqlite_url(tmp_path / "new")).engine, tmp_path / "mirror.backup")
    assert not (tmp_path / "mirror.backup").exists()


def test_a_damaged_mirror_does_not_take_the_place_of_a_good_backup(
    opened: Open, tmp_path: Path
) -> None:
    mine, path = opened(), tmp_path / "mirror.backup"
    back_up(mine.engine, path)
    good = path.read_bytes()
    with mine.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE entries SET recorded_at = recorded_at + 1 WHERE entry = 2"
        )
    with pytest.raises(CouldNotCheck, match="do not have its root"):
        back_up(mine.engine, path)
    assert path.read_bytes() == good


def test_the_command_line_tells_what_is_in_it(filled: User, tmp_path: Path) -> None:
    path = tmp_path / "mirror.backup"
    told = filled.done("backup", path, "--json").json
    status = filled.done("status", "--json").json
    assert told["header"]["size"] == status["totals"]["entries"]
    assert parse_digest(told["header"]["root"]).hex() == status["registry"]["log"]["root"]
    assert filled.done("restore", "--check", path, "--json").json == told
    assert filled("restore", path).code == 2
    assert filled("restore", tmp_path / "nothing").code == 2
    assert filled("restore", tmp_path).code == 2
