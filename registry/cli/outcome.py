"""The one place where errors become words and exit codes.

Exit codes: 0 verified and in force, or done; 1 not verified, or refused; 2 usage;
3 could not check; 4 authentic but not in force.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import typer

from registry.errors import (
    CouldNotCheck,
    InputError,
    NotVerified,
    ProofError,
    RegistryError,
    Rejected,
)

if TYPE_CHECKING:
    from registry.core.verdict import ExitCode

_INTERRUPTED = 130
_BROKEN_PIPE = 141


def ending(command: Callable[..., Any]) -> Callable[..., None]:
    """The command, ending with the exit code that it returns or that its error stands for."""

    @functools.wraps(command)
    def ended(*arguments: Any, **options: Any) -> None:
        try:
            code = command(*arguments, **options) or 0
        except RegistryError as error:
            _show(error, as_json=bool(options.get("as_json")))
            code = exit_code(error)
        except KeyboardInterrupt:
            typer.echo("interrupted: what was already done stays; run it again to go on", err=True)
            code = _INTERRUPTED
        except BrokenPipeError:
            # The reader, `head` say, has what it wanted. Python would complain again at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = _BROKEN_PIPE
        except typer.Exit:
            raise
        except Exception as error:
            # Whatever it was, nothing was found to be false.
            if os.environ.get("POLREG_DEBUG"):
                raise
            _show(
                CouldNotCheck(
                    f"unexpected: {type(error).__name__}: {error}",
                    hint="set POLREG_DEBUG=1 to see where, and report it",
                ),
                as_json=False,
            )
            code = exit_code(CouldNotCheck(""))
        if code:
            raise typer.Exit(int(code))

    return ended


def exit_code(error: RegistryError) -> ExitCode:
    """The exit code that an error stands for."""
    from registry.core.verdict import ExitCode

    match error:
        case InputError():
            return ExitCode.USAGE
        case Rejected() | NotVerified():
            return ExitCode.NOT_VERIFIED
        case _:
            return ExitCode.COULD_NOT_CHECK


def _show(error: RegistryError, *, as_json: bool) -> None:
    from registry.cli.common import print_json, say

    message = str(error).encode("utf-8", "backslashreplace").decode()
    if as_json:
        shown: dict[str, Any] = {
            "kind": type(error).__name__,
            "message": message,
            "hint": error.hint,
        }
        if isinstance(error, ProofError):
            shown["step"] = error.step
        print_json({"error": shown})
    say(f"error: {message}", err=True)
    if error.hint:
        say(f"  -> {error.hint}", err=True)
