"""A refusal by the contract, in words that can be acted on without being led astray."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from registry.chain.refusals import refusal
from registry.chain.rpc import RpcError
from registry.core.closing import UNCONFIRMED, goes_on
from registry.errors import RegistryError

SUCCESSOR = "0x" + "22" * 20
NOWHERE = "0x" + "00" * 20


def retired(successor: str) -> RegistryError:
    """What is said of the contract's Retired(successor)."""
    data = keccak(b"Retired(address)")[:4] + encode(["address"], [successor])
    return refusal(RpcError(3, "execution reverted", "0x" + data.hex()))


def test_the_hint_to_a_successor_says_that_anybody_may_have_named_it() -> None:
    told = retired(SUCCESSOR)
    assert SUCCESSOR in str(told)
    assert told.hint is not None
    assert told.hint.startswith(UNCONFIRMED)
    assert told.hint.index("confirm it with the authority") < told.hint.index("POLREG_CONTRACT")


def test_where_no_successor_is_named_there_is_none_to_set() -> None:
    told = retired(NOWHERE)
    assert "names no other" in str(told)
    assert NOWHERE not in str(told)
    assert "POLREG_CONTRACT" not in (told.hint or "")


@pytest.mark.parametrize("successor", [SUCCESSOR, NOWHERE])
def test_a_closing_reads_the_same_everywhere(successor: str) -> None:
    assert str(retired(successor)) == goes_on(successor)
