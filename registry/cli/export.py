"""`polreg export`: the log, and its hashes, as files for others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from registry.cli import common
from registry.cli.common import Json

HELP = "Write the log for others to check, or to build a mirror from."


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
        done = export_tiles(opened.engine, folder, advance)
    context = answers.context(done.position)
    if as_json:
        shown = {"folder": str(folder), "files": done.files, "written": done.written}
        common.print_json({**shown, "registry": context})
        return
    common.say(f"{folder}: {done.files} files of {done.position.size} entries, {done.written} new")
    common.say_context(context)


COMMANDS: dict[str, Callable[..., Any]] = {"tiles": tiles}
