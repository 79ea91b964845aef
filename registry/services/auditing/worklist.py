"""What an audit has found so far, in a file beside its report: an audit that was interrupted goes
on where it stood, and memory does not grow with the number of files.

What was found counts for one state of the registry, one day and one set of questions, which the
file names: where these are others, it begins anew. A crash loses what was found since the last
batch, and nothing else.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson

from registry.core.auditing.findings import Finding
from registry.core.verdict import ExitCode
from registry.errors import LocalFailure

_SCHEMA = """
CREATE TABLE IF NOT EXISTS audit (question TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS files (
    name TEXT PRIMARY KEY, sha256 TEXT, size INTEGER NOT NULL, code INTEGER NOT NULL,
    verdict BLOB, error BLOB
) WITHOUT ROWID;
"""


def files_of(path: Path) -> list[Path]:
    """The files that a worklist there consists of."""
    return [path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm")]


class AuditWorklist:
    """The findings of one audit, by the name of the file."""

    def __init__(self, path: Path, question: str) -> None:
        self._path = path
        try:
            self._store = sqlite3.connect(path)
            self._store.executescript("PRAGMA journal_mode = WAL;" + _SCHEMA)
            self.resumed = self._begin(question)
        except sqlite3.Error as error:
            raise LocalFailure(
                f"{path} can not be used: {error}", hint="delete it, and the audit begins anew"
            ) from None

    def _begin(self, question: str) -> int:
        """Keep what answers the same question; how many files that is."""
        with self._store:
            if self._store.execute("SELECT question FROM audit").fetchall() != [(question,)]:
                self._store.execute("DELETE FROM audit")
                self._store.execute("DELETE FROM files")
                self._store.execute("INSERT INTO audit VALUES (?)", (question,))
        return len(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Keep what was found, for whoever goes on."""
        self._store.close()

    def __len__(self) -> int:
        return int(self._store.execute("SELECT count(*) FROM files").fetchone()[0])

    def has(self, name: str, sha256: str) -> bool:
        """Whether a file of this name and these bytes was found not to be verified. Whatever this
        file says, or somebody wrote into it, nothing is verified by it: what is registered is
        looked up each time, and what takes long is to read the texts of the others."""
        found = self._store.execute(
            "SELECT 1 FROM files WHERE name = ? AND sha256 = ? AND code = ?",
            (name, sha256, int(ExitCode.NOT_VERIFIED)),
        )
        return found.fetchone() is not None

    def add(self, findings: Iterable[Finding]) -> None:
        """Keep these."""
        with self._store:
            self._store.executemany(
                "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)",
                (
                    (
                        each.file,
                        each.sha256,
                        each.size,
                        int(each.exit_code),
                        None if each.verdict is None else orjson.dumps(each.verdict),
                        None if each.error is None else orjson.dumps(each.error),
                    )
                    for each in findings
                ),
            )

    def keep_only(self, names: Iterable[str]) -> None:
        """Forget what is no longer there."""
        with self._store:
            self._store.execute("CREATE TEMP TABLE there (name TEXT PRIMARY KEY) WITHOUT ROWID")
            self._store.executemany(
                "INSERT OR IGNORE INTO there VALUES (?)", ((name,) for name in names)
            )
            self._store.execute("DELETE FROM files WHERE name NOT IN (SELECT name FROM temp.there)")
            self._store.execute("DROP TABLE temp.there")

    def findings(self) -> Iterator[Finding]:
        """All, in the order of names."""
        rows = self._store.execute(
            "SELECT name, size, code, verdict, error FROM files ORDER BY name"
        )
        for name, size, code, verdict, error in rows:
            yield Finding(
                name,
                size,
                ExitCode(code),
                None if verdict is None else orjson.loads(verdict),
                None if error is None else orjson.loads(error),
            )

    def forget(self) -> None:
        """The report is written: nothing is left to go on with."""
        self._store.close()
        for each in files_of(self._path):
            each.unlink(missing_ok=True)
