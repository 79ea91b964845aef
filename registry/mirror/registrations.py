"""The one question on the hot path: what is known of these digests on a date?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, bindparam, select

from registry.core.entry import Action
from registry.core.timeline import Document, Interval, Standing, document_standing
from registry.core.units import BlockNumber, Day, Digest, EntryIndex, UnixSeconds
from registry.core.verdict import DocumentRole, FinalityBlocks, Registration, unsettled
from registry.mirror.schema import documents, entries, intervals, manifests, policies

_IN_LIST = 500

_REGISTRATIONS = (
    select(
        documents.c.sha256,
        documents.c.entry,
        documents.c.role,
        documents.c.version,
        documents.c.since,
        policies.c.policy_id,
        policies.c.authority,
        policies.c.number,
        policies.c.title_zh,
        policies.c.title_en,
        policies.c.versions,
        policies.c.endorses,
        entries.c.action,
        entries.c.recorded_at,
        entries.c.block,
        entries.c.registrar,
        intervals.c.since.label("interval_since"),
        intervals.c.until.label("interval_until"),
        intervals.c.standing,
        intervals.c.document.label("interval_document"),
        intervals.c.version.label("interval_version"),
        manifests.c.entry.is_not(None).label("manifest_known"),
    )
    .join(policies, policies.c.id == documents.c.policy)
    .join(entries, entries.c.entry == documents.c.entry)
    .outerjoin(manifests, manifests.c.entry == documents.c.entry)
    .join(
        intervals,
        and_(
            intervals.c.policy == documents.c.policy,
            intervals.c.since <= bindparam("day"),
            intervals.c.until > bindparam("day"),
        ),
    )
    .where(documents.c.sha256.in_(bindparam("wanted", expanding=True)))
)


def registrations(
    connection: Connection,
    digests: Sequence[bytes],
    on: Day,
    finality: FinalityBlocks,
    *,
    closed: bool,
) -> dict[bytes, list[Registration]]:
    """All that the registry knows of each digest, as it stands on a day. `closed`: the log
    that the mirror holds has been, so that what applies is said elsewhere."""
    found: dict[bytes, list[Registration]] = {}
    for at in range(0, len(digests), _IN_LIST):
        wanted = list(digests[at : at + _IN_LIST])
        for row in connection.execute(_REGISTRATIONS, {"wanted": wanted, "day": on}):
            found.setdefault(row.sha256, []).append(_registration(row, on, finality, closed))
    return found


def _registration(row: Any, on: Day, finality: FinalityBlocks, closed: bool) -> Registration:
    interval = Interval(
        row.interval_since,
        row.interval_until,
        Standing(row.standing),
        row.interval_document,
        row.interval_version,
    )
    document = Document(EntryIndex(row.entry), row.version, Day(row.since), None)
    standing = document_standing(interval, document, on)
    why = unsettled(standing, closed=closed, manifest_known=bool(row.manifest_known))
    return Registration(
        policy_id=Digest(row.policy_id),
        authority=row.authority,
        number=row.number,
        title=title_of(row),
        entry=EntryIndex(row.entry),
        action=Action(row.action).word,
        role=DocumentRole(row.role),
        version=row.version,
        versions=row.versions,
        current=EntryIndex(row.interval_document),
        standing=standing if why is None else None,
        since=row.since,
        finality=finality.of(row.block),
        recorded_at=UnixSeconds(row.recorded_at),
        block=BlockNumber(row.block),
        registrar="0x" + row.registrar.hex(),
        endorses=row.endorses,
        unsettled=why,
    )


def title_of(row: Any) -> dict[str, str]:
    titles = {"zh": row.title_zh, "en": row.title_en}
    return {language: text for language, text in titles.items() if text}
