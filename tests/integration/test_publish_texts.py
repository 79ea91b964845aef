"""What documents say, registered when they are published: from the command line to another
mirror, with laws of the corpus."""

from __future__ import annotations

import csv
import re
import shutil
from pathlib import Path
from typing import Any

import orjson
import pytest

from registry.config import Settings
from registry.core.digest import sha256
from tests.integration.api_registry import running
from tests.integration.command_line import Outcome, User


@pytest.fixture(scope="module")
def laws(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Some laws of the corpus, in Chinese and English."""
    with (corpus / "index.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    picked: dict[str, Path] = {}
    for row in rows:
        picked.setdefault(row["language"] + row["path"].rpartition(".")[2], corpus / row["path"])
    folder = tmp_path_factory.mktemp("laws")
    return [Path(shutil.copy(path, folder / path.name)) for path in picked.values()]


def publish(user: User, path: Path, number: str, *options: str, **settings: str) -> Outcome:
    about = ("--authority", "CN.GD", "--number", number, "--title-en", f"Law {number}")
    return user.done("publish", path, *about, *options, "--json", **settings)


def published(outcome: Outcome) -> dict[str, Any]:
    found: dict[str, Any] = outcome.json["published"]
    return found


def nothing_but_clauses(shown: str) -> list[str]:
    """The lines of the table: each begins with a hash."""
    return [line for line in shown.splitlines() if re.match("[0-9a-f]{16}  ", line)]


def without_mirror(user: User) -> None:
    for path in user.home.glob("mirror-*"):
        path.unlink()


@pytest.fixture(params=["embedded", "anvil"])
def anyone(request: pytest.FixtureRequest) -> User:
    """A user on the embedded chain, and one on Anvil."""
    found: User = request.getfixturevalue("user" if request.param == "embedded" else "anvil_user")
    return found


def test_what_laws_say_is_registered_and_comes_back_from_chain_and_export(
    anyone: User, laws: list[Path], tmp_path: Path
) -> None:
    told = [published(publish(anyone, path, path.name))["text"] for path in laws]
    assert all(each["clauses"] > 1 and not each.get("salted") for each in told)
    shown = [anyone.done("text", "show", "CN.GD", path.name, "--json").json for path in laws]
    assert [each["text"]["clauses_root"] for each in shown] == [e["clauses_root"] for e in told]
    assert [len(each["clauses"]) for each in shown] == [each["clauses"] for each in told]
    lists = tmp_path / "lists.ndjson"
    anyone.done("text", "export", "-o", lists)
    # From the chain alone each root and count is known, and no clause.
    without_mirror(anyone)
    anyone.done("sync")
    for path, before in zip(laws, shown, strict=True):
        bare = anyone.done("text", "show", "CN.GD", path.name, "--json").json
        assert (bare["text"], bare["clauses"]) == (before["text"], None)
    done = anyone.done("text", "import", lists, "--json").json
    assert done == {"lists": len(laws), "new": len(laws)}
    again = [anyone.done("text", "show", "CN.GD", path.name, "--json").json for path in laws]
    assert [each["clauses"] for each in again] == [each["clauses"] for each in shown]
    assert anyone.done("text", "export").out.encode() == lists.read_bytes()
    assert "no row is bad" in anyone.done("fsck").out


def test_a_list_that_was_altered_on_its_way_is_refused_and_named(
    user: User, laws: list[Path], tmp_path: Path
) -> None:
    roots = [published(publish(user, path, path.name))["text"]["clauses_root"] for path in laws]
    lists = tmp_path / "lists.ndjson"
    user.done("text", "export", "-o", lists)
    without_mirror(user)
    user.done("sync")
    lines = lists.read_bytes().splitlines(keepends=True)
    last = max(at for at, line in enumerate(lines) if b'"root"' in line)
    group = orjson.loads(lines[last + 1])
    group["clauses"][0][0] += "x"
    lines[last + 1] = orjson.dumps(group) + b"\n"
    lists.write_bytes(b"".join(lines))
    refused = user("text", "import", lists)
    assert (refused.code, sorted(roots)[-1] in refused.err) == (1, True)
    # Nothing of the file is kept.
    assert user.done("text", "export").out.count("\n") == 1


def test_a_list_of_another_registry_is_refused(
    user: User, laws: list[Path], tmp_path: Path
) -> None:
    lists = tmp_path / "lists.ndjson"
    publish(user, laws[0], "1")
    user.done("text", "export", "-o", lists)
    other = User(tmp_path / "other", {})
    other.done("init")
    other.done("sync")
    refused = other("text", "import", lists)
    assert (refused.code, "no manifest in the log" in refused.err) == (1, True)


def test_kept_documents_give_the_clauses_back_and_what_they_say(
    anyone: User, laws: list[Path], tmp_path: Path
) -> None:
    keeping = {"POLREG_KEEP_DOCUMENTS": "yes"}
    for path in laws:
        assert published(publish(anyone, path, path.name, **keeping))["kept"]
    assert not published(publish(anyone, laws[0], "again", "--no-keep-document", **keeping))["kept"]
    without_mirror(anyone)
    anyone.done("sync")
    done = anyone.done("text", "rebuild", "--json").json
    assert done == {"rebuilt": len(laws), "not_kept": 0, "failed": []}
    # With what they say: the first words are shown.
    of_file = nothing_but_clauses(anyone.done("text", "show", laws[0]).out)
    assert nothing_but_clauses(anyone.done("text", "show", "CN.GD", laws[0].name).out) == of_file
    digest = sha256(laws[0].read_bytes()).hex()
    anyone.done("document", "get", digest, "-o", tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == laws[0].read_bytes()
    (kept,) = (anyone.home / "documents").rglob(digest[2:])
    kept.write_bytes(b"another text")
    refused = anyone("document", "get", digest, "-o", tmp_path / "other")
    assert (refused.code, (tmp_path / "other").exists()) == (3, False)


def test_whoever_has_the_document_has_its_clauses_again(user: User, laws: list[Path]) -> None:
    publish(user, laws[0], "1")
    before = user.done("text", "export").out
    without_mirror(user)
    user.done("sync")
    missed = user("text", "rebuild", laws[1])
    assert (missed.code, "no manifest tells of its text" in missed.out) == (1, True)
    user.done("text", "rebuild", laws[0])
    assert user.done("text", "export").out == before


def test_a_document_that_is_read_otherwise_now_names_what_read_it_then(
    user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from registry.services.texts import reading as text_reading
    from tests.texts import law

    class Other:
        def __init__(self, _workers: int) -> None: ...

        def __enter__(self) -> Other:
            return self

        def __exit__(self, *_ended: object) -> None: ...

        def read(self, _document: Path | bytes, *, name: str | None = None) -> Any:
            return law("Read otherwise.")

    path = tmp_path / "a.md"
    path.write_text("Article 1. Water.\n\nArticle 2. Fire.\n")
    told = published(publish(user, path, "1", "--keep-document"))["text"]
    without_mirror(user)
    user.done("sync")
    monkeypatch.setattr(text_reading, "text_reader", Other)
    done = user("text", "rebuild", "--json")
    assert done.code == 1
    ((failed,),) = (done.json["failed"],)
    assert told["extractor"] in failed["reason"]
    assert "read by test/1" in failed["reason"]


def test_a_confidential_document_has_its_salts_in_one_file_and_its_list_in_no_export(
    anyone: User, laws: list[Path], tmp_path: Path
) -> None:
    told = published(publish(anyone, laws[0], "1", "--salted"))
    record, salts = told["text"], Path(told["salts"])
    assert record["salted"] is True
    assert salts.stat().st_mode & 0o777 == 0o600
    secret = orjson.loads(salts.read_bytes())
    assert (secret["root"], len(secret["clauses"])) == (record["clauses_root"], record["clauses"])
    # Not in the mirror, not in an export, not in a backup, not on the chain.
    assert anyone.done("text", "export").out.count("\n") == 1
    anyone.done("backup", tmp_path / "backup")
    everywhere = [tmp_path / "backup", *anyone.home.glob("mirror-*"), *anyone.home.glob("chain/*")]
    one = secret["clauses"][0]
    for path in everywhere:
        content = path.read_bytes()
        for value in (one["salt"], one["sha256"]):
            assert value.encode() not in content
            assert bytes.fromhex(value) not in content
    shown = anyone.done("text", "show", "CN.GD", "1", "--json").json
    assert [each["sha256"] for each in shown["clauses"]] == [e["sha256"] for e in secret["clauses"]]
    salts.unlink()
    lost = anyone.done("text", "show", "CN.GD", "1").out
    assert "its clauses are salted" in lost


def test_an_interrupted_confidential_publication_is_the_same_act_again(
    user: User, laws: list[Path]
) -> None:
    first = published(publish(user, laws[0], "1", "--salted"))
    user.done("sync")
    again = user(
        "correct", laws[0], "--authority", "CN.GD", "--number", "1", "--salted"
    )  # the same document: no second act
    assert again.code == 1
    assert len(list((user.home / "salts").iterdir())) == 1
    assert first["salts"].endswith(next((user.home / "salts").iterdir()).name)


def test_what_can_not_be_read_is_published_all_the_same_with_a_note(
    user: User, tmp_path: Path
) -> None:
    path = tmp_path / "picture.bin"
    path.write_bytes(bytes(range(256)) * 8)
    done = publish(user, path, "1")
    assert published(done)["text"] is None
    assert "published without its text" in done.err
    assert "picture.bin" in done.err
    verdict = user.done("verify", path, "--json").json["files"][0]["verdict"]
    assert verdict["match"] == "exact"
    missing = user("text", "show", "CN.GD", "1")
    assert (missing.code, "no text is registered" in missing.err) == (2, True)


def test_no_text_leaves_it_out(user: User, laws: list[Path]) -> None:
    done = publish(user, laws[0], "1", "--no-text")
    assert (published(done)["text"], done.err) == (None, "")
    (entry,) = user.done("history", "CN.GD", "1", "--json").json["entries"]
    assert "text" not in entry["manifest"]["content"]
    wrong = user(
        "publish", laws[0], "--authority", "CN.GD", "--number", "2", "--no-text", "--salted"
    )
    assert wrong.code == 2


def test_without_the_libraries_it_is_published_with_one_note(
    user: User, laws: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from registry.errors import CouldNotCheck
    from registry.extraction.reader import TextReader

    def missing(*_given: object, **_more: object) -> None:
        raise CouldNotCheck("lxml is not installed", hint="pip install policy-registry[text]")

    monkeypatch.setattr(TextReader, "read", missing)
    index = tmp_path / "index.csv"
    rows = ["path,authority,number,title,language,type,issued,effective_from"]
    rows += [f"{path},CN.GD,{at},Law {at},en,law,2001-01-01," for at, path in enumerate(laws)]
    index.write_text("\n".join(rows) + "\n")
    done = user.done("import", index, "--root", laws[0].parent, "--json")
    assert (done.json["published"], done.json["without_text"]) == (len(laws), len(laws))
    assert done.err.count("lxml is not installed") == 1
    assert "pip install" in done.err


def test_an_import_registers_what_each_of_its_documents_says(
    anyone: User, laws: list[Path], tmp_path: Path
) -> None:
    index = tmp_path / "index.csv"
    rows = ["path,authority,number,title,language,type,issued,effective_from"]
    rows += [f"{path.name},CN.GD,{at},Law {at},en,law,2001-01-01," for at, path in enumerate(laws)]
    index.write_text("\n".join(rows) + "\n")
    given = ("import", index, "--root", laws[0].parent, "--keep-document", "--json")
    assert anyone.done(*given).json["published"] == len(laws)
    header, *_ = anyone.done("text", "export").out.splitlines()
    assert orjson.loads(header)["lists"] == len(laws)
    assert anyone.done(*given).json["already_present"] == len(laws)
    without_mirror(anyone)
    anyone.done("sync")
    assert anyone.done("text", "rebuild", "--json").json["rebuilt"] == len(laws)


def test_members_of_a_collection_have_their_texts_too(
    user: User, laws: list[Path], tmp_path: Path
) -> None:
    folder = tmp_path / "laws"
    folder.mkdir()
    for path in laws:
        shutil.copy(path, folder)
    (folder / "picture.bin").write_bytes(bytes(range(256)) * 8)
    about = ("--authority", "CN.GD", "--number", "all", "--title-en", "All laws")
    done = user.done("publish-collection", folder, *about, "--keep-document", "--json")
    assert "picture.bin" in done.err
    lists = user.done("text", "export").out
    assert orjson.loads(lists.splitlines()[0])["lists"] == len(laws)
    without_mirror(user)
    user.done("sync")
    assert user.done("text", "export").out.count("\n") == 1
    user.done("collection", "import", done.json["collection"]["file"])
    assert user.done("text", "rebuild", "--json").json["rebuilt"] == len(laws)
    assert user.done("text", "export").out == lists
    with running(Settings(home=user.home)) as client:
        digest = sha256(laws[0].read_bytes()).hex()
        found = client.get(f"/v1/documents/{digest}/text").json()
        assert found["member"] is not None
        assert len(found["clauses"]) == found["text"]["clauses"]


def test_a_refused_act_leaves_no_list_behind(user: User, laws: list[Path]) -> None:
    about = ("--authority", "CN.GD", "--number", "1", "--title-en", "Law")
    refused = user("amend", laws[0], *about)
    assert refused.code == 1
    assert "0 clause_lists, 0 clauses" in user.done("fsck").out


def test_a_backup_carries_the_lists(user: User, laws: list[Path], tmp_path: Path) -> None:
    for path in laws:
        publish(user, path, path.name)
    lists = user.done("text", "export").out
    user.done("backup", tmp_path / "backup")
    without_mirror(user)
    user.done("restore", tmp_path / "backup")
    user.done("sync")
    assert user.done("text", "export").out == lists


def test_a_file_is_shown_beside_what_is_registered(
    user: User, laws: list[Path], tmp_path: Path
) -> None:
    publish(user, laws[0], "1")
    shown = user.done("text", "show", laws[0])
    assert "registered with this text and these clauses" in shown.out
    assert "no text is registered" in user.done("text", "show", laws[1]).out
    nowhere = User(tmp_path / "nowhere", {})
    alone = nowhere.done("text", "show", laws[0])
    assert "not compared with the registry" in alone.out
    clauses = nowhere.done("text", "show", laws[0], "--json").json["clauses"]
    assert len(clauses) == user.done("text", "show", "CN.GD", "1", "--json").json["text"]["clauses"]


def test_an_act_that_is_signed_elsewhere_says_it_too(user: User, laws: list[Path]) -> None:
    kit, act = user.home.parent / "kit.json", user.home.parent / "act.json"
    user.done("sign", "kit", "--authority", "CN.GD", "-o", kit)
    about = ("--authority", "CN.GD", "--number", "1", "--title-en", "Law", "--kit", kit)
    password = str(user.home / "keys" / "development.password")
    keystore = str(user.home / "keys" / "development.json")
    given = {"POLREG_KEYSTORE": keystore, "POLREG_PASSWORD_FILE": password}
    signing = User(user.home.parent / "signing", given)
    assert "clauses" in signing.done("sign", "publish", laws[0], *about, "-o", act).out
    user.done("relay", act)
    shown = user.done("text", "show", "CN.GD", "1", "--json").json
    assert (shown["text"]["clauses"] > 1, shown["clauses"]) == (True, None)
    assert user.done("text", "rebuild", laws[0], "--json").json["rebuilt"] == 1
