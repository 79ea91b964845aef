"""Is this document what was published? By digest, or by upload."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from api import answering, problems
from api.documentation import answers as documented
from api.follower import Follower
from api.models import DocumentAnswer, TextAnswer, VerifyAnswer
from api.opened import Opened
from api.parameters import Following, On, OnDate, Registry, Sha256
from api.upload import hash_upload
from registry.core.calendar import iso_date
from registry.core.digest import parse_digest
from registry.core.position import Position
from registry.core.units import Day, Digest
from registry.core.verdict import Match, Verdict
from registry.errors import InputError, NotFound
from registry.services import answers
from registry.services.lookup import current_position
from registry.services.texts.clause_lists import text_of_document
from registry.services.texts.explaining import Asked
from registry.services.verify import verify_digests

router = APIRouter(tags=["documents"])

_UPLOAD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "file": {
                            "type": "array",
                            "items": {"type": "string", "format": "binary"},
                            "description": "One or more files; the field's name does not matter.",
                        }
                    },
                }
            },
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


_HELD = 32 << 20
"""Bytes of one request's files that are held for their texts to be read."""


class Uploading(OnDate):
    text: bool = Field(default=False, examples=[True])
    """Whether the texts of files of unknown bytes are read."""
    against: str | None = Field(default=None, max_length=64, examples=["77d2c788"])
    """The policy_id of the policy to compare the texts with, whatever they share."""
    version: int | None = Field(default=None, ge=1, examples=[1])
    """The version of it; without one its latest."""

    def asked(self) -> Asked:
        """How texts are to be looked at; raises InputError."""
        if not self.text and (self.against or self.version):
            raise InputError("against and version go with text=true")
        if self.version and not self.against:
            raise InputError("version goes with against")
        return Asked(self.day(), (self.against,) if self.against else None, self.version)


@router.get(
    "/documents/{sha256}", response_model=DocumentAnswer, responses=documented(DocumentAnswer)
)
async def document(sha256: Sha256, registry: Registry, following: Following, on: On) -> Response:
    """Say what the registry knows of the file with this SHA-256.

    A file that nobody registered is an answer, too: 200 with `match` unknown.
    """
    day, digests = on.day(), [parse_digest(sha256)]
    if registry.is_open:
        # One look-up takes less than handing it to a thread would.
        position, found = _verdicts(registry, following, digests, day)
    else:
        position, found = await run_in_threadpool(_verdicts, registry, following, digests, day)
    return answering.from_registry(position, answers.verdict(found[0], day))


@router.get(
    "/documents/{sha256}/text",
    response_model=TextAnswer,
    responses=documented(TextAnswer, problems.NOT_FOUND),
)
def text(sha256: Sha256, registry: Registry, following: Following) -> Response:
    """What is registered of what the document with this SHA-256 says: the digest of its text, and
    its clauses by label and hash where they are known to this server."""
    try:
        found = text_of_document(registry.engine, parse_digest(sha256))
    except NotFound:
        following.require_caught_up(current_position(registry.engine))
        raise
    shown = answers.registered_text(found.registered, found.listed)
    return answering.from_registry(found.position, shown)


@router.post(
    "/verify",
    response_model=VerifyAnswer,
    responses=documented(VerifyAnswer, problems.TOO_LARGE, problems.UNSUPPORTED),
    openapi_extra=_UPLOAD,
)
async def verify(
    request: Request,
    registry: Registry,
    following: Following,
    asked: Annotated[Uploading, Query()],
) -> Response:
    """Say what the registry knows of the uploaded files.

    They are hashed as they arrive and never stored. With `text` those of unknown bytes are read:
    one may say the same as a registered document, or be an altered copy, and then of which clauses.
    """
    day, meant = asked.day(), asked.asked()
    files = await hash_upload(request.headers, request.stream(), _HELD if asked.text else 0)
    digests = [each.sha256 for each in files]
    position, found = await run_in_threadpool(_verdicts, registry, following, digests, day)
    if asked.text:
        given = [(v, file.content, file.name) for v, file in zip(found, files, strict=True)]
        found = await run_in_threadpool(registry.explain, meant, given)
    checked = [
        {"name": file.name, "size": file.size, **answers.verdict(verdict, day)}
        for file, verdict in zip(files, found, strict=True)
    ]
    return answering.from_registry(position, {"on": iso_date(day), "files": checked})


def _verdicts(
    registry: Opened, following: Follower, digests: Sequence[Digest], day: Day
) -> tuple[Position, list[Verdict]]:
    position, found = verify_digests(registry.engine, digests, day)
    if any(each.match is Match.UNKNOWN for each in found):
        following.require_caught_up(position)
    return position, found
