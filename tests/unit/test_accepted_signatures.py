"""Whose signature it is, as a node tells: a wallet that refuses is not a node that does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from registry.chain.abi import VALID_SIGNATURE
from registry.chain.client import Client
from registry.chain.rpc import Call, RpcError
from registry.chain.signers import LocalSigner
from registry.core.units import Address
from registry.errors import Unavailable

KEY = LocalSigner(bytes([9]) * 32)
DIGEST = b"\x05" * 32
GOOD = KEY.sign_digest(DIGEST).encode()


class _Node:
    """A node where the account has this code, and which answers a call of it so."""

    def __init__(self, code: Any, answer: Any = None) -> None:
        self._answers = {"eth_getCode": code, "eth_call": answer}

    def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        answer = self._answers[method]
        if isinstance(answer, RpcError):
            raise answer
        return answer

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        raise AssertionError("nothing is asked in batches here")

    def close(self) -> None:
        pass


def accepts(node: _Node, signature: bytes = GOOD, account: Address = KEY.address) -> bool:
    return Client(node, Address(b"\x11" * 20)).accepts_signature(account, DIGEST, signature)


def test_an_account_without_code_signs_by_its_key() -> None:
    assert accepts(_Node("0x"))
    assert not accepts(_Node("0x"), account=Address(b"\x12" * 20))
    for wrong in (b"", GOOD[:64], GOOD + b"\0", b"\0" + GOOD[1:]):
        assert not accepts(_Node("0x"), wrong)


@pytest.mark.parametrize(
    "answer",
    ["0x", "0x1626ba7e", "0x" + "00" * 32, VALID_SIGNATURE + "00", VALID_SIGNATURE[:-1] + "1"],
)
def test_code_has_to_say_exactly_that_it_accepts(answer: str) -> None:
    assert accepts(_Node("0x60", VALID_SIGNATURE), b"")
    # Its key does not count where it has code, as with the contract.
    assert not accepts(_Node("0x60", answer))


def test_a_wallet_that_reverts_does_not_accept() -> None:
    for error in (
        RpcError(3, "execution reverted", "0x"),
        RpcError(-32000, "out of gas"),
        RpcError(3, "execution reverted: rate limit of the wallet", "0x08c379a0"),
    ):
        assert not accepts(_Node("0x60", error))


def test_a_node_that_refuses_is_no_answer() -> None:
    limited = RpcError(-32005, "too many requests")
    for node in (_Node(limited), _Node("0x60", limited), _Node("0x60", RpcError(-32603, "oops"))):
        with pytest.raises(Unavailable):
            accepts(node)
