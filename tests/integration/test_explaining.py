"""What a user learns of files that were altered, saved again, or amended, from the command line
and over HTTP: on real laws of the corpus."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from registry.config import Settings
from tests.conftest import CORPUS
from tests.integration.api_registry import running
from tests.integration.command_line import User

LAW = "北京市优化营商环境条例"
FIRST, SECOND = (CORPUS / f"cn/bj/{LAW}({day}).md" for day in ("2020-03-27", "2024-11-29"))
OTHER = CORPUS / "cn/bj/北京市旅游管理条例.md"
UNREGISTERED = CORPUS / "cn/bj/北京市审计条例(2017-09-22).md"
AMPHITHEATER = CORPUS / "dc/23-100.xml"
STREET = CORPUS / "dc/23-1.xml"
POLICY = ("CN.BJ", LAW)


@dataclass(frozen=True)
class Office:
    """A registrar's home folder, and where a user keeps files."""

    user: User
    folder: Path

    def file(self, name: str, content: bytes | str) -> Path:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def verdict(self, path: Path, *more: str) -> tuple[int, Any]:
        outcome = self.user("verify", path, *more, "--json")
        return outcome.code, outcome.json["files"][0]["verdict"]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """A law with two versions and their texts kept, another of which hashes alone are known, a D.C.
    law, and a confidential document."""
    folder = tmp_path_factory.mktemp("office")
    user = User(folder / "home", {})
    user.done("init")
    for code in ("CN.BJ", "US.DC"):
        user.done("authority", "open", code, "--parents", "--name-en", code)
    law = ("--authority", "CN.BJ", "--number", LAW, "--title-zh", LAW)
    user.done("publish", FIRST, *law, "--issued", "2020-03-27", "--keep-document")
    user.done("amend", SECOND, *law, "--issued", "2024-11-29", "--keep-document")
    user.done("publish", OTHER, "--authority", "CN.BJ", "--number", "2", "--title-zh", "旅游")
    user.done("publish", AMPHITHEATER, "--authority", "US.DC", "--number", "3", "--title-en", "A")
    office = Office(user, folder)
    budget = office.file("budget.md", "1. The budget is 5 million.\n\n2. Nobody is to know.\n")
    user.done(
        "publish", budget, "--authority", "US.DC", "--number", "4", "--title-en", "B", "--salted"
    )
    return office


def test_the_same_text_in_other_bytes_is_said_to_be_that_and_is_not_verified(
    office: Office,
) -> None:
    crlf = office.file("crlf.md", SECOND.read_bytes().replace(b"\n", b"\r\n"))
    code, found = office.verdict(crlf)
    assert (code, found["match"], found["standing"], found["registrations"]) == (
        1, "same_text", None, [],
    )  # fmt: skip
    (same,) = found["text"]["same_as"]
    assert same["name"] == SECOND.name
    assert same["differs_in"] == ["line ends: CRLF, registered LF"]
    assert same["shown_by_digest"]
    (registration,) = same["registrations"]
    assert (registration["standing"], registration["version"]) == ("in_force", 2)
    assert office.verdict(crlf, "--accept-same-text")[0] == 0
    older = office.file("older.md", b"\xef\xbb\xbf" + FIRST.read_bytes())
    assert office.verdict(older, "--accept-same-text")[0] == 4
    said = office.user("verify", crlf).out
    assert "same text" in said
    assert "differs in: line ends: CRLF, registered LF" in said
    assert "--accept-same-text" in said


def test_one_changed_character_is_found_in_its_article(office: Office) -> None:
    text = SECOND.read_text("utf-8").replace("健全优化营商环境", "健全劣化营商环境", 1)
    assert text != SECOND.read_text("utf-8")
    code, found = office.verdict(office.file("edited.md", text))
    altered = found["text"]["altered_from"]
    assert (code, found["match"]) == (1, "altered")
    assert altered["name"] == SECOND.name
    (clause,) = altered["comparison"]["clauses"]
    assert clause["change"] == "changed"
    assert [run["text"] for run in clause["redline"] if run["kind"] != "same"] == ["优", "劣"]
    assert altered["comparison"]["counts"]["changed"] == 1
    said = office.user("verify", office.folder / "edited.md").out
    assert f"changed     {clause['label']}" in said
    assert "[-优-]{+劣+}" in said


