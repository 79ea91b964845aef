"""Entries a second from Anvil into an empty SQLite mirror, beside web3's decoder, as JSON.

    python scripts/bench/sync.py [ENTRIES]

The other side is `contract.events.Recorded.get_logs` over the same blocks: decoding
alone, without checking a root or writing anything. Goal: at least 4 times as fast.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from measure import interleaved, median, median_ratio, registry_on_anvil
from web3 import HTTPProvider, Web3

from registry.chain.abi import artifact
from registry.chain.addresses import checksummed
from registry.chain.sender import Sender
from registry.core.digest import sha256
from registry.core.draft import Draft, FileDescription
from registry.core.entry import Action
from registry.core.lifecycle import UNPUBLISHED
from registry.core.units import BlockNumber, Day
from registry.mirror.engine import open_engine, sqlite_url
from registry.services.authorities import open_authority
from registry.services.publish import record
from registry.services.setup import signer_for
from registry.services.sync import sync
from registry.services.workspace import Workspace

BATCH = 100
ROUNDS = 5


def main() -> None:
    entries = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with registry_on_anvil(home) as opened:
            _fill(opened, entries)
            size, _ = opened.client.checkpoint()
            found = interleaved(
                ROUNDS,
                {
                    "sync": lambda: size / _sync(opened, home),
                    "web3_get_logs": lambda: size / _web3(opened, size),
                },
            )
    print(
        json.dumps(
            {
                "entries": size,
                "rounds": ROUNDS,
                "entries_per_second": {name: median(rates) for name, rates in found.items()},
                "ratio": median_ratio(found["sync"], found["web3_get_logs"]),
                "goal": 4,
            },
            indent=2,
        )
    )


def _fill(opened: Workspace, count: int) -> None:
    sender = Sender(opened.transport, signer_for(opened, lambda _: ""))
    open_authority("CN", {}, None, opened.client, sender)
    for start in range(0, count, BATCH):
        drafts = [_draft(number) for number in range(start, min(start + BATCH, count))]
        record([each.submission(UNPUBLISHED) for each in drafts], opened.client, sender)


def _draft(number: int) -> Draft:
    """A policy with a manifest of the size that the corpus's manifests have."""
    title = f"关于第{number}号政策的若干规定"
    return Draft(
        action=Action.PUBLISH,
        authority="CN",
        number=f"国发〔2026〕{number}号",
        title={"zh": title},
        document=FileDescription(
            sha256(str(number).encode()), 10_000, f"{title}.md", "text/markdown", "zh"
        ),
        type="notice",
        issued=Day(20_000),
        effective_from=Day(20_030),
    )


def _sync(opened: Workspace, home: Path) -> float:
    path = home / "fresh.sqlite"
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    engine = open_engine(sqlite_url(path))
    started = time.perf_counter()
    sync(opened.client, engine, BlockNumber(opened.deployment.first_block))
    taken = time.perf_counter() - started
    engine.dispose()
    return taken


def _web3(opened: Workspace, size: int) -> float:
    web3 = Web3(HTTPProvider(str(opened.settings.rpc_url)))
    address = checksummed(opened.client.address)
    contract = web3.eth.contract(address=address, abi=artifact()["abi"])
    started = time.perf_counter()
    logs = contract.events.Recorded.get_logs(from_block=0)
    taken = time.perf_counter() - started
    if len(logs) != size:
        raise SystemExit(f"web3 decoded {len(logs)} of {size} entries")
    return taken


if __name__ == "__main__":
    main()
