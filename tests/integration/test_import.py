"""An import says beforehand what it will do, afterwards what it did, and between them how to go
on."""

from __future__ import annotations

import csv
import signal
import subprocess
from pathlib import Path
from typing import Any

import orjson
import pytest

from registry.chain.rpc import HttpTransport
from tests.integration.command_line import User
from tests.integration.test_outbox import started, wait_for

HEADER = "path,authority,number,title,language,type,issued,effective_from\n"
ROWS = 60


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """Sixty documents, of which ten amend; and one that is not there."""
    lines = [HEADER]
    for number in range(ROWS):
        (tmp_path / f"{number}.md").write_text(f"第{number}号文件。\n" * 20, "utf-8")
        of, year = (number - 50, 2021) if number >= 50 else (number, 2020)
        lines.append(f"{number}.md,CN.GD,粤府〔2020〕{of}号,第{of}号,zh,notice,{year}-01-01,\n")
    lines.append("gone.md,CN.GD,x,没有,zh,notice,2020-01-01,\n")
    made = tmp_path / "index.csv"
    made.write_text("".join(lines), "utf-8")
    return made


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_dry_run_says_what_an_import_then_does_and_does_none_of_it(
    anvil_user: User, index: Path, tmp_path: Path
) -> None:
    before = anvil_user.done("status", "--json").json["node"]["head"]
    told = anvil_user("import", index, "--dry-run", "--json").json
    assert anvil_user("outbox", "list", "--json").json["acts"] == []
    assert anvil_user.done("status", "--json").json["node"]["head"] == before
    done = anvil_user("import", index, "--json", "--report", tmp_path / "report").json
    assert (told["would_publish"], told["would_amend"]) == (50, 10)
    assert told["refused"] == done["refused"]
    assert told["transactions"] == done["transactions"]
    assert told["gas"] == pytest.approx(done["gas_used"], rel=0.1)
    assert told["cost"] > 0
    assert done["paid"] > 0


def test_a_report_has_every_row_with_its_entry_and_transaction_or_the_reason(
    anvil_user: User, index: Path, tmp_path: Path
) -> None:
    transport = HttpTransport(anvil_user.settings["POLREG_RPC_URL"])
    for outcome in ("published", "already in the registry"):
        assert anvil_user("import", index, "--report", tmp_path / "report").code == 1
        rows = table(tmp_path / "report.csv")
        whole: Any = orjson.loads((tmp_path / "report.json").read_bytes())
        assert [
            {k: "" if v is None else str(v) for k, v in row.items()} for row in whole["rows"]
        ] == rows
        assert [row["outcome"] for row in rows] == [outcome] * ROWS + ["not published"]
        assert rows[-1]["reason"] == "there is no such file"
        assert len({row["entry"] for row in rows[:-1]}) == ROWS
        for row in rows[:-1:20]:
            assert transport.request("eth_getTransactionReceipt", [row["transaction"]])
            shown = anvil_user("verify", index.parent / row["path"], "--json").json
            (found,) = shown["files"]
            assert row["policy_id"] in orjson.dumps(found).decode()
    transport.close()


def test_an_authority_that_was_opened_meanwhile_is_no_refusal(
    anvil_user: User, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a call of a run that was interrupted, say, which came in after this one had looked."""
    monkeypatch.setattr(
        "registry.services.importing.missing_authorities", lambda codes, _client: list(codes)
    )
    assert anvil_user("import", first_of(index, 2), "--open-authorities").code == 0


def test_ctrl_c_says_what_is_in_line_and_leaves_a_report(
    anvil_user: User, index: Path, tmp_path: Path
) -> None:
    transport = HttpTransport(anvil_user.settings["POLREG_RPC_URL"])
    assert anvil_user("import", first_of(index, 1)).code == 0
    transport.request("evm_setAutomine", [False])
    report = tmp_path / "report"
    process = started(anvil_user, "import", index, "--report", report, err=subprocess.PIPE)
    try:
        wait_for(lambda: len(anvil_user("outbox", "list", "--json").json["acts"]) > ROWS - 20)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    finally:
        transport.request("evm_setAutomine", [True])
        transport.request("anvil_mine", ["0x1"])
        transport.close()
    assert process.returncode == 130
    assert b"are in line" in err
    assert b"polreg outbox run" in err
    outcomes = [row["outcome"] for row in table(tmp_path / "report.csv")]
    assert "in line" in outcomes
    anvil_user.done("outbox", "run")
    again = anvil_user("import", index, "--json").json
    assert (again["published"], again["already_present"]) == (0, ROWS)


def first_of(index: Path, rows: int) -> Path:
    few = index.with_name("few.csv")
    few.write_text("".join(index.read_text("utf-8").splitlines(keepends=True)[: rows + 1]), "utf-8")
    return few
