"""A sync that reads the next blocks while it writes those before does what one by one does."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import registry.services.sync as syncing
from registry.chain.addresses import parse_address
from registry.chain.client import Client
from registry.chain.events import RECORDED
from registry.chain.rpc import Call, HttpTransport, Transport
from registry.chain.sender import Sender
from registry.chain.signers import signer_from_hex
from registry.config import Settings
from registry.core.digest import sha256
from registry.core.draft import Draft, FileDescription
from registry.core.entry import Action
from registry.core.units import BlockNumber
from registry.errors import Inconsistent, RegistryError, Unavailable
from registry.mirror.engine import Engine, open_engine, reading, sqlite_url
from registry.mirror.position import read_position
from registry.services.authorities import open_authority
from registry.services.setup import deploy
from registry.services.sync import Synced, sync
from tests.anvil import DEV_KEYS
from tests.databases import content
from tests.publishing import publish

FIRST = BlockNumber(1)
POLICIES = 6
BEFORE_THEM = 4
"""Entries of the administrator's and the authority's own."""


@pytest.fixture(scope="module")
def chain(anvil: str, tmp_path_factory: pytest.TempPathFactory) -> Client:
    """A contract with policies in as many blocks."""
    transport, signer = HttpTransport(anvil), signer_from_hex(DEV_KEYS[0])
    home = tmp_path_factory.mktemp("home")
    noted = deploy(transport, signer, Settings(home=home, rpc_url=anvil))
    client = Client(transport, parse_address(noted.contract))
    sender = Sender(transport, signer)
    open_authority("CN", {"zh": "中国"}, None, client, sender)
    for number in range(POLICIES):
        document = FileDescription(sha256(b"%d" % number), 7, "a.md")
        title = {"zh": f"第{number}号"}
        publish(Draft(Action.PUBLISH, "CN", str(number), title, document), client, sender)
    return client


@pytest.fixture
def mirrors(tmp_path: Path) -> Iterator[Callable[[], Engine]]:
    """New mirrors."""
    made: list[Engine] = []

    def new() -> Engine:
        made.append(open_engine(sqlite_url(tmp_path / f"{len(made)}.sqlite")))
        return made[-1]

    yield new
    for each in made:
        each.dispose()


@pytest.fixture
def block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syncing, "BLOCKS_PER_RANGE", 1)
    monkeypatch.setattr(syncing, "MOST_BLOCKS_PER_RANGE", 1)


class Watched:
    """A node whose answers to eth_getLogs are changed; it knows which threads asked."""

    def __init__(self, node: Transport, change: Callable[[list[Any]], list[Any]]) -> None:
        self._node, self._change = node, change
        self.asked_by: set[str] = set()

    def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        answer = self._node.request(method, params)
        if method != "eth_getLogs":
            return answer
        self.asked_by.add(threading.current_thread().name.partition("_")[0])
        return self._change(answer)

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        return self._node.batch(calls)

    def close(self) -> None:
        pass


def rows(engine: Engine) -> dict[str, Any]:
    """All but the headers, of which as many are kept as the sync walked."""
    found = content(engine)
    del found["headers"]
    return found


def none_left() -> bool:
    return not any(each.name.startswith("read-ahead") for each in threading.enumerate())


def synced_by(node: Watched, chain: Client, engine: Engine) -> Synced:
    return sync(Client(node, chain.address), engine, FIRST)


@pytest.mark.usefixtures("block_by_block")
def test_it_ends_with_the_same_rows_and_without_its_thread(
    chain: Client, mirrors: Callable[[], Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead, node = mirrors(), Watched(chain.transport, lambda logs: logs)
    assert synced_by(node, chain, ahead).entries_added == BEFORE_THEM + POLICIES
    assert node.asked_by == {"MainThread", "read-ahead"}
    assert none_left()
    monkeypatch.setattr(syncing, "BLOCKS_PER_RANGE", 1000)
    monkeypatch.setattr(syncing, "MOST_BLOCKS_PER_RANGE", 1000)
    at_once, node = mirrors(), Watched(chain.transport, lambda logs: logs)
    synced_by(node, chain, at_once)
    assert node.asked_by == {"MainThread"}
    assert rows(ahead) == rows(at_once)


def of_entry(logs: list[Any], index: int) -> bool:
    return any(log["topics"][0] == RECORDED and int(log["topics"][1], 16) == index for log in logs)


def hung_up(_logs: list[Any]) -> list[Any]:
    raise Unavailable("the node hung up")


@pytest.mark.usefixtures("block_by_block")
@pytest.mark.parametrize("failing_at", [BEFORE_THEM, BEFORE_THEM + 1, BEFORE_THEM + POLICIES - 1])
@pytest.mark.parametrize(
    ("fault", "error"), [(lambda _logs: [], Inconsistent), (hung_up, Unavailable)]
)
def test_what_came_before_a_fault_is_written_and_nothing_after_it(
    chain: Client,
    mirrors: Callable[[], Engine],
    fault: Callable[[list[Any]], list[Any]],
    error: type[RegistryError],
    failing_at: int,
) -> None:
    node = Watched(
        chain.transport, lambda logs: fault(logs) if of_entry(logs, failing_at) else logs
    )
    mirror, fresh = mirrors(), mirrors()
    with pytest.raises(error):
        synced_by(node, chain, mirror)
    assert none_left()
    with reading(mirror) as connection:
        position = read_position(connection)
    assert position is not None
    assert position.size == failing_at
    assert sync(chain, mirror, FIRST).entries_added == BEFORE_THEM + POLICIES - failing_at
    sync(chain, fresh, FIRST)
    assert rows(mirror) == rows(fresh)


@pytest.mark.usefixtures("block_by_block")
def test_where_writing_fails_nobody_goes_on_reading(
    chain: Client, mirrors: Callable[[], Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any) -> None:
        raise Inconsistent("by one whom nobody entitled")

    monkeypatch.setattr(syncing, "require_entitled", refused)
    mirror = mirrors()
    with pytest.raises(Inconsistent, match="whom nobody"):
        sync(chain, mirror, FIRST)
    assert none_left()


def test_the_interpreter_is_as_it_was_after_a_sync(
    chain: Client, mirrors: Callable[[], Engine]
) -> None:
    def settings() -> tuple[int, float]:
        return gc.get_threshold()[0], sys.getswitchinterval()

    before, seen = settings(), list[tuple[int, float]]()

    def look(logs: list[Any]) -> list[Any]:
        seen.append(settings())
        return logs

    synced_by(Watched(chain.transport, look), chain, mirrors())
    with pytest.raises(Unavailable):
        synced_by(Watched(chain.transport, hung_up), chain, mirrors())
    assert settings() == before
    assert all(objects > before[0] and turn < before[1] for objects, turn in seen)
