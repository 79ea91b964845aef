"""The state of every policy at a checkpoint, as a stream."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api.documentation import failures
from api.parameters import Registry, Sending, Strict
from registry.core.calendar import parse_day, parse_time
from registry.core.digest import sha256
from registry.core.snapshot import COLUMNS, SCHEMA, Filters, ndjson_line
from registry.services.member_snapshots import MemberSnapshot, take_member_snapshot
from registry.services.snapshots import Snapshot, take_snapshot

router = APIRouter(tags=["snapshot"])

_MAX_SIZE = 2**63 - 1


class Format(StrEnum):
    """How the rows are written."""

    NDJSON = "ndjson"
    CSV = "csv"

    @property
    def media_type(self) -> str:
        match self:
            case Format.NDJSON:
                return "application/x-ndjson"
            case Format.CSV:
                return "text/csv; charset=utf-8"


class Asked(Strict):
    in_force_on: str | None = Field(
        default=None, examples=["2020-07-01"], json_schema_extra={"format": "date"}
    )
    """Only policies in force on this date, each with the version that applied then."""
    recorded_by: str | None = Field(default=None, examples=["2026-11-22T12:00:00Z"])
    """As known at this moment: RFC 3339, or a date for the end of that day in UTC."""
    size: int | None = Field(default=None, ge=1, le=_MAX_SIZE, examples=[11])
    """As known after the log's first entries, this many. Not together with recorded_by."""
    members: bool = False
    """The members of collections instead, a line each: all of them, or a 503 where this server does
    not know those of some collection."""
    format: Format = Format.NDJSON
    """CSV has the same rows and no header of where they come from."""

    def filters(self) -> Filters:
        """Raises InputError."""
        day, moment = self.in_force_on, self.recorded_by
        return Filters(
            in_force_on=None if day is None else parse_day(day, "parameter in_force_on"),
            recorded_by=None if moment is None else parse_time(moment),
        )


_HEADER_EXAMPLE = (
    f'{{"block":{{"hash":"0x…","number":12}},"chain":"eip155:…","contract":"eip155:…",'
    f'"count":1,"filters":{{"in_force_on":null,"recorded_by":null}},"root":"…",'
    f'"schema":"{SCHEMA}","size":11}}\n'
)
_SUCCESS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A line of where it comes from (NDJSON) or of column names (CSV), then "
        "one policy a line in the order of policy_id",
        "content": {
            "application/x-ndjson": {"schema": {"type": "string"}, "example": _HEADER_EXAMPLE},
            "text/csv": {"schema": {"type": "string"}, "example": ",".join(COLUMNS) + "\r\n"},
        },
    },
    304: {"description": "The snapshot with the ETag of If-None-Match is still the answer"},
}


@router.get("/snapshot", response_class=Response, responses={**_SUCCESS, **failures()})
def snapshot(
    request: Request, registry: Registry, streams: Sending, asked: Annotated[Asked, Query()]
) -> Response:
    """Every policy after the log's first entries: a pure function of those entries.

    The same question about the same log gives the same bytes, from any mirror.
    """
    of_policies = take_snapshot(registry.engine, asked.filters(), asked.size)
    taken = take_member_snapshot(of_policies) if asked.members else of_policies
    headers = {"ETag": _etag(taken, asked.format)}
    if headers["ETag"] in _named(request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)
    name = f"policy-registry{'-members' if asked.members else ''}-{taken.size}.{asked.format}"
    headers["Content-Disposition"] = f'attachment; filename="{name}"'
    lines = taken.ndjson() if asked.format is Format.NDJSON else taken.csv()
    return streams.send(lines, headers, asked.format.media_type)


_FIXED = ("schema", "chain", "contract", "root", "size", "filters")


def _etag(taken: Snapshot | MemberSnapshot, written_as: Format) -> str:
    """Of what is shown, root, size, filters and format; chain and contract are with the root."""
    fixed = {key: taken.header[key] for key in _FIXED}
    return f'"{sha256(ndjson_line({**fixed, "format": written_as.value})).hex()[:32]}"'


def _named(if_none_match: str) -> list[str]:
    return [each.strip().removeprefix("W/") for each in if_none_match.split(",")]
