"""Proofs from the mirror and receipts offline, at a small and a large log.

    python scripts/bench/proof.py --work FOLDER [--sizes 1000 1000000] [--rounds 5]

Prints JSON. For each size: inclusion proofs a second from the mirror's tiles (each in a
read transaction of its own, as a request has it), tiles read per proof, the bytes of a
receipt, and receipts verified a second from their bytes: without a chain proof against
a checkpoint, and with one against a block hash. In turn with these, in the same run,
pymerkle's SQLite tree gives proofs over as many leaves, in a virtual environment of its
own under FOLDER (it is GPL, and only run as a tool). The state trie behind the chain
proofs is made here: 20,000 accounts, and a storage with 20,000 policies.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import rlp
from eth_hash.auto import keccak
from measure import CORPUS, interleaved, median, median_ratio
from synthetic import mirror
from trie import HexaryTrie

from registry.chain.slots import LOG_SLOT, peak_slots, policy_slot
from registry.chain.state_proof import prove
from registry.core.receipt import BlockId, Receipt, StateProof, read_receipt, write_receipt
from registry.core.receipt_check import Anchor, Trace, check_policy
from registry.core.receipt_document import FileFacts, check_file
from registry.core.tiles import of_inclusion
from registry.core.units import BlockNumber, Day, Digest
from registry.core.verdict import Evidence, Finality
from registry.mirror.engine import Engine, reading
from registry.mirror.position import read_position
from registry.mirror.queries import history
from registry.mirror.store import entry_of
from registry.mirror.tiles import inclusion_path
from registry.services.proving import make_receipt

PROOFS = 2000
RECEIPTS = 300
CHAIN_RECEIPTS = 30
NEIGHBOURS = 20_000
TODAY = Day(20_000)


@dataclass(frozen=True, slots=True)
class Case:
    """A receipt's bytes with and without a chain proof, and what it is checked against."""

    plain: bytes
    with_state: bytes
    block_hash: bytes
    anchor: Anchor
    file: FileFacts


def proofs_per_second(engine: Engine, size: int, seed: int) -> float:
    wanted = random.Random(seed).choices(range(size), k=PROOFS)
    started = time.perf_counter()
    for index in wanted:
        with reading(engine) as connection:
            inclusion_path(connection, index, size)
    return PROOFS / (time.perf_counter() - started)


def verified_per_second(cases: Sequence[Case], *, chain: bool) -> float:
    started = time.perf_counter()
    for each in cases:
        receipt = read_receipt(each.with_state if chain else each.plain)
        anchor = proven(receipt, each.block_hash) if chain else each.anchor
        shown = check_policy(receipt, anchor, Trace())
        check_file(shown, each.file, TODAY, Trace())
    return len(cases) / (time.perf_counter() - started)


def proven(receipt: Receipt, block_hash: bytes) -> Anchor:
    """What registry.services.receipts does with a block hash."""
    assert receipt.state is not None
    key = receipt.entries[0].entry.policy
    block = BlockId(receipt.block.number, block_hash)
    shown = prove(receipt.state, block, receipt.contract, key, Trace())
    return Anchor(
        Evidence.RECEIPT,
        "storage",
        shown.log.size,
        shown.tree.root(),
        shown.policy,
        shown.block,
        Finality.INCLUDED,
    )


def cases(engine: Engine, count: int) -> Iterator[Case]:
    """Receipts of policies anywhere in the log."""
    with reading(engine) as connection:
        position = read_position(connection)
        assert position is not None
        ids = connection.exec_driver_sql("SELECT id, policy_id FROM policies").all()
        chosen = random.Random(1).sample(ids, count)
        entries = [entry_of(history(connection, row.id)[-1]) for row in chosen]
    state = State(position.size, position.peaks)
    for row, entry in zip(chosen, entries, strict=True):
        receipt = make_receipt(engine, Digest(row.policy_id))
        last = receipt.entries[-1].entry
        slot = last.recorded_at << 104 | last.index << 40 | last.sequence << 8 | 1
        proof, block_hash = state.proof(receipt.contract, policy_slot(entry.policy), slot)
        anchored = replace(receipt, state=proof, block=BlockId(BlockNumber(7), block_hash))
        anchor = proven(anchored, block_hash)
        file = FileFacts(entry.document or Digest(b""), 10_000, b"# ")
        yield Case(write_receipt(receipt), write_receipt(anchored), block_hash, anchor, file)


