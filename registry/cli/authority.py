"""`polreg authority`: who may act, and who appoints whom."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from registry.cli import common
from registry.cli.common import Json

if TYPE_CHECKING:
    from registry.chain.sender import Receipt
    from registry.core.authority import Role

HELP = "Open authorities; appoint and dismiss those who act for them."

_Code = Annotated[str, typer.Argument(metavar="CODE", help="Such as CN.GD.SHENZHEN.")]
_Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="0x and 40 hex characters.")]


class RoleName(StrEnum):
    """The roles of an authority."""

    registrar = "registrar"
    controller = "controller"


_As = Annotated[RoleName, typer.Option("--as", help="The role that is meant.")]


def open_(
    code: _Code,
    name_zh: Annotated[str | None, typer.Option(help="Name in Chinese.")] = None,
    name_en: Annotated[str | None, typer.Option(help="Name in English.")] = None,
    controller: Annotated[
        str | None, typer.Option(metavar="ACCOUNT", help="Its controller; else your own account.")
    ] = None,
    parents: Annotated[bool, typer.Option("--parents", help="Open those above it too.")] = False,
    as_json: Json = False,
) -> None:
    """Open an authority. Your account becomes its controller and first registrar."""
    from registry.chain.addresses import parse_address
    from registry.core.authority import ancestors, check_code
    from registry.services.authorities import open_authority
    from registry.services.setup import outbox_for

    common.warn_of_key()
    check_code(code)
    names = {
        language: name for language, name in (("zh", name_zh), ("en", name_en)) if name is not None
    }
    named = None if controller is None else parse_address(controller, "controller")
    with common.workspace() as opened:
        outbox = outbox_for(opened, common.ask_password)
        receipts: list[Receipt] = []
        if parents:
            above = ancestors(code)
            states = opened.client.open_authorities(above)
            for each in (c for c, is_open in zip(above, states, strict=True) if not is_open):
                receipts += open_authority(
                    each, {}, None, opened.client, outbox, with_registrar=False
                )
        receipts += open_authority(code, names, named, opened.client, outbox)
        common.sync_quietly(opened)
    _tell(f"opened {code}", {"code": code, "names": names}, receipts, as_json)


def list_(as_json: Json = False) -> None:
    """List every authority that is open."""
    from registry.services import answers
    from registry.services.lookup import find_authorities

    with common.workspace() as opened:
        position, rows = find_authorities(opened.reader)
    found = [answers.authority(row) for row in rows]
    context = answers.context(position)
    if as_json:
        common.print_json({"authorities": found, "registry": context})
        return
    for each in found:
        common.say(f"{each['code']:<31} {each['policies']:>6}  {' / '.join(each['name'].values())}")
    common.say_context(context)


def show(code: _Code, as_json: Json = False) -> None:
    """Show an authority, and who held its roles from when to when."""
    from registry.services import answers
    from registry.services.lookup import find_authority

    with common.workspace() as opened:
        position, row, grants, compromises = find_authority(opened.reader, code)
    shown = {
        **answers.authority(row),
        "grants": [answers.grant(each) for each in grants],
        "compromised": [answers.compromise(each) for each in compromises],
    }
    context = answers.context(position)
    if as_json:
        common.print_json({"authority": shown, "registry": context})
        return
    common.say(f"{code}  {' / '.join(shown['name'].values())}  ({shown['policies']} policies)")
    for each in shown["grants"]:
        ended = f" until {each['dismissed']['at']}" if each["dismissed"] else ""
        common.say(f"  {each['role']:<11}{each['account']} since {each['appointed']['at']}{ended}")
    for each in shown["compromised"]:
        common.say(f"  reported compromised: {each['account']} since {each['since']}")
    common.say_context(context)


def appoint(
    code: _Code, account: _Account, as_: _As = RoleName.registrar, as_json: Json = False
) -> None:
    """Give an account a role of an authority."""
    from registry.services import authorities

    _change(authorities.appoint, "appointed", code, account, as_, as_json)


def dismiss(
    code: _Code, account: _Account, as_: _As = RoleName.registrar, as_json: Json = False
) -> None:
    """Take a role of an authority from an account."""
    from registry.services import authorities

    _change(authorities.dismiss, "dismissed", code, account, as_, as_json)


def compromised(
    code: _Code,
    account: _Account,
    since: Annotated[str, typer.Option(metavar="TIME", help="Such as 2024-07-01T12:00:00Z.")],
    as_: _As = RoleName.registrar,
    as_json: Json = False,
) -> None:
    """Enter into the log that a key was compromised since a time, and dismiss it."""
    from registry.core.calendar import parse_beginning
    from registry.services import authorities

    moment = parse_beginning(since)

    def report(code: str, account: Any, role: Role, client: Any, outbox: Any) -> Receipt:
        return authorities.report_compromised(code, account, role, moment, client, outbox)

    _change(report, "reported compromised", code, account, as_, as_json)


def _change(change: Any, word: str, code: str, account: str, role: RoleName, as_json: bool) -> None:
    from registry.chain.addresses import checksummed, parse_address
    from registry.core.authority import Role, check_code
    from registry.services.setup import outbox_for

    common.warn_of_key()
    address = parse_address(account, "account")
    with common.workspace() as opened:
        outbox = outbox_for(opened, common.ask_password)
        receipt = change(check_code(code), address, Role[role.value.upper()], opened.client, outbox)
        common.sync_quietly(opened)
    shown = {"code": code, "account": checksummed(address), "role": role.value}
    _tell(f"{word}: {role.value} {shown['account']} of {code}", shown, [receipt], as_json)


def _tell(text: str, shown: dict[str, Any], receipts: list[Receipt], as_json: bool) -> None:
    transactions = ["0x" + each.transaction.hex() for each in receipts]
    if as_json:
        common.print_json({**shown, "transactions": transactions})
        return
    common.say(text)
    for each in transactions:
        common.say(f"  transaction {each}")


COMMANDS: dict[str, Callable[..., Any]] = {
    "open": open_,
    "list": list_,
    "show": show,
    "appoint": appoint,
    "dismiss": dismiss,
    "compromised": compromised,
}
