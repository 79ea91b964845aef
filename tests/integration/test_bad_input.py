"""Bad input: a clear error that says what is wrong and what to do, and nothing is lost."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.anvil import DEV_KEYS
from tests.integration.command_line import User

HEADER = "path,authority,number,title,language,type,issued,effective_from\n"
ABOUT = ("--authority", "CN.GD", "--number", "1", "--title-en", "A title")


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "document.md"
    path.write_text("the document")
    return path


def size_of_log(user: User) -> int:
    return int(user.done("status", "--json").json["registry"]["log"]["size"])


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--authority", "cn.gd", "--number", "1", "--title-en", "T"), 2, "not an authority code"),
        (("--authority", "CN.GD-", "--number", "1", "--title-en", "T"), 2, "not an authority code"),
        (("--authority", "CN.XX", "--number", "1", "--title-en", "T"), 1, "CN.XX is not open"),
        (("--authority", "CN", "--number", "1", "--title-en", "T"), 1, "not a registrar of CN"),
        (("--authority", "CN.GD", "--number", "", "--title-en", "T"), 2, "number is empty"),
        (("--authority", "CN.GD", "--number", "x" * 257, "--title-en", "T"), 2, "256 bytes"),
        (("--authority", "CN.GD", "--number", "1\u202e2", "--title-en", "T"), 2, "U+202E"),
        (("--authority", "CN.GD", "--number", "1"), 2, "title in no language"),
        ((*ABOUT, "--issued", "2023-02-30"), 2, "does not exist in the calendar"),
        ((*ABOUT, "--issued", "30.2.2023"), 2, "YYYY-MM-DD"),
        ((*ABOUT, "--effective", "2024-01-02", "--until", "2024-01-01"), 2, "before it starts"),
        ((*ABOUT, "--relation", "implements"), 2, "not a relation"),
        ((*ABOUT, "--relation", "adores=X"), 2, "a type that is none of"),
    ],
)
def test_a_wrong_publish_is_refused_and_nothing_is_recorded(
    user: User, document: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    before = size_of_log(user)
    outcome = user("publish", document, *words)
    assert outcome.code == code
    assert said in outcome.err
    assert size_of_log(user) == before


def test_a_number_already_published_is_refused(user: User, document: Path) -> None:
    user.done("publish", document, *ABOUT)
    outcome = user("publish", document, *ABOUT)
    assert outcome.code == 1
    assert "already published" in outcome.err
    assert "use amend or correct" in outcome.err


def test_what_is_not_a_file_is_named(user: User, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    empty = tmp_path / "empty"
    empty.touch()
    for path, said in (
        (tmp_path / "missing", "there is no such file"),
        (tmp_path, "is a directory"),
        (fifo, "is a FIFO"),
        (empty, "is empty"),
    ):
        outcome = user("publish", path, *ABOUT)
        assert outcome.code == 2
        assert said in outcome.err
    assert user("verify", fifo).code == 2
    assert user("verify", empty).code == 1


@pytest.mark.parametrize("words", [("import", "log"), ("snapshot", "verify")])
def test_a_log_or_a_snapshot_is_read_from_a_file_alone(
    user: User, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """In a process of its own, since waiting for a FIFO's writer would never end."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    program = "import sys; from registry.cli.app import build; build(sys.argv[1:])()"
    for path, said in ((fifo, "not a file"), (Path("/dev/null"), "not a file")):
        ended = subprocess.run(
            [sys.executable, "-c", program, *words, str(path)],
            env={**os.environ, "POLREG_HOME": str(user.home)},
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert ended.returncode == 2, ended.stderr
        assert said in ended.stderr
    for path, said in ((tmp_path, "is a folder"), (tmp_path / "none", "there is no file")):
        outcome = user(*words, path)
        assert outcome.code == 2
        assert said in outcome.err


def test_what_a_node_says_can_not_write_on_the_terminal(anvil_user: User) -> None:
    said = rb'{"code": -1, "message": "\u001b]0;x\u0007\nerror: ok"}'
    with web_server(b'{"jsonrpc": "2.0", "id": 0, "error": ' + said + b"}") as url:
        outcome = anvil_user("sync", POLREG_RPC_URL=url, POLREG_CONTRACT="0x" + "12" * 20)
    assert outcome.code == 3
    assert "\x1b" not in outcome.err + outcome.out
    assert "the node refused: \\x1b]0;x\\x07\\nerror: ok" in outcome.err


def test_a_file_of_three_gigabytes_is_checked_in_flat_memory(user: User, tmp_path: Path) -> None:
    huge = tmp_path / "huge"
    with huge.open("wb") as file:
        file.truncate(3 << 30)
    code = (
        "import resource, sys\n"
        "from registry.services.hashing import hash_file\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        f"assert hash_file({str(huge)!r}).size == 3 << 30\n"
        "sys.exit(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before > 20_000)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_a_registry_every_command_says_to_make_one(tmp_path: Path, document: Path) -> None:
    nobody = User(tmp_path / "nothing", {})
    for words in (["verify", str(document)], ["status"], ["sync"], ["snapshot"], ["search", "x"]):
        outcome = nobody(*words)
        assert outcome.code == 2
        assert "run polreg init" in outcome.err
    assert not (tmp_path / "nothing").exists()


def test_keys_that_can_not_sign(user: User, document: Path, tmp_path: Path) -> None:
    stranger = user("publish", document, *ABOUT, POLREG_PRIVATE_KEY=DEV_KEYS[1])
    assert stranger.code == 1
    assert "not enough funds" in stranger.err or "is not a registrar" in stranger.err
    assert DEV_KEYS[1][2:] not in stranger.err + stranger.out

    broken = user("publish", document, *ABOUT, POLREG_PRIVATE_KEY="0x" + "ff" * 32)
    assert broken.code == 2
    assert "ffff" not in broken.err
    wrong = tmp_path / "password"
    wrong.write_text("not it")
    keystore = user.home / "keys" / "development.json"
    locked = user(
        "publish", document, *ABOUT,
        POLREG_KEYSTORE=str(keystore), POLREG_PASSWORD_FILE=str(wrong),
    )  # fmt: skip
    assert locked.code == 2
    assert "wrong password" in locked.err
    asked = user("publish", document, *ABOUT, stdin="not it\n", POLREG_KEYSTORE=str(keystore))
    assert asked.code == 2
    assert "wrong password" in asked.err
    missing = user("publish", document, *ABOUT, POLREG_KEYSTORE=str(tmp_path / "none.json"))
    assert "there is no keystore" in missing.err
    assert keystore.stat().st_mode & 0o777 == 0o600


def test_no_key_and_no_funds_on_a_network(anvil_user: User, document: Path, tmp_path: Path) -> None:
    del anvil_user.settings["POLREG_PRIVATE_KEY"]
    outcome = anvil_user("publish", document, *ABOUT)
    assert outcome.code == 2
    assert "no key to sign with" in outcome.err
    poor = anvil_user("publish", document, *ABOUT, POLREG_PRIVATE_KEY="0x" + "11" * 32)
    assert poor.code == 1
    assert "not enough funds" in poor.err or "is not a registrar" in poor.err


def test_a_node_that_is_down_could_not_be_asked(anvil_user: User, document: Path) -> None:
    anvil_user.done("publish", document, *ABOUT)
    down = {"POLREG_RPC_URL": "http://127.0.0.1:9", "POLREG_CONTRACT": "0x" + "12" * 20}
    outcome = anvil_user("sync", **down)
    assert outcome.code == 3
    assert "no answer from http://127.0.0.1:9" in outcome.err


def test_a_node_that_answers_html_is_no_node(anvil_user: User) -> None:
    with web_server(b"<html>login</html>") as url:
        outcome = anvil_user("sync", POLREG_RPC_URL=url, POLREG_CONTRACT="0x" + "12" * 20)
    assert outcome.code == 3
    assert "not JSON-RPC" in outcome.err


def test_a_secret_in_the_node_s_address_stays_secret(anvil_user: User) -> None:
    with web_server(b"nothing") as url:
        secret = url.replace("://", "://user:hunter2@") + "/v3/topsecret?key=alsosecret"
        outcome = anvil_user("sync", POLREG_RPC_URL=secret, POLREG_CONTRACT="0x" + "12" * 20)
    assert outcome.code == 3
    for word in ("hunter2", "topsecret", "alsosecret"):
        assert word not in outcome.err + outcome.out


def test_wrong_contracts_and_chains_are_named(anvil_user: User, tmp_path: Path) -> None:
    other = User(tmp_path / "other", dict(anvil_user.settings))
    nothing = other("sync", POLREG_CONTRACT="0x" + "12" * 20)
    assert nothing.code == 2
    assert "there is no contract at 0x1212" in nothing.err
    malformed = other("sync", POLREG_CONTRACT="0x1234")
    assert "is not an account address" in malformed.err
    (mirror,) = anvil_user.home.glob("mirror-31337-*.sqlite")
    fresh = User(tmp_path / "embedded", {})
    fresh.done("init")
    crossed = fresh("sync", POLREG_DATABASE_URL=f"sqlite:///{mirror}")
    assert crossed.code == 2
    assert "the mirror follows eip155:31337" in crossed.err


def test_a_database_from_a_newer_version_is_left_alone(user: User) -> None:
    import sqlite3

    (mirror,) = user.home.glob("mirror-*.sqlite")
    with sqlite3.connect(mirror) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    outcome = user("status")
    assert outcome.code == 2
    assert "schema 9999" in outcome.err
    assert "update polreg" in outcome.err


def test_a_damaged_mirror_is_not_an_answer(user: User, document: Path) -> None:
    for each in user.home.glob("mirror-*"):
        each.write_bytes(b"this is not a database, and long enough to be looked at" * 100)
    outcome = user("verify", document)
    assert outcome.code == 3
    assert "delete it and run polreg sync" in outcome.err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"path,authority\r\na,b\r\n", "has no column number"),
        (b"", "is empty"),
        (HEADER.encode("utf-16"), "not UTF-8"),
        (HEADER.encode() + b'a,"b"c,d,e,f,g,h,i\n', "is not CSV"),
    ],
    ids=["missing column", "empty", "UTF-16", "bad quote"],
)
def test_an_index_that_can_not_be_read(
    user: User, tmp_path: Path, content: bytes, said: str
) -> None:
    index = tmp_path / "index.csv"
    index.write_bytes(content)
    before = size_of_log(user)
    outcome = user("import", index)
    assert outcome.code == 2
    assert said in outcome.err
    assert size_of_log(user) == before


