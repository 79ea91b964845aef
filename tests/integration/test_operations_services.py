"""docs/operations.md and deploy/: what they say of the services is what the services do."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import orjson
import pytest
from packaging.requirements import Requirement
from prometheus_client.parser import text_string_to_metric_families

from registry.config import settings_from
from registry.core.following import State
from registry.services.workspace import Workspace
from tests.anvil import ROOT
from tests.integration.api_registry import running
from tests.integration.command_line import User
from tests.integration.test_status import following

PAGE = (ROOT / "docs" / "operations.md").read_text("utf-8")
DEPLOY = ROOT / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))
# Those for databases are run by test_operations_page.py.
BLOCKS = [
    block
    for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.M | re.S)
    if "registry" not in block
]


def section(heading: str) -> str:
    return PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def test_the_commands_work_as_they_stand(user: User) -> None:
    assert len(BLOCKS) == 3
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("POLREG_")},
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "POLREG_HOME": str(user.home),
        "PYTHONPATH": str(ROOT),
    }
    ended = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "".join(BLOCKS).replace("9464", "18737")],
        cwd=user.home, env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert 'polreg_follower_state{state="following"}' in ended.stdout
    assert "follower following since" in ended.stdout


def test_every_metric_is_in_the_table_and_nothing_else_is(user: User) -> None:
    with Workspace(settings_from({"POLREG_HOME": str(user.home)})) as opened:
        following(opened).once()
        with running(opened.settings, follow_seconds=None) as client:
            families = text_string_to_metric_families(client.get("/metrics").text)
            told = {sample.name for family in families for sample in family.samples}
    # Of a fault that was met; none was.
    ours = {name for name in told if name.startswith("polreg_")}
    ours |= {"polreg_fault_last_timestamp_seconds", "polreg_entries_per_second"}
    listed = re.findall(r"`(polreg_\w+)", section("Status and metrics"))
    assert set(listed) == ours


def test_every_state_is_named() -> None:
    assert all(f"`{state.value}`" in section("Status and metrics") for state in State)


def test_the_events_that_it_shows_are_of_the_form_that_is_written() -> None:
    (block,) = re.findall(r"^```json\n(.*?)^```", section("Logs"), re.M | re.S)
    for line in block.splitlines():
        assert list(orjson.loads(line))[:4] == ["timestamp", "level", "event", "logger"]


def test_what_it_leads_to_is_there() -> None:
    for page in re.findall(r"\]\(([a-z]+\.md)[)#]", PAGE):
        assert (ROOT / "docs" / page).is_file()
    for name in re.findall(r"deploy/([\w.]+)", PAGE):
        assert name == ".env" or (DEPLOY / name).exists(), name


def unit(path: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, delimiters="=", interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(path.read_text("utf-8"))
    return parser


def options_of(user: User, command: str) -> str:
    return user.done(command, "--help").out


def assert_a_command(user: User, words: list[str]) -> None:
    """That polreg has this command with these options."""
    known = options_of(user, words[0])
    assert all(word in known for word in words if word.startswith("--")), words


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_runs_a_command_that_there_is(user: User, path: Path) -> None:
    service = unit(path)["Service"]
    program, *words = shlex.split(service["ExecStart"])
    assert program == "/opt/polreg/bin/polreg"
    assert_a_command(user, words)
    assert service["Type"] == "notify"
    assert service["RestartPreventExitStatus"] == "2"
    assert service["User"] == "polreg"
    assert service["StateDirectory"] == "polreg"
    assert service["NoNewPrivileges"] == "yes"
    assert service["ProtectSystem"] == "strict"


def test_what_the_containers_run_is_there(user: User) -> None:
    text = (DEPLOY / "compose.yaml").read_text("utf-8")
    commands = [orjson.loads(found) for found in re.findall(r"command: (\[.*\])", text)]
    assert [words[0] for words in commands] == ["sync", "serve"]
    for words in commands:
        assert_a_command(user, words)
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", (DEPLOY / "Dockerfile").read_text(), re.M)
    for name in " ".join(copied).split():
        assert (ROOT / name).exists(), name


def test_every_setting_that_is_named_is_one() -> None:
    known = set(re.findall(r"POLREG_\w+", (ROOT / "registry" / "config.py").read_text()))
    for path in (*DEPLOY.glob("*.service"), DEPLOY / "compose.yaml", DEPLOY / "polreg.env.example"):
        assert set(re.findall(r"POLREG_\w+", path.read_text())) <= known, path
    assert set(re.findall(r"POLREG_\w+", PAGE)) <= known


def pins(path: Path) -> dict[str, str]:
    """Each pinned package with its version and hashes."""
    found = re.findall(r"^([\w.-]+)==(.*?)(?=^\S|\Z)", path.read_text("utf-8"), re.M | re.S)
    return {name.lower().replace("_", "-"): " ".join(pin.split()) for name, pin in found}


def test_the_image_has_the_versions_that_were_tested() -> None:
    tested, shipped = pins(ROOT / "constraints.txt"), pins(DEPLOY / "requirements.txt")
    assert len(shipped) > 40
    for name, pin in shipped.items():
        # A marker may differ: fewer packages ask for it.
        version, hashes = pin.split()[0], set(re.findall(r"sha256:\w+", pin))
        assert version == tested[name].split()[0], name
        assert hashes == set(re.findall(r"sha256:\w+", tested[name])), name


def test_the_image_lacks_nothing_that_is_needed_to_run() -> None:
    shipped = pins(DEPLOY / "requirements.txt")
    wanted = [Requirement("policy-registry[serve,postgres,websocket,fast]")]
    seen: set[str] = set()
    while wanted:
        each = wanted.pop()
        for extra in each.extras or {""}:
            key = f"{each.name.lower().replace('_', '-')}[{extra}]"
            if key in seen:
                continue
            seen.add(key)
            try:
                below = map(Requirement, requires(each.name) or ())
            except PackageNotFoundError:
                continue
            wanted += [
                one for one in below if one.marker is None or one.marker.evaluate({"extra": extra})
            ]
    names = {key.partition("[")[0] for key in seen} - {"policy-registry"}
    assert names <= shipped.keys(), names - shipped.keys()
