"""From what a registrar says to what the contract takes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from logs import draft, file_of

from registry.core.calendar import NO_DATE, parse_day
from registry.core.draft import Draft, FileDescription
from registry.core.entry import Action
from registry.core.lifecycle import UNPUBLISHED, PolicyState, Status
from registry.core.manifest import ManifestState, parse, read
from registry.core.policy import policy_key
from registry.errors import InputError, Rejected

IN_FORCE = PolicyState(Status.IN_FORCE, 4, 17, 0)


def test_a_submission_is_the_act_its_manifest_and_the_next_sequence() -> None:
    act = draft(Action.AMEND, "71", "text", issued=parse_day("2017-07-01"))
    submission = act.submission(IN_FORCE)
    assert submission.policy == policy_key("CN.GD", "71") == act.key
    assert submission.sequence == 5
    assert submission.action is Action.AMEND
    assert submission.document == hashlib.sha256(b"text").digest()
    assert submission.content == act.manifest()
    assert submission.manifest == hashlib.sha256(act.manifest()).digest()


def test_of_a_digest_only_manifest_nothing_but_the_digest_is_submitted() -> None:
    act = draft(Action.PUBLISH, "71", "text")
    submission = act.submission(UNPUBLISHED, digest_only=True)
    assert submission.content == b""
    assert submission.manifest == hashlib.sha256(act.manifest()).digest()


@pytest.mark.parametrize(
    ("dates", "applies"),
    [
        ({"issued": "2017-07-01", "effective_from": "2017-09-01"}, "2017-09-01"),
        ({"issued": "1954-09-20"}, "1954-09-20"),
        ({"effective_from": "1970-01-01"}, "1970-01-01"),
        ({}, None),
    ],
)
def test_an_act_applies_from_its_effective_date_else_its_issue_date(
    dates: dict[str, str], applies: str | None
) -> None:
    act = draft(
        Action.PUBLISH, "71", "text", **{key: parse_day(text) for key, text in dates.items()}
    )
    submission = act.submission(UNPUBLISHED)
    assert submission.effective_on == (None if applies is None else parse_day(applies))
    assert submission.effective_word == (NO_DATE if applies is None else parse_day(applies))
    assert parse(act.manifest()).applies_from == submission.effective_on


def test_what_is_not_said_is_not_in_the_manifest() -> None:
    assert json.loads(draft(Action.REPEAL, "71").manifest()) == {
        "schema": "policy-registry/manifest/1",
        "authority": "CN.GD",
        "number": "71",
        "action": "repeal",
        "title": {"zh": "关于71", "en": "On 71"},
        "jurisdiction": "CN-GD",
    }


def test_all_that_is_said_is_in_the_manifest() -> None:
    act = draft(
        Action.CORRECT,
        "71",
        "text",
        type="notice",
        issued=0,
        effective_from=1,
        effective_to=2,
        renditions=[FileDescription(b"\1" * 32, 3, "b.pdf", "application/pdf", "en")],
        relations=[{"type": "cites", "citation": "银发〔2015〕221号"}],
        reason="a typing error",
        source="https://example.org",
        jurisdiction="CN",
        extra={"subjects": ["finance"], "number": "never this one"},
    )
    found = json.loads(act.manifest())
    assert found["number"] == "71"
    assert found["document"] == {
        "sha256": hashlib.sha256(b"text").hexdigest(),
        "size": 4,
        "name": "a.txt",
    }
    assert found["renditions"] == [
        {
            "sha256": "01" * 32,
            "size": 3,
            "name": "b.pdf",
            "media_type": "application/pdf",
            "language": "en",
        }
    ]
    assert [found[key] for key in ("issued", "effective_from", "effective_to")] == [
        "1970-01-01",
        "1970-01-02",
        "1970-01-03",
    ]
    assert found["jurisdiction"] == "CN"
    assert found["subjects"] == ["finance"]


def test_the_number_is_written_in_nfc_and_is_the_keys() -> None:
    act = draft(Action.PUBLISH, "Re\u0301solution", "text")
    assert parse(act.manifest()).number == "R\u00e9solution"
    assert act.key == policy_key("CN.GD", "R\u00e9solution")


@pytest.mark.parametrize("action", [each for each in Action if each.on_policy])
def test_an_act_carries_a_document_exactly_where_the_contract_asks_for_one(action: Action) -> None:
    wrong = draft(action, "71", None if action.carries_document else "text")
    with pytest.raises(InputError, match="document"):
        wrong.submission(IN_FORCE)


def test_an_empty_file_is_not_published() -> None:
    with pytest.raises(InputError, match=r"a\.txt is empty"):
        replace(draft(Action.PUBLISH, "71"), document=file_of("")).submission(UNPUBLISHED)


def test_what_the_status_does_not_permit_is_rejected_before_anything_is_signed() -> None:
    with pytest.raises(Rejected, match=r"CN\.GD 71 is already published"):
        draft(Action.PUBLISH, "71", "text").submission(IN_FORCE)
    with pytest.raises(Rejected, match="not published"):
        draft(Action.REPEAL, "71").submission(UNPUBLISHED)


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"authority": "cn"}, "authority code"),
        ({"number": "7\u03781"}, "U\\+0378"),
        ({"title": {}}, "no language"),
        ({"title": {"en": ""}}, "no language"),
        ({"title": {"en": "a\u202e"}}, "U\\+202E"),
        ({"reason": "r" * 9000}, "at most 8192"),
        ({"effective_from": 2, "effective_to": 1}, "before it starts"),
        ({"extra": {"ratio": 0.5}}, "floating-point"),
        ({"relations": [{"type": "amends"}]}, "neither"),
        ({"jurisdiction": "Guangdong"}, "ISO 3166-2"),
    ],
)
def test_a_draft_that_no_reader_would_take_is_refused(more: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        replace(draft(Action.PUBLISH, "71", "text"), **more).submission(UNPUBLISHED)


@pytest.mark.parametrize("action", [each for each in Action if each.on_policy])
def test_a_manifest_says_what_its_entry_says(action: Action) -> None:
    from logs import Log

    log = Log()
    act: Draft = draft(Action.PUBLISH, "71", "text", issued=parse_day("2017-07-01"))
    before = {Action.PUBLISH: [], Action.REINSTATE: [act, draft(Action.SUSPEND, "71")]}
    for each in before.get(action, [act]):
        log.record(each)
    text = "another" if action.carries_document else None
    log.record(draft(action, "71", text, effective_from=parse_day("2018-01-01")))
    for each in log.logged:
        reading = read(each.entry, each.manifest)
        assert (reading.state, reading.problem) == (ManifestState.PRESENT, None)
