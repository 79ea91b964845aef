"""Policies and their histories."""

from __future__ import annotations

from typing import Any

from api.models.base import Answer, FromRegistry, shown
from api.models.joint import Issuer, MarkedAct
from api.models.sample import ACCOUNT, AUTHORITY, BLOCK, DOCUMENT, MOMENT, NUMBER, POLICY, TITLE
from api.models.texts import TextRecord
from registry.core.manifest import ManifestState
from registry.core.timeline import Standing
from registry.core.verdict import Unsettled


class Endorsement(Answer):
    policy_id: str = shown("9f2d3e4b5c6a7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708")
    authority: str = shown("CN.GD")


class Policy(Answer):
    """A policy, with the version that applies on the date."""

    policy_id: str = shown(POLICY)
    """SHA-256 of the authority's code as 32 bytes and the SHA-256 of the number."""
    authority: str = shown(AUTHORITY)
    number: str | None = shown(NUMBER)
    title: dict[str, str] = shown(TITLE)
    type: str | None = shown("notice")
    jurisdiction: str | None = shown("CN-GD")
    """ISO 3166-2."""
    issued: str | None = shown("2017-08-15")
    status: str = shown("in_force")
    """The contract's status now: in_force, suspended, superseded, repealed or withdrawn. It knows
    no dates: what applies is `standing`."""
    standing: Standing | None = shown("in_force")
    """What the policy is worth on the date; null where `unsettled` says why."""
    unsettled: Unsettled | None = shown(None)
    """`last_day_unknown`: it would be in force, but the log does not hold the manifest, which may
    name a last day. `closed`: the registry was closed, what applies is said elsewhere."""
    since: str | None = shown("2017-09-01")
    """First date of this standing; null for no known beginning."""
    until: str | None = shown(None)
    """The date it ends, that date excluded; null for no known end."""
    version: int = shown(1)
    versions: int = shown(1)
    document: str = shown(DOCUMENT)
    """SHA-256 of the document that applies on the date."""
    entry: int = shown(10)
    """The entry that registered that document."""
    sequence: int = shown(1)
    """How many entries the policy has."""
    head: int = shown(10)
    """Its latest entry."""
    recorded_at: str = shown(MOMENT)
    endorses: str | None = shown(None)
    endorsed_by: list[Endorsement]
    """Entries of co-issuing authorities. Empty in lists: ask for the one policy."""
    text: TextRecord | None = shown(None)
    """What is registered of what the document says. Null in lists, and where nothing is."""
    issuers: list[Issuer] | None = shown([])
    """The bodies that issue the document that applies, the lead first. Null in lists."""
    compromised: list[MarkedAct] | None = shown([])
    """Its acts by keys that were reported compromised as of then. Null in lists: not looked for."""
    doubted: bool | None = shown(False)
    """Whether the document's entry, or the latest act, is one of them. Null in lists."""


class PoliciesAnswer(FromRegistry):
    on: str = shown("2026-11-22")
    policies: list[Policy]
    """In the order of first publication."""
    next: str | None = shown("AAAAAAAAAAo")
    """Give it as `after` for the next page; null on the last one."""


class PolicyAnswer(FromRegistry):
    on: str = shown("2026-11-22")
    policy: Policy


class ManifestOfEntry(Answer):
    sha256: str | None = shown("4b5c6a7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f7080a1b2c")
    state: ManifestState = shown("present")
    problem: str | None = shown(None)
    """What is wrong with it, or where it differs from the entry, which wins."""
    content: dict[str, Any] | None = shown(
        {"schema": "policy-registry/manifest/1", "authority": AUTHORITY, "number": NUMBER}
    )
    """The manifest's fields as they stand, unknown ones included."""


class HistoryEntry(Answer):
    entry: int = shown(10)
    previous: int | None = shown(None)
    """The same policy's previous entry."""
    sequence: int = shown(1)
    action: str = shown("publish")
    effective_on: str | None = shown("2017-09-01")
    document: str | None = shown(DOCUMENT)
    manifest: ManifestOfEntry
    registrar: str = shown(ACCOUNT)
    recorded_at: str = shown(MOMENT)
    block: int = shown(12)
    transaction: str = shown(BLOCK)
    compromised: MarkedAct | None = shown(None)
    """Where its key was reported compromised, as of then."""


class HistoryAnswer(FromRegistry):
    policy_id: str = shown(POLICY)
    authority: str = shown(AUTHORITY)
    number: str | None = shown(NUMBER)
    entries: list[HistoryEntry]
    """All of them, the oldest first."""
