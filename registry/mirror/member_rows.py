"""What the tables hold for a member of a collection, computed from its manifest.

Column order is that of the schema. Nothing here touches a database.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from registry.core.collection import readable
from registry.core.manifest import Manifest
from registry.core.search import folded
from registry.core.units import Digest
from registry.core.verdict import DocumentRole
from registry.mirror.findings import Row
from registry.mirror.text_rows import record_row

FIRST_TEXT = -(2**62)
"""The row of the index of texts that has those of member 0. The others follow it, below the rows
of policies and upwards: SQLite's index is slow to take a row below the one before."""


@dataclass(slots=True)
class MemberRows:
    """Rows by table, ready to be inserted."""

    members: list[Row] = field(default_factory=list)
    files: list[Row] = field(default_factory=list)
    texts: list[Row] = field(default_factory=list)
    search: list[Row] = field(default_factory=list)

    def add(self, collection: int, member: int, leaf: Digest, manifest: bytes) -> None:
        self.members.append((member, collection, leaf, manifest))
        read = readable(manifest)
        # A leaf that is no manifest is a leaf all the same, and no document is found by it.
        if read is None:
            return
        self.files.extend(_files(member, read))
        document = read.fields.get("document")
        record = document and record_row(bytes.fromhex(document["sha256"]), read)
        if record:
            self.texts.append((member, *record))
        self.search.append((FIRST_TEXT + member, *_texts(read)))


def _files(member: int, manifest: Manifest) -> Iterable[Row]:
    document = manifest.fields.get("document")
    named = [] if document is None else [(document, DocumentRole.MEMBER)]
    named += [(each, DocumentRole.RENDITION) for each in manifest.renditions]
    roles: dict[bytes, str] = {}
    for each, role in named:
        roles.setdefault(bytes.fromhex(each["sha256"]), role.value)
    return ((digest, member, role) for digest, role in roles.items())


def _texts(manifest: Manifest) -> tuple[str | None, str | None, str]:
    """Title in Chinese, all others, number: folded, as they are looked for."""
    title = manifest.title
    chinese = title.get("zh")
    others = "\n".join(text for language, text in sorted(title.items()) if language != "zh")
    return (
        folded(chinese) if chinese else None,
        folded(others) if others else None,
        folded(manifest.number),
    )
