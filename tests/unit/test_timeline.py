"""Which text applies on which day, against an oracle that asks the rules day by day."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.core.calendar import FIRST_DAY, LAST_DAY, parse_day
from registry.core.entry import Action
from registry.core.timeline import (
    END,
    Act,
    Standing,
    Timeline,
    applies_from,
    document_standing,
    timeline,
)
from registry.core.units import EntryIndex

DAY = 86_400
VERSIONS = {Action.PUBLISH, Action.AMEND}
ENDINGS = {
    Action.SUSPEND: Standing.SUSPENDED,
    Action.SUPERSEDE: Standing.SUPERSEDED,
    Action.REPEAL: Standing.REPEALED,
    Action.WITHDRAW: Standing.WITHDRAWN,
}


# The oracle: the module's rules, each looked up anew for one day.


@dataclass
class Text:
    entry: int
    version: int
    since: int
    expires: int | None


def since_of(act: Act) -> int:
    if act.effective_on is not None:
        return act.effective_on
    return FIRST_DAY if act.action is Action.PUBLISH else act.recorded_at // DAY


def texts_of(acts: list[Act]) -> list[Text]:
    """All texts in the order they were recorded."""
    texts: list[Text] = []
    for act in acts:
        if act.action in VERSIONS:
            number = texts[-1].version + 1 if texts else 1
            texts.append(Text(act.index, number, since_of(act), act.expires))
        elif act.action is Action.CORRECT:
            first = next(each for each in texts if each.version == texts[-1].version)
            since = max(since_of(act), first.since)
            texts.append(Text(act.index, first.version, since, act.expires))
    return texts


def text_on(texts: list[Text], day: int) -> Text | None:
    """The latest recorded version that applies by `day`, and its latest such text."""
    begun = [each for each in texts if each.since <= day]
    version = max((each.version for each in begun), default=None)
    return next((each for each in reversed(begun) if each.version == version), None)


def standing_on(acts: list[Act], day: int) -> tuple[Standing, int, int]:
    texts = texts_of(acts)
    text = text_on(texts, day)
    if text is None:
        first = text_on(texts, min(each.since for each in texts))
        assert first is not None
        standing, text = Standing.NOT_YET_IN_FORCE, first
    elif text.expires is not None and day > text.expires:
        standing = Standing.EXPIRED
    else:
        standing = Standing.IN_FORCE
    changes = [
        act
        for act in acts
        if act.action not in VERSIONS | {Action.CORRECT} and since_of(act) <= day
    ]
    if changes and changes[-1].action is not Action.REINSTATE:
        standing = ENDINGS[changes[-1].action]
    return standing, text.entry, text.version


near = st.integers(-12, 12)
days = near | st.sampled_from([FIRST_DAY, FIRST_DAY + 1, LAST_DAY - 1, LAST_DAY])


@st.composite
def histories(draw: st.DrawFn) -> list[Act]:
    """A Publish and then anything at all, dated in any order."""
    count = draw(st.integers(0, 9))
    followers = st.sampled_from([each for each in Action if each.on_policy][1:])
    actions = [Action.PUBLISH, *(draw(followers) for _ in range(count))]
    return [
        Act(
            index=10 * number,
            action=action,
            effective_on=draw(st.none() | days),
            recorded_at=draw(st.integers(0, 12 * DAY) | st.just(2**64 - 1)),
            expires=draw(st.none() | near) if action.carries_document else None,
        )
        for number, action in enumerate(actions, 1)
    ]


def telling_days(acts: list[Act]) -> list[int]:
    """Every day on which something may change, its neighbours, and the ends of time."""
    turns = {since_of(act) for act in acts} | {
        act.expires for act in acts if act.expires is not None
    }
    around = {turn + step for turn in turns for step in (-1, 0, 1, 2)}
    return sorted(
        day
        for day in around | {*range(-14, 15), FIRST_DAY, LAST_DAY}
        if FIRST_DAY <= day <= LAST_DAY
    )


@given(histories())
def test_every_day_has_the_standing_that_the_rules_give_it(acts: list[Act]) -> None:
    painted = timeline(acts)
    for day in telling_days(acts):
        found = painted.at(day)
        assert (found.standing, found.document, found.version) == standing_on(acts, day), day


@given(histories())
def test_intervals_cover_every_day_once(acts: list[Act]) -> None:
    intervals = timeline(acts).intervals
    assert intervals[0].since == FIRST_DAY
    assert intervals[-1].until == END == LAST_DAY + 1
    for before, after in pairwise(intervals):
        assert before.until == after.since
        said = [(each.standing, each.document, each.version) for each in (before, after)]
        assert said[0] != said[1]
    assert all(each.since < each.until for each in intervals)


@given(histories())
def test_every_text_is_kept_with_its_version_and_first_day(acts: list[Act]) -> None:
    found = timeline(acts).documents
    assert {entry: (each.version, each.since, each.expires) for entry, each in found.items()} == {
        each.entry: (each.version, each.since, each.expires) for each in texts_of(acts)
    }


@given(histories())
def test_the_standing_of_a_document_follows_from_that_of_its_policy(acts: list[Act]) -> None:
    painted = timeline(acts)
    for day in telling_days(acts):
        interval = painted.at(day)
        standings = {
            entry: document_standing(interval, each, day)
            for entry, each in painted.documents.items()
        }
        assert standings[interval.document] == interval.standing
        if interval.standing in ENDINGS.values():
            assert set(standings.values()) == {interval.standing}
            continue
        for entry, standing in standings.items():
            if entry != interval.document:
                each = painted.documents[entry]
                ahead = day < each.since and each.version >= interval.version
                expected = Standing.NOT_YET_IN_FORCE if ahead else Standing.AMENDED
                assert standing is expected


@given(histories(), st.integers(0, 20))
def test_recording_another_act_changes_no_day_before_its_own(acts: list[Act], day: int) -> None:
    """What was in force is not rewritten by an act that applies from a later day."""
    later = Act(999, Action.AMEND, day, 0)
    before, after = timeline(acts), timeline([*acts, later])
    for each in telling_days([*acts, later]):
        if each < day and text_on(texts_of(acts), each):
            assert after.at(each).standing is before.at(each).standing
            assert after.at(each).document == before.at(each).document


# The rules as a registrar would tell them.


def act(
    index: int, action: Action, on: str | None, recorded: str = "2024-01-01", until: str = ""
) -> Act:
    return Act(
        index,
        action,
        parse_day(on) if on else None,
        parse_day(recorded) * DAY,
        parse_day(until) if until else None,
    )


def shown(painted: Timeline, day: str) -> tuple[str, int]:
    found = painted.at(parse_day(day))
    return found.standing.value, found.document


def test_a_law_published_ahead_is_not_yet_in_force() -> None:
    painted = timeline([act(0, Action.PUBLISH, "2025-07-01")])
    assert shown(painted, "2025-06-30") == ("not_yet_in_force", 0)
    assert shown(painted, "2025-07-01") == ("in_force", 0)


def test_a_publication_without_a_date_has_always_applied() -> None:
    painted = timeline([act(0, Action.PUBLISH, None)])
    assert painted.at(FIRST_DAY).standing is Standing.IN_FORCE
    assert len(painted.intervals) == 1


def test_any_other_act_without_a_date_applies_from_the_day_it_was_recorded() -> None:
    painted = timeline(
        [act(0, Action.PUBLISH, None), act(1, Action.REPEAL, None, recorded="2024-05-05")]
    )
    assert shown(painted, "2024-05-04") == ("in_force", 0)
    assert shown(painted, "2024-05-05") == ("repealed", 0)


def test_an_amendment_applies_from_its_date_and_the_old_text_until_then() -> None:
    painted = timeline([act(0, Action.PUBLISH, "2020-01-01"), act(1, Action.AMEND, "2025-01-01")])
    assert shown(painted, "2024-12-31") == ("in_force", 0)
    assert shown(painted, "2025-01-01") == ("in_force", 1)
    interval = painted.at(parse_day("2025-01-01"))
    old = painted.documents[EntryIndex(0)]
    assert document_standing(interval, old, parse_day("2025-01-01")) is Standing.AMENDED


def test_a_version_overtaken_before_it_applied_is_amended_and_not_still_to_come() -> None:
    painted = timeline(
        [
            act(0, Action.PUBLISH, "2020-01-01"),
            act(1, Action.AMEND, "2025-01-01"),
            act(2, Action.AMEND, "2023-01-01"),
        ]
    )
    day = parse_day("2024-06-01")
    overtaken = painted.documents[EntryIndex(1)]
    assert document_standing(painted.at(day), overtaken, day) is Standing.AMENDED


def test_an_erratum_never_reaches_back_before_its_version() -> None:
    painted = timeline(
        [
            act(0, Action.PUBLISH, "2020-01-01"),
            act(1, Action.AMEND, "2022-01-01"),
            act(2, Action.CORRECT, "2019-01-01"),
        ]
    )
    assert shown(painted, "2021-12-31") == ("in_force", 0)
    assert shown(painted, "2022-01-01") == ("in_force", 2)
    assert painted.documents[2].version == 2


def test_a_repeal_announced_ahead_leaves_the_law_in_force_until_its_date() -> None:
    painted = timeline([act(0, Action.PUBLISH, "2020-01-01"), act(1, Action.REPEAL, "2030-01-01")])
    assert shown(painted, "2029-12-31") == ("in_force", 0)
    assert shown(painted, "2030-01-01") == ("repealed", 0)


def test_a_suspension_ends_where_it_is_reinstated() -> None:
    painted = timeline(
        [
            act(0, Action.PUBLISH, "2020-01-01"),
            act(1, Action.SUSPEND, "2021-01-01"),
            act(2, Action.REINSTATE, "2021-03-01"),
        ]
    )
    assert shown(painted, "2021-02-28") == ("suspended", 0)
    assert shown(painted, "2021-03-01") == ("in_force", 0)


def test_a_law_applies_on_its_last_day_and_has_expired_on_the_next() -> None:
    painted = timeline([act(0, Action.PUBLISH, "2020-01-01", until="2024-12-31")])
    assert shown(painted, "2024-12-31") == ("in_force", 0)
    assert shown(painted, "2025-01-01") == ("expired", 0)


def test_a_law_whose_last_day_lies_before_its_first_never_was_in_force() -> None:
    painted = timeline([act(0, Action.PUBLISH, "2020-01-01", until="2019-12-31")])
    assert [each.standing for each in painted.intervals] == [
        Standing.NOT_YET_IN_FORCE,
        Standing.EXPIRED,
    ]
    assert painted.intervals[1].since == parse_day("2020-01-01")


def test_an_amendment_after_the_last_day_brings_an_expired_law_back() -> None:
    painted = timeline(
        [
            act(0, Action.PUBLISH, "2020-01-01", until="2020-12-31"),
            act(1, Action.AMEND, "2022-01-01"),
        ]
    )
    assert shown(painted, "2021-06-01") == ("expired", 0)
    assert shown(painted, "2022-01-01") == ("in_force", 1)


@pytest.mark.parametrize("recorded_at", [0, 2**31 * DAY, 2**64 - 1])
def test_a_time_beyond_all_days_shifts_no_interval(recorded_at: int) -> None:
    painted = timeline([Act(0, Action.PUBLISH, 0, 5), Act(1, Action.AMEND, None, recorded_at)])
    assert painted.intervals[-1].until == END
    assert applies_from(Act(0, Action.PUBLISH, None, recorded_at)) == FIRST_DAY
