"""`polreg publish-collection`: many documents, one entry."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from registry.cli import common, drafting, published_texts
from registry.cli.common import Json
from registry.cli.drafting import KeepDocument, WithText

if TYPE_CHECKING:
    from registry.core.backlog import Refused
    from registry.core.collection import CollectionHeader
    from registry.core.draft import Draft
    from registry.services.publish import Published
    from registry.services.texts.registering import Choices

_LISTED = 20


def publish_collection(
    source: Annotated[
        Path, typer.Argument(metavar="DIR|INDEX.csv", help="The documents, or one a row.")
    ],
    authority: Annotated[str, typer.Option(help="The authority's code, such as CN.GD.SHENZHEN.")],
    number: Annotated[str, typer.Option(help="The collection's own number.")],
    title_zh: Annotated[str | None, typer.Option(help="Title in Chinese.")] = None,
    title_en: Annotated[str | None, typer.Option(help="Title in English.")] = None,
    issued: Annotated[str | None, typer.Option(metavar="DATE", help="When it was issued.")] = None,
    effective: Annotated[
        str | None, typer.Option(metavar="DATE", help="First day it applies.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="DATE", help="Last day it applies.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why, in words.")] = None,
    text: WithText = True,
    keep_document: KeepDocument = None,
    amend: Annotated[
        bool, typer.Option("--amend", help="As the next version of a collection that there is.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The file of its members; else in the home folder."),
    ] = None,
    as_json: Json = False,
) -> int:
    """Publish any number of documents as one entry: a collection, at almost no gas a document.

    The entry holds the root over all members, each with a manifest of its own. An index has the
    columns of polreg import; of a folder every file is a member, by its path there. What was cut
    off is run again with the same files.

    The members are not on the chain: keep the file that is written. Whoever has it imports it,
    and then finds, verifies and proves each member by itself. Exit code 1, and nothing is
    published, where a document can not be a member.
    """
    from registry.core.draft import Draft
    from registry.core.entry import Action
    from registry.services.collections import draft_of

    title = {"zh": title_zh, "en": title_en}
    act = Draft(
        action=Action.AMEND if amend else Action.PUBLISH,
        authority=authority,
        number=number,
        title={language: text for language, text in title.items() if text},
        type="collection",
        issued=common.optional_day(issued, "issue date"),
        effective_from=common.optional_day(effective, "effective date"),
        effective_to=common.optional_day(until, "last date"),
        reason=reason,
    )
    wanted = drafting.choices(text=text, salted=False, keep_document=keep_document)
    common.warn_of_key()
    written, header, refused = _build(source, authority, output, wanted)
    if header is None:
        _tell_refused(refused, as_json=as_json)
        return 1
    done = _publish(draft_of(header, act), header, written)
    _tell(header, written, done, act, as_json=as_json)
    return 0


def _build(
    source: Path, authority: str, output: Path | None, wanted: Choices
) -> tuple[Path, CollectionHeader | None, list[Refused]]:
    """The members' file, named by their root where no name was given."""
    from registry.core.authority import check_code
    from registry.services.collections import build
    from registry.services.texts.own_lists import OwnLists
    from registry.services.texts.registering import registering

    code = check_code(authority)
    with common.workspace() as opened:
        folder = opened.settings.home / "collections"
        path = output or folder / "new.ndjson"
        with (
            registering(opened.settings, OwnLists(opened.engine), wanted) as registered,
            common.progress("reading") as advance,
        ):
            built = build(source, code, path, advance, registered)
            if built.header is None:
                registered.take_back()
    published_texts.note_left_out(registered.left_out)
    if built.header is not None and output is None:
        path = path.replace(folder / f"{built.header.root.hex()}.ndjson")
    return path, built.header, built.refused


def _publish(draft: Draft, header: CollectionHeader, written: Path) -> Published | None:
    from registry.services.collections import import_collection, publish_collection
    from registry.services.publish import completed
    from registry.services.setup import outbox_for

    with common.workspace() as opened:
        common.sync_quietly(opened)
        outbox = outbox_for(opened, common.ask_password)
        act = draft if draft.title else completed(draft, opened.engine)
        done = publish_collection(act, header, opened.client, outbox, opened.engine)
        common.sync_quietly(opened)
        with common.progress("keeping the members") as advance:
            import_collection(written, opened.engine, advance)
    return done


def _tell(
    header: CollectionHeader, written: Path, done: Published | None, act: Draft, *, as_json: bool
) -> None:
    from registry.services import answers

    if as_json:
        collection = {"root": header.root.hex(), "members": header.members, "file": str(written)}
        shown = None if done is None else answers.published(done)
        common.print_json({"collection": collection, "published": shown})
        return
    common.say(f"{act.action.word}: {act.called}, a collection of {header.members} members")
    common.say(f"  root         {header.root.hex()}")
    if done is None:
        common.say("  it was in the log already")
    else:
        gas, said = done.receipt.gas_used, ""
        if gas is not None:
            said = f", {gas:,} gas, {gas / header.members:.2f} a member"
        common.say(f"  policy       {done.policy_id.hex()}")
        common.say(f"  entry        {done.entry}")
        common.say(f"  transaction  0x{done.receipt.transaction.hex()}{said}")
    common.say(f"  members      {written}")
    common.say(
        "The chain has their root alone: keep that file, and give it to whoever is to verify."
    )


def _tell_refused(refused: list[Refused], *, as_json: bool) -> None:
    if as_json:
        rows = [{"line": each.line, "path": each.path, "reason": each.reason} for each in refused]
        common.print_json({"collection": None, "published": None, "refused": rows})
        return
    common.say(f"nothing was published: {len(refused)} documents can not be members")
    for each in refused[:_LISTED]:
        common.say(f"  line {each.line}: {each.path}: {each.reason}")
    if len(refused) > _LISTED:
        common.say(f"  … and {len(refused) - _LISTED} more; --json lists them all")


COMMANDS: dict[str, Callable[..., Any]] = {"publish-collection": publish_collection}
