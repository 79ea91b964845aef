"""What texts show: documents that say the same, clauses that differ, versions compared."""

from __future__ import annotations

from typing import Any

from api.models.base import Answer, FromRegistry, shown
from api.models.registrations import Registration
from api.models.sample import AUTHORITY, DOCUMENT, MOMENT, NUMBER, POLICY, TITLE
from registry.core.text.comparing import Change
from registry.core.text.redline import Kind


class Run(Answer):
    """A piece of a redline: without the inserted ones they are the old text, without the deleted
    ones the new."""

    kind: Kind = shown("deleted")
    text: str = shown("本市")


class ComparedClause(Answer):
    """A clause in both texts, or in one of them."""

    change: Change = shown("changed")
    """`moved`: the same text under another label, or in another order."""
    label: str = shown("第六条")
    """As it is now, or as it was where it is missing."""
    old_label: str | None = shown("第五条")
    new_label: str | None = shown("第六条")
    old_position: int | None = shown(7)
    """Its place among the clauses, from 0."""
    new_position: int | None = shown(8)
    in_order: bool = shown(True)
    """Whether the clauses around it are in the same order in both."""
    places: list[str] = shown(["第一款第（三）项"])
    """In which parts of it something changed, as a lawyer cites them."""
    redline: list[Run] | None
    """What changed in it, by word, in Chinese by character; null where what it said is not known
    here."""


class Counts(Answer):
    """How many clauses there are of each kind of change."""

    unchanged: int = shown(37)
    changed: int = shown(1)
    moved: int = shown(0)
    missing: int = shown(0)
    added: int = shown(0)


class Comparison(Answer):
    counts: Counts
    old_text_known: bool = shown(True)
    """Whether what the old clauses said is known here, and not their hashes alone."""
    new_text_known: bool = shown(True)
    clauses: list[ComparedClause]
    """In the new text's order; what is missing stands after what it stood after."""


class RegisteredText(Answer):
    """A registered document of which the log tells the text."""

    document: str = shown(DOCUMENT)
    """SHA-256 of its bytes."""
    name: str | None = shown("notice.pdf")
    media_type: str | None = shown("application/pdf")
    size: int | None = shown(48211)
    text: dict[str, Any] = shown(
        {"profile": "text/1", "sha256": DOCUMENT, "clauses_root": DOCUMENT, "clauses": 38}
    )
    """As its manifest has it."""
    registrations: list[Registration]


class SameText(RegisteredText):
    differs_in: list[str] = shown(["line ends: CRLF, registered LF"])
    """In what its bytes differ from the file's."""
    shown_by_digest: bool = shown(True)
    """Whether that is certain: put so, the file has the registered SHA-256."""


class AlteredFrom(RegisteredText):
    comparison: Comparison


class ClausesOf(RegisteredText):
    labels: list[str] = shown(["第五条"])


class TextFinding(Answer):
    """What the text of a file of unknown bytes shows."""

    sha256: str | None = shown(DOCUMENT)
    """Of its normal form (docs/formats.md, text/1); null where it was not read."""
    clauses: int | None = shown(38)
    extractor: str | None = shown("policy-registry 0.1.0, markdown-it-py 4.3.0")
    same_as: list[SameText]
    """The registered documents that say the same."""
    altered_from: AlteredFrom | None
    """The registered document of which it is an altered copy."""
    clauses_of: ClausesOf | None = shown(None)
    """The registered document of which a receipt shows that these are clauses."""
    note: str | None = shown(None)
    """Why there is no more: why the text was not read, or not compared."""


class VersionOfPolicy(Answer):
    version: int = shown(2)
    entry: int = shown(12)
    action: str = shown("amend")
    document: str = shown(DOCUMENT)
    name: str | None = shown("notice.md")
    since: str | None = shown("2020-01-01")
    recorded_at: str = shown(MOMENT)
    clauses: int | None = shown(38)
    """How many its manifest says that it has; null where it says nothing of its text."""


class _OfPolicy(FromRegistry):
    policy_id: str = shown(POLICY)
    authority: str = shown(AUTHORITY)
    number: str | None = shown(NUMBER)
    title: dict[str, str] = shown(TITLE)


class DiffAnswer(_OfPolicy, Comparison):
    """Two versions of a policy, clause by clause."""

    old: VersionOfPolicy
    new: VersionOfPolicy


class KnownVersion(VersionOfPolicy):
    known: bool = shown(True)
    """Whether its clauses are known here."""


class Renumbered(Answer):
    former_label: str | None = shown("第六条")
    version: int = shown(2)
    entry: int = shown(12)
    since: str | None = shown("2020-01-01")


class BlamedClause(Answer):
    """A clause of the latest document, and the version that last changed its text."""

    label: str = shown("第七条")
    text_hash: str = shown(DOCUMENT)
    change: Change = shown("changed")
    """What that version did: changed or added."""
    version: int = shown(1)
    entry: int = shown(10)
    since: str | None = shown("2017-09-01")
    recorded_at: str = shown(MOMENT)
    document: str = shown(DOCUMENT)
    earliest_entry: int = shown(10)
    """Less than `entry` where the clauses of the versions between them are not known here: then it
    was one of these."""
    renumbered: Renumbered | None
    """The version that last gave it another label."""


class BlameAnswer(_OfPolicy):
    versions: list[KnownVersion]
    """All documents of the policy, in the log's order."""
    clauses: list[BlamedClause]
