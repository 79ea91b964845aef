"""Questions to the mirror. Statements are built once; rows come out as core values."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from registry.core.entry import Entry
from registry.core.units import UnixSeconds
from registry.mirror.schema import authorities, blocks, entries, manifests, policies
from registry.mirror.store import entry_of

_IN_LIST = 500

_LOG = (
    select(entries, manifests.c.content)
    .outerjoin(manifests, manifests.c.entry == entries.c.entry)
    .where(entries.c.policy.is_not(None))
)
_IN_ORDER = (
    select(entries, manifests.c.content, blocks.c.hash)
    .join(blocks, blocks.c.number == entries.c.block)
    .outerjoin(manifests, manifests.c.entry == entries.c.entry)
    .where(entries.c.entry < bindparam("size"))
    .order_by(entries.c.entry)
    .execution_options(yield_per=_IN_LIST)
)
_DIGESTS_ALONE = _IN_ORDER.where(entries.c.manifest.is_not(None), manifests.c.entry.is_(None))
_OF_POLICY = _LOG.where(entries.c.policy == bindparam("policy")).order_by(entries.c.entry)


def log_rows(connection: Connection, size: int) -> Iterator[Any]:
    """The log's first `size` rows of `entries`, streamed in order, each with its manifest's
    `content` and its block's `hash`."""
    return iter(connection.execute(_IN_ORDER, {"size": size}))


def digest_only_rows(connection: Connection, size: int) -> Iterator[Any]:
    """Those of them that name a manifest whose bytes are not in the log."""
    return iter(connection.execute(_DIGESTS_ALONE, {"size": size}))


def entries_in_block(connection: Connection, block: int) -> tuple[int, int]:
    """The first and the last entry of a block that has some."""
    found = select(func.min(entries.c.entry), func.max(entries.c.entry))
    first, last = connection.execute(found.where(entries.c.block == block)).one()
    return int(first), int(last)


def history(connection: Connection, policy: int) -> list[Any]:
    """One policy's rows of `entries`, each with its manifest's `content`."""
    return list(connection.execute(_OF_POLICY, {"policy": policy}))


def entry_of_act(connection: Connection, policy_id: bytes, sequence: int) -> Entry | None:
    """The entry that is act `sequence` of a policy."""
    statement = (
        select(entries)
        .join(policies, policies.c.id == entries.c.policy)
        .where(policies.c.policy_id == policy_id, entries.c.sequence == sequence)
    )
    row = connection.execute(statement).one_or_none()
    return None if row is None else entry_of(row)


def transactions_of(connection: Connection, numbers: Collection[int]) -> dict[int, bytes]:
    """With which transaction each of these entries came."""
    found: dict[int, bytes] = {}
    wanted = sorted(numbers)
    for at in range(0, len(wanted), _IN_LIST):
        some = entries.c.entry.in_(wanted[at : at + _IN_LIST])
        rows = connection.execute(select(entries.c.entry, entries.c.transaction).where(some))
        found |= {row.entry: row.transaction for row in rows}
    return found


def documents_at(
    connection: Connection, policy_ids: Collection[bytes]
) -> dict[tuple[bytes, bytes], tuple[int, bytes]]:
    """Where the documents of these policies stand: by policy_id and SHA-256, the entry and its
    transaction; where a document came twice, its latest."""
    found: dict[tuple[bytes, bytes], tuple[int, bytes]] = {}
    columns = (policies.c.policy_id, entries.c.document, entries.c.entry, entries.c.transaction)
    statement = (
        select(*columns)
        .join(policies, policies.c.id == entries.c.policy)
        .where(entries.c.document.is_not(None))
        .order_by(entries.c.entry)
    )
    wanted = sorted(policy_ids)
    for at in range(0, len(wanted), _IN_LIST):
        some = policies.c.policy_id.in_(wanted[at : at + _IN_LIST])
        for row in connection.execute(statement.where(some)):
            found[row.policy_id, row.document] = (row.entry, row.transaction)
    return found


def size_recorded_by(connection: Connection, moment: UnixSeconds) -> int:
    """How many entries were recorded up to a moment."""
    count = select(func.count()).select_from(entries).where(entries.c.recorded_at <= moment)
    return int(connection.execute(count).scalar_one())


def policies_with_prefix(connection: Connection, prefix: str) -> list[Any]:
    """At most two policies whose policy_id begins with these hexadecimal characters."""
    low, high = (bytes.fromhex(prefix.ljust(64, digit)) for digit in "0f")
    found = select(policies).where(policies.c.policy_id.between(low, high)).limit(2)
    return list(connection.execute(found))


def policies_of(connection: Connection, authority: str) -> list[Any]:
    """All policies of an authority, not those of its children, each with the bytes of its latest
    document's manifest, if those are there."""
    statement = (
        select(policies, manifests.c.content)
        .outerjoin(manifests, manifests.c.entry == policies.c.document)
        .where(policies.c.authority == authority)
    )
    return list(connection.execute(statement.order_by(policies.c.id)))


def has_authority(connection: Connection, code: str) -> bool:
    """Whether the authority was opened."""
    statement = select(authorities.c.code).where(authorities.c.code == code)
    return connection.execute(statement).first() is not None


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


def encoded_entries(connection: Connection, first: int, end: int) -> list[bytes]:
    """The 352 bytes of each entry from `first` up to, and without, `end`."""
    stored = select(entries).where(entries.c.entry >= first, entries.c.entry < end)
    rows = connection.execute(stored.order_by(entries.c.entry))
    return [entry_of(row).encode() for row in rows]
