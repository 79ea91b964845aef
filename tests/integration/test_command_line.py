"""The registrar's, the auditor's and the client's main jobs, as they type them."""

from __future__ import annotations

import csv
import hashlib
import io
import os
from contextlib import suppress
from pathlib import Path

import orjson
import pytest

from registry.mirror.schema import CLAUSES, OPERATIONAL
from tests.integration.command_line import User

NUMBER = "粤府〔2017〕71号"
ABOUT = ("--authority", "CN.GD", "--number", NUMBER)
TITLES = ("--title-zh", "关于促进金融业发展的若干措施", "--title-en", "Measures on finance")


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "document.md"
    path.write_bytes("第一条 支持金融业发展。\n".encode())
    return path


def publish(user: User, document: Path, *more: str) -> None:
    user.done("publish", document, *ABOUT, *TITLES, "--type", "notice", *more)


def test_a_published_file_is_exact_and_in_force(user: User, document: Path) -> None:
    publish(user, document, "--issued", "2017-09-01", "--effective", "2017-10-01")
    outcome = user("verify", document, "--json")
    (found,) = outcome.json["files"]
    verdict = found["verdict"]
    assert outcome.code == 0
    assert verdict["sha256"] == hashlib.sha256(document.read_bytes()).hexdigest()
    assert (verdict["match"], verdict["standing"]) == ("exact", "in_force")
    assert verdict["evidence"]["source"] == "mirror"
    assert verdict["registrations"][0]["number"] == NUMBER
    assert outcome.json["registry"]["development"] is True


@pytest.mark.parametrize(
    ("alter", "match"),
    [
        (lambda content: bytes([content[0] ^ 1]) + content[1:], "unknown"),
        (lambda content: content + b" ", "same_text"),
        (lambda content: content[:-1], "same_text"),
        (lambda _: b"", "unknown"),
        (lambda content: content.replace(b"\n", b"\r\n"), "same_text"),
    ],
    ids=["one byte changed", "one appended", "truncated", "empty", "CRLF for LF"],
)
def test_an_altered_copy_is_not_verified(
    user: User, document: Path, alter: object, match: str
) -> None:
    publish(user, document)
    document.write_bytes(alter(document.read_bytes()))  # type: ignore[operator]
    outcome = user("verify", document, "--json")
    assert outcome.code == 1
    verdict = outcome.json["files"][0]["verdict"]
    assert (verdict["match"], verdict["standing"]) == (match, None)
    by_bytes = user("verify", document, "--no-text")
    assert by_bytes.code == 1
    assert "unknown: this exact file is not in the registry" in by_bytes.out


def test_a_policy_s_life_is_told_by_verify_show_and_history(
    user: User, document: Path, tmp_path: Path
) -> None:
    publish(user, document, "--issued", "2017-09-01")
    amended = tmp_path / "amended.md"
    amended.write_text("第一条 大力支持金融业发展。\n", "utf-8")
    corrected = tmp_path / "corrected.md"
    corrected.write_text("第一条 大力支持金融业的发展。\n", "utf-8")

    user.done("amend", amended, *ABOUT, "--issued", "2020-01-01", "--reason", "两年评估")
    assert user("verify", document).code == 4
    assert user("verify", document, "--on", "2019-12-31").code == 0
    assert user("verify", amended, "--on", "2019-12-31").code == 4
    assert user("verify", amended).code == 0

    user.done("correct", corrected, *ABOUT, "--issued", "2020-01-05")
    assert user("verify", corrected).code == 0
    assert user("verify", amended).code == 4

    user.done("suspend", "CN.GD", NUMBER, "--reason", "court order")
    assert "suspended" in user("verify", corrected).out
    user.done("reinstate", "CN.GD", NUMBER, "--reason", "order lifted")
    assert user("verify", corrected).code == 0
    policy_id = user.done("show", "CN.GD", NUMBER, "--json").json["policy"]["policy_id"]
    user.done("repeal", policy_id[:8], "--reason", "no longer needed", "--effective", "2030-01-01")
    assert user("verify", corrected, "--on", "2029-12-31").code == 0
    assert user("verify", corrected, "--on", "2030-01-01").code == 4

    entries = user.done("history", policy_id, "--json").json["entries"]
    assert [each["action"] for each in entries] == [
        "publish", "amend", "correct", "suspend", "reinstate", "repeal",
    ]  # fmt: skip
    assert [each["sequence"] for each in entries] == [1, 2, 3, 4, 5, 6]
    assert [each["previous"] for each in entries[1:]] == [each["entry"] for each in entries[:-1]]
    assert entries[-1]["manifest"]["content"]["reason"] == "no longer needed"
    assert entries[-1]["manifest"]["content"]["title"]["zh"] == TITLES[1]