def test_bad_rows_are_listed_and_good_ones_published(user: User, tmp_path: Path) -> None:
    (tmp_path / "good.md").write_text("good")
    (tmp_path / "empty.md").touch()
    index = tmp_path / "index.csv"
    index.write_text(
        f"\ufeff{HEADER}"
        "good.md,CN.GD,1,好的,zh,law,2020-01-01,\n"
        "gone.md,CN.GD,2,没有,zh,law,2020-01-01,\n"
        "empty.md,CN.GD,3,空的,zh,law,2020-01-01,\n"
        "../outside.md,CN.GD,4,外面,zh,law,2020-01-01,\n"
        "good.md,CN.GD,5,,zh,law,2020-01-01,\n"
        "good.md,CN.GD,6,日期,zh,law,2020-13-01,\n"
        "good.md,cn,7,代码,zh,law,2020-01-01,\n",
        "utf-8",
    )
    outcome = user("import", index, "--json")
    assert outcome.code == 1
    assert outcome.json["published"] == 1
    reasons = {each["line"]: each["reason"] for each in outcome.json["refused"]}
    assert reasons[3] == "there is no such file"
    assert reasons[4] == "the file is empty"
    assert reasons[5] == "its path leads out of the folder"
    assert "title" in reasons[6]
    assert "does not" in reasons[7] or "not a date" in reasons[7]
    assert "not an authority code" in reasons[8]


def test_a_full_disk_loses_nothing(user: User, document: Path, tmp_path: Path) -> None:
    user.done("publish", document, *ABOUT)
    before = user.done("snapshot").out
    outcome = user("snapshot", "-o", Path("/dev/full/snapshot"))
    assert outcome.code == 3
    limited = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))\n"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from registry.cli import main; main()\n"
    )
    environment = {**os.environ, "POLREG_HOME": str(user.home)}
    other = tmp_path / "other.md"
    other.write_text("another document")
    words = ["publish", str(other), "--authority", "CN.GD", "--number", "2", "--title-en", "T"]
    ended = subprocess.run(
        [sys.executable, "-c", limited, *words],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 3, ended.stderr
    assert "Traceback" not in ended.stderr
    assert user.done("snapshot").out == before
    user.done("publish", other, "--authority", "CN.GD", "--number", "2", "--title-en", "T")


@contextmanager
def web_server(answer: bytes) -> Iterator[str]:
    """Something that speaks HTTP and is no node."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
