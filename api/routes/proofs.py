"""What others verify with, without trusting this server: receipts, and the log's hashes."""

from __future__ import annotations

import re
import time
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from api import problems
from api.documentation import failures
from api.parameters import Registry, Sha256, Strict
from registry.core import digest
from registry.core.calendar import day_of
from registry.core.receipt import write_receipt
from registry.core.tiles import TileId
from registry.core.units import Day, UnixSeconds
from registry.errors import InputError
from registry.services.proving import make_receipt, subject_of_digest
from registry.services.tiles import serve_tile

router = APIRouter(tags=["proofs"])

RECEIPT_TYPE = "application/vnd.policy-registry.receipt+json"
_FOR_EVER = "public, max-age=31536000, immutable"
_NUMBER = re.compile(r"((?:x[0-9]{3}/)+[0-9]{3}|[0-9]{1,17})(?:\.p/([0-9]{1,3}))?")

_RECEIPT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The receipt, as docs/formats.md specifies it: a file to be kept",
        "content": {RECEIPT_TYPE: {"schema": {"type": "object"}}},
    }
}
_TILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The hashes, 32 bytes each. Those of finalised entries may be kept for ever",
        "content": {"application/octet-stream": {"schema": {"type": "string"}}},
    }
}


class Asked(Strict):
    chain_proof: bool = Field(default=False)
    """With a storage proof, so that the receipt verifies from a block hash alone."""


@router.get(
    "/documents/{sha256}/receipt",
    response_class=Response,
    responses={**_RECEIPT, **failures(problems.NOT_FOUND)},
)
def receipt(sha256: Sha256, registry: Registry, asked: Annotated[Asked, Query()]) -> Response:
    """A receipt for the policy of this document: every entry of it, with its path to the
    log's root.

    It verifies with any node of the chain, or with a storage proof from a block hash alone,
    by `polreg verify FILE --receipt`, by the page, or by a verifier of your own.
    """
    document = digest.parse_digest(sha256)
    subject = subject_of_digest(registry.engine, document, _today())
    client = registry.client if asked.chain_proof else None
    made = make_receipt(registry.engine, subject.policy_id, client, subject.member)
    content = write_receipt(made)
    name = f"{document.hex()[:16]}.receipt.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, headers=headers, media_type=RECEIPT_TYPE)


@router.get(
    "/tile/{level}/{index:path}",
    response_class=Response,
    responses={**_TILE, **failures(problems.NOT_FOUND)},
)
def tile(
    level: Annotated[int, Path(description="0 for leaf hashes; each level has 256th as many.")],
    index: Annotated[
        str,
        Path(
            description="The tile's number, plain (`1234`) or as C2SP writes it (`x001/234`), "
            "with `.p/N` after it for the first N hashes of one."
        ),
    ],
    registry: Registry,
) -> Response:
    """256 hashes of the log's tree: C2SP tlog-tiles. Every proof can be computed from these."""
    wanted = _NUMBER.fullmatch(index)
    if wanted is None:
        raise InputError(f"{index[:40]!r} names no tile", hint="write it as 7, x001/234 or 7.p/23")
    number = int(re.sub("[x/]", "", wanted[1]))
    width = None if wanted[2] is None else int(wanted[2])
    served = serve_tile(registry.engine, TileId(level, number), width)
    headers = {"ETag": f'"{digest.sha256(served.hashes).hex()[:32]}"'}
    if served.final:
        headers["Cache-Control"] = _FOR_EVER
    return Response(served.hashes, headers=headers, media_type="application/octet-stream")


def _today() -> Day:
    return day_of(UnixSeconds(int(time.time())))
