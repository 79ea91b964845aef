"""The rows of the access matrix: every act on the registry, and the calls by which it is tried.

Who is let through is stated nowhere here: the contract is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from registry.chain.abi import call_data
from registry.core.authority import encode_code
from registry.core.digest import sha256
from registry.core.entry import Action
from tests.contract.access_world import CHILD, CHILDS_REGISTRAR, HERE, PARENT, SIBLING, World
from tests.contract.anvil_registry import (
    ADMIN_ROLE,
    DAY,
    address,
    controllers,
    registrars,
    submission,
)

Calls = Callable[[World, str], Sequence[str]]


@dataclass(frozen=True)
class Act:
    """What is tried, in words, and the calls by which a caller tries it: all must go alike.
    `early` acts are tried before the delay of the administrator's transfer has passed."""

    words: str
    function: str
    calls: Calls
    early: bool = False


def _act(words: str, function: str, *arguments: Any, early: bool = False) -> Act:
    """One call, the same for every caller."""
    return Act(words, function, lambda _, __: [call_data(function, arguments)], early)


def _opening(words: str, code: str) -> Act:
    somebody = address("somebody")
    return _act(words, "openAuthority", encode_code(code), somebody, bytes(32), b"")


def _appointing(words: str, role: bytes) -> Act:
    return _act(words, "grantRole", role, address("somebody"))


def _dismissing(words: str, role: bytes, account: str) -> Act:
    return _act(words, "revokeRole", role, address(account))


def _reporting(words: str, role: bytes, account: str) -> Act:
    return _act(words, "reportCompromised", role, address(account), 1)


def _relaying(words: str, signer: str, flaw: str | None = None) -> Act:
    number = "in force" if flaw == "again" else f"signed by {signer}"
    return Act(words, "recordBySignature", lambda world, _: [world.relaying(signer, number, flaw)])


def _recording(words: str, *submissions: Any) -> Act:
    """Each of the submissions by itself."""
    calls = [call_data("record", ([each], [])) for each in submissions]
    return Act(words, "record", lambda _, __: calls)


def _own_role(_world: World, caller: str) -> list[str]:
    """The role that the caller is known by; who has none tries the registrars'."""
    kind, _, code = caller.partition(" of ")
    of_role = controllers if kind == "controller" else registrars
    return [call_data("renounceRole", (of_role(code or HERE), address(caller)))]


def _role_of_another(_world: World, caller: str) -> list[str]:
    other = "wallet" if caller == "registrar" else "registrar"
    return [call_data("renounceRole", (registrars(HERE), address(other)))]


def _admins_role(_world: World, caller: str) -> list[str]:
    return [call_data("renounceRole", (ADMIN_ROLE, address(caller)))]


_POLICIES = [
    _recording(
        "any of the eight acts on a policy of CN.GD",
        submission(HERE, "new", 1, Action.PUBLISH),
        submission(HERE, "in force", 2, Action.AMEND),
        submission(HERE, "in force", 2, Action.CORRECT),
        submission(HERE, "in force", 2, Action.SUSPEND),
        submission(HERE, "suspended", 3, Action.REINSTATE),
        submission(HERE, "in force", 2, Action.SUPERSEDE),
        submission(HERE, "in force", 2, Action.REPEAL),
        submission(HERE, "in force", 2, Action.WITHDRAW),
    ),
    _recording("an act on a policy of CN.SH", submission(SIBLING, "new", 1, Action.PUBLISH)),
    _relaying("relaying what a registrar of CN.GD signed", "registrar"),
    _relaying("… what the wallet accepts as signed", "wallet"),
    _relaying("… what a former registrar signed", "former registrar"),
    _relaying("… what a registrar reported compromised signed", "compromised registrar"),
    _relaying("… what somebody else signed in a registrar's name", "registrar", "forged"),
    _relaying("… what a registrar signed, altered", "registrar", "altered"),
    _relaying("… what a registrar signed, after its deadline", "registrar", "expired"),
    _relaying("… what a registrar signed, a second time", "registrar", "again"),
]
_AUTHORITIES = [
    _opening("opening an authority below CN.GD", "CN.GD.ZH"),
    _opening("opening an authority beside it, below CN", "CN.FJ"),
    _opening("opening an authority without a parent", "FR"),
    _act("changing CN.GD's profile", "setProfile", encode_code(HERE), sha256(b"{}"), b"{}"),
]
_ROLES = [
    _appointing("appointing a registrar of CN.GD", registrars(HERE)),
    _dismissing("dismissing a registrar of CN.GD", registrars(HERE), "registrar"),
    _reporting("reporting a registrar's key of CN.GD", registrars(HERE), "registrar"),
    _appointing("appointing a controller of CN.GD", controllers(HERE)),
    _dismissing("dismissing a controller of CN.GD", controllers(HERE), "controller"),
    _reporting("reporting a controller's key of CN.GD", controllers(HERE), "controller"),
    _appointing("appointing a controller of its child", controllers(CHILD)),
    _appointing("appointing a registrar of its child", registrars(CHILD)),
    _dismissing("dismissing a registrar of its child", registrars(CHILD), CHILDS_REGISTRAR),
    _appointing("appointing a controller of CN, which has no parent", controllers(PARENT)),
    Act("giving up one's own role of an authority", "renounceRole", _own_role),
    Act("giving up somebody else's role", "renounceRole", _role_of_another),
]
_ADMIN = [
    _act("beginning its transfer", "beginDefaultAdminTransfer", address("somebody")),
    _act("calling its transfer off", "cancelDefaultAdminTransfer"),
    _act("accepting it before the delay has passed", "acceptDefaultAdminTransfer", early=True),
    _act("accepting it afterwards", "acceptDefaultAdminTransfer"),
    Act("giving it up, no transfer to nobody being due", "renounceRole", _admins_role),
    _appointing("appointing an administrator directly", ADMIN_ROLE),
    _dismissing("dismissing the administrator", ADMIN_ROLE, "admin"),
    _act("changing the delay", "changeDefaultAdminDelay", DAY),
    _act("taking a change of the delay back", "rollbackDefaultAdminDelay"),
    _act("closing the registry for good", "retire", address("somebody")),
]

ACTS = {
    "Policies": _POLICIES,
    "Authorities": _AUTHORITIES,
    "Roles of authorities": _ROLES,
    "The administrator's role, and the registry itself": _ADMIN,
}
