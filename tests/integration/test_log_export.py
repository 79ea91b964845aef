"""A log goes from one machine to another as a file, and is believed for what the chain has."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from registry.core.merkle import leaf_hash, root
from registry.core.snapshot import ndjson_line
from tests.integration.command_line import User
from tests.integration.test_command_line import dump

ABOUT = ("--authority", "CN.GD", "--number")
TITLE = ("--title-en", "A title")


def publish(user: User, folder: Path, number: int, act: str = "publish") -> None:
    path = folder / f"{act}-{number}.md"
    path.write_text(f"{act} {number}")
    user.done(act, path, *ABOUT, str(number), *TITLE)


def fill(user: User, folder: Path) -> None:
    for number in range(3):
        publish(user, folder, number)
    publish(user, folder, 1, "amend")
    user.done("repeal", "CN.GD", "2", "--reason", "done")


@pytest.fixture
def filled(user: User, tmp_path: Path) -> User:
    fill(user, tmp_path)
    return user


@pytest.fixture
def exported(filled: User, tmp_path: Path) -> Path:
    path = tmp_path / "log.ndjson"
    filled.done("export", "log", "-o", path)
    return path


def mirror_of(user: User) -> Path:
    (path,) = user.home.glob("mirror-*.sqlite")
    return path


def without_mirror(user: User) -> User:
    for each in user.home.glob("mirror-*"):
        each.unlink()
    return user


def rows_in(user: User) -> int:
    found = list(user.home.glob("mirror-*.sqlite"))
    if not found:
        return 0
    with sqlite3.connect(found[0]) as connection:
        counts = [
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("entries", "manifests", "tiles", "policies", "blocks", "position")
        ]
    connection.close()
    return sum(counts)


def test_a_mirror_from_an_export_is_the_one_from_the_chain(
    filled: User, exported: Path, tmp_path: Path
) -> None:
    before = dump(mirror_of(filled))
    said = without_mirror(filled).done("import", "log", exported).out
    assert "root" in said
    assert dump(mirror_of(filled)) == before
    publish(filled, tmp_path, 8)
    assert filled.done("status", "--json").json["totals"]["policies"] == 4
    assert filled("verify", tmp_path / "publish-8.md").code == 0


def test_sync_goes_on_from_an_export_of_an_earlier_size(
    filled: User, exported: Path, tmp_path: Path
) -> None:
    size = orjson.loads(exported.read_bytes().splitlines()[0])["size"]
    publish(filled, tmp_path, 9)
    earlier = tmp_path / "earlier.ndjson"
    filled.done("export", "log", "--size", str(size), "-o", earlier)
    assert earlier.read_bytes() == exported.read_bytes()
    whole = dump(mirror_of(filled))

    imported = without_mirror(filled).done("import", "log", earlier, "--json").json
    assert (imported["size"], imported["synced"]) == (size, False)
    # It does not hold the whole log: no answer is given from it.
    assert filled("verify", tmp_path / "publish-9.md").code == 3
    assert filled.done("sync", "--json").json["entries_added"] == 1
    assert dump(mirror_of(filled)) == whole


def test_the_same_on_anvil(anvil_user: User, tmp_path: Path) -> None:
    fill(anvil_user, tmp_path)
    path = tmp_path / "log.ndjson"
    anvil_user.done("export", "log", "-o", path)
    before = dump(mirror_of(anvil_user))
    imported = without_mirror(anvil_user).done("import", "log", path, "--json").json
    assert imported["synced"] is True
    assert dump(mirror_of(anvil_user)) == before


def test_only_an_empty_mirror_takes_an_export(filled: User, exported: Path) -> None:
    before = dump(mirror_of(filled))
    outcome = filled("import", "log", exported)
    assert outcome.code == 2
    assert "the mirror is not empty" in outcome.err
    assert dump(mirror_of(filled)) == before


def edit(path: Path, line: int, change: Callable[[dict[str, Any]], None]) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    fields = orjson.loads(lines[line])
    change(fields)
    lines[line] = ndjson_line(fields)
    path.write_bytes(b"".join(lines))


def root_of(path: Path) -> str:
    """The root of an export's entries as they stand."""
    lines = path.read_bytes().splitlines()[1:]
    return root([leaf_hash(bytes.fromhex(orjson.loads(line)["entry"])) for line in lines]).hex()


