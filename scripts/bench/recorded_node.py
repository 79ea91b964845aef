"""A node with a long log, answering from prepared bytes: for measurements of who asks it.

    python scripts/bench/recorded_node.py FOLDER ENTRIES     serves, and prints its URL

`record` writes what a node would answer: the JSON of every log and of every header, block
by block, as Anvil has them. Serving copies slices of those files to the socket and computes
nothing, so that the node costs next to nothing beside the one who reads it. The log is one
that the contract could have written: real entries, leaves, roots and header hashes; only the
headers' state, transactions and receipts roots stand for nothing.
"""

from __future__ import annotations

import os
import socketserver
import sys
import threading
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import measure  # noqa: F401 - puts the project on the path
import orjson
import rlp  # type: ignore[import-untyped]  # it has no stubs
from eth_hash.auto import keccak
from filling import AUTHORITY, submission

from registry.chain.abi import artifact
from registry.chain.events import CHECKPOINT, MANIFEST_PUBLISHED, RECORDED
from registry.core.digest import sha256
from registry.core.entry import Action, Entry
from registry.core.merkle import EMPTY_ROOT, Frontier
from registry.core.units import Address, Digest, EntryIndex, UnixSeconds

CHAIN_ID = 31337
CONTRACT = Address(b"\x5f" * 20)
PER_BLOCK = 100
SECONDS_PER_BLOCK = 12
_START = 1_700_000_000
_ADMIN = Address(b"\7" * 20)
_ZERO = bytes(32)
# of its header alone: the two that a state proof would need are not there
_EMPTY_UNCLES = keccak(rlp.encode([]))


@dataclass(slots=True)
class _Log:
    """The log as it grows, and its events as JSON."""

    tree: Frontier

    def act(self, action: Action, authority: str, number: bytes, sequence: int) -> Entry:
        return Entry(
            index=EntryIndex(self.tree.size),
            previous=None,
            authority=authority,
            number=Digest(number),
            sequence=sequence,
            action=action,
            effective_on=None,
            document=None,
            manifest=None,
            registrar=_ADMIN,
            recorded_at=UnixSeconds(_time(1)),
        )


def record(folder: Path, entries: int) -> None:
    """Prepare what a node with `entries` policies published answers; a folder that holds
    as many is taken as it stands."""
    if (folder / "done").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    ends, sizes, roots, hashes = array("Q", [0]), array("Q", [0]), [EMPTY_ROOT], []
    parent = _ZERO
    with (folder / "logs").open("wb") as logs, (folder / "headers").open("wb") as headers:
        for number, (events, tree) in enumerate(_blocks(entries)):
            block_hash, header = _header(number, parent)
            headers.write(header + b"\n")
            parent = block_hash
            for each in _placed(events, number, block_hash):
                logs.write(each + b",")
            ends.append(logs.tell())
            sizes.append(tree.size)
            roots.append(tree.root())
            hashes.append(block_hash)
            if number and number % 1000 == 0:
                print(f"{tree.size} entries recorded", file=sys.stderr)
    (folder / "ends").write_bytes(ends.tobytes())
    (folder / "sizes").write_bytes(sizes.tobytes())
    (folder / "roots").write_bytes(b"".join(roots))
    (folder / "done").touch()


Event = tuple[list[str], bytes]
"""Topics and data of a log."""


