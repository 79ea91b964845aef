"""Every answer is the same from a mirror on SQLite and from one on PostgreSQL: of the command
line, of the API, and of what is exported."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from registry.config import settings_from
from registry.mirror.engine import open_engine
from registry.mirror.schema import CLAUSES
from tests.databases import content
from tests.integration.command_line import Outcome, User
from tests.postgres import Server

LAWS = 30
ON = "2018-06-01"
# What differs from one moment to the next, and which database it is.
_MOMENTS = {"synced_at", "lag_seconds", "follower", "database"}


@pytest.fixture(scope="module")
def users(
    corpus: Path, postgres: Server, tmp_path_factory: pytest.TempPathFactory
) -> tuple[User, User]:
    """One registry of real laws, acted on in most ways; the second has its mirror on
    PostgreSQL, where the acts were written, and the first reads the chain afterwards."""
    home = tmp_path_factory.mktemp("same") / "home"
    on_sqlite = User(home, {})
    on_postgres = User(home, {"POLREG_DATABASE_URL": postgres.empty()})
    on_postgres.done("init")
    index = some_of(corpus, tmp_path_factory.mktemp("some"))
    on_postgres.done("import", index)
    document = home / "a.md"
    document.write_text("第一条 支持金融业。", "utf-8")
    about = ("--authority", "CN.NEW", "--number", "深府〔２０１７〕71号")
    titles = ("--title-zh", "支持金融业的措施", "--title-en", "Measures, 100% of them")
    on_postgres.done("authority", "open", "CN.NEW", "--parents")
    on_postgres.done(
        "publish", document, *about, *titles, "--issued", "2017-09-01", "--joint", "CN"
    )
    document.write_text("第一条 大力支持金融业。", "utf-8")
    on_postgres.done("amend", document, *about, "--issued", "2020-01-01")
    on_postgres.done("suspend", *about[1::2], "--reason", "court order")
    account = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
    on_postgres.done("authority", "appoint", "CN.NEW", account)
    grants = on_postgres.done("authority", "show", "CN.NEW", "--json").json["authority"]["grants"]
    reported = ("CN.NEW", grants[0]["account"], "--since", "2020-01-01")
    on_postgres.done("authority", "compromised", *reported)
    on_sqlite.done("sync")
    lists = home.parent / "lists.ndjson"
    on_postgres.done("text", "export", "--output", lists)
    on_sqlite.done("text", "import", lists)
    return on_sqlite, on_postgres


def some_of(corpus: Path, folder: Path) -> Path:
    """Copies and an index of some laws of each of the corpus' parts."""
    with (corpus / "index.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    index = folder / "index.csv"
    with index.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        for row in rows[:: len(rows) // LAWS]:
            name = row["path"].replace("/", "-")
            shutil.copy(corpus / row["path"], folder / name)
            writer.writerow({**row, "path": name})
    return index


def told(value: Any) -> Any:
    """An answer without what differs from one moment to the next."""
    if isinstance(value, dict):
        return {name: told(each) for name, each in value.items() if name not in _MOMENTS}
    return [told(each) for each in value] if isinstance(value, list) else value


def both(users: tuple[User, User], *words: str | Path) -> tuple[Outcome, Outcome]:
    first, second = users
    return first(*words), second(*words)


def test_the_mirrors_hold_the_same_rows(users: tuple[User, User]) -> None:
    on_sqlite, on_postgres = users
    (path,) = on_sqlite.home.glob("mirror-*.sqlite")
    engines = [
        open_engine(each)
        for each in (f"sqlite:///{path}", on_postgres.settings["POLREG_DATABASE_URL"])
    ]
    first, second = map(content, engines)
    for engine in engines:
        engine.dispose()
    del first["headers"], second["headers"]
    assert first == second
    assert len(first["policies"]) > LAWS / 2


COMMANDS = [
    ("status",),
    ("show", "CN.NEW", "深府〔２０１７〕71号", "--on", ON),
    ("search", "条例"),
    ("search", "2017"),
    ("search", "100%"),
    ("history", "CN.NEW", "深府〔２０１７〕71号"),
    ("authority", "list"),
    ("authority", "show", "CN.NEW"),
    ("fsck",),
    ("prove", "CN.NEW", "深府〔２０１７〕71号", "--chain-proof"),
]


@pytest.mark.parametrize("words", COMMANDS, ids=[" ".join(words) for words in COMMANDS])
def test_a_command_answers_the_same(users: tuple[User, User], words: tuple[str, ...]) -> None:
    as_json = () if words[0] == "prove" else ("--json",)
    first, second = both(users, *words, *as_json)
    assert first.code == second.code, second.err
    found, other = told(first.json), told(second.json)
    if words == ("fsck",):
        del found["checked"]["headers"], other["checked"]["headers"]
        assert found["findings"] == []
    assert found == other


def test_files_are_verified_alike(users: tuple[User, User], corpus: Path) -> None:
    first, second = both(users, "verify", corpus / "dc", "--on", ON, "--json")
    assert first.code == second.code
    assert told(first.json) == told(second.json)


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--in-force-on", ON),
        ("--size", "20"),
        ("--size", "45", "--in-force-on", ON),
        ("--format", "csv"),
    ],
)
def test_snapshots_are_the_same_bytes(users: tuple[User, User], words: tuple[str, ...]) -> None:
    first, second = both(users, "snapshot", *words)
    assert (first.code, first.out) == (second.code, second.out)
    assert first.code == 0


