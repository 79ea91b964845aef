"""What the words of a ceremony stand for: lengths of time, roles, acts, a wallet's owners."""

from __future__ import annotations

import re

from eth_utils.crypto import keccak

from registry.chain.abi import artifact
from registry.core.authority import Role, encode_code, role_id
from registry.core.digest import sha256
from registry.core.entry import Action
from tests.contract.anvil_registry import ADMIN_ROLE, DAY

WALLETS = ("board", "next-board", "council")
"""The accounts that are wallets, of which two of three owners sign; all others are keys."""


def seconds(words: str) -> int:
    """`5 days`, `1 hour`."""
    found = re.fullmatch(r"(\d+) (day|hour|second)s?", words)
    assert found, f"this is no length of time: {words}"
    return int(found[1]) * {"day": DAY, "hour": 3600, "second": 1}[found[2]]


def word32(words: str) -> bytes:
    """A role (`registrar of CN`, `admin`), an authority, the SHA-256 of a file, or `none`."""
    if words in {"none", "admin"}:
        return ADMIN_ROLE
    kind, _, code = words.partition(" of ")
    if kind == "sha256":
        return sha256(code.encode())
    return role_id(code, Role[kind.upper()]) if code else encode_code(words)


def act_of(word: str) -> Action:
    return Action[word.upper().replace("-", "_")]


def is_read(function: str) -> bool:
    (found,) = (
        each
        for each in artifact()["abi"]
        if each.get("name") == function and each["type"] == "function"
    )
    return found["stateMutability"] in {"view", "pure"}


def owners_of(wallet: str) -> list[str]:
    return [f"{wallet}, owner {number}" for number in (1, 2, 3)]


def selector(signature: str) -> str:
    return "0x" + keccak(text=signature)[:4].hex()
