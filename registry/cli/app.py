"""The commands put together."""

from __future__ import annotations

import typer

from registry.cli import authority, catalogue, check, operate, publish
from registry.cli.outcome import ending

_CONTEXT = {"help_option_names": ["-h", "--help"]}


def build() -> typer.Typer:
    """The application with all its commands."""
    app = typer.Typer(
        name="polreg",
        help="Prove that an official policy document is the one that was published.",
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=True,
        context_settings=_CONTEXT,
    )
    modules = (operate, publish, catalogue, check)
    for name, command in (each for module in modules for each in module.COMMANDS.items()):
        app.command(name)(ending(command))
    group = typer.Typer(help=authority.HELP, rich_markup_mode=None, no_args_is_help=True)
    for name, command in authority.COMMANDS.items():
        group.command(name)(ending(command))
    app.add_typer(group, name="authority")
    return app
