"""Collections and their members, of which the log holds the root alone."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api import answering, problems
from api.documentation import answers as documented
from api.documentation import failures
from api.models import CollectionsAnswer, MembersAnswer
from api.parameters import (
    OnDate,
    Registry,
    Root,
    Sending,
    decode_cursor,
    encode_cursor,
    searchable,
)
from registry.core.authority import check_code
from registry.core.calendar import iso_date
from registry.core.digest import parse_digest
from registry.mirror.listing import MemberFilter
from registry.services import answers
from registry.services.collections import export_collection, find_collections, find_members
from registry.services.freshness import require_size

router = APIRouter(tags=["collections"])

_MEMBERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A line of root and number, then one member's manifest a line, in the order "
        "of the tree: docs/formats.md, section 17",
        "content": {"application/x-ndjson": {"schema": {"type": "string"}}},
    }
}


class Asked(OnDate):
    text: str | None = Field(default=None, max_length=200, examples=["金融"])
    """Words that must all occur in a title or the number of the member."""
    authority: str | None = Field(default=None, examples=["CN.GD"])
    """An authority's code; its children are included."""
    collection: str | None = Field(default=None, max_length=64)
    """The members of the collection with this root alone."""
    limit: int = Field(default=50, ge=1, le=200)
    """How many members at most."""
    after: str | None = Field(default=None, max_length=64, examples=["AAAAAAAAAAoAAAAAAAAADA"])
    """`next` of the page before, with the same filters."""

    def wanted(self) -> MemberFilter:
        """The filter; raises InputError."""
        return MemberFilter(
            on=self.day(),
            text=None if self.text is None else searchable(self.text),
            authority=None if self.authority is None else check_code(self.authority),
            collection=None if self.collection is None else parse_digest(self.collection),
        )


@router.get(
    "/collections", response_model=CollectionsAnswer, responses=documented(CollectionsAnswer)
)
def collections(registry: Registry) -> Response:
    """Every entry that is a collection, in log order, and whether its members are held here."""
    position, rows = find_collections(registry.engine)
    content = {"collections": [answers.collection(row) for row in rows]}
    return answering.from_registry(position, content)


@router.get(
    "/collections/{root}",
    response_class=Response,
    responses={**_MEMBERS, **failures(problems.NOT_FOUND)},
)
def members_of_collection(root: Root, registry: Registry, streams: Sending) -> Response:
    """The members of a collection as a file, to be imported by others and compared with the root
    in the log. The same bytes from every mirror."""
    found = export_collection(registry.engine, parse_digest(root))
    headers = {
        "ETag": f'"{found.header.root.hex()[:32]}"',
        "Content-Disposition": f'attachment; filename="{found.header.root.hex()[:16]}.ndjson"',
    }
    return streams.send(found.lines(), headers, "application/x-ndjson")


@router.get("/members", response_model=MembersAnswer, responses=documented(MembersAnswer))
def members(registry: Registry, asked: Annotated[Asked, Query()]) -> Response:
    """Members of collections, filtered: collection by collection, each in its own order."""
    wanted = asked.wanted()
    after, size = decode_cursor(asked.after)
    position, rows, more = find_members(registry.engine, wanted, after, asked.limit)
    require_size(position, size)
    content = {
        "on": iso_date(wanted.on),
        "members": [answers.listed_member(each) for each in rows],
        "next": encode_cursor(rows[-1].id, position.size) if more else None,
    }
    return answering.from_registry(position, content)
