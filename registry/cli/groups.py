"""A command that also has commands below it: `polreg snapshot`, `polreg snapshot verify`.

Where the first word names none of the commands below, the command itself is meant and
takes all the words; so `./verify` is a file and `verify` the command.
"""

from __future__ import annotations

from typing import Any, cast

from typer.core import TyperCommand, TyperGroup

DEFAULT = "[default]"
"""The name under which a group holds the command that it is itself."""


class DefaultGroup(TyperGroup):
    """A group that is a command too: the one that it holds as DEFAULT."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        cast(DefaultCommand, self.commands[DEFAULT]).group = self

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        # Completing the group's first word there are no words yet: any may come.
        if not (ctx.resilient_parsing and not args):
            below = self.commands.keys() - {DEFAULT}
            args = args if args and args[0] in below else [DEFAULT, *args]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        default = self.commands[DEFAULT]
        own = default.make_context(DEFAULT, [], parent=ctx, resilient_parsing=True)
        found = [*super().shell_complete(ctx, incomplete), *default.shell_complete(own, incomplete)]
        return list({each.value: each for each in found}.values())


class DefaultCommand(TyperCommand):
    """The command that a group itself is: it goes by the group's name, and its help also
    names the commands below."""

    group: DefaultGroup

    def make_context(
        self,
        info_name: str | None,  # noqa: ARG002 - it is the group's name that stands for it
        args: list[str],
        parent: Any = None,
        **extra: Any,
    ) -> Any:
        extra["help_option_names"] = parent.help_option_names
        return super().make_context(parent.info_name, args, parent=parent.parent, **extra)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        super().format_options(ctx, formatter)
        self.group.format_commands(ctx, formatter)
        below = next(name for name in self.group.commands if name != DEFAULT)
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(f"A file named {below} in the current folder: ./{below}")
