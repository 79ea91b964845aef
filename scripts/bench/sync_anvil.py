"""Entries a second from Anvil into the mirror, and what else reads or writes them there."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import orjson
import urllib3
from databases import Database
from filling import ANVIL, Registrar
from measure import median, median_ratio, registry_on_anvil
from ponder_indexing import index
from web3 import HTTPProvider, Web3

from registry.chain.abi import artifact
from registry.chain.addresses import checksummed
from registry.chain.client import Client
from registry.core.units import BlockNumber
from registry.mirror.engine import open_engine
from registry.services.sync import sync
from registry.services.workspace import Workspace

GOALS = {"rows": 0.5, "web3": {"sqlite": 5, "postgresql": 8}, "ponder": 5}
# Ponder waits until so many blocks follow. With a large state Anvil takes a while for each.
_SETTLING = 32
_BLOCKS_PER_FETCH = 20


def from_anvil(databases: list[Database], work: Path, given: argparse.Namespace) -> Any:
    with (
        tempfile.TemporaryDirectory(dir=work) as home,
        registry_on_anvil(Path(home), *ANVIL) as opened,
    ):
        Registrar(opened).publish(range(given.entries))
        for _ in range(_SETTLING):
            opened.transport.request("evm_mine")
        size, _ = opened.client.checkpoint()
        rates = _rates(opened, databases, size, given.rounds)
        indexed = None if given.without_ponder else index(opened, Path(home))
        print(f"ponder: {indexed}", file=sys.stderr)
    ratios: dict[str, Any] = {}
    for each in databases:
        ours = rates[f"sync_{each.name}"]
        ratios[each.name] = {
            "rows": median_ratio(ours, rates[f"rows_{each.name}"]),
            "fetch": median_ratio(ours, rates["fetch"]),
            "web3": median_ratio(ours, rates["web3"]),
        }
        if indexed is not None:
            rate = indexed.rows / indexed.seconds_indexing
            ratios[each.name]["ponder"] = median([one / rate for one in ours])
    return {
        "entries": size,
        "rounds": given.rounds,
        "entries_per_second": {name: median(values) for name, values in rates.items()},
        "ponder": indexed
        and {
            "rows": indexed.rows,
            "seconds_from_start": round(indexed.seconds, 2),
            "seconds_indexing": round(indexed.seconds_indexing, 2),
            "rows_per_second": median([indexed.rows / indexed.seconds_indexing]),
        },
        "ratio": ratios,
        "goal": GOALS,
    }


def _rates(
    opened: Workspace, databases: list[Database], size: int, rounds: int
) -> dict[str, list[float]]:
    """Entries a second of each, round by round."""
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        for each in databases:
            url = each.fresh()
            first = BlockNumber(opened.deployment.first_block)
            _note(found, f"sync_{each.name}", size / _sync(opened.client, url, first))
            rows = each.rows(url)
            _note(found, f"rows_{each.name}", size / rows.insert(each.fresh()))
        _note(found, "fetch", size / _fetched(opened, size))
        _note(found, "web3", size / _web3(opened, size))
    return found


def _note(found: dict[str, list[float]], name: str, rate: float) -> None:
    found.setdefault(name, []).append(rate)
    print(f"{name}: {rate:.0f} entries a second", file=sys.stderr)


def _sync(client: Client, url: str, first_block: BlockNumber) -> float:
    engine = open_engine(url)
    started = time.perf_counter()
    sync(client, engine, first_block)
    taken = time.perf_counter() - started
    engine.dispose()
    return taken


def _fetched(opened: Workspace, size: int) -> float:
    """Seconds to ask for all logs and parse them, as many at once as a sync does."""
    head = int(opened.transport.request("eth_blockNumber"), 16)
    pool, found = urllib3.PoolManager(), 0
    address = "0x" + opened.client.address.hex()
    started = time.perf_counter()
    for first in range(0, head + 1, _BLOCKS_PER_FETCH):
        last = min(first + _BLOCKS_PER_FETCH - 1, head)
        wanted = {"address": address, "fromBlock": hex(first), "toBlock": hex(last)}
        body = {"jsonrpc": "2.0", "id": 1, "method": "eth_getLogs", "params": [wanted]}
        answer = pool.request("POST", str(opened.settings.rpc_url), json=body)
        found += len(orjson.loads(answer.data)["result"])
    taken = time.perf_counter() - started
    if found < size:
        raise SystemExit(f"the node sent {found} logs of {size} entries")
    return taken


def _web3(opened: Workspace, size: int) -> float:
    web3 = Web3(HTTPProvider(str(opened.settings.rpc_url), request_kwargs={"timeout": 600}))
    address = checksummed(opened.client.address)
    contract = web3.eth.contract(address=address, abi=artifact()["abi"])
    started = time.perf_counter()
    logs = contract.events.Recorded.get_logs(from_block=0)
    taken = time.perf_counter() - started
    if len(logs) != size:
        raise SystemExit(f"web3 decoded {len(logs)} of {size} entries")
    return taken
