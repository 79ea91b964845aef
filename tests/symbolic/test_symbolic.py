"""Proves the contract's properties with halmos, for all inputs within bounds.

What is proved, for which bounds and under which assumptions stands above each `check_` function
of the specifications beside this file (`*Symbolic.sol`). In all of them:

- the code is the contract's, compiled with the settings of scripts/compile.py: its libraries, and
  the registry as a whole, there on a storage that may hold anything at all. Of the whole it is
  proved that what an act must not do reverts, in a log of any size; what an act does is followed to
  its end for `record` alone, with one submission and no manifest, in small logs. Batches are
  proved to need each authority's role in one case only; long codes are opened, manifests
  published and roles changed without a proof: these are left to the tests of the contract;
- SHA-256 is an unknown function: any two inputs may have the same hash, unless a specification
  says that it assumes otherwise. Keccak-256 has no collisions: halmos assumes that by itself;
- gas is without limit, and storage slots of different mappings never coincide.

A property holds if halmos went through all paths and found no counterexample. A function named
`check_reachable_…` claims the opposite of something possible and must have a counterexample:
were the assumptions of its neighbours contradictory, it would have none.

SYMBOLIC_SIZE=24 takes the trees to 24 leaves instead of 16; at most 32.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from scripts.compile import ARTIFACT
from tests.anvil import ROOT, foundry_binary

HERE = Path(__file__).resolve().parent
PYTHON = ROOT / ".tools" / "halmos" / "bin" / "python"
OUT = "out/symbolic"
SPECIFICATIONS = sorted(path.stem for path in HERE.glob("*Symbolic.sol"))
AT_LEAST = 40
PASSED, COUNTEREXAMPLE = 0, 1

Result = dict[str, Any]


def _checks(specification: str) -> set[str]:
    return set(re.findall(r"function (check_\w+)", (HERE / f"{specification}.sol").read_text()))


def _is_property(check: str) -> bool:
    return not check.startswith("check_reachable_")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The specifications, built; and where halmos finds a forge that has nothing left to do.

    It would otherwise build again, and two of it at a time would share forge's cache.
    """
    variables = {**os.environ, "FOUNDRY_PROFILE": "symbolic"}
    forge = str(foundry_binary("forge"))
    command = [forge, "build", "--ast", "--extra-output", "storageLayout", "metadata"]
    (ROOT / OUT).mkdir(parents=True, exist_ok=True)
    with (ROOT / OUT / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.fail(f"the specifications do not compile:\n{done.stdout}{done.stderr}")
    nothing = shutil.which("true")
    assert nothing is not None
    binaries = tmp_path_factory.mktemp("bin")
    (binaries / "forge").symlink_to(nothing)
    return {**variables, "PATH": f"{binaries}{os.pathsep}{variables.get('PATH', '')}"}


def test_there_are_enough_properties_and_each_specification_can_be_refuted() -> None:
    checks = {name: _checks(name) for name in SPECIFICATIONS}
    assert sum(_is_property(check) for found in checks.values() for check in found) >= AT_LEAST
    assert [name for name, found in checks.items() if all(map(_is_property, found))] == []


def test_the_registry_is_the_shipped_bytecode(environment: dict[str, str]) -> None:
    built = json.loads((ROOT / OUT / "PolicyRegistry.sol" / "PolicyRegistry.json").read_bytes())
    assert built["bytecode"]["object"] == json.loads(ARTIFACT.read_bytes())["bytecode"]


@pytest.mark.parametrize("specification", SPECIFICATIONS)
def test_every_property_holds(
    specification: str, environment: dict[str, str], tmp_path: Path
) -> None:
    output = tmp_path / "results.json"
    log = _halmos(specification, environment, output)
    results = _results(output, log)
    assert {result["name"].partition("(")[0] for result in results} == _checks(specification)
    assert [problem for result in results for problem in _problems(result)] == [], log
    # Whatever halmos warns of (a loop cut short, a path given up, an unsound step) is a failure.
    assert re.findall(r"^(?:WARNING|ERROR).*", log, re.MULTILINE) == [], log


def _halmos(specification: str, environment: dict[str, str], output: Path) -> str:
    """What halmos said. A missing halmos is a failure, never a skip."""
    if not PYTHON.is_file():
        pytest.fail("halmos is not installed: run make .tools/halmos/.installed")
    options = {
        "--contract": specification,
        "--forge-build-out": OUT,
        "--json-output": str(output),
        "--loop": "1000",
        "--panic-error-codes": "*",
        "--solver-timeout-assertion": "0",
    }
    command = [str(PYTHON), str(HERE / "run_halmos.py"), "--no-status"]
    command += [word for option in options.items() for word in option]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    return done.stdout + done.stderr


def _results(output: Path, log: str) -> list[Result]:
    if not output.is_file():
        pytest.fail(f"halmos did not run:\n{log}")
    results: dict[str, list[Result]] = json.loads(output.read_bytes())["test_results"]
    return [result for contract in results.values() for result in contract]


def _problems(result: Result) -> list[str]:
    name = result["name"].partition("(")[0]
    expected = PASSED if _is_property(name) else COUNTEREXAMPLE
    problems = []
    if result["exitcode"] != expected:
        problems.append(f"{name}: exit code {result['exitcode']}, not {expected}")
    elif result["num_bounded_loops"] != 0:
        problems.append(f"{name}: not all of its loops were followed to their end")
    elif result["num_paths"][2] != 0:
        problems.append(f"{name}: some of its paths were given up")
    return problems
