"""The command `polreg`: parse, call a service, print, exit code."""

from __future__ import annotations


def main() -> None:
    """Entry point of the `polreg` script."""
    import os
    import sys

    # eth-hash chooses once, at the first hash; this backend is six times as fast.
    os.environ.setdefault("ETH_HASH_BACKEND", "pysha3")
    from registry.cli.app import build

    build(sys.argv[1:])()