class State:
    """A state trie with a registry's storage in it, among others."""

    def __init__(self, size: int, peaks: Sequence[bytes]) -> None:
        noise = random.Random(2)
        self.storage = HexaryTrie({})
        for slot, value in zip(peak_slots(size), peaks, strict=True):
            self.put(slot, int.from_bytes(value, "big"))
        self.put(LOG_SLOT, size)
        for _ in range(NEIGHBOURS):
            self.put(noise.randbytes(32), noise.getrandbits(168))
        self.slots = [LOG_SLOT, *peak_slots(size)]
        self.accounts = HexaryTrie({})
        for _ in range(NEIGHBOURS):
            self.accounts[keccak(noise.randbytes(20))] = noise.randbytes(70)

    def put(self, slot: bytes, value: int) -> None:
        self.storage[keccak(slot)] = rlp.encode(value)

    def proof(self, contract: bytes, slot: bytes, value: int) -> tuple[StateProof, bytes]:
        self.put(slot, value)
        account = [1, 0, self.storage.root_hash, bytes(32)]
        self.accounts[keccak(contract)] = rlp.encode(account)
        fields = [bytes(32), bytes(32), bytes(20), self.accounts.root_hash, bytes(32), bytes(32)]
        fields += [bytes(256), 0, 7, 30_000_000, 0, 1_700_000_000, b"", bytes(32), bytes(8)]
        header = rlp.encode(fields)
        nodes = [rlp.encode(node) for node in self.accounts.get_proof(keccak(contract))]
        held = [
            rlp.encode(node)
            for each in (*self.slots, slot)
            for node in self.storage.get_proof(keccak(each))
        ]
        proof = StateProof(header, tuple(nodes), tuple(dict.fromkeys(held)))
        return proof, keccak(header)


PYMERKLE = """
import os, random, sys, time
from pymerkle import SqliteTree
path, size, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with SqliteTree(path) as tree:
    have = tree.get_size()
    step = 100_000
    for first in range(have, size, step):
        tree.append_entries([b"%d" % n for n in range(first, min(first + step, size))], step)
    print("ready", flush=True)
    for line in sys.stdin:
        wanted = random.Random(int(line)).choices(range(1, size + 1), k=count)
        started = time.perf_counter()
        for index in wanted:
            tree.prove_inclusion(index, size)
        print(count / (time.perf_counter() - started), flush=True)
"""


@contextmanager
def pymerkle(work: Path, size: int) -> Iterator[Callable[[], float]]:
    """Proofs a second from pymerkle's tree of `size` leaves; each call measures once."""
    home = work / "pymerkle"
    python = home / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "pymerkle==6.1.0"], check=True)
    # A tenth of a second or more each at a million.
    count = 200 if size <= 10_000 else 20
    database = work / f"pymerkle-{size}.sqlite"
    command = [python, "-c", PYMERKLE, database, str(size), str(count)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        lines, answers = process.stdin, process.stdout
        assert answers.readline().strip() == "ready"
        rounds = iter(range(10_000))

        def measured() -> float:
            print(next(rounds), file=lines, flush=True)
            return float(answers.readline())

        yield measured
        lines.close()


def measured(work: Path, index: Path, size: int, rounds: int) -> dict[str, object]:
    engine = mirror(work, index, size)
    with reading(engine) as connection:
        position = read_position(connection)
    assert position is not None
    # As many leaves as policies were asked for, whatever the log has beyond them.
    entries = size
    made = list(cases(engine, RECEIPTS))
    tiles = [len(of_inclusion(index, entries)) for index in range(0, entries, entries // 500)]
    seeds = iter(range(10_000))
    with pymerkle(work, entries) as peer:
        found = interleaved(
            rounds,
            {
                "proofs": lambda: proofs_per_second(engine, entries, next(seeds)),
                "pymerkle": peer,
                "verified": lambda: verified_per_second(made, chain=False),
                "verified_chain": lambda: verified_per_second(made[:CHAIN_RECEIPTS], chain=True),
            },
        )
    return {
        "entries": entries,
        "inclusion_proofs_per_second": median(found["proofs"]),
        "pymerkle_proofs_per_second": median(found["pymerkle"]),
        "times_pymerkle": median_ratio(found["proofs"], found["pymerkle"]),
        "tiles_per_proof": {"median": median(tiles), "most": max(tiles)},
        "receipt_bytes": {
            "median": median([len(each.plain) for each in made]),
            "most": max(len(each.plain) for each in made),
            "with_chain_proof": median([len(each.with_state) for each in made]),
        },
        "receipts_verified_per_second": median(found["verified"]),
        "receipts_with_chain_proof_verified_per_second": median(found["verified_chain"]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--index", type=Path, default=CORPUS / "index.csv")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    results = [measured(given.work, given.index, size, given.rounds) for size in given.sizes]
    small, large = results[0], results[-1]
    speeds = [each["inclusion_proofs_per_second"] for each in (large, small)]
    print(
        json.dumps(
            {
                "sizes": results,
                "large_to_small": round(float(str(speeds[0])) / float(str(speeds[1])), 3),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
