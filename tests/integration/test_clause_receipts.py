"""One article, proved to whoever has its text and the receipt, and not the law."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import CORPUS
from tests.integration.command_line import User

LAW = CORPUS / "cn/bj/北京市优化营商环境条例(2024-11-29).md"
NUMBER = "北京市优化营商环境条例"
SECRET = (
    "# Plan\n\nSection 1. Title\n\nSection 2. The budget is 5 million.\n\n(a) For roads.\n\n"
    "(b) For schools.\n\nSection 3. Nobody is to know.\n"
)


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> User:
    folder = tmp_path_factory.mktemp("clauses")
    user = User(folder / "home", {})
    user.done("init")
    user.done("authority", "open", "CN.BJ", "--parents", "--name-en", "Beijing")
    law = ("--authority", "CN.BJ", "--number", NUMBER, "--title-zh", NUMBER)
    user.done("publish", LAW, *law)
    secret = folder / "plan.md"
    secret.write_text(SECRET, "utf-8")
    user.done(
        "publish", secret, "--authority", "CN.BJ", "--number", "S", "--title-en", "S", "--salted"
    )
    bare = folder / "bare.txt"
    bare.write_text("Article 1. No text is registered of this.\n", "utf-8")
    user.done(
        "publish", bare, "--authority", "CN.BJ", "--number", "B", "--title-en", "B", "--no-text"
    )
    return user


def article(label: str) -> str:
    lines = LAW.read_text("utf-8").splitlines()
    return next(line for line in lines if line.startswith(f"{label} "))


def test_an_article_is_proved_without_the_law(user: User, tmp_path: Path) -> None:
    receipt, text = tmp_path / "receipt.json", tmp_path / "article.txt"
    user.done("prove", LAW, "--clause", "第5条", "-o", receipt)
    text.write_text(article("第五条"), "utf-8")
    shown = receipt.read_text("utf-8")
    assert article("第五条") in shown
    assert article("第六条") not in shown
    found = user.done("verify", text, "--receipt", receipt, "--json").json["files"][0]["verdict"]
    assert (found["match"], found["evidence"]["source"]) == ("same_text", "chain")
    assert found["text"]["clauses_of"]["labels"] == ["第五条"]
    assert found["text"]["clauses_of"]["registrations"][0]["standing"] == "in_force"
    assert found["evidence"]["steps"][-1].startswith("13: ")
    said = user.done("verify", text, "--receipt", receipt).out
    assert "a part of a registered document: this is what its 第五条 says" in said
    # The law itself verifies by it, too; the registry itself knows no article as a file.
    assert "exact: as published" in user.done("verify", LAW, "--receipt", receipt).out
    assert user("verify", text).code == 1


def test_an_article_of_which_a_character_was_changed_is_not_verified(
    user: User, tmp_path: Path
) -> None:
    receipt, text = tmp_path / "receipt.json", tmp_path / "article.txt"
    user.done("prove", LAW, "--clause", "第五条", "-o", receipt)
    altered = article("第五条").replace("鼓励", "反对", 1)
    text.write_text(altered, "utf-8")
    refused = user("verify", text, "--receipt", receipt)
    assert refused.code == 1
    assert "nor does the file say what clause 第五条 says" in refused.err
    forged = receipt.read_text("utf-8").replace(article("第五条"), altered)
    receipt.write_text(forged, "utf-8")
    refused = user("verify", text, "--receipt", receipt)
    assert refused.code == 1
    assert "step 13: the clause '第五条' is not the registered one" in refused.err


def test_of_a_confidential_document_one_section_is_shown_with_what_is_below_it(
    user: User, tmp_path: Path
) -> None:
    receipt, text = tmp_path / "receipt.json", tmp_path / "section.txt"
    secret = next(user.home.parent.glob("plan.md"))
    user.done("prove", secret, "--clause", "Sec. 2", "-o", receipt)
    text.write_text("Section 2. The budget is 5 million. (a) For roads. (b) For schools.", "utf-8")
    found = user.done("verify", text, "--receipt", receipt, "--json").json["files"][0]["verdict"]
    assert len(found["text"]["clauses_of"]["labels"]) >= 1
    assert "Nobody is to know" not in receipt.read_text("utf-8")
    text.write_text("Section 2. The budget is 6 million. (a) For roads. (b) For schools.", "utf-8")
    assert user("verify", text, "--receipt", receipt).code == 1


def test_what_can_not_be_proved_is_said(user: User, tmp_path: Path) -> None:
    output = ("-o", tmp_path / "receipt.json")
    unknown = user("prove", LAW, "--clause", "第五百条", *output)
    assert unknown.code == 2
    assert "has no clause '第五百条'" in unknown.err
    assert user("prove", "CN.BJ", NUMBER, "--clause", "第五条", *output).code == 2
    bare = user.home.parent / "bare.txt"
    without = user("prove", bare, "--clause", "Article 1", *output)
    assert without.code == 3
    assert "no manifest says which clauses" in without.err
    other = tmp_path / "other.md"
    other.write_text(LAW.read_text("utf-8") + "。", "utf-8")
    assert user("prove", other, "--clause", "第五条", *output).code == 1
    assert not (tmp_path / "receipt.json").exists()


def test_a_receipt_says_of_a_copy_that_it_says_the_same(user: User, tmp_path: Path) -> None:
    receipt, copy = tmp_path / "receipt.json", tmp_path / "copy.md"
    user.done("prove", LAW, "-o", receipt)
    copy.write_bytes(LAW.read_bytes().replace(b"\n", b"\r\n"))
    outcome = user("verify", copy, "--receipt", receipt, "--json")
    found = outcome.json["files"][0]["verdict"]
    assert (outcome.code, found["match"]) == (1, "same_text")
    assert found["text"]["same_as"][0]["differs_in"] == ["line ends: CRLF, registered LF"]
    assert user("verify", copy, "--receipt", receipt, "--accept-same-text").code == 0
    assert user("verify", copy, "--receipt", receipt, "--no-text").code == 1
    copy.write_text("第一条 另一个文本。", "utf-8")
    assert user("verify", copy, "--receipt", receipt).code == 1
