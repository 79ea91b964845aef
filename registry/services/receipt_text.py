"""What a receipt shows of a file that is none of its documents: that it says the same as one.

The manifests in a receipt tell of their documents' texts; nothing else is needed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from registry.core.manifest import ManifestState, parse
from registry.core.receipt_check import ShownPolicy, Trace
from registry.core.receipt_document import FileFacts, check_file
from registry.core.text.clauses import read_record
from registry.core.text.differing import LARGEST, Registered
from registry.core.text.finding import READ, Document, SameText, TextFinding
from registry.core.units import Day, Digest
from registry.core.verdict import Match, Verdict
from registry.errors import CouldNotCheck
from registry.services.hashing import hash_file
from registry.services.texts.packaging import named_differences
from registry.services.texts.reading import Reader


def same_text(
    shown: ShownPolicy, path: Path, on: Day, reader: Reader, *, accepted: bool
) -> Verdict | None:
    """The verdict on a file that says the same as a document of the receipt; None where it does
    not, or where its text can not be read."""
    try:
        text = reader.read(path, name=path.name)
    except CouldNotCheck:
        return None
    for fields in _manifests(shown):
        record = read_record(fields.get("text"))
        if record is None or record.digest != text.digest:
            continue
        file = fields.get("document") or {}
        if not {"sha256", "size"} <= file.keys():
            continue
        sha256, trace = Digest(bytes.fromhex(file["sha256"])), Trace()
        verdict = check_file(shown, FileFacts(sha256, file["size"], b""), on, trace)
        with path.open("rb") as opened:
            content = opened.read(8 * LARGEST)
        known = Registered(sha256, file["size"], file.get("media_type"), file.get("name"))
        document = Document(
            sha256, record, verdict.registrations, known.name, known.media_type, known.size
        )
        same = SameText(document, named_differences(content, path.name, known))
        found = Verdict(hash_file(path).sha256, Match.UNKNOWN, (), verdict.evidence, ())
        return found.with_text(TextFinding(text, (same,)), (READ,), accepted=accepted)
    return None


def _manifests(shown: ShownPolicy) -> list[dict[str, Any]]:
    """Those that tell of a document, the latest first."""
    if shown.receipt.member is not None:
        return [dict(parse(shown.receipt.member.manifest).fields)]
    return [
        dict(reading.manifest.fields)
        for entry, reading in zip(shown.history.entries, shown.history.readings, strict=True)
        if reading.state is ManifestState.PRESENT
        and reading.manifest is not None
        and not reading.manifest.is_collection
        and entry.document is not None
        and (reading.manifest.fields.get("document") or {}).get("sha256") == entry.document.hex()
    ][::-1]
