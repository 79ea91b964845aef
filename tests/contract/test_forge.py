"""Runs the contract's own tests (`*.t.sol`) with forge and reports what failed there."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest

from scripts.compile import ARTIFACT
from tests.anvil import ROOT, foundry_binary

Results = dict[str, dict[str, dict[str, dict[str, str]]]]


def test_the_contracts_own_tests_pass_against_the_shipped_bytecode() -> None:
    """One test, since two runs of forge at a time would share its cache."""
    results = _run()
    assert list(_failures(results)) == []
    written = {str(path.relative_to(ROOT)) for path in ROOT.glob("tests/contract/*.t.sol")}
    assert {contract.partition(":")[0] for contract in results} == written
    assert all(suite["test_results"] for suite in results.values())
    built = json.loads((ROOT / "out/PolicyRegistry.sol/PolicyRegistry.json").read_bytes())
    assert built["bytecode"]["object"] == json.loads(ARTIFACT.read_bytes())["bytecode"]


def _run() -> Results:
    command = [str(foundry_binary("forge")), "test", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    try:
        results: Results = json.loads(done.stdout)
    except ValueError:
        pytest.fail(f"forge test did not run:\n{done.stdout}{done.stderr}")
    return results


def _failures(results: Results) -> Iterator[str]:
    for contract, suite in results.items():
        for test, result in suite["test_results"].items():
            if result["status"] != "Success":
                yield f"{contract} {test}: {result['reason']}"
