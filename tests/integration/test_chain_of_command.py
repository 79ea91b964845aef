"""The chain of command from the command line: names, handing over, the registry's end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.chain.rpc import HttpTransport
from registry.core.verdict import ExitCode
from tests.anvil import running_anvil
from tests.contract.anvil_registry import account, fund, pass_time
from tests.contract.registry_office import Office, opened_office
from tests.integration.command_line import Outcome

DELAY = 2 * 86_400


@pytest.fixture(scope="module")
def node() -> Iterator[tuple[HttpTransport, str]]:
    with running_anvil() as url:
        yield HttpTransport(url), url


@pytest.fixture
def office(node: tuple[HttpTransport, str], tmp_path: Path) -> Office:
    return opened_office(*node, tmp_path)


def by(office: Office, who: str, *words: str) -> Outcome:
    """What `polreg` does for another account."""
    fund(office.client.transport, who)
    return office.officer(*words, POLREG_PRIVATE_KEY=account(who).key.hex())


def test_an_authority_is_named_anew(office: Office) -> None:
    named = office.officer.done(
        "authority", "profile", "CN", "--name-zh", "中国", "--name-en", "China"
    )
    assert "中国 / China" in named.out
    office.officer.done("authority", "profile", "CN", "--name-en", "P.R. China")
    shown = office.officer.done("authority", "show", "CN", "--json").json["authority"]
    assert shown["name"] == {"en": "P.R. China"}
    assert office.officer("authority", "profile", "CN").code == ExitCode.USAGE


def test_a_controller_hands_over_in_two_steps(office: Office) -> None:
    """The one above appoints the next one; the one before leaves, and never leaves nobody."""
    officer, chief = account("officer").address, account("chief").address
    alone = office.officer("authority", "renounce", "CN", "--as", "controller")
    assert alone.code == ExitCode.NOT_VERIFIED
    assert "none would be left" in alone.err
    first = office.officer.done("authority", "hand-over", "CN", chief)
    assert f"controllers of CN now: {officer}, {chief}" in first.out
    assert "polreg authority renounce CN --as controller" in first.out
    assert by(office, "chief", "authority", "appoint", "CN", chief).code == 0
    left = office.officer.done("authority", "renounce", "CN", "--as", "controller")
    assert f"held by {chief}" in left.out
    assert office.officer("authority", "appoint", "CN", account("x").address).code == 1


def test_the_last_registrar_leaves_only_where_that_is_meant(office: Office) -> None:
    words = ("authority", "renounce", "CN", "--as", "registrar")
    assert office.officer(*words).code == ExitCode.NOT_VERIFIED
    assert office.officer.done(*words, "--last", "--json").json["holders"] == []


def test_the_administrator_s_role_is_offered_and_accepted_after_the_delay(office: Office) -> None:
    board = account("board").address
    office.officer.done("admin", "offer", board)
    offered = office.officer.done("admin", "show", "--json").json["administration"]
    assert offered["offered"]["to"] == board
    assert offered["delay_seconds"] == DELAY
    early = by(office, "board", "admin", "accept")
    assert (early.code, "can be accepted after" in early.err) == (1, True)
    assert "is not the administrator" in by(office, "board", "admin", "call-off").err
    assert "is offered to" in by(office, "stranger", "admin", "accept").err
    pass_time(office.client.transport, DELAY + 2)
    accepted = by(office, "board", "admin", "accept", "--json")
    assert accepted.json["administration"]["administrator"] == board
    assert "is not the administrator" in office.officer("admin", "offer", board).err


def test_an_offer_is_called_off(office: Office) -> None:
    assert "offered to nobody" in office.officer("admin", "call-off").err
    office.officer.done("admin", "offer", account("board").address)
    assert "the role is offered to nobody" in office.officer.done("admin", "call-off").out
    pass_time(office.client.transport, DELAY + 2)
    assert by(office, "board", "admin", "accept").code == ExitCode.NOT_VERIFIED


def test_a_registry_is_closed_only_by_its_own_name_and_for_a_registry(
    office: Office, tmp_path: Path
) -> None:
    contract = office.registry.contract
    file = office.publish("a.md")
    successor = opened_office(office.client.transport, office.officer.settings["POLREG_RPC_URL"],
                              tmp_path / "next").registry.contract  # fmt: skip
    retire = ("admin", "retire", "--confirm")
    assert office.officer(*retire, contract).code == ExitCode.USAGE
    assert office.officer(*retire, contract, "--successor", contract).code == ExitCode.USAGE
    other = office.officer(*retire, successor, "--successor", successor)
    assert (other.code, "was confirmed" in other.err) == (ExitCode.USAGE, True)
    nothing = office.officer(*retire, contract, "--successor", account("x").address)
    assert nothing.code == ExitCode.USAGE, nothing.err
    by_another = by(office, "chief", *retire, contract, "--nowhere")
    assert "is not the administrator" in by_another.err
    assert office.officer("verify", file).code == ExitCode.VERIFIED
    closed = office.officer(*retire, contract, "--successor", successor)
    assert closed.code == 0, closed.err
    assert office.officer("verify", file).code == ExitCode.COULD_NOT_CHECK
