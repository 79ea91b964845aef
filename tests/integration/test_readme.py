"""Every command that the README shows is run, in one shell, in the order it shows them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCKS = re.findall(r"^```sh\n(.*?)^```", (ROOT / "README.md").read_text("utf-8"), re.M | re.S)

# What sets up this very environment; `make demo` ends only when it is interrupted.
OF_MAKE = ("make demo\nmake test\n",)
OF_THE_SHELL = (". .venv/bin/activate\n",)


def script() -> str:
    blocks = [block for block in BLOCKS if block not in OF_MAKE]
    text = "".join(blocks)
    for line in OF_THE_SHELL:
        assert line in text
        text = text.replace(line, "")
    return text


def test_the_readme_s_commands_work_as_they_stand(tmp_path: Path) -> None:
    assert all(block in BLOCKS for block in OF_MAKE)
    # A free port each: the README's own may be taken.
    text = script()
    text = text.replace("8000", "18734").replace("8546", "18735").replace("9464", "18738")
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("POLREG_")},
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "POLREG_HOME": str(tmp_path / "home"),
    }
    # Not through a pipe: what the script leaves running would keep it open.
    output = tmp_path / "output.txt"
    with output.open("w") as written:
        ended = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text],
            cwd=tmp_path, env=environment, stdout=written, stderr=subprocess.STDOUT,
            check=False, timeout=300,
        )  # fmt: skip
    said = output.read_text("utf-8")
    assert ended.returncode == 0, said
    assert "exact: as published · in force" in said
    assert (tmp_path / "snapshot.ndjson").stat().st_size > 0


@pytest.mark.parametrize("target", ["demo", "test"])
def test_make_knows_the_two_commands(target: str) -> None:
    make = shutil.which("make")
    assert make is not None
    planned = subprocess.run(
        [make, "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert planned.returncode == 0, planned.stderr
    expected = {"demo": "polreg demo", "test": "pytest"}[target]
    assert expected in planned.stdout


def test_the_demo_does_what_the_readme_says(tmp_path: Path) -> None:
    polreg = Path(sys.executable).with_name("polreg")
    environment = {**os.environ, "POLREG_HOME": str(tmp_path)}
    for _ in range(2):
        ended = subprocess.run(
            [polreg, "demo", "--no-serve"],
            env=environment, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr
        for expected in ("exact, in force", "unknown", "exact, amended", "exact, repealed"):
            assert f"-> {expected} (" in ended.stdout
        assert re.search(r"CN-JS +█+ 4\n", ended.stdout)
        assert "23 policies" in ended.stdout
        assert re.search(r"root [0-9a-f]{64}\n", ended.stdout)
