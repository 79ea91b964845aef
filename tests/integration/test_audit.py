"""polreg audit as an auditor runs it: a folder, an archive, a list of addresses; what is missing;
the report; going on after an interruption."""

from __future__ import annotations

import csv
import io
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest

from registry.services.auditing.sources import items
from tests.integration.command_line import User


@pytest.fixture(scope="module")
def audited(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[User, Path]:
    """Ten real laws of Guangdong, registered, with their index in the same folder."""
    folder = tmp_path_factory.mktemp("audited") / "laws"
    folder.mkdir()
    with (corpus / "index.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["authority"] == "CN.GD"][:10]
    for number, row in enumerate(rows):
        name = f"law {number}.md"
        shutil.copy(corpus / row["path"], folder / name)
        row["path"] = name
    write_index(folder / "index.csv", rows)
    user = User(folder.parent / "home", {})
    user.done("init")
    user.done("import", folder / "index.csv", "--open-authorities")
    return user, folder


def write_index(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def case(audited: tuple[User, Path], tmp_path: Path) -> tuple[User, Path]:
    """A copy of the folder, to be spoilt."""
    user, folder = audited
    shutil.copytree(folder, tmp_path / "laws")
    return user, tmp_path / "laws"


def outcomes(report: dict[str, Any]) -> dict[str, str]:
    return {each["file"]: each["outcome"] for each in report["files"]}


def test_all_is_well(case: tuple[User, Path]) -> None:
    user, folder = case
    found = user("audit", folder, "--expect", folder / "index.csv", "--json")
    assert found.code == 0, found.err
    assert set(outcomes(found.json).values()) == {"in force"}
    assert len(found.json["files"]) == 10
    assert (found.json["missing"], found.json["duplicates"]) == ([], [])
    verdict = found.json["files"][0]["verdict"]
    assert [verdict[axis] for axis in ("match", "standing", "finality")] == [
        "exact",
        "in_force",
        "finalized",
    ]
    assert verdict["evidence"]["source"] == "mirror"
    assert found.json["registry"]["log"]["root"]


def test_what_is_missing_misplaced_or_twice_is_named(case: tuple[User, Path]) -> None:
    user, folder = case
    (folder / "law 0.md").unlink()
    shutil.copy(folder / "law 1.md", folder / "copy.md")
    (folder / "law 2.md").write_bytes((folder / "law 3.md").read_bytes())
    (folder / "other.md").write_text("nobody registered this")
    report = user("audit", folder, "--expect", folder / "index.csv", "--json")
    assert report.code == 1
    assert outcomes(report.json)["other.md"] == "not in the registry"
    assert report.json["duplicates"] == [["copy.md", "law 1.md"], ["law 2.md", "law 3.md"]]
    missing = {(each["file"], each["why"]) for each in report.json["missing"]}
    assert missing == {
        ("law 0.md", "no file has its document"),
        ("law 2.md", "no file has its document"),
        ("law 2.md", "the file is another policy's"),
    }
    of_authority = user("audit", folder, "--authority", "CN.GD", "--json")
    assert len(of_authority.json["missing"]) == 2
    of_another = user("audit", folder, "--authority", "CN", "--json")
    assert outcomes(of_another.json)["law 4.md"] == "registered by others"


def test_a_policy_of_the_index_that_is_not_registered_is_missing(case: tuple[User, Path]) -> None:
    user, folder = case
    index = folder / "index.csv"
    index.write_text(
        index.read_text() + "nowhere.md,CN.GD,粤府〔2030〕1号,没有,zh,law,2030-01-01,\n"
    )
    found = user("audit", folder, "--expect", index, "--json")
    assert found.code == 1
    assert [each["why"] for each in found.json["missing"]] == [
        "the registry has no such policy in force"
    ]


def test_an_older_version_is_authentic_and_its_successor_missing(
    case: tuple[User, Path], tmp_path: Path
) -> None:
    shared, folder = case
    user = User(tmp_path / "home", {})
    shutil.copytree(shared.home, user.home)
    newer = tmp_path / "newer.md"
    newer.write_bytes((folder / "law 0.md").read_bytes() + "附则。".encode())
    number = user("verify", folder / "law 0.md", "--json").json["files"][0]["verdict"][
        "registrations"
    ][0]["number"]
    user.done("amend", newer, "--authority", "CN.GD", "--number", number, "--issued", "2026-01-01")
    found = user("audit", folder, "--authority", "CN.GD", "--json", "--on", "2026-06-01")
    assert outcomes(found.json)["law 0.md"] == "authentic, not in force"
    assert [each["why"] for each in found.json["missing"]] == ["only an older version is there"]
    assert found.code == 1
    assert user("audit", folder).code == 1  # the index is no document
    (folder / "index.csv").unlink()
    assert user("audit", folder, "--on", "2026-06-01").code == 4


def test_a_file_that_can_not_be_read_is_not_called_false(case: tuple[User, Path]) -> None:
    user, folder = case
    os.mkfifo(folder / "pipe.md")
    (folder / "loop.md").symlink_to(folder / "loop.md")
    found = user("audit", folder, "--expect", folder / "index.csv", "--json")
    assert outcomes(found.json)["pipe.md"] == "could not check"
    assert found.json["summary"]["not in the registry"] == 0
    assert found.code in {2, 3}


def test_an_archive_is_audited_without_being_unpacked(case: tuple[User, Path]) -> None:
    user, folder = case
    archive = folder.parent / "laws.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        for path in sorted(folder.glob("*.md")):
            made.write(path, f"laws/{path.name}")
        made.writestr("../../escape.md", "outside")
        made.writestr("bomb.md", bytes(300 * 2**20))
    found = user("audit", archive, "--json")
    told = outcomes(found.json)
    assert told["laws/law 3.md"] == "in force"
    assert told["../../escape.md"] == "not in the registry"
    assert told["bomb.md"] == "could not check"
    bomb = next(each for each in found.json["files"] if each["file"] == "bomb.md")
    assert "unpacks to more than" in bomb["error"]["message"]
    assert not (folder.parent.parent / "escape.md").exists()


def test_two_files_of_one_name_do_not_hide_each_other(case: tuple[User, Path]) -> None:
    user, folder = case
    archive, law = folder.parent / "twice.zip", (folder / "law 0.md").read_bytes()
    with zipfile.ZipFile(archive, "w") as made, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made.writestr("law.md", "nobody registered this")
        made.writestr("law.md", law)
    found = user("audit", archive, "--json")
    assert outcomes(found.json) == {"law.md": "not in the registry", "law.md [2]": "in force"}
    assert found.code == 1


def test_what_was_changed_since_is_checked_again_though_its_time_says_otherwise(
    case: tuple[User, Path],
) -> None:
    user, folder = case
    law, before = folder / "law 0.md", (folder / "law 0.md").stat()
    kept = folder.parent / "report.json.progress"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("registry.cli.audit._write", interrupted)
        assert user("audit", folder, "-o", folder.parent / "report.json").code == 130
    assert kept.exists()
    content = bytearray(law.read_bytes())
    content[-2] ^= 1
    law.write_bytes(content)
    os.utime(law, ns=(before.st_atime_ns, before.st_mtime_ns))
    user("audit", folder, "-o", folder.parent / "report.json")
    whole = orjson.loads((folder.parent / "report.json").read_bytes())
    assert outcomes(whole)["law 0.md"] != "in force"


def test_nothing_is_verified_by_what_an_interrupted_audit_left(case: tuple[User, Path]) -> None:
    user, folder = case
    (folder / "other.md").write_text("nobody registered this")
    report = folder.parent / "report.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("registry.cli.audit._write", interrupted)
        assert user("audit", folder, "-o", report).code == 130
    with closing(sqlite3.connect(f"{report}.progress")) as store, store:
        good = "(SELECT verdict FROM files WHERE name = 'law 0.md')"
        store.execute(f"UPDATE files SET code = 0, verdict = {good} WHERE name = 'other.md'")
    assert user("audit", folder, "-o", report).code == 1
    assert outcomes(orjson.loads(report.read_bytes()))["other.md"] == "not in the registry"


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def test_names_that_windows_wrote_in_gbk_are_read(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr(zipfile.ZipInfo("xxxx.md"), "一")
    raw = archive.read_bytes().replace(b"xxxx", "法规".encode("gbk"))
    archive.write_bytes(raw)
    assert [each.name for each in items(archive)] == ["法规.md"]


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *words: Any) -> None:
            super().__init__(*words, directory=str(folder))

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_list_of_addresses_is_fetched_as_it_is_published(case: tuple[User, Path]) -> None:
    user, folder = case
    with serving(folder) as url:
        at = [f"{url}/law%20{number}.md" for number in range(3)]
        secret = url.replace("http://", "http://name:secret@") + "/law%203.md"
        listed = folder.parent / "addresses.txt"
        listed.write_text("\n".join(["# our web site", *at, f"{url}/gone.md", secret]))
        found = user("audit", listed, "--json")
    told = outcomes(found.json)
    assert [told[each] for each in at] == ["in force"] * 3
    assert told[f"{url}/gone.md"] == "could not check"
    assert "secret" not in found.out + found.err
    assert found.code == 3


def test_the_report_says_the_same_in_each_format(case: tuple[User, Path]) -> None:
    user, folder = case
    (folder / "=1+1.md").write_text("<script>alert(1)</script>")
    for ending in ("json", "csv", "html", "pdf"):
        report = folder / f"report.{ending}"
        found = user("audit", folder, "-o", report, "--expect", folder / "index.csv")
        assert found.code == 1
        assert report.stat().st_size > 1000
        assert not (folder / f"report.{ending}.progress").exists()
        (folder / f"report.{ending}").rename(folder.parent / f"report.{ending}")
    whole = orjson.loads((folder.parent / "report.json").read_bytes())
    assert whole["schema"] == "policy-registry/audit/1"
    rows = list(csv.DictReader(io.StringIO((folder.parent / "report.csv").read_text("utf-8-sig"))))
    assert {row["file"].lstrip("'"): row["outcome"] for row in rows} == outcomes(whole)
    assert all(not row["file"].startswith("=") for row in rows)
    page = (folder.parent / "report.html").read_text()
    assert "=1+1.md" in page
    assert "<script>" not in page
    assert whole["registry"]["log"]["root"] in page
    assert (folder.parent / "report.pdf").read_bytes()[:5] == b"%PDF-"


def test_the_report_itself_is_published_and_verified(
    case: tuple[User, Path], tmp_path: Path
) -> None:
    shared, folder = case
    user = User(tmp_path / "home", {})
    shutil.copytree(shared.home, user.home)
    report = tmp_path / "report.html"
    user("audit", folder, "-o", report, "--expect", folder / "index.csv")
    named = ("--authority", "CN.GD", "--number", "审〔2026〕1号", "--title-zh", "审计报告")
    user.done("publish", report, *named)
    assert user("verify", report).code == 0


def test_an_interrupted_audit_goes_on_where_it_stood(case: tuple[User, Path]) -> None:
    user, folder = case
    for number in range(3000):
        (folder / f"many {number}.txt").write_text(f"file {number}")
    report = folder.parent / "report.json"
    kept = report.with_name("report.json.progress")
    words = [
        sys.executable,
        "-m",
        "registry",
        "audit",
        str(folder),
        "-o",
        str(report),
        "--no-text",
    ]
    running = subprocess.Popen(
        words,
        env={**os.environ, "POLREG_HOME": str(user.home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not kept.exists() and running.poll() is None:
        time.sleep(0.005)
    time.sleep(0.05)
    running.send_signal(signal.SIGKILL)
    running.wait()
    found = user("audit", folder, "-o", report, "--no-text")
    assert found.code == 1
    whole = orjson.loads(report.read_bytes())
    assert len(whole["files"]) == 3011
    assert not kept.exists()
    assert whole["files"] == user("audit", folder, "--json", "--no-text").json["files"]


def test_another_text_is_told_by_its_clauses_and_the_same_text_by_its_packaging(
    case: tuple[User, Path],
) -> None:
    user, folder = case
    law = (folder / "law 0.md").read_text("utf-8")
    at = law.index("第三条 ") + 10
    (folder / "law 0.md").write_text(law[:at] + "龘" + law[at + 1 :], "utf-8")
    saved = (folder / "law 1.md").read_text("utf-8").replace("\n", "\r\n")
    (folder / "law 1.md").write_bytes(b"\xef\xbb\xbf" + saved.encode())
    report = folder.parent / "report.html"
    found = user("audit", folder, "--expect", folder / "index.csv", "--json")
    assert user("audit", folder, "--expect", folder / "index.csv", "-o", report).code == 1
    told = outcomes(found.json)
    assert (told["law 0.md"], told["law 1.md"]) == ("altered", "same text, other bytes")
    first = next(each for each in found.json["files"] if each["file"] == "law 0.md")
    changed = first["verdict"]["text"]["altered_from"]["comparison"]["clauses"]
    assert [(each["label"], each["change"]) for each in changed] == [("第三条", "changed")]
    assert {(each["file"], each["why"]) for each in found.json["missing"]} == {
        ("law 0.md", "only an altered copy is there"),
        ("law 1.md", "only a copy with other bytes is there"),
    }
    page = report.read_text("utf-8")
    assert "<b>第三条</b> changed" in page
    assert "its bytes differ in" in page
    only_bytes = user("audit", folder, "--no-text", "--json")
    assert outcomes(only_bytes.json)["law 0.md"] == "not in the registry"


def test_what_can_not_be_audited_is_said(case: tuple[User, Path]) -> None:
    user, folder = case
    assert user("audit", folder / "law 0.md").code == 2
    assert user("audit", folder / "absent").code == 2
    assert user("audit", folder, "-o", "report.docx").code == 2
    both = user("audit", folder, "--expect", folder / "index.csv", "--authority", "CN.GD")
    assert both.code == 2
