"""The rows of an import while it goes on, in a file that nobody else sees and that is gone with
this process: memory does not grow with the number of rows.

Each row is known by its line. It begins as read or refused, gets its file's digest, and ends as
one of `Outcome`. A crash loses all of it, and nothing else: it is read again from the index.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Any, Self

from registry.core.backlog import Refused, Row
from registry.core.draft import FileDescription
from registry.core.units import Day, Digest
from registry.services.hashing import file_description

_AT_ONCE = 1000


class Outcome(StrEnum):
    """What became of a row."""

    PUBLISHED = "published"
    PRESENT = "already in the registry"
    IN_LINE = "in line"
    """In the outbox, and in no block yet."""
    REFUSED = "not published"
    PLANNED = "would be published"
    NOT_REACHED = "not reached"


@dataclass(frozen=True, slots=True)
class Ended:
    """A row as a report tells it."""

    line: int
    path: str
    outcome: Outcome
    policy_id: bytes | None
    entry: int | None
    transaction: bytes | None
    reason: str | None


_SCHEMA = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -8000;
CREATE TABLE rows (
    line INTEGER PRIMARY KEY, path TEXT NOT NULL, policy BLOB, authority TEXT, number TEXT,
    title TEXT, language TEXT, type TEXT, issued INTEGER, effective_from INTEGER,
    outcome TEXT NOT NULL, act INTEGER, entry INTEGER, tx BLOB, reason TEXT
);
CREATE TABLE files (
    path TEXT PRIMARY KEY, sha256 BLOB, size INTEGER, reason TEXT
) WITHOUT ROWID;
"""
_ROW = """
SELECT line, path, authority, number, title, language, type, issued, effective_from FROM rows
WHERE outcome = 'not reached' AND """
_LEFT = _ROW + "line > ? ORDER BY line LIMIT ?"
_OF_POLICY = _ROW + "policy = ? ORDER BY line"
_INSERT = "INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_WITH_ACTS = (
    "SELECT line, act FROM rows WHERE outcome = 'in line' AND line > ? ORDER BY line LIMIT ?"
)
_PRESENT = """
SELECT line, policy, (SELECT sha256 FROM files WHERE files.path = rows.path) FROM rows
WHERE outcome = 'already in the registry' AND line > ? ORDER BY line LIMIT ?"""


