"""The compiled contract: its bytecode, calldata for its functions, its answers.

eth_abi encodes; nothing here talks to a node. The artifact is committed and a test
compiles it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, cast

import orjson

from registry.core.authority import encode_code
from registry.core.digest import ZERO_DIGEST
from registry.core.signed_act import SignedAct
from registry.core.submission import Submission
from registry.errors import Inconsistent


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the contract: selector and ABI types."""

    selector: bytes
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CustomError:
    """A custom error of the contract: its name and its parameters' names and types."""

    name: str
    parameters: tuple[str, ...]
    types: tuple[str, ...]


@cache
def artifact() -> dict[str, Any]:
    """The committed output of the compiler."""
    source = files("registry.chain") / "artifacts" / "PolicyRegistry.json"
    return cast("dict[str, Any]", orjson.loads(source.read_bytes()))


def deployment_code(admin: bytes, admin_delay_seconds: int) -> bytes:
    """The contract's creation code with its constructor's arguments."""
    from eth_abi.abi import encode

    code = bytes.fromhex(artifact()["bytecode"].removeprefix("0x"))
    return code + encode(["address", "uint48"], [admin, admin_delay_seconds])


def is_registry_code(code: bytes) -> bool:
    """Whether this is the deployed code of our contract, its immutables aside."""
    compiled = artifact()
    expected = bytearray.fromhex(compiled["deployedBytecode"].removeprefix("0x"))
    found = bytearray(code)
    if len(found) != len(expected):
        return False
    for place in compiled["immutableReferences"]:
        start, end = place["start"], place["start"] + place["length"]
        found[start:end] = expected[start:end] = bytes(place["length"])
    return found == expected


@cache
def functions() -> dict[str, Function]:
    return {
        item["name"]: Function(
            _selector(item), _types(item["inputs"]), _types(item.get("outputs", []))
        )
        for item in artifact()["abi"]
        if item["type"] == "function"
    }


@cache
def custom_errors() -> dict[bytes, CustomError]:
    return {
        _selector(item): CustomError(
            item["name"],
            tuple(parameter["name"] for parameter in item["inputs"]),
            _types(item["inputs"]),
        )
        for item in artifact()["abi"]
        if item["type"] == "error"
    }


def call_data(name: str, arguments: Sequence[Any] = ()) -> str:
    """A call of the function, as 0x-hexadecimal."""
    from eth_abi.abi import encode

    function = functions()[name]
    return "0x" + (function.selector + encode(function.inputs, arguments)).hex()


def decode_result(name: str, result: Any) -> tuple[Any, ...]:
    """What the function returned; raises Inconsistent where it can not be that."""
    from eth_abi.abi import decode
    from eth_abi.exceptions import DecodingError

    try:
        return tuple(decode(functions()[name].outputs, bytes.fromhex(result[2:])))
    except (DecodingError, ValueError, TypeError):
        raise Inconsistent(f"the node answered {name}() with something else") from None


def record_data(submissions: Sequence[Submission]) -> str:
    """Calldata of record(). Manifests' bytes are left out altogether where none is given."""
    contents = [each.content for each in submissions]
    manifests = contents if any(contents) else []
    return call_data("record", ([_words(each) for each in submissions], manifests))


def record_by_signature_data(signed: SignedAct) -> str:
    """Calldata of recordBySignature()."""
    acts = signed.acts
    contents = [each.content for each in acts.submissions]
    return call_data(
        "recordBySignature",
        (
            [_words(each) for each in acts.submissions],
            contents if any(contents) else [],
            acts.registrar,
            acts.deadline,
            signed.signature,
        ),
    )


VALID_SIGNATURE = "0x1626ba7e" + "00" * 28
"""What a wallet answers to isValidSignature(bytes32,bytes) where it is one (ERC-1271)."""


def is_valid_signature_data(digest: bytes, signature: bytes) -> str:
    """Calldata of a wallet's isValidSignature()."""
    from eth_abi.abi import encode

    return VALID_SIGNATURE[:10] + encode(["bytes32", "bytes"], [digest, signature]).hex()


def _words(submission: Submission) -> tuple[Any, ...]:
    return (
        encode_code(submission.policy.authority),
        submission.policy.number_hash,
        submission.sequence,
        int(submission.action),
        submission.effective_word,
        submission.document or ZERO_DIGEST,
        submission.manifest,
    )


def _selector(item: dict[str, Any]) -> bytes:
    from eth_hash.auto import keccak

    signature = f"{item['name']}({','.join(_types(item['inputs']))})"
    return keccak(signature.encode("ascii"))[:4]


def _types(parameters: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(_type(parameter) for parameter in parameters)


def _type(parameter: dict[str, Any]) -> str:
    kind = str(parameter["type"])
    if kind.startswith("tuple"):
        inner = ",".join(_types(parameter["components"]))
        return f"({inner}){kind.removeprefix('tuple')}"
    return kind
