"""Seconds a file of `polreg verify DIR --json` beside `openssl dgst -sha256`, as JSON.

    python scripts/bench/verify.py

The corpus ten times over, every file registered. Start-up, measured as the same
command on one file, is taken off on our side; on openssl's it is left in. Goal: at
most 4 times openssl's seconds.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import CORPUS, interleaved, median, median_ratio, registry_on_anvil, run

COPIES = 10
ROUNDS = 5


def main() -> None:
    if not CORPUS.is_dir():
        raise SystemExit("the corpus is not there: this measurement needs ../shared/corpus")
    polreg = str(Path(sys.executable).with_name("polreg"))
    with tempfile.TemporaryDirectory() as folder:
        home, files = Path(folder) / "home", Path(folder) / "files"
        environment = {"POLREG_HOME": str(home)}
        for number in range(COPIES):
            for part in ("cn", "dc"):
                shutil.copytree(CORPUS / part, files / str(number) / part)
        paths = sorted(str(path) for path in files.rglob("*") if path.is_file())
        listing = Path(folder) / "listing"
        listing.write_bytes(b"".join(path.encode() + b"\0" for path in paths))
        with registry_on_anvil(home) as opened:
            environment["POLREG_RPC_URL"] = str(opened.settings.rpc_url)
            environment["POLREG_PRIVATE_KEY"] = str(opened.settings.private_key)
            subprocess.run(
                [polreg, "import", str(CORPUS / "index.csv"), "--json"],
                env={**_environment(), **environment},
                stdout=subprocess.DEVNULL,
                check=False,  # it ends with 1: four rows of the corpus can not be published
            )
            verify = [polreg, "verify", "--json"]
            openssl = ["xargs", "-0", "-a", str(listing), "openssl", "dgst", "-sha256"]
            found = interleaved(
                ROUNDS,
                {
                    "verify_all": lambda: run([*verify, str(files)], environment).wall,
                    "verify_one": lambda: run([*verify, paths[0]], environment).wall,
                    "openssl": lambda: run(openssl).wall,
                },
            )
    count = len(paths)
    ours = [
        (whole - one) / count
        for whole, one in zip(found["verify_all"], found["verify_one"], strict=True)
    ]
    theirs = [seconds / count for seconds in found["openssl"]]
    print(
        json.dumps(
            {
                "files": count,
                "rounds": ROUNDS,
                "wall_seconds": {name: median(values) for name, values in found.items()},
                "microseconds_a_file": {
                    "polreg_verify": median([1e6 * each for each in ours]),
                    "openssl": median([1e6 * each for each in theirs]),
                },
                "ratio": median_ratio(ours, theirs),
                "goal": 4,
            },
            indent=2,
        )
    )


def _environment() -> dict[str, str]:
    import os

    return dict(os.environ)


if __name__ == "__main__":
    main()
