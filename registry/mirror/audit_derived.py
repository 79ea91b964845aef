"""Auditing what is derived from the log: policies, intervals, documents, what is said of
texts, search texts, authorities, grants, compromises, blocks.

Each row is computed by the code that wrote it, from entries that the log's audit found
good, and compared column by column. What rests on an entry that is itself bad is passed
over: it can be judged once the entry is right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from sqlalchemy import Connection

from registry.core.snapshot import Logged
from registry.errors import Inconsistent
from registry.mirror import schema
from registry.mirror.audit_log import LogAudit, Progress
from registry.mirror.audit_members import is_of_member
from registry.mirror.findings import Finding, Remedy, Row, compared
from registry.mirror.rows import AuthorityRows, DerivedRows, checksum
from registry.mirror.storage import texts, texts_as_stored
from registry.mirror.stored import HIGHEST, LOWEST, columns, listed, misfit, read_entry, stored

_PIECE = 1024
_IN_LIST = 500
_ACTS = (
    f"SELECT {listed(schema.entries)}, manifests.content FROM entries "  # noqa: S608
    "LEFT JOIN manifests ON manifests.entry = entries.entry WHERE "
)
_OF_POLICIES = (
    _ACTS + "entries.policy >= :low AND entries.policy <= :high AND entries.entry < :size "
    "ORDER BY entries.policy, entries.entry"
)
_OF_AUTHORITIES = _ACTS + "entries.policy IS NULL AND entries.entry < :size ORDER BY entries.entry"
_POLICY = 13


@dataclass(frozen=True, slots=True)
class _Derived:
    """A table derived from policies: which column names the policy, how it is keyed."""

    name: str
    columns: tuple[str, ...]
    source: str
    owner: int
    key: Callable[[Row], Row]


def _derived(name: str, owner: str, key: Callable[[Row], Row]) -> _Derived:
    table = schema.metadata.tables[name]
    source = f"SELECT {listed(table)} FROM {name} WHERE {owner} >= :low"  # noqa: S608
    return _Derived(name, columns(table), source, columns(table).index(owner), key)


def _first(row: Row) -> Row:
    return row[:1]


_POLICIES = _derived("policies", "id", _first)
_INTERVALS = _derived("intervals", "policy", lambda row: row[:2])
_DOCUMENTS = _derived("documents", "policy", lambda row: row[:3])
_TEXTS = _derived("texts", "policy", _first)


def _search(connection: Connection) -> _Derived:
    source, names = texts(connection)
    return _Derived("search", names, source, 0, _first)


@dataclass(slots=True)
class DerivedAudit:
    """`unjudged` counts policies, and the authorities as one, that rest on bad entries."""

    findings: list[Finding] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    unjudged: int = 0

    def compare(
        self,
        table: str,
        names: Sequence[str],
        key: Callable[[Row], Row],
        right: Sequence[Row],
        there: Sequence[Row],
    ) -> None:
        # SQLAlchemy's names are a kind of text that JSON has no keys of.
        table = str(table)
        self.counts[table] = self.counts.get(table, 0) + len(there)
        self.findings += compared(table, names, key, right, there)


def audit_derived(connection: Connection, log: LogAudit, progress: Progress) -> DerivedAudit:
    """Audit all derived tables."""
    audit = DerivedAudit()
    doubtful = _doubtful(connection, log)
    audit.unjudged = len(doubtful)
    for low in range(0, max(log.size, 1), _PIECE):
        high = min(low + _PIECE, log.size)
        # The first piece and the last take in what lies outside of the log.
        bounds = low or LOWEST, high - 1 if high < log.size else HIGHEST
        _audit_policies(connection, audit, log.size, bounds, doubtful)
        progress(high - low)
    _audit_authorities(connection, audit, log)
    _audit_blocks(connection, audit, None if log.suspects else log.size)
    return audit


def _doubtful(connection: Connection, log: LogAudit) -> set[int]:
    """The policies that a bad entry belongs to, or may belong to."""
    found = {policy for policy in log.policy_of.values() if policy is not None}
    suspects = sorted(log.suspects)
    for at in range(0, len(suspects), _IN_LIST):
        some = ", ".join(map(str, suspects[at : at + _IN_LIST]))
        for source in (
            f"SELECT policy FROM entries WHERE entry IN ({some}) AND policy IS NOT NULL",  # noqa: S608
            f"SELECT policy FROM entries WHERE previous IN ({some}) AND policy IS NOT NULL",  # noqa: S608
            f"SELECT id FROM policies WHERE id IN ({some}) OR head IN ({some})",  # noqa: S608
        ):
            found |= {row[0] for row in connection.exec_driver_sql(source)}
    return found


def _audit_policies(
    connection: Connection,
    audit: DerivedAudit,
    size: int,
    bounds: tuple[int, int],
    doubtful: set[int],
) -> None:
    low, high = bounds
    limits = {"low": low, "high": high}
    rows, broken = DerivedRows(), set[int]()
    acts = stored(connection, _OF_POLICIES, **limits, size=size)
    for policy, of_policy in groupby(acts, key=lambda row: row[_POLICY]):
        if policy in doubtful:
            continue
        problem = _derive(rows, list(of_policy))
        if problem is not None:
            broken.add(policy)
            audit.findings.append(Finding("policies", (policy,), problem, Remedy.NONE))
    # Text and bytes come after all numbers: the last piece takes them in too.
    upper = "" if high == HIGHEST else " AND {} <= :high"
    for table, right in (
        (_POLICIES, rows.policies),
        (_INTERVALS, rows.intervals),
        (_DOCUMENTS, rows.documents),
        (_TEXTS, rows.texts),
        (_search(connection), texts_as_stored(connection, rows.search)),
    ):
        source = table.source + upper.format(table.columns[table.owner])
        there = stored(connection, source, **(limits if upper else {"low": low}))
        judged = [
            row
            for row in there
            if row[table.owner] not in doubtful | broken
            and not (table.name == "search" and is_of_member(row[table.owner]))
        ]
        audit.compare(table.name, table.columns, table.key, right, judged)


def _derive(rows: DerivedRows, acts: list[Row]) -> str | None:
    logged = []
    for row in acts:
        read = read_entry(row[:-1])
        if isinstance(read, str):
            return f"an entry of it can not be read: {read}"
        logged.append(Logged(read, row[-1]))
    try:
        rows.add(logged)
    except (Inconsistent, AssertionError) as error:
        return f"its entries are not what the contract lets happen: {error}"
    return None


def _audit_authorities(connection: Connection, audit: DerivedAudit, log: LogAudit) -> None:
    rows = AuthorityRows()
    try:
        for row in stored(connection, _OF_AUTHORITIES, size=log.size):
            read = read_entry(row[:-1])
            if isinstance(read, str) or row[0] in log.suspects:
                raise Inconsistent(f"entry {row[0]} is bad")
            rows.add(read, row[-1])
        if log.suspects and _may_be_an_act(connection, log):
            raise Inconsistent("an entry is missing")
    except Inconsistent as error:
        if log.suspects:
            audit.unjudged += 1
        else:
            audit.findings.append(Finding("authorities", ("*",), str(error), Remedy.NONE))
        return
    for table, right in (
        (schema.authorities, rows.authorities),
        (schema.grants, rows.grants),
        (schema.compromises, rows.compromises),
    ):
        source = f"SELECT {listed(table)} FROM {table.name}"  # noqa: S608
        there = list(stored(connection, source))
        audit.compare(table.name, columns(table), _first, list(right.values()), there)


def _may_be_an_act(connection: Connection, log: LogAudit) -> bool:
    """Whether an entry that is missing or misplaced may be an act on an authority."""
    if None in log.policy_of.values():
        return True
    suspects = sorted(log.suspects)
    for at in range(0, len(suspects), _IN_LIST):
        some = suspects[at : at + _IN_LIST]
        source = f"SELECT count(*) FROM entries WHERE entry IN ({', '.join(map(str, some))})"  # noqa: S608
        if connection.exec_driver_sql(source).scalar() != len(some):
            return True
    return False


def _audit_blocks(connection: Connection, audit: DerivedAudit, log_size: int | None) -> None:
    """Both lists are in the order of the block's number and are read side by side. Where
    entries are bad, only checksums are looked at."""
    judge_sizes = log_size is not None
    names = columns(schema.blocks)
    source = f"SELECT {listed(schema.blocks)} FROM blocks ORDER BY number"  # noqa: S608
    ends = iter(()) if log_size is None else _block_sizes(connection, log_size)
    number, size = next(ends, (None, 0))
    for row in stored(connection, source):
        audit.counts["blocks"] = audit.counts.get("blocks", 0) + 1
        while number is not None and number < row[0]:
            audit.findings.append(_missing_block(number))
            number, size = next(ends, (None, 0))
        problem = misfit(schema.blocks, row)
        if problem is None and row[-1] != checksum(*row[:-1]):
            problem = "its values do not fit its checksum"
        if judge_sizes and number != row[0]:
            audit.findings.append(Finding("blocks", row[:1], "no entry is in this block"))
            continue
        if problem is None and judge_sizes and row[names.index("size")] != size:
            problem = f"the log has {size} entries after it, not {row[names.index('size')]}"
        if problem is not None:
            audit.findings.append(Finding("blocks", row[:1], problem, Remedy.REFETCH))
        if judge_sizes:
            number, size = next(ends, (None, 0))
    while number is not None:
        audit.findings.append(_missing_block(number))
        number, size = next(ends, (None, 0))


def _block_sizes(connection: Connection, size: int) -> Iterator[tuple[int | None, int]]:
    """Each block that has entries, and the log's size after it."""
    source = (
        "SELECT block, max(entry) + 1 FROM entries WHERE entry >= 0 AND entry < :size "
        "GROUP BY block ORDER BY block"
    )
    rows = stored(connection, source, size=size)
    return ((row[0], row[1]) for row in rows if isinstance(row[0], int))


def _missing_block(number: int) -> Finding:
    return Finding("blocks", (number,), "is missing", Remedy.REFETCH)
