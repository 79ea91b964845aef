"""Questions to the mirror. Statements are built once; rows come out as core values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, select

from registry.core.entry import Action
from registry.core.snapshot import Logged
from registry.core.timeline import Interval, Standing, document_standing
from registry.core.units import BlockNumber, Day, Digest, EntryIndex, UnixSeconds
from registry.core.verdict import DocumentRole, FinalityBlocks, Registration
from registry.mirror.schema import blocks, documents, entries, intervals, manifests, policies
from registry.mirror.store import entry_of

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
    )
    .join(policies, policies.c.id == documents.c.policy)
    .join(entries, entries.c.entry == documents.c.entry)
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
    connection: Connection, digests: Sequence[bytes], on: Day, finality: FinalityBlocks
) -> dict[bytes, list[Registration]]:
    """All that the registry knows of each digest, as it stands on a day."""
    found: dict[bytes, list[Registration]] = {}
    for at in range(0, len(digests), _IN_LIST):
        wanted = list(digests[at : at + _IN_LIST])
        for row in connection.execute(_REGISTRATIONS, {"wanted": wanted, "day": on}):
            found.setdefault(row.sha256, []).append(_registration(row, on, finality))
    return found


def _registration(row: Any, on: Day, finality: FinalityBlocks) -> Registration:
    interval = Interval(
        row.interval_since,
        row.interval_until,
        Standing(row.standing),
        row.interval_document,
        row.interval_version,
    )
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
        standing=document_standing(interval, row.entry, row.since, on),
        since=row.since,
        finality=finality.of(row.block),
        recorded_at=UnixSeconds(row.recorded_at),
        block=BlockNumber(row.block),
        registrar="0x" + row.registrar.hex(),
        endorses=row.endorses,
    )


def title_of(row: Any) -> dict[str, str]:
    titles = {"zh": row.title_zh, "en": row.title_en}
    return {language: text for language, text in titles.items() if text}


_LOG = (
    select(entries, manifests.c.content)
    .outerjoin(manifests, manifests.c.sha256 == entries.c.manifest)
    .where(entries.c.policy.is_not(None))
)
_BY_POLICY_ID = (
    _LOG.join(policies, policies.c.id == entries.c.policy)
    .where(entries.c.entry < bindparam("size"))
    .order_by(policies.c.policy_id, entries.c.entry)
)
_OF_POLICY = _LOG.where(entries.c.policy == bindparam("policy")).order_by(entries.c.entry)


def histories(connection: Connection, size: int) -> Iterator[list[Logged]]:
    """Each policy's entries among the log's first `size`, in the order of policy_id."""
    gathered: list[Logged] = []
    policy = None
    for row in connection.execute(_BY_POLICY_ID, {"size": size}):
        if row.policy != policy and gathered:
            yield gathered
            gathered = []
        policy = row.policy
        gathered.append(Logged(entry_of(row), row.content))
    if gathered:
        yield gathered


def history(connection: Connection, policy: int) -> list[Any]:
    """One policy's rows of `entries`, each with its manifest's `content`."""
    return list(connection.execute(_OF_POLICY, {"policy": policy}))


def size_recorded_by(connection: Connection, moment: UnixSeconds) -> int:
    """How many entries were recorded up to a moment."""
    count = select(func.count()).select_from(entries).where(entries.c.recorded_at <= moment)
    return int(connection.execute(count).scalar_one())


def policies_with_prefix(connection: Connection, prefix: str) -> list[Any]:
    """At most two policies whose policy_id begins with these hexadecimal characters."""
    low, high = (bytes.fromhex(prefix.ljust(64, digit)) for digit in "0f")
    found = select(policies).where(policies.c.policy_id.between(low, high)).limit(2)
    return list(connection.execute(found))


def published_documents(connection: Connection, policy_ids: Sequence[bytes]) -> list[Any]:
    """Every document of these policies, in log order, with its policy's state."""
    statement = (
        select(
            policies.c.policy_id,
            policies.c.status,
            policies.c.sequence,
            policies.c.issued,
            entries.c.document,
            entries.c.effective_on,
        )
        .join(entries, entries.c.policy == policies.c.id)
        .where(entries.c.document.is_not(None))
        .order_by(entries.c.entry)
    )
    found: list[Any] = []
    for at in range(0, len(policy_ids), _IN_LIST):
        wanted = policy_ids[at : at + _IN_LIST]
        found.extend(connection.execute(statement.where(policies.c.policy_id.in_(wanted))))
    return found


def block_of_entry(connection: Connection, entry: int) -> tuple[int, bytes] | None:
    """Number and hash of the block that an entry stands in."""
    row = connection.execute(
        select(entries.c.block, blocks.c.hash)
        .join(blocks, blocks.c.number == entries.c.block)
        .where(entries.c.entry == entry)
    ).one_or_none()
    return None if row is None else (row.block, row.hash)
