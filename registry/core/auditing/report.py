"""An audit's report: one value, and the same value as JSON, as rows of CSV, and as a page
(`audit_page`). A function of what was found and of the checkpoint alone, but for the time that
it names: two audits of the same files against the same checkpoint agree. No IO.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from registry.core.auditing.findings import SCHEMA, Finding, Missing, Outcome
from registry.core.verdict import ExitCode

CSV_COLUMNS = (
    "file",
    "outcome",
    "match",
    "standing",
    "finality",
    "evidence",
    "sha256",
    "size",
    "authority",
    "number",
    "title",
    "version",
    "entry",
    "clauses",
    "note",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Heading:
    """What was audited, when, for which day, against which checkpoint, and what was expected.
    `registry` is the context that every answer names."""

    source: str
    made_at: str
    on: str
    registry: Mapping[str, Any]
    expected: str | None


@dataclass(frozen=True, slots=True)
class Totals:
    """What the audit says in all."""

    exit_code: ExitCode
    counts: Mapping[Outcome, int]
    missing: Sequence[Missing]
    duplicates: Sequence[Sequence[str]]

    @property
    def files(self) -> int:
        return sum(self.counts.values())

    @property
    def sentence(self) -> str:
        """The result in one sentence."""
        good, files = self.counts.get(Outcome.IN_FORCE, 0), f"{self.files:,} files"
        missing = f", and {len(self.missing):,} that are expected are missing" * bool(self.missing)
        match self.exit_code:
            case ExitCode.VERIFIED:
                return f"All {files} are exactly as published, and in force."
            case ExitCode.NOT_IN_FORCE:
                rest = self.files - good
                return f"All {files} are exactly as published; {rest:,} are not in force."
            case ExitCode.COULD_NOT_CHECK | ExitCode.USAGE:
                rest = self.counts.get(Outcome.NOT_CHECKED, 0)
                return f"Of {files}, {rest:,} could not be checked; no other one is in doubt."
            case ExitCode.NOT_VERIFIED:
                return f"Of {files}, {good:,} are exactly as published and in force{missing}."


def json_pieces(heading: Heading, totals: Totals, findings: Iterable[Finding]) -> Iterator[bytes]:
    """The report as one JSON object, a file a line."""
    head = {
        "schema": SCHEMA,
        "source": heading.source,
        "made_at": heading.made_at,
        "on": heading.on,
        "registry": heading.registry,
        "expected": heading.expected,
        "result": totals.sentence,
        "exit_code": int(totals.exit_code),
        "summary": {each.value: totals.counts.get(each, 0) for each in Outcome},
        "missing": [each.fields() for each in totals.missing],
        "duplicates": [list(each) for each in totals.duplicates],
    }
    yield orjson.dumps(head)[:-1] + b',"files":[\n'
    between = b""
    for each in findings:
        yield between + orjson.dumps(each.fields())
        between = b",\n"
    yield b"\n]}\n"


def csv_pieces(findings: Iterable[Finding], missing: Iterable[Missing]) -> Iterator[bytes]:
    """A row for each file, and one for each that is missing, in UTF-8 with a byte order mark, so
    that spreadsheets read it."""
    yield "\ufeff".encode() + _row(CSV_COLUMNS)
    for each in findings:
        yield _row(_of_finding(each))
    for lost in missing:
        title = " / ".join(lost.title.values())
        told = (lost.authority, lost.number or "", title, "", "", "", lost.why.value)
        yield _row((lost.file or "", "missing", *[""] * 4, lost.sha256 or "", "", *told))


def _of_finding(found: Finding) -> tuple[object, ...]:
    if found.verdict is None:
        error = found.error or {}
        return (found.file, found.outcome.value, *[""] * 5, found.size, *[""] * 6, error["message"])
    verdict, lead = found.verdict, found.lead or {}
    return (
        found.file,
        found.outcome.value,
        verdict["match"],
        verdict["standing"] or verdict["unsettled"] or "",
        verdict["finality"] or "",
        verdict["evidence"]["source"],
        verdict["sha256"],
        found.size,
        lead.get("authority", ""),
        lead.get("number") or "",
        " / ".join((lead.get("title") or {}).values()),
        lead.get("version", ""),
        lead.get("entry", ""),
        "; ".join(changed_clauses(verdict)),
        note_on(verdict),
    )


def changes_of(verdict: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The clauses to which something happened, of an altered file."""
    found = (verdict.get("text") or {}).get("altered_from") or {}
    changes: Sequence[Mapping[str, Any]] = (found.get("comparison") or {}).get("clauses") or ()
    return changes


def changed_clauses(verdict: Mapping[str, Any]) -> list[str]:
    """The labels of the clauses in which the file is another text, each with what it is."""
    return [
        " ".join([each["label"], *each["places"], each["change"]]) for each in changes_of(verdict)
    ]


def note_on(verdict: Mapping[str, Any]) -> str:
    """What else is to be known of the answer, in words."""
    text = verdict.get("text") or {}
    same = text.get("same_as") or ()
    if same and same[0]["differs_in"]:
        return f"its bytes differ in {', '.join(same[0]['differs_in'])}"
    return str(text.get("note") or "")


def _row(values: Iterable[object]) -> bytes:
    """One line of CSV. What a spreadsheet would take for a formula becomes text: names of files
    come from strangers."""
    written = io.StringIO()
    shown = (str(each) for each in values)
    safe = (f"'{each}" if each.startswith(_FORMULA) else each for each in shown)
    csv.writer(written).writerow(safe)
    return written.getvalue().encode("utf-8", "backslashreplace")
