"""`polreg backup` and `polreg restore`: the mirror as one file, for any database."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from registry.cli import common
from registry.cli.common import Json

_File = Annotated[Path, typer.Argument(metavar="FILE", show_default=False)]


def backup(file: _File, as_json: Json = False) -> None:
    """Write the mirror to one file, also while the chain is being followed.

    It restores into SQLite and PostgreSQL alike. Keys, settings and a local chain are not in
    it: they are in the home folder (POLREG_HOME), which has to be kept by itself.
    """
    from registry.services.backup import back_up

    with common.workspace() as opened, common.progress("backing up") as advance:
        header = back_up(opened.reader, file, advance)
    _tell(file, header, as_json)


def restore(
    file: _File,
    replace: Annotated[
        bool, typer.Option("--replace", help="Also where the mirror holds something already.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Only read the file and say whether it is whole.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Fill the mirror from a backup: all of it, or nothing where anything is wrong with it.

    Nothing is answered from it before the next polreg sync, which compares it with the chain and
    goes on from there.
    """
    from registry.services.backup import check_backup
    from registry.services.backup import restore as restore_from

    with common.progress("reading the backup") as advance:
        if check:
            header = check_backup(file, advance)
        else:
            with common.workspace() as opened:
                header = restore_from(
                    file, opened.engine, opened.deployment, replace=replace, progress=advance
                )
    _tell(file, header, as_json)
    if not (check or as_json):
        common.say("Run polreg sync now: until then nothing is answered from it.")


def _tell(file: Path, header: Any, as_json: bool) -> None:
    from registry.core.backup import header_fields

    fields = header_fields(header)
    if as_json:
        common.print_json({"file": str(file), "header": fields})
        return
    block = fields["block"]["number"]
    common.say(f"{file}: {fields['size']} entries up to block {block}, root {fields['root']}")


COMMANDS: dict[str, Callable[..., Any]] = {"backup": backup, "restore": restore}
