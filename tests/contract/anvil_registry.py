"""The registry on a real node, as the tests of docs/security.md act on it.

A `Registry` sends signed transactions and asks what calls would do; both answer with the
entries that were appended, or with the name of the custom error. Keys are made from names, so
that every run has the same accounts. Nothing here decides who may do what.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from registry.chain.abi import artifact, call_data, custom_errors, decode_result
from registry.chain.events import CHECKPOINT, MANIFEST_PUBLISHED, RECORDED
from registry.chain.rpc import HttpTransport
from registry.core.authority import Role, encode_code, role_id
from registry.core.digest import sha256
from registry.core.entry import Action, Entry, decode_entry
from tests.anvil import CHAIN_ID

WEI = hex(10**21)
GAS = 8_000_000
DAY = 86_400
ADMIN_ROLE = bytes(32)

Submission = tuple[bytes, bytes, int, int, int, bytes, bytes]

# An ERC-1271 wallet that accepts whatever is said to be signed: its code returns the magic value.
WILLING_WALLET = "0x631626ba7e60e01b5f5260205ff3"


def account(name: str) -> LocalAccount:
    """The key of this name."""
    made: LocalAccount = Account.from_key(keccak(text=f"a key for tests: {name}"))
    return made


def address(name: str) -> bytes:
    return bytes.fromhex(account(name).address[2:])


def registrars(code: str) -> bytes:
    return role_id(code, Role.REGISTRAR)


def controllers(code: str) -> bytes:
    return role_id(code, Role.CONTROLLER)


def submission(code: str, number: str, sequence: int, action: Action) -> Submission:
    """An act without a date, its document and manifest named by what it is."""
    what = f"{number} {sequence}"
    document = sha256(what.encode()) if action.carries_document else bytes(32)
    manifest = sha256(f"manifest of {what}".encode())
    number_hash = sha256(number.encode())
    return (encode_code(code), number_hash, sequence, int(action), -(2**31), document, manifest)


def mutating_functions() -> set[str]:
    """The names of all functions of the contract that are neither view nor pure."""
    return {
        item["name"]
        for item in artifact()["abi"]
        if item["type"] == "function" and item["stateMutability"] not in {"view", "pure"}
    }


@dataclass(frozen=True)
class Outcome:
    """What a call did: an error's name, or the entries, and whether it emitted anything."""

    error: str | None
    entries: tuple[Entry, ...] = ()
    changed: bool = False


class Registry:
    """A contract on a node, and whoever acts on it."""

    def __init__(self, transport: HttpTransport, contract: str) -> None:
        self.transport = transport
        self.contract = contract

    def call(self, name: str, *arguments: Any) -> Any:
        """What a view function answers."""
        question = {"to": self.contract, "data": call_data(name, arguments)}
        found = decode_result(name, self.transport.request("eth_call", [question, "latest"]))
        return found[0] if len(found) == 1 else found

    def tries(self, sender: str, calls: Sequence[str]) -> list[Outcome]:
        """What each call, given as calldata, would do by itself: nothing is sent."""
        asked = [
            {"from": sender, "to": self.contract, "data": data, "gas": hex(GAS)} for data in calls
        ]
        blocks = [{"blockStateCalls": [{"calls": [each]}], "validation": False} for each in asked]
        answers = self.transport.batch([("eth_simulateV1", [each, "latest"]) for each in blocks])
        return [self._outcome(answer[0]["calls"][0]) for answer in answers]

    def _outcome(self, result: dict[str, Any]) -> Outcome:
        if int(result["status"], 16) != 1:
            return Outcome(error_name(result["returnData"]))
        return Outcome(None, entries_of(result["logs"]), bool(result["logs"]))

    def sends(self, sender: str, name: str, *arguments: Any) -> Outcome:
        """Mine a call of the registry, by the key of this name."""
        return send(self.transport, sender, self.contract, call_data(name, arguments))

    def signed(self, signer: str, submissions: Sequence[Submission], deadline: int) -> bytes:
        """The signature over submissions that anyone may then relay."""
        digest = self.call("digestOf", submissions, address(signer), deadline)
        return bytes(account(signer).unsafe_sign_hash(digest).signature)

    def now(self) -> int:
        return int(
            self.transport.request("eth_getBlockByNumber", ["latest", False])["timestamp"], 16
        )


def fund(transport: HttpTransport, name: str) -> None:
    transport.request("anvil_setBalance", [account(name).address, WEI])


def pass_time(transport: HttpTransport, seconds: int) -> None:
    transport.request("evm_increaseTime", [hex(seconds)])
    transport.request("evm_mine")


def send(transport: HttpTransport, sender: str, to: str | None, data: str) -> Outcome:
    """Mine a transaction by the key of this name; `to` is None where it makes a contract."""
    receipt = mined(transport, sender, to, data)
    if int(receipt["status"], 16) == 1:
        return Outcome(None, entries_of(receipt["logs"]), bool(receipt["logs"]))
    before = hex(int(receipt["blockNumber"], 16) - 1)
    asked = {"from": account(sender).address, "to": to, "data": data, "gas": hex(GAS)}
    at = {"blockStateCalls": [{"calls": [asked]}], "validation": False}
    (block,) = transport.request("eth_simulateV1", [at, before])
    return Outcome(error_name(block["calls"][0]["returnData"]))


def mined(transport: HttpTransport, sender: str, to: str | None, data: str) -> dict[str, Any]:
    """The receipt of a signed transaction."""
    key = account(sender)
    fund(transport, sender)
    nonce = transport.request("eth_getTransactionCount", [key.address, "pending"])
    fields: dict[str, Any] = {
        "chainId": CHAIN_ID,
        "nonce": int(nonce, 16),
        "gas": GAS,
        "value": 0,
        "data": data,
        "maxFeePerGas": 10**11,
        "maxPriorityFeePerGas": 0,
        "to": to_checksum_address(to) if to else b"",
    }
    raw = "0x" + key.sign_transaction(fields).raw_transaction.hex().removeprefix("0x")
    receipt: dict[str, Any] = transport.request("eth_sendRawTransactionSync", [raw])
    return receipt


def entries_of(logs: Sequence[dict[str, Any]]) -> tuple[Entry, ...]:
    """The entries that one call appended; it emitted a checkpoint exactly if there are some."""
    entries = [
        decode_entry(bytes.fromhex(log["topics"][1][2:] + log["data"][2:]))
        for log in logs
        if log["topics"][0] == RECORDED
    ]
    checkpoints = [log for log in logs if log["topics"][0] == CHECKPOINT]
    assert len(checkpoints) == bool(entries)
    return tuple(entries)


def manifests_of(receipt: dict[str, Any]) -> int:
    """How many manifests' bytes came with a transaction."""
    return sum(log["topics"][0] == MANIFEST_PUBLISHED for log in receipt["logs"])


def error_name(returned: str) -> str:
    """The custom error's name, which every refusal has."""
    data = bytes.fromhex(returned[2:])
    known = custom_errors().get(data[:4])
    assert known is not None, f"a refusal without a custom error of the contract: {returned}"
    return known.name
