"""`polreg admin`: the administrator's role, and the registry's end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from registry.cli import common
from registry.cli.common import Json

if TYPE_CHECKING:
    from registry.services.administration import Administration

HELP = "Hand the administrator's role over in two steps; close the registry."

_Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="0x and 40 hex characters.")]


def show(as_json: Json = False) -> None:
    """Show who administers the contract, and to whom the role is offered from when."""
    from registry.services.administration import administration

    with common.workspace() as opened:
        found = administration(opened.client)
    shown = _shown(found)
    if as_json:
        common.print_json({"administration": shown})
        return
    _say(shown)


def offer(account: _Account, as_json: Json = False) -> None:
    """Offer the administrator's role to an account: the first of two steps. It is nothing until
    that account accepts, which it can once the contract's delay has passed."""
    from registry.chain.addresses import parse_address
    from registry.services import administration

    to = parse_address(account, "account")
    _perform(lambda client, outbox: administration.offer(to, client, outbox), as_json)


def accept(as_json: Json = False) -> None:
    """Become the administrator: the second step, by the account that it was offered to."""
    from registry.services import administration

    _perform(administration.accept, as_json)


def call_off(as_json: Json = False) -> None:
    """Take an offer of the administrator's role back, before it is accepted."""
    from registry.services import administration

    _perform(administration.call_off, as_json)


def retire(
    confirm: Annotated[
        str,
        typer.Option(metavar="0x…", help="The contract that is closed, so that no other one is."),
    ],
    successor: Annotated[
        str | None, typer.Option(metavar="0x…", help="The registry where it goes on.")
    ] = None,
    nowhere: Annotated[
        bool, typer.Option("--nowhere", help="Close it without a successor.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Close the registry for good: nothing can be recorded any more, and what applies is said at
    its successor. No way leads back."""
    from registry.chain.addresses import parse_address
    from registry.errors import InputError
    from registry.services import administration

    if (successor is None) is not nowhere:
        raise InputError("give either --successor 0x… or --nowhere")
    goes_on = administration.NOWHERE if successor is None else parse_address(successor, "successor")
    closed = parse_address(confirm, "contract")
    _perform(lambda client, outbox: administration.retire(goes_on, closed, client, outbox), as_json)


def _perform(act: Callable[[Any, Any], Any], as_json: bool) -> None:
    """Do it as the account that acts, and show what stands then."""
    from registry.services.administration import administration
    from registry.services.setup import outbox_for

    common.warn_of_key()
    with common.workspace() as opened:
        receipt = act(opened.client, outbox_for(opened, common.ask_password))
        common.sync_quietly(opened)
        shown = _shown(administration(opened.client))
    transaction = "0x" + receipt.transaction.hex()
    if as_json:
        common.print_json({"administration": shown, "transactions": [transaction]})
        return
    _say(shown)
    common.say(f"  transaction {transaction}")


def _shown(found: Administration) -> dict[str, Any]:
    from registry.chain.addresses import checksummed
    from registry.core.calendar import iso_time

    to, moment = found.offered_to, found.from_time
    return {
        "administrator": None if found.administrator is None else checksummed(found.administrator),
        "offered": None
        if moment is None
        else {"to": None if to is None else checksummed(to), "acceptable_after": iso_time(moment)},
        "delay_seconds": found.delay,
    }


def _say(shown: dict[str, Any]) -> None:
    common.say(f"administrator {shown['administrator'] or 'nobody, for good'}")
    offered = shown["offered"]
    if offered is None:
        common.say("  the role is offered to nobody")
        return
    to, moment = offered["to"] or "nobody (it is given up)", offered["acceptable_after"]
    common.say(f"  the role is offered to {to}, who can accept it after {moment}")
    common.say("  polreg admin accept, by that account; polreg admin call-off, by this one")


COMMANDS: dict[str, Callable[..., Any]] = {
    "show": show,
    "offer": offer,
    "accept": accept,
    "call-off": call_off,
    "retire": retire,
}
