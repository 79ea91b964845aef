"""What changed between the versions of a policy, and which of them changed a clause last?"""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api import answering, problems
from api.documentation import answers as documented
from api.models import BlameAnswer, DiffAnswer
from api.parameters import PolicyId, Registry, Strict
from registry.core.calendar import day_of
from registry.core.units import Day, UnixSeconds
from registry.services.texts import answers as text_answers
from registry.services.texts.versions import blame_policy, compare_versions

router = APIRouter(prefix="/policies", tags=["policies"])


class Versions(Strict):
    first: int | None = Field(default=None, ge=1, alias="from", examples=[1])
    """This version; without it the document before the other one."""
    last: int | None = Field(default=None, ge=1, alias="to", examples=[2])
    """This version; without it the latest."""
    unchanged: bool = Field(default=False, examples=[True])
    """Whether the clauses that stayed as they were are listed, too."""


@router.get(
    "/{policy_id}/diff",
    response_model=DiffAnswer,
    responses=documented(DiffAnswer, problems.NOT_FOUND),
)
def diff(policy_id: PolicyId, registry: Registry, asked: Annotated[Versions, Query()]) -> Response:
    """Two versions of a policy, clause by clause: what was changed, moved, taken out and added.

    With a redline where what the clauses said is kept by this server, else by their hashes.
    """
    found = compare_versions(
        registry.engine, [policy_id], _today(), numbers=(asked.first, asked.last)
    )
    content = text_answers.difference(found, unchanged=asked.unchanged)
    return answering.from_registry(found.position, content)


@router.get(
    "/{policy_id}/blame",
    response_model=BlameAnswer,
    responses=documented(BlameAnswer, problems.NOT_FOUND),
)
def blame(policy_id: PolicyId, registry: Registry) -> Response:
    """Which version last changed each clause of a policy's latest document."""
    found = blame_policy(registry.engine, [policy_id], _today())
    return answering.from_registry(found.position, text_answers.blame(found))


def _today() -> Day:
    return day_of(UnixSeconds(int(time.time())))
