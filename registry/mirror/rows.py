"""What the derived tables hold for a policy or an authority, computed from its entries.

Column order is that of the schema. Nothing here touches a database.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from registry.core.command import role_change
from registry.core.entry import Action, Entry
from registry.core.feed import Block, Recorded
from registry.core.manifest import Manifest, profile_names
from registry.core.search import folded
from registry.core.snapshot import Logged, PolicyHistory, ndjson_line, policy_history, row
from registry.core.verdict import DocumentRole
from registry.errors import Inconsistent

Row = tuple[Any, ...]

_DOCUMENT, _RENDITION = DocumentRole.DOCUMENT.value, DocumentRole.RENDITION.value
_NO_FIELDS: Mapping[str, Any] = {"title": {}, "number": None}
"""What is known of a policy whose latest manifest can not be read."""


@dataclass(slots=True)
class DerivedRows:
    """Rows by table, ready to be inserted."""

    policies: list[Row] = field(default_factory=list)
    intervals: list[Row] = field(default_factory=list)
    documents: list[Row] = field(default_factory=list)
    search: list[Row] = field(default_factory=list)

    def add(self, logged: list[Logged]) -> None:
        """Derive one policy's rows from all its entries, in log order."""
        history = policy_history(logged)
        first, state = history.entries[0], history.state
        shown, manifest = _latest(history)
        fields = manifest.fields if manifest else _NO_FIELDS
        title, number = fields["title"], fields["number"]
        chinese, english = title.get("zh"), title.get("en")
        self.policies.append(
            (
                first.index,
                history.policy_id,
                first.authority,
                first.number,
                int(state.status),
                state.sequence,
                state.head,
                max([span.version for span in history.timeline.documents.values()]),
                number,
                chinese,
                english,
                fields.get("type"),
                fields.get("jurisdiction"),
                *_issue(history),
                _endorsed(fields),
                shown.index,
                ndjson_line(row(history)),
            )
        )
        for each in history.timeline.intervals:
            standing = each.standing.value
            self.intervals.append(
                (first.index, each.since, each.until, standing, each.document, each.version)
            )
        self.documents.extend(_documents(history))
        self.search.append(
            (
                first.index,
                chinese and folded(chinese),
                english and folded(english),
                number and folded(number),
            )
        )


def entry_row(event: Recorded, policy: int | None) -> Row:
    """The row of `entries`; `policy` is the index of its policy's first entry."""
    entry = event.entry
    return (
        entry.index,
        entry.previous,
        entry.authority,
        entry.number,
        entry.sequence,
        int(entry.action),
        entry.effective_on,
        entry.document,
        entry.manifest,
        entry.registrar,
        entry.recorded_at,
        event.place.block,
        event.place.transaction,
        policy,
        place_checksum(
            entry.index, event.place.block, event.place.transaction, event.manifest is not None
        ),
    )


def block_row(number: int, block_hash: bytes, size: int) -> Row:
    """The row of `blocks`: `size` is the log's after the block."""
    return (number, block_hash, size, checksum(number, block_hash, size))


def header_row(block: Block) -> Row:
    """The row of `headers`."""
    values = (block.number, block.hash, block.parent, block.time)
    return (*values, checksum(*values))


def place_checksum(entry: int, block: int, transaction: bytes, manifest: bool) -> bytes:
    """The checksum of `entries`: over what no leaf vouches for, which includes whether the
    log has a manifest's bytes or its digest alone."""
    return checksum(entry, block, transaction, manifest)


def checksum(*values: int | bytes | None) -> bytes:
    """Eight bytes that tell of accidental damage to a row; they prove nothing."""
    return hashlib.sha256(repr(values).encode()).digest()[:8]


def _latest(history: PolicyHistory) -> tuple[Entry, Manifest | None]:
    """The latest entry that carries a document, and its manifest if it can be read."""
    for entry, reading in zip(reversed(history.entries), reversed(history.readings), strict=True):
        if entry.action.carries_document:
            return entry, reading.manifest
    raise AssertionError("a policy begins with a Publish")


