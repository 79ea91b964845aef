"""The contract's bytes: calls, reverts and events, encoded from the committed ABI.

The only place of the differential test that encodes; eth_abi does the work, so that
neither the product's codec nor the contract's is believed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_hash.auto import keccak
from eth_utils.abi import (
    abi_to_signature,
    event_abi_to_log_topic,
    get_abi_input_types,
    get_abi_output_types,
)

from scripts.compile import ARTIFACT


@dataclass(frozen=True, slots=True)
class Log:
    """One event that the registry emitted: its topics' words, and its data."""

    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one transaction did: what it reverted with (None where it did not), and its events."""

    revert: bytes | None
    logs: tuple[Log, ...]

    @property
    def entries(self) -> list[bytes]:
        """The entries it appended, each as its 352 bytes."""
        recorded = event_topic("Recorded")
        return [log.topics[1] + log.data for log in self.logs if log.topics[0] == recorded]


@cache
def artifact() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(ARTIFACT.read_bytes())
    return loaded


@cache
def described(kind: str) -> dict[str, Any]:
    """The ABI's functions, errors or events by name. Raises where a name is overloaded: nothing
    here could then say which one is meant."""
    items = [item for item in artifact()["abi"] if item["type"] == kind]
    by_name = {item["name"]: item for item in items}
    assert len(by_name) == len(items), f"a {kind} of the ABI is overloaded"
    return by_name


def creation_code(admin: bytes, delay: int) -> bytes:
    code = bytes.fromhex(artifact()["bytecode"].removeprefix("0x"))
    return code + encode(["address", "uint48"], [admin, delay])


def encode_call(function: str, arguments: tuple[Any, ...]) -> bytes:
    item = described("function")[function]
    return _selector("function", function) + encode(get_abi_input_types(item), arguments)


def encode_result(function: str, *values: Any) -> bytes:
    """What a call of `function` answers."""
    return encode(get_abi_output_types(described("function")[function]), values)


def encode_error(name: str, arguments: tuple[Any, ...]) -> bytes:
    types = get_abi_input_types(described("error")[name])
    return _selector("error", name) + encode(types, arguments)


def encode_event(name: str, *values: Any) -> Log:
    """Indexed parameters as topics, each a word; the others as data, in their order."""
    item = described("event")[name]
    given = list(zip(item["inputs"], values, strict=True))
    topics = [encode([each["type"]], [value]) for each, value in given if each["indexed"]]
    plain = [(each["type"], value) for each, value in given if not each["indexed"]]
    data = encode([kind for kind, _ in plain], [value for _, value in plain])
    return Log((event_topic(name), *topics), data)


@cache
def event_topic(name: str) -> bytes:
    return bytes(event_abi_to_log_topic(described("event")[name]))


def spoken_revert(data: bytes | None) -> str:
    """A revert in words, for messages of tests."""
    if data is None:
        return "accepted"
    for name, item in described("error").items():
        if data[:4] == _selector("error", name):
            try:
                values = decode(get_abi_input_types(item), data[4:])
            except DecodingError:
                break
            shown = (each.hex() if isinstance(each, bytes) else str(each) for each in values)
            return f"refused: {name}({', '.join(shown)})"
    return f"reverted with 0x{data.hex()}"


def spoken_log(log: Log) -> str:
    for name in described("event"):
        if log.topics[0] == event_topic(name):
            words = b"".join(log.topics[1:]) + log.data
            return f"{name} {words.hex()}"
    return f"an unknown event {log}"


@cache
def _selector(kind: str, name: str) -> bytes:
    return keccak(abi_to_signature(described(kind)[name]).encode())[:4]
