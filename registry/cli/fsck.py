"""`polreg fsck`: is every stored byte of the mirror right?"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from registry.cli import common
from registry.cli.common import Json

if TYPE_CHECKING:
    from registry.services.fsck import Checked

_SHOWN = 50


def fsck(
    repair: Annotated[
        bool, typer.Option("--repair", help="Fetch again what is bad, and only that.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Check every row of the mirror, and name each that is bad. Exit code 1 where one is, 3
    where none is but the chain could not be asked."""
    from registry.services.fsck import fsck_workspace

    with (
        common.workspace() as opened,
        common.progress("checking entries") as advance,
    ):
        done = fsck_workspace(opened, repair=repair, progress=advance)
    if as_json:
        common.print_json(_answer(done))
    else:
        _tell(done)
    return int(done.exit_code)


def _tell(done: Checked) -> None:
    for each in done.findings[:_SHOWN]:
        common.say(f"{each.table} {each.shown_key}: {each.problem}")
    if len(done.findings) > _SHOWN:
        typer.echo(f"… and {len(done.findings) - _SHOWN} more: --json names them all")
    if done.findings:
        typer.echo()
    typer.echo(_verdict(done))
    counts = ", ".join(f"{number} {table}" for table, number in done.audited.counts.items())
    if counts:
        typer.echo(f"checked: {counts}")
    reference = done.audited.reference
    if reference is not None:
        typer.echo(
            f"against a log of {reference.size} entries, root {reference.root.hex()[:16]}…, "
            f"of {reference.source}"
        )
    if done.audited.unjudged:
        typer.echo(f"{done.audited.unjudged} policies rest on bad rows and were not judged")
    if done.chain_problem is not None:
        _explain(f"could not compare with the chain: {done.chain_problem}", done.chain_problem.hint)
    if done.repaired and any(each.remedy.name == "FORGET" for each in done.findings):
        typer.echo(
            "the members of a collection could not be fetched again, and were taken away: import "
            "them (polreg collection list shows which)"
        )
    if done.failure is not None:
        _explain(f"not repaired: {done.failure}", done.failure.hint)
    elif done.repaired and any(each.table == "position" for each in done.findings):
        typer.echo("run polreg sync: the mirror stands at its last entry")


def _verdict(done: Checked) -> str:
    if not done.findings:
        return "no row is bad"
    rows = "1 row is bad" if len(done.findings) == 1 else f"{len(done.findings)} rows are bad"
    if done.repaired:
        return f"{rows}; all is repaired"
    return rows if done.failure else f"{rows}; polreg fsck --repair fetches them again"


def _explain(text: str, hint: str | None) -> None:
    common.say(text)
    if hint:
        common.say(f"  -> {hint}")


def _answer(done: Checked) -> dict[str, Any]:
    from registry.services.answers import error

    audited = done.audited
    reference = audited.reference
    return {
        "findings": [
            {"table": each.table, "key": each.shown_key, "problem": each.problem}
            for each in audited.findings
        ],
        "repaired": done.repaired,
        "checked": audited.counts,
        "unjudged": audited.unjudged,
        "against": None
        if reference is None
        else {
            "source": reference.source,
            "size": reference.size,
            "root": reference.root.hex(),
        },
        "chain_error": None if done.chain_problem is None else error(done.chain_problem),
        "repair_error": None if done.failure is None else error(done.failure),
    }


COMMANDS: dict[str, Callable[..., Any]] = {"fsck": fsck}
