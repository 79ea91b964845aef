"""What commands share: settings, dates, output, progress."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from registry.core.units import Day
    from registry.services.workspace import Workspace

Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
On = Annotated[
    str | None, typer.Option("--on", metavar="DATE", help="Standing on this date; else today.")
]

_SECONDS_BETWEEN_LINES = 10.0

Advance = Callable[[int, int], None]


def workspace() -> Workspace:
    """The workspace of the environment's settings."""
    from registry.config import settings_from
    from registry.services.workspace import Workspace

    return Workspace(settings_from(os.environ), note)


def day(text: str | None) -> Day:
    """The date given, else today's on this machine's calendar."""
    import datetime

    from registry.core.calendar import parse_day

    # A legal date is one of the user's own calendar, not of UTC.
    today = datetime.date.today().isoformat()  # noqa: DTZ011
    return parse_day(today if text is None else text)


def optional_day(text: str | None, what: str) -> Day | None:
    from registry.core.calendar import parse_day

    return None if text is None else parse_day(text, what)


def ask_password(prompt: str) -> str:
    from registry.errors import InputError

    try:
        return str(typer.prompt(prompt, hide_input=True, err=True))
    except typer.Abort:
        raise InputError("no password was given", hint="set POLREG_PASSWORD_FILE") from None


def warn_of_key() -> None:
    """A key in the environment is visible to other programs of this user."""
    if os.environ.get("POLREG_PRIVATE_KEY"):
        note("POLREG_PRIVATE_KEY is for development only: use POLREG_KEYSTORE elsewhere")


def print_json(value: Any) -> None:
    import orjson

    sys.stdout.flush()
    sys.stdout.buffer.write(
        orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    )
    sys.stdout.buffer.flush()


def say(line: str, *, err: bool = False) -> None:
    """One line of an answer, or of an error. Names and titles come from strangers: a line
    feed or a control character in them is shown as an escape, and can not pass for our own
    words."""
    shown = line.encode("utf-8", "backslashreplace").decode()
    if not shown.isprintable():
        shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in shown)
    typer.echo(shown, err=err)


def note(text: str) -> None:
    """Something worth knowing that is not the answer."""
    typer.secho(text, err=True, fg=typer.colors.YELLOW if sys.stderr.isatty() else None)


@contextmanager
def progress(label: str) -> Iterator[Advance]:
    """A progress bar on the terminal; nothing where there is none."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(label, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)


Tell = Callable[[int, int, str], None]


@contextmanager
def meter(label: str) -> Iterator[Tell]:
    """Progress with words: a bar on the terminal, elsewhere a line every ten seconds."""
    import time

    told = time.monotonic()

    def line(done: int, total: int, words: str) -> None:
        nonlocal told
        if time.monotonic() - told >= _SECONDS_BETWEEN_LINES:
            told = time.monotonic()
            note(f"{label}: {done:,} of {total:,}{words}")

    if not sys.stderr.isatty():
        yield line
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[words]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(label, total=None, words="")
        yield lambda done, total, words: shown.update(
            task, completed=done, total=total, words=words
        )


def amount(wei: int, currency: str) -> str:
    """So much of the network's currency."""
    from decimal import Decimal

    shown = f"{Decimal(wei) / 10**18:.9f}".rstrip("0").rstrip(".")
    return f"{shown} {currency}" if wei >= 10**9 or not wei else f"{wei} wei"


def sync_quietly(opened: Workspace) -> None:
    """Bring the mirror up to the chain after writing to it."""
    with progress("reading the chain") as advance:
        opened.sync(lambda done, total, _entries: advance(done, total))


def closing(successor: str) -> str:
    """That the registry is closed, where it goes on, and what that is worth."""
    from registry.core.closing import UNCONFIRMED, goes_on, is_nowhere

    said = goes_on(successor)
    said = said[0].upper() + said[1:]
    if is_nowhere(successor):
        return f"{said}: what applies now is not said here."
    return f"{said}: what applies is said there. {UNCONFIRMED[0].upper()}{UNCONFIRMED[1:]}."


def not_known(unsettled: str) -> str:
    """That there is no standing, and why; `unsettled` is a word of core.verdict.Unsettled."""
    from registry.core.verdict import Unsettled

    match Unsettled(unsettled):
        case Unsettled.CLOSED:
            return "standing not known (the registry is closed)"
        case Unsettled.OUTDATED:
            return "standing not known (the policy has later acts)"
        case Unsettled.LAST_DAY_UNKNOWN:
            return "standing not known (its last day is not known)"


def say_context(context: dict[str, Any]) -> None:
    """Where an answer comes from, and what is to be known of that place."""
    log, block, mirror = context["log"], context["block"], context["mirror"]
    at = f" of {block['time']}" if block["time"] else ""
    source = f"mirror synced {mirror['lag_seconds']} s ago" if mirror else "from a receipt"
    if context.get("node_block") is not None:
        source += f", and a node at block {context['node_block']}"
    typer.echo()
    say(
        f"{context['contract']}, block {block['number']}{at}, "
        f"log of {log['size']} entries, root {log['root'][:16]}…, {source}"
    )
    if context["closed"]:
        say(closing(context["closed"]))
    if context["note"]:
        say(f"This is {context['note']}.")
