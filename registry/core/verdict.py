"""What a check answers: four separate things, never one boolean.

`match` is about bytes, `standing` about law, `finality` about the chain, `evidence`
about what was actually looked at. The exit code follows from them alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

from registry.core.compromise import Mark
from registry.core.joint import Issuer
from registry.core.timeline import Standing
from registry.core.units import BlockNumber, Day, Digest, EntryIndex, UnixSeconds

if TYPE_CHECKING:
    # Late: texts bring tables of Unicode, which a check by digest has no use for.
    from registry.core.text.finding import TextFinding


class Match(StrEnum):
    """How the file's bytes compare with what was published."""

    EXACT = "exact"
    SAME_TEXT = "same_text"
    ALTERED = "altered"
    UNKNOWN = "unknown"


class Finality(StrEnum):
    """How settled the entry's block is."""

    PENDING = "pending"
    INCLUDED = "included"
    SAFE = "safe"
    FINALIZED = "finalized"


class Evidence(StrEnum):
    """What was actually checked."""

    MIRROR = "mirror"
    CHAIN = "chain"
    RECEIPT = "receipt"


class DocumentRole(StrEnum):
    """What a file is to its entry."""

    DOCUMENT = "document"
    RENDITION = "rendition"
    MEMBER = "member"


class Unsettled(StrEnum):
    """Why an authentic document has no standing that could be told from what is known."""

    CLOSED = "closed"
    """The registry was closed: what applies now is said elsewhere."""
    OUTDATED = "outdated"
    """The policy has later acts, which the receipt does not show."""
    LAST_DAY_UNKNOWN = "last_day_unknown"
    """It would be in force, but for a manifest that is not known and may name a last day."""


def unsettled(
    standing: Standing, *, closed: bool, manifest_known: bool, later: bool = False
) -> Unsettled | None:
    """Why `standing`, which follows from the acts that are known, is no answer after all;
    None where it is one. The one rule for receipts and mirrors: section 13, step 12 of
    docs/formats.md.

    `closed`: the log has been closed. `later`: the policy has acts that are not known.
    `manifest_known`: the bytes of the manifest are, that the document's entry names. What
    is left out must never make a document in force.
    """
    if closed:
        return Unsettled.CLOSED
    if later:
        return Unsettled.OUTDATED
    if standing is Standing.IN_FORCE and not manifest_known:
        return Unsettled.LAST_DAY_UNKNOWN
    return None


class ExitCode(IntEnum):
    """What the command line ends with."""

    VERIFIED = 0
    NOT_VERIFIED = 1
    USAGE = 2
    COULD_NOT_CHECK = 3
    NOT_IN_FORCE = 4


@dataclass(frozen=True, slots=True)
class FinalityBlocks:
    """The newest block that the network calls safe, and finalized."""

    safe: BlockNumber
    finalized: BlockNumber

    def of(self, block: int) -> Finality:
        if block <= self.finalized:
            return Finality.FINALIZED
        return Finality.SAFE if block <= self.safe else Finality.INCLUDED


@dataclass(frozen=True, slots=True)
class MemberOf:
    """Which collection a document is a member of, and which one it is there: leaf `index` of
    `members`, from 0. Number and title are those of the collection's entry."""

    root: Digest
    index: int
    members: int
    number: str | None
    title: dict[str, str]


