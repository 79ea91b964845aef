"""Which act may follow which, against the design's table written out by hand."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from registry.core.entry import Action, Entry
from registry.core.lifecycle import TRANSITIONS, UNPUBLISHED, PolicyState, Status, advance, check
from registry.errors import Inconsistent, Rejected

# DESIGN 3: action | from | to | document
TABLE = """
    publish    none                                      in_force    required
    amend      in_force                                  in_force    required
    correct    in_force                                  in_force    required
    suspend    in_force                                  suspended   none
    reinstate  suspended,superseded,repealed,withdrawn   in_force    none
    supersede  in_force,suspended                        superseded  none
    repeal     in_force,suspended                        repealed    none
    withdraw   in_force,suspended                        withdrawn   none
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()]
MODEL = {
    (start, action): (end, document == "required")
    for action, starts, end, document in ROWS
    for start in starts.split(",")
}
ACTIONS = {each.word: each for each in Action if each.on_policy}
STATUSES = {each.word: each for each in Status}
DOCUMENT = b"\1" * 32


def entry(
    action: Action,
    sequence: int,
    previous: int | None,
    document: bytes | None,
    index: int = 90,
    recorded_at: int = 5,
) -> Entry:
    return Entry(
        index=index,
        previous=previous,
        authority="CN",
        number=b"\2" * 32,
        sequence=sequence,
        action=action,
        effective_on=None,
        document=document,
        manifest=b"\3" * 32,
        registrar=b"\4" * 20,
        recorded_at=recorded_at,
    )


def following(state: PolicyState, action: Action) -> Entry:
    document = DOCUMENT if action.carries_document else None
    return entry(action, state.sequence + 1, state.head, document)


def test_the_table_is_the_designs() -> None:
    assert set(ACTIONS) == {row[0] for row in ROWS}
    assert set(STATUSES) == {"none", "in_force", "suspended", "superseded", "repealed", "withdrawn"}
    found = {
        (start.word, action.word): (end.word, action.carries_document)
        for action, (starts, end) in TRANSITIONS.items()
        for start in starts
    }
    assert found == MODEL


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("status", STATUSES)
def test_every_cell_of_the_table(status: str, action: str) -> None:
    state = UNPUBLISHED if status == "none" else PolicyState(STATUSES[status], 4, 17, 1_700_000_000)
    act = following(state, ACTIONS[action])
    if (status, action) in MODEL:
        check(state, act.action, "CN 1")
        end, _ = MODEL[status, action]
        assert advance(state, act) == PolicyState(STATUSES[end], state.sequence + 1, 90, 5)
    else:
        with pytest.raises(Rejected, match="CN 1"):
            check(state, act.action, "CN 1")
        with pytest.raises(Inconsistent, match="entry 90"):
            advance(state, act)


@pytest.mark.parametrize("status", STATUSES.values())
def test_a_refusal_says_what_can_follow(status: Status) -> None:
    state = PolicyState(status, 1, 0, 5)
    possible = {action for start, action in MODEL if start == status.word}
    for word in ACTIONS.keys() - possible - {"publish"}:
        with pytest.raises(Rejected) as refusal:
            check(state, ACTIONS[word], "CN 1")
        assert refusal.value.hint
        if status is Status.NONE:
            assert "not published" in str(refusal.value)
        else:
            assert all(each in refusal.value.hint for each in possible)


def test_a_second_publication_points_to_amend_and_correct() -> None:
    with pytest.raises(Rejected, match="already published") as refusal:
        check(PolicyState(Status.REPEALED, 2, 1, 5), Action.PUBLISH, "CN 1")
    assert "repealed" in str(refusal.value)
    assert "amend" in str(refusal.value.hint)


@pytest.mark.parametrize("action", [each for each in Action if not each.on_policy])
def test_acts_on_authorities_are_not_acts_on_policies(action: Action) -> None:
    assert action not in TRANSITIONS
    assert not action.carries_document


class Policy(RuleBasedStateMachine):
    """Any acts in any order: the product and the hand-written table stay of one mind."""

    def __init__(self) -> None:
        super().__init__()
        self.state = UNPUBLISHED
        self.status, self.sequence, self.head, self.index = "none", 0, None, 0

    @rule(word=st.sampled_from(sorted(ACTIONS)), gap=st.integers(1, 10**12), time=st.integers(0))
    def act(self, word: str, gap: int, time: int) -> None:
        self.index += gap
        found = MODEL.get((self.status, word))
        document = DOCUMENT if ACTIONS[word].carries_document else None
        attempt = entry(ACTIONS[word], self.sequence + 1, self.head, document, self.index, time)
        if found is None:
            with pytest.raises(Rejected):
                check(self.state, attempt.action, "it")
            with pytest.raises(Inconsistent):
                advance(self.state, attempt)
            return
        check(self.state, attempt.action, "it")
        self.state = advance(self.state, attempt)
        self.status, self.sequence, self.head = found[0], self.sequence + 1, self.index
        assert self.state.recorded_at == time

    @rule(
        word=st.sampled_from(sorted(ACTIONS)),
        ahead=st.sampled_from([0, 1, 2, 2**32]),
        elsewhere=st.sampled_from([None, 0, 1]),
        has_document=st.booleans(),
    )
    def forged(self, word: str, ahead: int, elsewhere: int | None, has_document: bool) -> None:
        """An entry that differs in anything from what the contract would append."""
        found = MODEL.get((self.status, word))
        previous = self.head if elsewhere is None else (self.head or 0) + elsewhere
        if found and (ahead, previous, has_document) == (1, self.head, found[1]):
            return
        document = DOCUMENT if has_document else None
        with pytest.raises(Inconsistent):
            advance(self.state, entry(ACTIONS[word], self.sequence + ahead, previous, document))

    @invariant()
    def they_agree(self) -> None:
        assert self.state.status.word == self.status
        assert (self.state.sequence, self.state.head) == (self.sequence, self.head)


TestAnyActsInAnyOrder = Policy.TestCase
TestAnyActsInAnyOrder.settings = settings(max_examples=25, stateful_step_count=30)
