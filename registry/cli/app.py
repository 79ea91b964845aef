"""The commands put together."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import typer

from registry.cli import authority, catalogue, check, operate, publish, snapshots
from registry.cli.outcome import ending

_MODULES = (operate, publish, catalogue, check, snapshots)
_COMPLETION = "_POLREG_COMPLETE"


def build(arguments: Sequence[str] | None = None) -> typer.Typer:
    """The application with all its commands.

    Reading a command's parameters takes longer than the rest of the start. Given the
    `arguments` of one call, only the command that they name is read in full; the others
    are there by name and help, which is all that such a call can show of them.
    """
    named = _named(arguments)
    app = typer.Typer(
        name="polreg",
        help="Prove that an official policy document is the one that was published.",
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for module in _MODULES:
        _add(app, module.COMMANDS, named)
    group = typer.Typer(help=authority.HELP, rich_markup_mode=None, no_args_is_help=True)
    _add(group, authority.COMMANDS, named)
    app.add_typer(group, name="authority")
    return app


def _named(arguments: Sequence[str] | None) -> set[str] | None:
    """The words that may name a command; None where any may be asked about."""
    if arguments is None or _COMPLETION in os.environ:
        return None
    words = [each for each in arguments if not each.startswith("-")]
    return set(words[:2])


def _add(app: typer.Typer, commands: dict[str, Callable[..., Any]], named: set[str] | None) -> None:
    for name, command in commands.items():
        whole = named is None or name in named
        app.command(name)(ending(command) if whole else _by_name_only(command))


def _by_name_only(command: Callable[..., Any]) -> Callable[[], None]:
    def listed() -> None:
        raise AssertionError("a command that was not named is not called")

    listed.__doc__ = command.__doc__
    return listed
