"""The log itself, who may write to it, and what is in it by numbers."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter, Response

from api import answering, problems
from api.documentation import answers as documented
from api.models import AuthoritiesAnswer, AuthorityAnswer, CheckpointAnswer, StatsAnswer
from api.parameters import Code, Registry, Wanted
from registry.core.calendar import iso_date
from registry.services import answers
from registry.services.lookup import (
    count_policies,
    current_position,
    find_authorities,
    find_authority,
)

router = APIRouter()


@router.get(
    "/checkpoint",
    response_model=CheckpointAnswer,
    responses=documented(CheckpointAnswer),
    tags=["log"],
)
def checkpoint(registry: Registry) -> Response:
    """The log's size and root as of this mirror's block."""
    position = current_position(registry.engine)
    safe, finalized = position.finality.safe, position.finality.finalized
    content = {
        "size": position.size,
        "root": position.root.hex(),
        "settled": {
            "safe_block": safe if safe >= 0 else None,
            "finalized_block": finalized if finalized >= 0 else None,
        },
    }
    return answering.from_registry(position, content)


@router.get(
    "/authorities",
    response_model=AuthoritiesAnswer,
    responses=documented(AuthoritiesAnswer),
    tags=["authorities"],
)
def authorities(registry: Registry) -> Response:
    """Every authority that is open, by code."""
    position, rows = find_authorities(registry.engine)
    content = {"authorities": [answers.authority(row) for row in rows]}
    return answering.from_registry(position, content)


@router.get(
    "/authorities/{code}",
    response_model=AuthorityAnswer,
    responses=documented(AuthorityAnswer, problems.NOT_FOUND),
    tags=["authorities"],
)
def authority(code: Code, registry: Registry) -> Response:
    """One authority, who held its roles, and its keys that were reported compromised."""
    found = find_authority(registry.engine, code)
    return answering.from_registry(found.position, answers.shown_authority(found))


@router.get("/stats", response_model=StatsAnswer, responses=documented(StatsAnswer), tags=["log"])
def stats(registry: Registry, asked: Wanted) -> Response:
    """How many policies there are, by jurisdiction, level, type, year of issue, authority
    and standing. A joint issue is counted once, for the authority that leads it."""
    wanted = replace(asked.wanted(), leading_only=True)
    position, number, by, totals = count_policies(registry.engine, wanted)
    content = {"on": iso_date(wanted.on), "policies": number, "by": by, "totals": totals}
    return answering.from_registry(position, content)