def test_a_log_goes_from_one_database_to_the_other(
    users: tuple[User, User], postgres: Server, tmp_path: Path
) -> None:
    on_sqlite, on_postgres = users
    exported = []
    for name, user in zip("sp", users, strict=True):
        user.done("export", "log", "--output", tmp_path / f"{name}.ndjson")
        user.done("export", "tiles", tmp_path / name)
        exported.append((tmp_path / f"{name}.ndjson").read_bytes())
    assert exported[0] == exported[1]
    tiles = [
        {path.relative_to(tmp_path / name): path.read_bytes() for path in files(tmp_path / name)}
        for name in "sp"
    ]
    assert tiles[0] == tiles[1]
    url = postgres.empty()
    on_postgres.done("import", "log", tmp_path / "s.ndjson", POLREG_DATABASE_URL=url)
    engines = [open_engine(each) for each in (url, on_postgres.settings["POLREG_DATABASE_URL"])]
    first, second = map(content, engines)
    for engine in engines:
        engine.dispose()
    for each in (first, second):
        for table in ("headers", "position", *CLAUSES):
            del each[table]
    assert first == second
    snapshot = tmp_path / "snapshot.ndjson"
    on_postgres.done("snapshot", "--output", snapshot)
    on_postgres.done("snapshot", "verify", snapshot)
    on_postgres.done("snapshot", "verify", snapshot, "--log", tmp_path / "p.ndjson")
    on_sqlite.done("snapshot", "verify", snapshot)


def files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


ROUTES = [
    "/readyz",
    "/v1/checkpoint",
    "/v1/stats",
    f"/v1/stats?on={ON}&text=条例",
    "/v1/authorities",
    "/v1/authorities/CN.NEW",
    "/v1/policies?limit=5",
    f"/v1/policies?on={ON}&authority=CN&standing=in_force&issued_from=1990-01-01",
    "/v1/policies?text=100%25",
    "/v1/policies/by-number?authority=CN.NEW&number=深府〔２０１７〕71号",
    "/v1/documents/" + "ab" * 32,
    "/v1/tile/0/000.p/20",
]


def test_the_api_answers_the_same(users: tuple[User, User]) -> None:
    apps = [
        TestClient(create_app(settings_from({"POLREG_HOME": str(u.home), **u.settings}), None))
        for u in users
    ]
    with apps[0] as first, apps[1] as second:
        listed = first.get("/v1/policies?limit=200").json()["policies"]
        routes = [
            *ROUTES,
            *(f"/v1/policies/{each['policy_id']}/history" for each in listed[::7]),
            *(f"/v1/documents/{each['document']}" for each in listed[::7]),
            f"/v1/documents/{listed[-1]['document']}/receipt",
            f"/v1/policies?limit=5&after={first.get('/v1/policies?limit=5').json()['next']}",
        ]
        for route in routes:
            one, other = first.get(route), second.get(route)
            assert one.status_code == other.status_code == 200, (route, other.text)
            if one.headers["content-type"] == "application/json":
                assert told(one.json()) == told(other.json()), route
            else:
                assert one.content == other.content, route
        for route in ("/v1/snapshot", f"/v1/snapshot?in_force_on={ON}", "/v1/snapshot?format=csv"):
            assert first.get(route).content == second.get(route).content
