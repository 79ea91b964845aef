"""Answers on texts as plain values: what `--json` prints and what the API sends."""

from __future__ import annotations

from typing import Any

from registry.core.calendar import iso_or_none, iso_time
from registry.core.text.blaming import Blamed
from registry.core.text.comparing import Change, Row
from registry.core.text.finding import Compared, Document, SameText, TextFinding, places
from registry.core.text.redline import Run
from registry.mirror.registrations import title_of
from registry.services import answers
from registry.services.texts.versions import Blame, Difference, Version


def text_finding(found: TextFinding) -> dict[str, Any]:
    """What a file's text shows. `note`: why there is no more."""
    text, altered = found.text, found.altered
    return {
        "sha256": text.digest.hex() if text else None,
        "clauses": len(text.clauses) if text else None,
        "extractor": text.extractor if text else None,
        "same_as": [_same(each) for each in found.same],
        "altered_from": (
            None
            if altered is None
            else {**_document(altered.document), "comparison": comparison(altered.compared)}
        ),
        "clauses_of": (
            None
            if found.clauses is None
            else {**_document(found.clauses.document), "labels": list(found.clauses.labels)}
        ),
        "note": found.note,
    }


def _same(found: SameText) -> dict[str, Any]:
    return {
        **_document(found.document),
        "differs_in": list(found.difference.named),
        "shown_by_digest": found.difference.proven,
    }


def _document(found: Document) -> dict[str, Any]:
    return {
        "document": found.sha256.hex(),
        "name": found.name,
        "media_type": found.media_type,
        "size": found.size,
        "text": found.record.fields(),
        "registrations": [answers.registration(each) for each in found.registrations],
    }


def comparison(found: Compared, *, unchanged: bool = False) -> dict[str, Any]:
    """The clause table. Without `unchanged` only the clauses to which something happened."""
    rows = [row for row in found.comparison.rows if unchanged or row.change is not Change.UNCHANGED]
    return {
        "counts": {change.value: count for change, count in found.comparison.counts.items()},
        "old_text_known": found.old_texts is not None,
        "new_text_known": found.new_texts is not None,
        "clauses": [_row(found, row) for row in rows],
    }


def _row(found: Compared, row: Row) -> dict[str, Any]:
    shown = row.change in (Change.CHANGED, Change.MISSING, Change.ADDED)
    runs = found.runs(row) if shown else None
    return {
        "change": row.change.value,
        "label": row.label,
        "old_label": row.old_label,
        "new_label": row.new_label,
        "old_position": row.old,
        "new_position": row.new,
        "in_order": row.in_order,
        "places": list(places(row.label, runs)) if runs and row.change is Change.CHANGED else [],
        "redline": [run_of(each) for each in runs] if runs else None,
    }


def run_of(run: Run) -> dict[str, str]:
    return {"kind": run.kind.value, "text": run.text}


def version(found: Version) -> dict[str, Any]:
    """A document of a policy."""
    return {
        "version": found.number,
        "entry": found.entry,
        "action": found.action,
        "document": found.document.hex(),
        "name": found.name,
        "since": iso_or_none(found.since),
        "recorded_at": iso_time(found.recorded_at),
        "clauses": None if found.record is None else found.record.count,
    }


def difference(found: Difference, *, unchanged: bool = True) -> dict[str, Any]:
    """Two versions of a policy."""
    return {
        **_policy(found.policy.row),
        "old": version(found.old),
        "new": version(found.new),
        **comparison(found.compared, unchanged=unchanged),
    }


def blame(found: Blame) -> dict[str, Any]:
    """The clauses of a policy's latest document, each with the version that wrote it."""
    return {
        **_policy(found.policy.row),
        "versions": [
            {**version(each), "known": known}
            for each, known in zip(found.versions, found.known, strict=True)
        ],
        "clauses": [_blamed(found, each) for each in found.clauses],
    }


def _blamed(found: Blame, each: Blamed) -> dict[str, Any]:
    written, earliest = found.versions[each.version], found.versions[each.earliest]
    renumbered = None if each.renumbered is None else found.versions[each.renumbered]
    return {
        "label": each.clause.label,
        "text_hash": each.clause.text_hash.hex(),
        "change": each.change.value,
        "version": written.number,
        "entry": written.entry,
        "since": iso_or_none(written.since),
        "recorded_at": iso_time(written.recorded_at),
        "document": written.document.hex(),
        # Earlier than `entry` where the clauses of versions between them are not known.
        "earliest_entry": earliest.entry,
        "renumbered": (
            None
            if renumbered is None
            else {
                "former_label": each.formerly,
                "version": renumbered.number,
                "entry": renumbered.entry,
                "since": iso_or_none(renumbered.since),
            }
        ),
    }


def _policy(row: Any) -> dict[str, Any]:
    return {
        "policy_id": row.policy_id.hex(),
        "authority": row.authority,
        "number": row.number,
        "title": title_of(row),
    }
