"""What docs/security.md says of attacks on the contract, where no other test tries it.

A test of a limit fails on the day the limit is gone: the page is then to be put right.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from registry.chain.abi import artifact, deployment_code
from registry.chain.client import Client
from registry.chain.rpc import HttpTransport
from registry.core.authority import encode_code
from registry.core.entry import Action
from registry.core.units import Address, BlockNumber
from registry.errors import Inconsistent
from registry.mirror.audit import audit
from registry.mirror.engine import open_engine, reading, sqlite_url
from registry.services.sync import sync
from tests.anvil import running_anvil
from tests.contract.anvil_registry import (
    Registry,
    account,
    address,
    mined,
    registrars,
    submission,
)
from tests.contract.registry_office import Office, opened_office

DEADLINE = 2**40


@pytest.fixture(scope="module")
def node() -> Iterator[tuple[HttpTransport, str]]:
    with running_anvil() as url:
        yield HttpTransport(url), url


@pytest.fixture
def office(node: tuple[HttpTransport, str], tmp_path: Path) -> Office:
    return opened_office(*node, tmp_path)


def creation_code(delegate: str, slot: int) -> bytes:
    """Code of a constructor that writes 1 to a slot, and then lets the genuine one run on the same
    storage: PUSH1 1 PUSH32 slot SSTORE, DELEGATECALL, return what it returned."""
    plant = b"\x60\x01\x7f" + slot.to_bytes(32, "big") + b"\x55"
    call = (
        bytes(4).replace(b"\0", b"\x5f") + b"\x73" + bytes.fromhex(delegate[2:]) + b"\x5a\xf4\x50"
    )
    return plant + call + bytes.fromhex("3d5f5f3e3d5ff3")


def planted_role(role: bytes, holder: bytes) -> int:
    """The slot that says whether `holder` has the role."""
    (base,) = (each["slot"] for each in artifact()["storageLayout"] if each["label"] == "_roles")
    data = keccak(role + int(base).to_bytes(32, "big"))
    return int.from_bytes(keccak(bytes(12) + holder + data), "big")


def test_a_role_that_a_deployer_planted_is_found_out_when_it_is_used(
    node: tuple[HttpTransport, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code at the address is genuine, and so is the log's root: but there is a registrar whom
    nobody appointed. Until they act, only the transaction's input shows it, which is not the
    committed bytecode with its two arguments; once they do, no mirror takes it, and of one that
    did the audit says so."""
    transport, _ = node
    genuine = deployment_code(address("admin"), 0)
    delegate = account("delegate").address
    transport.request("anvil_setCode", [delegate, "0x" + genuine.hex()])
    code = creation_code(delegate, planted_role(registrars("CN"), address("planted")))
    made = mined(transport, "deployer", None, "0x" + code.hex())
    registry = Registry(transport, made["contractAddress"])
    client = Client(transport, Address(bytes.fromhex(registry.contract[2:])))
    client.require_contract()
    role, code_word = registrars("CN"), encode_code("CN")
    registry.sends("admin", "openAuthority", code_word, address("minister"), bytes(32), b"")
    assert registry.call("authorityAct", code_word, bytes(12) + address("planted"))[0] == 0
    assert registry.call("hasRole", role, address("planted"))
    published = registry.sends("planted", "record", [submission("CN", "1", 1, Action.PUBLISH)], [])
    assert [entry.action for entry in published.entries] == [Action.PUBLISH]
    engine = open_engine(sqlite_url(tmp_path / "mirror.sqlite"))
    with pytest.raises(Inconsistent, match=r"entry 3 \(publish\) is by .* does not entitle"):
        sync(client, engine, BlockNumber(int(made["blockNumber"], 16)))
    monkeypatch.setattr("registry.services.sync.require_entitled", lambda *_: None)
    sync(client, engine, BlockNumber(int(made["blockNumber"], 16)))
    with reading(engine) as connection:
        (finding,) = audit(connection, None, lambda _: None).findings
    assert finding.key == (3,)
    assert "does not entitle" in finding.problem
    created = transport.request("eth_getTransactionByHash", [made["transactionHash"]])
    assert created["input"] != "0x" + genuine.hex()


def test_what_was_signed_can_be_used_until_its_deadline(office: Office) -> None:
    """A signature is void while its signer is no registrar, or once its sequence is taken; it can
    not be taken back otherwise."""
    registry, role = office.registry, registrars("CN")
    registry.sends("officer", "grantRole", role, address("signer"))
    given = [submission("CN", "1", 1, Action.PUBLISH)]
    signature = registry.signed("signer", given, DEADLINE)
    relayed: tuple[Any, ...] = (given, [], address("signer"), DEADLINE, signature)
    registry.sends("officer", "revokeRole", role, address("signer"))
    refused = registry.sends("relay", "recordBySignature", *relayed)
    assert refused.error == "AccessControlUnauthorizedAccount"
    registry.sends("officer", "grantRole", role, address("signer"))
    assert registry.sends("relay", "recordBySignature", *relayed).error is None


def test_a_report_names_whom_its_author_likes(office: Office) -> None:
    """Also an account that never held a role of the authority: whose report it is counts."""
    done = office.registry.sends(
        "officer", "reportCompromised", registrars("CN"), address("stranger"), 1
    )
    (entry,) = done.entries
    assert (entry.action, entry.registrar) == (Action.REPORT_COMPROMISE, address("officer"))


def test_a_report_does_not_keep_a_key_from_being_appointed_again(office: Office) -> None:
    role, key = registrars("CN"), address("careless")
    for name, arguments in (("grantRole", ()), ("reportCompromised", (1,)), ("grantRole", ())):
        assert office.registry.sends("officer", name, role, key, *arguments).error is None
    assert office.registry.call("hasRole", role, key)


def test_a_planned_transfer_is_in_no_entry(office: Office) -> None:
    before = office.registry.call("checkpoint")
    office.registry.sends("officer", "beginDefaultAdminTransfer", address("thief"))
    assert office.registry.call("checkpoint") == before
    assert office.registry.call("pendingDefaultAdmin")[0] == account("thief").address.lower()


def test_another_contract_is_refused_by_its_code(office: Office) -> None:
    """One byte of the code is enough; who wants to be sure compares the creating transaction."""
    transport, there = office.client.transport, to_checksum_address(address("impostor"))
    code = transport.request("eth_getCode", [office.registry.contract, "latest"])
    transport.request("anvil_setCode", [there, code[:-2] + ("00" if code[-2:] != "00" else "01")])
    refused = office.officer("sync", POLREG_CONTRACT=there)
    assert refused.code != 0
    assert "is not this version of the policy registry" in refused.err
