"""Many documents, one entry: from a folder or an index to receipts of each, and to other
mirrors."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from registry.config import Settings
from registry.core.digest import sha256
from tests.integration.api_registry import running
from tests.integration.command_line import Outcome, User
from tests.integration.test_log_export import without_mirror

ABOUT = ("--authority", "CN.GD", "--number", "back catalogue", "--title-en", "Back catalogue")
COLLECTION = ("CN.GD", "back catalogue")
INDEX = "path,authority,number,title,language,type,issued,effective_from"
MEMBERS = 300
"""More than a group of the tree has, so that paths go beyond one."""


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """An index of documents, two of them with dates of their own."""
    (tmp_path / "files").mkdir()
    rows = [INDEX]
    for number in range(MEMBERS):
        (tmp_path / f"files/{number}.md").write_text(f"The text of {number}.\n")
        starts = "2190-01-01" if number == 7 else ""
        rows.append(
            f"files/{number}.md,CN.GD,No. {number},水法 {number},zh,law,2001-01-01,{starts}"
        )
    path = tmp_path / "index.csv"
    path.write_text("\n".join(rows) + "\n", "utf-8")
    return path


@pytest.fixture
def published(user: User, index: Path) -> User:
    user.done("publish-collection", index, *ABOUT, "--issued", "2020-01-01")
    return user


def verdict(outcome: Outcome) -> dict[str, object]:
    found: dict[str, object] = outcome.json["files"][0]["verdict"]
    return found


def test_each_member_verifies_and_says_of_what_it_is_one(published: User, tmp_path: Path) -> None:
    checked = published.done("verify", tmp_path / "files/299.md")
    assert "exact: as published · in force" in checked.out
    assert "member 300 of the 300 of the collection Back catalogue (back catalogue)" in checked.out
    assert "CN.GD No. 299, version 1 of 1, member" in checked.out
    assert published("verify", tmp_path / "files/7.md").code == 4
    (tmp_path / "other.md").write_text("another")
    assert published("verify", tmp_path / "other.md").code == 1
    published.done("repeal", *COLLECTION, "--reason", "done")
    ended = published("verify", tmp_path / "files/299.md", "--json")
    assert (ended.code, verdict(ended)["standing"]) == (4, "repealed")


@pytest.mark.parametrize("number", [0, 255, 256, 299])
def test_each_member_has_a_receipt_with_two_paths(
    published: User, tmp_path: Path, number: int
) -> None:
    file, receipt = tmp_path / f"files/{number}.md", tmp_path / "receipt.json"
    published.done("prove", file, "-o", receipt)
    fields = json.loads(receipt.read_bytes())
    assert (fields["member"]["index"], fields["member"]["size"]) == (number, MEMBERS)
    checked = published.done("verify", file, "--receipt", receipt)
    assert f"member {number + 1} of the 300" in checked.out
    neighbour = tmp_path / f"files/{number - 1 if number else 1}.md"
    assert published("verify", neighbour, "--receipt", receipt).code == 1


def test_members_are_found_and_listed(published: User) -> None:
    found = published.done("search", "水法 123", "--json").json
    assert [each["number"] for each in found["members"]] == ["No. 123"]
    assert found["members"][0]["collection"]["index"] == 123
    assert found["policies"] == []
    assert "(member of back catalogue)" in published.done("search", "水法 123").out
    listed = published.done(
        "collection", "members", *COLLECTION, "--after", "255", "--limit", "2", "--json"
    ).json
    assert [each["collection"]["index"] for each in listed["members"]] == [255, 256]
    assert listed["more"]
    assert "300 members" in published.done("collection", "list").out


def test_a_snapshot_has_them_in_a_file_of_its_own(published: User, tmp_path: Path) -> None:
    plain, file = tmp_path / "snapshot.ndjson", tmp_path / "members.ndjson"
    published.done("snapshot", "-o", plain)
    published.done("snapshot", "verify", plain)
    (row,) = (json.loads(line) for line in plain.read_bytes().splitlines()[1:])
    published.done("snapshot", "--members", "--in-force-on", "2026-01-01", "-o", file)
    header, *rows = (json.loads(line) for line in file.read_bytes().splitlines())
    assert header["schema"] == "policy-registry/member-snapshot/1"
    # The one that applies from 2190 on is left out.
    assert header["count"] == len(rows) == MEMBERS - 1
    assert [each["member"] for each in rows] == [n for n in range(MEMBERS) if n != 7]
    for each in rows:
        assert (each["collection"], each["policy_id"]) == (row["document"], row["policy_id"])
    assert (rows[1]["number"], rows[1]["title_zh"]) == ("No. 1", "水法 1")
    assert rows[1]["document"] == sha256((tmp_path / "files/1.md").read_bytes()).hex()
    published.done("snapshot", "--members", "--format", "csv", "-o", tmp_path / "members.csv")
    with (tmp_path / "members.csv").open(newline="", encoding="utf-8") as written:
        assert len(list(csv.DictReader(written))) == MEMBERS
    without_mirror(published).done("sync")
    assert published("snapshot", "--members").code == 3
    published.done("snapshot", "-o", tmp_path / "again.ndjson")
    assert (tmp_path / "again.ndjson").read_bytes() == plain.read_bytes()


def test_its_members_go_to_another_mirror_and_are_compared_with_the_log(
    published: User, tmp_path: Path, databases: Callable[[], str]
) -> None:
    file, one = tmp_path / "members.ndjson", tmp_path / "files/5.md"
    published.done("collection", "export", *COLLECTION, "-o", file)
    (kept,) = (published.home / "collections").iterdir()
    assert file.read_bytes() == kept.read_bytes()
    there = {"POLREG_DATABASE_URL": databases()}
    published.done("sync", **there)
    missed = published("verify", one, **there)
    assert missed.code == 3
    assert "the members of 1 collection(s) are not known here" in missed.out
    assert published("prove", one, **there).code == 3
    assert published("collection", "export", *COLLECTION, **there).code == 3
    altered = tmp_path / "altered.ndjson"
    altered.write_bytes(file.read_bytes().replace(b"No. 5\\", b"No. 6\\"))
    refused = published("collection", "import", altered, **there)
    assert (refused.code, "have the root" in refused.err) == (1, True)
    assert published("verify", one, **there).code == 3
    published.done("collection", "import", file, **there)
    published.done("verify", one, **there)
    again = published.done("collection", "import", file, "--json", **there).json
    assert not again["new"]
    published.done("collection", "export", *COLLECTION, "-o", tmp_path / "back.ndjson", **there)
    assert (tmp_path / "back.ndjson").read_bytes() == file.read_bytes()
    published.done("fsck", **there)


def test_members_of_no_entry_are_refused(user: User, index: Path, tmp_path: Path) -> None:
    elsewhere = User(tmp_path / "elsewhere", {})
    shutil.copytree(user.home, elsewhere.home)
    file = tmp_path / "members.ndjson"
    user.done("publish-collection", index, *ABOUT, "-o", file)
    refused = elsewhere("collection", "import", file)
    assert (refused.code, "no entry of the log is a collection" in refused.err) == (1, True)


def test_they_are_gone_with_the_mirror_and_a_backup_has_them(
    published: User, tmp_path: Path
) -> None:
    one, backup = tmp_path / "files/5.md", tmp_path / "mirror.backup"
    published.done("backup", backup)
    without_mirror(published).done("sync")
    assert published("verify", one).code == 3
    published.done("restore", backup, "--replace")
    published.done("sync")
    published.done("verify", one)
    published.done("fsck")


def test_a_file_that_can_not_be_a_member_stops_all(user: User, tmp_path: Path, index: Path) -> None:
    index.write_text(index.read_text("utf-8").replace("No. 9,", "No. 8,"), "utf-8")
    (tmp_path / "files/3.md").unlink()
    (tmp_path / "files/4.md").write_text("")
    (tmp_path / "files/6.md").write_text((tmp_path / "files/5.md").read_text())
    refused = user("publish-collection", index, *ABOUT, "--json")
    assert refused.code == 1
    reasons = {each["line"]: each["reason"] for each in refused.json["refused"]}
    assert list(reasons) == [5, 6, 8, 11]
    assert "there is no such file" in reasons[5]
    assert "empty" in reasons[6]
    assert "the same document as line 7" in reasons[8]
    assert "of the same number as line 10" in reasons[11]
    assert "there is none" in user.done("collection", "list").out


def test_run_again_it_goes_on_where_it_was_cut_off(user: User, index: Path, tmp_path: Path) -> None:
    """Killed between the entry and the members: nothing is published twice."""
    words = ("publish-collection", index, *ABOUT, "--json")
    first = user.done(*words).json
    without_mirror(user)
    again = user.done(*words).json
    assert first["collection"] == again["collection"]
    assert again["published"] is None
    user.done("verify", tmp_path / "files/5.md")
    assert len(user.done("history", *COLLECTION, "--json").json["entries"]) == 1


def test_a_folder_is_a_collection_and_the_next_version_amends_it(
    user: User, tmp_path: Path
) -> None:
    folder = tmp_path / "laws"
    (folder / "1990").mkdir(parents=True)
    for name in ("1990/water.md", "fire.md"):
        (folder / name).write_text(f"On {name}.\n")
    user.done("publish-collection", folder, *ABOUT, "--issued", "2000-01-01")
    (folder / "air.md").write_text("On air.\n")
    (folder / "fire.md").unlink()
    user.done(
        "publish-collection", folder, "--amend", *ABOUT, "--issued", "2010-01-01",
    )  # fmt: skip
    kept = user.done("verify", folder / "1990/water.md", "--json")
    registrations = verdict(kept)["registrations"]
    assert [each["version"] for each in registrations] == [2, 1]  # type: ignore[attr-defined]
    assert verdict(kept)["standing"] == "in_force"
    (tmp_path / "fire.md").write_text("On fire.md.\n")
    dropped = user("verify", tmp_path / "fire.md", "--json")
    assert (dropped.code, verdict(dropped)["standing"]) == (4, "amended")


def test_the_api_answers_of_members(published: User, tmp_path: Path) -> None:
    with running(Settings(home=published.home)) as client:
        (collection,) = client.get("/v1/collections").json()["collections"]
        assert (collection["members"], collection["held"]) == (MEMBERS, True)
        root = collection["root"]
        found = client.get("/v1/members", params={"text": "水法 12", "limit": 5}).json()
        assert len(found["members"]) == 5
        more = client.get(
            "/v1/members", params={"text": "水法 12", "limit": 200, "after": found["next"]}
        ).json()
        numbers = [each["number"] for each in found["members"] + more["members"]]
        assert numbers == [f"No. {n}" for n in range(MEMBERS) if "12" in str(n)]
        assert more["next"] is None
        sha256 = found["members"][0]["sha256"]
        answer = client.get(f"/v1/documents/{sha256}").json()
        assert answer["registrations"][0]["collection"]["root"] == root
        receipt = client.get(f"/v1/documents/{sha256}/receipt")
        (tmp_path / "r.json").write_bytes(receipt.content)
        published.done("verify", tmp_path / "files/12.md", "--receipt", tmp_path / "r.json")
        file = client.get(f"/v1/collections/{root}")
        (kept,) = (published.home / "collections").iterdir()
        assert file.content == kept.read_bytes()
        assert client.get(f"/v1/collections/{'0' * 64}").status_code == 404
        published.done("snapshot", "--members", "-o", tmp_path / "snapshot.ndjson")
        plain = client.get("/v1/snapshot")
        members = client.get("/v1/snapshot", params={"members": "true"})
        assert members.content == (tmp_path / "snapshot.ndjson").read_bytes()
        assert members.headers["ETag"] != plain.headers["ETag"]
