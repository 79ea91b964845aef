"""A joint issue: the lead names who issues with it, and each of them says so itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.command_line import User

NUMBER = "1"


@pytest.fixture
def user(tmp_path: Path) -> User:
    found = User(tmp_path / "home", {})
    found.done("init")
    for code in ("CN.GD", "CN.GX", "CN.YN"):
        found.done("authority", "open", code, "--parents")
    return found


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "measures.md"
    path.write_text("# Measures\n", encoding="utf-8")
    return path


def publish(user: User, document: Path, *words: str, act: str = "publish") -> None:
    named = ("--authority", "CN.GD", "--number", NUMBER, "--title-en", "Measures")
    user.done(act, document, *named, *words)


def states(user: User) -> dict[str, str]:
    shown = user.done("show", "CN.GD", NUMBER, "--json").json["policy"]
    return {each["authority"]: each["state"] for each in shown["issuers"]}


def test_who_issues_a_document_and_who_has_not_said_so_is_shown(user: User, document: Path) -> None:
    publish(user, document, "--joint", "CN.GX", "--joint", "CN.YN")
    assert states(user) == {"CN.GD": "lead", "CN.GX": "missing", "CN.YN": "missing"}
    assert user("endorse", "CN.GD", NUMBER, "--as", "CN.GX").code == 0
    assert states(user) == {"CN.GD": "lead", "CN.GX": "endorsed", "CN.YN": "missing"}
    said = user.done("verify", document).out
    assert "issued by CN.GD, CN.GX (endorsed), CN.YN (not endorsed yet)" in said
    assert "not endorsed yet by CN.YN" in said
    lead, own = user.done("verify", document, "--json").json["files"][0]["verdict"]["registrations"]
    assert [each["state"] for each in lead["issuers"]] == ["lead", "endorsed", "missing"]
    assert (own["authority"], own["endorses"]) == ("CN.GX", lead["policy_id"])


def test_an_endorsement_is_of_one_document_and_follows_an_amendment(
    user: User, document: Path, tmp_path: Path
) -> None:
    publish(user, document, "--joint", "CN.GX")
    user.done("endorse", "CN.GD", NUMBER, "--as", "CN.GX")
    assert (
        "has endorsed this document already" in user("endorse", "CN.GD", "1", "--as", "CN.GX").err
    )
    later = tmp_path / "later.md"
    later.write_text("# Other measures\n", encoding="utf-8")
    publish(user, later, act="amend")
    shown = user.done("show", "CN.GD", NUMBER, "--json").json["policy"]
    assert [each["named"] for each in shown["issuers"]] == [True, True]
    assert states(user) == {"CN.GD": "lead", "CN.GX": "other_document"}
    user.done("endorse", "CN.GD", NUMBER, "--as", "CN.GX")
    assert states(user) == {"CN.GD": "lead", "CN.GX": "endorsed"}
    user.done("withdraw", "CN.GX", NUMBER, "--reason", "no longer")
    assert states(user) == {"CN.GD": "lead", "CN.GX": "ended"}


def test_whoever_endorses_unasked_is_shown_as_not_named(user: User, document: Path) -> None:
    publish(user, document)
    done = user("endorse", "CN.GD", NUMBER, "--as", "CN.YN", "--number", "Y 7")
    assert done.code == 0
    assert "does not name CN.YN" in done.err
    assert "CN.YN (endorsed, not named by the lead)" in user.done("show", "CN.GD", NUMBER).out


def test_what_can_not_be_endorsed_is_refused(user: User, document: Path) -> None:
    publish(user, document)
    assert "leads" in user("endorse", "CN.GD", NUMBER, "--as", "CN.GD").err
    user.done("endorse", "CN.GD", NUMBER, "--as", "CN.GX")
    assert "an endorsement itself" in user("endorse", "CN.GX", NUMBER, "--as", "CN.YN").err
    user.done("repeal", "CN.GD", NUMBER, "--reason", "done")
    assert "is repealed" in user("endorse", "CN.GD", NUMBER, "--as", "CN.YN").err


def test_the_document_of_the_authority_that_is_meant_is_asked_for(
    user: User, document: Path
) -> None:
    """Whoever records a file first leads its answer, unless one says whose it is to be."""
    publish(user, document)
    user.done("publish", document, "--authority", "CN.YN", "--number", "9", "--title-en", "M")
    user.done("repeal", "CN.GD", NUMBER, "--reason", "done")
    assert user("verify", document).code == 4
    assert user("verify", document, "--authority", "CN.YN").code == 0
    other = user("verify", document, "--authority", "CN.GX")
    assert other.code == 1
    assert "not by CN.GX: this exact file is registered, by CN.GD, CN.YN" in other.out
    (answer,) = user("verify", document, "--authority", "CN.GX", "--json").json["files"]
    verdict = answer["verdict"]
    assert (verdict["expected_authority"], verdict["standing"]) == ("CN.GX", None)