def test_every_article_that_is_changed_is_the_one_that_is_named(office: Office) -> None:
    lines = OTHER.read_text("utf-8").splitlines()
    articles = [at for at, line in enumerate(lines) if line.startswith("第") and "条 " in line[:8]]
    assert len(articles) > 20
    for at in articles[::5]:
        edited = [*lines]
        edited[at] = lines[at][:-1] + "！"
        _, found = office.verdict(office.file("one.md", "\n".join(edited)))
        altered = found["text"]["altered_from"]["comparison"]
        assert found["match"] == "altered"
        # Only hashes are known of this law.
        assert not altered["old_text_known"]
        assert [(each["change"], each["label"]) for each in altered["clauses"]] == [
            ("changed", lines[at].split(" ")[0])
        ]


def test_an_altered_copy_of_a_very_long_text_is_found_as_that_of_a_short_one(
    user: User, tmp_path: Path
) -> None:
    """Of so many clauses only some are looked for."""
    code, copy = tmp_path / "code.txt", tmp_path / "copy.txt"
    lines = [f"The fee of {number * 7} is due." for number in range(1, 12_001)]
    code.write_text("\n".join(lines))
    user.done("publish", code, "--authority", "CN.GD", "--number", "1", "--title-en", "Code")
    lines[6_000] += " It is doubled."
    copy.write_text("\n".join(lines))
    found = user("verify", copy, "--json").json["files"][0]["verdict"]
    assert found["match"] == "altered"
    changed = found["text"]["altered_from"]["comparison"]["clauses"]
    assert [(each["change"], each["label"]) for each in changed] == [("changed", "¶ 6001")]


def test_laws_that_share_formulas_alone_are_unknown(office: Office) -> None:
    for path in (UNREGISTERED, STREET):
        code, found = office.verdict(path)
        assert (code, found["match"]) == (1, "unknown")
        assert found["text"]["altered_from"] is None
    assert "unknown: this exact file is not in the registry" in office.user("verify", STREET).out


def test_a_text_that_can_not_be_read_changes_nothing_of_what_is_said_of_the_bytes(
    office: Office,
) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"<" * (64 << 20))
    for name, content in (("bytes.bin", bytes(range(256))), ("bomb.docx", bomb.getvalue())):
        code, found = office.verdict(office.file(name, content))
        assert (code, found["match"]) == (1, "unknown")
        assert found["text"]["note"].startswith("its text was not read: ")
    assert office.verdict(office.folder / "bytes.bin", "--no-text")[1]["text"] is None


def test_a_version_that_is_named_is_compared_whatever_it_shares(office: Office) -> None:
    edited = office.file("again.md", SECOND.read_text("utf-8").replace("营商", "商业"))
    _, found = office.verdict(edited, "--against", f"CN.BJ {LAW}@1")
    assert found["text"]["altered_from"]["registrations"][0]["version"] == 1
    assert found["text"]["altered_from"]["comparison"]["counts"]["changed"] > 20
    code, found = office.verdict(UNREGISTERED, "--against", "CN.BJ 2")
    assert code == 1
    assert found["text"]["altered_from"] or "has no clause" in found["text"]["note"]
    wrong = office.user("verify", edited, "--against", "CN.BJ nothing")
    assert wrong.code == 2
    assert office.user("verify", edited, "--against", f"CN.BJ {LAW}@7").code == 2
    assert office.user("verify", edited, "--no-text", "--accept-same-text").code == 2


def test_a_confidential_document_is_compared_where_its_salts_are(office: Office) -> None:
    said = "1. The budget is 6 million.\n\n2. Nobody is to know.\n"
    leaked = office.file("leaked.md", said)
    # Its hashes find nothing: nobody can guess a clause from them.
    assert office.verdict(leaked)[1]["match"] == "unknown"
    code, found = office.verdict(leaked, "--against", "US.DC 4")
    counts = found["text"]["altered_from"]["comparison"]["counts"]
    assert (code, found["match"], counts["changed"], counts["unchanged"]) == (1, "altered", 1, 1)
    same = office.file("spaced.md", said.replace("6", "5").replace(" ", "  "))
    assert office.verdict(same)[1]["match"] == "same_text"


def test_two_versions_of_a_law_are_compared(office: Office) -> None:
    found = office.user.done("diff", *POLICY, "--json").json
    assert (found["old"]["version"], found["new"]["version"]) == (1, 2)
    by_label = {each["new_label"]: each for each in found["clauses"] if each["new_label"]}
    # By eye: the sixth article is new; those after it were renumbered, some of them edited.
    assert by_label["第六条"]["change"] == "added"
    assert (by_label["第七条"]["change"], by_label["第七条"]["old_label"]) == ("moved", "第六条")
    assert (by_label["第九条"]["change"], by_label["第九条"]["old_label"]) == ("changed", "第八条")
    assert by_label["第二条"]["places"] == ["第一款", "第二款"]
    said = office.user.done("diff", *POLICY).out
    assert "renumbered  第六条 to 第七条 are now 第七条 to 第八条" in said
    page = office.folder / "diff.html"
    office.user.done("diff", *POLICY, "--html", page)
    assert "<ins>" in page.read_text("utf-8")
    backwards = office.user.done("diff", *POLICY, "--from", "2", "--to", "1", "--json").json
    assert backwards["counts"]["missing"] == found["counts"]["added"]


