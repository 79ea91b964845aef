"""Which policies are there, and what happened to one of them?"""

from __future__ import annotations

from fastapi import APIRouter, Response

from api import answering, problems
from api.documentation import answers as documented
from api.models import HistoryAnswer, PoliciesAnswer, PolicyAnswer, TextAnswer
from api.parameters import (
    Numbered,
    On,
    Page,
    PolicyId,
    Registry,
    decode_cursor,
    encode_cursor,
)
from registry.core.calendar import iso_date
from registry.core.units import Day
from registry.services import answers
from registry.services.freshness import require_size
from registry.services.lookup import FoundPolicy, find_policies, find_policy
from registry.services.texts.clause_lists import text_of_policy

router = APIRouter(prefix="/policies", tags=["policies"])


@router.get("", response_model=PoliciesAnswer, responses=documented(PoliciesAnswer))
def policies(registry: Registry, page: Page) -> Response:
    """List policies in the order of their first publication, filtered.

    Pages are continued after the last policy seen, so what is published meanwhile neither
    hides a policy nor shows one twice.
    """
    wanted = page.wanted()
    after, size = decode_cursor(page.after)
    position, rows, more = find_policies(registry.engine, wanted, after, page.limit)
    require_size(position, size)
    content = {
        "on": iso_date(wanted.on),
        "policies": [answers.policy(row, position) for row in rows],
        "next": encode_cursor(rows[-1].id, position.size) if more else None,
    }
    return answering.from_registry(position, content)


@router.get(
    "/by-number",
    response_model=PolicyAnswer,
    responses=documented(PolicyAnswer, problems.NOT_FOUND),
)
def policy_by_number(registry: Registry, asked: Numbered) -> Response:
    """One policy by its authority and the number that gave it."""
    day = asked.day()
    return _policy(find_policy(registry.engine, [asked.authority, asked.number], day), day)


@router.get(
    "/{policy_id}",
    response_model=PolicyAnswer,
    responses=documented(PolicyAnswer, problems.NOT_FOUND),
)
def policy(policy_id: PolicyId, registry: Registry, on: On) -> Response:
    """One policy as it stands on a date, and who endorses it."""
    day = on.day()
    return _policy(find_policy(registry.engine, [policy_id], day), day)


@router.get(
    "/{policy_id}/history",
    response_model=HistoryAnswer,
    responses=documented(HistoryAnswer, problems.NOT_FOUND),
)
def history(policy_id: PolicyId, registry: Registry, on: On) -> Response:
    """All entries of one policy, the oldest first, with their manifests."""
    found = find_policy(registry.engine, [policy_id], on.day())
    content = {
        "policy_id": found.row.policy_id.hex(),
        "authority": found.row.authority,
        "number": found.row.number,
        "entries": [
            answers.history_entry(each, found.compromised.get(each.entry)) for each in found.entries
        ],
    }
    return answering.from_registry(found.position, content)


@router.get(
    "/{policy_id}/text",
    response_model=TextAnswer,
    responses=documented(TextAnswer, problems.NOT_FOUND),
)
def text(policy_id: PolicyId, registry: Registry, on: On) -> Response:
    """What is registered of what the document says that applies on a date: the digest of its text,
    and its clauses by label and hash where they are known to this server."""
    found = text_of_policy(registry.engine, [policy_id], on.day())
    shown = answers.registered_text(found.registered, found.listed)
    return answering.from_registry(found.position, shown)


def _policy(found: FoundPolicy, day: Day) -> Response:
    content = {
        "on": iso_date(day),
        "policy": answers.shown_policy(found),
    }
    return answering.from_registry(found.position, content)
