"""Metrics, read as Prometheus reads them."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Iterator

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from registry.config import settings_from
from registry.core.following import Fault, State
from registry.errors import Inconsistent, InputError, LocalFailure, Unavailable
from registry.services.following import POLLS_BEFORE_ALARM
from registry.services.metrics import require_library, serving
from registry.services.workspace import Workspace
from tests.integration.api_registry import running as running_api
from tests.integration.command_line import User
from tests.integration.daemon import running
from tests.integration.test_status import following

Labels = tuple[tuple[str, str], ...]


@pytest.fixture
def opened(user: User) -> Iterator[Workspace]:
    with Workspace(settings_from({"POLREG_HOME": str(user.home)})) as workspace:
        yield workspace


def samples(text: str) -> dict[tuple[str, Labels], float]:
    """Each sample by its name and labels; the parser refuses what is malformed."""
    found = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation, family.name
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in found
            found[key] = sample.value
    return found


def scraped(opened: Workspace) -> dict[tuple[str, Labels], float]:
    """What an API says that leaves the following to another process."""
    with running_api(opened.settings, follow_seconds=None) as client:
        answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return samples(answer.text)


def states(found: dict[tuple[str, Labels], float]) -> dict[str, float]:
    return {
        dict(labels)["state"]: value
        for (name, labels), value in found.items()
        if name == "polreg_follower_state"
    }


def faults(found: dict[tuple[str, Labels], float]) -> dict[str, float]:
    return {
        dict(labels)["kind"]: value
        for (name, labels), value in found.items()
        if name == "polreg_faults_total"
    }


def test_every_kind_of_fault_and_state_is_there_from_the_start(opened: Workspace) -> None:
    found = scraped(opened)
    assert faults(found) == {each.value: 0 for each in Fault}
    assert states(found) == {each.value: 0 for each in State}
    assert found["polreg_polls_total", ()] == 0
    assert found["polreg_alarm", ()] == 0
    assert ("polreg_head_block", ()) not in found
    assert ("polreg_database_info", (("kind", "sqlite"),)) in found


def test_they_say_where_the_mirror_and_the_chain_are(user: User, opened: Workspace) -> None:
    following(opened).once()
    status = user.done("status", "--json").json
    found = scraped(opened)
    assert found["polreg_head_block", ()] == status["node"]["head"]
    assert found["polreg_mirror_block", ()] == status["mirror"]["block"]
    assert found["polreg_safe_block", ()] == status["node"]["safe"]
    assert found["polreg_finalized_block", ()] == status["node"]["finalized"]
    assert found["polreg_log_entries", ()] == status["totals"]["entries"]
    assert found["polreg_lag_blocks", ()] == 0
    assert found["polreg_lag_seconds", ()] >= 0
    assert found["polreg_polls_total", ()] == 1
    assert states(found)["following"] == sum(states(found).values()) == 1
    assert found["process_resident_memory_bytes", ()] > 0


def test_faults_are_counted_by_kind(opened: Workspace) -> None:
    some = [
        Unavailable("slow", fault=Fault.TIMED_OUT),
        Inconsistent("a gap", fault=Fault.WRONG_ROOT),
        Unavailable("slow", fault=Fault.TIMED_OUT),
    ]
    follower = following(opened, *some)
    for _ in some:
        follower.once()
    found = scraped(opened)
    assert {kind: count for kind, count in faults(found).items() if count} == {
        "timed_out": 2,
        "wrong_root": 1,
    }
    assert found["polreg_fault_last_timestamp_seconds", (("kind", "timed_out"),)] > 0
    assert states(found)["failing"] == 1


def test_an_alarm_is_a_metric(opened: Workspace) -> None:
    replaced = Inconsistent("replaced", fault=Fault.FINALIZED_CHANGED)
    following(opened, *[replaced] * POLLS_BEFORE_ALARM).run()
    found = scraped(opened)
    assert found["polreg_alarm", ()] == 1
    assert states(found)["alarm"] == 1


def test_names_follow_the_conventions(opened: Workspace) -> None:
    following(opened).once()
    with running_api(opened.settings, follow_seconds=None) as client:
        families = list(text_string_to_metric_families(client.get("/metrics").text))
    ours = [each for each in families if each.name.startswith("polreg_")]
    assert len(ours) > 15
    for family in ours:
        # In base units, and the total of a counter is its sample's suffix.
        assert not family.name.endswith(("_ms", "_milliseconds", "_total", "_count"))
        if family.type == "counter":
            assert all(each.name == f"{family.name}_total" for each in family.samples)


def test_the_daemon_serves_them_too(user: User) -> None:
    with running(user, "sync", "--follow", "--metrics", "127.0.0.1:0") as daemon:
        url = daemon.hear("metrics")["url"]
        daemon.hear("following the chain")
        found = samples(httpx.get(url).text)
        assert states(found)["following"] == 1
        assert found["polreg_polls_total", ()] >= 1
        assert httpx.get(url.replace("/metrics", "/")).status_code == 404
        daemon.signal(signal.SIGTERM)
        assert daemon.ended() == 0


def test_before_the_mirror_is_open_there_are_none_rather_than_zeros() -> None:
    with serving("127.0.0.1:0", lambda: None, lambda: None) as url:
        answer = httpx.get(url)
        assert (answer.status_code, answer.text) == (503, "the mirror is not open yet\n")


def test_over_version_6_of_the_internet_protocol() -> None:
    with serving("[::1]:0", lambda: None, lambda: None) as url:
        assert url.startswith("http://[::1]:")
        assert httpx.get(url).status_code == 503


@pytest.mark.parametrize("address", ["9464", "127.0.0.1", "127.0.0.1:x", ":9464", "h:65536"])
def test_what_is_no_address_is_said_in_words(address: str) -> None:
    with pytest.raises(InputError, match="is not HOST:PORT"):
        serving(address, lambda: None, lambda: None).__enter__()


def test_a_taken_port_is_said_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(LocalFailure, match="can not be served"):
            serving(address, lambda: None, lambda: None).__enter__()


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(InputError) as raised:
        require_library()
    assert raised.value.hint == "pip install 'policy-registry[serve]'"