def test_what_can_not_be_compared_is_said(office: Office) -> None:
    assert "first document" in office.user("diff", "CN.BJ", "2").err
    assert "there is no version 7" in office.user("diff", *POLICY, "--from", "7").err
    other = office.user("diff", *POLICY, "--old", OTHER)
    assert other.code == 1
    assert "is not the document of version 1" in other.err
    given = office.user.done("diff", *POLICY, "--old", FIRST, "--new", SECOND, "--json").json
    assert given["counts"] == office.user.done("diff", *POLICY, "--json").json["counts"]
    salted = office.user("blame", "US.DC", "4")
    assert salted.code == 3
    assert "salted" in salted.err


def test_each_clause_is_traced_to_the_version_that_changed_it(office: Office) -> None:
    found = office.user.done("blame", *POLICY, "--json").json
    by_label = {each["label"]: each for each in found["clauses"]}
    assert (by_label["第一条"]["version"], by_label["第一条"]["change"]) == (2, "changed")
    assert by_label["第七条"]["version"] == 1
    assert by_label["第七条"]["renumbered"]["former_label"] == "第六条"
    said = office.user.done("blame", *POLICY).out
    assert "第七条 (was 第六条 before version 2)" in said


@pytest.fixture(scope="module")
def client(office: Office) -> Iterator[httpx.Client]:
    with running(Settings(home=office.user.home)) as found:
        yield found


def test_the_api_says_what_the_command_line_says(office: Office, client: httpx.Client) -> None:
    text = SECOND.read_text("utf-8").replace("健全优化营商环境", "健全劣化营商环境", 1)
    path = office.file("sent.md", text)
    sent = {"file": ("sent.md", path.read_bytes())}
    plain = client.post("/v1/verify", files=sent).json()["files"][0]
    assert (plain["match"], plain["text"]) == ("unknown", None)
    explained = client.post("/v1/verify?text=true", files=sent).json()["files"][0]
    _, expected = office.verdict(path)
    assert explained["match"] == "altered"
    assert explained["text"] == expected["text"]
    policy = expected["text"]["altered_from"]["registrations"][0]["policy_id"]
    against = client.post(f"/v1/verify?text=true&against={policy}&version=1", files=sent).json()
    assert against["files"][0]["text"]["altered_from"]["registrations"][0]["version"] == 1
    diff = client.get(f"/v1/policies/{policy}/diff?unchanged=true").json()
    same = office.user.done("diff", *POLICY, "--json").json
    assert diff["clauses"] == same["clauses"]
    blamed = client.get(f"/v1/policies/{policy}/blame").json()
    assert blamed["clauses"] == office.user.done("blame", *POLICY, "--json").json["clauses"]


def test_what_the_api_can_not_explain_it_says(office: Office, client: httpx.Client) -> None:
    large = {"file": ("large.txt", b"a line\n" * (5 << 20))}
    found = client.post("/v1/verify?text=true", files=large).json()["files"][0]
    assert (found["match"], found["text"]["same_as"]) == ("unknown", [])
    assert "larger than this server reads" in found["text"]["note"]
    small = {"file": ("a.txt", b"x")}
    assert client.post("/v1/verify?against=77d2c788", files=small).status_code == 400
    assert client.post("/v1/verify?text=true&version=1", files=small).status_code == 400
    assert client.post("/v1/verify?text=true&against=77d2c788", files=small).status_code == 404
    salted = office.user.done("show", "US.DC", "4", "--json").json["policy"]["policy_id"]
    answer = client.get(f"/v1/policies/{salted}/blame")
    assert answer.status_code == 503
    assert answer.json()["type"].endswith("could-not-check")


def test_one_request_does_not_keep_a_server_s_readers_for_itself(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long each of its files takes to read: what is left is to be asked again."""
    monkeypatch.setattr("api.opened._SECONDS", -1)
    sent = {"file": ("a.md", "没有登记。".encode())}
    found = client.post("/v1/verify?text=true", files=sent).json()["files"][0]
    assert found["match"] == "unknown"
    assert "ask again" in found["text"]["note"]


def test_to_compare_a_registered_file_is_said_to_need_another_command(office: Office) -> None:
    told = office.user("verify", SECOND, "--against", "77d2c788")
    assert told.code == 0
    assert "polreg diff" in told.err
