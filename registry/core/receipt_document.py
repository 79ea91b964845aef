"""The last steps of checking a receipt: what a file is to the policy that was shown.

A file is a document or a rendition of one of the policy's entries, or a collection's
member; never the bytes that hash to the root of a collection's tree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from registry.core.calendar import iso_date
from registry.core.collection import members_of, own_standing
from registry.core.compromise import doubted, marks
from registry.core.manifest import Manifest, ManifestState, Reading, parse
from registry.core.merkle import leaf_hash, verify_inclusion
from registry.core.receipt import Member
from registry.core.receipt_check import FILE, STANDING, ShownPolicy, Trace
from registry.core.receipt_clause import CLAUSES, ClausePart, check_clauses, says_the_same
from registry.core.timeline import Standing, document_standing
from registry.core.units import Day, Digest, EntryIndex
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

if TYPE_CHECKING:
    from registry.core.text.clauses import TextRecord


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What of a file is compared: its digest, its size and its first two bytes; where clauses are
    shown also its bytes, `content`, unless it is far larger than any clause."""

    sha256: Digest
    size: int
    beginning: bytes
    content: bytes | None = None


def check_file(shown: ShownPolicy, file: FileFacts, on: Day, trace: Trace) -> Verdict:
    """Steps 11 to 13: what the file is to the policy, what it is worth on a date, and that the
    clauses which the receipt shows are the registered ones."""
    part = shown.receipt.clause
    says = part is not None and file.content is not None and says_the_same(part, file.content)
    if part is not None and says:
        found = _of_clauses(shown, part, on)
        trace.held(FILE, f"the file says what the {_clauses(part)} of entry {part.entry} says")
    else:
        found = _of_document(shown, file, on)
        lead = found[0]
        trace.held(
            FILE, f"the file is the {lead.role.value} of entry {lead.entry}, version {lead.version}"
        )
    if found[0].standing is not None:
        trace.held(STANDING, f"{found[0].standing.value} on {iso_date(on)}")
    if part is not None:
        record = check_clauses(part, _manifest_of(shown, part.entry))
        trace.held(CLAUSES, f"{_clauses(part)}: of the {part.size} of entry {part.entry}")
    evidence = shown.anchor.evidence if shown.anchor else Evidence.RECEIPT
    steps = tuple(trace.steps)
    if part is None or not says:
        return Verdict(file.sha256, Match.EXACT, found, evidence, steps)
    return _clause_verdict(
        shown, part, record, Verdict(file.sha256, Match.UNKNOWN, found, evidence, steps)
    )


def _clause_verdict(
    shown: ShownPolicy, part: ClausePart, record: TextRecord, of_document: Verdict
) -> Verdict:
    """Of a file that is no document, and says what clauses of one do. It was asked for these: that
    they are the registered ones is what there is to verify."""
    from registry.core.text.finding import Document, OfDocument, TextFinding

    file = (_manifest_of(shown, part.entry) or {})["document"]
    document = Document(
        Digest(bytes.fromhex(file["sha256"])),
        record,
        of_document.registrations,
        file.get("name"),
        file.get("media_type"),
        file.get("size"),
    )
    found = TextFinding(clauses=OfDocument(document, part.labels))
    return replace(of_document, registrations=()).with_text(found, (), accepted=True)


def _clauses(part: ClausePart) -> str:
    first, last = part.labels[0], part.labels[-1]
    return f"clause {first}" if len(part.clauses) == 1 else f"clauses {first} to {last}"


def _of_document(shown: ShownPolicy, file: FileFacts, on: Day) -> tuple[Registration, ...]:
    member = shown.receipt.member
    if member is not None:
        return (_member_registration(shown, member, file.sha256, on),)
    found = by_weight(list(_registrations(shown, file, on)))
    if not found:
        raise _no_document(shown, file)
    return found


def _of_clauses(shown: ShownPolicy, part: ClausePart, on: Day) -> tuple[Registration, ...]:
    """The registration of the document that the clauses are of."""
    member = shown.receipt.member
    if member is not None and member.entry == part.entry:
        document = (_member_manifest(shown, member).fields.get("document") or {}).get("sha256")
        if isinstance(document, str):
            return (_member_registration(shown, member, Digest(bytes.fromhex(document)), on),)
    for place, entry in enumerate(shown.history.entries):
        if entry.index == part.entry and entry.document is not None and member is None:
            return (_registration(shown, place, DocumentRole.DOCUMENT, on),)
    raise ProofError(FILE, f"the receipt does not show entry {part.entry}, whose clauses it shows")


def _manifest_of(shown: ShownPolicy, entry: EntryIndex) -> Mapping[str, Any] | None:
    """The manifest that tells of the text of an entry's document, or of the member; None where it
    is not shown, or is another document's."""
    member = shown.receipt.member
    if member is not None:
        manifest = _member_manifest(shown, member) if member.entry == entry else None
        document = None
    else:
        places = [n for n, each in enumerate(shown.history.entries) if each.index == entry]
        manifest = _present(shown.history.readings[places[0]]) if places else None
        document = shown.history.entries[places[0]].document if places else None
    if manifest is None or manifest.is_collection:
        return None
    named = (manifest.fields.get("document") or {}).get("sha256")
    if named is None or (document is not None and named != document.hex()):
        return None
    return manifest.fields


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
    part = shown.receipt.clause
    also = "" if part is None else f"; nor does the file say what {_clauses(part)} says"
    return ProofError(
        FILE,
        f"the file's SHA-256 is {file.sha256.hex()}; this receipt is about "
        + ", ".join(sorted(known))
        + also,
        hint="the file was changed, or the receipt is another document's: ask whoever published "
        "it for both",
    )


def _member_registration(
    shown: ShownPolicy, member: Member, sha256: Digest, on: Day
) -> Registration:
    own = _member_manifest(shown, member)
    place = next(n for n, each in enumerate(shown.history.entries) if each.index == member.entry)
    files = [own.fields.get("document") or {}, *own.renditions]
    roles = [DocumentRole.MEMBER, *(DocumentRole.RENDITION for _ in own.renditions)]
    for each, role in zip(files, roles, strict=True):
        if each.get("sha256") == sha256.hex():
            return _registration(shown, place, role, on, own)
    raise ProofError(
        FILE, f"the file's SHA-256 is {sha256.hex()}; the receipt is about another member"
    )


def _member_manifest(shown: ShownPolicy, member: Member) -> Manifest:
    """The member's own manifest, shown to be in the collection."""
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
        return parse(member.manifest)
    except InputError as error:
        raise ProofError(FILE, f"the member's manifest can not be read: {error}") from None


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
