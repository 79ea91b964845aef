"""Collections of small members, and mirrors that know them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from registry.core.collection import CollectionHeader, Growing
from registry.core.digest import sha256
from registry.core.draft import FileDescription
from registry.core.entry import Action, Entry
from registry.core.snapshot import Logged
from registry.core.units import Day
from registry.core.verdict import Verdict
from registry.mirror.engine import Engine, writing
from registry.mirror.members import write_members
from registry.services.verify import verify_digests
from tests.unit.logs import Log, draft

DAY = 18_262  # 2020-01-01
ON = Day(DAY + 100)


def manifest(number: int, **more: Any) -> bytes:
    """The manifest of a member whose file is `text(number)`."""
    return draft(Action.PUBLISH, f"m {number}", text(number).decode(), **more).manifest()


def text(number: int) -> bytes:
    return b"member %d" % number


MEMBERS = [manifest(each) for each in range(5)]


def header_of(members: list[bytes]) -> CollectionHeader:
    tree = Growing()
    for each in members:
        tree.append(each)
    return CollectionHeader(tree.root(), tree.size)


def act(members: list[bytes], action: Action = Action.PUBLISH, **more: Any) -> Any:
    header = header_of(members)
    made = draft(action, "catalogue", "", issued=DAY, **more)
    extra = {"collection": {"members": header.members}}
    return replace(made, document=FileDescription(header.root, None), extra=extra)


def keep(engine: Engine, members: list[bytes]) -> None:
    with writing(engine) as connection:
        assert list(write_members(connection, header_of(members), members))[-1] == len(members)


def lead(engine: Engine, content: bytes, on: Day = ON) -> Verdict:
    return verify_digests(engine, [sha256(content)], on)[1][0]


def opened_log() -> Log:
    """A log in which whoever records entries is entitled to."""
    account, log = bytes(12) + b"\7" * 20, Log()
    for action, authority, subject in (
        (Action.APPOINT_ADMIN, "", account),
        (Action.OPEN_AUTHORITY, "CN", bytes(32)),
        (Action.APPOINT_CONTROLLER, "CN", account),
        (Action.OPEN_AUTHORITY, "CN.GD", bytes(32)),
        (Action.APPOINT_CONTROLLER, "CN.GD", account),
        (Action.APPOINT_REGISTRAR, "CN.GD", account),
    ):
        before = [each.entry.index for each in log.logged if each.entry.number == subject]
        same = [n for n in before if log.logged[n].entry.authority == authority]
        entry = Entry(
            index=len(log.logged),  # type: ignore[arg-type]
            previous=same[-1] if same else None,
            authority=authority,
            number=subject,  # type: ignore[arg-type]
            sequence=len(same) + 1,
            action=action,
            effective_on=None,
            document=None,
            manifest=None,
            registrar=account[12:],  # type: ignore[arg-type]
            recorded_at=1_700_000_000,  # type: ignore[arg-type]
        )
        log.logged.append(Logged(entry, None))
    return log