def registrar(fields: dict[str, Any]) -> None:
    entry = fields["entry"]
    fields["entry"] = entry[: 9 * 64 + 24] + "ab" * 20 + entry[10 * 64 :]


def on_another_day(fields: dict[str, Any]) -> None:
    entry = fields["entry"]
    fields["entry"] = entry[: 6 * 64] + "1".zfill(64) + entry[7 * 64 :]


def later(fields: dict[str, Any]) -> None:
    fields["entry"] = fields["entry"][:-2] + "ff"


@pytest.mark.parametrize(
    ("line", "change", "code", "said"),
    [
        (-1, on_another_day, 1, "some of them were altered"),
        (-1, registrar, 1, "who the log does not entitle to it for CN.GD"),
        (-1, lambda f: f.update(manifest="{}"), 1, "the manifest is not the one that entry"),
        (-1, later, 1, "was not recorded at the time of block"),
        (0, lambda f: f.update(root="ab" * 32), 1, "some of them were altered"),
        (0, lambda f: f.update(contract=f["contract"][:-40] + "11" * 20), 2, "this is the log of"),
        (-2, lambda f: f["block"].update(hash="0x" + "ab" * 32), 1, "of the chain is 0x"),
    ],
    ids=["date", "registrar", "manifest", "time", "root", "contract", "block hash"],
)
def test_an_export_that_was_altered_is_refused_and_nothing_is_written(
    filled: User,
    exported: Path,
    line: int,
    change: Callable[[dict[str, Any]], None],
    code: int,
    said: str,
) -> None:
    edit(exported, line, change)
    outcome = without_mirror(filled)("import", "log", exported)
    assert (outcome.code, outcome.out) == (code, "")
    assert said in outcome.err
    assert rows_in(filled) == 0


def left_out(fields: dict[str, Any]) -> None:
    assert fields["manifest"] is not None
    fields["manifest"] = None


def expiring(user: User, folder: Path) -> None:
    """A policy that has ended, and one whose manifest the chain does not hold."""
    (folder / "expired").write_text("for a year")
    (folder / "digest").write_text("told by its digest")
    period = ("--effective", "2019-01-01", "--until", "2019-12-31")
    user.done("publish", folder / "expired", *ABOUT, "80", *TITLE, *period)
    user.done("publish", folder / "digest", *ABOUT, "81", *TITLE, "--digest-only")


