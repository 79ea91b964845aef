"""That a mirror takes every history in which the contract was used as it may be, wherever it is
cut, and none in which a role was given outside the log."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.chain.abi import deployment_code
from registry.chain.client import Client
from registry.chain.rpc import HttpTransport
from registry.core.authority import encode_code
from registry.core.command import ChainOfCommand
from registry.core.entry import Action, Entry
from registry.core.units import Address, BlockNumber, Digest, EntryIndex
from registry.errors import Inconsistent
from registry.mirror.engine import open_engine, reading, sqlite_url
from registry.mirror.queries import log_rows
from registry.mirror.store import entry_of
from registry.services import log_export, sync
from tests.anvil import running_anvil
from tests.contract.anvil_registry import (
    ADMIN_ROLE,
    Registry,
    account,
    address,
    controllers,
    mined,
    pass_time,
    registrars,
    submission,
)
from tests.contract.test_threats import creation_code, planted_role

CN, GD = encode_code("CN"), encode_code("CN.GD")
PROFILE = bytes([1]) * 32


@dataclasses.dataclass(frozen=True)
class Used:
    """A registry that was used in every way, and the block that it was made in."""

    registry: Registry
    client: Client
    first: BlockNumber


def deployed(transport: HttpTransport, code: bytes) -> Used:
    made = mined(transport, "deployer", None, "0x" + code.hex())
    registry = Registry(transport, made["contractAddress"])
    client = Client(transport, Address(bytes.fromhex(registry.contract[2:])))
    return Used(registry, client, BlockNumber(int(made["blockNumber"], 16)))


@pytest.fixture(scope="module")
def transport() -> Iterator[HttpTransport]:
    with running_anvil() as url:
        yield HttpTransport(url)


@pytest.fixture(scope="module")
def used(transport: HttpTransport) -> Used:
    """Who deployed it is not its administrator; the administrator is a controller and a registrar
    as well; roles are given up, taken, reported and given again; the administrator's role goes to
    its holder anew, to another, and to nobody."""
    made = deployed(transport, deployment_code(address("admin"), 0))

    def does(sender: str, name: str, *words: object) -> None:
        assert made.registry.sends(sender, name, *words).error is None, (sender, name, words)

    does("admin", "openAuthority", CN, address("admin"), bytes(32), b"")
    does("admin", "grantRole", registrars("CN"), address("admin"))
    does("admin", "grantRole", controllers("CN"), address("second"))
    does("second", "openAuthority", GD, address("gd"), bytes(32), b"")
    does("admin", "revokeRole", controllers("CN"), address("second"))
    does("gd", "grantRole", registrars("CN.GD"), address("gd"))
    does("gd", "reportCompromised", registrars("CN.GD"), address("gd"), 1)
    does("admin", "reportCompromised", controllers("CN"), address("admin"), 1)
    does("admin", "record", [submission("CN", "1", 1, Action.PUBLISH)], [])
    does("admin", "renounceRole", registrars("CN"), address("admin"))
    does("admin", "grantRole", controllers("CN"), address("admin"))
    does("admin", "renounceRole", controllers("CN"), address("admin"))
    does("admin", "grantRole", controllers("CN"), address("minister"))
    does("gd", "setProfile", GD, PROFILE, b"")
    does("minister", "reportCompromised", controllers("CN.GD"), address("gd"), 1)
    for before, after in (("admin", "admin"), ("admin", "next")):
        does(before, "beginDefaultAdminTransfer", address(after))
        pass_time(transport, 10)
        does(after, "acceptDefaultAdminTransfer")
    does("next", "openAuthority", encode_code("FR"), address("fr"), bytes(32), b"")
    does("minister", "reportCompromised", registrars("CN"), address("nobody in particular"), 1)
    does("next", "beginDefaultAdminTransfer", bytes(20))
    pass_time(transport, 10)
    does("next", "renounceRole", ADMIN_ROLE, address("next"))
    does("minister", "grantRole", registrars("CN"), address("minister"))
    batch = [submission("CN", str(number), 1, Action.PUBLISH) for number in range(2, 9)]
    does("minister", "record", batch, [])
    return made


@pytest.mark.parametrize("blocks", [1, 2, 500])
def test_a_mirror_takes_whatever_the_contract_took(
    used: Used, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blocks: int
) -> None:
    monkeypatch.setattr(sync, "BLOCKS_PER_RANGE", blocks)
    engine = open_engine(sqlite_url(tmp_path / "mirror.sqlite"))
    synced = sync.sync(used.client, engine, used.first)
    assert synced.position.size == used.registry.call("checkpoint")[0]


@pytest.mark.parametrize("entries", [1, 2, 3, 2000])
def test_an_export_is_taken_in_pieces_that_end_anywhere(
    used: Used, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entries: int
) -> None:
    """Also between the two entries of one act, and within a batch of many."""
    engine = open_engine(sqlite_url(tmp_path / "mirror.sqlite"))
    sync.sync(used.client, engine, used.first)
    path = tmp_path / "log.ndjson"
    path.write_bytes(b"".join(log_export.export_log(engine).lines()))
    monkeypatch.setattr(log_export, "_BATCH", entries)
    other = open_engine(sqlite_url(tmp_path / "other.sqlite"))
    position = log_export.import_log(path, used.client, other)
    assert position.size == used.registry.call("checkpoint")[0]
    again = b"".join(log_export.export_log(other).lines())
    assert again == path.read_bytes()


@pytest.fixture(scope="module")
def log(used: Used, tmp_path_factory: pytest.TempPathFactory) -> list[Entry]:
    engine = open_engine(sqlite_url(tmp_path_factory.mktemp("log") / "mirror.sqlite"))
    position = sync.sync(used.client, engine, used.first).position
    with reading(engine) as connection:
        return [entry_of(row) for row in log_rows(connection, position.size)]


def test_what_can_be_done_but_once_is_not_entitled_again(log: list[Entry]) -> None:
    """Each entry once more, right after itself: a role is taken, an authority opened and an
    administrator succeeded but once."""
    repeatable = {Action.SET_PROFILE, Action.REPORT_COMPROMISE}
    given = {Action.APPOINT_CONTROLLER, Action.APPOINT_REGISTRAR}
    for place, entry in enumerate(log):
        command = ChainOfCommand()
        for each in log[: place + 1]:
            command.follow(each)
        again = dataclasses.replace(entry, index=entry.index + 1)
        if entry.action in repeatable | given or entry.action.on_policy:
            command.follow(again)
            continue
        with pytest.raises(Inconsistent, match="does not entitle"):
            command.follow(again)


def test_nobody_becomes_administrator_after_the_last_gave_the_role_up(log: list[Entry]) -> None:
    renounced = max(entry.index for entry in log if entry.action is Action.DISMISS_ADMIN)
    appointed = next(e for e in reversed(log) if e.action is Action.APPOINT_ADMIN)
    command = ChainOfCommand()
    for entry in log[: renounced + 1]:
        command.follow(entry)
    stranger = Address(address("stranger"))
    subject = Digest(bytes(12) + stranger)
    place = EntryIndex(renounced + 1)
    forged = dataclasses.replace(appointed, index=place, number=subject, registrar=stranger)
    with pytest.raises(Inconsistent, match="appoint-admin"):
        command.follow(forged)


def test_a_successor_who_dismisses_the_administrator_is_appointed_next(log: list[Entry]) -> None:
    place = next(e.index for e in log if e.action is Action.APPOINT_ADMIN and e.index)
    while log[place].registrar == log[place - 1].number[12:]:
        place = next(e.index for e in log if e.action is Action.APPOINT_ADMIN and e.index > place)
    command = ChainOfCommand()
    for entry in log[:place]:
        command.follow(entry)
    with pytest.raises(Inconsistent, match="does not entitle"):
        command.follow(dataclasses.replace(log[place + 1], index=place))
    command.follow(log[place])


def test_an_administrator_whom_a_deployer_planted_can_hand_over_to_nobody(
    transport: HttpTransport,
) -> None:
    genuine = deployment_code(address("admin"), 0)
    delegate = account("delegate").address
    transport.request("anvil_setCode", [delegate, "0x" + genuine.hex()])
    planted = planted_role(ADMIN_ROLE, address("planted"))
    registry = deployed(transport, creation_code(delegate, planted)).registry
    assert registry.call("hasRole", ADMIN_ROLE, address("planted"))
    begun = registry.sends("planted", "beginDefaultAdminTransfer", address("accomplice"))
    assert begun.error == "AccessControlUnauthorizedAccount"


def test_an_offer_that_a_deployer_planted_is_gone(transport: HttpTransport) -> None:
    genuine = deployment_code(address("admin"), 0)
    delegate = account("delegate").address
    transport.request("anvil_setCode", [delegate, "0x" + genuine.hex()])
    # Slot 68 holds the account that the role is offered to, and since when.
    offered = bytes(6) + (1).to_bytes(6, "big") + address("accomplice")
    planting = b"\x7f" + offered + b"\x60\x44\x55"
    code = planting + creation_code(delegate, 2**255)
    registry = deployed(transport, code).registry
    assert registry.call("pendingDefaultAdmin") == ("0x" + "00" * 20, 0)
    accepted = registry.sends("accomplice", "acceptDefaultAdminTransfer")
    assert accepted.error == "AccessControlInvalidDefaultAdmin"
