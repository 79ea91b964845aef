"""A collection of many documents, step by step: wall-clock seconds and peak memory, as JSON.

    python scripts/bench/collection.py [MEMBERS]

Each step is a process of its own, on the embedded chain, with files and an index made for it.
Memory is the process's largest resident set: the one for 1,000 members says what does not grow.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from measure import ROOT

FEW = 1_000
_ABOUT = ("--authority", "CN.GD", "--number", "back catalogue", "--title-en", "Back catalogue")
_COLUMNS = "path,authority,number,title,language,type,issued,effective_from"


def main() -> None:
    members = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    found = {str(count): dict(_measured(count)) for count in (FEW, members)}
    print(json.dumps({"unit": ["seconds", "peak MB"], "members": found}, indent=2))


def _measured(members: int) -> Iterator[tuple[str, list[float]]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _documents(folder, members)
        home = {"POLREG_HOME": str(folder / "home")}
        _polreg(home, "init")
        _polreg(home, "authority", "open", "CN.GD", "--parents", "--name-en", "Guangdong")
        file, copy = folder / "members.ndjson", folder / "copy.ndjson"
        index = str(folder / "index.csv")
        yield "publish", _polreg(home, "publish-collection", index, *_ABOUT, "-o", str(file))
        collection = ("CN.GD", "back catalogue")
        yield "export", _polreg(home, "collection", "export", *collection, "-o", str(copy))
        one = str(folder / "files" / f"{members // 2}.txt")
        yield "verify_one", _polreg(home, "verify", one)
        yield "verify_all", _polreg(home, "verify", str(folder / "files"), "--json")
        yield "prove", _polreg(home, "prove", one, "-o", str(folder / "receipt.json"))
        yield "search", _polreg(home, "search", f"document {members // 2}")
        yield "fsck", _polreg(home, "fsck")
        yield "backup", _polreg(home, "backup", str(folder / "mirror.backup"))
        elsewhere = home | {"POLREG_DATABASE_URL": f"sqlite:///{folder}/other.sqlite"}
        _polreg(elsewhere, "sync")
        yield "import", _polreg(elsewhere, "collection", "import", str(copy))
        if file.read_bytes() != copy.read_bytes():
            raise SystemExit("the export is not the file that publishing wrote")


def _documents(folder: Path, members: int) -> None:
    (folder / "files").mkdir()
    with (folder / "index.csv").open("w") as index:
        print(_COLUMNS, file=index)
        for number in range(members):
            path = f"files/{number}.txt"
            (folder / path).write_text(f"The text of document {number}.\n")
            day = f"{1990 + number % 30}-{1 + number % 12:02}-{1 + number % 28:02}"
            row = f"{path},CN.GD,No. {number},Notice on document {number},en,notice,{day},"
            print(row, file=index)


def _polreg(settings: dict[str, str], *words: str) -> list[float]:
    values = {**os.environ, "PYTHONPATH": str(ROOT), **settings}
    values.pop("PYTHONDONTWRITEBYTECODE", None)
    started = time.perf_counter()
    command = [sys.executable, "-m", "registry", *words]
    with subprocess.Popen(command, env=values, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"polreg {words[0]} ended with {process.returncode}")
    return [round(time.perf_counter() - started, 2), round(usage.ru_maxrss / 1024)]


if __name__ == "__main__":
    main()
