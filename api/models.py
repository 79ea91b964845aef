"""What the API answers, as its documentation says it.

The answers themselves are made by registry.services.answers and sent as they are; a test
holds each of them against these models, so neither can change alone. Digests are lower-case
hexadecimal without 0x, as `sha256sum` prints them; block and transaction hashes carry 0x.
Dates are RFC 3339 full-dates of the issuing authority's calendar, moments RFC 3339 in UTC.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from registry.core.manifest import ManifestState
from registry.core.timeline import Standing
from registry.core.verdict import DocumentRole, Evidence, Finality, Match

_DOCUMENT = "1ad8b1b9d2b8b0b0f4a5a4b28a1e5c0b8b1f7bb0a5b1f0a3a8d8a1c5b0e4d3f2"
_POLICY = "77d2c788a71ba55fa623abed6247e6f5e720da0983eb27ed8b4127fc43147ef3"
_ACCOUNT = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
_BLOCK = "0x6e1c9c6f5a7f0f2b3a4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f70819203"
_AUTHORITY = "CN.GD.SHENZHEN"
_NUMBER = "深府〔2017〕71号"
_TITLE = {"zh": "关于促进金融业发展的若干措施", "en": "Measures to Support the Financial Sector"}
_MOMENT = "2026-11-22T09:30:00Z"


def _shown(example: Any) -> Any:
    """A required field with an example."""
    return Field(examples=[example])


class Answer(BaseModel):
    """Base of every model: no field but the documented ones."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Block(Answer):
    number: int = _shown(12)
    hash: str = _shown(_BLOCK)
    time: str = _shown(_MOMENT)
    """The block's own timestamp."""


class Log(Answer):
    size: int = _shown(11)
    """Number of entries."""
    root: str = _shown("6b06b7a4e9c1a8f2d3e4b5c6a7f8091a2b3c4d5e6f708192a3b4c5d6e7f80912")
    """RFC 9162 Merkle tree hash of all entries."""


class Mirror(Answer):
    synced_at: str = _shown(_MOMENT)
    """When this server last read the chain to its head."""
    lag_seconds: int = _shown(1)
    """Seconds since then."""


class Context(Answer):
    """Where an answer comes from: chain, contract, block, log, and the mirror's age."""

    chain: str = _shown("eip155:131277322940537")
    """CAIP-2."""
    contract: str = _shown("eip155:131277322940537:0xF2E246BB76DF876Cef8b38ae84130F4F55De395b")
    """CAIP-10."""
    block: Block
    log: Log
    mirror: Mirror
    development: bool = _shown(True)
    """Whether this is a development chain, which proves nothing to others."""
    note: str | None = _shown("a local development chain, worth no more than this machine")


class FromRegistry(Answer):
    """Every answer about the registry says where it comes from."""

    registry: Context


class EvidenceOfCheck(Answer):
    source: Evidence = _shown("mirror")
    """What was looked at."""
    steps: list[str] = _shown(
        [
            "1: SHA-256 of the bytes",
            "2: found in the mirror of the log",
            "3: standing on the date from the policy's acts",
        ]
    )


class Registration(Answer):
    """One place where a document stands in the registry."""

    policy_id: str = _shown(_POLICY)
    authority: str = _shown(_AUTHORITY)
    number: str | None = _shown(_NUMBER)
    """The number the authority gave; null where no readable manifest says it."""
    title: dict[str, str] = _shown(_TITLE)
    """By language, BCP 47."""
    action: str = _shown("publish")
    """The act that registered this document: publish, amend or correct."""
    role: DocumentRole = _shown("document")
    version: int = _shown(1)
    """This document's version, from 1."""
    versions: int = _shown(1)
    """How many versions the policy has, later ones included."""
    standing: Standing = _shown("in_force")
    """What this document is worth on the date asked about."""
    since: str | None = _shown("2017-09-01")
    """First date this document applies; null for no known beginning."""
    finality: Finality = _shown("finalized")
    entry: int = _shown(10)
    """Position in the log, from 0."""
    current_entry: int = _shown(10)
    """The entry whose document applies on the date."""
    recorded_at: str = _shown(_MOMENT)
    """When the chain took the entry: the document existed no later than that."""
    block: int = _shown(12)
    registrar: str = _shown(_ACCOUNT.lower())
    endorses: str | None = _shown(None)
    """The lead authority's policy_id, where this is a co-issuing authority's entry."""


