"""Formats that no later change may alter unnoticed: tests/vectors/contract.json, literally.

Signatures, type hashes, topics and selectors are those of the text; the storage layout is the
compiler's; and one walk over every kind of act, at given times, has left exactly these events
and exactly this storage on a real node. There is no command that rewrites the file: a format
that changes is a new format, and whoever changes it edits the words that say so.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

from registry.chain.abi import artifact, call_data, deployment_code
from registry.chain.rpc import HttpTransport
from registry.core.authority import Role, encode_code, role_id
from registry.core.digest import sha256
from registry.core.entry import Action
from tests.anvil import ROOT, running_anvil
from tests.contract.anvil_registry import Registry, address, mined, registrars

FROZEN: dict[str, Any] = json.loads((ROOT / "tests/vectors/contract.json").read_bytes())
START = 1_700_000_000
DEADLINE = START + 10**6
PROFILE = b'{"name":"Shenzhen"}'
SHENZHEN = encode_code("CN.GD.SHENZHEN")
NOTHING = (bytes(32), b"")
NO_DATE = -(2**31)


def signature(item: dict[str, Any]) -> str:
    return f"{item['name']}({','.join(map(type_of, item['inputs']))})"


def type_of(parameter: dict[str, Any]) -> str:
    kind: str = parameter["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(map(type_of, parameter['components']))}){kind.removeprefix('tuple')}"


@pytest.mark.parametrize(
    ("kind", "length"), [("event", 32), ("function", 4), ("error", 4)], ids=lambda value: str(value)
)
def test_the_signatures_are_these_and_no_others(kind: str, length: int) -> None:
    items = [item for item in artifact()["abi"] if item["type"] == kind]
    found = {signature(item): keccak(text=signature(item))[:length].hex() for item in items}
    assert found == FROZEN[f"{kind}s"]


def test_a_topic_is_an_index_or_a_digest() -> None:
    events = [item for item in artifact()["abi"] if item["type"] == "event"]
    assert {
        item["name"]: [each["name"] for each in item["inputs"] if each["indexed"]]
        for item in events
    } == FROZEN["topics"]


def test_the_storage_layout_is_this() -> None:
    assert artifact()["storageLayout"] == FROZEN["storage_layout"]


def test_the_type_hashes_are_those_of_the_texts() -> None:
    for text, digest in FROZEN["eip712"]["types"].items():
        assert keccak(text=text).hex() == digest


def test_what_is_signed_is_what_a_wallet_computes_from_the_message() -> None:
    message = FROZEN["eip712"]["message"]
    signable = encode_typed_data(full_message=message)
    digest = keccak(b"\x19\x01" + signable.header + signable.body)
    assert digest.hex() == FROZEN["eip712"]["digest"]


def test_the_contract_has_these_type_hashes_and_this_digest(walked: Walk) -> None:
    eip712 = FROZEN["eip712"]
    found = [walked.registry.call(name).hex() for name in eip712["getters"]]
    assert found == [eip712["types"][text] for text in eip712["getters"].values()]
    assert walked.digest.hex() == eip712["digest"]
    fields, name, version, chain, contract, salt, extensions = walked.registry.call("eip712Domain")
    domain = eip712["message"]["domain"]
    assert (name, version, chain) == (domain["name"], domain["version"], domain["chainId"])
    assert contract == domain["verifyingContract"].lower()
    assert (fields, salt, extensions) == (b"\x0f", bytes(32), ())


def test_the_walk_leaves_these_events(walked: Walk) -> None:
    assert walked.events == FROZEN["walk"]


def test_the_walk_leaves_this_storage_and_nothing_else(walked: Walk) -> None:
    assert walked.storage == FROZEN["storage"]


class Walk:
    """Every kind of act once, each in a block of its own, an hour after the one before."""

    def __init__(self, transport: HttpTransport) -> None:
        self._transport = transport
        self._time = START
        self.events: list[dict[str, Any]] = []
        creation = "0x" + deployment_code(address("admin"), 0).hex()
        created = self._mined("deploy", "admin", None, creation)
        self.registry = Registry(transport, created["contractAddress"])
        relayed = [self._submission("甲", 2, Action.AMEND, 20_000)]
        self.digest = self.registry.call("digestOf", relayed, address("registrar"), DEADLINE)
        for sender, name, arguments in self._acts(relayed):
            self._mined(name, sender, self.registry.contract, call_data(name, arguments))
        self.storage = self._whole_storage()

    def _acts(self, relayed: list[Any]) -> Iterator[tuple[str, str, tuple[Any, ...]]]:
        controller, registrar = address("controller"), address("registrar")
        role = registrars("CN.GD.SHENZHEN")
        yield "admin", "openAuthority", (encode_code("CN"), controller, *NOTHING)
        yield "controller", "openAuthority", (encode_code("CN.GD"), controller, *NOTHING)
        yield "controller", "openAuthority", (SHENZHEN, controller, sha256(PROFILE), PROFILE)
        yield "controller", "grantRole", (role, registrar)
        yield "controller", "setProfile", (SHENZHEN, sha256(b"{}"), b"{}")
        published = [
            self._submission("甲", 1, Action.PUBLISH, -7398),
            self._submission("乙", 1, Action.PUBLISH, NO_DATE),
        ]
        yield "registrar", "record", (published, [_manifest("甲", 1), b""])
        signed = self.registry.signed("registrar", relayed, DEADLINE)
        yield "relay", "recordBySignature", (relayed, [], registrar, DEADLINE, signed)
        later = [Action.CORRECT, Action.SUSPEND, Action.REINSTATE, Action.SUPERSEDE]
        later += [Action.REINSTATE, Action.REPEAL, Action.REINSTATE, Action.WITHDRAW]
        acts = [self._submission("甲", 3 + i, action, NO_DATE) for i, action in enumerate(later)]
        yield "registrar", "record", (acts, [])
        yield "controller", "reportCompromised", (role, registrar, START)
        yield "controller", "revokeRole", (role_id("CN.GD", Role.CONTROLLER), controller)
        yield "admin", "beginDefaultAdminTransfer", (address("next"),)
        yield "next", "acceptDefaultAdminTransfer", ()
        yield "next", "retire", (address("successor"),)

    @staticmethod
    def _submission(number: str, sequence: int, action: Action, day: int) -> tuple[Any, ...]:
        document = bytes(32)
        if action.carries_document:
            document = sha256(f"{number} {sequence}".encode())
        manifest = sha256(_manifest(number, sequence))
        key = sha256(number.encode())
        return (SHENZHEN, key, sequence, int(action), day, document, manifest)

    def _mined(self, name: str, sender: str, to: str | None, data: str) -> dict[str, Any]:
        self._time += 3600
        self._transport.request("evm_setNextBlockTimestamp", [hex(self._time)])
        receipt = mined(self._transport, sender, to, data)
        assert int(receipt["status"], 16) == 1, name
        logs = [{"topics": log["topics"], "data": log["data"]} for log in receipt["logs"]]
        self.events.append({"call": name, "logs": logs})
        return receipt

    def _whole_storage(self) -> dict[str, str]:
        state = self._transport.request("anvil_dumpState", [])
        accounts = json.loads(gzip.decompress(bytes.fromhex(state[2:])))["accounts"]
        slots: dict[str, str] = accounts[self.registry.contract.lower()]["storage"]
        return {slot: value for slot, value in sorted(slots.items()) if int(value, 16)}


def _manifest(number: str, sequence: int) -> bytes:
    return f'{{"number":"{number}","sequence":{sequence}}}'.encode()


@pytest.fixture(scope="module")
def walked() -> Iterator[Walk]:
    with running_anvil("--timestamp", str(START)) as url:
        yield Walk(HttpTransport(url))
