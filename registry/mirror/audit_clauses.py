"""Auditing lists of clauses: each list against its root, each text against its clause's hash.

The chain has the root alone. A list that does not have it any more is taken away by a repair, and
comes back from a kept document or from another mirror's export.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import Connection, Table

from registry.core.text.clauses import MAX_LABEL_BYTES, Clause, ClauseHash, clauses_root
from registry.mirror import schema
from registry.mirror.findings import Finding, Remedy, Row, compared
from registry.mirror.stored import columns, listed, misfit, stored
from registry.mirror.text_rows import clause_rows

_LISTS = f"SELECT {listed(schema.clause_lists)} FROM clause_lists ORDER BY id"  # noqa: S608
_CLAUSES = f"SELECT {listed(schema.clauses)} FROM clauses WHERE "  # noqa: S608
_TEXTS = f"SELECT {listed(schema.clause_texts)} FROM clause_texts WHERE "  # noqa: S608
_OF_LIST = '"list" = :list ORDER BY "position"'
_OF_NONE = '"list" NOT IN (SELECT id FROM clause_lists)'
_AGAIN = "polreg text rebuild or polreg text import brings it back"


@dataclass(slots=True)
class ClausesAudit:
    findings: list[Finding] = field(default_factory=list)
    counts: dict[str, int] = field(
        default_factory=lambda: {"clause_lists": 0, "clauses": 0, "clause_texts": 0}
    )

    def read(
        self, connection: Connection, table: Table, source: str, **values: object
    ) -> list[Row]:
        rows = list(stored(connection, source, **values))
        self.counts[str(table.name)] += len(rows)
        return rows


def audit_clauses(connection: Connection) -> ClausesAudit:
    """Audit all lists that are here, and what is there beside them."""
    audit = ClausesAudit()
    for row in audit.read(connection, schema.clause_lists, _LISTS):
        there = audit.read(connection, schema.clauses, _CLAUSES + _OF_LIST, list=row[0])
        texts = audit.read(connection, schema.clause_texts, _TEXTS + _OF_LIST, list=row[0])
        audit.findings += _judged(row, there, texts)
    for table, source in ((schema.clauses, _CLAUSES), (schema.clause_texts, _TEXTS)):
        strangers = audit.read(connection, table, source + _OF_NONE)
        audit.findings += compared(str(table.name), columns(table), _key, [], strangers)
    return audit


def _judged(row: Row, there: list[Row], texts: list[Row]) -> Iterator[Finding]:
    """What is wrong with one list, its clauses and their texts."""
    problem = misfit(schema.clause_lists, row) or _unlike(row, there)
    if problem is not None:
        yield Finding("clause_lists", row[:1], f"{problem}: {_AGAIN}", Remedy.FORGET)
        return
    hashes = [ClauseHash(each[2], each[3]) for each in there]
    right = list(clause_rows(row[0], hashes))
    yield from compared("clauses", columns(schema.clauses), _key, right, there)
    yield from _misquoted(hashes, texts)


def _unlike(row: Row, there: list[Row]) -> str | None:
    """Why the clauses that are there are not those of the list."""
    if len(there) != row[2] or [each[1] for each in there] != list(range(len(there))):
        return "its clauses are not as many as it says"
    for each in there:
        problem = misfit(schema.clauses, each)
        label = each[2].encode("utf-8", "replace") if problem is None else b""
        if problem is not None or len(label) > MAX_LABEL_BYTES or _is_escaped(each[2]):
            return f"its clause {each[1]} can not be read"
    if clauses_root([ClauseHash(each[2], each[3]) for each in there]) != row[1]:
        return "its clauses do not have its root"
    return None


def _misquoted(hashes: list[ClauseHash], texts: list[Row]) -> Iterator[Finding]:
    """Texts that are not what the clauses' hashes say; where one of them is lost, the others are
    of no use."""
    good = 0
    for row in texts:
        problem = misfit(schema.clause_texts, row)
        if problem is None and not 0 <= row[1] < len(hashes):
            problem = "its list has no such clause"
        elif problem is None and not _says(hashes[row[1]], row[2]):
            problem = "it is not the text that the clause's hash is of"
        good += problem is None
        if problem is not None:
            yield Finding("clause_texts", row[:2], f"{problem}: {_AGAIN}")
    if good == len(texts) and texts and good != len(hashes):
        for row in texts:
            yield Finding("clause_texts", row[:2], f"others of its list are missing: {_AGAIN}")


def _says(clause: ClauseHash, text: str) -> bool:
    return not _is_escaped(text) and Clause(clause.label, text).hashed() == clause


def _is_escaped(value: str) -> bool:
    """Whether a stored text is no UTF-8 (storage.as_stored)."""
    return any("\udc80" <= each <= "\udcff" for each in value)


def _key(row: Row) -> Row:
    return row[:2]
