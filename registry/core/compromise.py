"""What a report that a key was compromised says of what that key recorded.

A report (entry `report-compromise` of docs/formats.md) names an authority, an account and a
moment. It is about every act that the account recorded, at that moment or later, for that
authority or for one below it: the chain of command that may make the report is the one that
answers for those authorities. Another authority's word about the same key says nothing of
them. `since` is compared with `recorded_at`, the time that the chain gave the act; when the
report itself came does not matter, except that a log that ends before it does not know it.

A report undoes nothing and is never taken back: what a document is worth stays as it was, and
the mark stands beside it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from registry.core.entry import Action, Entry
from registry.core.units import Address, EntryIndex, UnixSeconds


@dataclass(frozen=True, slots=True)
class Report:
    """One `report-compromise` of the log: the key is not to be trusted from `since` on."""

    entry: EntryIndex
    authority: str
    account: Address
    since: UnixSeconds


@dataclass(frozen=True, slots=True)
class Mark:
    """An act that a reported key recorded, and the first report of the log about it."""

    entry: EntryIndex
    report: Report


def report_of(entry: Entry) -> Report:
    """What an entry with that action says; its `document` is the moment as a word."""
    if entry.action is not Action.REPORT_COMPROMISE:
        raise AssertionError(f"entry {entry.index} reports nothing")
    since = UnixSeconds(int.from_bytes(entry.document or b"", "big"))
    return Report(entry.index, entry.authority, Address(entry.number[12:]), since)


def answers_for(authority: str, code: str) -> bool:
    """Whether `authority` is `code` or above it in the chain of command."""
    return code == authority or code.startswith(authority + ".")


def concerns(
    report: Report, authority: str, registrar: bytes, recorded_at: UnixSeconds | int
) -> bool:
    """Whether the report is about an act of `registrar` for `authority`, recorded then. The
    one rule: section 8 of docs/formats.md."""
    return (
        report.account == registrar
        and report.since <= recorded_at
        and answers_for(report.authority, authority)
    )


def mark(
    reports: Iterable[Report],
    entry: EntryIndex,
    authority: str,
    registrar: bytes,
    recorded_at: UnixSeconds | int,
) -> Mark | None:
    """The mark on an act, by the first of the reports in the log that is about it."""
    found = [each for each in reports if concerns(each, authority, registrar, recorded_at)]
    return Mark(entry, min(found, key=lambda each: each.entry)) if found else None


def marks(reports: Collection[Report], entries: Iterable[Entry]) -> tuple[Mark, ...]:
    """The marks on these acts, in their order."""
    if not reports:
        return ()
    found = (
        mark(reports, each.index, each.authority, each.registrar, each.recorded_at)
        for each in entries
    )
    return tuple(each for each in found if each is not None)


def doubted(marked: Iterable[Mark], document: EntryIndex, latest: EntryIndex) -> bool:
    """Whether a document rests on a reported key: on its own entry, or on the policy's latest
    act. An act that the authority records after one of the thief's puts the policy in order."""
    return any(each.entry in {document, latest} for each in marked)
