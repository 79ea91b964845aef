"""What a key recorded since it was compromised is shown as such, wherever it is asked about."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import orjson
import pytest

from registry.chain.rpc import HttpTransport
from registry.core.calendar import iso_time, parse_time
from registry.core.verdict import ExitCode
from tests.anvil import ROOT, running_anvil
from tests.contract.anvil_registry import account
from tests.contract.registry_office import opened_office
from tests.integration.command_line import User


@pytest.fixture
def user(tmp_path: Path) -> User:
    found = User(tmp_path / "home", {})
    found.done("init")
    found.done("authority", "open", "CN.GD", "--parents")
    return found


def own_account(user: User) -> str:
    """The development key's: it is controller and registrar."""
    grants = user.done("authority", "show", "CN.GD", "--json").json["authority"]["grants"]
    return str(grants[0]["account"])


def report(user: User, since: str = "2024-07-01T12:00:00Z") -> None:
    user.done("authority", "compromised", "CN.GD", own_account(user), "--since", since)


@pytest.fixture
def document(user: User, tmp_path: Path) -> Path:
    path = tmp_path / "notice.md"
    path.write_text("# Notice\n", encoding="utf-8")
    named = ("--authority", "CN.GD", "--number", "1", "--title-en", "Notice")
    user.done("publish", path, *named)
    return path


def test_verify_show_and_history_mark_what_the_key_recorded(user: User, document: Path) -> None:
    assert user("verify", document).code == ExitCode.VERIFIED
    report(user)
    checked = user("verify", document)
    assert checked.code == ExitCode.NOT_IN_FORCE
    assert "WARNING: it rests on a key that was reported compromised" in checked.out
    assert "this document's own, was recorded by a key reported compromised" in checked.out
    verdict = user("verify", document, "--json").json["files"][0]["verdict"]
    assert (verdict["match"], verdict["standing"], verdict["doubted"]) == (
        "exact",
        "in_force",
        True,
    )
    (marked,) = verdict["registrations"][0]["compromised"]
    assert marked["entry"] == verdict["registrations"][0]["entry"]
    assert (marked["since"], marked["reported_by"]) == ("2024-07-01T12:00:00Z", "CN.GD")
    shown = user.done("show", "CN.GD", "1", "--json").json["policy"]
    assert (shown["compromised"], shown["doubted"]) == ([marked], True)
    assert "WARNING" in user.done("show", "CN.GD", "1").out
    (act,) = user.done("history", "CN.GD", "1", "--json").json["entries"]
    assert act["compromised"] == marked
    assert "KEY REPORTED COMPROMISED" in user.done("history", "CN.GD", "1").out


def test_what_was_recorded_before_is_not_marked(user: User, document: Path) -> None:
    """A second decides: the moment itself is within."""
    verdict = user("verify", document, "--json").json["files"][0]["verdict"]
    recorded = parse_time(verdict["registrations"][0]["recorded_at"])
    report(user, iso_time(recorded + 1))
    assert user("verify", document).code == ExitCode.VERIFIED
    assert user.done("history", "CN.GD", "1", "--json").json["entries"][0]["compromised"] is None
    report(user, iso_time(recorded))
    assert user("verify", document).code == ExitCode.NOT_IN_FORCE


def test_another_authority_s_report_of_the_same_key_marks_nothing(
    user: User, document: Path
) -> None:
    user.done("authority", "open", "FR")
    key = own_account(user)
    user.done("authority", "compromised", "FR", key, "--since", "2020-01-01")
    assert user("verify", document).code == ExitCode.VERIFIED
    user.done("authority", "compromised", "CN", key, "--since", "2020-01-01")
    assert user("verify", document).code == ExitCode.NOT_IN_FORCE, "one above it answers for it"


def row(user: User, *words: str) -> dict[str, object]:
    _, line = user.done("snapshot", *words).out.splitlines()
    found: dict[str, object] = orjson.loads(line)
    return found


def test_a_snapshot_knows_the_reports_of_its_own_part_of_the_log(
    user: User, document: Path, tmp_path: Path
) -> None:
    size = user.done("verify", document, "--json").json["registry"]["log"]["size"]
    before = user.done("snapshot").out
    report(user)
    assert user.done("snapshot", "--size", str(size)).out == before, (
        "of before, it stays what it was"
    )
    reported = size  # the entry after those
    marked = row(user)
    assert marked["compromised"] == [marked["entry"]]
    assert "compromised" not in row(user, "--size", str(reported))
    assert row(user, "--size", str(reported + 1)) == marked
    assert row(user, "--in-force-on", "2026-01-01") == marked
    header, line = user.done("snapshot", "--format", "csv").out.splitlines()
    assert header.endswith(",compromised")
    assert line.endswith(f",{marked['entry']}")
    for name, words in (("later", ()), ("earlier", ("--size", str(size)))):
        file = tmp_path / f"{name}.ndjson"
        user.done("snapshot", "--output", file, *words)
        user.done("snapshot", "verify", file)
    hidden = (tmp_path / "later.ndjson").read_text().replace(f'"compromised":[{size - 1}],', "")
    (tmp_path / "hidden.ndjson").write_text(hidden)
    refused = user("snapshot", "verify", tmp_path / "hidden.ndjson")
    assert (refused.code, "compromised" in refused.err) == (1, True), refused


def test_whom_a_reported_key_appointed_is_shown(user: User) -> None:
    """A controller's key: what it did to the authority and to those below it."""
    user.done("authority", "appoint", "CN.GD", "0x" + "1" * 40)
    key = own_account(user)
    user.done("authority", "compromised", "CN", key, "--since", "2020-01-01", "--as", "controller")
    shown = user.done("authority", "show", "CN.GD", "--json").json["authority"]
    appointed = [
        each["appointed"] for each in shown["grants"] if each["account"] == "0x" + "1" * 40
    ]
    (change,) = appointed
    assert change["by"] == key
    assert change["compromised"]["reported_by"] == "CN"
    assert "KEY REPORTED COMPROMISED" in user.done("authority", "show", "CN.GD").out


def test_a_receipt_made_after_the_report_says_so_and_one_before_can_not(
    tmp_path: Path,
) -> None:
    """By the command line and by the verifier in JavaScript, against a block hash alone."""
    with running_anvil() as url:
        office = opened_office(HttpTransport(url), url, tmp_path)
        file, key = office.publish("a.md"), account("officer").address
        before, after = tmp_path / "before.json", tmp_path / "after.json"
        office.officer.done("prove", file, "--chain-proof", "-o", before)
        office.officer.done("authority", "compromised", "CN", key, "--since", "2020-01-01")
        office.officer.done("prove", file, "--chain-proof", "-o", after)
        for receipt, code, said in ((before, 0, False), (after, 4, True)):
            trusted = orjson.loads(receipt.read_bytes())["checkpoint"]["block"]["hash"]
            told = office.officer("verify", file, "--receipt", receipt, "--block-hash", trusted)
            assert (told.code, "WARNING" in told.out) == (code, said), told
            as_json = ("--block-hash", trusted, "--json")
            (checked,) = office.officer("verify", file, "--receipt", receipt, *as_json).json[
                "files"
            ]
            (registration,) = checked["verdict"]["registrations"]
            assert (registration["compromised"] is None) is not said
            node = shutil.which("node")
            assert node is not None
            script = ROOT / "api" / "web" / "verify.mjs"
            done = subprocess.run(
                [node, script, file, receipt, trusted], capture_output=True, text=True, check=False,
                timeout=60,
            )  # fmt: skip
            assert (done.returncode, "reported compromised" in done.stdout) == (code, said), done
