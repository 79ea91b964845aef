"""Who administers the contract, and to whom the role was offered: in no entry of the log, so it is
asked of a node (`AccessControlDefaultAdminRules`)."""

from __future__ import annotations

from dataclasses import dataclass

from registry.chain.abi import call_data, decode_result
from registry.chain.addresses import parse_address
from registry.chain.client import Client
from registry.core.units import Address, UnixSeconds
from registry.errors import RegistryError

_NAMES = ("defaultAdmin", "pendingDefaultAdmin", "defaultAdminDelay")
_NOBODY = bytes(20)


@dataclass(frozen=True, slots=True)
class Administration:
    """The administrator (None: nobody, for good); to whom the role is offered and from when it
    can be accepted; and the delay in seconds between the two steps."""

    administrator: Address | None
    offered_to: Address | None
    offered: bool
    from_time: UnixSeconds | None
    delay: int


def administration(client: Client) -> Administration:
    """As it is at the node's latest block."""
    to = "0x" + client.address.hex()
    calls = [("eth_call", [{"to": to, "data": call_data(name)}, "latest"]) for name in _NAMES]
    answers = client.transport.batch(calls)
    for each in answers:
        if isinstance(each, RegistryError):
            raise each
    (admin,), (offered, schedule), (delay,) = (
        decode_result(name, answer) for name, answer in zip(_NAMES, answers, strict=True)
    )
    # The schedule tells: the role may also be offered to nobody, which gives it up.
    is_offered = schedule != 0
    return Administration(
        administrator=_somebody(admin),
        offered_to=_somebody(offered) if is_offered else None,
        offered=is_offered,
        from_time=UnixSeconds(int(schedule)) if is_offered else None,
        delay=int(delay),
    )


def _somebody(address: str) -> Address | None:
    found = parse_address(address)
    return None if found == _NOBODY else found
