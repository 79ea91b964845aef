"""The last steps of checking a receipt: what a file is to the policy that was shown.

A file is a document or a rendition of one of the policy's entries, or a collection's
member; never the bytes that hash to the root of a collection's tree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from registry.core.calendar import iso_date
from registry.core.collection import members_of, own_standing
from registry.core.compromise import doubted, marks
from registry.core.manifest import Manifest, ManifestState, Reading, parse
from registry.core.merkle import leaf_hash, verify_inclusion
from registry.core.receipt import Member
from registry.core.receipt_check import FILE, STANDING, ShownPolicy, Trace
from registry.core.timeline import Standing, document_standing
from registry.core.units import Day, Digest
from registry.core.verdict import (
    DocumentRole,
    Evidence,
    Finality,
    Match,
    MemberOf,
    Registration,
    Verdict,
    by_weight,
    unsettled,
)
from registry.errors import CouldNotCheck, InputError, ProofError


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What of a file is compared: its digest, its size and its first two bytes."""

    sha256: Digest
    size: int
    beginning: bytes


def check_file(shown: ShownPolicy, file: FileFacts, on: Day, trace: Trace) -> Verdict:
    """Steps 11 and 12: what the file is to the policy, and what it is worth on a date."""
    member = shown.receipt.member
    if member is None:
        found = by_weight(list(_registrations(shown, file, on)))
        if not found:
            raise _no_document(shown, file)
    else:
        found = (_member_registration(shown, member, file, on),)
    lead = found[0]
    trace.held(
        FILE, f"the file is the {lead.role.value} of entry {lead.entry}, version {lead.version}"
    )
    if lead.standing is not None:
        trace.held(STANDING, f"{lead.standing.value} on {iso_date(on)}")
    evidence = shown.anchor.evidence if shown.anchor else Evidence.RECEIPT
    return Verdict(file.sha256, Match.EXACT, found, evidence, tuple(trace.steps))


def _registrations(shown: ShownPolicy, file: FileFacts, on: Day) -> Iterator[Registration]:
    for place, entry in enumerate(shown.history.entries):
        manifest = _present(shown.history.readings[place])
        if entry.document == file.sha256 and _is_document(file, manifest):
            yield _registration(shown, place, DocumentRole.DOCUMENT, on)
        elif entry.action.carries_document and manifest is not None:
            listed = (bytes.fromhex(each["sha256"]) for each in manifest.renditions)
            if file.sha256 in listed:
                yield _registration(shown, place, DocumentRole.RENDITION, on)


def _is_document(file: FileFacts, manifest: Manifest | None) -> bool:
    """Whether bytes with the digest of an entry's document are a file, and not what hashes
    to the root of a collection's tree: the 65 bytes of a node, or 0x00 and the manifest of
    an only member. Without a manifest, what looks like those is not taken for a file."""
    if manifest is not None:
        return not manifest.is_collection
    return not _looks_hashed(file)


def _looks_hashed(file: FileFacts) -> bool:
    return (file.size == 65 and file.beginning[:1] == b"\x01") or file.beginning == b"\x00{"


def _no_document(shown: ShownPolicy, file: FileFacts) -> ProofError | CouldNotCheck:
    """Why the file is nothing that the receipt shows."""
    entries, readings = shown.history.entries, shown.history.readings
    same = [_present(readings[n]) for n, e in enumerate(entries) if e.document == file.sha256]
    if None in same:
        return CouldNotCheck(
            "these bytes may be a part of a collection's tree, and the receipt shows no "
            "manifest that would tell",
            hint="ask for a receipt with the manifest",
        )
    if same:
        return ProofError(
            FILE, "the entry is a collection, and its document a root over its members, not a file"
        )
    known = {each.document.hex() for each in entries if each.document}
    return ProofError(
        FILE,
        f"the file's SHA-256 is {file.sha256.hex()}; this receipt is about "
        + ", ".join(sorted(known)),
        hint="the file was changed, or the receipt is another document's: ask whoever published "
        "it for both",
    )


