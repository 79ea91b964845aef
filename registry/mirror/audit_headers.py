"""Auditing the window of headers: each as it was written, linked to the one before it where
that is there, and none beyond the block that the mirror stands at.

That one is missing is no damage: only those that blocks were walked by are kept, and what
was finalised goes. A bad one is dropped; the follower asks the chain one block further back.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection

from registry.core.position import Position
from registry.mirror import schema
from registry.mirror.findings import Finding, Row
from registry.mirror.rows import checksum
from registry.mirror.stored import listed, misfit, stored

_HEADERS = f"SELECT {listed(schema.headers)} FROM headers ORDER BY number"  # noqa: S608
_HASH, _PARENT = 1, 2


@dataclass(slots=True)
class HeaderAudit:
    findings: list[Finding] = field(default_factory=list)
    count: int = 0


def audit_headers(connection: Connection, position: Position | None) -> HeaderAudit:
    """Audit the window; by the position only where that is itself as it was written."""
    audit = HeaderAudit()
    before: Row | None = None
    for row in stored(connection, _HEADERS):
        audit.count += 1
        problem = _problem(row, before, position)
        if problem is not None:
            audit.findings.append(Finding("headers", row[:1], problem))
        else:
            before = row
    return audit


def _problem(row: Row, before: Row | None, position: Position | None) -> str | None:
    problem = misfit(schema.headers, row)
    if problem is not None:
        return problem
    if row[-1] != checksum(*row[:-1]):
        return "its values do not fit its checksum"
    if before is not None and before[0] == row[0] - 1 and row[_PARENT] != before[_HASH]:
        return "its parent is not the one before it"
    if position is not None and row[0] > position.block:
        return f"the mirror stands at block {position.block}"
    if position is not None and row[0] == position.block and row[_HASH] != position.block_hash:
        return "its hash is not the one of the mirror's block"
    return None
