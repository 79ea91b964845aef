"""What the routes take. A parameter that no route knows is an error, so that a misspelt
filter never answers with everything."""

from __future__ import annotations

import base64
import binascii
import struct
import time
from typing import Annotated, Any

from fastapi import Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from api.follower import Follower
from api.opened import Opened
from api.relaying import Relaying
from api.streaming import Streams
from registry.core.authority import check_code
from registry.core.calendar import day_of, parse_day
from registry.core.timeline import Standing
from registry.core.units import Day, UnixSeconds
from registry.errors import InputError
from registry.mirror.listing import PolicyFilter

_CURSOR = struct.Struct(">QQ")
_MAX_CURSOR = 2**63 - 1

Sha256 = Annotated[
    str,
    Path(
        description="SHA-256 of the file's bytes, as `sha256sum` prints it: 64 hexadecimal "
        "characters.",
        examples=["1ad8b1b9d2b8b0b0f4a5a4b28a1e5c0b8b1f7bb0a5b1f0a3a8d8a1c5b0e4d3f2"],
    ),
]
PolicyId = Annotated[
    str,
    Path(
        description="A policy_id, or at least four characters of one that no other begins with.",
        examples=["77d2c788"],
    ),
]
Root = Annotated[
    str,
    Path(
        description="The root over a collection's members: 64 hexadecimal characters.",
        examples=["1ad8b1b9d2b8b0b0f4a5a4b28a1e5c0b8b1f7bb0a5b1f0a3a8d8a1c5b0e4d3f2"],
    ),
]
Code = Annotated[str, Path(description="An authority's code.", examples=["CN.GD.SHENZHEN"])]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


def _date(example: str) -> Any:
    return Field(default=None, examples=[example], json_schema_extra={"format": "date"})


class OnDate(Strict):
    on: str | None = _date("2020-07-01")
    """The date whose standing is meant; today in UTC where it is not given."""

    def day(self) -> Day:
        """The day asked about; raises InputError."""
        if self.on is None:
            return day_of(UnixSeconds(int(time.time())))
        return parse_day(self.on, "parameter on")


class Filters(OnDate):
    authority: str | None = Field(default=None, examples=["CN.GD"])
    """An authority's code; its children are included."""
    jurisdiction: str | None = Field(default=None, max_length=16, examples=["CN-GD"])
    """ISO 3166-2."""
    type: str | None = Field(default=None, max_length=64, examples=["notice"])
    """As the manifest says it: notice, plan, regulation, law, …"""
    standing: Standing | None = Field(default=None, examples=["in_force"])
    """On the date."""
    text: str | None = Field(default=None, max_length=200, examples=["金融"])
    """Words that must all occur in a title (Chinese or English) or the number."""
    issued_from: str | None = _date("2017-01-01")
    """Issued on that date or later."""
    issued_to: str | None = _date("2017-12-31")
    """Issued on that date or earlier."""

    def wanted(self) -> PolicyFilter:
        """The filter; raises InputError."""
        return PolicyFilter(
            on=self.day(),
            authority=None if self.authority is None else check_code(self.authority),
            jurisdiction=self.jurisdiction,
            type=self.type,
            standing=self.standing,
            text=None if self.text is None else searchable(self.text),
            issued_from=_day_or_none(self.issued_from, "issued_from"),
            issued_to=_day_or_none(self.issued_to, "issued_to"),
        )


class PageOfPolicies(Filters):
    limit: int = Field(default=50, ge=1, le=200)
    """How many policies at most."""
    after: str | None = Field(default=None, max_length=64, examples=["AAAAAAAAAAoAAAAAAAAADA"])
    """`next` of the page before, with the same filters."""


class ByNumber(OnDate):
    authority: str = Field(examples=["CN.GD.SHENZHEN"])
    """The authority's code; its children are not included."""
    number: str = Field(max_length=256, examples=["深府〔2017〕71号"])
    """The number as the authority printed it."""


def encode_cursor(identity: int, size: int) -> str:
    """Where a page ended, and of how many entries of the log it was; opaque to clients."""
    raw = _CURSOR.pack(identity, size)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode_cursor(text: str | None) -> tuple[int, int]:
    """The policy's id after which to go on, -1 for the first page, and how many entries the
    mirror must have for the pages to be of one list. Raises InputError."""
    if text is None:
        return -1, 0
    try:
        identity, size = _CURSOR.unpack(base64.urlsafe_b64decode(text + "=="))
    except (binascii.Error, struct.error, ValueError):
        identity = size = _MAX_CURSOR + 1
    if max(identity, size) > _MAX_CURSOR or encode_cursor(identity, size) != text:
        raise InputError(
            "the parameter after is not one that this server gave",
            hint="use `next` of the page before as it is, or leave it out for the first page",
        )
    return identity, size


def _day_or_none(text: str | None, name: str) -> Day | None:
    return None if text is None else parse_day(text, f"parameter {name}")


def searchable(text: str) -> str:
    """A text to look for; raises InputError."""
    if "\0" in text:
        raise InputError("the parameter text holds a NUL character")
    return text


async def _opened(request: Request) -> Opened:
    found: Opened = request.app.state.opened
    return found


async def _follower(request: Request) -> Follower:
    found: Follower = request.app.state.follower
    return found


async def _relaying(request: Request) -> Relaying:
    found: Relaying = request.app.state.relaying
    return found


async def _streams(request: Request) -> Streams:
    found: Streams = request.app.state.streams
    return found


Registry = Annotated[Opened, Depends(_opened)]
Relays = Annotated[Relaying, Depends(_relaying)]
Sending = Annotated[Streams, Depends(_streams)]
Following = Annotated[Follower, Depends(_follower)]
On = Annotated[OnDate, Query()]
Wanted = Annotated[Filters, Query()]
Page = Annotated[PageOfPolicies, Query()]
Numbered = Annotated[ByNumber, Query()]
