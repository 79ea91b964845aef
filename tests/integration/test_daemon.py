"""`polreg sync --follow` as a service: signals, alarms, what it tells whoever manages it."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from registry.config import settings_from
from registry.core.position import Position
from registry.mirror.engine import open_engine, reading, sqlite_url
from registry.mirror.operations import read_report
from registry.mirror.position import read_position
from registry.services.sync import BLOCKS_PER_RANGE
from registry.services.workspace import Workspace
from tests.anvil import DEV_KEYS, running_anvil
from tests.integration.command_line import User
from tests.integration.daemon import Daemon, running
from tests.integration.gated_node import gated
from tests.postgres import Server

FOLLOW = ("sync", "--follow", "--every", "0.1")


@pytest.fixture
def node() -> Iterator[str]:
    """A node of this test's own, whose chain it may change."""
    with running_anvil() as url:
        yield url


@pytest.fixture
def owner(node: str, tmp_path: Path) -> User:
    """Whoever deployed a contract on it."""
    user = User(tmp_path / "home", {"POLREG_RPC_URL": node, "POLREG_PRIVATE_KEY": DEV_KEYS[0]})
    user.done("deploy")
    return user


def mirror_of(user: User) -> str:
    """The URL of the mirror's database."""
    with Workspace(settings_from({"POLREG_HOME": str(user.home), **user.settings})) as opened:
        return sqlite_url(opened.settings.mirror_path(opened.deployment))


def position_in(url: str) -> Position:
    engine = open_engine(url)
    try:
        with reading(engine) as connection:
            found = read_position(connection)
    finally:
        engine.dispose()
    assert found is not None
    return found


def call(url: str, method: str, *params: object) -> object:
    asked = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return httpx.post(url, json=asked, timeout=60).json()["result"]


def test_told_to_stop_it_ends_with_0(user: User, tmp_path: Path) -> None:
    # A mirror of its own: whoever publishes reads the chain too.
    database = sqlite_url(tmp_path / "other.sqlite")
    with running(user, *FOLLOW, POLREG_DATABASE_URL=database) as daemon:
        daemon.hear("following the chain")
        daemon.signal(signal.SIGHUP)
        daemon.hear("nothing to reload: settings are read when it starts")
        user.done("authority", "open", "US")
        assert daemon.hear("entries read")["added"] > 0
        daemon.signal(signal.SIGTERM)
        assert daemon.ended() == 0
        assert daemon.lines[-1].endswith(b'"logger": "polreg.process", "state": "stopped"}\n')


def test_in_the_middle_of_the_chain_it_keeps_what_it_wrote_and_the_next_run_goes_on(
    owner: User, node: str, tmp_path: Path
) -> None:
    call(node, "anvil_mine", hex(3 * BLOCKS_PER_RANGE))
    owner.done("authority", "open", "US")
    with gated(node) as gate:
        gate.hold, gate.passes = "eth_getLogs", 1
        database = sqlite_url(tmp_path / "other.sqlite")
        contract = settings_contract(owner)
        settings = {
            "POLREG_RPC_URL": gate.url,
            "POLREG_CONTRACT": contract,
            "POLREG_DATABASE_URL": database,
        }
        with running(owner, *FOLLOW, **settings) as daemon:
            assert gate.reached.wait(60)
            daemon.signal(signal.SIGINT)
            daemon.hear("told to stop by SIGINT")
            gate.release()
            assert daemon.ended() == 0
    stopped = position_in(database)
    head = int(str(call(node, "eth_blockNumber")), 16)
    assert BLOCKS_PER_RANGE <= stopped.block < head
    assert stopped.synced_at is None
    owner.done("sync", POLREG_DATABASE_URL=database)
    there, whole = position_in(database), position_in(mirror_of(owner))
    assert there.block == head
    assert (there.size, there.root) == (whole.size, whole.root)


def settings_contract(user: User) -> str:
    with Workspace(settings_from({"POLREG_HOME": str(user.home), **user.settings})) as opened:
        return opened.deployment.contract


def test_told_twice_it_ends_at_once(owner: User, node: str, tmp_path: Path) -> None:
    with gated(node) as gate:
        gate.hold = "eth_getLogs"
        settings = {
            "POLREG_RPC_URL": gate.url,
            "POLREG_CONTRACT": settings_contract(owner),
            "POLREG_DATABASE_URL": sqlite_url(tmp_path / "other.sqlite"),
        }
        with running(owner, *FOLLOW, **settings) as daemon:
            assert gate.reached.wait(60)
            daemon.signal(signal.SIGTERM)
            daemon.hear("told to stop by SIGTERM")
            daemon.signal(signal.SIGTERM)
            # The node never answers.
            assert daemon.ended() == -signal.SIGTERM


def test_a_replaced_final_block_ends_it_with_3_and_starting_again_does_not_hide_that(
    owner: User, node: str
) -> None:
    (owner.home / "networks.toml").write_text('["eip155:31337"]\nconfirmations = 0\n')
    call(node, "anvil_mine", "0x5")
    owner.done("sync")
    before = position_in(mirror_of(owner))
    call(node, "anvil_reorg", 3, [])
    for _ in range(2):
        with running(owner, *FOLLOW) as daemon:
            told = daemon.hear("stopped with an alarm")
            assert told["level"] == "critical"
            assert told["fault"] == "finalized_changed"
            assert "delete the mirror" in told["detail"]
            assert daemon.ended() == 3
        assert position_in(mirror_of(owner)) == before
        engine = open_engine(mirror_of(owner))
        with reading(engine) as connection:
            report = read_report(connection)
        engine.dispose()
        assert report is not None
        assert report.alarm is not None


