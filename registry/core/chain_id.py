"""How chains and contracts are named in every answer: CAIP-2 and CAIP-10."""

from __future__ import annotations

EMBEDDED_CHAIN_ID = 131277322940537
"""eth-tester's; a registry there is worth no more than the machine it is on."""

_DEVELOPMENT = frozenset({EMBEDDED_CHAIN_ID, 31337, 1337})


def caip2(chain_id: int) -> str:
    return f"eip155:{chain_id}"


def caip10(chain_id: int, contract: str) -> str:
    return f"{caip2(chain_id)}:{contract}"


def is_development(chain_id: int) -> bool:
    """Whether this is a chain that nobody but its owner sees."""
    return chain_id in _DEVELOPMENT
