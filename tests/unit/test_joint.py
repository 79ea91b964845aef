"""Who issues a document together, and what is known of each of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.core.draft import Draft
from registry.core.entry import Action
from registry.core.joint import Endorsed, Endorsement, issuers, named_issuers
from registry.core.lifecycle import Status
from registry.errors import InputError

CODES = st.sampled_from(["CN.GD", "CN.GX", "CN.YN", "FR"])
OWN, OTHER = b"\1" * 32, b"\2" * 32
ENDORSEMENTS = st.lists(
    st.builds(
        Endorsement,
        CODES,
        st.binary(min_size=32, max_size=32),
        st.sampled_from([OWN, OTHER]),
        st.sampled_from([each for each in Status if each is not Status.NONE]),
    ),
    max_size=6,
)


@given(CODES, st.lists(CODES, unique=True), ENDORSEMENTS)
def test_each_body_is_listed_once_with_the_best_that_it_has_said(
    lead: str, named: list[str], endorsements: list[Endorsement]
) -> None:
    found = issuers(lead, named, OWN, endorsements)
    assert found[0].authority == lead
    assert found[0].state is Endorsed.LEAD
    codes = [each.authority for each in found]
    assert len(set(codes)) == len(codes)
    assert set(codes) == {lead, *named, *(each.authority for each in endorsements)}
    for each in found[1:]:
        said = [other for other in endorsements if other.authority == each.authority]
        standing = [other for other in said if other.status is Status.IN_FORCE]
        signed = any(other.document == OWN for other in standing)
        assert each.named is (each.authority in named)
        assert (each.state is Endorsed.ENDORSED) is signed
        assert (each.state is Endorsed.MISSING) is (not said)
        assert (each.policy_id is None) is (not said)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (["CN.GX", "CN.YN"], ["CN.GX", "CN.YN"]),
        (["CN.GX", "CN.GX"], ["CN.GX"]),
        (["CN.GX", "no code", 7, None, ["CN"]], ["CN.GX"]),
        ("CN.GX", []),
        ({"CN.GX": 1}, []),
        (None, []),
    ],
)
def test_what_is_no_list_of_codes_names_nobody(value: object, found: list[str]) -> None:
    assert named_issuers({"issued_with": value}) == found
    assert named_issuers({}) == named_issuers(None) == []


def test_a_draft_names_others_than_its_own_authority() -> None:
    draft = Draft(Action.PUBLISH, "CN.GD", "1", {"en": "T"}, issued_with=["CN.GX", "CN.GX"])
    assert b'"issued_with":["CN.GX"]' in draft.manifest()
    for wrong in (["CN.GD"], ["no code"]):
        with pytest.raises(InputError):
            Draft(Action.PUBLISH, "CN.GD", "1", {"en": "T"}, issued_with=wrong).manifest()
