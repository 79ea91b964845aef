"""`polreg export`: the log, and its hashes, as files for others."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from registry.cli import common
from registry.cli.common import Json

HELP = "Write the log for others to check, or to build a mirror from."


def log(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Else standard output.")
    ] = None,
    size: Annotated[int | None, typer.Option(help="Only the log's first N entries.")] = None,
    as_json: Json = False,
) -> None:
    """Write the log as NDJSON: every entry with its manifest and its block.

    Another machine builds a mirror from it (polreg import log) or checks a snapshot against
    it (polreg snapshot verify --log), and asks the chain for its root alone.
    """
    from registry.core.log_export import header_fields
    from registry.errors import InputError
    from registry.services.files import write_whole
    from registry.services.log_export import export_log

    if as_json and output is None:
        raise InputError("--json tells about the file that --output writes", hint="add --output")
    with common.workspace() as opened, common.progress("exporting") as advance:
        found = export_log(opened.reader, size)
        if output is None:
            sys.stdout.buffer.writelines(found.lines())
            sys.stdout.buffer.flush()
            return
        written = write_whole(output, found.lines(advance))
    told = found.header.checkpoint
    if as_json:
        header = header_fields(found.header)
        common.print_json({"file": str(output), "sha256": written, "header": header})
        return
    common.say(f"{output}: {told.size} entries, root {told.root.hex()}")
    common.say(f"sha256 {written}")


def tiles(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Made where it is not there.")],
    as_json: Json = False,
) -> None:
    """Write the log's hashes as static files, so that any web server can serve every proof.

    C2SP tlog-tiles: tiles of 256 hashes, the entries in bundles, and the checkpoint.
    Exporting into the same folder again writes only what is new.
    """
    from registry.services import answers
    from registry.services.tiles import export_tiles

    with common.workspace() as opened, common.progress("exporting") as advance:
        done = export_tiles(opened.reader, folder, advance)
    context = answers.context(done.position)
    if as_json:
        shown = {"folder": str(folder), "files": done.files, "written": done.written}
        common.print_json({**shown, "registry": context})
        return
    common.say(f"{folder}: {done.files} files of {done.position.size} entries, {done.written} new")
    common.say_context(context)


COMMANDS: dict[str, Callable[..., Any]] = {"log": log, "tiles": tiles}
