"""The demonstration's data: valid for the registry, complete, and true to the source."""

from __future__ import annotations

import csv
import os
import re
from dataclasses import asdict
from datetime import date
from pathlib import Path

import pytest

from registry.core import manifest
from registry.core.authority import ancestors, check_code
from registry.core.calendar import parse_day
from registry.core.digest import sha256
from registry.core.policy import check_number, policy_key
from registry.demo import catalogue
from registry.demo.catalogue import AMENDMENT, REPEAL, DemoPolicy
from registry.errors import InputError, LocalFailure

SOURCE = Path(__file__).parents[3] / "shared" / "catalogue" / "policies.csv"
AUTHORITIES = {each.code: each for each in catalogue.authorities()}
POLICIES = {each.id: each for each in catalogue.policies()}
DOCUMENTS = [*(each.document_name for each in POLICIES.values()), AMENDMENT.document_name]

each_policy = pytest.mark.parametrize("policy", POLICIES.values(), ids=lambda each: each.id)


def articles(name: str) -> dict[str, str]:
    """The numbered articles of a document."""
    return dict(re.findall(r"^Article (\d+)\. (.+)$", catalogue.document(name).decode(), re.M))


def test_23_policies_are_published_and_one_is_a_draft() -> None:
    assert [each.id for each in POLICIES.values() if not each.published] == ["24"]
    assert len(POLICIES) == 24


def test_authority_codes_are_valid_and_parents_stand_before_their_children() -> None:
    seen: set[str] = set()
    for authority in AUTHORITIES.values():
        assert check_code(authority.code) == authority.code
        assert seen.issuperset(ancestors(authority.code))
        seen.add(authority.code)


def test_authorities_are_those_that_issue_and_those_above_them() -> None:
    issuing = {
        code
        for policy in POLICIES.values()
        for code in (policy.authority, *(each.code for each in policy.co_issuers))
    }
    assert set(AUTHORITIES) == issuing.union(*map(ancestors, issuing))


def test_authorities_are_told_apart_by_name_in_both_languages() -> None:
    assert len({each.name_en for each in AUTHORITIES.values()}) == len(AUTHORITIES)
    assert len({each.name_zh for each in AUTHORITIES.values()}) == len(AUTHORITIES)


def test_an_authority_profile_can_be_written() -> None:
    for each in AUTHORITIES.values():
        names = {"en": each.name_en, "zh": each.name_zh}
        assert manifest.profile_names(manifest.profile(each.code, names)) == names


@each_policy
def test_number_is_the_title_unchanged_by_normalisation(policy: DemoPolicy) -> None:
    assert check_number(policy.number) == policy.number
    assert policy.number == policy.title.get("zh", policy.title["en"])


def test_no_authority_has_one_number_twice() -> None:
    keys = [
        policy_key(code, policy.number)
        for policy in POLICIES.values()
        for code in (policy.authority, *(each.code for each in policy.co_issuers))
    ]
    assert len(set(keys)) == len(keys)


@each_policy
def test_a_manifest_of_the_policy_can_be_written(policy: DemoPolicy) -> None:
    fields = {
        "schema": manifest.SCHEMA,
        "authority": policy.authority,
        "number": policy.number,
        "action": "publish",
        "title": policy.title,
        "type": policy.type,
        "jurisdiction": policy.jurisdiction,
        "document": {
            "sha256": sha256(catalogue.document(policy.document_name)).hex(),
            "name": policy.document_name,
        },
        **({"issued": policy.issued} if policy.issued else {"issued_month": policy.issued_month}),
    }
    read = manifest.parse(manifest.canonical(fields))
    assert (read.issued is None) == (policy.issued is None)


def test_joint_issues_name_their_bodies() -> None:
    joint = {each.id: len(each.co_issuers) for each in POLICIES.values() if each.co_issuers}
    assert joint == {"17": 1, "18": 3}


