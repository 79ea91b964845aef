"""A snapshot: the state of every policy after the log's first N entries.

A pure function of the log. As NDJSON: a header line, then one policy a line in the
order of policy_id; keys sorted, no spaces, UTF-8, every line ended by a line feed.
Manifest fields come only from bytes that are in the log itself; a digest-only
manifest leaves them null, so that no two mirrors ever differ.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from registry.core.calendar import iso_or_none, iso_time
from registry.core.compromise import Report, marks
from registry.core.entry import Entry
from registry.core.lifecycle import UNPUBLISHED, PolicyState, Status, advance
from registry.core.manifest import Manifest, ManifestState, Reading, read
from registry.core.policy import policy_id
from registry.core.timeline import Act, Standing, Timeline, timeline
from registry.core.units import BlockNumber, Day, Digest, EntryIndex, UnixSeconds

SCHEMA = "policy-registry/snapshot/1"

COLUMNS = (
    "policy_id",
    "authority",
    "number_sha256",
    "number",
    "title_zh",
    "title_en",
    "type",
    "jurisdiction",
    "status",
    "sequence",
    "version",
    "document",
    "manifest",
    "manifest_state",
    "issued",
    "effective_on",
    "effective_to",
    "entry",
    "head",
    "published_at",
    "recorded_at",
    "compromised",
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The log's size and root, and the block that they were read at."""

    chain: str
    contract: str
    size: int
    root: Digest
    block: BlockNumber
    block_hash: bytes


@dataclass(frozen=True, slots=True)
class Filters:
    """What a snapshot leaves out: all but what is in force on a date; all that was
    recorded after a time."""

    in_force_on: Day | None = None
    recorded_by: UnixSeconds | None = None


@dataclass(frozen=True, slots=True)
class Logged:
    """An entry with the manifest's bytes as the log holds them."""

    entry: Entry
    manifest: bytes | None


@dataclass(frozen=True, slots=True)
class PolicyHistory:
    """All that one policy's entries say."""

    policy_id: Digest
    entries: Sequence[Entry]
    readings: Sequence[Reading]
    state: PolicyState
    timeline: Timeline


def policy_history(logged: Sequence[Logged]) -> PolicyHistory:
    """Fold one policy's entries in log order; raises Inconsistent where they can not be
    the contract's."""
    entries = [each.entry for each in logged]
    readings = [read(each.entry, each.manifest) for each in logged]
    state = UNPUBLISHED
    for entry in entries:
        state = advance(state, entry)
    acts = [
        Act(
            entry.index,
            entry.action,
            entry.effective_on,
            entry.recorded_at,
            reading.manifest.effective_to if reading.manifest else None,
        )
        for entry, reading in zip(entries, readings, strict=True)
    ]
    identity = policy_id(entries[0].authority, entries[0].number)
    return PolicyHistory(identity, entries, readings, state, timeline(acts))


def filtered_row(
    history: PolicyHistory, filters: Filters, reports: Collection[Report] = ()
) -> dict[str, Any] | None:
    """The snapshot's row for one policy, or None where the filters leave it out. `reports` are
    those of the same entries of the log."""
    document = None
    if filters.in_force_on is not None:
        interval = history.timeline.at(filters.in_force_on)
        if interval.standing is not Standing.IN_FORCE:
            return None
        document = interval.document
    shown = row(history, document)
    marked = [each.entry for each in marks(reports, history.entries)]
    # A key of its own, only where there is something: a log without reports gives the lines
    # that it always gave.
    return {**shown, "compromised": marked} if marked else shown


def row(history: PolicyHistory, document: EntryIndex | None = None) -> dict[str, Any]:
    """A policy's row; it shows the document that the entry `document` brought, else the
    latest one."""
    documents = history.timeline.documents
    shown = max(documents) if document is None else document
    at = next(n for n, entry in enumerate(history.entries) if entry.index == shown)
    published_at = history.entries[0].recorded_at
    version, state = documents[shown].version, history.state
    entry, reading = history.entries[at], history.readings[at]
    return row_of(history.policy_id, entry, reading, version, state, published_at)


def row_of(
    identity: Digest,
    entry: Entry,
    reading: Reading,
    version: int,
    state: PolicyState,
    published_at: UnixSeconds,
) -> dict[str, Any]:
    """The row that shows the document of `entry` for the policy `identity`."""
    manifest = reading.manifest if reading.state is ManifestState.PRESENT else None
    described = _NOTHING_DESCRIBED if manifest is None else _described(manifest)
    number, title_zh, title_en, kind, jurisdiction, issued, effective_to = described
    # In the order in which they are written, which saves some of the sorting.
    return {
        "authority": entry.authority,
        "document": entry.document.hex() if entry.document else None,
        "effective_on": iso_or_none(entry.effective_on),
        "effective_to": effective_to,
        "entry": entry.index,
        "head": state.head,
        "issued": issued,
        "jurisdiction": jurisdiction,
        "manifest": entry.manifest.hex() if entry.manifest else None,
        "manifest_state": _STATE_WORDS[reading.state],
        "number": number,
        "number_sha256": entry.number.hex(),
        "policy_id": identity.hex(),
        "published_at": iso_time(published_at),
        "recorded_at": iso_time(state.recorded_at),
        "sequence": state.sequence,
        "status": _STATUS_WORDS[state.status],
        "title_en": title_en,
        "title_zh": title_zh,
        "type": kind,
        "version": version,
    }


# Looked up: a mirror writes millions of rows, and an enumeration takes its time to say a word.
_STATUS_WORDS = {status: status.word for status in Status}
_STATE_WORDS = {state: state.value for state in ManifestState}
_NOTHING_DESCRIBED = (None,) * 7


def _described(manifest: Manifest) -> tuple[Any, ...]:
    """What a row says from the manifest: number, titles in Chinese and in English, type,
    jurisdiction, day of issue, last day."""
    fields = manifest.fields
    title = fields["title"]
    return (
        fields["number"],
        title.get("zh"),
        title.get("en"),
        fields.get("type"),
        fields.get("jurisdiction"),
        iso_or_none(manifest.issued),
        iso_or_none(manifest.effective_to),
    )


def header(checkpoint: Checkpoint, filters: Filters, count: int) -> dict[str, Any]:
    by = filters.recorded_by
    return {
        "schema": SCHEMA,
        "chain": checkpoint.chain,
        "contract": checkpoint.contract,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "block": {"number": checkpoint.block, "hash": "0x" + checkpoint.block_hash.hex()},
        "filters": {
            "in_force_on": iso_or_none(filters.in_force_on),
            "recorded_by": None if by is None else iso_time(by),
        },
        "count": count,
    }


def ndjson_line(value: dict[str, Any]) -> bytes:
    """One line: for these values (no floats, keys in ASCII) the same as RFC 8785."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def ndjson(head: dict[str, Any], rows: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    yield ndjson_line(head)
    for each in rows:
        yield ndjson_line(each)