class Worklist:
    """The rows of one index."""

    def __init__(self) -> None:
        # Without a name: SQLite makes a file of its own, and nothing is left of it.
        self._store = sqlite3.connect("", isolation_level=None)
        self._store.executescript(_SCHEMA)
        self._store.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._store.close()

    # Reading the index

    def fill(self, rows: Iterable[Row | Refused]) -> None:
        """Take up what the index says; raises what reading it raises."""
        self._store.executemany(_INSERT, map(_values, rows))
        self._store.execute("CREATE INDEX rows_by_policy ON rows (policy, line)")
        self._store.execute(
            "CREATE TABLE policies AS SELECT policy, min(line) AS first FROM rows "
            "WHERE policy IS NOT NULL GROUP BY policy ORDER BY first"
        )

    def authorities(self) -> list[str]:
        """The authorities of the rows that were read, in their order there."""
        found = self._store.execute(
            "SELECT authority FROM rows WHERE policy IS NOT NULL "
            "GROUP BY authority ORDER BY min(line)"
        )
        return [authority for (authority,) in found]

    def refuse_authority(self, code: str, reason: str) -> None:
        """Refuse all rows of an authority."""
        self._store.execute(
            "UPDATE rows SET outcome = ?, reason = ? WHERE authority = ? AND outcome = ?",
            (Outcome.REFUSED, reason, code, Outcome.NOT_REACHED),
        )

    # Their files

    def paths(self) -> Iterator[str]:
        """The files of the rows that are left, each once a row, in the order of the rows."""
        return (row.path for row in self._left())

    def knows_file(self, path: str) -> bool:
        found = self._store.execute("SELECT 1 FROM files WHERE path = ?", (path,))
        return found.fetchone() is not None

    def note_file(self, path: str, found: FileDescription | str) -> None:
        """A file's digest, or why it can not be read."""
        values = (None, None, found) if isinstance(found, str) else (found.sha256, found.size, None)
        self._store.execute("INSERT INTO files VALUES (?, ?, ?, ?)", (path, *values))

    def file_of(self, row: Row) -> FileDescription | str:
        sha256, size, reason = self._store.execute(
            "SELECT sha256, size, reason FROM files WHERE path = ?", (row.path,)
        ).fetchone()
        if reason is not None:
            return str(reason)
        return file_description(row.path, Digest(sha256), size, row.language)

    def count_left(self) -> int:
        """How many rows nothing is known of yet."""
        return self.counts().get(Outcome.NOT_REACHED, 0)

    # Policy by policy

    def policies(self, at_once: int = _AT_ONCE) -> Iterator[list[Row]]:
        """The rows that are left, those of one policy together, in the order in which the
        policies appear; about as many at once."""
        some: list[Row] = []
        after = 0
        while True:
            chunk = self._store.execute(
                "SELECT policy, first FROM policies WHERE first > ? ORDER BY first LIMIT ?",
                (after, at_once),
            ).fetchall()
            if not chunk:
                break
            for policy, after in chunk:  # noqa: B007 - the last one is gone on from
                some += map(_row, self._store.execute(_OF_POLICY, (policy,)))
                if len(some) >= at_once:
                    yield some
                    some = []
        if some:
            yield some

    # What became of them

    def refuse(self, line: int, reason: str) -> None:
        self._end(line, Outcome.REFUSED, reason)

    def keep_present(self, line: int) -> None:
        self._end(line, Outcome.PRESENT, None)

    def note_planned(self, line: int) -> None:
        self._end(line, Outcome.PLANNED, None)

    def note_act(self, line: int, act: int) -> None:
        """The row is act `act` of the outbox."""
        self._store.execute(
            "UPDATE rows SET outcome = ?, act = ? WHERE line = ?", (Outcome.IN_LINE, act, line)
        )

    def note_entry(self, line: int, entry: int | None, transaction: bytes | None) -> None:
        """Where what is there stands."""
        self._store.execute(
            "UPDATE rows SET entry = ?, tx = ? WHERE line = ?", (entry, transaction, line)
        )

    def publish(self, line: int, entry: int | None, transaction: bytes | None) -> None:
        self._end(line, Outcome.PUBLISHED, None)
        self.note_entry(line, entry, transaction)

    def with_acts(self) -> Iterator[dict[int, int]]:
        """The lines of the acts in the outbox, by those, some at once."""
        for some in self._paged(_WITH_ACTS, _AT_ONCE):
            yield {act: line for line, act in some}

    def present(self) -> Iterator[dict[int, tuple[bytes, bytes]]]:
        """The policy_id and the document of what was there already, by line, some at once."""
        for some in self._paged(_PRESENT, _AT_ONCE):
            yield {line: (policy_id, document) for line, policy_id, document in some}

    def counts(self) -> dict[Outcome, int]:
        found = self._store.execute("SELECT outcome, count(*) FROM rows GROUP BY outcome")
        return {Outcome(outcome): number for outcome, number in found}

    def refused(self) -> Iterator[Refused]:
        """Every row that is not published, in the order of their lines."""
        for line, path, reason in self._store.execute(
            "SELECT line, path, reason FROM rows WHERE outcome = ? ORDER BY line",
            (Outcome.REFUSED,),
        ):
            yield Refused(line, path, reason)

    def reasons(self, listed: int) -> Iterator[tuple[str, int, list[Refused]]]:
        """Why rows are not published, the commonest first: how many, and the first of them."""
        for reason, number in self._store.execute(
            "SELECT reason, count(*) AS n FROM rows WHERE outcome = ? "
            "GROUP BY reason ORDER BY n DESC, min(line)",
            (Outcome.REFUSED,),
        ).fetchall():
            some = self._store.execute(
                "SELECT line, path FROM rows WHERE outcome = ? AND reason = ? "
                "ORDER BY line LIMIT ?",
                (Outcome.REFUSED, reason, listed),
            )
            yield reason, number, [Refused(line, path, reason) for line, path in some]

    def ended(self) -> Iterator[Ended]:
        """Every row, in the order of their lines."""
        for row in self._store.execute(
            "SELECT line, path, outcome, policy, entry, tx, reason FROM rows ORDER BY line"
        ):
            line, path, outcome, *others = row
            yield Ended(line, path, Outcome(outcome), *others)

    def _end(self, line: int, outcome: Outcome, reason: str | None) -> None:
        self._store.execute(
            "UPDATE rows SET outcome = ?, reason = ? WHERE line = ?", (outcome, reason, line)
        )

    def _left(self) -> Iterator[Row]:
        for some in self._paged(_LEFT, _AT_ONCE):
            yield from map(_row, some)

    def _paged(self, statement: str, at_once: int) -> Iterator[list[Any]]:
        """What a statement finds, from the first line on; it may be changed meanwhile."""
        after = -1
        while some := self._store.execute(statement, (after, at_once)).fetchall():
            after = some[-1][0]
            yield some


def _values(each: Row | Refused) -> Sequence[object]:
    if isinstance(each, Refused):
        ended = (Outcome.REFUSED, None, None, None, each.reason)
        return (each.line, each.path, *(None,) * 8, *ended)
    return (
        each.line,
        each.path,
        each.key.policy_id,
        each.authority,
        each.number,
        each.title,
        each.language,
        each.type,
        each.issued,
        each.effective_from,
        Outcome.NOT_REACHED,
        None,
        None,
        None,
        None,
    )


def _row(values: Sequence[Any]) -> Row:
    *texts, issued, effective_from = values
    days = [None if day is None else Day(day) for day in (issued, effective_from)]
    return Row(*texts, *days)
