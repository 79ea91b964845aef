"""The whole corpus of real laws: import, verify, snapshot, rebuild, interruptions."""

from __future__ import annotations

import csv
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.anvil import DEV_KEYS, running_anvil
from tests.integration.command_line import User
from tests.integration.test_command_line import dump

# Three are byte for byte another row's document; the fourth has another row's date.
NOT_PUBLISHED = 4
IN_2020 = "2020-01-01"


@pytest.fixture(scope="module", params=["anvil", "embedded"])
def imported(
    request: pytest.FixtureRequest, corpus: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[User, Any]]:
    """A user who imported the corpus, and what the import said."""
    home = tmp_path_factory.mktemp(request.param) / "home"
    if request.param == "embedded":
        user = User(home, {})
        user.done("init")
        yield user, user("import", corpus / "index.csv", "--json").json
        return
    with running_anvil() as url:
        user = User(home, {"POLREG_RPC_URL": url, "POLREG_PRIVATE_KEY": DEV_KEYS[0]})
        user.done("deploy")
        yield user, user("import", corpus / "index.csv", "--json").json


def rows(corpus: Path) -> list[dict[str, str]]:
    with (corpus / "index.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def versions(corpus: Path) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """From the index alone: each number's versions as (first day, path), in order."""
    groups: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in rows(corpus):
        groups.setdefault((row["authority"], row["number"]), []).append(row)
    found = {}
    for key, group in groups.items():
        dated = {row["issued"] or row["effective_from"]: row for row in reversed(group)}
        ordered = [dated[day] for day in sorted(dated)]
        first = ordered[0]["effective_from"] or ordered[0]["issued"] or "0000"
        starts = [first] + [max(row["effective_from"], row["issued"]) for row in ordered[1:]]
        found[key] = [(start, row["path"]) for start, row in zip(starts, ordered, strict=True)]
    return found


def in_force(corpus: Path, day: str) -> dict[tuple[str, str], str]:
    """From the index alone: the path of each number's version that applies on a day."""
    found = {}
    for key, listed in versions(corpus).items():
        applying = [path for start, path in listed if start <= day]
        if applying:
            found[key] = applying[-1]
    return found


def test_every_row_that_can_be_published_is(imported: tuple[User, Any], corpus: Path) -> None:
    _, said = imported
    expected = sum(len(listed) for listed in versions(corpus).values())
    assert said["published"] == expected == said["rows"] - NOT_PUBLISHED
    assert len(said["refused"]) == NOT_PUBLISHED
    assert all(each["reason"] for each in said["refused"])


def test_importing_again_does_nothing(imported: tuple[User, Any], corpus: Path) -> None:
    user, said = imported
    again = user("import", corpus / "index.csv", "--json")
    assert again.code == 1
    assert (again.json["published"], again.json["transactions"]) == (0, 0)
    assert again.json["already_present"] == said["published"]
    assert again.json["refused"] == said["refused"]


def test_every_published_file_is_exact(imported: tuple[User, Any], corpus: Path) -> None:
    user, _ = imported
    outcome = user("verify", corpus, "--json")
    unknown = {
        each["file"].removeprefix(f"{corpus}/")
        for each in outcome.json["files"]
        if each["verdict"]["match"] != "exact"
    }
    # The row that has another one's date, and the corpus's own index and description.
    assert len(unknown - {"index.csv", "README.md"}) == 1
    assert outcome.code == 1


def test_no_altered_copy_is_known(imported: tuple[User, Any], corpus: Path, tmp_path: Path) -> None:
    user, _ = imported
    for row in rows(corpus)[::150]:
        content = (corpus / row["path"]).read_bytes()
        copies = {
            "changed": content[:-1] + bytes([content[-1] ^ 1]),
            "appended": content + b"\n",
            "truncated": content[:-1],
            "empty": b"",
            "crlf": content.replace(b"\n", b"\r\n"),
        }
        for name, copy in copies.items():
            (tmp_path / f"{name}-{hashlib.sha256(content).hexdigest()}").write_bytes(copy)
    outcome = user("verify", tmp_path, "--json")
    assert outcome.code == 1
    assert set(outcome.json["summary"]) <= {"unknown", "same_text", "altered"}
    by_bytes = user("verify", tmp_path, "--no-text", "--json")
    assert by_bytes.code == 1
    assert set(by_bytes.json["summary"]) == {"unknown"}
    for each in outcome.json["files"]:
        if Path(each["file"]).name.startswith(("crlf", "appended")):
            assert each["verdict"]["match"] == "same_text", each["file"]


def test_snapshots_differ_by_what_the_dates_imply(imported: tuple[User, Any], corpus: Path) -> None:
    user, _ = imported
    for day in (IN_2020, "1990-06-01", date.today().isoformat()):  # noqa: DTZ011
        lines = user.done("snapshot", "--in-force-on", day).out.splitlines()
        found = {
            (row["authority"], row["number"]): row["document"]
            for row in map(orjson.loads, lines[1:])
        }
        expected = {
            key: hashlib.sha256((corpus / path).read_bytes()).hexdigest()
            for key, path in in_force(corpus, day).items()
        }
        assert found == expected


def test_a_rebuilt_mirror_has_the_same_rows(imported: tuple[User, Any]) -> None:
    user, _ = imported
    (mirror,) = user.home.glob("mirror-*.sqlite")
    before, snapshot = dump(mirror), user.done("snapshot").out
    for each in user.home.glob("mirror-*"):
        each.unlink()
    user.done("sync")
    assert dump(mirror) == before
    assert user.done("snapshot").out == snapshot


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "SIGKILL"])
def test_an_interrupted_import_is_simply_run_again(
    corpus: Path, tmp_path: Path, sent: signal.Signals
) -> None:
    index = tmp_path / "index.csv"
    lines = (corpus / "index.csv").read_text("utf-8").splitlines(keepends=True)
    index.write_text("".join(lines[:301]), "utf-8")
    user = User(tmp_path / "home", {})
    user.done("init")
    begun = user.done("status", "--json").json["node"]["head"]
    words = [sys.executable, "-m", "registry", "import", str(index)]
    words += ["--root", str(corpus), "--batch", "10"]
    environment = {**os.environ, "POLREG_HOME": str(user.home)}
    process = subprocess.Popen(
        words,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Where the tests run in the background, Ctrl-C is ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    # Three of its thirty transactions; starting takes as long as the machine is busy.
    while process.poll() is None and user("status", "--json").json["node"]["head"] < begun + 3:
        time.sleep(0.2)
    process.send_signal(sent)
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    if sent is signal.SIGINT:
        assert process.returncode == 130
        assert "run it again" in err
        assert "rows:" in out
    again = user("import", index, "--root", corpus, "--json")
    said = again.json
    assert said["published"] + said["already_present"] + len(said["refused"]) == 300
    assert user("verify", corpus / rows(corpus)[0]["path"]).code in {0, 4}
    once_more = user("import", index, "--root", corpus, "--json").json
    assert once_more["published"] == 0
