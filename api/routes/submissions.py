"""Handing in acts that were signed elsewhere."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from api import answering, problems
from api.documentation import answers as documented
from api.documentation import failures
from api.models import SubmissionAnswer
from api.parameters import Registry, Relays
from api.problems import TooLarge
from registry.core.signed_act import MAX_BYTES
from registry.services import answers
from registry.services.relay_view import shown
from registry.services.relaying import Progress, parse_id

router = APIRouter(tags=["submissions"])

Id = Annotated[
    str,
    Path(
        description="The id that the answer to handing it in gave: the EIP-712 digest that was "
        "signed.",
        examples=["0x" + "5f" * 32],
    ),
]
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "description": "A signed act, as `polreg sign` writes it: docs/formats.md",
                }
            }
        },
    }
}


@router.post(
    "/submissions",
    status_code=202,
    response_model=SubmissionAnswer,
    responses={
        202: {"description": "Taken, or taken before", "model": SubmissionAnswer},
        **failures(problems.REJECTED, problems.TOO_LARGE, problems.TOO_MANY, problems.NOT_OFFERED),
    },
    openapi_extra=_BODY,
)
async def hand_in(request: Request, registry: Registry, relays: Relays) -> Response:
    """Hand in a signed act, to be sent to the chain at this server's expense.

    The registrar's signature decides, and nothing else: no account is needed here. What the
    contract would refuse is refused before anything is paid. To hand in the same act again changes
    nothing. `Location` is where to look what becomes of it.
    """
    content = await _body(request)
    return await run_in_threadpool(_taken, registry, relays, content)


@router.get(
    "/submissions/{id}",
    response_model=SubmissionAnswer,
    responses=documented(SubmissionAnswer, problems.NOT_FOUND, problems.NOT_OFFERED),
)
def submission(id: Id, registry: Registry, relays: Relays) -> Response:  # noqa: A002 - its name in the URL
    """Say what became of an act that was handed in here."""
    found = relays.progress(parse_id(id))
    return _answer(answers.workspace_context(registry.engine), found)


def _taken(registry: Registry, relays: Relays, content: bytes) -> Response:
    relays.require_offered()
    # Where there is no mirror to answer from yet, nothing is taken.
    context = answers.workspace_context(registry.engine)
    found = relays.accept(content)
    answer = _answer(context, found)
    answer.status_code = 202
    answer.headers["Location"] = f"/v1/submissions/0x{found.row.id.hex()}"
    return answer


def _answer(context: dict[str, Any], found: Progress) -> Response:
    answer = answering.json({"submission": shown(found), "registry": context})
    answer.headers["Cache-Control"] = "no-store"
    return answer


async def _body(request: Request) -> bytes:
    content = bytearray()
    async for piece in request.stream():
        content += piece
        if len(content) > MAX_BYTES:
            raise TooLarge(f"a signed act has at most {MAX_BYTES:,} bytes")
    return bytes(content)
