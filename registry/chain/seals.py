"""Extra data of proof-of-authority headers, as the block's hash has it.

With Clique and its kin the hash covers the extra data as it stands. With Byzantine fault
tolerant consensus the validators sign that hash and put their seals into the extra data
afterwards, so that the hash leaves them out, and some the round too. Which of the forms a
network has is not guessed: whoever uses one compares the hash that comes of it.

Sources: EIP-225; EIP-650 (Istanbul, GoQuorum's IBFT); Besu's IBFT 2.0 and QBFT
(`BftExtraDataCodec`), each checked against blocks in tests/vectors/blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_VANITY = 32
_NO_SEALS: list[bytes] = []


def hashed_extra_data(extra_data: bytes) -> Iterator[bytes]:
    """What the hash may have in the place of `extra_data`: itself first of all."""
    yield extra_data
    fields = _decoded(extra_data)
    if fields is not None and len(fields) == 5:
        # Besu: vanity, validators, vote, round, seals. IBFT 2.0 leaves the last two out, QBFT
        # has them empty.
        yield _encoded(fields[:3])
        yield _encoded([*fields[:3], b"", _NO_SEALS])
    istanbul = _decoded(extra_data[_VANITY:])
    if istanbul is not None and len(istanbul) == 3:
        # GoQuorum: validators, the proposer's seal, the others' seals
        yield extra_data[:_VANITY] + _encoded([*istanbul[:2], _NO_SEALS])


def _decoded(encoded: bytes) -> list[Any] | None:
    import rlp  # type: ignore[import-untyped]  # it has no stubs

    try:
        fields = rlp.decode(encoded)
    except rlp.exceptions.RLPException:
        return None
    return fields if isinstance(fields, list) else None


def _encoded(fields: list[Any]) -> bytes:
    import rlp

    encoded: bytes = rlp.encode(fields)
    return encoded
