"""An audit of many files against the registry: what it found, and what it says in all.

A finding is a file's answer as `verify --json` gives it, with all four axes, or why there is none;
an audit puts them beside what was expected: a list of files, or all that an authority has in force.
Could not check is its own count, and never part of "not verified". No IO.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from registry.core.verdict import ExitCode, worst

SCHEMA = "policy-registry/audit/1"


class Outcome(StrEnum):
    """How an audit counts a file."""

    IN_FORCE = "in force"
    NOT_IN_FORCE = "authentic, not in force"
    SAME_TEXT = "same text, other bytes"
    ALTERED = "altered"
    OTHERS = "registered by others"
    UNKNOWN = "not in the registry"
    NOT_CHECKED = "could not check"


NOT_VERIFIED = frozenset({Outcome.SAME_TEXT, Outcome.ALTERED, Outcome.OTHERS, Outcome.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Finding:
    """One file. `verdict` is as `verify --json` shows it, `error` why there is none."""

    file: str
    size: int
    exit_code: ExitCode
    verdict: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None

    @property
    def sha256(self) -> str | None:
        return None if self.verdict is None else str(self.verdict["sha256"])

    @property
    def outcome(self) -> Outcome:
        if self.verdict is None or self.exit_code is ExitCode.COULD_NOT_CHECK:
            return Outcome.NOT_CHECKED
        match self.verdict["match"]:
            case "same_text":
                return Outcome.SAME_TEXT
            case "altered":
                return Outcome.ALTERED
            case "unknown":
                return Outcome.UNKNOWN
        if self.exit_code is ExitCode.NOT_VERIFIED:
            return Outcome.OTHERS
        return Outcome.IN_FORCE if self.exit_code is ExitCode.VERIFIED else Outcome.NOT_IN_FORCE

    @property
    def registrations(self) -> Sequence[Mapping[str, Any]]:
        """Those of its bytes; else of the documents that say the same; else of the one of which
        it is an altered copy."""
        if self.verdict is None:
            return ()
        text = self.verdict.get("text") or {}
        same = [each for found in text.get("same_as", ()) for each in found["registrations"]]
        return self.verdict["registrations"] or same or self._altered_from(text)

    def _altered_from(self, text: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        found: Sequence[Mapping[str, Any]] = (text.get("altered_from") or {}).get(
            "registrations", ()
        )
        return found

    @property
    def lead(self) -> Mapping[str, Any] | None:
        """The registration that speaks for it, or for what it is a copy of."""
        return next(iter(self.registrations), None)

    def fields(self) -> dict[str, Any]:
        """As `verify --json` shows it, with how it is counted."""
        shown: dict[str, Any] = {
            "file": self.file,
            "size": self.size,
            "outcome": self.outcome.value,
            "exit_code": int(self.exit_code),
        }
        if self.verdict is not None:
            shown["verdict"] = self.verdict
        else:
            shown["error"] = self.error
        return shown


class Absence(StrEnum):
    """Why something that was expected is not as it should be."""

    NO_FILE = "no file has its document"
    OLDER = "only an older version is there"
    ALTERED = "only an altered copy is there"
    SAME_TEXT = "only a copy with other bytes is there"
    OTHER_POLICY = "the file is another policy's"
    NOT_REGISTERED = "the registry has no such policy in force"


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that was expected, by an index or by what an authority has in force."""

    why: Absence
    authority: str
    number: str | None
    title: Mapping[str, str]
    policy_id: str | None = None
    sha256: str | None = None
    file: str | None = None

    def fields(self) -> dict[str, Any]:
        return {
            "why": self.why.value,
            "authority": self.authority,
            "number": self.number,
            "title": dict(self.title),
            "policy_id": self.policy_id,
            "sha256": self.sha256,
            "file": self.file,
        }


@dataclass(frozen=True, slots=True)
class Wanted:
    """A policy that should be among the files. `sha256` is the document that applies now."""

    policy_id: str
    authority: str
    number: str | None
    title: Mapping[str, str]
    sha256: str
    file: str | None = None


@dataclass(slots=True)
class Seen:
    """What of the registry the files have, gathered one finding after the other."""

    exact: set[str] = field(default_factory=set)
    by_policy: dict[str, Outcome] = field(default_factory=dict)
    copies: dict[str, list[str]] = field(default_factory=dict)
    counts: dict[Outcome, int] = field(default_factory=dict)
    codes: set[ExitCode] = field(default_factory=set)

    def add(self, finding: Finding) -> None:
        self.counts[finding.outcome] = self.counts.get(finding.outcome, 0) + 1
        self.codes.add(finding.exit_code)
        if finding.sha256 is not None:
            self.copies.setdefault(finding.sha256, []).append(finding.file)
        if finding.verdict is None:
            return
        if finding.verdict["match"] == "exact":
            self.exact.add(str(finding.sha256))
        for each in finding.registrations:
            before = self.by_policy.get(each["policy_id"])
            if before is None or _NEARNESS[finding.outcome] < _NEARNESS[before]:
                self.by_policy[each["policy_id"]] = finding.outcome

    def duplicates(self) -> list[list[str]]:
        """Files with the same bytes, in groups."""
        return [sorted(files) for files in self.copies.values() if len(files) > 1]

    def missing(self, wanted: Iterable[Wanted]) -> list[Missing]:
        """Those whose document no file has, and why."""
        return [
            Missing(
                self._why(each.policy_id),
                each.authority,
                each.number,
                each.title,
                each.policy_id,
                each.sha256,
                each.file,
            )
            for each in wanted
            if each.sha256 not in self.exact
        ]

    def _why(self, policy_id: str) -> Absence:
        match self.by_policy.get(policy_id):
            case Outcome.IN_FORCE | Outcome.NOT_IN_FORCE | Outcome.OTHERS:
                return Absence.OLDER
            case Outcome.SAME_TEXT:
                return Absence.SAME_TEXT
            case Outcome.ALTERED:
                return Absence.ALTERED
            case _:
                return Absence.NO_FILE


_NEARNESS = {each: place for place, each in enumerate(Outcome)}


def exit_code(codes: Iterable[ExitCode], missing: Sequence[Missing]) -> ExitCode:
    """As `verify` ends, where something that is missing is something that is not verified."""
    found = set(codes)
    if missing:
        found.add(ExitCode.NOT_VERIFIED)
    return worst(found)
