"""Collections and their members."""

from __future__ import annotations

from api.models.base import Answer, FromRegistry, shown
from api.models.registrations import Registration
from api.models.sample import AUTHORITY, DOCUMENT, MOMENT, POLICY


class Collection(Answer):
    """An entry of which the document is the root over many members."""

    root: str = shown(DOCUMENT)
    members: int = shown(100000)
    policy_id: str = shown(POLICY)
    authority: str = shown(AUTHORITY)
    number: str | None = shown("back catalogue 1990-2010")
    title: dict[str, str] = shown({"en": "Back catalogue"})
    entry: int = shown(10)
    version: int = shown(1)
    recorded_at: str = shown(MOMENT)
    held: bool = shown(True)
    """Whether this server knows the members. A file that it does not know may be a member of a
    collection that it does not hold."""


class CollectionsAnswer(FromRegistry):
    collections: list[Collection]
    """In the order of the log."""


class Member(Registration):
    """A member as a list shows it."""

    sha256: str = shown(DOCUMENT)
    type: str | None = shown("notice")
    issued: str | None = shown("2017-08-15")


class MembersAnswer(FromRegistry):
    on: str = shown("2026-11-22")
    members: list[Member]
    next: str | None = shown("AAAAAAAAAAo")
    """Give it as `after` for the next page; null on the last one."""
