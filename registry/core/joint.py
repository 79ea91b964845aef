"""A joint issue: which bodies issue one document together, and which have said so.

The lead authority's manifest may name its co-issuers (`issued_with`); each of them says so
itself by an entry of its own with the same document and the relation `endorses`. Neither
side's word alone is a joint issue: whom the lead names has not signed, and anybody can endorse
any policy. So each body is listed with what is known of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from registry.core.authority import check_code
from registry.core.lifecycle import Status
from registry.core.units import Digest
from registry.errors import InputError

ISSUED_WITH = "issued_with"
"""The manifest's key: a list of authority codes."""


class Endorsed(StrEnum):
    """What an issuing body has said of the document."""

    LEAD = "lead"
    ENDORSED = "endorsed"
    OTHER_DOCUMENT = "other_document"
    """It endorsed the policy with another document, an older version's most likely."""
    ENDED = "ended"
    """It endorsed, and its own policy was superseded, repealed, withdrawn or suspended since."""
    MISSING = "missing"
    """The lead names it, and it has not endorsed."""


@dataclass(frozen=True, slots=True)
class Endorsement:
    """A co-issuing authority's own policy, with its latest document."""

    authority: str
    policy_id: Digest
    document: Digest
    status: Status


@dataclass(frozen=True, slots=True)
class Issuer:
    """A body that issues a document; `named` is whether the lead's manifest says so."""

    authority: str
    state: Endorsed
    named: bool
    policy_id: Digest | None = None


def named_issuers(fields: Mapping[str, Any] | None) -> list[str]:
    """The co-issuers that a manifest names, each once. What is no list of codes names nobody:
    it must not make a manifest unreadable that others read."""
    found = (fields or {}).get(ISSUED_WITH)
    codes: list[str] = []
    for each in found if isinstance(found, list) else ():
        try:
            if isinstance(each, str) and check_code(each) not in codes:
                codes.append(each)
        except InputError:
            continue
    return codes


def issuers(
    lead: str, named: Collection[str], document: Digest, endorsements: Collection[Endorsement]
) -> tuple[Issuer, ...]:
    """The bodies that issue `document`: the lead, then those it names in its order, then
    those that it does not name, by code."""
    states: dict[str, Issuer] = {}
    for each in endorsements:
        if each.authority == lead:
            continue
        found = Issuer(
            each.authority, _state(each, document), each.authority in named, each.policy_id
        )
        before = states.get(each.authority)
        if before is None or _ORDER[found.state] < _ORDER[before.state]:
            states[each.authority] = found
    others = [code for code in named if code != lead]
    return (
        Issuer(lead, Endorsed.LEAD, named=True),
        *(states.get(code, Issuer(code, Endorsed.MISSING, named=True)) for code in others),
        *(states[code] for code in sorted(states) if code not in others),
    )


_ORDER = {state: place for place, state in enumerate(Endorsed)}


def _state(endorsement: Endorsement, document: Digest) -> Endorsed:
    if endorsement.status is not Status.IN_FORCE:
        return Endorsed.ENDED
    same = endorsement.document == document
    return Endorsed.ENDORSED if same else Endorsed.OTHER_DOCUMENT
