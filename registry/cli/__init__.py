"""The command `polreg`: parse, call a service, print, exit code."""

from __future__ import annotations


def main() -> None:
    """Entry point of the `polreg` script."""
    from registry.cli.app import build

    build()()
