"""docs/operations.md: the commands it shows for databases are run, on a real pair of servers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.config import settings_from
from tests.conftest import ROOT
from tests.integration.command_line import User
from tests.postgres import Server, replica_of, running_postgres

PAGE = (ROOT / "docs" / "operations.md").read_text("utf-8")
DATABASES, REPLICAS, PROMOTED = (
    block for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.M | re.S) if "registry" in block
)
# Settings that are one of some words.
OF_WORDS = {"POLREG_LOG_FORMAT": "json"}
PORT = "18736"


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Server, Server]]:
    with running_postgres() as primary, replica_of(primary) as replica:
        yield primary, replica


def shell(text: str, user: User, pair: tuple[Server, Server]) -> str:
    """Run commands of the page where db1.example and db2.example are these two servers."""
    primary, _ = pair
    for number, server in enumerate(pair, 1):
        text = text.replace(f"@db{number}.example/registry", f"@/registry?host={server.folder}")
        text = text.replace(f"db{number}.example", str(server.folder))
    text = text.replace("--pwprompt ", "").replace("8000", PORT)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("POLREG_")},
        "PATH": f"{Path(sys.executable).parent}:{primary.binaries}:{os.environ['PATH']}",
        "POLREG_HOME": str(user.home),
        "PGHOST": str(primary.folder),
        "PGUSER": "postgres",
        "PYTHONPATH": str(ROOT),
    }
    ended = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=user.home, env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_the_commands_for_databases_and_replicas_work_as_they_stand(
    user: User, pair: tuple[Server, Server]
) -> None:
    primary, replica = pair
    document = user.home / "measures.md"
    document.write_text("Article 1.", "utf-8")
    user.done("publish", document, "--authority", "CN.GD", "--number", "1", "--title-en", "One")
    said = shell(DATABASES, user, pair)
    assert "entries added" in said
    assert "no row is bad" in said
    caught_up = "SELECT pg_last_wal_replay_lsn() >= '{}'"
    ((written,),) = primary.sql("SELECT pg_current_wal_insert_lsn()")
    while not replica.sql(caught_up.format(written))[0][0]:
        pass
    serving = f"polreg serve --port {PORT}\n"
    text = REPLICAS.replace("8000", PORT)
    assert text.endswith(serving)
    asked = (
        f"polreg serve --port {PORT} & serving=$!\n"
        f"{sys.executable} -c '{ASK}' http://127.0.0.1:{PORT}/readyz\n"
        "kill $serving\n"
    )
    said = shell(text.replace(serving, asked), user, pair)
    assert "exact: as published" in said
    assert '"status":"ready"' in said
    replica.sql("SELECT pg_promote()")
    primary.kill()
    assert "entries added" in shell(PROMOTED, user, pair)


# Until it answers; curl may not be there.
ASK = (
    "import sys, time, urllib.request as u\n"
    "for _ in range(600):\n"
    "    try:\n"
    "        print(u.urlopen(sys.argv[1]).read().decode()); break\n"
    "    except OSError:\n"
    "        time.sleep(0.1)\n"
)


def test_every_setting_that_the_page_names_is_one(tmp_path: Path) -> None:
    names = set(re.findall(r"POLREG_\w+", PAGE)) - {"POLREG_HOME"}
    assert {"POLREG_DATABASE_URL", "POLREG_DATABASE_READ_URL"} <= names
    source = (ROOT / "registry" / "config.py").read_text("utf-8")
    assert [name for name in names if f"{name} " not in source] == []
    settings_from({"POLREG_HOME": str(tmp_path), **dict.fromkeys(names, "1"), **OF_WORDS})
