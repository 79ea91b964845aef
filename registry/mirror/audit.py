"""Auditing a mirror: everything in it computed anew from the stored bytes.

The log first, by the root it is to have; then what is derived from it, the index, the
position and the window of headers. Reads only. FTS5's own check, which wants a write
transaction and leaves nothing behind, is storage.index_findings.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from registry.core.position import Position
from registry.core.units import Digest
from registry.mirror import schema
from registry.mirror.audit_clauses import audit_clauses
from registry.mirror.audit_derived import audit_derived
from registry.mirror.audit_headers import audit_headers
from registry.mirror.audit_log import LogAudit, Progress, audit_log
from registry.mirror.audit_members import audit_members
from registry.mirror.findings import Finding, Remedy, Row
from registry.mirror.position import read_position
from registry.mirror.rows import checksum
from registry.mirror.storage import FILE, file_findings, index_damage, version_findings
from registry.mirror.stored import listed, misfit, named, stored

_PASSES = 2
_POSITION = f"SELECT {listed(schema.position)} FROM position"  # noqa: S608
_COUNT = "SELECT count(*) FROM entries"
_KEY = (1,)


@dataclass(frozen=True, slots=True)
class Reference:
    """The log as it should be, and who says so."""

    size: int
    root: Digest
    source: str


@dataclass(slots=True)
class Audited:
    """What was found, how many rows of each table were looked at, and the log as it was
    recomputed. `unjudged` things rest on bad rows and can be judged once those are right."""

    findings: list[Finding] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    unjudged: int = 0
    size: int = 0
    root: Digest | None = None
    peaks: tuple[Digest, ...] = ()
    reference: Reference | None = None


def audit(connection: Connection, told: Reference | None, progress: Progress) -> Audited:
    """Audit the whole mirror, against the log that the chain told of if it could be asked."""
    found = Audited()
    try:
        _audit(connection, told, found, progress)
    except DatabaseError as error:
        problem = f"it can not be read to its end ({error.orig})"
        found.findings.append(Finding(FILE, ("pages",), problem, Remedy.NONE))
    return found


def intact_position(connection: Connection) -> Position | None:
    """Where the mirror stands, if its row is as it was written."""
    try:
        rows = list(stored(connection, _POSITION))
    except DatabaseError:
        return None
    whole = len(rows) == 1 and rows[0][:1] == _KEY and _position_problem(rows[0]) is None
    return read_position(connection) if whole else None


def to_be_read(connection: Connection) -> int:
    """How many entries an audit reads, each as often as it does."""
    try:
        return _PASSES * int(next(stored(connection, _COUNT))[0])
    except DatabaseError:
        return 0


def last_block(connection: Connection) -> int | None:
    """The number of the newest block that is stored as it was written."""
    source = f"SELECT {listed(schema.blocks)} FROM blocks ORDER BY number DESC"  # noqa: S608
    try:
        rows = stored(connection, source)
        good = (r for r in rows if misfit(schema.blocks, r) is None and r[-1] == checksum(*r[:-1]))
        return next((int(row[0]) for row in good), None)
    except DatabaseError:
        return None


def holds_nothing(connection: Connection) -> bool:
    """Whether nothing was ever written to it."""
    tables = ("position", "entries", "blocks", "policies", "tiles")
    sources = (f"SELECT 1 FROM {table} LIMIT 1" for table in tables)  # noqa: S608
    try:
        return not any(list(stored(connection, source)) for source in sources)
    except DatabaseError:
        # What can not be read is something.
        return False


def _audit(
    connection: Connection, told: Reference | None, found: Audited, progress: Progress
) -> None:
    found.findings += version_findings(connection)
    found.findings += file_findings(connection)
    position = intact_position(connection)
    reference = told
    if reference is None and position is not None:
        reference = Reference(position.size, position.root, "the mirror's own position")
    count = next(stored(connection, _COUNT))[0]
    size = count if reference is None else reference.size
    log = audit_log(connection, size, reference.root if reference else None, progress)
    derived = audit_derived(connection, log, progress)
    found.findings += log.findings + derived.findings
    found.findings += index_damage(connection)
    found.findings += _position_findings(connection, log, told, position)
    headers = audit_headers(connection, position)
    found.findings += headers.findings
    members = audit_members(connection)
    lists = audit_clauses(connection)
    found.findings += members.findings + lists.findings
    found.counts = {**log.counts, **derived.counts, "position": 1, "headers": headers.count}
    for table, number in (*members.counts.items(), *lists.counts.items()):
        found.counts[table] = found.counts.get(table, 0) + number
    found.unjudged = derived.unjudged
    found.size, found.root, found.peaks, found.reference = size, log.root, log.peaks, reference


def _position_findings(
    connection: Connection, log: LogAudit, told: Reference | None, position: Position | None
) -> Iterator[Finding]:
    rows = {row[0]: row for row in stored(connection, _POSITION)}
    for key in rows:
        if key != 1:
            yield Finding("position", (key,), "there is one position, numbered 1")
    if 1 not in rows:
        yield Finding("position", _KEY, "is missing", Remedy.REFETCH)
        return
    problem = _position_problem(rows[1])
    if problem is not None:
        yield Finding("position", _KEY, problem, Remedy.REFETCH)
    elif position is not None and told is not None:
        if (position.size, position.root) != (told.size, told.root):
            yield _position(f"its size and root are not those of {told.source}")
        elif log.root == told.root and position.peaks != log.peaks:
            yield _position("its peaks are not the log's")
    elif position is not None and position.root == log.root and position.peaks != log.peaks:
        yield _position("its peaks are not the log's")
    if log.findings or log.root == _right_root(told, position):
        return
    if told is not None:
        problem = f"they and the tiles agree, but are another log than {told.source} has"
        yield Finding("entries", ("*",), problem, Remedy.NONE)
    elif position is not None:
        yield _position("its root is not the one that entries and tiles make")


def _right_root(told: Reference | None, position: Position | None) -> Digest | None:
    if told is not None:
        return told.root
    return position.root if position else None


def _position(problem: str) -> Finding:
    return Finding("position", _KEY, problem, Remedy.REFETCH)


def _position_problem(row: Row) -> str | None:
    problem = misfit(schema.position, row)
    values = named(schema.position, row)
    if problem is None and values.pop("checksum") != checksum(*values.values()):
        problem = "its values do not fit its checksum"
    if problem is None and len(values["peaks"]) != 32 * values["size"].bit_count():
        problem = "its peaks are not as many as its size wants"
    return problem