@dataclass(frozen=True, slots=True)
class Registration:
    """One place where a document stands in the registry.

    `endorses` is the policy_id of the lead authority's policy where this entry is a
    co-issuing authority's own. `since` is None where the document applies from the
    beginning of time. `standing` is None exactly where `unsettled` says why. `block` is None
    where nothing shows in which block the entry stands. `collection` is there for a member and
    its renditions: policy, entry and version are then the collection's, number, title and dates
    the member's own. `compromised` are the policy's acts by keys that were reported
    compromised, None where nobody could look for reports; `doubted` is whether this document
    rests on one of them (core.compromise). `issuers` are the bodies that issue it (core.joint),
    where they were looked for.
    """

    policy_id: Digest
    authority: str
    number: str | None
    title: dict[str, str]
    entry: EntryIndex
    action: str
    role: DocumentRole
    version: int
    versions: int
    current: EntryIndex
    standing: Standing | None
    since: Day | None
    finality: Finality
    recorded_at: UnixSeconds
    block: BlockNumber | None
    registrar: str
    endorses: str | None = None
    unsettled: Unsettled | None = None
    collection: MemberOf | None = None
    compromised: tuple[Mark, ...] | None = None
    doubted: bool = False
    issuers: tuple[Issuer, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for one digest on one date. `unsearched` is how many collections could not be
    looked in, since their members are not known here: what is not found may be in one of them.

    `text` is what the file's text shows where its bytes are unknown. The registrations, and with
    them standing and finality, are those of the bytes: a file that says the same as a registered
    one, or nearly, has none of its own. `text_accepted`: the same text is as good as the same
    bytes to whoever asks."""

    sha256: Digest
    match: Match
    registrations: tuple[Registration, ...]
    evidence: Evidence
    steps: tuple[str, ...]
    unsearched: int = 0
    expected: str | None = None
    """The authority that the document is to be of: no other one's registration leads."""
    text: TextFinding | None = None
    text_accepted: bool = False

    def with_text(self, found: TextFinding, steps: Sequence[str], *, accepted: bool) -> Verdict:
        """The answer with what the text shows, found by these further steps."""
        match = self.match
        if found.same or found.clauses:
            match = Match.SAME_TEXT
        elif found.altered:
            match = Match.ALTERED
        return replace(
            self, match=match, text=found, steps=(*self.steps, *steps), text_accepted=accepted
        )

    @property
    def says_the_same(self) -> Registration | None:
        """The registration of the document with the same text that speaks for it: of the
        authority that is expected, if one is."""
        if self.text is None:
            return None
        documents = [same.document for same in self.text.same]
        if self.text.clauses is not None:
            documents.append(self.text.clauses.document)
        found = (each for document in documents for each in document.registrations)
        own = (each for each in found if self.expected in (None, each.authority))
        return next(own, None)

    @property
    def leading(self) -> Registration | None:
        first = self.registrations[0] if self.registrations else None
        if first is None or self.expected is None or first.authority == self.expected:
            return first
        return None

    def expecting(self, authority: str) -> Verdict:
        """The answer for somebody who means the document of this authority: what it registered
        itself leads, however many recorded the same bytes before."""
        told = sorted(self.registrations, key=lambda each: each.authority != authority)
        return replace(self, registrations=tuple(told), expected=authority)

    @property
    def only_by_others(self) -> bool:
        """Whether the bytes are registered, and not by the authority that is expected."""
        return bool(self.registrations) and self.leading is None

    @property
    def standing(self) -> Standing | None:
        return self.leading.standing if self.leading else None

    @property
    def unsettled(self) -> Unsettled | None:
        return self.leading.unsettled if self.leading else None

    @property
    def finality(self) -> Finality | None:
        return self.leading.finality if self.leading else None

    @property
    def doubted(self) -> bool:
        return self.leading is not None and self.leading.doubted

    @property
    def exit_code(self) -> ExitCode:
        found = self.leading if self.match is Match.EXACT else None
        if self.match is Match.SAME_TEXT and self.text_accepted:
            found = self.says_the_same
        if found is not None:
            return _exit_code(found)
        if self.match is not Match.EXACT and self.unsearched:
            return ExitCode.COULD_NOT_CHECK
        return ExitCode.NOT_VERIFIED


def _exit_code(found: Registration) -> ExitCode:
    match found.unsettled:
        case Unsettled.CLOSED | Unsettled.LAST_DAY_UNKNOWN:
            return ExitCode.COULD_NOT_CHECK
        case Unsettled.OUTDATED:
            return ExitCode.NOT_IN_FORCE
        case None:
            in_force = found.standing is Standing.IN_FORCE and not found.doubted
            return ExitCode.VERIFIED if in_force else ExitCode.NOT_IN_FORCE


_CLOSENESS = {DocumentRole.DOCUMENT: 0, DocumentRole.MEMBER: 1, DocumentRole.RENDITION: 2}
"""How near a document is to the act that brought it, the nearest first."""


def by_weight(registrations: Sequence[Registration]) -> tuple[Registration, ...]:
    """The registrations of one document, the one that speaks for it first: an issuing
    authority's own before an endorsement, a policy that has it as its document before a
    collection that has it as a member, and that before one that lists it as a rendition, the
    policy that had it first; and of one policy's versions the one that is in force, else the
    latest. That somebody else lists the same bytes later
    never outweighs the first one's repeal."""
    first: dict[bytes, EntryIndex] = {}
    closeness: dict[bytes, int] = {}
    for each in registrations:
        first[each.policy_id] = min(first.get(each.policy_id, each.entry), each.entry)
        close = _CLOSENESS[each.role]
        closeness[each.policy_id] = min(closeness.get(each.policy_id, close), close)
    return tuple(
        sorted(
            registrations,
            key=lambda each: (
                each.endorses is not None,
                closeness[each.policy_id],
                first[each.policy_id],
                # but for a last day that is not known, it is in force
                each.standing is not Standing.IN_FORCE
                and each.unsettled is not Unsettled.LAST_DAY_UNKNOWN,
                -each.entry,
                _CLOSENESS[each.role],
            ),
        )
    )


def worst(codes: Collection[ExitCode]) -> ExitCode:
    """The exit code of many checks in one call: a file that is not verified outweighs
    one that is not there or could not be checked, which outweighs one not in force."""
    for code in (
        ExitCode.NOT_VERIFIED,
        ExitCode.USAGE,
        ExitCode.COULD_NOT_CHECK,
        ExitCode.NOT_IN_FORCE,
    ):
        if code in codes:
            return code
    return ExitCode.VERIFIED
