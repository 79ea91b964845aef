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

from scripts.compile import CONTRACT, SETTINGS, SOURCE, collect_sources
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
QUICK = ("Authority", "Lifecycle", "Record", "Retire", "Signature")
INVARIANTS = ("Invariant",)
ANSWERS_OF_ONE = 20
COMPILER = ROOT / "scripts/solcjs"
# What holds the mutant's code: a source and a contract of it.
REGISTRY = (SOURCE, CONTRACT)
TREE_TEST = ("tests/contract/Tree.t.sol", "TreeTest")
TREE_FILES = ("MerkleTree.sol", "TreeProof.sol")


class TrialError(Exception):
    """forge did not run, or the tests fail without any edit."""


class NotCompiledError(Exception):
    """The mutant is no valid source."""


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
        self._copy_compiler()
        (folder / "node_modules").symlink_to(ROOT / "node_modules")
        settings = (ROOT / "foundry.toml").read_text(encoding="utf-8")
        (folder / "foundry.toml").write_text(settings + PROFILE, encoding="utf-8")
        built = self._forge("build")
        if built.returncode != 0:
            raise TrialError(f"forge build:\n{built.stdout}{built.stderr}")
        outcome = self._test(only_invariants=False)
        if outcome.fate is not Fate.SURVIVED:
            raise TrialError(f"fails without any edit: {outcome.by}")
        self._compiler = Compiler()

    def close(self) -> None:
        self._compiler.close()

    def outcome_of(self, mutant: Mutant, *, only_invariants: bool = False) -> Outcome:
        places = [REGISTRY, TREE_TEST] if mutant.file in TREE_FILES else [REGISTRY]
        try:
            code = {place: self._compiler.creation_code(place, mutant) for place in places}
        except NotCompiledError:
            return Outcome(Fate.NOT_COMPILED)
        original = {place: self._exchange(place, code[place]) for place in code}
        try:
            outcome = self._test(only_invariants=only_invariants)
        finally:
            for place in original:
                self._exchange(place, original[place])
        if outcome.fate is Fate.SURVIVED and mutant.equivalent is not None:
            return Outcome(Fate.EQUIVALENT)
        return outcome

    def _copy_compiler(self) -> None:
        """One that says its version without being loaded: forge asks for it at each start."""
        version = subprocess.run(
            [COMPILER, "--version"], capture_output=True, text=True, check=True
        )
        (self._folder / "scripts/version").write_text(version.stdout, encoding="utf-8")
        wrapper = self._folder / "scripts/solcjs"
        asked = '[ "$1" = --version ] && exec cat "$(dirname "$0")/version"'
        wrapper.write_text(f"#!/bin/sh\n{asked}\nexec '{COMPILER}' \"$@\"\n", encoding="utf-8")
        wrapper.chmod(0o755)

    def _exchange(self, place: tuple[str, str], code: str) -> str:
        """Puts bytecode in the place of what forge built, which is returned."""
        source, contract = place
        path = self._folder / "out" / Path(source).name / f"{contract}.json"
        built = json.loads(path.read_bytes())
        before: str = built["bytecode"]["object"]
        built["bytecode"]["object"] = code
        path.write_text(json.dumps(built), encoding="utf-8")
        return before

    def _test(self, *, only_invariants: bool) -> Outcome:
        """The quick tests, the others and the invariants, as far as the first that fails."""
        stages = [
            ["--match-path", _paths(*QUICK)],
            ["--no-match-path", _paths(*QUICK, *INVARIANTS)],
            ["--match-path", _paths(*INVARIANTS)],
        ]
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


def _paths(*suites: str) -> str:
    return f"tests/contract/{{{','.join(suites)}}}.t.sol"


class Compiler:
    """The pinned solc, loaded anew before it runs out of memory, and the sources, read once."""

    def __init__(self) -> None:
        self._sources = {place: collect_sources(place[0]) for place in (REGISTRY, TREE_TEST)}
        self._process = _loaded()
        self._answers = 0

    def close(self) -> None:
        self._process.communicate()

    def creation_code(self, place: tuple[str, str], mutant: Mutant) -> str:
        """Raises NotCompiledError if the mutant is no valid source."""
        source, contract = place
        mutated = {f"contracts/{mutant.file}": {"content": mutant.source}}
        output = self._answer(
            {
                "language": "Solidity",
                "sources": self._sources[place] | mutated,
                "settings": {
                    "evmVersion": SETTINGS["evmVersion"],
                    "metadata": SETTINGS["metadata"],
                    "outputSelection": {source: {contract: ["evm.bytecode.object"]}},
                },
            }
        )
        if any(error["severity"] == "error" for error in output.get("errors", [])):
            raise NotCompiledError
        return "0x" + str(output["contracts"][source][contract]["evm"]["bytecode"]["object"])

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        self._answers += 1
        if self._answers % ANSWERS_OF_ONE == 0:
            self.close()
            self._process = _loaded()
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise TrialError("the compiler has no pipes")
        try:
            stdin.write(json.dumps(request) + "\n")
            stdin.flush()
            answer: dict[str, Any] = json.loads(stdout.readline())
        except (BrokenPipeError, ValueError) as error:
            raise TrialError("the compiler ended") from error
        return answer


def _loaded() -> subprocess.Popen[str]:
    command = ["node", ROOT / "scripts/mutants/compiler.js"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
