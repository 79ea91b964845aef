"""Finding policies and authorities in the mirror by what people call them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from registry.core.authority import Role, check_code
from registry.core.compromise import Mark, Report
from registry.core.joint import Issuer
from registry.core.policy import policy_key
from registry.core.position import Position
from registry.core.text.clauses import TextRecord
from registry.core.units import Address, Day, Digest
from registry.errors import InputError, NotFound
from registry.mirror import listing, queries
from registry.mirror.compromised import mark_of, reports
from registry.mirror.engine import Connection, Engine, reading
from registry.mirror.issuers import Led, issuers_of
from registry.mirror.listing import PolicyFilter
from registry.mirror.texts import texts_of_entries
from registry.services.verify import required_position

_HEX = re.compile(r"[0-9a-fA-F]{4,64}")


@dataclass(frozen=True, slots=True)
class FoundPolicy:
    """A policy with who issues it and all its entries, from one moment of the mirror.
    `compromised` are the marks on them, by entry."""

    position: Position
    row: Any
    endorsed_by: Sequence[Any]
    entries: Sequence[Any]
    compromised: Mapping[int, Mark]
    issuers: Sequence[Issuer]
    text: TextRecord | None = None
    """Of the document that applies."""


def current_position(engine: Engine) -> Position:
    """Where the mirror stands; raises CouldNotCheck where it was never synced."""
    with reading(engine) as connection:
        return required_position(connection)


def find_policy(engine: Engine, words: Sequence[str], on: Day) -> FoundPolicy:
    """The policy that `words` name: a policy_id, a unique prefix of one, or an authority
    and a number. Raises NotFound where there is none, InputError where there are more."""
    with reading(engine) as connection:
        position = required_position(connection)
        match words:
            case [prefix] if _HEX.fullmatch(prefix):
                found = queries.policies_with_prefix(connection, prefix.lower())
                called = prefix
            case [authority, *number] if number:
                key = policy_key(check_code(authority), " ".join(number))
                found = queries.policies_with_prefix(connection, key.policy_id.hex())
                called = f"{authority} {' '.join(number)}"
            case _:
                raise InputError(
                    f"{' '.join(words)!r} names no policy",
                    hint="give a policy_id, at least four characters of one, or AUTHORITY NUMBER",
                )
        if not found:
            raise NotFound(
                f"{called} is not in the registry as of block {position.block}",
                hint="look for it with polreg search, or run polreg sync",
            )
        if len(found) > 1:
            raise InputError(
                f"more than one policy_id begins with {called}", hint="give more characters"
            )
        row = listing.one(connection, found[0].id, on)
        if row is None:
            raise InputError(f"{called} has no standing on that date")
        policy_id = row.policy_id.hex()
        endorsed_by = listing.page(connection, PolicyFilter(on=on, endorses=policy_id), -1, 100)
        acts = queries.history(connection, found[0].id)
        known = reports(connection)
        marked = (mark_of(known, each) for each in acts)
        compromised = {int(each.entry): each for each in marked if each is not None}
        issuers = _issuers(connection, row)
        told = texts_of_entries(connection, [row.document_entry]).get(row.document_entry)
        text = None if told is None else told.record
        return FoundPolicy(position, row, endorsed_by, acts, compromised, issuers, text)


def _issuers(connection: Connection, row: Any) -> Sequence[Issuer]:
    """The bodies that issue the document which a row of `listing` shows; none of an
    endorsement, which is part of another policy's issue."""
    if row.endorses is not None:
        return ()
    led = Led(row.document_entry, Digest(row.policy_id), row.authority, Digest(row.document))
    return issuers_of(connection, [led])[led.entry]


def find_policies(
    engine: Engine, wanted: PolicyFilter, after: int = -1, limit: int = 50
) -> tuple[Position, list[Any], bool]:
    """A page of policies, and whether there are more after it."""
    with reading(engine) as connection:
        position = required_position(connection)
        rows = listing.page(connection, _as_of(wanted, position), after, limit + 1)
    return position, rows[:limit], len(rows) > limit


def count_policies(
    engine: Engine, wanted: PolicyFilter
) -> tuple[Position, int, dict[str, dict[str, int]], dict[str, int]]:
    """How many policies there are, by each statistic, and how much of everything."""
    with reading(engine) as connection:
        position = required_position(connection)
        wanted = _as_of(wanted, position)
        return (
            position,
            listing.count(connection, wanted),
            listing.statistics(connection, wanted),
            listing.totals(connection),
        )


def _as_of(wanted: PolicyFilter, position: Position) -> PolicyFilter:
    """The filter for a mirror that stands there."""
    return replace(wanted, closed=position.closed is not None)


def find_authorities(engine: Engine) -> tuple[Position, list[Any]]:
    """Every open authority, by code."""
    with reading(engine) as connection:
        return required_position(connection), listing.authority_rows(connection)


@dataclass(frozen=True, slots=True)
class FoundAuthority:
    """An authority, who held its roles, its keys that were reported compromised, and all reports
    of the log: those who appointed may have been keys of an authority above it."""

    position: Position
    row: Any
    grants: Sequence[Any]
    compromises: Sequence[Any]
    reports: Sequence[Report]


def find_authority(engine: Engine, code: str) -> FoundAuthority:
    """One authority; raises NotFound."""
    with reading(engine) as connection:
        position = required_position(connection)
        rows = listing.authority_rows(connection, check_code(code))
        if not rows:
            raise NotFound(f"the authority {code} is not open", hint="see polreg authority list")
        return FoundAuthority(
            position,
            rows[0],
            listing.grant_rows(connection, code),
            listing.compromise_rows(connection, code),
            reports(connection),
        )


def holders(engine: Engine, code: str, role: Role) -> list[Address]:
    """The accounts that hold a role of an authority, as the mirror has it."""
    with reading(engine) as connection:
        required_position(connection)
        held = listing.grant_rows(connection, code)
    return [
        Address(each.account) for each in held if each.role == int(role) and each.dismissed is None
    ]