@pytest.mark.parametrize("act", ["supersede", "withdraw"])
def test_an_ended_policy_is_authentic_but_not_in_force(
    user: User, document: Path, act: str
) -> None:
    publish(user, document)
    user.done(act, "CN.GD", NUMBER, "--reason", "替代")
    outcome = user("verify", document)
    assert outcome.code == 4
    assert {"supersede": "superseded", "withdraw": "withdrawn"}[act] in outcome.out


def test_a_folder_is_checked_file_by_file_and_the_worst_answer_is_the_exit_code(
    user: User, document: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    (folder / "below").mkdir(parents=True)
    publish(user, document)
    (folder / "below" / "copy.md").write_bytes(document.read_bytes())
    assert user("verify", folder).code == 0
    (folder / "other.md").write_text("something else")
    outcome = user("verify", folder, document, tmp_path / "missing.md", "--json")
    assert outcome.code == 1
    assert outcome.json["summary"] == {"could_not_check": 1, "exact, in_force": 2, "unknown": 1}
    missing = next(each for each in outcome.json["files"] if "error" in each)
    assert "verdict" not in missing
    assert "there is no such file" in missing["error"]["message"]


def test_nothing_in_a_folder_is_passed_over_in_silence(user: User, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    assert user("verify", folder).code == 2
    os.mkfifo(folder / "fifo")
    (folder / "dangling").symlink_to("nowhere")
    outcome = user("verify", folder, "--json")
    assert outcome.code == 2
    assert len(outcome.json["files"]) == 2
    assert all("error" in each for each in outcome.json["files"])


def test_the_same_file_does_not_amend_itself(user: User, document: Path) -> None:
    publish(user, document)
    outcome = user("amend", document, *ABOUT)
    assert outcome.code == 1
    assert "already is the current document" in outcome.err


def test_no_name_of_a_file_breaks_or_forges_an_answer(user: User, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "forged\n  exact: as published · in force").write_text("one")
    Path(os.fsdecode(bytes(folder) + b"/\xff")).write_text("two")
    spoken = user("verify", folder)
    assert spoken.code == 1
    assert "\n  exact" not in spoken.out
    assert r"forged\n  exact" in spoken.out
    files = user("verify", folder, "--json").json["files"]
    assert [each["verdict"]["match"] for each in files] == ["unknown", "unknown"]
    assert files[1]["file"].endswith(r"\udcff")


def test_a_rendition_is_exact_too(user: User, document: Path, tmp_path: Path) -> None:
    pdf = tmp_path / "document.pdf"
    pdf.write_bytes(b"%PDF-1.7 the same, as PDF")
    publish(user, document, "--rendition", str(pdf))
    outcome = user("verify", pdf, "--json")
    assert outcome.code == 0
    assert outcome.json["files"][0]["verdict"]["registrations"][0]["role"] == "rendition"


def test_search_finds_chinese_and_english_words_of_any_length(user: User, document: Path) -> None:
    publish(user, document)
    for words in (["金融"], ["金融业发展"], ["finance"], ["FINAN"], ["金融", "finance"], ["71号"]):
        assert user("search", *words).code == 0, words
    assert user("search", "渔业").code == 1


def test_a_snapshot_is_the_same_bytes_however_often_it_is_taken(
    user: User, document: Path, tmp_path: Path
) -> None:
    publish(user, document, "--issued", "2017-09-01")
    first, second = tmp_path / "first.ndjson", tmp_path / "second.ndjson"
    user.done("snapshot", "-o", first)
    size = orjson.loads(first.read_bytes().splitlines()[0])["size"]
    other = tmp_path / "other.md"
    other.write_text("another document")
    user.done("publish", other, "--authority", "CN.GD", "--number", "2", "--title-en", "Other")
    user.done("snapshot", "--size", str(size), "-o", second)
    assert first.read_bytes() == second.read_bytes()

    header, *rows = map(orjson.loads, user.done("snapshot").out.splitlines())
    assert header["count"] == len(rows) == 2
    assert [row["policy_id"] for row in rows] == sorted(row["policy_id"] for row in rows)
    table = list(csv.DictReader(io.StringIO(user.done("snapshot", "--format", "csv").out)))
    assert [row["policy_id"] for row in table] == [row["policy_id"] for row in rows]


def test_a_snapshot_in_force_on_a_day_leaves_out_what_was_not(user: User, document: Path) -> None:
    publish(user, document, "--issued", "2017-09-01", "--until", "2019-12-31")

    def count(day: str) -> int:
        lines = user.done("snapshot", "--in-force-on", day).out.splitlines()
        return int(orjson.loads(lines[0])["count"])

    assert [count(day) for day in ("2017-08-31", "2017-09-01", "2019-12-31", "2020-01-01")] == [
        0, 1, 1, 0,
    ]  # fmt: skip


def test_a_deleted_mirror_comes_back_row_for_row(user: User, document: Path) -> None:
    publish(user, document, "--issued", "2017-09-01")
    user.done("suspend", "CN.GD", NUMBER, "--reason", "pending review")
    (mirror,) = user.home.glob("mirror-*.sqlite")
    before = dump(mirror)
    for each in user.home.glob("mirror-*"):
        each.unlink()
    user.done("sync")
    assert dump(mirror) == before


def test_authorities_are_opened_shown_and_change_hands(user: User, document: Path) -> None:
    account = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
    user.done("authority", "open", "CN.GD.SHENZHEN", "--name-zh", "深圳市", "--name-en", "Shenzhen")
    user.done("authority", "appoint", "CN.GD.SHENZHEN", account)
    assert user("authority", "appoint", "CN.GD.SHENZHEN", account).code == 1
    user.done("authority", "compromised", "CN.GD.SHENZHEN", account, "--since", "2024-01-01")
    assert user("authority", "dismiss", "CN.GD.SHENZHEN", account).code == 1
    shown = user.done("authority", "show", "CN.GD.SHENZHEN", "--json").json["authority"]
    assert shown["name"] == {"zh": "深圳市", "en": "Shenzhen"}
    registrar = next(each for each in shown["grants"] if each["account"] == account)
    assert registrar["role"] == "registrar"
    assert registrar["dismissed"] is not None
    (reported,) = shown["compromised"]
    assert (reported["account"], reported["since"]) == (account, "2024-01-01T00:00:00Z")
    assert reported["entry"] == registrar["dismissed"]["entry"] - 1
    listed = user.done("authority", "list").out
    assert "CN.GD.SHENZHEN" in listed


def test_the_same_on_anvil(anvil_user: User, document: Path, tmp_path: Path) -> None:
    publish(anvil_user, document, "--issued", "2017-09-01")
    outcome = anvil_user("verify", document, "--json")
    assert outcome.code == 0
    # Anvil calls a block safe 32 blocks later: nothing is finalised yet.
    assert outcome.json["files"][0]["verdict"]["finality"] == "included"
    assert outcome.json["registry"]["chain"] == "eip155:31337"
    status = anvil_user.done("status", "--json").json
    assert status["node"]["lag_blocks"] == 0
    anvil_user.done("repeal", "CN.GD", NUMBER, "--reason", "done")
    assert anvil_user("verify", document).code == 4


def dump(database: Path) -> list[str]:
    """The database's rows as SQL, in any order, but for the moments of synchronisation, which
    headers were passed on the way, and what the chain does not have: how the following went,
    the clauses of texts, and the outbox."""
    import sqlite3

    with sqlite3.connect(database) as connection:
        # What is final is noted once its block was read: sooner or later, by the way there.
        connection.execute(
            "UPDATE position SET synced_at = 0, safe_block = 0, finalized_block = 0, checksum = x''"
        )
        for table in (*OPERATIONAL, *CLAUSES, "headers", "sqlite_sequence"):
            with suppress(sqlite3.OperationalError):
                connection.execute(f"DELETE FROM {table}")
        lines = [line for line in connection.iterdump() if "search" not in line]
        connection.rollback()
    connection.close()
    return sorted(lines)
