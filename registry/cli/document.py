"""`polreg document`: the files of published documents that are kept here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from registry.cli import common
from registry.cli.common import Json

HELP = "Get the documents that were kept when they were published."


def get(
    sha256: Annotated[str, typer.Argument(metavar="SHA256", help="The document's digest.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Write it here.")],
    as_json: Json = False,
) -> None:
    """Write a kept document to a file, once its bytes were seen to be those."""
    from registry.core.digest import parse_digest
    from registry.services.documents import documents_of
    from registry.services.files import write_whole

    digest = parse_digest(sha256)
    settings = common.workspace().settings
    written = write_whole(output, documents_of(settings).read(digest))
    if as_json:
        common.print_json({"file": str(output), "sha256": written})
        return
    common.say(f"{output}: sha256 {written}")


COMMANDS: dict[str, Callable[..., Any]] = {"get": get}