def test_a_manifest_that_is_left_out_is_missed(filled: User, tmp_path: Path) -> None:
    """Without its manifest a policy that has ended would be in force."""
    expiring(filled, tmp_path)
    before, log = dump(mirror_of(filled)), tmp_path / "log.ndjson"
    filled.done("export", "log", "-o", log)
    honest = log.read_bytes()
    index = len(honest.splitlines()) - 3
    edit(log, -2, left_out)
    outcome = without_mirror(filled)("import", "log", log)
    assert outcome.code == 1
    said = f"line {index + 2}: the export leaves out the manifest that came with entry {index}"
    assert said in outcome.err
    assert rows_in(filled) == 0
    # An act on an authority has one as well.
    log.write_bytes(honest)
    lines = honest.splitlines()
    first = next(n for n, each in enumerate(lines) if b'"manifest":"' in each)
    edit(log, first, left_out)
    assert f"came with entry {first - 1}" in filled("import", "log", log).err
    log.write_bytes(honest)
    assert "the exporter's word" in filled.done("import", "log", log).out
    assert dump(mirror_of(filled)) == before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: f.update(transaction="0x" + "ab" * 32), "came with transaction 0x"),
        (lambda f: f["block"].update(hash="0x" + "ab" * 32), "of the chain is 0x"),
        (on_another_day, "is not in block"),
    ],
    ids=["transaction", "block", "entry"],
)
def test_an_entry_without_its_manifest_is_looked_up_in_its_block(
    filled: User, tmp_path: Path, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    expiring(filled, tmp_path)
    log = tmp_path / "log.ndjson"
    filled.done("export", "log", "-o", log)
    edit(log, -1, change)
    last = orjson.loads(log.read_bytes().splitlines()[-1])
    edit(log, 0, lambda fields: fields.update(block=last["block"], root=root_of(log)))
    outcome = without_mirror(filled)("import", "log", log)
    assert outcome.code == 1
    assert said in outcome.err
    assert rows_in(filled) == 0


def test_an_export_from_anvil_without_a_manifest(anvil_user: User, tmp_path: Path) -> None:
    expiring(anvil_user, tmp_path)
    before, log = dump(mirror_of(anvil_user)), tmp_path / "log.ndjson"
    anvil_user.done("export", "log", "-o", log)
    honest = log.read_bytes()
    edit(log, -2, left_out)
    assert "leaves out the manifest" in without_mirror(anvil_user)("import", "log", log).err
    log.write_bytes(honest)
    anvil_user.done("import", "log", log)
    assert dump(mirror_of(anvil_user)) == before


def test_a_forged_log_whose_root_agrees_is_refused_by_the_chain(
    filled: User, exported: Path
) -> None:
    """Whoever edits an entry can compute the root anew; the contract's stays what it is."""
    edit(exported, -1, on_another_day)
    edit(exported, 0, lambda fields: fields.update(root=root_of(exported)))
    outcome = without_mirror(filled)("import", "log", exported)
    assert outcome.code == 1
    assert "the contract's root of" in outcome.err
    assert rows_in(filled) == 0


def test_without_an_answer_nothing_is_written(anvil_user: User, tmp_path: Path) -> None:
    fill(anvil_user, tmp_path)
    path = tmp_path / "log.ndjson"
    anvil_user.done("export", "log", "-o", path)
    contract = orjson.loads(path.read_bytes().splitlines()[0])["contract"].rpartition(":")[2]
    home = tmp_path / "elsewhere"
    shutil.copytree(anvil_user.home, home)
    gone = User(home, {**anvil_user.settings, "POLREG_DATABASE_URL": f"sqlite:///{home}/m.sqlite"})
    outcome = gone("import", "log", path, POLREG_RPC_URL="http://127.0.0.1:9")
    assert outcome.code in {2, 3}
    outcome = gone(
        "import", "log", path, POLREG_RPC_URL="http://127.0.0.1:9", POLREG_CONTRACT=contract
    )
    assert outcome.code == 3
    assert "no answer from" in outcome.err
    assert not (home / "m.sqlite").exists()


def test_a_kill_in_the_middle_leaves_nothing(filled: User, exported: Path) -> None:
    """Killed after the last entry and before the commit, it leaves an empty mirror."""
    program = (
        "import os, signal, sys\n"
        "from registry.services import log_export\n"
        "def killed(*_): os.kill(os.getpid(), signal.SIGKILL)\n"
        "log_export.write_position = killed\n"
        "from registry.cli.app import build\n"
        "build(sys.argv[1:])()"
    )
    without_mirror(filled)
    ended = subprocess.run(
        [sys.executable, "-c", program, "import", "log", str(exported)],
        env={"PATH": "/usr/bin:/bin", "POLREG_HOME": str(filled.home)},
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL
    assert rows_in(filled) == 0
    filled.done("import", "log", exported)
    assert filled.done("sync", "--json").json["entries_added"] == 0


def test_a_batch_is_exported_whole_or_not_at_all(user: User, tmp_path: Path) -> None:
    """Within a transaction the chain has no root to compare with."""
    rows = [f"{n}.md,CN.GD,{n},Title {n},en,notice,2020-01-01,\n" for n in range(6)]
    for number in range(6):
        (tmp_path / f"{number}.md").write_text(f"text {number}")
    index = tmp_path / "index.csv"
    index.write_text(
        "path,authority,number,title,language,type,issued,effective_from\n" + "".join(rows)
    )
    user.done("import", index)
    size = user.done("status", "--json").json["registry"]["log"]["size"]
    outcome = user("export", "log", "--size", str(size - 3))
    assert outcome.code == 2
    assert f"export {size - 6} or {size}" in outcome.err
    assert user("export", "log", "--size", str(size + 1)).code == 2
    assert user("export", "log", "--size", "0").code == 2
    lines = user.done("export", "log", "--size", str(size - 6)).out.splitlines()
    assert len(lines) == 1 + size - 6


@pytest.mark.parametrize("content", [b"", b"\n", b"{}\n", b"\xff" * 100, b"x" * 40_000_000])
def test_what_is_no_export_is_refused(user: User, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd"
    path.write_bytes(content)
    outcome = without_mirror(user)("import", "log", path)
    assert outcome.code == 2
    assert "line 1" in outcome.err or "empty" in outcome.err
    assert user("import", "log", tmp_path / "missing").code == 2
    assert user("import", "log", tmp_path).code == 2
