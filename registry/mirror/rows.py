"""What the derived tables hold for a policy or an authority, computed from its entries.

Column order is that of the schema. Nothing here touches a database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from registry.core.calendar import FIRST_DAY
from registry.core.collection import members_of
from registry.core.command import role_change
from registry.core.entry import Action, Entry
from registry.core.feed import Block, Recorded
from registry.core.lifecycle import UNPUBLISHED, PolicyState, advance
from registry.core.manifest import Manifest, profile_names, read
from registry.core.policy import policy_id
from registry.core.search import folded
from registry.core.snapshot import (
    Logged,
    PolicyHistory,
    ndjson_line,
    policy_history,
    row,
    row_of,
)
from registry.core.timeline import Standing, stretches
from registry.core.verdict import DocumentRole
from registry.errors import Inconsistent
from registry.mirror.text_rows import record_row

Row = tuple[Any, ...]
File = tuple[bytes, str, Mapping[str, Any]]
"""A file of a version: its digest, its role, and what the manifest says of it."""

_DOCUMENT, _RENDITION = DocumentRole.DOCUMENT.value, DocumentRole.RENDITION.value
COLLECTION = "collection"
"""The role of a row of `documents` that is no file's: it says that the root of a collection is
the document of an entry in the log, and in `size` how many members it has."""
_STANDINGS = {standing: standing.value for standing in Standing}
_NO_FIELDS: Mapping[str, Any] = {"title": {}, "number": None}
"""What is known of a policy whose latest manifest can not be read."""


@dataclass(slots=True)
class DerivedRows:
    """Rows by table, ready to be inserted."""

    policies: list[Row] = field(default_factory=list)
    intervals: list[Row] = field(default_factory=list)
    documents: list[Row] = field(default_factory=list)
    texts: list[Row] = field(default_factory=list)
    search: list[Row] = field(default_factory=list)

    def add(self, logged: list[Logged]) -> None:
        """Derive one policy's rows from all its entries, in log order. Raises Inconsistent
        where the contract can not have written them."""
        if len(logged) == 1:
            self.add_published(logged[0].entry, logged[0].manifest)
        else:
            self.add_history(policy_history(logged))

    def add_history(self, history: PolicyHistory) -> None:
        """Derive the rows of a policy of which all is known."""
        first = history.entries[0].index
        shown, manifest = _latest(history)
        version = max(span.version for span in history.timeline.documents.values())
        line = ndjson_line(row(history))
        self._add_policy(
            (first, history.policy_id),
            shown,
            history.state,
            version,
            _issue(history),
            manifest,
            line,
        )
        self.intervals.extend(
            (first, each.since, each.until, each.standing.value, each.document, each.version)
            for each in history.timeline.intervals
        )
        for entry, reading in zip(history.entries, history.readings, strict=True):
            span = history.timeline.documents.get(entry.index)
            if span is not None and entry.document is not None:
                files = _files(entry.document, reading.manifest)
                self._add_documents(files, entry.index, first, span.version, span.since)
                self._add_text(entry.document, entry.index, first, reading.manifest)

    def add_published(self, entry: Entry, content: bytes | None) -> None:
        """As `add` of one entry, which is all that most policies have."""
        reading, state = read(entry, content), advance(UNPUBLISHED, entry)
        manifest = reading.manifest
        identity = policy_id(entry.authority, entry.number)
        line = ndjson_line(row_of(identity, entry, reading, 1, state, entry.recorded_at))
        issue = _issue_of(manifest)
        self._add_policy((entry.index, identity), entry, state, 1, issue, manifest, line)
        since = FIRST_DAY if entry.effective_on is None else entry.effective_on
        expires = None if manifest is None else manifest.effective_to
        index = entry.index
        for first, until, standing in stretches(since, expires):
            self.intervals.append((index, first, until, _STANDINGS[standing], index, 1))
        if entry.document is not None:
            files = _files(entry.document, manifest)
            self._add_documents(files, entry.index, entry.index, 1, since)
            self._add_text(entry.document, entry.index, entry.index, manifest)

    def _add_policy(
        self,
        identity: tuple[int, bytes],
        shown: Entry,
        state: PolicyState,
        version: int,
        issue: tuple[int | None, int | None],
        manifest: Manifest | None,
        line: bytes,
    ) -> None:
        fields = _NO_FIELDS if manifest is None else manifest.fields
        title, number = fields["title"], fields["number"]
        chinese, english = title.get("zh"), title.get("en")
        self.policies.append(
            (
                *identity,
                shown.authority,
                shown.number,
                int(state.status),
                state.sequence,
                state.head,
                version,
                number,
                chinese,
                english,
                fields.get("type"),
                fields.get("jurisdiction"),
                *issue,
                endorsed(fields),
                shown.index,
                line,
            )
        )
        self.search.append(
            (
                identity[0],
                chinese and folded(chinese),
                english and folded(english),
                number and folded(number),
            )
        )

    def _add_documents(
        self, files: list[File], entry: int, policy: int, version: int, since: int
    ) -> None:
        for digest, role, fields in files:
            said = fields.get
            name, media_type, language = said("name"), said("media_type"), said("language")
            self.documents.append(
                (
                    digest,
                    entry,
                    role,
                    policy,
                    version,
                    since,
                    None if name is None else _text(name),
                    None if media_type is None else _text(media_type),
                    said("size"),
                    None if language is None else _text(language),
                )
            )

    def _add_text(
        self, document: bytes, entry: int, policy: int, manifest: Manifest | None
    ) -> None:
        record = record_row(document, manifest)
        if record is not None:
            self.texts.append((entry, policy, *record))


def entry_row(event: Recorded, policy: int | None) -> Row:
    """The row of `entries`; `policy` is the index of its policy's first entry."""
    entry, place = event.entry, event.place
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
        place.block,
        place.transaction,
        policy,
        place_checksum(entry.index, place.block, place.transaction, event.manifest is not None),
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
    return sha256(repr(values).encode()).digest()[:8]


