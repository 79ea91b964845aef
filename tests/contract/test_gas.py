"""What each act costs and how large the contract is, to the last unit: tests/vectors/gas.json.

A rise is a decision, to be named in the message of the commit that changes the file. After
changing the contract: PYTHONPATH=. python tests/contract/test_gas.py
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from registry.chain.abi import artifact, call_data, deployment_code
from registry.chain.rpc import HttpTransport
from registry.core.authority import encode_code
from registry.core.digest import sha256
from registry.core.entry import Action
from tests.anvil import ROOT, running_anvil
from tests.contract.anvil_registry import (
    DAY,
    Registry,
    address,
    controllers,
    mined,
    pass_time,
    registrars,
    submission,
)

SNAPSHOT = ROOT / "tests" / "vectors" / "gas.json"
CODE = "CN.GD.SHENZHEN"
PROFILE = b'{"name":"' + b"x" * 287 + b'"}'
LONG_AGO = 1_600_000_000  # a constant, since its bytes cost gas
_NONE = (bytes(32), b"")


def test_every_act_costs_what_it_did() -> None:
    assert measured() == json.loads(SNAPSHOT.read_bytes())


def measured() -> dict[str, Any]:
    code, created = artifact()["deployedBytecode"], artifact()["bytecode"]
    with running_anvil() as url:
        acts = dict(_acts(HttpTransport(url)))
    return {
        "code_bytes": {"runtime": len(code) // 2 - 1, "creation": len(created) // 2 - 1},
        "gas": acts,
    }


def _acts(transport: HttpTransport) -> Iterator[tuple[str, int]]:
    """One act after the other on one registry, each with its gas."""
    creation = "0x" + deployment_code(address("admin"), 0).hex()
    receipt = mined(transport, "admin", None, creation)
    yield "deploy", int(receipt["gasUsed"], 16)
    registry = Registry(transport, receipt["contractAddress"])

    def gas(sender: str, name: str, *arguments: Any) -> int:
        done = mined(transport, sender, registry.contract, call_data(name, arguments))
        assert int(done["status"], 16) == 1, (name, arguments)
        return int(done["gasUsed"], 16)

    controller = address("controller")
    yield "open an authority", gas("admin", "openAuthority", encode_code("CN"), controller, *_NONE)
    for child in ("CN.GD", CODE):
        gas("controller", "openAuthority", encode_code(child), controller, *_NONE)
    role = registrars(CODE)
    yield "appoint a registrar", gas("controller", "grantRole", role, address("registrar"))
    gas("controller", "grantRole", role, address("leaving"))
    yield from _policy_acts(registry, gas)
    profile = (sha256(PROFILE), PROFILE)
    yield "set a profile", gas("controller", "setProfile", encode_code(CODE), *profile)
    yield "renounce a role", gas("leaving", "renounceRole", role, address("leaving"))
    yield "dismiss a registrar", gas("controller", "revokeRole", role, address("registrar"))
    report = (controllers(CODE), controller, LONG_AGO)
    yield "report a compromised key", gas("controller", "reportCompromised", *report)
    yield "begin the admin's transfer", gas("admin", "beginDefaultAdminTransfer", address("next"))
    pass_time(transport, DAY)
    yield "accept the admin's transfer", gas("next", "acceptDefaultAdminTransfer")
    yield "retire", gas("next", "retire", address("successor"))


def _policy_acts(registry: Registry, gas: Any) -> Iterator[tuple[str, int]]:
    def act(number: str, sequence: int, action: Action) -> tuple[str, int]:
        given = [submission(CODE, number, sequence, action)]
        return action.word, gas("registrar", "record", given, [])

    # So many that the low peaks' slots exist, as they do for all but the first entries of a log.
    gas(
        "registrar",
        "record",
        [submission(CODE, f"old {i}", 1, Action.PUBLISH) for i in range(32)],
        [],
    )
    yield act("A", 1, Action.PUBLISH)
    yield act("A", 2, Action.AMEND)
    yield act("A", 3, Action.CORRECT)
    yield act("A", 4, Action.SUSPEND)
    yield act("A", 5, Action.REINSTATE)
    yield act("A", 6, Action.SUPERSEDE)
    gas("registrar", "record", [submission(CODE, "A", 7, Action.REINSTATE)], [])
    yield act("A", 8, Action.REPEAL)
    gas("registrar", "record", [submission(CODE, "A", 9, Action.REINSTATE)], [])
    yield act("A", 10, Action.WITHDRAW)
    inline = [*submission(CODE, "B", 1, Action.PUBLISH)]
    inline[6] = sha256(PROFILE)
    yield "publish, manifest inline", gas("registrar", "record", [tuple(inline)], [PROFILE])
    relayed = [submission(CODE, "C", 1, Action.PUBLISH)]
    deadline = 2**40
    signature = registry.signed("registrar", relayed, deadline)
    words = (relayed, [], address("registrar"), deadline, signature)
    yield "publish, relayed", gas("relay", "recordBySignature", *words)
    for count in (10, 100):
        batch = [submission(CODE, f"{count} {i}", 1, Action.PUBLISH) for i in range(count)]
        yield f"publish {count} at once", gas("registrar", "record", batch, [])


if __name__ == "__main__":
    SNAPSHOT.write_text(json.dumps(measured(), indent=2) + "\n", encoding="utf-8")
