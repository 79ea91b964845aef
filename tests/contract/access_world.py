"""A registry in which every kind of caller is there, for the access matrix.

All of it is about one authority, CN.GD: CN is its parent, CN.GD.SZ its child, CN.SH its
sibling. Every caller is an account of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from registry.chain.abi import call_data, deployment_code
from registry.chain.rpc import HttpTransport
from registry.core.authority import encode_code
from registry.core.digest import sha256
from registry.core.entry import Action
from tests.contract.anvil_registry import (
    DAY,
    WILLING_WALLET,
    Registry,
    account,
    address,
    mined,
    registrars,
    submission,
)

HERE, PARENT, CHILD, SIBLING = "CN.GD", "CN", "CN.GD.SZ", "CN.SH"
DELAY = 2 * DAY
NEVER = 2**63

CALLERS = {
    "admin": "the administrator",
    "next admin": "the one to whom the administrator's role is being transferred",
    "controller of CN": "a controller of the parent",
    "controller": "a controller of CN.GD itself",
    "controller of CN.GD.SZ": "a controller of its child",
    "controller of CN.SH": "a controller of its sibling",
    "registrar": "a registrar of CN.GD",
    "registrar of CN.SH": "a registrar of another authority",
    "former registrar": "was a registrar of CN.GD and was dismissed",
    "compromised registrar": "was a registrar of CN.GD and was reported compromised",
    "wallet": "an ERC-1271 contract that is a registrar of CN.GD",
    "anyone": "everybody else: a relay, whoever deployed the contract, a stranger",
}
CHILDS_REGISTRAR = "registrar of the child"

_AUTHORITIES = (
    ("admin", PARENT, "controller of CN"),
    ("controller of CN", HERE, "controller"),
    ("controller of CN", SIBLING, "controller of CN.SH"),
    ("controller", CHILD, "controller of CN.GD.SZ"),
)
_REGISTRARS = (
    ("controller", HERE, "registrar"),
    ("controller", HERE, "former registrar"),
    ("controller", HERE, "compromised registrar"),
    ("controller", HERE, "wallet"),
    ("controller of CN.SH", SIBLING, "registrar of CN.SH"),
    ("controller of CN.GD.SZ", CHILD, CHILDS_REGISTRAR),
)


@dataclass(frozen=True)
class World:
    """The registry; a transfer of the administrator's role is under way, and a change of its
    delay. The policy `in force` has one entry, `suspended` two."""

    registry: Registry

    def relaying(self, signer: str, number: str, flaw: str | None) -> str:
        """The call that relays what an account signed; `flaw` says what is wrong with it."""
        given = [submission(HERE, number, 1, Action.PUBLISH)]
        deadline = 1 if flaw == "expired" else NEVER
        digest = self.registry.call("digestOf", given, address(signer), deadline)
        key = account("anyone" if flaw == "forged" else signer)
        signature = bytes(key.unsafe_sign_hash(digest).signature)
        if flaw == "altered":
            given = [(*given[0][:5], sha256(b"another document"), given[0][6])]
        arguments: tuple[Any, ...] = (given, [], address(signer), deadline, signature)
        return call_data("recordBySignature", arguments)


def build(transport: HttpTransport) -> World:
    """Deploy the registry and bring in everybody."""
    code = "0x" + deployment_code(address("admin"), DELAY).hex()
    registry = Registry(transport, mined(transport, "anyone", None, code)["contractAddress"])
    transport.request("anvil_setCode", [account("wallet").address, WILLING_WALLET])
    for opener, code, first in _AUTHORITIES:
        done(registry, opener, "openAuthority", encode_code(code), address(first), bytes(32), b"")
    for controller, code, each in _REGISTRARS:
        done(registry, controller, "grantRole", registrars(code), address(each))
    role, compromised = registrars(HERE), address("compromised registrar")
    done(registry, "controller", "revokeRole", role, address("former registrar"))
    done(registry, "controller", "reportCompromised", role, compromised, 1)
    published = [submission(HERE, each, 1, Action.PUBLISH) for each in ("in force", "suspended")]
    suspended = submission(HERE, "suspended", 2, Action.SUSPEND)
    done(registry, "registrar", "record", [*published, suspended], [])
    done(registry, "admin", "beginDefaultAdminTransfer", address("next admin"))
    done(registry, "admin", "changeDefaultAdminDelay", 10 * DAY)
    return World(registry)


def done(registry: Registry, sender: str, name: str, *arguments: Any) -> None:
    """Mine a call that must succeed."""
    outcome = registry.sends(sender, name, *arguments)
    assert outcome.error is None, (name, outcome.error)
