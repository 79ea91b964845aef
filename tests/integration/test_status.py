"""How it goes, from whoever is asked: the command line, the API of this process or of another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

import registry.services.sync as syncing
from registry.config import Settings, settings_from
from registry.core.following import Fault, Report, State
from registry.core.units import UnixSeconds
from registry.errors import Inconsistent, InputError, LocalFailure, RegistryError, Unavailable
from registry.mirror.engine import Engine
from registry.services.following import POLLS_BEFORE_ALARM, Following, Stopped
from registry.services.status import current_report
from registry.services.sync import Progress, Synced
from registry.services.workspace import Workspace
from tests.integration.api_registry import problem, running, wait_until
from tests.integration.command_line import User

REPLACED = Inconsistent(
    "the node has another block", hint="delete the mirror", fault=Fault.FINALIZED_CHANGED
)


class Script:
    """Polls that fail as they are told to, in this order, and then do not."""

    def __init__(self, opened: Workspace, *faults: RegistryError) -> None:
        self.faults = list(faults)
        self._opened = opened

    def __call__(self, progress: Progress) -> Synced:
        if self.faults:
            raise self.faults.pop(0)
        return self._opened.sync(progress)


@pytest.fixture
def opened(user: User) -> Iterator[Workspace]:
    with Workspace(settings_from({"POLREG_HOME": str(user.home)})) as workspace:
        yield workspace


def following(opened: Workspace, *faults: RegistryError) -> Following:
    def without_waiting(*_: object) -> None:
        return

    return Following(Script(opened, *faults), lambda: opened.engine, 2, wait=without_waiting)


def status_over_http(settings: Settings) -> dict[str, Any]:
    """What an API says that leaves the following to another process."""
    with running(settings, follow_seconds=None) as client:
        found: dict[str, Any] = client.get("/v1/status").json()
    return found


def test_before_anything_follows_there_is_a_mirror_and_a_chain(user: User) -> None:
    status = user.done("status", "--json").json
    assert status["node"]["head"] == status["mirror"]["block"]
    assert status["node"]["lag_blocks"] == 0
    assert status["node"]["lag_seconds"] >= 0
    assert status["mirror"]["database"] == "sqlite"
    assert (status["follower"], status["faults"], status["alarm"]) == (None, [], None)
    assert "nothing follows the chain" in user.done("status").out


def test_what_went_wrong_is_counted_by_kind_and_kept(user: User, opened: Workspace) -> None:
    faults = [
        Unavailable("no answer", fault=Fault.TIMED_OUT),
        Unavailable("no answer, still", fault=Fault.TIMED_OUT),
        Inconsistent("a gap", fault=Fault.INCONSISTENT_LOGS),
        LocalFailure("the disk is full"),
        InputError("another chain"),
    ]
    follower = following(opened, *faults)
    for _ in range(6):
        follower.once()
    status = user.done("status", "--json").json
    counts = {each["kind"]: each["count"] for each in status["faults"]}
    assert counts == {
        "timed_out": 2,
        "inconsistent_logs": 1,
        "database": 1,
        "configuration": 1,
    }
    timed_out = next(each for each in status["faults"] if each["kind"] == "timed_out")
    assert timed_out["detail"] == "no answer, still"
    assert status["follower"]["state"] == "following"
    assert status["follower"]["failure"] is None
    assert "timed_out, last at" in user.done("status").out
    assert status_over_http(opened.settings)["faults"] == status["faults"]


def test_while_polls_fail_it_says_why_wherever_it_is_asked(user: User, opened: Workspace) -> None:
    follower = following(opened, Unavailable("no answer", fault=Fault.TIMED_OUT))
    follower.once()
    told = user.done("status", "--json").json["follower"]
    assert told["state"] == "failing"
    assert told["failure"]["kind"] == "timed_out"
    assert "no answer" in user.done("status").out
    with running(opened.settings, follow_seconds=None) as client:
        assert client.get("/v1/status").json()["node"]["error"]["message"] == "no answer"
        assert client.get("/readyz").json()["follower"]["failure"]["kind"] == "timed_out"


def test_nothing_unexpected_ends_it(opened: Workspace) -> None:
    faults, waits = [RuntimeError("no thread can be started")], list[float]()

    def engine() -> Engine:
        if faults:
            raise faults.pop()
        return opened.engine

    def shown(_: object) -> None:
        raise OSError("the terminal is gone")

    def wait(stop: threading.Event, seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            stop.set()

    follower = Following(Script(opened), engine, 2, wait=wait, told=shown)
    assert follower.run() is State.STOPPED
    assert follower.report.last_sync is not None


def alarmed(opened: Workspace) -> None:
    assert following(opened, *[REPLACED] * POLLS_BEFORE_ALARM).run() is State.ALARM


def test_an_alarm_is_told_by_all_and_says_what_to_do(user: User, opened: Workspace) -> None:
    opened.sync()
    alarmed(opened)
    outcome = user("status")
    assert outcome.code == 3
    assert outcome.out.startswith("ALARM: the follower stopped: the node has another block; delete")
    assert user("status", "--json").json["alarm"] == "the node has another block; delete the mirror"
    with running(opened.settings, follow_seconds=None) as client:
        assert (
            "delete the mirror" in problem(client.get("/readyz"), 503, "could-not-check")["detail"]
        )
        assert client.get("/v1/status").json()["alarm"]
        # What was final stays so: the mirror is right, and old.
        assert client.get("/v1/checkpoint").status_code == 200


def test_an_alarm_stands_until_a_poll_succeeds(user: User, opened: Workspace) -> None:
    alarmed(opened)
    again = following(opened, Unavailable("no answer", fault=Fault.UNREACHABLE), REPLACED)
    told: list[bool] = []

    def look(*_: object) -> None:
        told.append(user("status").out.startswith("ALARM"))
        if not again._poll.faults:  # type: ignore[attr-defined]
            again.stop()

    again._wait = look
    assert again.run() is State.STOPPED
    assert told == [True, True]
    # One more run, in which nothing fails.
    last = following(opened)
    last._wait = lambda *_: last.stop()
    last.run()
    assert user.done("status", "--json").json["alarm"] is None


def test_a_run_after_an_alarm_believes_the_first_poll_that_says_the_same(opened: Workspace) -> None:
    alarmed(opened)
    again = following(opened, REPLACED, REPLACED)
    assert again.run() is State.ALARM
    assert len(again._poll.faults) == 1  # type: ignore[attr-defined]


def test_polls_are_counted_over_all_runs(user: User, opened: Workspace) -> None:
    for _ in range(2):
        follower = following(opened, Unavailable("no answer"))
        calls = iter([None, follower.stop])
        follower._wait = _then(calls)
        follower.run()
    assert user.done("status", "--json").json["follower"]["polls"] == 4


def _then(calls: Iterator[Callable[[], None] | None]) -> Callable[..., None]:
    def wait(*_: object) -> None:
        call = next(calls)
        if call is not None:
            call()

    return wait


def test_while_the_chain_is_read_for_the_first_time_the_status_can_be_had(
    user: User, opened: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syncing, "BLOCKS_PER_RANGE", 1)
    elsewhere = {"POLREG_DATABASE_URL": f"sqlite:///{user.home}/other.sqlite"}
    settings = settings_from({"POLREG_HOME": str(user.home), **elsewhere})
    nothing = user("status", "--json", **elsewhere)
    assert nothing.code == 0
    assert (nothing.json["mirror"], nothing.json["registry"]) == (None, None)
    assert "run polreg sync" in user("status", **elsewhere).out
    with Workspace(settings) as other:
        follower = other.following(2)
        follower.stop()
        with pytest.raises(Stopped):
            follower.once()
    partly = user("status", "--json", **elsewhere)
    assert partly.code == 0
    assert partly.json["registry"] is None
    assert partly.json["mirror"]["synced_at"] is None
    assert partly.json["node"]["lag_blocks"] > 0
    assert "not finished" in user("status", **elsewhere).out
    over_http = status_over_http(settings)
    assert over_http["registry"] is None
    assert over_http["mirror"] == partly.json["mirror"]


def test_a_server_that_follows_shows_its_own_follower(opened: Workspace) -> None:
    with running(opened.settings, follow_seconds=0.1) as client:
        wait_until(lambda: _state(client) == "following")
        status = client.get("/v1/status").json()
        assert status["node"]["head"] == status["mirror"]["block"]
        assert status["follower"]["polls"] > 0
        assert status["follower"]["silent_seconds"] < 60


def _state(client: httpx.Client) -> str | None:
    follower = client.get("/v1/status").json()["follower"]
    return None if follower is None else follower["state"]


def test_a_server_whose_follower_ended_shows_the_one_that_came_after(opened: Workspace) -> None:
    ended = Report(State.ALARM, UnixSeconds(100), UnixSeconds(100), alarm="replaced")
    later = Report(State.FOLLOWING, UnixSeconds(200), UnixSeconds(200))
    earlier = Report(State.FOLLOWING, UnixSeconds(50), UnixSeconds(50))
    standing_by = Report(State.STANDBY, UnixSeconds(300), UnixSeconds(300))
    leading = Report(State.FAILING, UnixSeconds(10), UnixSeconds(10))
    assert current_report(ended, later) == later
    assert current_report(ended, earlier) == ended
    assert current_report(standing_by, earlier) == earlier
    assert current_report(leading, later) == leading
    assert current_report(None, later) == later
    assert current_report(standing_by, None) == standing_by
