"""`polreg export`: the log, and its hashes, as files for others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

HELP = "Write the log for others to check, or to build a mirror from."

COMMANDS: dict[str, Callable[..., Any]] = {}
