"""docs/registrar.md: the chain of command and joint issue, run as the page shows them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from string import Template

import pytest

from registry.core.joint import Endorsed
from tests.conftest import ROOT
from tests.integration.command_line import User

PAGE = (ROOT / "docs" / "registrar.md").read_text("utf-8")
COMMAND, JOINT = (
    re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S)[0]
    for title in ("The chain of command", "Joint issue")
)
NEXT = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


def run(section: str, user: User, monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    """Run all that a section shows, line by line; what was printed."""
    monkeypatch.chdir(user.home.parent)
    blocks = re.findall(r"^```sh\n(.*?)^```", section, re.M | re.S)
    said = ""
    for line in "".join(blocks).replace("\\\n", " ").splitlines():
        program, *words = shlex.split(Template(line).substitute(variables))
        assert program == "polreg"
        said += user.done(*words).out
    return said


def test_the_chain_of_command_is_as_the_page_shows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = User(tmp_path / "home", {})
    contract = user.done("init", "--json").json["contract"].rpartition(":")[2]
    said = run(COMMAND, user, monkeypatch, NEXT=NEXT, CONTRACT=contract)
    assert "controllers of CN.GD now: 0x" in said
    assert f"the role is offered to {NEXT}, who can accept it after" in said
    assert f"reported compromised: controller {NEXT} of CN" in said
    assert "closed" in user.done("status").out


def test_a_joint_issue_is_as_the_page_shows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = User(tmp_path / "home", {})
    user.done("init")
    for code in ("CN.GD", "CN.GX", "CN.YN"):
        user.done("authority", "open", code, "--parents")
    (tmp_path / "joint.md").write_text("Article 1.\n", "utf-8")
    said = run(JOINT, user, monkeypatch)
    assert "issued by CN.GD, CN.GX (endorsed), CN.YN (not endorsed yet)" in said


def test_the_page_names_all_that_a_body_may_have_said() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", JOINT, re.M)) - {"state"} == set(Endorsed)
