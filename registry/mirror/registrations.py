"""The one question on the hot path: what is known of these digests on a date?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, and_, bindparam, select

from registry.core.collection import own_standing
from registry.core.compromise import doubted
from registry.core.entry import Action
from registry.core.manifest import parse
from registry.core.timeline import Document, Interval, Standing, document_standing
from registry.core.units import BlockNumber, Day, Digest, EntryIndex, UnixSeconds
from registry.core.verdict import (
    DocumentRole,
    FinalityBlocks,
    MemberOf,
    Registration,
    unsettled,
)
from registry.mirror.compromised import marks_of, reports
from registry.mirror.issuers import Led, issuers_of
from registry.mirror.members import by_way_of_its_collection
from registry.mirror.rows import COLLECTION, endorsed
from registry.mirror.schema import (
    collections,
    documents,
    entries,
    intervals,
    manifests,
    member_files,
    members,
    policies,
)

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
        entries.c.document,
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
    .where(
        documents.c.sha256.in_(bindparam("wanted", expanding=True)), documents.c.role != COLLECTION
    )
)

# A member's, by way of each entry that is its collection. Such an entry's manifest is known.
OF_MEMBERS = (
    by_way_of_its_collection(
        select(
            member_files.c.sha256,
            member_files.c.member,
            member_files.c.role,
            members.c.manifest,
            (members.c.id - collections.c.id).label("index"),
            collections.c.root,
            collections.c.size,
            documents.c.entry,
            documents.c.version,
            documents.c.since,
            policies.c.policy_id,
            policies.c.authority,
            policies.c.number,
            policies.c.title_zh,
            policies.c.title_en,
            policies.c.versions,
            entries.c.action,
            entries.c.recorded_at,
            entries.c.block,
            entries.c.registrar,
            intervals.c.since.label("interval_since"),
            intervals.c.until.label("interval_until"),
            intervals.c.standing,
            intervals.c.document.label("interval_document"),
            intervals.c.version.label("interval_version"),
        ),
        member_files.c.member,
    )
    .join(entries, entries.c.entry == documents.c.entry)
    .join(
        intervals,
        and_(
            intervals.c.policy == documents.c.policy,
            intervals.c.since <= bindparam("day"),
            intervals.c.until > bindparam("day"),
        ),
    )
)
_BY_FILE = OF_MEMBERS.where(member_files.c.sha256.in_(bindparam("wanted", expanding=True)))


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
        rows = connection.execute(_REGISTRATIONS, {"wanted": wanted, "day": on}).all()
        inside = connection.execute(_BY_FILE, {"wanted": wanted, "day": on}).all()
        issuing = issuers_of(connection, [_led(row) for row in rows if row.endorses is None])
        for row in rows:
            shown = _registration(row, on, finality, closed)
            shown = replace(shown, issuers=issuing.get(row.entry, ()))
            found.setdefault(row.sha256, []).append(shown)
        for row in inside:
            found.setdefault(row.sha256, []).append(of_member(row, on, finality, closed))
    return _marked(connection, found)


def of_member(row: Any, on: Day, finality: FinalityBlocks, closed: bool) -> Registration:
    """A member's, from a row of OF_MEMBERS: where it stands is its collection's matter, and what it
    is its own."""
    own = parse(bytes(row.manifest))
    standing = _standing(row, on)
    if standing is Standing.IN_FORCE:
        standing = own_standing(own, on)
    why = unsettled(standing, closed=closed, manifest_known=True)
    return Registration(
        policy_id=Digest(row.policy_id),
        authority=row.authority,
        number=own.number,
        title=own.title,
        entry=EntryIndex(row.entry),
        action=Action(row.action).word,
        role=DocumentRole(row.role),
        version=row.version,
        versions=row.versions,
        current=EntryIndex(row.interval_document),
        standing=standing if why is None else None,
        since=row.since if own.effective_from is None else own.effective_from,
        finality=finality.of(row.block),
        recorded_at=UnixSeconds(row.recorded_at),
        block=BlockNumber(row.block),
        registrar="0x" + row.registrar.hex(),
        endorses=endorsed(own.fields),
        unsettled=why,
        collection=MemberOf(
            Digest(row.root), int(row.index), int(row.size), row.number, title_of(row)
        ),
    )


def _marked(
    connection: Connection, found: dict[bytes, list[Registration]]
) -> dict[bytes, list[Registration]]:
    """The same, each with what reported keys recorded of its policy."""
    reported = reports(connection)
    policy_ids = {each.policy_id for some in found.values() for each in some} if reported else ()
    known = marks_of(connection, reported, sorted(policy_ids))
    for some in found.values():
        for at, each in enumerate(some):
            marked = known.get(each.policy_id)
            some[at] = replace(
                each,
                compromised=marked.marks if marked else (),
                doubted=marked is not None and doubted(marked.marks, each.entry, marked.head),
            )
    return found


def _led(row: Any) -> Led:
    return Led(row.entry, Digest(row.policy_id), row.authority, Digest(row.document))


def _standing(row: Any, on: Day) -> Standing:
    interval = Interval(
        row.interval_since,
        row.interval_until,
        Standing(row.standing),
        row.interval_document,
        row.interval_version,
    )
    document = Document(EntryIndex(row.entry), row.version, Day(row.since), None)
    return document_standing(interval, document, on)


def _registration(row: Any, on: Day, finality: FinalityBlocks, closed: bool) -> Registration:
    standing = _standing(row, on)
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
