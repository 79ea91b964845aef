"""What is looked at before a signed act is relayed: everything that the contract will look at,
and that here costs nothing.

Raises Rejected, in words, for what the contract would refuse; LimitReached where it would take
it and the registrar has sent too many. None of it is trusted to last: the whole call is tried once
more before it is paid for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from registry.chain.addresses import checksummed
from registry.chain.client import Client
from registry.chain.sender import record_fits, record_gas
from registry.chain.typed_data import digest_of
from registry.core.authority import Role, role_id
from registry.core.chain_id import caip10
from registry.core.lifecycle import TRANSITIONS, PolicyState, check
from registry.core.policy import PolicyKey
from registry.core.signed_act import SignedAct, called
from registry.core.submission import Submission
from registry.core.units import UnixSeconds
from registry.errors import InputError, Rejected

SECONDS_TO_MINE = 60
"""One that expires sooner may be mined too late, for nothing."""

_SIGNATURE_GAS = 60_000
_WALLET_GAS = 400_000


def relay_gas(signed: SignedAct) -> int:
    """An upper bound of the gas that relaying it takes."""
    wallet = len(signed.signature) != 65
    return record_gas(signed.acts.submissions) + (_WALLET_GAS if wallet else _SIGNATURE_GAS)


def check_place(signed: SignedAct, client: Client, chain_id: int, now: UnixSeconds) -> None:
    """Whether it is for this contract, and still holds. Asks nobody."""
    acts = signed.acts
    if (acts.chain_id, acts.contract) != (chain_id, client.address):
        raise Rejected(
            f"this act is for {caip10(acts.chain_id, checksummed(acts.contract))}, and what is "
            f"relayed here is for {caip10(chain_id, checksummed(client.address))}",
            hint="relay it there, or sign it for this registry",
        )
    if acts.deadline < now + SECONDS_TO_MINE:
        raise Rejected("the signature's deadline has passed, or is about to", hint="sign again")
    if not record_fits(acts.submissions):
        raise InputError("these acts are more than one transaction takes", hint="sign fewer")


def check_signature(signed: SignedAct, client: Client) -> None:
    """Whether the registrar is one of each act's authority, and signed exactly this."""
    acts = signed.acts
    codes = list(dict.fromkeys(each.policy.authority for each in acts.submissions))
    roles = [role_id(code, Role.REGISTRAR) for code in codes]
    for code, held in zip(codes, client.has_roles(roles, acts.registrar), strict=True):
        if not held:
            raise Rejected(
                f"{checksummed(acts.registrar)} is not a registrar of {code}",
                hint=f"a controller of {code} can appoint it",
            )
    if not client.accepts_signature(acts.registrar, digest_of(acts), signed.signature):
        raise Rejected(
            f"the signature is not {checksummed(acts.registrar)}'s over exactly these acts"
        )


def check_sequence(signed: SignedAct, client: Client) -> None:
    """Whether each act is the next one of its policy, and possible from the policy's status."""
    submissions = signed.acts.submissions
    keys = list(dict.fromkeys(each.policy for each in submissions))
    states = dict(zip(keys, client.policies(keys), strict=True))
    for submission in submissions:
        states[submission.policy] = _after(submission, states)


def _after(submission: Submission, states: dict[PolicyKey, PolicyState]) -> PolicyState:
    state, what = states[submission.policy], called([submission])
    if submission.sequence != state.sequence + 1:
        raise Rejected(
            f"another act of this policy came first, or this one was recorded: the next is act "
            f"{state.sequence + 1}, this one is act {submission.sequence}",
            hint="look at it with polreg history; sign again if it is still to be recorded",
        )
    check(state, submission.action, what)
    _, status = TRANSITIONS[submission.action]
    return replace(state, status=status, sequence=submission.sequence)


def overlap(one: Sequence[Submission], other: Sequence[Submission]) -> bool:
    """Whether only one of the two can be recorded."""
    places = {(each.policy, each.sequence) for each in one}
    return any((each.policy, each.sequence) in places for each in other)
