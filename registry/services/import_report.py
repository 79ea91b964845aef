"""The report of an import: what became of every row, as a table and as JSON.

Each file is written beside its place and put there whole: a crash leaves the one before, or
none. Rows are streamed.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import orjson

from registry.errors import LocalFailure
from registry.services.worklist import Ended, Worklist

_COLUMNS = ("row", "path", "outcome", "policy_id", "entry", "transaction", "reason")


def write_report(path: Path, worklist: Worklist, summary: Mapping[str, Any]) -> list[Path]:
    """Write the report as `path` with the endings .csv and .json; those. Raises LocalFailure."""
    base = path.with_suffix("") if path.suffix in {".csv", ".json"} else path
    written = [base.with_name(base.name + ending) for ending in (".csv", ".json")]
    with _whole(written[0]) as file:
        _write_table(file, worklist.ended())
    with _whole(written[1]) as file:
        _write_json(file, worklist.ended(), summary)
    return written


def require_writable(path: Path) -> None:
    """Raise LocalFailure where a report could not be written there: before, not after."""
    parent = path.parent
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise LocalFailure(f"the report {path} can not be written: check its folder")


def _write_table(file: IO[bytes], rows: Iterable[Ended]) -> None:
    class Lines:
        def write(self, text: str) -> int:
            # A path may hold bytes that are no text.
            return file.write(text.encode("utf-8", "backslashreplace"))

    table = csv.writer(Lines(), lineterminator="\n")
    table.writerow(_COLUMNS)
    for each in map(_shown, rows):
        table.writerow(["" if each[name] is None else each[name] for name in _COLUMNS])


def _write_json(file: IO[bytes], rows: Iterable[Ended], summary: Mapping[str, Any]) -> None:
    file.write(b'{"summary":' + orjson.dumps(summary) + b',\n"rows":[')
    between = b"\n"
    for each in map(_shown, rows):
        file.write(between + orjson.dumps(each))
        between = b",\n"
    file.write(b"\n]}\n")


def _shown(each: Ended) -> dict[str, Any]:
    return {
        "row": each.line,
        "path": each.path,
        "outcome": each.outcome.value,
        "policy_id": each.policy_id.hex() if each.policy_id else None,
        "entry": each.entry,
        "transaction": "0x" + each.transaction.hex() if each.transaction else None,
        "reason": each.reason,
    }


@contextmanager
def _whole(path: Path) -> Iterator[IO[bytes]]:
    fresh = path.with_name(f".{path.name}.new")
    try:
        with fresh.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise LocalFailure(f"the report {path} can not be written: {error.strerror}") from None
