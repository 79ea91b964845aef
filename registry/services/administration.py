"""The administrator's role handed over in two steps, and the registry closed for good."""

from __future__ import annotations

import time

from registry.chain.abi import call_data
from registry.chain.addresses import checksummed
from registry.chain.administration import Administration, administration
from registry.chain.client import Client
from registry.chain.sender import Receipt
from registry.core.calendar import iso_time
from registry.core.units import Address
from registry.errors import InputError, Rejected
from registry.services.authorities import Caller

NOWHERE = Address(bytes(20))
"""The successor of a registry that is closed and goes on nowhere."""

__all__ = ["Administration", "accept", "administration", "call_off", "offer", "retire"]


def offer(to: Address, client: Client, caller: Caller) -> Receipt:
    """Offer the administrator's role: the first step. An offer that stands is replaced."""
    _require_administrator(administration(client), caller)
    return caller.call(client.address, call_data("beginDefaultAdminTransfer", (to,)))


def call_off(client: Client, caller: Caller) -> Receipt:
    """Take the offer back, whether its delay has passed or not."""
    found = administration(client)
    _require_administrator(found, caller)
    if not found.offered:
        raise Rejected("the administrator's role is offered to nobody")
    return caller.call(client.address, call_data("cancelDefaultAdminTransfer"))


def accept(client: Client, caller: Caller) -> Receipt:
    """Take the role that was offered: the second step, once the delay has passed."""
    found = administration(client)
    if found.offered_to != caller.account or found.from_time is None:
        to = "nobody" if found.offered_to is None else checksummed(found.offered_to)
        raise Rejected(
            f"the administrator's role is offered to {to}, not to {checksummed(caller.account)}"
        )
    head = client.head().block
    if max(head.time, int(time.time())) <= found.from_time:
        raise Rejected(
            f"the offer can be accepted after {iso_time(found.from_time)}",
            hint="the delay is there for the administrator to call off what it did not begin",
        )
    return caller.call(client.address, call_data("acceptDefaultAdminTransfer"))


def retire(successor: Address, confirmed: Address, client: Client, caller: Caller) -> Receipt:
    """Close the log for good; it goes on at `successor`, which must hold a registry, or nowhere.
    `confirmed` is the contract that the caller means to close."""
    if confirmed != client.address:
        raise InputError(
            f"this closes {checksummed(client.address)} for good, and {checksummed(confirmed)} was "
            "confirmed",
            hint=f"if that is what you mean: --confirm {checksummed(client.address)}",
        )
    if successor == client.address:
        raise InputError("a registry can not be its own successor")
    _require_administrator(administration(client), caller)
    if successor != NOWHERE:
        Client(client.transport, successor).require_contract()
    return caller.call(client.address, call_data("retire", (successor,)))


def _require_administrator(found: Administration, caller: Caller) -> None:
    if found.administrator == caller.account:
        return
    who = "nobody" if found.administrator is None else checksummed(found.administrator)
    raise Rejected(
        f"{checksummed(caller.account)} is not the administrator of the contract: {who} is"
    )
