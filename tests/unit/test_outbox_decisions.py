"""What becomes of an act follows from what is known of its transaction, and nothing is lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.core.outbox import (
    FOLLOWS,
    OPEN,
    Attempt,
    Fees,
    Landed,
    Line,
    Mined,
    Outbid,
    Patience,
    Reverted,
    Seen,
    Send,
    Stage,
    Usurped,
    Wait,
    next_nonce,
    next_step,
    outbidding,
)
from registry.core.units import BlockNumber, UnixSeconds

FIRST, SECOND = b"\1" * 32, b"\2" * 32
NOW = UnixSeconds(1_000)
PATIENCE = Patience(stuck_after_seconds=60, most_fee=10_000)


def attempt(transaction: bytes = FIRST, stage: Stage = Stage.SENT, **more: int) -> Attempt:
    fees = Fees(more.get("fee", 100), 10)
    block = BlockNumber(more["block"]) if "block" in more else None
    return Attempt(transaction, fees, stage, UnixSeconds(more.get("sent_at", NOW - 5)), block)


def seen(
    mined: Mapping[bytes, Mined] | None = None,
    *,
    nonce: int = 7,
    pooled: frozenset[bytes] | None = frozenset({FIRST, SECOND}),
) -> Seen:
    return Seen(BlockNumber(50), BlockNumber(40), nonce, mined or {}, pooled, Fees(100, 10))


def test_what_was_signed_or_may_not_have_arrived_is_sent_as_it_is() -> None:
    for stage in (Stage.SIGNED, Stage.UNKNOWN):
        one = attempt(stage=stage)
        assert next_step(7, [one], seen(), NOW, PATIENCE) == Send(one)


def test_what_a_node_has_waiting_waits() -> None:
    assert next_step(7, [attempt()], seen(), NOW, PATIENCE) == Wait()


def test_what_a_node_dropped_is_sent_again() -> None:
    one = attempt()
    assert next_step(7, [one], seen(pooled=frozenset()), NOW, PATIENCE) == Send(one)
    assert next_step(7, [one], seen(pooled=None), NOW, PATIENCE) == Wait()


def test_what_a_reorganisation_took_back_is_sent_again() -> None:
    one = attempt(stage=Stage.SENT, block=45)
    assert next_step(7, [one], seen(), NOW, PATIENCE) == Send(one)


def test_a_block_is_final_when_the_chain_says_so() -> None:
    for block, final in ((40, True), (41, False)):
        one = attempt()
        found = next_step(7, [one], seen({FIRST: Mined(BlockNumber(block), True)}), NOW, PATIENCE)
        assert found == Landed(one, BlockNumber(block), final)


def test_whichever_attempt_is_mined_is_the_one() -> None:
    older, newer = attempt(FIRST), attempt(SECOND)
    mined = {FIRST: Mined(BlockNumber(45), True)}
    assert next_step(7, [newer, older], seen(mined, nonce=8), NOW, PATIENCE) == Landed(
        older, BlockNumber(45), False
    )


def test_a_revert_is_told_from_success() -> None:
    one = attempt()
    mined = {FIRST: Mined(BlockNumber(45), False)}
    assert next_step(7, [one], seen(mined, nonce=8), NOW, PATIENCE) == Reverted(
        one, BlockNumber(45)
    )


def test_a_nonce_that_another_program_used_is_noticed() -> None:
    assert next_step(7, [attempt()], seen(nonce=8), NOW, PATIENCE) == Usurped()
    assert next_step(7, [attempt(stage=Stage.SIGNED)], seen(nonce=9), NOW, PATIENCE) == Usurped()


def test_what_waits_too_long_is_outbid_within_the_limit() -> None:
    stuck = attempt(sent_at=NOW - 60)
    assert next_step(7, [stuck], seen(), NOW, PATIENCE) == Outbid(Fees(113, 12))
    dear = replace(stuck, fees=Fees(9_000, 10))
    waits = next_step(7, [dear], seen(), NOW, PATIENCE)
    assert isinstance(waits, Wait)
    assert "more than the 10000 allowed" in str(waits.why)


def test_what_waits_for_an_unused_nonce_is_not_paid_more_for() -> None:
    stuck = attempt(sent_at=NOW - 600)
    waits = next_step(7, [stuck], seen(nonce=5), NOW, PATIENCE, Line(gap=6))
    assert isinstance(waits, Wait)
    assert "nonce 6" in str(waits.why)
    assert isinstance(next_step(7, [stuck], seen(nonce=5), NOW, PATIENCE, Line(gap=8)), Outbid)


def test_what_waits_for_a_nonce_below_it_waits_as_long_as_that_one_may() -> None:
    stuck = attempt(sent_at=NOW - 600)
    for since in (None, UnixSeconds(NOW - 59)):
        assert next_step(7, [stuck], seen(nonce=5), NOW, PATIENCE, Line(5, since)) == Wait()
        assert isinstance(next_step(7, [stuck], seen(), NOW, PATIENCE, Line(7, since)), Outbid)
    line = Line(5, UnixSeconds(NOW - 60))
    assert isinstance(next_step(7, [stuck], seen(nonce=5), NOW, PATIENCE, line), Outbid)


def test_what_offers_many_times_the_price_is_not_paid_more_for() -> None:
    """A chain that stands still, or a node that passes nothing on, is not paid out of."""
    stuck = replace(attempt(sent_at=NOW - 600), fees=Fees(1_001, 101))
    waits = next_step(7, [stuck], seen(), NOW, Patience(60))
    assert isinstance(waits, Wait)
    assert "10 times" in str(waits.why)
    for fees in (Fees(1_001, 99), Fees(999, 101)):
        assert isinstance(
            next_step(7, [replace(stuck, fees=fees)], seen(), NOW, Patience(60)), Outbid
        )


def test_what_is_dropped_again_and_again_is_paid_more_for_in_the_end() -> None:
    one = attempt(sent_at=NOW - 60)
    assert isinstance(next_step(7, [one], seen(pooled=frozenset()), NOW, PATIENCE), Outbid)
    dear = replace(one, fees=Fees(9_000, 10))
    assert next_step(7, [dear], seen(pooled=frozenset()), NOW, PATIENCE) == Send(dear)


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.integers(0, 10**12))
def test_outbidding_is_at_least_a_tenth_more_of_both(most: int, priority: int, market: int) -> None:
    before = Fees(max(most, priority), priority)
    after = outbidding(before, Fees(market, market // 2))
    assert after.most * 10 >= before.most * 11
    assert after.priority * 10 >= before.priority * 11
    assert after.most > before.most
    assert after.priority > before.priority
    assert after.most >= after.priority
    assert after.most >= market


@given(st.integers(0, 20), st.sets(st.integers(0, 40)))
def test_a_nonce_is_neither_used_nor_beyond_a_gap(chain: int, signed: set[int]) -> None:
    nonce = next_nonce(chain, signed)
    assert nonce >= chain
    assert nonce not in signed
    assert all(each in signed for each in range(chain, nonce))


def test_every_stage_has_its_successors_and_only_the_final_one_has_none() -> None:
    assert set(FOLLOWS) == set(Stage)
    assert [stage for stage, after in FOLLOWS.items() if not after] == [Stage.FINALIZED]
    for stage in OPEN:
        assert FOLLOWS[stage] & {Stage.INCLUDED, Stage.FINALIZED}


@pytest.mark.parametrize("stage", [Stage.SENT, Stage.SIGNED, Stage.UNKNOWN, Stage.INCLUDED])
def test_nothing_on_its_way_is_ever_forgotten(stage: Stage) -> None:
    """Whatever a node says, something comes of it, and never another nonce while this is free."""
    one = attempt(stage=stage)
    for pooled in (None, frozenset(), frozenset({FIRST})):
        step = next_step(7, [one], seen(pooled=pooled), NOW, PATIENCE)
        assert isinstance(step, Wait | Send)