def _member_registration(
    shown: ShownPolicy, member: Member, file: FileFacts, on: Day
) -> Registration:
    places = [n for n, each in enumerate(shown.history.entries) if each.index == member.entry]
    if not places:
        raise ProofError(FILE, f"the receipt does not show entry {member.entry}, the collection")
    collection = _present(shown.history.readings[places[0]])
    size = members_of(collection.fields if collection else {})
    if size is None:
        raise ProofError(FILE, f"entry {member.entry} is a document, not a collection")
    if size != member.size:
        raise ProofError(FILE, f"the collection has {size} members, not {member.size}")
    root = shown.history.entries[places[0]].document or b""
    try:
        verify_inclusion(leaf_hash(member.manifest), member.index, size, member.path, root)
    except ProofError as error:
        raise ProofError(FILE, f"this is no member of the collection ({error})") from None
    try:
        own = parse(member.manifest)
    except InputError as error:
        raise ProofError(FILE, f"the member's manifest can not be read: {error}") from None
    files = [own.fields.get("document") or {}, *own.renditions]
    roles = [DocumentRole.MEMBER, *(DocumentRole.RENDITION for _ in own.renditions)]
    for each, role in zip(files, roles, strict=True):
        if each.get("sha256") == file.sha256.hex():
            return _registration(shown, places[0], role, on, own)
    raise ProofError(
        FILE, f"the file's SHA-256 is {file.sha256.hex()}; the receipt is about another member"
    )


def _present(reading: Reading) -> Manifest | None:
    return reading.manifest if reading.state is ManifestState.PRESENT else None


def _registration(
    shown: ShownPolicy, place: int, role: DocumentRole, on: Day, member: Manifest | None = None
) -> Registration:
    history = shown.history
    entry = history.entries[place]
    document = history.timeline.documents[entry.index]
    interval = history.timeline.at(on)
    standing = document_standing(interval, document, on)
    if member is not None and standing is Standing.IN_FORCE:
        standing = own_standing(member, on)
    why = unsettled(
        standing,
        closed=shown.anchor is not None and shown.anchor.closed is not None,
        later=shown.later != 0,
        manifest_known=shown.receipt.entries[place].manifest is not None,
    )
    manifest = member or _present(history.readings[place])
    marked = marks(shown.reports, history.entries)
    endorsed = (
        each.get("policy")
        for each in (manifest.relations if manifest else ())
        if each["type"] == "endorses"
    )
    starts = member.effective_from if member else None
    return Registration(
        policy_id=entry.policy.policy_id,
        authority=entry.authority,
        number=manifest.number if manifest else None,
        title=manifest.title if manifest else {},
        entry=entry.index,
        action=entry.action.word,
        role=role,
        version=document.version,
        versions=max(each.version for each in history.timeline.documents.values()),
        current=interval.document,
        standing=standing if why is None else None,
        since=document.since if member is None or starts is None else starts,
        finality=shown.anchor.finality if shown.anchor else Finality.INCLUDED,
        recorded_at=entry.recorded_at,
        # The receipt names one, and nothing proves it.
        block=None,
        registrar="0x" + entry.registrar.hex(),
        endorses=next((each for each in endorsed if each), None),
        unsettled=why,
        collection=None if member is None else _member_of(shown, place),
        # Without a report nothing is known: there may be one that the receipt does not hold.
        compromised=marked or None,
        doubted=doubted(marked, entry.index, history.entries[-1].index),
    )


def _member_of(shown: ShownPolicy, place: int) -> MemberOf | None:
    member, collection = shown.receipt.member, _present(shown.history.readings[place])
    if member is None:
        return None
    return MemberOf(
        root=Digest(shown.history.entries[place].document or b""),
        index=member.index,
        members=member.size,
        number=collection.number if collection else None,
        title=collection.title if collection else {},
    )
