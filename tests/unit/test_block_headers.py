"""Once a network has shown a header that hashes to its block, it can show no other ones."""

from __future__ import annotations

from typing import Any

import pytest

from registry.chain.client import Client
from registry.chain.headers import Headers
from registry.core.following import Fault
from registry.errors import Inconsistent
from tests.simulated_chain import Node, founded
from tests.simulated_contract import ADDRESS


def shown(number: int) -> dict[str, Any]:
    block: dict[str, Any] = Node(founded(4)).request("eth_getBlockByNumber", [hex(number), False])
    return block


ALTERED = {
    "hash": "0x" + "12" * 32,
    "parentHash": "0x" + "12" * 32,
    "receiptsRoot": "0x" + "12" * 32,
    "timestamp": "0x12",
    "number": "0x12",
}


@pytest.mark.parametrize("field", ALTERED)
def test_a_header_that_was_altered_is_refused_once_one_fitted(field: str) -> None:
    headers = Headers()
    assert not headers.known
    assert headers.read(shown(2)) is not None
    assert headers.known
    with pytest.raises(Inconsistent) as raised:
        headers.read({**shown(3), field: ALTERED[field]})
    assert raised.value.fault == Fault.UNLINKED_BLOCKS


def test_a_network_of_unknown_headers_is_read_on_its_word() -> None:
    headers = Headers()
    for number in range(4):
        strange = {**shown(number), "receiptsRoot": ALTERED["receiptsRoot"]}
        assert headers.read(strange) is not None
    assert not headers.known


def test_who_says_so_goes_without() -> None:
    headers = Headers(checked=False)
    headers.read(shown(2))
    assert headers.read({**shown(3), **ALTERED}) is not None
    assert not headers.known


def test_a_node_on_another_chain_is_not_read_from() -> None:
    client = Client(Node(founded(4)), ADDRESS, chain_id=1)
    with pytest.raises(Inconsistent, match="on chain 31337, the registry on 1") as raised:
        client.head()
    assert raised.value.fault == Fault.WRONG_CHAIN
