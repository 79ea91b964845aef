"""The commands put together."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import typer

from registry.cli import (
    administrator,
    audit,
    authority,
    backup,
    catalogue,
    check,
    collection,
    document,
    export,
    joint,
    operate,
    outbox,
    publish,
    publish_collection,
    receipts,
    relay,
    sign,
    snapshots,
    status,
    text,
    versions,
)
from registry.cli import fsck as checking
from registry.cli.groups import DEFAULT, DefaultCommand, DefaultGroup
from registry.cli.outcome import ending

_Commands = dict[str, Callable[..., Any]]

_MODULES = (
    operate,
    status,
    publish,
    publish_collection,
    relay,
    joint,
    catalogue,
    check,
    audit,
    versions,
    receipts,
    snapshots,
    checking,
    backup,
)
_GROUPS = {
    "admin": administrator,
    "authority": authority,
    "collection": collection,
    "document": document,
    "export": export,
    "outbox": outbox,
    "sign": sign,
    "text": text,
}
# Commands that have others below them.
_BELOW: dict[str, _Commands] = {**catalogue.BELOW, **snapshots.BELOW}
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
    for name, group in _GROUPS.items():
        below = typer.Typer(help=group.HELP, rich_markup_mode=None, no_args_is_help=True)
        _add(below, group.COMMANDS, named)
        app.add_typer(below, name=name)
    return app


def _named(arguments: Sequence[str] | None) -> set[str] | None:
    """The words that may name a command; None where any may be asked about."""
    if arguments is None or _COMPLETION in os.environ:
        return None
    words = [each for each in arguments if not each.startswith("-")]
    return set(words[:2])


def _add(app: typer.Typer, commands: _Commands, named: set[str] | None) -> None:
    for name, command in commands.items():
        whole = named is None or name in named
        run = ending(command) if whole else _by_name_only(command)
        if name not in _BELOW:
            app.command(name)(run)
            continue
        group = typer.Typer(cls=DefaultGroup, help=command.__doc__, rich_markup_mode=None)
        group.command(DEFAULT, cls=DefaultCommand, hidden=True)(run)
        _add(group, _BELOW[name], named)
        app.add_typer(group, name=name)


def _by_name_only(command: Callable[..., Any]) -> Callable[[], None]:
    def listed() -> None:
        raise AssertionError("a command that was not named is not called")

    listed.__doc__ = command.__doc__
    return listed