def test_settings_that_name_no_registry_end_it_with_2(tmp_path: Path) -> None:
    with running(User(tmp_path, {}), *FOLLOW) as daemon:
        told = daemon.hear("there is no registry here yet")
        assert told["hint"] == "run polreg init"
        assert daemon.ended() == 2


def test_a_node_that_is_not_there_yet_is_waited_for(owner: User, node: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    settings = {"POLREG_RPC_URL": url, "POLREG_CONTRACT": settings_contract(owner)}
    with running(owner, *FOLLOW, **settings) as daemon:
        assert daemon.hear("reading the chain fails")["fault"] == "unreachable"
        daemon.signal(signal.SIGTERM)
        assert daemon.ended() == 0


def test_a_service_manager_is_told_when_it_is_ready_alive_and_stopping(
    user: User, tmp_path: Path
) -> None:
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        manager.settimeout(60)
        settings = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "200000"}
        with running(user, *FOLLOW, **settings) as daemon:
            assert manager.recv(100) == b"READY=1"
            assert [manager.recv(100) for _ in range(2)] == [b"WATCHDOG=1"] * 2
            daemon.signal(signal.SIGTERM)
            heard = {manager.recv(100)}
            while b"STOPPING=1" not in heard:
                heard.add(manager.recv(100))
            assert heard <= {b"WATCHDOG=1", b"STOPPING=1"}
            assert daemon.ended() == 0


@pytest.mark.parametrize(
    "words",
    [
        ("--every", "1"),
        ("--log-format", "json"),
        ("--metrics", "127.0.0.1:0"),
        ("--follow", "--json"),
        ("--follow", "--every", "0"),
        ("--follow", "--log-format", "xml"),
    ],
)
def test_options_that_say_nothing_together_are_refused(user: User, words: tuple[str, ...]) -> None:
    assert user("sync", *words).code == 2


def test_a_second_one_stands_by_and_takes_over_when_the_first_is_killed(
    user: User, tmp_path: Path
) -> None:
    database = sqlite_url(tmp_path / "other.sqlite")
    with running(user, *FOLLOW, POLREG_DATABASE_URL=database) as first:
        first.hear("following the chain")
        with running(user, *FOLLOW, POLREG_DATABASE_URL=database) as second:
            told = second.hear("standing by: another follower writes this mirror")
            assert told["leader"] == f"process {first.process.pid}"
            first.signal(signal.SIGKILL)
            second.hear("taking over: the other follower is gone")
            second.hear("following the chain")
            user.done("authority", "open", "US")
            assert second.hear("entries read")["added"] > 0
            second.signal(signal.SIGTERM)
            assert second.ended() == 0
            assert second.said.count("standing by") == 1


def test_one_that_stands_by_stops_without_a_word_in_the_mirror(user: User) -> None:
    with running(user, *FOLLOW) as first:
        first.hear("following the chain")
        with running(user, *FOLLOW) as second:
            second.hear("standing by: another follower writes this mirror")
            second.signal(signal.SIGTERM)
            assert second.ended() == 0
        assert user.done("status", "--json").json["follower"]["state"] == "following"


def test_a_mirror_of_another_chain_ends_it_with_2(user: User, owner: User) -> None:
    with running(user, *FOLLOW, POLREG_DATABASE_URL=mirror_of(owner)) as daemon:
        assert "the mirror follows eip155:31337" in daemon.hear("reading the chain fails")["detail"]
        assert daemon.ended() == 2


_IMPATIENT = """
from registry.cli import daemon, main
daemon.PATIENCE_SECONDS = 0.5
main()
"""


def test_a_node_that_hangs_keeps_nobody_from_stopping(
    owner: User, node: str, tmp_path: Path
) -> None:
    call(node, "anvil_mine", hex(2 * BLOCKS_PER_RANGE))
    with gated(node) as gate:
        gate.hold, gate.passes = "eth_getLogs", 1
        settings = {
            "POLREG_RPC_URL": gate.url,
            "POLREG_CONTRACT": settings_contract(owner),
            "POLREG_DATABASE_URL": sqlite_url(tmp_path / "other.sqlite"),
        }
        with running(owner, *FOLLOW, program=("-c", _IMPATIENT), **settings) as daemon:
            assert gate.reached.wait(60)
            daemon.signal(signal.SIGTERM)
            daemon.hear("stopped without waiting for a node that hangs")
            assert daemon.ended() == 0
    assert position_in(settings["POLREG_DATABASE_URL"]).synced_at is None


def test_on_postgresql_a_second_one_takes_over_and_a_server_that_restarts_is_waited_for(
    user: User, postgres: Server
) -> None:
    database = {"POLREG_DATABASE_URL": postgres.fresh()}
    with running(user, *FOLLOW, **database) as first, running(user, *FOLLOW, **database) as second:
        followers = [first, second]
        leader = next(each for each in followers if _leads(each))
        (other,) = (each for each in followers if each is not leader)
        leader.signal(signal.SIGKILL)
        other.hear("taking over: the other follower is gone")
        # All of its connections are cut, as by a server that restarts.
        postgres.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = "
            f"'{database['POLREG_DATABASE_URL'].rpartition('/')[2].partition('?')[0]}'"
        )
        user.done("authority", "open", "US")
        assert other.hear("entries read")["added"] > 0
        other.signal(signal.SIGTERM)
        assert other.ended() == 0


def _leads(daemon: Daemon) -> bool:
    told = daemon.anything()
    while told["event"] not in {
        "following the chain",
        "standing by: another follower writes this mirror",
    }:
        told = daemon.anything()
    return bool(told["event"] == "following the chain")
