"""One place where a document stands in the registry."""

from __future__ import annotations

from api.models.base import Answer, shown
from api.models.joint import Issuer, MarkedAct
from api.models.sample import ACCOUNT, AUTHORITY, DOCUMENT, MOMENT, NUMBER, POLICY, TITLE
from registry.core.timeline import Standing
from registry.core.verdict import DocumentRole, Finality, Unsettled


class MemberOf(Answer):
    """Which member of which collection a document is."""

    root: str = shown(DOCUMENT)
    """The RFC 9162 root over the members: the collection's entry has it as its document."""
    index: int = shown(17)
    """The member's place in the collection, from 0."""
    members: int = shown(100000)
    number: str | None = shown("back catalogue 1990-2010")
    """Of the collection; the registration's own are the member's."""
    title: dict[str, str] = shown({"en": "Back catalogue"})


class Registration(Answer):
    """One place where a document stands in the registry."""

    policy_id: str = shown(POLICY)
    authority: str = shown(AUTHORITY)
    number: str | None = shown(NUMBER)
    """The number the authority gave; null where no readable manifest says it."""
    title: dict[str, str] = shown(TITLE)
    """By language, BCP 47."""
    action: str = shown("publish")
    """The act that registered this document: publish, amend or correct."""
    role: DocumentRole = shown("document")
    version: int = shown(1)
    """This document's version, from 1."""
    versions: int = shown(1)
    """How many versions the policy has, later ones included."""
    standing: Standing | None = shown("in_force")
    """What this document is worth on the date asked about; null where `unsettled` says why."""
    unsettled: Unsettled | None = shown(None)
    """`last_day_unknown`: it would be in force, but the log does not hold the manifest, which may
    name a last day. `closed`: the registry was closed, what applies is said elsewhere."""
    since: str | None = shown("2017-09-01")
    """First date this document applies; null for no known beginning."""
    finality: Finality = shown("finalized")
    entry: int = shown(10)
    """Position in the log, from 0."""
    current_entry: int = shown(10)
    """The entry whose document applies on the date."""
    recorded_at: str = shown(MOMENT)
    """When the chain took the entry: the document existed no later than that."""
    block: int = shown(12)
    registrar: str = shown(ACCOUNT.lower())
    endorses: str | None = shown(None)
    """The lead authority's policy_id, where this is a co-issuing authority's entry."""
    collection: MemberOf | None = shown(None)
    """Where the document is a member of a collection: `policy_id`, `entry` and `version` are then
    the collection's, `number`, `title` and dates the member's own."""
    issuers: list[Issuer]
    """The bodies that issue the document, the lead first; empty for a co-issuing entry."""
    compromised: list[MarkedAct] | None = shown([])
    """The policy's acts by keys that were reported compromised as of then; null where the reports
    are not known, as from a receipt."""
    doubted: bool = shown(False)
    """Whether this document's own entry, or the policy's latest act, is one of them."""
