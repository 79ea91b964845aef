"""The documents that a policy has had, in order, with what their manifests say of their texts."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, select

from registry.core.manifest import Manifest, parse
from registry.core.text.clauses import TextRecord
from registry.core.verdict import DocumentRole
from registry.errors import InputError
from registry.mirror.schema import collections, documents, entries, members, texts
from registry.mirror.text_rows import record_of_row

_OF_POLICY = (
    select(
        documents.c.entry,
        documents.c.version,
        documents.c.since,
        documents.c.sha256.label("document"),
        documents.c.name,
        documents.c.media_type,
        documents.c.size,
        entries.c.action,
        entries.c.effective_on,
        entries.c.recorded_at,
        entries.c.registrar,
        texts.c.sha256,
        texts.c.root,
        texts.c.clauses,
        texts.c.salted,
        texts.c.extractor,
    )
    .join(entries, entries.c.entry == documents.c.entry)
    .outerjoin(texts, texts.c.entry == documents.c.entry)
    .where(
        documents.c.policy == bindparam("policy"),
        documents.c.role == DocumentRole.DOCUMENT.value,
    )
    .order_by(documents.c.entry)
)
_DESCRIBED = select(documents.c.name, documents.c.media_type, documents.c.size).where(
    documents.c.sha256 == bindparam("sha256"),
    documents.c.entry == bindparam("entry"),
    documents.c.role == DocumentRole.DOCUMENT.value,
)
_MEMBER = (
    select(members.c.manifest)
    .join(collections, collections.c.id == members.c.collection)
    .where(
        collections.c.root
        == select(entries.c.document)
        .where(entries.c.entry == bindparam("entry"))
        .scalar_subquery(),
        members.c.id == collections.c.id + bindparam("member"),
    )
)


def version_rows(connection: Connection, policy: int) -> list[Any]:
    """A policy's documents in the order of the log, those of corrections among them."""
    return list(connection.execute(_OF_POLICY, {"policy": policy}))


def record_of_version(row: Any) -> TextRecord | None:
    """What a row of `version_rows` says of the text; None where its manifest says nothing."""
    return None if row.root is None else record_of_row(row)


def described(
    connection: Connection, sha256: bytes, entry: int, member: int | None
) -> tuple[str | None, str | None, int | None]:
    """A document's name, media type and size, as its manifest has them."""
    if member is None:
        row = connection.execute(_DESCRIBED, {"sha256": sha256, "entry": entry}).one_or_none()
        return (None, None, None) if row is None else (row.name, row.media_type, row.size)
    manifest = _readable(
        connection.execute(_MEMBER, {"entry": entry, "member": member}).scalar_one_or_none()
    )
    said = (manifest.fields.get("document") if manifest else None) or {}
    return said.get("name"), said.get("media_type"), said.get("size")


def _readable(content: bytes | None) -> Manifest | None:
    try:
        return None if content is None else parse(bytes(content))
    except InputError:
        return None
