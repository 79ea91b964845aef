"""Who might act, followed from the log: what a real contract wrote, and each act by another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from registry.core.authority import Role
from registry.core.command import ChainOfCommand, concerned
from registry.core.entry import Action, Entry, decode_entry
from registry.core.units import Address, EntryIndex
from registry.errors import Inconsistent

WALK = json.loads((Path(__file__).parents[1] / "vectors/contract.json").read_bytes())["walk"]
STRANGER = Address(b"\x5a" * 20)
RECORDED = "0x" + "d2b2f1ca93a056496ee2669f929d62d1f76cf2cdd8408538f60f367ceee2a3a5"


def walked() -> Iterator[Entry]:
    for step in WALK:
        for log in step["logs"]:
            if log["topics"][0] == RECORDED:
                yield decode_entry(bytes.fromhex(log["topics"][1][2:] + log["data"][2:]))


LOG = list(walked())


def following(entries: list[Entry]) -> ChainOfCommand:
    command = ChainOfCommand()
    for entry in entries:
        command.follow(entry)
    return command


def test_every_kind_of_act_that_the_contract_took_is_entitled() -> None:
    following(LOG)
    assert {entry.action for entry in LOG} == set(Action)


@pytest.mark.parametrize("entry", LOG[1:], ids=lambda entry: f"{entry.index}-{entry.action.word}")
def test_the_same_act_by_a_stranger_is_not(entry: Entry) -> None:
    """But for the dismissal of an administrator whose successor accepts: only the next entry, which
    appoints who wrote it, says who that was."""
    forged = replace(entry, registrar=STRANGER)
    after = LOG[entry.index + 1 : entry.index + 2] if entry.action is Action.DISMISS_ADMIN else []
    with pytest.raises(Inconsistent, match="does not entitle"):
        following(
            [*LOG[: entry.index], forged, *(replace(each, registrar=STRANGER) for each in after)]
        )


@pytest.mark.parametrize("index", range(len(LOG)))
def test_it_goes_on_from_what_stands_among_those_concerned(index: int) -> None:
    whole = following(LOG[:index])
    codes = concerned(LOG[index])
    held = {each for each in whole._held if each[0] in codes}
    last = LOG[index - 1] if index else None
    ChainOfCommand(held, whole._opened & codes, last).follow(LOG[index])


def test_nobody_acts_after_being_dismissed() -> None:
    published = next(entry for entry in LOG if entry.action is Action.PUBLISH)
    dismissed = next(entry for entry in LOG if entry.action is Action.DISMISS_REGISTRAR)
    again = replace(published, index=EntryIndex(dismissed.index + 1))
    with pytest.raises(Inconsistent, match="does not entitle"):
        following([*LOG[: dismissed.index + 1], again])


def test_a_registrar_of_one_authority_is_none_of_another() -> None:
    published = next(entry for entry in LOG if entry.action is Action.PUBLISH)
    with pytest.raises(Inconsistent, match=r"for CN\.GD$"):
        following([*LOG[: published.index], replace(published, authority="CN.GD")])


@pytest.mark.parametrize(
    ("action", "role", "code", "entitled"),
    [
        (Action.APPOINT_REGISTRAR, Role.CONTROLLER, "CN.GD", True),
        (Action.APPOINT_REGISTRAR, Role.REGISTRAR, "CN.GD", False),
        (Action.APPOINT_REGISTRAR, Role.CONTROLLER, "CN", False),
        (Action.APPOINT_CONTROLLER, Role.CONTROLLER, "CN", True),
        (Action.APPOINT_CONTROLLER, Role.CONTROLLER, "CN.GD", False),
        (Action.APPOINT_CONTROLLER, Role.ADMIN, "", False),
        (Action.DISMISS_REGISTRAR, Role.CONTROLLER, "CN.GD", True),
        (Action.DISMISS_CONTROLLER, Role.CONTROLLER, "CN", True),
        (Action.DISMISS_CONTROLLER, Role.CONTROLLER, "CN.GD", False),
        (Action.SET_PROFILE, Role.CONTROLLER, "CN.GD", True),
        (Action.SET_PROFILE, Role.CONTROLLER, "CN", False),
        (Action.REPORT_COMPROMISE, Role.CONTROLLER, "CN.GD", True),
        (Action.REPORT_COMPROMISE, Role.CONTROLLER, "CN", True),
        (Action.REPORT_COMPROMISE, Role.REGISTRAR, "CN.GD", False),
        (Action.RETIRE, Role.ADMIN, "", True),
        (Action.RETIRE, Role.CONTROLLER, "CN", False),
        (Action.PUBLISH, Role.REGISTRAR, "CN.GD", True),
        (Action.PUBLISH, Role.CONTROLLER, "CN.GD", False),
    ],
)
def test_which_role_entitles_to_what(action: Action, role: Role, code: str, entitled: bool) -> None:
    actor = Address(b"\x11" * 20)
    authority = "" if action is Action.RETIRE else "CN.GD"
    entry = replace(
        LOG[3], index=EntryIndex(9), action=action, authority=authority, registrar=actor
    )
    account = Address(entry.number[12:])
    held = {("CN.GD", account, each) for each in (Role.REGISTRAR, Role.CONTROLLER)}
    command = ChainOfCommand(held | {(code, actor, role)}, {"CN", "CN.GD"})
    if entitled:
        command.follow(entry)
        return
    with pytest.raises(Inconsistent, match="does not entitle"):
        command.follow(entry)


@pytest.mark.parametrize("action", [Action.APPOINT_CONTROLLER, Action.APPOINT_REGISTRAR])
def test_nobody_is_appointed_in_an_authority_that_is_not_open(action: Action) -> None:
    actor = Address(b"\x11" * 20)
    entry = replace(LOG[3], index=EntryIndex(9), action=action, authority="CN.GD", registrar=actor)
    held = {("CN.GD", actor, Role.CONTROLLER), ("CN", actor, Role.CONTROLLER)}
    with pytest.raises(Inconsistent, match="does not entitle"):
        ChainOfCommand(held, {"CN"}).follow(entry)
    ChainOfCommand(held, {"CN", "CN.GD"}).follow(entry)


@pytest.mark.parametrize("action", [Action.DISMISS_CONTROLLER, Action.DISMISS_REGISTRAR])
def test_nobody_is_dismissed_who_holds_no_role(action: Action) -> None:
    actor = Address(b"\x11" * 20)
    entry = replace(LOG[3], index=EntryIndex(9), action=action, authority="CN.GD", registrar=actor)
    held = {("CN.GD", actor, Role.CONTROLLER), ("CN", actor, Role.CONTROLLER)}
    with pytest.raises(Inconsistent, match="does not entitle"):
        ChainOfCommand(held, {"CN", "CN.GD"}).follow(entry)


def test_an_authority_is_opened_once_and_under_one_that_is_open() -> None:
    opening = next(entry for entry in LOG if entry.authority == "CN.GD")
    held = {("CN", opening.registrar, Role.CONTROLLER)}
    ChainOfCommand(held, {"CN"}).follow(opening)
    for opened in (set[str](), {"CN", "CN.GD"}):
        with pytest.raises(Inconsistent, match="does not entitle"):
            ChainOfCommand(held, opened).follow(opening)
