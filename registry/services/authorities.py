"""Acts on authorities: open, name, appoint, dismiss, renounce, report a key compromised."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from registry.chain.abi import call_data
from registry.chain.client import Client
from registry.chain.sender import Receipt
from registry.core.authority import (
    Role,
    ancestors,
    check_code,
    encode_code,
    parent,
    role_id,
)
from registry.core.digest import ZERO_DIGEST, sha256
from registry.core.manifest import profile
from registry.core.units import Address, UnixSeconds
from registry.errors import InputError, Rejected


class Caller(Protocol):
    """An account that calls the contract: an outbox, or a sender that remembers nothing."""

    @property
    def account(self) -> Address: ...

    def call(self, to: Address, data: str, gas: int = ..., /) -> Receipt:
        """Call, and wait until it is in a block; raises Rejected."""


def open_authority(
    code: str,
    names: Mapping[str, str],
    controller: Address | None,
    client: Client,
    caller: Caller,
    *,
    with_registrar: bool = True,
) -> list[Receipt]:
    """Open an authority; its controller is the caller unless another is given. The caller,
    being controller, becomes its first registrar too, unless it is not to."""
    check_code(code)
    above = ancestors(code)
    missing = [
        each
        for each, is_open in zip(above, client.open_authorities(above), strict=True)
        if not is_open
    ]
    if missing:
        raise Rejected(
            f"{code} can not be opened: {missing[-1]}, which opens it, is not open",
            hint=f"open {', then '.join(missing)} first, or use --parents",
        )
    named = controller or caller.account
    content = profile(code, names) if any(names.values()) else b""
    arguments = (
        encode_code(code),
        named,
        sha256(content) if content else ZERO_DIGEST,
        content,
    )
    receipts = [caller.call(client.address, call_data("openAuthority", arguments))]
    if with_registrar and named == caller.account:
        receipts.append(appoint(code, caller.account, Role.REGISTRAR, client, caller))
    return receipts


def appoint(code: str, account: Address, role: Role, client: Client, caller: Caller) -> Receipt:
    """Give a role of an authority to an account."""
    _require_change(client, code, account, role, held=False)
    data = call_data("grantRole", (role_id(code, role), account))
    return caller.call(client.address, data)


def dismiss(code: str, account: Address, role: Role, client: Client, caller: Caller) -> Receipt:
    """Take a role of an authority from an account."""
    _require_change(client, code, account, role, held=True)
    data = call_data("revokeRole", (role_id(code, role), account))
    return caller.call(client.address, data)


def report_compromised(
    code: str, account: Address, role: Role, since: UnixSeconds, client: Client, caller: Caller
) -> Receipt:
    """Enter into the log that an account's key was compromised since a moment. The role
    is taken from it in the same act."""
    data = call_data("reportCompromised", (role_id(code, role), account, since))
    return caller.call(client.address, data)


def set_profile(code: str, names: Mapping[str, str], client: Client, caller: Caller) -> Receipt:
    """Record the authority's names anew; those before stay in the log."""
    if not any(names.values()):
        raise InputError("no name is given", hint="give --name-zh, --name-en or both")
    content = profile(check_code(code), {key: name for key, name in names.items() if name})
    arguments = (encode_code(code), sha256(content), content)
    return caller.call(client.address, call_data("setProfile", arguments))


def renounce(
    code: str,
    role: Role,
    client: Client,
    caller: Caller,
    *,
    others: Collection[Address],
    last: bool,
) -> Receipt:
    """Give up a role of one's own. `others` are those who hold it too: the last one leaves
    nobody, and says so by `last`."""
    _require_change(client, code, caller.account, role, held=True)
    if not others and not last:
        above = parent(code)
        who = (
            f"a controller of {code}"
            if role is Role.REGISTRAR
            else f"{above or 'the administrator'}"
        )
        raise Rejected(
            f"nobody else is a {role.name.lower()} of {code}: none would be left",
            hint=f"let {who} appoint another one first, or give --last",
        )
    data = call_data("renounceRole", (role_id(code, role), caller.account))
    return caller.call(client.address, data)


def become_registrar(codes: Collection[str], client: Client, caller: Caller) -> None:
    """Appoint the caller registrar of those authorities that it controls and is not yet
    registrar of."""
    wanted = sorted(codes)
    registrar = client.has_roles([role_id(each, Role.REGISTRAR) for each in wanted], caller.account)
    controls = client.has_roles([role_id(each, Role.CONTROLLER) for each in wanted], caller.account)
    for code, is_registrar, controlled in zip(wanted, registrar, controls, strict=True):
        if controlled and not is_registrar:
            appoint(code, caller.account, Role.REGISTRAR, client, caller)


def _require_change(client: Client, code: str, account: Address, role: Role, *, held: bool) -> None:
    """The contract takes a change that changes nothing in silence; a person should know."""
    check_code(code)
    if client.has_roles([role_id(code, role)], account) == [held]:
        return
    word = "is not" if held else "already is"
    raise Rejected(f"the account {word} a {role.name.lower()} of {code}")