class Verdict(Answer):
    """Four separate things, never one boolean: match, standing, finality, evidence."""

    sha256: str = _shown(_DOCUMENT)
    match: Match = _shown("exact")
    """`unknown`: this exact file is not in the registry; one byte makes a difference."""
    standing: Standing | None = _shown("in_force")
    """Of the first registration; null where the file is unknown."""
    finality: Finality | None = _shown("finalized")
    evidence: EvidenceOfCheck
    on: str = _shown("2026-11-22")
    """The date the standing is for."""
    registrations: list[Registration]
    """The one that speaks for the document first."""


class DocumentAnswer(Verdict, FromRegistry):
    """A verdict, and where it comes from."""


class FileVerdict(Verdict):
    name: str | None = _shown("notice.pdf")
    """As the upload named it; null for a raw body."""
    size: int = _shown(48211)
    """Bytes that were hashed."""


class VerifyAnswer(FromRegistry):
    on: str = _shown("2026-11-22")
    files: list[FileVerdict]
    """In the order of the upload."""


class Endorsement(Answer):
    policy_id: str = _shown("9f2d3e4b5c6a7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708")
    authority: str = _shown("CN.GD")


class Policy(Answer):
    """A policy, with the version that applies on the date."""

    policy_id: str = _shown(_POLICY)
    """SHA-256 of the authority's code as 32 bytes and the SHA-256 of the number."""
    authority: str = _shown(_AUTHORITY)
    number: str | None = _shown(_NUMBER)
    title: dict[str, str] = _shown(_TITLE)
    type: str | None = _shown("notice")
    jurisdiction: str | None = _shown("CN-GD")
    """ISO 3166-2."""
    issued: str | None = _shown("2017-08-15")
    status: str = _shown("in_force")
    """The contract's status now: in_force, suspended, superseded, repealed or withdrawn."""
    standing: Standing = _shown("in_force")
    """What the policy is worth on the date."""
    since: str | None = _shown("2017-09-01")
    """First date of this standing; null for no known beginning."""
    until: str | None = _shown(None)
    """The date it ends, that date excluded; null for no known end."""
    version: int = _shown(1)
    versions: int = _shown(1)
    document: str = _shown(_DOCUMENT)
    """SHA-256 of the document that applies on the date."""
    entry: int = _shown(10)
    """The entry that registered that document."""
    sequence: int = _shown(1)
    """How many entries the policy has."""
    head: int = _shown(10)
    """Its latest entry."""
    recorded_at: str = _shown(_MOMENT)
    endorses: str | None = _shown(None)
    endorsed_by: list[Endorsement]
    """Entries of co-issuing authorities. Empty in lists: ask for the one policy."""


class PoliciesAnswer(FromRegistry):
    on: str = _shown("2026-11-22")
    policies: list[Policy]
    """In the order of first publication."""
    next: str | None = _shown("AAAAAAAAAAo")
    """Give it as `after` for the next page; null on the last one."""


class PolicyAnswer(FromRegistry):
    on: str = _shown("2026-11-22")
    policy: Policy


class ManifestOfEntry(Answer):
    sha256: str | None = _shown("4b5c6a7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f7080a1b2c")
    state: ManifestState = _shown("present")
    problem: str | None = _shown(None)
    """What is wrong with it, or where it differs from the entry, which wins."""
    content: dict[str, Any] | None = _shown(
        {"schema": "policy-registry/manifest/1", "authority": _AUTHORITY, "number": _NUMBER}
    )
    """The manifest's fields as they stand, unknown ones included."""


