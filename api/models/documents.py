"""Verdicts on documents."""

from __future__ import annotations

from api.models.base import Answer, FromRegistry, shown
from api.models.comparisons import TextFinding
from api.models.registrations import Registration
from api.models.sample import DOCUMENT
from registry.core.timeline import Standing
from registry.core.verdict import Evidence, Finality, Match, Unsettled


class EvidenceOfCheck(Answer):
    source: Evidence = shown("mirror")
    """What was looked at."""
    steps: list[str] = shown(
        [
            "1: SHA-256 of the bytes",
            "2: found in the mirror of the log",
            "3: standing on the date from the policy's acts",
        ]
    )


class Verdict(Answer):
    """Four separate things, never one boolean: match, standing, finality, evidence."""

    sha256: str = shown(DOCUMENT)
    match: Match = shown("exact")
    """`exact`: the registered bytes. `same_text`: other bytes that say the same. `altered`: an
    altered copy of a registered text. `unknown`: this exact file is not in the registry; one byte
    makes a difference. Without a text, which a digest alone does not bring, it is exact or unknown.
    """
    standing: Standing | None = shown("in_force")
    """Of the first registration; null where the file is unknown, or `unsettled` says why."""
    unsettled: Unsettled | None = shown(None)
    """Of the first registration. Never to be read as in force."""
    doubted: bool = shown(False)
    """Of the first registration: it rests on a key that was reported compromised."""
    finality: Finality | None = shown("finalized")
    evidence: EvidenceOfCheck
    on: str = shown("2026-11-22")
    """The date the standing is for."""
    expected_authority: str | None = shown(None)
    """The `authority` that was asked for; where the first registration is not its, there is no
    standing."""
    registrations: list[Registration]
    """The one that speaks for the document first."""
    unsearched_collections: int = shown(0)
    """How many collections could not be looked in, since this server does not hold their members.
    Where it is not 0, `unknown` does not mean that the file is not in the registry."""
    text: TextFinding | None = shown(None)
    """Where the file was sent and its bytes are unknown. The registrations above, standing and
    finality are those of the bytes: a file that says the same as a registered one has none."""


class DocumentAnswer(Verdict, FromRegistry):
    """A verdict, and where it comes from."""


class FileVerdict(Verdict):
    name: str | None = shown("notice.pdf")
    """As the upload named it; null for a raw body."""
    size: int = shown(48211)
    """Bytes that were hashed."""


class VerifyAnswer(FromRegistry):
    on: str = shown("2026-11-22")
    files: list[FileVerdict]
    """In the order of the upload."""
