"""The bodies that issue a policy's documents, out of the mirror (core.joint)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, bindparam, select

from registry.core.joint import ISSUED_WITH, Endorsement, Issuer, issuers, named_issuers
from registry.core.lifecycle import Status
from registry.core.units import Digest
from registry.mirror.schema import entries, manifests, policies

_KEY = f'"{ISSUED_WITH}"'.encode()

_MANIFESTS = select(manifests).where(manifests.c.entry.in_(bindparam("wanted", expanding=True)))
_ENDORSING = (
    select(
        policies.c.endorses,
        policies.c.authority,
        policies.c.policy_id,
        policies.c.status,
        entries.c.document,
    )
    .join(entries, entries.c.entry == policies.c.document)
    .where(policies.c.endorses.in_(bindparam("wanted", expanding=True)))
    .order_by(policies.c.id)
)


@dataclass(frozen=True, slots=True)
class Led:
    """A document as its lead authority registered it."""

    entry: int
    policy_id: Digest
    authority: str
    document: Digest


def issuers_of(connection: Connection, led: Collection[Led]) -> Mapping[int, tuple[Issuer, ...]]:
    """Who issues each of these documents, by its entry."""
    if not led:
        return {}
    wanted = sorted({each.entry for each in led})
    named = {
        row.entry: named_issuers(_fields(row.content))
        for row in connection.execute(_MANIFESTS, {"wanted": wanted})
        if _KEY in row.content
    }
    endorsing: dict[str, list[Endorsement]] = {}
    asked = sorted({each.policy_id.hex() for each in led})
    for row in connection.execute(_ENDORSING, {"wanted": asked}):
        endorsing.setdefault(row.endorses, []).append(
            Endorsement(
                row.authority, Digest(row.policy_id), Digest(row.document), Status(row.status)
            )
        )
    return {
        each.entry: issuers(
            each.authority,
            named.get(each.entry, ()),
            each.document,
            endorsing.get(each.policy_id.hex(), ()),
        )
        for each in led
    }


def _fields(content: bytes) -> dict[str, object] | None:
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None
