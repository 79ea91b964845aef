"""Four separate answers, and an exit code that follows from them alone."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product

import pytest

from registry.core.timeline import Standing
from registry.core.verdict import (
    DocumentRole,
    Evidence,
    ExitCode,
    Finality,
    FinalityBlocks,
    Match,
    Registration,
    Unsettled,
    Verdict,
    by_weight,
    unsettled,
    worst,
)
from registry.services.verify import CheckedFile

OWN = Registration(
    policy_id=b"\1" * 32,
    authority="CN",
    number="1",
    title={"en": "T"},
    entry=5,
    action="publish",
    role=DocumentRole.DOCUMENT,
    version=1,
    versions=1,
    current=5,
    standing=Standing.IN_FORCE,
    since=None,
    finality=Finality.FINALIZED,
    recorded_at=0,
    block=9,
    registrar="0x",
)


def verdict(match: Match, *registrations: Registration) -> Verdict:
    return Verdict(b"\2" * 32, match, by_weight(registrations), Evidence.MIRROR, ())


def test_the_words_of_the_four_answers_are_the_designs() -> None:
    assert set(Match) == {"exact", "same_text", "altered", "unknown"}
    assert set(Standing) == {
        "in_force", "not_yet_in_force", "amended", "suspended", "superseded", "repealed",
        "withdrawn", "expired",
    }  # fmt: skip
    assert set(Finality) == {"pending", "included", "safe", "finalized"}
    assert set(Evidence) == {"mirror", "chain", "receipt"}


def test_the_exit_codes_are_the_designs() -> None:
    assert {each.name: int(each) for each in ExitCode} == {
        "VERIFIED": 0,
        "NOT_VERIFIED": 1,
        "USAGE": 2,
        "COULD_NOT_CHECK": 3,
        "NOT_IN_FORCE": 4,
    }


@pytest.mark.parametrize("standing", Standing)
def test_exact_and_in_force_is_0_and_exact_but_not_in_force_is_4(standing: Standing) -> None:
    found = verdict(Match.EXACT, replace(OWN, standing=standing))
    assert found.exit_code == (0 if standing is Standing.IN_FORCE else 4)
    assert found.standing is standing


@pytest.mark.parametrize("match", [Match.SAME_TEXT, Match.ALTERED, Match.UNKNOWN])
def test_anything_but_exact_is_not_verified_whatever_else_is_known(match: Match) -> None:
    assert verdict(match, OWN).exit_code is ExitCode.NOT_VERIFIED


@pytest.mark.parametrize("match", Match)
def test_nothing_registered_is_never_verified(match: Match) -> None:
    found = verdict(match)
    assert found.exit_code is ExitCode.NOT_VERIFIED
    assert (found.leading, found.standing, found.finality) == (None, None, None)


def test_one_registration_speaks_for_a_document_in_whatever_order_they_are_found() -> None:
    ordered = [
        replace(OWN, entry=6),
        OWN,
        # an older version's document may be a file of the one that is in force
        replace(OWN, entry=1, role=DocumentRole.RENDITION),
        replace(OWN, entry=3, standing=Standing.AMENDED),
        replace(OWN, entry=2, standing=Standing.AMENDED, role=DocumentRole.RENDITION),
        replace(OWN, policy_id=b"\3" * 32, entry=0, role=DocumentRole.RENDITION),
        replace(OWN, entry=3, endorses="ab" * 32),
    ]
    for shuffled in permutations(ordered):
        assert by_weight(shuffled) == tuple(ordered)


def test_a_repeal_stands_whoever_lists_the_same_bytes_later() -> None:
    repealed = replace(OWN, standing=Standing.REPEALED)
    for role in DocumentRole:
        elsewhere = replace(OWN, policy_id=b"\3" * 32, entry=9, role=role)
        found = verdict(Match.EXACT, elsewhere, repealed)
        assert found.leading == repealed
        assert found.exit_code is ExitCode.NOT_IN_FORCE


@pytest.mark.parametrize("standing", Standing)
def test_what_is_not_known_settles_nothing_and_never_as_in_force(standing: Standing) -> None:
    for closed, later, known in product((False, True), repeat=3):
        why = unsettled(standing, closed=closed, later=later, manifest_known=known)
        hidden = standing is Standing.IN_FORCE and not known
        assert why is (
            Unsettled.CLOSED if closed
            else Unsettled.OUTDATED if later
            else Unsettled.LAST_DAY_UNKNOWN if hidden
            else None
        )  # fmt: skip


@pytest.mark.parametrize(
    ("why", "code"),
    [
        (Unsettled.CLOSED, ExitCode.COULD_NOT_CHECK),
        (Unsettled.LAST_DAY_UNKNOWN, ExitCode.COULD_NOT_CHECK),
        (Unsettled.OUTDATED, ExitCode.NOT_IN_FORCE),
    ],
)
def test_what_is_not_settled_is_never_verified(why: Unsettled, code: ExitCode) -> None:
    found = verdict(Match.EXACT, replace(OWN, standing=None, unsettled=why))
    assert (found.standing, found.unsettled, found.exit_code) == (None, why, code)
    assert CheckedFile("a", 1, found).word == f"exact, {why.value}"


def test_finality_is_that_of_the_block() -> None:
    blocks = FinalityBlocks(safe=20, finalized=10)
    assert [blocks.of(block) for block in (0, 10, 11, 20, 21)] == [
        Finality.FINALIZED,
        Finality.FINALIZED,
        Finality.SAFE,
        Finality.SAFE,
        Finality.INCLUDED,
    ]


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ([], ExitCode.VERIFIED),
        ([ExitCode.VERIFIED], ExitCode.VERIFIED),
        ([ExitCode.NOT_IN_FORCE, ExitCode.VERIFIED], ExitCode.NOT_IN_FORCE),
        ([ExitCode.NOT_IN_FORCE, ExitCode.COULD_NOT_CHECK], ExitCode.COULD_NOT_CHECK),
        ([ExitCode.COULD_NOT_CHECK, ExitCode.USAGE], ExitCode.USAGE),
        (list(ExitCode), ExitCode.NOT_VERIFIED),
    ],
)
def test_of_many_checks_the_worst_is_the_answer(codes: list[ExitCode], expected: ExitCode) -> None:
    assert worst(codes) is expected
    assert worst(set(codes)) is expected
