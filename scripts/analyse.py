"""Run slither over the contracts and their examples. Prints what it finds, as JSON.

    make .tools/slither/.installed
    python scripts/analyse.py

Exits with 1 for any finding of high or medium weight: it is to be put otherwise, or suppressed
beside the code with the reason. Of the lighter kinds only those listed here, with why, may occur.
The sources are compiled by the pinned compiler; slither compiles nothing and fetches nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import solcx

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.compile import (  # noqa: E402
    SETTINGS,
    SOLC_VERSION,
    CompileError,
    collect_sources,
    compiler,
)
from tests.anvil import foundry_binary  # noqa: E402

SLITHER = ROOT / ".tools" / "slither" / "bin" / "slither"
OUTPUTS = ["abi", "evm.bytecode", "evm.deployedBytecode", "devdoc", "userdoc"]
GRAVE = frozenset({"High", "Medium"})
ACCEPTED = {
    "timestamp": "deadlines and dates are what they are compared for; a validator's seconds do "
    "not matter to either",
    "calls-loop": "the example asks the registry, which it trusts, once for each entry it is shown",
    "assembly": "hashing without copying, and slots without bounds checks that can not fail",
}
"""The lighter kinds of finding that are there to stay."""


class AnalysisError(Exception):
    """Slither is missing, or did not run to its end."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of one detector: its name, its weight as slither says it, and where."""

    check: str
    impact: str
    description: str

    @property
    def accepted(self) -> bool:
        return self.impact not in GRAVE and self.check in ACCEPTED


def analyse(*sources: str) -> list[Finding]:
    """What slither finds in `sources`, names as they are imported, and in what they import of ours.

    Raises AnalysisError or CompileError.
    """
    if not SLITHER.is_file():
        raise AnalysisError("slither is missing: run make .tools/slither/.installed")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "build.json").write_text(json.dumps(_build(sources)), encoding="utf-8")
        command = [
            str(SLITHER), str(ROOT), "--ignore-compile", "--json", "-",
            "--foundry-build-info-directory", folder, "--filter-paths", "node_modules",
        ]  # fmt: skip
        forge = str(foundry_binary("forge").parent)
        environment = {**os.environ, "PATH": os.pathsep.join((forge, os.environ["PATH"]))}
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=environment, cwd=ROOT
        )
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        raise AnalysisError(f"slither did not run:\n{done.stdout}{done.stderr}") from None
    if not answer["success"]:
        raise AnalysisError(f"slither did not run: {answer['error']}")
    return list(_findings(answer["results"]))


def _findings(results: dict[str, Any]) -> Iterator[Finding]:
    for found in results.get("detectors", []):
        yield Finding(found["check"], found["impact"], found["description"].strip())


def _build(names: tuple[str, ...]) -> dict[str, Any]:
    """The compiler's input and output, as slither reads them of a build."""
    sources: dict[str, dict[str, str]] = {}
    for name in names:
        sources |= collect_sources(name)
    request = {
        "language": "Solidity",
        "sources": dict(sorted(sources.items())),
        "settings": {
            "evmVersion": SETTINGS["evmVersion"],
            "outputSelection": {"*": {"*": OUTPUTS, "": ["ast"]}},
        },
    }
    try:
        output = solcx.compile_standard(request, solc_binary=compiler())
    except solcx.exceptions.SolcError as error:
        raise CompileError(error.message) from error
    return {"solcVersion": SOLC_VERSION, "input": request, "output": output}


def main() -> int:
    try:
        findings = analyse(
            "contracts/PolicyRegistry.sol", "contracts/examples/PilotSubsidyFund.sol"
        )
    except (AnalysisError, CompileError) as error:
        print(error, file=sys.stderr)
        return 2
    refused = [finding for finding in findings if not finding.accepted]
    by_impact = Counter(finding.impact for finding in findings)
    print(
        json.dumps(
            {
                "high": by_impact["High"],
                "medium": by_impact["Medium"],
                "accepted": Counter(finding.check for finding in findings if finding.accepted),
                "refused": [asdict(finding) for finding in refused],
            },
            indent=2,
        )
    )
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
