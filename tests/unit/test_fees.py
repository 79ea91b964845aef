"""What is offered for gas: by EIP-1559 where there is one, without it where there is none, and
nothing where gas is free and the account holds nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.chain.fees import Market, read_market
from registry.chain.rpc import RpcError
from registry.errors import Inconsistent

UNKNOWN = RpcError(-32601, "the method does not exist")
GWEI = 10**9
HEAD = {"gasLimit": "0x1c9c380", "baseFeePerGas": hex(GWEI)}
LEGACY = {"gasLimit": "0x1c9c380"}
FREE = HEAD | {"baseFeePerGas": "0x0"}


def offers(head: Any, tip: Any, price: Any, balance: int) -> dict[str, int]:
    return read_market(head, tip, price, hex(balance)).offers


def test_with_a_base_fee_twice_that_and_the_tip_are_offered_at_most() -> None:
    assert offers(HEAD, hex(3), hex(2 * GWEI), 1) == {
        "maxFeePerGas": 2 * GWEI + 3,
        "maxPriorityFeePerGas": 3,
    }


def test_where_no_tip_is_told_it_is_what_the_price_has_above_the_base_fee() -> None:
    assert offers(HEAD, UNKNOWN, hex(GWEI + 7), 1)["maxPriorityFeePerGas"] == 7
    assert offers(HEAD, UNKNOWN, hex(GWEI - 7), 1)["maxPriorityFeePerGas"] == 0
    assert offers(HEAD, UNKNOWN, UNKNOWN, 1)["maxPriorityFeePerGas"] == 0


@pytest.mark.parametrize("head", [LEGACY, LEGACY | {"baseFeePerGas": None}])
def test_without_a_base_fee_the_price_is_offered(head: Any) -> None:
    assert offers(head, UNKNOWN, hex(5), 1) == {"gasPrice": 5}
    assert offers(head, UNKNOWN, "0x0", 0) == {"gasPrice": 0}
    # Besu names 1,000 wei where gas is free, and takes nothing.
    assert offers(head, UNKNOWN, hex(1000), 0) == {"gasPrice": 0}


def test_who_holds_nothing_offers_nothing_where_there_is_no_base_fee_to_pay() -> None:
    nothing = {"maxFeePerGas": 0, "maxPriorityFeePerGas": 0}
    assert offers(FREE, hex(GWEI), hex(GWEI), 0) == nothing
    assert offers(FREE, hex(GWEI), hex(GWEI), 1)["maxPriorityFeePerGas"] == GWEI
    assert offers(HEAD, hex(GWEI), hex(GWEI), 0)["maxFeePerGas"] == 3 * GWEI


@given(
    base=st.none() | st.integers(0, 10**15),
    tip=st.none() | st.integers(0, 10**15),
    price=st.none() | st.integers(0, 10**15),
    balance=st.integers(0, 10**20),
)
def test_an_offer_is_one_kind_of_transaction_s_and_covers_the_base_fee(
    base: int | None, tip: int | None, price: int | None, balance: int
) -> None:
    offer = Market(30_000_000, base, tip, price, balance).offers
    if base is None:
        assert set(offer) == {"gasPrice"}
    else:
        assert set(offer) == {"maxFeePerGas", "maxPriorityFeePerGas"}
        assert offer["maxFeePerGas"] >= max(base, offer["maxPriorityFeePerGas"])
    assert min(offer.values()) >= 0


@pytest.mark.parametrize("refused", ["head", "balance", "price of a legacy network"])
def test_what_every_node_knows_may_not_be_refused(refused: str) -> None:
    with pytest.raises(RpcError):
        read_market(
            UNKNOWN if refused == "head" else LEGACY,
            UNKNOWN,
            UNKNOWN if refused.startswith("price") else "0x1",
            UNKNOWN if refused == "balance" else "0x1",
        )


@pytest.mark.parametrize(
    ("head", "balance"),
    [
        (None, "0x1"),
        ({}, "0x1"),
        (LEGACY | {"gasLimit": 30_000_000}, "0x1"),
        (HEAD | {"baseFeePerGas": "free"}, "0x1"),
        (HEAD, None),
        (HEAD, "much"),
    ],
)
def test_what_is_no_answer_is_not_guessed_at(head: Any, balance: Any) -> None:
    with pytest.raises(Inconsistent, match="can not be read"):
        read_market(head, "0x1", "0x1", balance)
