"""Lists and counts of policies: filters, full-text search, keyset pages.

A page is continued after a policy's id, never by an offset, so that entries that come
in between neither hide a policy nor show one twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    false,
    func,
    literal_column,
    or_,
    select,
)

from registry.core.authority import Role
from registry.core.search import words
from registry.core.timeline import Standing
from registry.core.units import Day, Digest
from registry.core.verdict import unsettled
from registry.mirror.rows import COLLECTION
from registry.mirror.schema import (
    authorities,
    compromises,
    documents,
    entries,
    grants,
    intervals,
    manifests,
    policies,
)
from registry.mirror.search import having


@dataclass(frozen=True, slots=True)
class PolicyFilter:
    """What a list is restricted to; None is no restriction. `authority` includes its
    children; `on` is the day whose standing is meant; `issued_*` are inclusive."""

    on: Day
    authority: str | None = None
    jurisdiction: str | None = None
    type: str | None = None
    standing: Standing | None = None
    text: str | None = None
    issued_from: Day | None = None
    issued_to: Day | None = None
    endorses: str | None = None
    # a joint issue counted once: co-issuing authorities' own entries are left out
    leading_only: bool = False
    # the log that the mirror holds was closed, so that no standing is settled any more
    closed: bool = False


@dataclass(frozen=True, slots=True)
class MemberFilter:
    """What a list is restricted to; None is no restriction. `authority` includes its children;
    `on` is the day whose standing is meant; `first` is the place in the collection to begin at."""

    on: Day
    text: str | None = None
    authority: str | None = None
    collection: Digest | None = None
    first: int = 0


def page(connection: Connection, wanted: PolicyFilter, after: int, limit: int) -> list[Any]:
    """Up to `limit` policies whose id is greater than `after`, in the order of id."""
    statement = _filtered(connection, _listed(wanted.on), wanted)
    return list(
        connection.execute(
            statement.where(policies.c.id > after).order_by(policies.c.id).limit(limit)
        )
    )


def one(connection: Connection, policy: int, on: Day) -> Any | None:
    """One policy as a list shows it."""
    return connection.execute(_listed(on).where(policies.c.id == policy)).one_or_none()


def count(connection: Connection, wanted: PolicyFilter) -> int:
    counted = _filtered(connection, _listed(wanted.on), wanted).with_only_columns(
        func.count(), maintain_column_froms=True
    )
    return int(connection.execute(counted).scalar_one())


_LEVEL = case(
    (policies.c.jurisdiction.is_(None), None),
    (policies.c.jurisdiction.contains("-"), "regional"),
    else_="national",
)
_STATISTICS = {
    "jurisdiction": policies.c.jurisdiction,
    "level": _LEVEL,
    "type": policies.c.type,
    "year": policies.c.issued_year,
    "authority": policies.c.authority,
}


def statistics(connection: Connection, wanted: PolicyFilter) -> dict[str, dict[str, int]]:
    """Numbers of policies by jurisdiction, level, type, year of issue, authority and
    standing, the most first. What a manifest does not say is counted as "unknown"; a standing
    that is not settled by why it is not ("last_day_unknown", "closed")."""
    counted = {
        name: {
            "unknown" if value is None else str(value): int(number)
            for value, number in _counted(connection, each, wanted)
        }
        for name, each in _STATISTICS.items()
    }
    return {**counted, "standing": _by_standing(connection, wanted)}


def _by_standing(connection: Connection, wanted: PolicyFilter) -> dict[str, int]:
    number = func.count().label("number")
    known = _MANIFEST_KNOWN.label("manifest_known")
    statement = _filtered(connection, _listed(wanted.on), wanted).with_only_columns(
        intervals.c.standing, known, number, maintain_column_froms=True
    )
    found: dict[str, int] = {}
    for row in connection.execute(statement.group_by(intervals.c.standing, _MANIFEST_KNOWN)):
        standing = Standing(row.standing)
        manifest_known = bool(row.manifest_known)
        why = unsettled(standing, closed=wanted.closed, manifest_known=manifest_known)
        told = why or standing
        found[told.value] = found.get(told.value, 0) + int(row.number)
    return dict(sorted(found.items(), key=lambda each: (-each[1], each[0])))


def _counted(connection: Connection, value: Any, wanted: PolicyFilter) -> Iterator[tuple[Any, int]]:
    number = func.count().label("number")
    statement = _filtered(connection, _listed(wanted.on), wanted).with_only_columns(
        value.label("value"), number, maintain_column_froms=True
    )
    named: ColumnElement[Any] = literal_column("value")
    rows = connection.execute(
        statement.group_by("value").order_by(number.desc(), named.nulls_first())
    )
    return ((row.value, row.number) for row in rows)


def authority_rows(connection: Connection, code: str | None = None) -> list[Any]:
    """The authorities that are open, or the one with a code, and how many policies each has."""
    number = select(func.count()).where(policies.c.authority == authorities.c.code)
    statement = select(authorities, number.scalar_subquery().label("policies")).order_by(
        authorities.c.code
    )
    if code is not None:
        statement = statement.where(authorities.c.code == code)
    return list(connection.execute(statement))


def grant_rows(connection: Connection, code: str) -> list[Any]:
    """Who held which role of an authority, from which entry to which."""
    given, taken = entries.alias("given"), entries.alias("taken")
    statement = (
        select(
            grants,
            given.c.recorded_at.label("appointed_at"),
            given.c.registrar.label("appointed_by"),
            taken.c.recorded_at.label("dismissed_at"),
            taken.c.registrar.label("dismissed_by"),
        )
        .join(given, given.c.entry == grants.c.appointed)
        .outerjoin(taken, taken.c.entry == grants.c.dismissed)
        .where(grants.c.authority == code, grants.c.role != int(Role.ADMIN))
        .order_by(grants.c.appointed)
    )
    return list(connection.execute(statement))


def compromise_rows(connection: Connection, code: str) -> list[Any]:
    """The keys of an authority that were reported compromised."""
    return list(
        connection.execute(
            select(compromises).where(compromises.c.authority == code).order_by(compromises.c.entry)
        )
    )


def totals(connection: Connection) -> dict[str, int]:
    """How much there is of each thing."""
    counted = {
        "policies": select(func.count()).select_from(policies),
        "documents": select(func.count()).where(documents.c.role != COLLECTION),
        "authorities": select(func.count()).select_from(authorities),
    }
    return {name: int(connection.execute(each).scalar_one()) for name, each in counted.items()}


# Whether the mirror holds the manifest of the document that applies.
_MANIFEST_KNOWN = manifests.c.entry.is_not(None)

# The document that is shown is the one that applies on the day, not the latest.
_SHOWN = [each for each in policies.c if each.name not in {"document", "snapshot_line"}]


def _listed(on: Day) -> Select[Any]:
    return (
        select(
            *_SHOWN,
            intervals.c.since,
            intervals.c.until,
            intervals.c.standing,
            intervals.c.version,
            intervals.c.document.label("document_entry"),
            entries.c.document,
            entries.c.recorded_at,
            _MANIFEST_KNOWN.label("manifest_known"),
        )
        .join(
            intervals,
            and_(
                intervals.c.policy == policies.c.id,
                intervals.c.since <= on,
                intervals.c.until > on,
            ),
        )
        .join(entries, entries.c.entry == intervals.c.document)
        .outerjoin(manifests, manifests.c.entry == intervals.c.document)
    )


def _filtered(connection: Connection, statement: Select[Any], wanted: PolicyFilter) -> Select[Any]:
    if wanted.authority is not None:
        statement = statement.where(_at_or_below(wanted.authority))
    if wanted.leading_only:
        statement = statement.where(policies.c.endorses.is_(None))
    if wanted.standing is not None:
        statement = statement.where(_settled(wanted.standing, closed=wanted.closed))
    for restricted, value in (
        (policies.c.jurisdiction, wanted.jurisdiction),
        (policies.c.type, wanted.type),
        (policies.c.endorses, wanted.endorses),
    ):
        if value is not None:
            statement = statement.where(restricted == value)
    if wanted.issued_from is not None:
        statement = statement.where(policies.c.issued >= wanted.issued_from)
    if wanted.issued_to is not None:
        statement = statement.where(policies.c.issued <= wanted.issued_to)
    found = having(connection, words(wanted.text or ""))
    return statement if found is None else statement.where(policies.c.id.in_(found))


def _settled(standing: Standing, *, closed: bool) -> Any:
    """Those of a standing of which it is sure: the facts with which the rule settles it."""
    settling = [
        _MANIFEST_KNOWN if known else ~_MANIFEST_KNOWN
        for known in (True, False)
        if unsettled(standing, closed=closed, manifest_known=known) is None
    ]
    return and_(intervals.c.standing == standing.value, or_(false(), *settling))


def _at_or_below(code: str) -> Any:
    """An authority and all its descendants; '/' is the character after '.'."""
    given = policies.c.authority
    return or_(given == code, and_(given >= f"{code}.", given < f"{code}/"))
