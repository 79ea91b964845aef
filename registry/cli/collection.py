"""`polreg collection`: the members of collections, which the chain does not hold."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from registry.cli import common
from registry.cli.common import Json, On

if TYPE_CHECKING:
    from registry.core.collection import CollectionHeader

HELP = "Carry the members of collections, of which the chain holds the root alone."

_Collection = Annotated[
    list[str],
    typer.Argument(metavar="COLLECTION", help="Its root, its policy_id, or AUTHORITY NUMBER."),
]


def list_collections(as_json: Json = False) -> None:
    """List the collections in the log, and say of which the members are known here."""
    from registry.services import answers
    from registry.services.collections import find_collections

    with common.workspace() as opened:
        position, rows = find_collections(opened.reader)
    found = [answers.collection(row) for row in rows]
    context = answers.context(position)
    if as_json:
        common.print_json({"collections": found, "registry": context})
        return
    for each in found:
        here = "held" if each["held"] else "members not known here"
        common.say(
            f"{each['policy_id'][:12]}  {each['members']:>8} members  {here:<23}"
            f"{each['authority']}  {' / '.join(each['title'].values())}"
        )
        common.say(f"  root {each['root']}")
    if not found:
        common.say("there is none")
    common.say_context(context)


def export(
    collection: _Collection,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Else standard output.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the members of a collection as NDJSON, one manifest a line.

    The same bytes from every mirror. Whoever imports them compares their root with the log's.
    """
    from registry.errors import InputError
    from registry.services.collections import export_collection, root_of
    from registry.services.files import write_whole

    if as_json and output is None:
        raise InputError("--json tells about the file that --output writes", hint="add --output")
    with common.workspace() as opened, common.progress("exporting") as advance:
        root = root_of(opened.reader, collection, common.day(None))
        found = export_collection(opened.reader, root)
        if output is None:
            sys.stdout.buffer.writelines(found.lines())
            sys.stdout.buffer.flush()
            return
        written = write_whole(output, found.lines(advance))
    if as_json:
        common.print_json({"file": str(output), "sha256": written, **_shown(found.header)})
        return
    common.say(f"{output}: {found.header.members} members, root {root.hex()}")
    common.say(f"sha256 {written}")


def import_members(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="What collection export, or publishing, wrote.")
    ],
    as_json: Json = False,
) -> None:
    """Take the members of a collection from a file, so that each is found, verified and proved.

    Their root is computed, and compared with the log's, before a row is written. Exit code 1
    where no entry of the log has it.
    """
    from registry.services.collections import import_collection

    with common.workspace() as opened, common.progress("importing") as advance:
        header, fresh = import_collection(file, opened.engine, advance)
    if as_json:
        common.print_json({**_shown(header), "new": fresh})
        return
    common.say(f"{header.members} members, root {header.root.hex()} is the log's")
    if not fresh:
        common.say("they were known here already")


def list_members(
    collection: _Collection,
    after: Annotated[int, typer.Option(help="Go on after so many.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    on: On = None,
    as_json: Json = False,
) -> None:
    """List the members of a collection, in its order."""
    from registry.cli.check import say_member
    from registry.mirror.listing import MemberFilter
    from registry.services import answers
    from registry.services.collections import find_members, root_of

    day = common.day(on)
    with common.workspace() as opened:
        root = root_of(opened.reader, collection, day)
        wanted = MemberFilter(on=day, collection=root, first=after)
        position, rows, more = find_members(opened.reader, wanted, limit=limit)
    found = [answers.listed_member(each) for each in rows]
    context = answers.context(position)
    if as_json:
        common.print_json({"members": found, "more": more, "registry": context})
        return
    for each in found:
        say_member(each)
    if more:
        last = found[-1]["collection"]["index"] + 1
        common.say(f"… more: go on with --after {last}")
    common.say_context(context)


def _shown(header: CollectionHeader) -> dict[str, Any]:
    return {"root": header.root.hex(), "members": header.members}


COMMANDS: dict[str, Callable[..., Any]] = {
    "list": list_collections,
    "members": list_members,
    "export": export,
    "import": import_members,
}
