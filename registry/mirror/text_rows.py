"""What the tables hold of texts: of a manifest, what it says of its document's text; of a list of
clauses, each one.

Column order is that of the schema. Nothing here touches a database.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from registry.core.manifest import Manifest
from registry.core.text.clauses import PROFILE, ClauseHash, TextRecord, read_record
from registry.core.units import Digest
from registry.mirror.findings import Row

_KEY_BYTES = 8


def record_row(document: bytes, manifest: Manifest | None) -> Row | None:
    """What a manifest says of the text of `document`, as the last columns of `texts` and
    `member_texts`. None where it says nothing of it that can be read."""
    if manifest is None or "text" not in manifest.fields or manifest.is_collection:
        return None
    # Where the entry has another document than its manifest says, no text of it is known.
    if manifest.fields.get("document", {}).get("sha256") != document.hex():
        return None
    record = read_record(manifest.fields["text"])
    if record is None:
        return None
    return (record.digest, record.root, record.count, int(record.salted), record.extractor)


def record_of_row(row: Any) -> TextRecord:
    """The record in a row of `texts` or `member_texts`."""
    return TextRecord(
        PROFILE,
        Digest(row.sha256),
        Digest(row.root),
        int(row.clauses),
        row.extractor,
        salted=bool(row.salted),
    )


def clause_rows(identity: int, hashes: Iterable[ClauseHash]) -> Iterator[Row]:
    """The rows of `clauses` of a list."""
    for position, each in enumerate(hashes):
        yield (identity, position, each.label, each.text_hash, hash_key(each.text_hash))


def hash_key(text_hash: bytes) -> int:
    """By which a clause is looked for: the first 8 bytes of its text's hash, signed."""
    return int.from_bytes(text_hash[:_KEY_BYTES], "big", signed=True)