def _blocks(entries: int) -> Iterator[tuple[list[Event], Frontier]]:
    """The events of each block, and the log's tree after it; block 0 has none."""
    log = _Log(Frontier())
    yield [], log.tree
    account = bytes(12) + _ADMIN
    events: list[Event] = []
    for action, code, sequence in (
        (Action.APPOINT_ADMIN, "", 1),
        (Action.OPEN_AUTHORITY, AUTHORITY, 1),
        (Action.APPOINT_CONTROLLER, AUTHORITY, 2),
        (Action.APPOINT_REGISTRAR, AUTHORITY, 3),
    ):
        events += _recorded(log.tree, log.act(action, code, account, sequence), None)
    yield [*events, _checkpoint(log.tree)], log.tree
    for start in range(0, entries, PER_BLOCK):
        events = []
        at = UnixSeconds(_START + SECONDS_PER_BLOCK * (2 + start // PER_BLOCK))
        for number in range(start, min(start + PER_BLOCK, entries)):
            events += _recorded(log.tree, *_published(number, log.tree.size, at))
        yield [*events, _checkpoint(log.tree)], log.tree


def _published(number: int, index: int, at: UnixSeconds) -> tuple[Entry, bytes]:
    given = submission(number)
    entry = Entry(
        index=EntryIndex(index),
        previous=None,
        authority=given.policy.authority,
        number=given.policy.number_hash,
        sequence=given.sequence,
        action=given.action,
        effective_on=given.effective_on,
        document=given.document,
        manifest=given.manifest,
        registrar=_ADMIN,
        recorded_at=at,
    )
    return entry, given.content


def _recorded(tree: Frontier, entry: Entry, manifest: bytes | None) -> list[Event]:
    encoded = entry.encode()
    tree.append(entry.leaf_hash())
    events: list[Event] = [([RECORDED, _hex(encoded[:32])], encoded[32:])]
    if manifest is not None and entry.manifest is not None:
        length = len(manifest)
        data = (32).to_bytes(32, "big") + length.to_bytes(32, "big")
        data += manifest + bytes(-length % 32)
        events.append(([MANIFEST_PUBLISHED, _hex(entry.manifest)], data))
    return events


def _checkpoint(tree: Frontier) -> Event:
    return [CHECKPOINT], tree.size.to_bytes(32, "big") + tree.root()


def _placed(events: list[Event], number: int, block_hash: bytes) -> Iterator[bytes]:
    """The events as the JSON of eth_getLogs, all of one transaction of the block."""
    place = {
        "blockHash": _hex(block_hash),
        "blockNumber": hex(number),
        "blockTimestamp": hex(_time(number)),
        "transactionHash": _hex(sha256(b"transaction %d" % number)),
        "transactionIndex": "0x0",
    }
    for log_index, (topics, data) in enumerate(events):
        yield orjson.dumps(
            {
                "address": _hex(CONTRACT),
                "topics": topics,
                "data": _hex(data),
                **place,
                "logIndex": hex(log_index),
                "removed": False,
            }
        )


def _header(number: int, parent: bytes) -> tuple[bytes, bytes]:
    """Hash and JSON of a block's header."""
    fields: dict[str, Any] = {
        "parentHash": parent,
        "sha3Uncles": _EMPTY_UNCLES,
        "miner": bytes(20),
        "stateRoot": sha256(b"state %d" % number),
        "transactionsRoot": sha256(b"transactions %d" % number),
        "receiptsRoot": sha256(b"receipts %d" % number),
        "logsBloom": b"\xff" * 256,
        "difficulty": 0,
        "number": number,
        "gasLimit": 30_000_000,
        "gasUsed": 4_000_000,
        "timestamp": _time(number),
        "extraData": b"",
        "mixHash": _ZERO,
        "nonce": bytes(8),
        "baseFeePerGas": 7,
    }
    encoded = [
        value.to_bytes((value.bit_length() + 7) // 8, "big") if isinstance(value, int) else value
        for value in fields.values()
    ]
    block_hash = keccak(rlp.encode(encoded))
    shown = {
        name: hex(value) if isinstance(value, int) else _hex(value)
        for name, value in fields.items()
    }
    transactions = [_hex(sha256(b"transaction %d" % number))] if number else []
    more = {"hash": _hex(block_hash), "transactions": transactions, "uncles": [], "size": "0x400"}
    return block_hash, orjson.dumps(shown | more)


def _time(number: int) -> int:
    return _START + SECONDS_PER_BLOCK * number


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


class RecordedNode:
    """Answers for the first `entries` of what was recorded in `folder`."""

    def __init__(self, folder: Path, entries: int) -> None:
        self._logs: BinaryIO = (folder / "logs").open("rb")
        self._ends = _numbers(folder / "ends")
        self._sizes = _numbers(folder / "sizes")
        self._roots = (folder / "roots").read_bytes()
        self._headers = (folder / "headers").read_bytes().splitlines()
        self._by_hash = {orjson.loads(each)["hash"]: n for n, each in enumerate(self._headers)}
        self._head = 1 + -(-entries // PER_BLOCK)
        self._code = b'"' + artifact()["deployedBytecode"].encode() + b'"'
        if self._head >= len(self._headers):
            raise SystemExit(f"{folder} does not hold {entries} entries")

    def result(self, method: str, params: list[Any]) -> bytes | tuple[int, int]:
        """The result's JSON, or where the logs lie in the file."""
        match method:
            case "eth_chainId":
                return orjson.dumps(hex(CHAIN_ID))
            case "eth_blockNumber":
                return orjson.dumps(hex(self._head))
            case "eth_getCode":
                return self._code
            case "eth_getBlockByNumber":
                number = self._number(params[0])
                return self._headers[number] if number <= self._head else b"null"
            case "eth_getBlockByHash":
                return self._headers[self._by_hash[params[0]]]
            case "eth_call":
                after = self._number(params[1]) + 1
                root = self._roots[32 * after : 32 * after + 32]
                return orjson.dumps(_hex(self._sizes[after].to_bytes(32, "big") + root))
            case "eth_getLogs":
                wanted = params[0]
                if "blockHash" in wanted:
                    first = last = self._by_hash[wanted["blockHash"]]
                else:
                    first, last = (self._number(wanted[key]) for key in ("fromBlock", "toBlock"))
                return self._ends[first], self._ends[min(last, self._head) + 1]
        raise SystemExit(f"the recorded node does not know {method}")

    def _number(self, at: Any) -> int:
        if isinstance(at, dict):
            at = at["blockNumber"] if "blockNumber" in at else hex(self._by_hash[at["blockHash"]])
        named = {"latest": self._head, "safe": self._head - 32, "finalized": self._head - 64}
        return max(0, named[at]) if at in named else int(at, 16)

    def answer(self, body: bytes, out: BinaryIO) -> None:
        """Write the HTTP response to a request's body."""
        asked = orjson.loads(body)
        calls = asked if isinstance(asked, list) else [asked]
        parts = [(each["id"], self.result(each["method"], each["params"])) for each in calls]
        pieces: list[bytes | tuple[int, int]] = []
        for number, found in parts:
            opening = b'{"jsonrpc":"2.0","id":%d,"result":' % number
            if isinstance(found, bytes):
                pieces += [opening + found + b"}"]
            else:
                # without the comma after the last log
                pieces += [opening + b"[", (found[0], max(found[0], found[1] - 1)), b"]}"]
            pieces.append(b",")
        pieces.pop()
        if isinstance(asked, list):
            pieces = [b"[", *pieces, b"]"]
        length = sum(len(p) if isinstance(p, bytes) else p[1] - p[0] for p in pieces)
        out.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
            % length
        )
        for piece in pieces:
            if isinstance(piece, bytes):
                out.write(piece)
            else:
                self._copy(*piece, out)
        out.flush()

    def _copy(self, start: int, end: int, out: BinaryIO) -> None:
        while start < end:
            some = os.pread(self._logs.fileno(), min(1 << 20, end - start), start)
            out.write(some)
            start += len(some)


def _numbers(path: Path) -> array[int]:
    found = array("Q")
    found.frombytes(path.read_bytes())
    return found


def serve(folder: Path, entries: int) -> None:
    """Serve on a free port until whoever started it is gone; prints the URL first."""
    node = RecordedNode(folder, entries)

    class Handler(socketserver.StreamRequestHandler):
        wbufsize = 1 << 16

        def handle(self) -> None:
            while line := self.rfile.readline():
                length = 0
                while (line := self.rfile.readline().strip()) != b"":
                    name, _, value = line.partition(b":")
                    if name.lower() == b"content-length":
                        length = int(value)
                node.answer(self.rfile.read(length), self.wfile)

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
        # Ends with the pipe, so that no node is left behind by one that was killed.
        sys.stdin.read()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
