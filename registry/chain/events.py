"""The contract's events from a node's JSON, by fixed offsets.

`Recorded` has the entry's index as its topic and the other ten words as its data, so
that topic ‖ data are the very bytes whose leaf is in the log. Anything that the
contract can not have emitted raises Inconsistent.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import Any

from registry.core.digest import sha256
from registry.core.entry import ENTRY_SIZE, Entry, decode_entry, entry_leaf_hash
from registry.core.feed import Checkpointed, Place, Recorded
from registry.core.following import Fault
from registry.core.quick import quick
from registry.core.units import Address, BlockNumber, Digest
from registry.errors import Inconsistent

# keccak-256 of the events' signatures; a test compares them with the compiled ABI.
RECORDED = "0xd2b2f1ca93a056496ee2669f929d62d1f76cf2cdd8408538f60f367ceee2a3a5"
MANIFEST_PUBLISHED = "0x47d06f16ea24a44ead91e644875a0c93301e6b50901b071a332a6aca32933b8a"
CHECKPOINT = "0xec7726da2014e98b2158275cefb3a14cf7abf23d9bd05e9b930748be9d3cc961"
_KINDS = frozenset({RECORDED, MANIFEST_PUBLISHED, CHECKPOINT})

_WORD = 32

Event = Recorded | Checkpointed


def decode_logs(logs: Iterable[dict[str, Any]], contract: Address) -> list[Event]:
    """The registry's events in chain order, from all the logs of its contract.

    A manifest is joined to the entry before it. From a Recorded to its Checkpoint the
    contract's logs follow each other without gap, so that one that was left out is noticed
    even where no root depends on it. Raises Inconsistent.
    """
    reader = _Reader()
    address = "0x" + contract.hex()
    try:
        for block, log_index, log in sorted(map(_positioned, logs), key=_BY_POSITION):
            said = log["address"]
            if (said != address and said.lower() != address) or log.get("removed"):
                raise _unbelievable("the node sent another contract's log, or a removed one")
            reader.take(block, log_index, log)
    except (KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
        raise _unbelievable(f"the node sent a log that can not be read ({error!r})") from None
    return reader.done()


_BY_POSITION = itemgetter(0, 1)
_place, _recorded = quick(Place), quick(Recorded)


def _positioned(log: dict[str, Any]) -> tuple[Any, int, dict[str, Any]]:
    return int(log["blockNumber"], 16), int(log["logIndex"], 16), log


class _Reader:
    """The events of logs that are taken one by one, in chain order."""

    __slots__ = ("_events", "_hashes", "_named", "_owing", "_recorded")

    def __init__(self) -> None:
        self._events: list[Event] = []
        # The last log's hashes, as it named them and as bytes: a transaction's logs share them.
        self._named = ("", "")
        self._hashes = b"", b""
        # An entry that is still to be joined with its manifest.
        self._recorded: tuple[Entry, Digest, Place, bytes | None] | None = None
        # Block, transaction and index of the last log since which a checkpoint is owed.
        self._owing: tuple[int, bytes, int] | None = None

    def take(self, block: BlockNumber, log_index: int, log: dict[str, Any]) -> None:
        """Read one log; raises Inconsistent where it can not follow the one before."""
        named = log["blockHash"], log["transactionHash"]
        if named != self._named:
            self._hashes = _hash(named[0]), _hash(named[1])
            self._named = named
        block_hash, transaction = self._hashes
        owing = self._owing
        if owing is not None:
            _require_next(owing, block, transaction, log_index)
        topics, data = log["topics"], log["data"]
        kind = topics[0]
        if kind not in _KINDS:
            # Hexadecimal digits may be capitals.
            kind = kind.lower()
        if kind == RECORDED:
            self._join()
            place = _place(block, block_hash, transaction, log_index)
            self._recorded = *_entry(topics[1], data), place, None
        elif kind == MANIFEST_PUBLISHED:
            if self._recorded is None or self._recorded[2].transaction != transaction:
                raise _unbelievable("a manifest came without the entry before it")
            entry, leaf, place, _ = self._recorded
            self._recorded = entry, leaf, place, _manifest(entry, topics[1], data)
        elif kind == CHECKPOINT:
            self._join()
            place = _place(block, block_hash, transaction, log_index)
            self._events.append(_checkpoint(data, place))
            self._owing = None
            return
        if owing is not None or kind == RECORDED:
            self._owing = block, transaction, log_index

    def done(self) -> list[Event]:
        """All events; raises Inconsistent where the last checkpoint is missing."""
        if self._owing is not None:
            raise _unbelievable("the node left out the last checkpoint")
        return self._events

    def _join(self) -> None:
        if self._recorded is not None:
            self._events.append(_recorded(*self._recorded))
            self._recorded = None


def _require_next(
    owing: tuple[int, bytes, int], block: int, transaction: bytes, log_index: int
) -> None:
    if owing[1] != transaction:
        raise _unbelievable(f"the node left out a checkpoint of block {owing[0]}")
    if log_index != owing[2] + 1:
        raise _unbelievable(f"the node left out a log of block {block}, or doubled one")


def _hash(written: str) -> bytes:
    found = bytes.fromhex(written[2:])
    if len(found) != _WORD:
        raise _unbelievable("the node sent a log with a hash that is not one")
    return found


def _entry(index: str, data: str) -> tuple[Entry, Digest]:
    encoded = bytes.fromhex(index[2:] + data[2:])
    if len(encoded) != ENTRY_SIZE:
        raise _unbelievable(f"a Recorded event has {len(encoded)} bytes, not {ENTRY_SIZE}")
    return decode_entry(encoded), entry_leaf_hash(encoded)


def _manifest(entry: Entry, topic: str, written: str) -> bytes:
    """The bytes that came with `entry`, whose digest is the topic and in the entry."""
    data, digest = bytes.fromhex(written[2:]), bytes.fromhex(topic[2:])
    length = int.from_bytes(data[_WORD : 2 * _WORD], "big")
    content = data[2 * _WORD : 2 * _WORD + length]
    if (
        int.from_bytes(data[:_WORD], "big") != _WORD
        or len(content) != length
        or entry.manifest != digest
        or sha256(content) != digest
    ):
        raise _unbelievable(f"the manifest of entry {entry.index} was altered on the way")
    return content


def _checkpoint(written: str, place: Place) -> Checkpointed:
    data = bytes.fromhex(written[2:])
    if len(data) != 2 * _WORD:
        raise _unbelievable(f"a Checkpoint event has {len(data)} bytes")
    return Checkpointed(int.from_bytes(data[:_WORD], "big"), Digest(data[_WORD:]), place)


def _unbelievable(message: str) -> Inconsistent:
    return Inconsistent(message, fault=Fault.INCONSISTENT_LOGS)