def test_relations_are_a_citation_or_a_policy_of_the_catalogue() -> None:
    found = {each.id: list(map(asdict, each.relations)) for each in POLICIES.values()}
    commission = "Nanjing Economic and Information Commission"
    assert {policy: relations for policy, relations in found.items() if relations} == {
        "6": [{"type": "forwards", "policy": None, "citation": commission}],
        "11": [{"type": "implements", "policy": "10", "citation": None}],
    }


def test_documents_are_all_different() -> None:
    digests = {sha256(catalogue.document(name)) for name in DOCUMENTS}
    assert len(digests) == len(DOCUMENTS) == 25


def test_every_document_in_the_package_belongs_to_a_policy() -> None:
    folder = Path(catalogue.__file__).parent / "documents"
    assert sorted(path.name for path in folder.iterdir()) == sorted(DOCUMENTS)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document_has_articles_and_says_that_it_is_not_the_official_one(name: str) -> None:
    content = catalogue.document(name)
    assert b"\r" not in content
    assert content.endswith(b"It is not the official document.\n")
    assert 8 <= content.count(b"\n") <= 20
    assert list(articles(name)) == [str(n) for n in range(1, len(articles(name)) + 1)]
    assert 3 <= len(articles(name)) <= 6


@each_policy
def test_document_agrees_with_its_row(policy: DemoPolicy) -> None:
    text = catalogue.document(policy.document_name).decode()
    assert text.startswith(f"# {policy.title['en']}\n")
    assert policy.title.get("zh", "") in text
    assert f"{AUTHORITIES[policy.authority].name_en} ({policy.authority})" in text
    for each in policy.co_issuers:
        assert f"{each.name} ({each.code})" in text
    assert f"({policy.jurisdiction})" in text
    day = date.fromisoformat(policy.issued or f"{policy.issued_month}-01")
    assert f"{day:%B %Y}" in text
    assert (f"{day.day} {day:%B %Y}" in text) == (policy.issued is not None)


def test_the_amendment_changes_one_article_and_adds_the_one_that_says_so() -> None:
    policy = POLICIES[AMENDMENT.policy]
    before, after = articles(policy.document_name), articles(AMENDMENT.document_name)
    assert {label for label in before if before[label] != after[label]} == {"3"}
    (added,) = after.keys() - before.keys()
    assert "demonstration amendment" in after[added]
    day = date.fromisoformat(AMENDMENT.effective_from)
    assert f"{day.day} {day:%B %Y}" in after[added]
    assert policy.issued is not None
    assert parse_day(policy.issued) < parse_day(AMENDMENT.effective_from)


def test_the_repealed_policy_is_a_published_one_whose_year_has_ended() -> None:
    policy = POLICIES[REPEAL.policy]
    assert policy.published
    assert "2016" in policy.number
    assert REPEAL.effective_from == "2017-01-01"


def test_facts_are_those_of_the_source() -> None:
    if not SOURCE.is_file():
        absent = f"the source of the catalogue is not there: {'/'.join(SOURCE.parts[-3:])}"
        if os.environ.get("CI") == "true":
            pytest.fail(absent)
        pytest.skip(absent)
    with SOURCE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, strict=True))
    assert [each["id"] for each in rows] == list(POLICIES)
    for row in rows:
        policy = POLICIES[row["id"]]
        assert policy.title.get("zh", "") == row["title_zh"]
        assert policy.title["en"] == row["title_en"]
        assert policy.authority == row["authority"]
        assert policy.type == row["type"]
        assert policy.jurisdiction == row["jurisdiction"]
        assert (policy.issued or policy.issued_month) == row["issued"]
        assert policy.published == (row["status"] == "published")
        assert relation_as_the_source_writes_it(policy) == row["relation"]


def relation_as_the_source_writes_it(policy: DemoPolicy) -> str:
    joint = "; ".join(each.name for each in policy.co_issuers)
    relations = [f"{each.type}: {each.policy or each.citation}" for each in policy.relations]
    return "; ".join([f"joint: {joint}"] * bool(joint) + relations)