def _latest(history: PolicyHistory) -> tuple[Entry, Manifest | None]:
    """The latest entry that carries a document, and its manifest if it can be read."""
    for entry, reading in zip(reversed(history.entries), reversed(history.readings), strict=True):
        if entry.action.carries_document:
            return entry, reading.manifest
    raise AssertionError("a policy begins with a Publish")


def _issue(history: PolicyHistory) -> tuple[int | None, int | None]:
    """Issue date and year of the latest version that states them."""
    for reading in reversed(history.readings):
        found = _issue_of(reading.manifest)
        if found[1] is not None:
            return found
    return None, None


def _issue_of(manifest: Manifest | None) -> tuple[int | None, int | None]:
    return (None, None) if manifest is None else (manifest.issued, manifest.issued_year)


def endorsed(fields: Mapping[str, Any]) -> str | None:
    """The policy_id that a manifest endorses, if it does."""
    if "relations" not in fields:
        return None
    found = (each.get("policy") for each in fields["relations"] if each["type"] == "endorses")
    return next((str(policy_id) for policy_id in found if policy_id), None)


def _files(document: bytes, manifest: Manifest | None) -> list[File]:
    """The files of an entry that brought the document with this digest."""
    if manifest is None:
        return [(document, _DOCUMENT, {})]
    fields, found = manifest.fields, list[File]()
    # No file has a collection's root as its digest, but what was hashed for it would.
    if not manifest.is_collection:
        found.append((document, _DOCUMENT, fields.get("document", {})))
    elif (members := members_of(fields)) is not None:
        found.append((document, COLLECTION, {"size": members}))
    if "renditions" in fields:
        seen = {document}
        for rendition in fields["renditions"]:
            digest = bytes.fromhex(rendition["sha256"])
            if digest not in seen:
                seen.add(digest)
                found.append((digest, _RENDITION, rendition))
    return found


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
