"""Call the contract's functions a million times in any order, and hold each against the rules.

    python scripts/soak.py                 1,000,000 calls; about an hour and a half
    python scripts/soak.py --runs 50       50 runs of 2,000 calls
    python scripts/soak.py --seed 0x1a2b   as before, when a run that printed this seed failed

Runs InvariantTest with forge, from a seed that is new each time and is printed first. Ends with
JSON: the seed, how many calls were made, and how many of them broke an invariant; exit code 1
if any did, after what forge says of it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import secrets
import subprocess
import sys
import time

from tests.anvil import ROOT, foundry_binary

_PASSED = re.compile(r"\[PASS\] invariant\w+\(\) \(runs: (\d+), calls: (\d+), reverts: (\d+)\)")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, help="runs of 2,000 calls, other than 500")
    parser.add_argument("--seed", help="a number in hexadecimal, other than a new one")
    arguments = parser.parse_args()
    seed = arguments.seed or f"0x{secrets.token_hex(8)}"
    print(f"seed {seed}", file=sys.stderr, flush=True)
    environment = {**os.environ, "FOUNDRY_PROFILE": "soak"}
    if arguments.runs is not None:
        environment["FOUNDRY_INVARIANT_RUNS"] = str(arguments.runs)
    command = [str(foundry_binary("forge")), "test", "--match-contract", "InvariantTest"]
    started = time.monotonic()
    done = subprocess.run(
        [*command, "--fuzz-seed", seed],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    passed = _PASSED.search(done.stdout)
    if done.returncode != 0 or passed is None:
        print(done.stdout, file=sys.stderr)
        return 1
    calls = int(passed[2])
    seconds = time.monotonic() - started
    report = {"seed": seed, "runs": int(passed[1]), "calls": calls, "violations": 0}
    print(json.dumps({**report, "calls_per_second": round(calls / seconds, 1)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
