"""`polreg outbox`: what is on its way to the chain, and what did not get there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from registry.cli import common
from registry.cli.common import Json

if TYPE_CHECKING:
    from registry.core.outbox import Stage

HELP = "See what is on its way to the chain; go on with it, try again, cancel."

_Ids = Annotated[list[int], typer.Argument(metavar="ID", min=1, help="Numbers that list shows.")]


def list_(
    stage: Annotated[
        list[str] | None,
        typer.Option(
            help="staged, signed, sent, unknown, included, finalized or rejected; else all but "
            "those that are finalised."
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="The newest so many.")] = 50,
    as_json: Json = False,
) -> None:
    """List acts that are in line, on their way, not final yet, or were refused."""
    from registry.core.outbox import OPEN, Stage
    from registry.services.outbox_view import counted, listed

    wanted = OPEN | {Stage.REJECTED} if stage is None else {_stage(word) for word in stage}
    with common.workspace() as opened:
        rows, counts = listed(opened.engine, wanted, limit), counted(opened.engine)
    if as_json:
        common.print_json({"counts": counts, "acts": rows})
        return
    for row in rows:
        why = f" · {row['reason']}" if row["reason"] else ""
        common.say(f"{row['id']:>7}  {row['stage']:<9}  {row['action']} {row['policy']}{why}")
    if not rows:
        typer.echo("nothing is in line, and nothing was refused")
    told = ", ".join(f"{number} {word}" for word, number in counts.items() if number)
    if told:
        typer.echo(f"in all: {told}")


def _stage(word: str) -> Stage:
    from registry.core.outbox import Stage
    from registry.errors import InputError

    try:
        return Stage(word)
    except ValueError:
        known = ", ".join(each.value for each in Stage if each is not Stage.REPLACED)
        raise InputError(f"{word!r} is no stage of an act", hint=f"they are {known}") from None


def show(
    act: Annotated[int, typer.Argument(metavar="ID", min=1, help="A number that list shows.")],
    as_json: Json = False,
) -> None:
    """Show one act, and every transaction that was signed for it."""
    from registry.services.outbox_view import shown

    with common.workspace() as opened:
        found = shown(opened.engine, act)
    if as_json:
        common.print_json(found)
        return
    common.say(f"{found['action']}: {found['policy']}")
    for name in ("stage", "reason", "account", "document", "manifest", "entry", "source"):
        if found[name] is not None:
            common.say(f"  {name:<12} {found[name]}")
    for each in found["transactions"]:
        where = f", block {each['block']}" if each["block"] is not None else ""
        why = f" ({each['reason']})" if each["reason"] else ""
        common.say(f"  transaction  {each['hash']}, nonce {each['nonce']}")
        common.say(f"               {each['stage']}{where}{why}, {each['most_fee']} wei a gas")


def run(as_json: Json = False) -> int:
    """Go on with everything of your account that is in line, until it is in a block.

    Exit code 1 where some of it was refused."""
    from registry.core.outbox import Stage
    from registry.services.setup import outbox_for

    common.warn_of_key()
    with common.workspace() as opened:
        common.sync_quietly(opened)
        outbox = outbox_for(opened, common.ask_password)
        ids = outbox.in_line()
        with common.progress("recording") as advance:
            acts = outbox.drive(ids, progress=advance)
        common.sync_quietly(opened)
    refused = [act for act in acts if act.stage is Stage.REJECTED]
    if as_json:
        told = [{"id": act.id, "policy": act.called, "reason": act.reason} for act in refused]
        common.print_json({"recorded": len(acts) - len(refused), "refused": told})
    else:
        for act in refused:
            common.say(f"{act.id}: {act.submission.action.word} {act.called}: {act.reason}")
        typer.echo(f"{len(acts) - len(refused)} recorded, {len(refused)} refused")
    return 1 if refused else 0


def retry(acts: _Ids) -> None:
    """Put refused acts back in line, as they are; polreg outbox run goes on with them."""
    from registry.services.outbox_view import put_back

    with common.workspace() as opened:
        put_back(opened.engine, acts)
    typer.echo(f"{len(acts)} in line again: polreg outbox run records what can be recorded")


def cancel(acts: _Ids) -> int:
    """Take acts out of the line. For one that was sent already, a transaction that does
    nothing is sent in its place and paid more for: whichever is mined first counts. What
    else went with it is in line again.

    Exit code 1 where one was recorded all the same."""
    from registry.core.outbox import Stage
    from registry.services.outbox_view import waiting
    from registry.services.setup import outbox_for

    common.warn_of_key()
    with common.workspace() as opened:
        on_their_way = waiting(opened.engine, acts)
        outbox = outbox_for(opened, common.ask_password)
        outbox.cancel([act.id for act in on_their_way])
        ended = outbox.outdo([act.id for act in on_their_way])
        left = len(outbox.in_line())
        common.sync_quietly(opened)
    recorded = [act for act in ended if act.stage is not Stage.REJECTED]
    for act in recorded:
        common.say(f"{act.id}: {act.called} was recorded all the same, as entry {act.entry}")
    typer.echo(f"{len(ended) - len(recorded)} cancelled")
    if left:
        typer.echo(f"{left} in line still: polreg outbox run goes on with them")
    return 1 if recorded else 0


COMMANDS: dict[str, Callable[..., Any]] = {
    "list": list_,
    "show": show,
    "run": run,
    "retry": retry,
    "cancel": cancel,
}
