"""`polreg authority`: who may act, and who appoints whom."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from registry.cli import common
from registry.cli.common import Json
from registry.cli.issue_words import mark_in_words

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


def profile(
    code: _Code,
    name_zh: Annotated[str | None, typer.Option(help="Name in Chinese.")] = None,
    name_en: Annotated[str | None, typer.Option(help="Name in English.")] = None,
    as_json: Json = False,
) -> None:
    """Set an authority's names: all of them, those not given are gone from now on."""
    from registry.services.authorities import set_profile
    from registry.services.setup import outbox_for

    common.warn_of_key()
    given = {"zh": name_zh, "en": name_en}
    names = {language: name for language, name in given.items() if name is not None}
    with common.workspace() as opened:
        outbox = outbox_for(opened, common.ask_password)
        receipt = set_profile(code, names, opened.client, outbox)
        common.sync_quietly(opened)
    said = " / ".join(names.values())
    _tell(f"{code} is {said}", {"code": code, "names": names}, [receipt], as_json)


def hand_over(code: _Code, account: _Account, as_json: Json = False) -> None:
    """Appoint the next controller of an authority: the first of two steps, by a controller of
    the authority above it or the administrator. The one before gives its role up by polreg
    authority renounce, once the next one has shown that it can act."""
    from registry.services import authorities

    def shown(holders: list[str]) -> Iterator[str]:
        yield f"controllers of {code} now: {', '.join(holders)}"
        yield f"next, by each one that leaves: polreg authority renounce {code} --as controller"
        yield f"  or from above: polreg authority dismiss {code} ACCOUNT --as controller"

    _change(authorities.appoint, "appointed", code, account, RoleName.controller, as_json, shown)


def renounce(
    code: _Code,
    as_: _As = RoleName.controller,
    last: Annotated[
        bool, typer.Option("--last", help="Also where nobody else holds the role.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Give up a role of your own account: the second step of handing it over."""
    from registry.chain.addresses import checksummed
    from registry.core.authority import Role, check_code
    from registry.services import authorities
    from registry.services.lookup import holders
    from registry.services.setup import outbox_for

    common.warn_of_key()
    role = Role[as_.value.upper()]
    with common.workspace() as opened:
        outbox = outbox_for(opened, common.ask_password)
        common.sync_quietly(opened)
        found = holders(opened.engine, check_code(code), role)
        others = [each for each in found if each != outbox.account]
        receipt = authorities.renounce(code, role, opened.client, outbox, others=others, last=last)
        common.sync_quietly(opened)
    own, left = checksummed(outbox.account), [checksummed(each) for each in others]
    shown = {"code": code, "account": own, "role": as_.value, "holders": left}
    text = f"given up: {as_.value} {own} of {code}; held by {', '.join(left) or 'nobody'}"
    _tell(text, shown, [receipt], as_json)


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
        found = find_authority(opened.reader, code)
    told = answers.shown_authority(found)
    shown = {**told.pop("authority"), **told}
    context = answers.context(found.position)
    if as_json:
        common.print_json({"authority": shown, "registry": context})
        return
    common.say(f"{code}  {' / '.join(shown['name'].values())}  ({shown['policies']} policies)")
    for each in shown["grants"]:
        ended = f" until {each['dismissed']['at']}" if each["dismissed"] else ""
        common.say(f"  {each['role']:<11}{each['account']} since {each['appointed']['at']}{ended}")
        for change in (each["appointed"], each["dismissed"]):
            if change and change["compromised"]:
                said = mark_in_words(change["compromised"])
                common.say(f"    KEY REPORTED COMPROMISED: entry {change['entry']} is by {said}")
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


def _change(
    change: Any,
    word: str,
    code: str,
    account: str,
    role: RoleName,
    as_json: bool,
    more: Callable[[list[str]], Iterator[str]] | None = None,
) -> None:
    from registry.chain.addresses import checksummed, parse_address
    from registry.core.authority import Role, check_code
    from registry.services.lookup import holders
    from registry.services.setup import outbox_for

    common.warn_of_key()
    address, changed = parse_address(account, "account"), Role[role.value.upper()]
    with common.workspace() as opened:
        outbox = outbox_for(opened, common.ask_password)
        receipt = change(check_code(code), address, changed, opened.client, outbox)
        common.sync_quietly(opened)
        held = [checksummed(each) for each in holders(opened.engine, code, changed)]
    shown = {
        "code": code, "account": checksummed(address), "role": role.value, "holders": held,
    }  # fmt: skip
    _tell(f"{word}: {role.value} {shown['account']} of {code}", shown, [receipt], as_json)
    for line in more(held) if more and not as_json else ():
        common.say(f"  {line}")


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
    "profile": profile,
    "hand-over": hand_over,
    "renounce": renounce,
    "appoint": appoint,
    "dismiss": dismiss,
    "compromised": compromised,
}