class HistoryEntry(Answer):
    entry: int = _shown(10)
    previous: int | None = _shown(None)
    """The same policy's previous entry."""
    sequence: int = _shown(1)
    action: str = _shown("publish")
    effective_on: str | None = _shown("2017-09-01")
    document: str | None = _shown(_DOCUMENT)
    manifest: ManifestOfEntry
    registrar: str = _shown(_ACCOUNT)
    recorded_at: str = _shown(_MOMENT)
    block: int = _shown(12)
    transaction: str = _shown(_BLOCK)


class HistoryAnswer(FromRegistry):
    policy_id: str = _shown(_POLICY)
    authority: str = _shown(_AUTHORITY)
    number: str | None = _shown(_NUMBER)
    entries: list[HistoryEntry]
    """All of them, the oldest first."""


class SettledBlocks(Answer):
    safe_block: int | None = _shown(12)
    finalized_block: int | None = _shown(12)


class CheckpointAnswer(FromRegistry):
    """The log's size and root, to be compared with the contract's own `checkpoint()`."""

    size: int = _shown(11)
    root: str = _shown("6b06b7a4e9c1a8f2d3e4b5c6a7f8091a2b3c4d5e6f708192a3b4c5d6e7f80912")
    settled: SettledBlocks
    """The newest blocks that the network calls safe and finalized; null for none."""


class Authority(Answer):
    code: str = _shown(_AUTHORITY)
    name: dict[str, str] = _shown({"zh": "深圳市人民政府", "en": "Shenzhen Municipal Government"})
    policies: int = _shown(1)
    """Its own, without its children's."""
    opened_by_entry: int = _shown(7)


class AuthoritiesAnswer(FromRegistry):
    authorities: list[Authority]


class RoleChange(Answer):
    entry: int = _shown(8)
    at: str = _shown(_MOMENT)


class Grant(Answer):
    account: str = _shown(_ACCOUNT)
    role: str = _shown("registrar")
    appointed: RoleChange
    dismissed: RoleChange | None = _shown(None)


class Compromise(Answer):
    account: str = _shown("0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF")
    since: str = _shown(_MOMENT)
    """Since when the key is not to be trusted."""
    entry: int = _shown(9)


class AuthorityAnswer(FromRegistry):
    authority: Authority
    grants: list[Grant]
    """Who held which role, from which entry to which."""
    compromised: list[Compromise]


class Totals(Answer):
    policies: int = _shown(1)
    documents: int = _shown(1)
    """Files, renditions included."""
    authorities: int = _shown(3)


class StatsAnswer(FromRegistry):
    on: str = _shown("2026-11-22")
    policies: int = _shown(1)
    """How many policies the filters leave."""
    by: dict[str, dict[str, int]] = _shown(
        {
            "jurisdiction": {"CN-GD": 1},
            "level": {"regional": 1},
            "type": {"notice": 1},
            "year": {"2017": 1},
            "authority": {_AUTHORITY: 1},
            "standing": {"in_force": 1},
        }
    )
    """Their numbers, the most first; `unknown` where a manifest does not say."""
    totals: Totals
    """Of everything, without filters."""


class Alive(Answer):
    status: str = _shown("alive")


class FollowerFailure(Answer):
    kind: str = _shown("could-not-check")
    detail: str = _shown("the node does not answer")
    since: str = _shown(_MOMENT)


class FollowerReport(Answer):
    """The background reading of the chain."""

    state: str = _shown("following")
    """off, starting, catching_up, following or failing."""
    every_seconds: float | None = _shown(2.0)
    last_sync: str | None = _shown(_MOMENT)
    failure: FollowerFailure | None = _shown(None)


class Ready(FromRegistry):
    status: str = _shown("ready")
    follower: FollowerReport


class Problem(BaseModel):
    """RFC 9457. An error is never an answer about a document: "could not check" is not "no"."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    type: str = _shown("urn:polreg:problem:could-not-check")
    title: str = _shown("Could not check")
    status: int = _shown(503)
    detail: str = _shown("the mirror has never been synced")
    hint: str | None = _shown("run polreg sync")
    """What can be done about it."""
