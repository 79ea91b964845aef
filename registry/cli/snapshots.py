"""`polreg snapshot`: the state of every policy as one file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from registry.cli import common
from registry.cli.common import Json


def snapshot(
    in_force_on: Annotated[
        str | None, typer.Option(metavar="DATE", help="Only what is in force on this date.")
    ] = None,
    recorded_by: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only what was recorded by then.")
    ] = None,
    size: Annotated[int | None, typer.Option(help="Only the log's first N entries.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Else standard output.")
    ] = None,
    form: Annotated[str, typer.Option("--format", help="ndjson or csv.")] = "ndjson",
    as_json: Json = False,
) -> None:
    """Write the state of every policy, as of the log's end or an earlier moment."""
    from registry.cli.files import write_whole
    from registry.core.calendar import parse_time
    from registry.core.snapshot import Filters
    from registry.errors import InputError
    from registry.services.snapshots import take_snapshot

    if form not in {"ndjson", "csv"}:
        raise InputError(f"there is no snapshot format {form!r}", hint="use ndjson or csv")
    if as_json and output is None:
        raise InputError("--json tells about the file that --output writes", hint="add --output")
    filters = Filters(
        common.optional_day(in_force_on, "date"),
        None if recorded_by is None else parse_time(recorded_by),
    )
    with common.workspace() as opened:
        taken = take_snapshot(opened.engine, filters, size)
        lines = taken.ndjson() if form == "ndjson" else taken.csv()
        if output is None:
            sys.stdout.buffer.writelines(lines)
            sys.stdout.buffer.flush()
            return
        written = write_whole(output, lines)
    if as_json:
        common.print_json({"file": str(output), "sha256": written, "header": taken.header})
        return
    typer.echo(
        f"{output}: {taken.header['count']} policies, log of {taken.size} entries, "
        f"root {taken.header['root']}\nsha256 {written}"
    )


COMMANDS: dict[str, Callable[..., Any]] = {"snapshot": snapshot}

BELOW: dict[str, dict[str, Callable[..., Any]]] = {}
