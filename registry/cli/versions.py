"""Commands on a policy's versions: diff, blame."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from registry.cli import common
from registry.cli.common import Json
from registry.cli.text_words import counted, say_clauses

if TYPE_CHECKING:
    from registry.services.texts.versions import Difference

_Policy = Annotated[
    list[str],
    typer.Argument(metavar="POLICY", help="A policy_id, a prefix of one, or AUTHORITY NUMBER."),
]
_Number = int | None


def diff(
    policy: _Policy,
    first: Annotated[
        _Number, typer.Option("--from", metavar="N", help="This version; else the one before.")
    ] = None,
    last: Annotated[
        _Number, typer.Option("--to", metavar="N", help="This version; else the latest.")
    ] = None,
    old: Annotated[
        Path | None, typer.Option(help="The registered file of the first, if it is not kept here.")
    ] = None,
    new: Annotated[Path | None, typer.Option(help="That of the second.")] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it as a page to read and to print.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare two versions of a policy, clause by clause.

    Without --from and --to the last two documents that it had, corrections included. From hashes
    alone it says which clauses changed; where the texts are kept here, or their files are given
    with --old and --new, also what in them.
    """
    from registry.services import answers
    from registry.services.texts import answers as text_answers
    from registry.services.texts.reading import text_reader
    from registry.services.texts.versions import compare_versions

    with common.workspace() as opened, text_reader(1) as reader:
        found = compare_versions(
            opened.reader,
            policy,
            common.day(None),
            numbers=(first, last),
            files=(old, new),
            reader=reader,
        )
    context = answers.context(found.position)
    if html is not None:
        _write_page(found, html, context)
    if as_json:
        common.print_json({**text_answers.difference(found), "registry": context})
        return
    _say_difference(found)
    common.say_context(context)


def _write_page(found: Difference, path: Path, context: dict[str, Any]) -> None:
    from registry.services.files import write_whole
    from registry.services.texts.comparison_page import page

    log, block = context["log"], context["block"]
    source = (
        f"{context['contract']}, block {block['number']}, log of {log['size']} entries with root "
        f"{log['root']}" + (f"; {context['note']}" if context["note"] else "")
    )
    write_whole(path, [page(found, source).encode("utf-8")])
    common.note(f"written: {path}")


def _say_difference(found: Difference) -> None:
    from registry.services.texts import answers as text_answers

    shown = text_answers.difference(found, unchanged=False)
    common.say(" / ".join(shown["title"].values()) or "(no readable manifest)")
    for word, key in (("from", "old"), ("to", "new")):
        each = shown[key]
        since = f", applies from {each['since']}" if each["since"] else ""
        common.say(
            f"  {word:<5} version {each['version']}, entry {each['entry']} ({each['action']})"
            f"{since}, sha256 {each['document']}"
        )
    common.say(f"  {counted(found.compared.comparison)}")
    common.say("")
    say_clauses(found.compared, limit=10_000)


def blame(policy: _Policy, as_json: Json = False) -> None:
    """Say of each clause of a policy's latest document which version last changed its text.

    It needs the clauses' hashes alone. A clause that was only moved or renumbered was not changed.
    """
    from registry.services import answers
    from registry.services.texts import answers as text_answers
    from registry.services.texts.versions import blame_policy

    with common.workspace() as opened:
        found = blame_policy(opened.reader, policy, common.day(None))
    shown, context = text_answers.blame(found), answers.context(found.position)
    if as_json:
        common.print_json({**shown, "registry": context})
        return
    common.say(" / ".join(shown["title"].values()) or "(no readable manifest)")
    for each in shown["versions"]:
        if not each["known"]:
            common.say(
                f"  the clauses of entry {each['entry']} (version {each['version']}) are not known "
                "here: what changed in it shows in the next"
            )
    for each in shown["clauses"]:
        _say_blamed(each)
    common.say_context(context)


def _say_blamed(each: dict[str, Any]) -> None:
    since = each["since"] or each["recorded_at"][:10]
    earlier = each["earliest_entry"] < each["entry"]
    entry = (
        f"entry {each['earliest_entry']} to {each['entry']}"
        if earlier
        else f"entry {each['entry']}"
    )
    line = (
        f"  version {each['version']:<3} {since}  {entry:<12}  {each['change']:<8}  {each['label']}"
    )
    if each["renumbered"] is not None:
        moved = each["renumbered"]
        line += f" (was {moved['former_label']} before version {moved['version']})"
    common.say(line)


COMMANDS: dict[str, Callable[..., Any]] = {"diff": diff, "blame": blame}