@pytest.mark.parametrize(
    "name", ["", "01-unknown.md", "../catalogue.csv", "documents", "1-x.md", "01-A.md", "01-a.md\n"]
)
def test_an_unknown_document_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="no document"):
        catalogue.document(name)


HEADER = (
    "id,authority,jurisdiction,number,title_zh,title_en,type,issued,issued_month,status,"
    "document,co_issuers,relations\n"
)
ROW = "1,CN,CN,A plan,,A plan,plan,,2016-10,published,01-a.md,,\n"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "columns"),
        ("\ufeff" + HEADER + ROW, "columns"),
        (HEADER + "\n" + ROW, "line 2: it has 0 cells"),
        (HEADER + ROW.replace("\n", ",\n"), "line 2: it has 14 cells"),
        (HEADER + ROW.replace("A plan,,", '"A plan"x,,'), "expected after"),
        (HEADER + ROW.replace("A plan", "A plan "), "white space"),
        (HEADER + ROW.replace("A plan", '"A\nplan"'), "line break"),
        (HEADER + ROW.replace("A plan", "A plane\u0301e"), "NFC"),
        (HEADER + ROW.replace("A plan", "A\u202eplan"), "U\\+202E"),
        (HEADER + ROW.replace("A plan,plan", ",plan"), "no title_en"),
        (HEADER + ROW.replace("1,CN,CN", "1,CN.XX,CN"), "CN.XX is not in authorities.csv"),
        (HEADER + ROW.replace("1,CN,CN", "01,CN,CN"), "not an id"),
        (HEADER + ROW.replace(",,2016-10", ",,"), "either issued or issued_month"),
        (HEADER + ROW.replace(",,2016-10", ",2016-10-01,2016-10"), "either issued"),
        (HEADER + ROW.replace(",,2016-10", ",2016-02-30,"), "does not exist"),
        (HEADER + ROW.replace("2016-10", "2016-13"), "not a month"),
        (HEADER + ROW.replace("published", "Published"), "not a status"),
        (HEADER + ROW.replace("01-a.md", "../a.md"), "not a document's name"),
        (HEADER + ROW.replace(",,\n", ",CN.MIIT,\n"), "pair joined by '='"),
        (HEADER + ROW.replace(",,\n", ",CN=Itself,\n"), "CN has the number 'A plan' twice"),
        (HEADER + ROW.replace(",,\n", ",,resembles:1\n"), "not a type of relation"),
        (HEADER + ROW.replace(",,\n", ",,implements:2\n"), "no other policy"),
        (HEADER + ROW.replace(",,\n", ",,implements:1\n"), "no other policy"),
        (HEADER + ROW + ROW, "line 3: the id 1"),
        (HEADER + ROW + ROW.replace("1,CN,", "2,CN.MIIT,"), "document is another's"),
        (HEADER + ROW + ROW.replace("1,CN,", "2,CN,").replace("01-a", "02-a"), "twice"),
    ],
)
def test_damaged_policies_are_refused_by_place(content: str, problem: str) -> None:
    with pytest.raises(LocalFailure, match=problem) as refusal:
        catalogue.parse_policies(content.encode(), {"CN", "CN.MIIT"})
    assert "catalogue.csv" in str(refusal.value)


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ("cn,China,中国\n", "not an authority code"),
        ("CN,China,\n", "no name_zh"),
        ("CN.BJ,Beijing,北京市\n", "CN does not stand before its child"),
        ("CN,China,中国\nCN,China,中国\n", "line 3: CN stands here twice"),
    ],
)
def test_damaged_authorities_are_refused(rows: str, problem: str) -> None:
    with pytest.raises(LocalFailure, match=problem):
        catalogue.parse_authorities(f"code,name_en,name_zh\n{rows}".encode())


def test_bytes_that_are_not_utf8_are_refused() -> None:
    with pytest.raises(LocalFailure, match="utf-8"):
        catalogue.parse_authorities(b"code,name_en,name_zh\nCN,China,\xff\n")
