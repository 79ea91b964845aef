"""The commands of docs/auditing.md, run in the order it shows them."""

from __future__ import annotations

import csv
import re
import shlex
import shutil
from pathlib import Path

from registry.core.auditing.findings import Outcome
from tests.integration.command_line import User
from tests.integration.test_audit import serving

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "auditing.md").read_text("utf-8")
COMMANDS = [
    line
    for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.M | re.S)
    for line in block.splitlines()
]


def test_every_result_is_explained() -> None:
    told = re.findall(r"^\| ([a-z ,]+?) \|", PAGE, re.M)
    assert set(told) - {"result"} == {each.value for each in Outcome}


def test_the_commands_work_as_they_stand(
    user: User, corpus: Path, tmp_path: Path, monkeypatch: object
) -> None:
    export = tmp_path / "export"
    export.mkdir()
    with (corpus / "index.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["authority"] == "CN.GD"][:3]
    for number, row in enumerate(rows):
        shutil.copy(corpus / row["path"], export / f"{number}.md")
        row["path"] = f"export/{number}.md"
    with (tmp_path / "index.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    user.done("import", tmp_path / "index.csv", "--open-authorities")
    monkeypatch.chdir(tmp_path)  # type: ignore[attr-defined]
    assert len(COMMANDS) == 5
    for command in COMMANDS:
        first, *words = shlex.split(command)
        assert first == "polreg"
        user.done(*words)
    listed = re.search(r"^```text\n(.*?)^```", PAGE, re.M | re.S)
    assert listed is not None
    with serving(export) as url:
        text = listed.group(1).replace("http://127.0.0.1:8080/laws/notice.txt", f"{url}/0.md")
        (tmp_path / "list.txt").write_text(text)
        user.done("audit", "list.txt")
