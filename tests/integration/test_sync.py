"""The mirror believes nothing that the contract's root does not bear out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from web3 import Web3

from registry.chain.abi import artifact
from registry.chain.addresses import checksummed, parse_address
from registry.chain.client import Client
from registry.chain.events import CHECKPOINT, MANIFEST_PUBLISHED, RECORDED, decode_logs
from registry.chain.rpc import Call, HttpTransport, RpcError, Transport
from registry.chain.sender import Sender
from registry.chain.signers import signer_from_hex
from registry.config import Settings
from registry.core.authority import Role, decode_code
from registry.core.calendar import NO_DATE
from registry.core.digest import sha256
from registry.core.draft import Draft, FileDescription
from registry.core.entry import NO_ENTRY, Action
from registry.core.feed import Checkpointed, Recorded
from registry.core.merkle import EMPTY_ROOT
from registry.core.units import BlockNumber, Day
from registry.errors import CouldNotCheck, Inconsistent, InputError
from registry.mirror.engine import Engine, open_engine, reading, sqlite_url
from registry.mirror.position import read_position
from registry.services.authorities import appoint, open_authority
from registry.services.setup import deploy
from registry.services.sync import BLOCKS_PER_RANGE, sync
from registry.services.verify import verify_digests
from tests.anvil import DEV_KEYS, running_anvil
from tests.databases import content
from tests.publishing import publish

FIRST = BlockNumber(1)


@pytest.fixture
def chain(anvil: str, tmp_path: Path) -> Client:
    """A contract on Anvil with ten entries, six of them acts on policies."""
    transport = HttpTransport(anvil)
    signer = signer_from_hex(DEV_KEYS[0])
    settings = Settings(home=tmp_path / "home", rpc_url=anvil)
    noted = deploy(transport, signer, settings)
    client = Client(transport, parse_address(noted.contract))
    sender = Sender(transport, signer)
    open_authority("CN", {"zh": "中国"}, None, client, sender)
    for number in range(4):
        publish(draft(Action.PUBLISH, number), client, sender, digest_only=number == 2)
    publish(draft(Action.AMEND, 1), client, sender)
    publish(draft(Action.REPEAL, 0), client, sender)
    return client


def draft(action: Action, number: int) -> Draft:
    document = FileDescription(sha256(f"{action}{number}".encode()), 7, "a.md")
    return Draft(
        action=action,
        authority="CN",
        number=f"国发〔{number}〕号",
        title={"zh": f"第{number}号", "en": f"Number {number}"},
        document=document if action.carries_document else None,
        issued=Day(18_000 + number) if number else None,
    )


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(sqlite_url(tmp_path / "mirror.sqlite"))
    yield engine
    engine.dispose()


@pytest.fixture
def either(databases: Callable[[], str]) -> Iterator[Engine]:
    """A mirror in SQLite, and one in PostgreSQL: for what the database could do otherwise."""
    engine = open_engine(databases())
    yield engine
    engine.dispose()


def assert_as_fresh(chain: Client, mirror: Engine, url: str) -> None:
    """A mirror made anew, in the database of that URL, has the same rows. Which headers are
    kept hangs on how the chain was walked."""
    fresh = open_engine(url)
    sync(chain, fresh, FIRST)
    expected, found = content(fresh), content(mirror)
    fresh.dispose()
    del expected["headers"], found["headers"]
    assert found == expected


def test_events_decode_as_web3_decodes_them(chain: Client, anvil: str) -> None:
    web3 = Web3(Web3.HTTPProvider(anvil))
    contract = web3.eth.contract(address=checksummed(chain.address), abi=artifact()["abi"])
    events = chain.events(BlockNumber(0), head(chain))
    ours = [event for event in events if isinstance(event, Recorded)]
    theirs = contract.events.Recorded.get_logs(from_block=0)
    assert len(ours) == len(theirs) == 10
    for mine, log in zip(ours, theirs, strict=True):
        entry, values = mine.entry, log["args"]
        assert values == {
            "index": entry.index,
            "previous": NO_ENTRY if entry.previous is None else entry.previous,
            "authority": values["authority"],
            "number": entry.number,
            "sequence": entry.sequence,
            "action": int(entry.action),
            "effectiveOn": NO_DATE if entry.effective_on is None else entry.effective_on,
            "document": entry.document or bytes(32),
            "manifest": entry.manifest or bytes(32),
            "registrar": checksummed(entry.registrar),
            "recordedAt": entry.recorded_at,
        }
        assert decode_code(values["authority"]) == entry.authority
        assert (mine.place.block, mine.place.log_index) == (log["blockNumber"], log["logIndex"])
        assert mine.place.block_hash == bytes(log["blockHash"])
    manifests = contract.events.ManifestPublished.get_logs(from_block=0)
    carried = [each.manifest for each in ours if each.manifest is not None]
    assert carried == [log["args"]["content"] for log in manifests]
    roots = contract.events.Checkpoint.get_logs(from_block=0)
    assert [(each.size, each.root) for each in events if isinstance(each, Checkpointed)] == [
        (log["args"]["size"], log["args"]["root"]) for log in roots
    ]


def test_topics_are_the_compiled_contract_s() -> None:
    contract = Web3().eth.contract(abi=artifact()["abi"])
    for name, topic in (
        ("Recorded", RECORDED),
        ("ManifestPublished", MANIFEST_PUBLISHED),
        ("Checkpoint", CHECKPOINT),
    ):
        assert contract.events[name].topic == topic


def test_a_sync_goes_on_where_the_last_one_stopped(
    chain: Client, either: Engine, databases: Callable[[], str]
) -> None:
    assert sync(chain, either, FIRST).entries_added == 10
    assert sync(chain, either, FIRST).entries_added == 0
    sender = Sender(chain.transport, signer_from_hex(DEV_KEYS[0]))
    publish(draft(Action.PUBLISH, 9), chain, sender)
    assert sync(chain, either, FIRST).entries_added == 1
    assert_as_fresh(chain, either, databases())


def test_two_at_once_write_everything_once(
    chain: Client, either: Engine, databases: Callable[[], str]
) -> None:
    url = either.url.render_as_string(hide_password=False)
    failures: list[BaseException] = []

    def follow() -> None:
        engine = open_engine(url)
        try:
            sync(chain, engine, FIRST)
        except BaseException as error:
            failures.append(error)
        finally:
            engine.dispose()

    threads = [threading.Thread(target=follow) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert_as_fresh(chain, either, databases())


class Lying:
    """A node that changes the logs it is asked for."""

    def __init__(self, node: Transport, lie: Callable[[list[Any]], list[Any]]) -> None:
        self._node, self._lie = node, lie

    def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        answer = self._node.request(method, params)
        # Of blocks before the contract was there nothing can be lied about.
        return self._lie(answer) if method == "eth_getLogs" and answer else answer

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        return self._node.batch(calls)

    def close(self) -> None:
        pass


def carrying(logs: list[Any], topic: str) -> Any:
    """The first log with this topic."""
    return next(log for log in logs if log["topics"][0] == topic)


def altered(logs: list[Any], topic: str, at: int) -> list[Any]:
    """The first log with this topic, one hexadecimal digit of its data changed."""
    number = next(n for n, log in enumerate(logs) if log["topics"][0] == topic)
    data = logs[number]["data"]
    digit = "1" if data[at] != "1" else "2"
    changed = {**logs[number], "data": data[:at] + digit + data[at + 1 :]}
    return [*logs[:number], changed, *logs[number + 1 :]]


LIES: dict[str, Callable[[list[Any]], list[Any]]] = {
    "no logs at all": lambda logs: [],
    "the last one left out": lambda logs: logs[:-1],
    "everything after an entry left out": lambda logs: logs[: len(logs) // 2],
    "the first entry left out": lambda logs: [
        log for log in logs if log["topics"][0] != RECORDED or int(log["topics"][1], 16)
    ],
    "a manifest left out": lambda logs: [
        log for log in logs if log is not carrying(logs, MANIFEST_PUBLISHED)
    ],
    "a checkpoint left out": lambda logs: [
        log for log in logs if log is not carrying(logs, CHECKPOINT)
    ],
    "one in the middle left out": lambda logs: logs[:9] + logs[10:],
    "one doubled": lambda logs: [*logs, carrying(logs, RECORDED)],
    "an entry altered": lambda logs: altered(logs, RECORDED, 200),
    "a date altered": lambda logs: altered(logs, RECORDED, 2 + 64 * 6 - 1),
    "padding altered": lambda logs: altered(logs, RECORDED, 2),
    "a manifest altered": lambda logs: altered(logs, MANIFEST_PUBLISHED, 2 + 64 * 2 + 5),
    "a manifest's length altered": lambda logs: altered(logs, MANIFEST_PUBLISHED, 2 + 64 * 2 - 1),
    "a root altered": lambda logs: altered(logs, CHECKPOINT, 70),
    "a size altered": lambda logs: altered(logs, CHECKPOINT, 65),
    "another contract's": lambda logs: [{**log, "address": "0x" + "12" * 20} for log in logs],
    "said to be removed": lambda logs: [{**log, "removed": True} for log in logs],
    "not logs": lambda logs: ["log"],
    "cut short": lambda logs: [{**log, "data": log["data"][:-2]} for log in logs],
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_a_lie_is_noticed_and_nothing_of_it_is_written(
    chain: Client, mirror: Engine, lie: Callable[[list[Any]], list[Any]]
) -> None:
    liar = Client(Lying(chain.transport, lie), chain.address)
    with pytest.raises(Inconsistent):
        sync(liar, mirror, FIRST)
    with reading(mirror) as connection:
        position = read_position(connection)
    assert position is not None
    assert position.size == 0
    with pytest.raises(CouldNotCheck):
        verify_digests(mirror, [sha256(b"anything")], Day(20_000))
    assert sync(chain, mirror, FIRST).entries_added == 10


def hidden(logs: list[Any]) -> list[Any]:
    """Without the last manifest, and all logs after it numbered as if there had been none."""
    at = max(n for n, log in enumerate(logs) if log["topics"][0] == MANIFEST_PUBLISHED)
    block = logs[at]["blockNumber"]
    return logs[:at] + [
        {**log, "logIndex": hex(int(log["logIndex"], 16) - 1)}
        if log["blockNumber"] == block
        else log
        for log in logs[at + 1 :]
    ]


def test_a_manifest_that_is_kept_back_without_a_trace_is_noticed_by_the_block_s_own_root(
    chain: Client, mirror: Engine
) -> None:
    liar = Client(Lying(chain.transport, hidden), chain.address)
    with pytest.raises(Inconsistent, match="kept back a manifest"):
        sync(liar, mirror, FIRST)
    assert sync(chain, mirror, FIRST).entries_added == 10


class WithoutBlockReceipts:
    """A node that knows receipts one by one alone."""

    def __init__(self, node: Transport) -> None:
        self._node = node

    def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        if method == "eth_getBlockReceipts":
            raise RpcError(-32601, "the method eth_getBlockReceipts does not exist")
        return self._node.request(method, params)

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        return self._node.batch(calls)

    def close(self) -> None:
        pass


def test_receipts_are_asked_for_one_by_one_where_a_node_knows_no_others(
    chain: Client, mirror: Engine
) -> None:
    liar = Client(Lying(WithoutBlockReceipts(chain.transport), hidden), chain.address)
    with pytest.raises(Inconsistent, match="kept back a manifest"):
        sync(liar, mirror, FIRST)
    honest = Client(WithoutBlockReceipts(chain.transport), chain.address)
    assert sync(honest, mirror, FIRST).entries_added == 10


def test_replaced_empty_blocks_after_the_finalised_one_are_no_alarm(
    chain: Client, either: Engine
) -> None:
    chain.transport.request("anvil_mine", [hex(100)])
    before = sync(chain, either, FIRST).position
    assert before.finality.finalized > before.block - 100
    chain.transport.request("anvil_rollback", [3])
    chain.transport.request("anvil_mine", [hex(5), hex(7)])
    done = sync(chain, either, FIRST)
    assert (done.entries_removed, done.position.size) == (0, before.size)


class Behind:
    """A node that has not yet the newest blocks."""

    def __init__(self, node: Transport, head: int) -> None:
        self._node, self._head = node, head

    def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        if method == "eth_getBlockByNumber":
            if params[0] == "latest":
                params = [hex(self._head), False]
            elif params[0].startswith("0x") and int(params[0], 16) > self._head:
                return None
        return self._node.request(method, params)

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        return [self.request(method, params) for method, params in calls]

    def close(self) -> None:
        pass


@pytest.mark.parametrize("blocks", [1, 3, 5])
def test_a_node_that_is_behind_takes_nothing_back(
    chain: Client, mirror: Engine, blocks: int
) -> None:
    before = sync(chain, mirror, FIRST).position
    lagging = Client(Behind(chain.transport, before.block - blocks), chain.address)
    with pytest.raises(Inconsistent, match="behind the mirror"):
        sync(lagging, mirror, FIRST)
    with reading(mirror) as connection:
        assert read_position(connection) == before


def test_a_node_without_the_contract_takes_nothing_back(chain: Client, mirror: Engine) -> None:
    before = sync(chain, mirror, FIRST).position
    with running_anvil() as url:
        wiped = Client(HttpTransport(url), chain.address)
        with pytest.raises(InputError, match="no contract"):
            sync(wiped, mirror, FIRST)
    with reading(mirror) as connection:
        assert read_position(connection) == before


def test_a_mirror_started_too_late_never_calls_itself_up_to_date(
    chain: Client, either: Engine
) -> None:
    with pytest.raises(Inconsistent):
        sync(chain, either, BlockNumber(head(chain) + 1))
    with pytest.raises(CouldNotCheck):
        verify_digests(either, [sha256(b"anything")], Day(20_000))


def test_acts_without_an_entry_and_other_contracts_logs_between_are_no_gap(
    chain: Client, mirror: Engine
) -> None:
    """A transfer of the administrator's role that is only scheduled appends nothing; and one
    transaction may call the registry twice, with another contract's log in between."""
    logs = chain.transport.request("eth_getLogs", [wanted(chain)])
    scheduled = {**logs[0], "topics": ["0x" + "ab" * 32], "transactionHash": "0x" + "cd" * 32}
    scheduled["logIndex"] = hex(int(logs[-1]["logIndex"], 16) + 7)
    scheduled["blockNumber"] = logs[-1]["blockNumber"]
    assert len(decode_logs([*logs, scheduled], chain.address)) == len(
        decode_logs(logs, chain.address)
    )
    last = logs[-1]
    same = {name: last[name] for name in ("transactionHash", "blockHash", "blockNumber")}

    def spaced(log: Any) -> str:
        return hex(int(log["blockNumber"], 16) * 1000 + int(log["logIndex"], 16))

    moved = [{**log, **same, "logIndex": spaced(log)} for log in logs]
    assert len(decode_logs(moved, chain.address)) == len(decode_logs(logs, chain.address))


