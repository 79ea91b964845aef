"""What a transaction's gas is spent on, opcode group by opcode group, from a node's trace.

The groups add up to the receipt's `gasUsed`, or `breakdown` raises: nothing is left over or
estimated. Prices are those of Prague; what a slot costs is read off the trace.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from web3 import Web3

BASE = 21_000
ZERO_BYTE, OTHER_BYTE = 4, 16
NEW_SLOT = 20_000
COLD_READ = 2_100

_ARITHMETIC = (
    "ADD MUL SUB DIV SDIV MOD SMOD ADDMOD MULMOD EXP SIGNEXTEND LT GT SLT SGT EQ ISZERO AND OR XOR "
    "NOT BYTE SHL SHR SAR"
)
_OPCODES = {
    "emitting events": "LOG0 LOG1 LOG2 LOG3 LOG4",
    "sha-256 precompile": "STATICCALL",
    "keccak-256 of slots": "KECCAK256",
    "memory": "MLOAD MSTORE MSTORE8 MCOPY CALLDATACOPY CODECOPY RETURNDATACOPY",
    "jumps": "JUMP JUMPI JUMPDEST",
    "arithmetic and comparisons": _ARITHMETIC,
    "reading the call": (
        "CALLDATALOAD CALLDATASIZE CALLVALUE CALLER TIMESTAMP GAS RETURNDATASIZE CHAINID ADDRESS"
    ),
}
_GROUP_OF = {opcode: group for group, names in _OPCODES.items() for opcode in names.split()}


def breakdown(web3: Web3, transaction: str, documents: int) -> dict[str, Any]:
    """Gas per document by group, the dearest first, and the number of steps executed.

    Raises RuntimeError where the trace does not explain the receipt.
    """
    used = int(web3.eth.get_transaction_receipt(transaction)["gasUsed"])  # type: ignore[arg-type]
    calldata = bytes(web3.eth.get_transaction(transaction)["input"])  # type: ignore[arg-type]
    zeros = calldata.count(0)
    groups = Counter(
        {
            "every transaction": BASE,
            "calldata, zero bytes": ZERO_BYTE * zeros,
            "calldata, other bytes": OTHER_BYTE * (len(calldata) - zeros),
        }
    )
    steps = _steps(web3, transaction)
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        cost = step["gas"] - following["gas"] if following else step["gasCost"]
        groups[_group(step["op"], cost)] += cost
    if groups.total() != used:
        raise RuntimeError(f"{groups.total()} gas is explained, and {used} was used")
    return {
        "documents": documents,
        "per_document": round(used / documents),
        "steps_per_document": round(len(steps) / documents),
        "groups": {group: round(gas / documents, 1) for group, gas in groups.most_common()},
    }


def _steps(web3: Web3, transaction: str) -> list[dict[str, Any]]:
    without = {"disableStack": True, "disableMemory": True, "disableStorage": True}
    ask: Any = web3.provider.make_request
    answer = ask("debug_traceTransaction", [transaction, without])
    steps: list[dict[str, Any]] = answer["result"]["structLogs"]
    return steps


def _group(opcode: str, cost: int) -> str:
    if opcode == "SSTORE":
        return "writing new slots" if cost >= NEW_SLOT else "changing slots"
    if opcode == "SLOAD":
        return "reading slots first" if cost >= COLD_READ else "reading slots again"
    if opcode.startswith(("PUSH", "DUP", "SWAP", "POP")):
        return "stack"
    return _GROUP_OF.get(opcode, "other")
