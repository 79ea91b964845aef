"""What a machine without a network needs to sign an act: chain, contract, and how policies stand.

It is made where there is a mirror and carried to where the key is. Nothing in it is secret, and
nothing in it is believed further than this: with a wrong kit the contract refuses the act that was
signed, since it has the last word on chain, contract and sequence. No IO.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from registry.core import strict_json
from registry.core.authority import check_code
from registry.core.calendar import iso_time, parse_time
from registry.core.entry import Action
from registry.core.lifecycle import TRANSITIONS, UNPUBLISHED, PolicyState, Status
from registry.core.policy import PolicyKey
from registry.core.strict_fields import closed_object, hexadecimal, whole_number
from registry.core.units import Address, Digest, UnixSeconds
from registry.errors import InputError

SCHEMA = "policy-registry/signing-kit/1"
_KEYS = ("schema", "chain_id", "contract", "made_at", "authorities", "policies")
_POLICY = (
    "authority",
    "number_hash",
    "status",
    "sequence",
    "title",
    "type",
    "jurisdiction",
    "issued_with",
)
_STATUSES = {status.word: status for status in Status if status is not Status.NONE}


@dataclass(frozen=True, slots=True)
class KnownPolicy:
    """How a policy stands, and what an act on it takes over where nothing else is said."""

    key: PolicyKey
    status: Status
    sequence: int
    title: Mapping[str, str]
    type: str | None
    jurisdiction: str | None
    issued_with: tuple[str, ...] = ()
    """Who issues its latest document with it."""

    @property
    def state(self) -> PolicyState:
        """What the contract keeps of it, as far as an act needs it."""
        return PolicyState(self.status, self.sequence, None, UnixSeconds(0))


@dataclass(frozen=True, slots=True)
class SigningKit:
    """All policies of `authorities`, as they stood at a moment."""

    chain_id: int
    contract: Address
    made_at: UnixSeconds
    authorities: tuple[str, ...]
    policies: Mapping[bytes, KnownPolicy]
    """By policy_id."""

    def known(self, key: PolicyKey) -> KnownPolicy | None:
        """The policy, or None where it was not published. Raises InputError where the kit does
        not say."""
        if key.authority not in self.authorities:
            raise InputError(
                f"the kit says nothing of the policies of {key.authority}",
                hint=f"make one with polreg sign kit --authority {key.authority}",
            )
        return self.policies.get(key.policy_id)

    def state(self, key: PolicyKey) -> PolicyState:
        found = self.known(key)
        return UNPUBLISHED if found is None else found.state


def state_before(action: Action, sequence: int) -> PolicyState:
    """A state from which `action` may be act `sequence`: for whoever signs by that number
    alone. Whether the policy is in that state the contract will say."""
    if sequence < 1 or (action is Action.PUBLISH) != (sequence == 1):
        raise InputError(
            f"act {sequence} of a policy can not be {action.word}",
            hint="act 1 is publish, and no other is; polreg history tells how many there are",
        )
    if sequence == 1:
        return UNPUBLISHED
    starts, _ = TRANSITIONS[action]
    return PolicyState(min(starts), sequence - 1, None, UnixSeconds(0))


def write_kit(kit: SigningKit) -> bytes:
    """The file's bytes."""
    return orjson.dumps(
        {
            "schema": SCHEMA,
            "chain_id": kit.chain_id,
            "contract": "0x" + kit.contract.hex(),
            "made_at": iso_time(kit.made_at),
            "authorities": list(kit.authorities),
            "policies": [
                {
                    "authority": each.key.authority,
                    "number_hash": each.key.number_hash.hex(),
                    "status": each.status.word,
                    "sequence": each.sequence,
                    "title": dict(each.title),
                    "type": each.type,
                    "jurisdiction": each.jurisdiction,
                    "issued_with": list(each.issued_with),
                }
                for each in kit.policies.values()
            ],
        },
        option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE,
    )


def read_kit(content: bytes) -> SigningKit:
    """What the file says; raises InputError."""
    try:
        return _read(strict_json.loads(content))
    except InputError as error:
        raise InputError(
            f"this is not a signing kit: {error}", hint="make one with polreg sign kit"
        ) from None


def _read(value: Any) -> SigningKit:
    fields = closed_object(value, _KEYS, "the file")
    if fields["schema"] != SCHEMA:
        raise InputError(f"its schema is not {SCHEMA}")
    if not isinstance(fields["made_at"], str):
        raise InputError("made_at is not a time")
    policies = [_policy(each) for each in _listed(fields, "policies")]
    return SigningKit(
        chain_id=whole_number(fields["chain_id"], "chain_id"),
        contract=Address(hexadecimal(fields["contract"], 20, "contract", "0x")),
        made_at=parse_time(fields["made_at"]),
        authorities=tuple(check_code(str(each)) for each in _listed(fields, "authorities")),
        policies={each.key.policy_id: each for each in policies},
    )


def _policy(value: Any) -> KnownPolicy:
    fields = closed_object(value, _POLICY, "a policy")
    title = fields["title"]
    if not isinstance(title, dict) or not all(isinstance(each, str) for each in title.values()):
        raise InputError("a title is not a text for each language")
    status = _STATUSES.get(fields["status"]) if isinstance(fields["status"], str) else None
    if status is None:
        raise InputError("a status is none")
    for name in ("type", "jurisdiction"):
        if fields[name] is not None and not isinstance(fields[name], str):
            raise InputError(f"a {name} is not a text")
    return KnownPolicy(
        PolicyKey(
            check_code(str(fields["authority"])),
            Digest(hexadecimal(fields["number_hash"], 32, "number_hash")),
        ),
        status,
        whole_number(fields["sequence"], "sequence"),
        title,
        fields["type"],
        fields["jurisdiction"],
        tuple(check_code(str(each)) for each in _listed(fields, "issued_with")),
    )


def _listed(fields: Mapping[str, Any], name: str) -> list[Any]:
    found = fields[name]
    if not isinstance(found, list):
        raise InputError(f"{name} is not a list")
    return found