def wanted(chain: Client) -> dict[str, str]:
    return {"address": "0x" + chain.address.hex(), "fromBlock": "0x0", "toBlock": "latest"}


def test_out_of_order_logs_are_put_in_order(chain: Client, mirror: Engine) -> None:
    shuffled = Client(Lying(chain.transport, lambda logs: logs[::-1]), chain.address)
    assert sync(shuffled, mirror, FIRST).entries_added == 10


def test_replaced_blocks_leave_no_trace(
    chain: Client, either: Engine, databases: Callable[[], str]
) -> None:
    sync(chain, either, FIRST)
    # The repeal, the amendment and the last publish go; other acts take their place.
    chain.transport.request("anvil_rollback", [3])
    sender = Sender(chain.transport, signer_from_hex(DEV_KEYS[0]))
    other = parse_address("0x70997970C51812dc3A010C7d01b50e0d17dc79C8")
    appoint("CN", other, Role.REGISTRAR, chain, sender)
    publish(draft(Action.PUBLISH, 7), chain, sender)
    publish(draft(Action.PUBLISH, 8), chain, sender)
    done = sync(chain, either, FIRST)
    assert (done.entries_removed, done.entries_added) == (3, 3)
    assert_as_fresh(chain, either, databases())


def head(chain: Client) -> BlockNumber:
    return chain.head().block.number


def test_blocks_before_the_contract_are_an_empty_log(mirror: Engine, tmp_path: Path) -> None:
    """Whoever does not know the first block reads from the chain's beginning."""
    # A chain of its own: others read theirs in one range.
    with running_anvil() as url, closing(HttpTransport(url)) as transport:
        transport.request("anvil_mine", [hex(BLOCKS_PER_RANGE + 1)])
        settings = Settings(home=tmp_path / "home", rpc_url=url)
        noted = deploy(transport, signer_from_hex(DEV_KEYS[0]), settings)
        client = Client(transport, parse_address(noted.contract))
        assert client.checkpoint(BlockNumber(1)) == (0, EMPTY_ROOT)
        done = sync(client, mirror, BlockNumber(1))
        assert (done.position.size, done.position.root) == client.checkpoint()
