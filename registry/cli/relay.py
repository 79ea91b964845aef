"""`polreg relay`: sending an act that was signed elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from registry.cli import common
from registry.cli.common import Json


def relay(
    act: Annotated[Path, typer.Argument(metavar="ACT", help="What polreg sign wrote.")],
    as_json: Json = False,
) -> int:
    """Send an act that was signed elsewhere. Your account pays; the signature in it decides.

    To relay it again changes nothing: it goes on, or says what became of it. Exit code 1 where
    it was refused."""
    from registry.core.outbox import Stage
    from registry.errors import InputError
    from registry.services.keys import signer_of
    from registry.services.relay_view import shown
    from registry.services.setup import relay_for

    try:
        content = act.read_bytes()
    except OSError as error:
        raise InputError(f"{act} can not be read: {error.strerror}") from None
    common.warn_of_key()
    with common.workspace() as opened:
        common.sync_quietly(opened)
        signer = signer_of(opened.settings, common.ask_password)
        made = relay_for(opened, signer, hourly=10**9)
        found = made.relay(content)
        common.sync_quietly(opened)
        told = shown(made.progress(found.row.id))
    if as_json:
        common.print_json({"submission": told})
    else:
        _say(told)
    return 1 if found.stage is Stage.REJECTED else 0


def _say(told: dict[str, Any]) -> None:
    for each in told["acts"]:
        common.say(f"{each['action']}: {each['authority']}, act {each['sequence']}")
        if each["document"]:
            typer.echo(f"  document     sha256 {each['document']}")
        typer.echo(f"  policy       {each['policy_id']}")
    for name in ("registrar", "relay", "stage", "reason", "entry", "transaction"):
        if told[name] is not None:
            common.say(f"  {name:<12} {told[name]}")


COMMANDS: dict[str, Callable[..., Any]] = {"relay": relay}