def _issue(history: PolicyHistory) -> tuple[int | None, int | None]:
    """Issue date and year of the latest version that states them."""
    for reading in reversed(history.readings):
        if reading.manifest is not None and reading.manifest.issued_year is not None:
            return reading.manifest.issued, reading.manifest.issued_year
    return None, None


def _endorsed(fields: Mapping[str, Any]) -> str | None:
    found = (
        each.get("policy") for each in fields.get("relations", ()) if each["type"] == "endorses"
    )
    return next((str(policy_id) for policy_id in found if policy_id), None)


def _documents(history: PolicyHistory) -> Iterator[Row]:
    identity = history.entries[0].index
    for entry, reading in zip(history.entries, history.readings, strict=True):
        span = history.timeline.documents.get(entry.index)
        if span is None or entry.document is None:
            continue
        manifest = reading.manifest
        fields = manifest.fields if manifest else {}
        # No file has a collection's root as its digest, but what was hashed for it would.
        if not (manifest and manifest.is_collection):
            described = fields.get("document", {})
            yield _document(entry.document, entry.index, _DOCUMENT, identity, span, described)
        if "renditions" not in fields:
            continue
        seen: set[bytes] = {entry.document}
        for rendition in fields["renditions"]:
            digest = bytes.fromhex(rendition["sha256"])
            if digest not in seen:
                seen.add(digest)
                yield _document(digest, entry.index, _RENDITION, identity, span, rendition)


def _document(
    digest: bytes, entry: int, role: str, identity: int, span: Any, fields: dict[str, Any]
) -> Row:
    return (
        digest,
        entry,
        role,
        identity,
        span.version,
        span.since,
        _text(fields.get("name")),
        _text(fields.get("media_type")),
        fields.get("size"),
        _text(fields.get("language")),
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


class AuthorityRows:
    """What the tables on authorities hold, folded from the acts on them in log order.

    Started with the rows of the authorities that are touched, and those of their grants
    that stand, it goes on from there; started with nothing, it wants all acts.
    """

    def __init__(self, authorities: Iterable[Row] = (), standing: Iterable[Row] = ()) -> None:
        self.authorities: dict[str, Row] = {row[0]: row for row in authorities}
        self.grants: dict[int, Row] = {row[0]: row for row in standing}
        self.compromises: dict[int, Row] = {}
        self._standing = {row[1:4]: row[0] for row in self.grants.values()}

    def add(self, entry: Entry, profile: bytes | None) -> None:
        """Follow one act. Raises Inconsistent where the contract can not have taken it."""
        code, account = entry.authority, entry.number[12:]
        match entry.action:
            case Action.OPEN_AUTHORITY:
                self.authorities[code] = (code, entry.index, entry.index, *_names(profile))
            case Action.SET_PROFILE:
                opened = self.authorities.get(code, (code, entry.index))[1]
                self.authorities[code] = (code, opened, entry.index, *_names(profile))
            case Action.REPORT_COMPROMISE:
                since = int.from_bytes(entry.document or b"", "big")
                self.compromises[entry.index] = (entry.index, code, account, min(since, 2**63 - 1))
            case Action.RETIRE:
                pass
            case _:
                change = role_change(entry.action)
                if change is None:
                    raise Inconsistent(f"entry {entry.index} is no act on an authority")
                role, given = change
                if given:
                    self._give(entry.index, (code, account, int(role)))
                else:
                    self._take(entry.index, (code, account, int(role)))

    def _give(self, index: int, held: tuple[str, bytes, int]) -> None:
        self.grants[index] = (index, *held, None)
        self._standing[held] = index

    def _take(self, index: int, held: tuple[str, bytes, int]) -> None:
        appointed = self._standing.pop(held, None)
        if appointed is None:
            raise Inconsistent(f"entry {index} takes a role that its account did not hold")
        self.grants[appointed] = (appointed, *held, index)


def _names(profile: bytes | None) -> tuple[str | None, str | None]:
    names = profile_names(profile)
    return names.get("zh"), names.get("en")
