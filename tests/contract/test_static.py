"""What slither and solhint say of the contracts, and that they would say it.

Neither may be silent because it did not run: both must find what is wrong with Careless.sol.
"""

from __future__ import annotations

import subprocess

import pytest

from scripts.analyse import ACCEPTED, analyse
from tests.anvil import ROOT, foundry_binary

SOURCES = ("contracts/PolicyRegistry.sol", "contracts/examples/PilotSubsidyFund.sol")
CARELESS = "tests/contract/Careless.sol"


def test_slither_finds_nothing_of_weight_in_the_contracts() -> None:
    findings = analyse(*SOURCES)
    assert [finding for finding in findings if not finding.accepted] == []
    assert {finding.check for finding in findings} == set(ACCEPTED), (
        "no kind is accepted for nothing"
    )


def test_slither_finds_what_is_wrong_with_a_careless_contract() -> None:
    grave = {finding.check for finding in analyse(CARELESS) if not finding.accepted}
    assert grave >= {"reentrancy-eth", "unchecked-lowlevel", "arbitrary-send-eth", "tx-origin"}


def test_solhint_has_no_warning_for_the_contracts() -> None:
    done = solhint("contracts/**/*.sol")
    assert done.returncode == 0, done.stdout + done.stderr


def test_solhint_warns_of_a_careless_contract() -> None:
    done = solhint(CARELESS)
    assert done.returncode == 1
    assert {"avoid-tx-origin", "no-unchecked-calls"} <= set(done.stdout.split())


def test_the_sources_are_formatted() -> None:
    command = [str(foundry_binary("forge")), "fmt", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def solhint(pattern: str) -> subprocess.CompletedProcess[str]:
    command = ROOT / "node_modules" / ".bin" / "solhint"
    if not command.is_file():
        pytest.fail("solhint is missing: run npm ci")
    words = [
        str(command),
        "--config",
        ".solhintrc.yaml",
        "--max-warnings",
        "0",
        "--noPoster",
        "--disc",
        pattern,
    ]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
