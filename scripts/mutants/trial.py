"""A copy of the contracts and their forge tests, in which one mutant at a time is tried.

The tests are built once, from the sources as they are: what they take from them, an enum's
numbers for example, is the format that a mutant may break. For each mutant the bytecode that
they deploy is exchanged. It is compiled with the quickest settings, not with those that are
shipped, so what is about the shipped bytecode (gas, the artifact) is not run.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import solcx

from scripts.compile import CONTRACT, SETTINGS, SOURCE, collect_sources, compiler
from scripts.mutants.edits import ROOT, Mutant
from tests.anvil import foundry_binary

PROFILE = """
[profile.mutation]
additional_compiler_profiles = []
compilation_restrictions = []

[profile.mutation.invariant]
runs = 2
"""
TIMEOUT_SECONDS = 600
TREE = "tests/contract/Tree.t.sol"
INVARIANTS = "tests/contract/Invariant.t.sol"
# What holds the mutant's code: its source, its contract, and where forge keeps what it built.
REGISTRY = (SOURCE, CONTRACT)
TREE_TEST = (TREE, "TreeTest")


class TrialError(Exception):
    """forge did not run, or the tests fail without any edit."""


class Fate(StrEnum):
    KILLED = "killed"
    SURVIVED = "survived"
    EQUIVALENT = "equivalent"
    NOT_COMPILED = "not compiled"


@dataclass(frozen=True)
class Outcome:
    """`by` is the test that failed, if one did."""

    fate: Fate
    by: str | None = None


class Workshop:
    """One folder to try mutants in, one after the other."""

    def __init__(self, folder: Path) -> None:
        """Raises TrialError unless all tests pass without an edit."""
        self._folder = folder
        shutil.copytree(ROOT / "contracts", folder / "contracts")
        (folder / "tests/contract").mkdir(parents=True)
        for test in ROOT.glob("tests/contract/*.sol"):
            shutil.copy(test, folder / "tests/contract")
        (folder / "scripts").mkdir()
        shutil.copy(ROOT / "scripts/solcjs", folder / "scripts")
        (folder / "node_modules").symlink_to(ROOT / "node_modules")
        settings = (ROOT / "foundry.toml").read_text(encoding="utf-8")
        (folder / "foundry.toml").write_text(settings + PROFILE, encoding="utf-8")
        built = self._forge("build")
        if built.returncode != 0:
            raise TrialError(f"forge build:\n{built.stdout}{built.stderr}")
        outcome = self._test(tree_first=False, only_invariants=False)
        if outcome.fate is not Fate.SURVIVED:
            raise TrialError(f"fails without any edit: {outcome.by}")

    def outcome_of(self, mutant: Mutant, *, only_invariants: bool = False) -> Outcome:
        tree = mutant.file in ("MerkleTree.sol", "TreeProof.sol")
        try:
            code = {place: _compiled(place, mutant) for place in _places(tree=tree)}
        except solcx.exceptions.SolcError:
            return Outcome(Fate.NOT_COMPILED)
        original = {place: self._exchange(place, code[place]) for place in code}
        try:
            outcome = self._test(tree_first=tree, only_invariants=only_invariants)
        finally:
            for place in original:
                self._exchange(place, original[place])
        if outcome.fate is Fate.SURVIVED and mutant.equivalent is not None:
            return Outcome(Fate.EQUIVALENT)
        return outcome

    def _exchange(self, place: tuple[str, str], code: str) -> str:
        """Puts bytecode in the place of what forge built, which is returned."""
        source, contract = place
        path = self._folder / "out" / Path(source).name / f"{contract}.json"
        built = json.loads(path.read_bytes())
        before: str = built["bytecode"]["object"]
        built["bytecode"]["object"] = code
        path.write_text(json.dumps(built), encoding="utf-8")
        return before

    def _test(self, *, tree_first: bool, only_invariants: bool) -> Outcome:
        """The quick tests, the tree's and the invariants, as far as the first that fails."""
        stages = [
            ["--no-match-path", f"{{{TREE},{INVARIANTS}}}"],
            ["--match-path", TREE],
            ["--match-path", INVARIANTS],
        ]
        if tree_first:
            stages[:2] = stages[1::-1]
        for stage in stages[2:] if only_invariants else stages:
            outcome = self._run(stage)
            if outcome.fate is not Fate.SURVIVED:
                return outcome
        return Outcome(Fate.SURVIVED)

    def _run(self, tests: list[str]) -> Outcome:
        try:
            done = self._forge("test", "--json", "--fail-fast", *tests)
        except subprocess.TimeoutExpired:
            return Outcome(Fate.KILLED, "no end")
        try:
            suites = json.loads(done.stdout)
        except ValueError as error:
            raise TrialError(f"forge test:\n{done.stdout}{done.stderr}") from error
        for suite, results in suites.items():
            for test, result in results["test_results"].items():
                if result["status"] == "Failure":
                    name = f"{suite.partition(':')[2]}.{test.partition('(')[0]}"
                    return Outcome(Fate.KILLED, name)
        return Outcome(Fate.SURVIVED)

    def _forge(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(foundry_binary("forge")), *arguments],
            cwd=self._folder,
            env={**os.environ, "FOUNDRY_PROFILE": "mutation"},
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_SECONDS,
        )


def _places(*, tree: bool) -> list[tuple[str, str]]:
    return [REGISTRY, TREE_TEST] if tree else [REGISTRY]


def _compiled(place: tuple[str, str], mutant: Mutant) -> str:
    """The mutant's creation code. Raises SolcError if it does not compile."""
    source, contract = place
    sources = collect_sources(source)
    sources[f"contracts/{mutant.file}"] = {"content": mutant.source}
    request: dict[str, Any] = {
        "language": "Solidity",
        "sources": sources,
        "settings": {
            "evmVersion": SETTINGS["evmVersion"],
            "metadata": SETTINGS["metadata"],
            "outputSelection": {source: {contract: ["evm.bytecode.object"]}},
        },
    }
    output = solcx.compile_standard(request, solc_binary=compiler())
    return "0x" + str(output["contracts"][source][contract]["evm"]["bytecode"]["object"])
