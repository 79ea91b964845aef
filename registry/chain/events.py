"""The contract's events from a node's JSON, by fixed offsets.

`Recorded` has the entry's index as its topic and the other ten words as its data, so
that topic ‖ data are the very bytes whose leaf is in the log. Anything that the
contract can not have emitted raises Inconsistent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any

from registry.core.digest import sha256
from registry.core.entry import ENTRY_SIZE, decode_entry, entry_leaf_hash
from registry.core.feed import Checkpointed, Place, Recorded
from registry.core.following import Fault
from registry.core.units import Address, BlockNumber, Digest
from registry.errors import Inconsistent

# keccak-256 of the events' signatures; a test compares them with the compiled ABI.
RECORDED = "0xd2b2f1ca93a056496ee2669f929d62d1f76cf2cdd8408538f60f367ceee2a3a5"
MANIFEST_PUBLISHED = "0x47d06f16ea24a44ead91e644875a0c93301e6b50901b071a332a6aca32933b8a"
CHECKPOINT = "0xec7726da2014e98b2158275cefb3a14cf7abf23d9bd05e9b930748be9d3cc961"

_WORD = 32

Event = Recorded | Checkpointed


def decode_logs(logs: Iterable[dict[str, Any]], contract: Address) -> list[Event]:
    """The registry's events in chain order, from all the logs of its contract.

    A manifest is joined to the entry before it. From a Recorded to its Checkpoint the
    contract's logs follow each other without gap, so that one that was left out is noticed
    even where no root depends on it. Raises Inconsistent.
    """
    events: list[Event] = []
    places = _Places()
    address = "0x" + contract.hex()
    # The last log since which a checkpoint is owed, if an entry was recorded.
    owing: Place | None = None
    try:
        for block, log_index, log in sorted(map(_positioned, logs), key=_BY_POSITION):
            if log["address"].lower() != address or log.get("removed"):
                raise _unbelievable("the node sent another contract's log, or a removed one")
            topics = log["topics"]
            place = places.of(block, log_index, log)
            _require_next(owing, place)
            if topics[0] == RECORDED:
                events.append(_recorded(topics, log, place))
            elif topics[0] == MANIFEST_PUBLISHED:
                events[-1] = _with_manifest(events[-1] if events else None, topics, log, place)
            elif topics[0] == CHECKPOINT:
                events.append(_checkpoint(log, place))
            if topics[0] == CHECKPOINT:
                owing = None
            elif owing is not None or topics[0] == RECORDED:
                owing = place
    except (KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
        raise _unbelievable(f"the node sent a log that can not be read ({error!r})") from None
    if owing is not None:
        raise _unbelievable("the node left out the last checkpoint")
    return events


def _require_next(owing: Place | None, place: Place) -> None:
    if owing is None:
        return
    if owing.transaction != place.transaction:
        raise _unbelievable(f"the node left out a checkpoint of block {owing.block}")
    if place.log_index != owing.log_index + 1:
        raise _unbelievable(f"the node left out a log of block {place.block}, or doubled one")


_BY_POSITION = itemgetter(0, 1)


def _positioned(log: dict[str, Any]) -> tuple[int, int, dict[str, Any]]:
    return int(log["blockNumber"], 16), int(log["logIndex"], 16), log


class _Places:
    """Places of logs; a transaction's hashes are decoded once for all its logs."""

    def __init__(self) -> None:
        self._hashes: dict[tuple[str, str], tuple[bytes, bytes]] = {}

    def of(self, block: int, log_index: int, log: dict[str, Any]) -> Place:
        key = log["blockHash"], log["transactionHash"]
        hashes = self._hashes.get(key)
        if hashes is None:
            hashes = bytes.fromhex(key[0][2:]), bytes.fromhex(key[1][2:])
            if len(hashes[0]) != _WORD or len(hashes[1]) != _WORD:
                raise _unbelievable("the node sent a log with a hash that is not one")
            self._hashes[key] = hashes
        return Place(BlockNumber(block), hashes[0], hashes[1], log_index)


def _recorded(topics: Sequence[str], log: dict[str, Any], place: Place) -> Recorded:
    encoded = bytes.fromhex(topics[1][2:] + log["data"][2:])
    if len(encoded) != ENTRY_SIZE:
        raise _unbelievable(f"a Recorded event has {len(encoded)} bytes, not {ENTRY_SIZE}")
    return Recorded(decode_entry(encoded), entry_leaf_hash(encoded), place, None)


def _with_manifest(
    before: Recorded | Checkpointed | None,
    topics: Sequence[str],
    log: dict[str, Any],
    place: Place,
) -> Recorded:
    data = bytes.fromhex(log["data"][2:])
    length = int.from_bytes(data[_WORD : 2 * _WORD], "big")
    content = data[2 * _WORD : 2 * _WORD + length]
    if not isinstance(before, Recorded) or before.place.transaction != place.transaction:
        raise _unbelievable("a manifest came without the entry before it")
    digest = bytes.fromhex(topics[1][2:])
    if (
        int.from_bytes(data[:_WORD], "big") != _WORD
        or len(content) != length
        or before.entry.manifest != digest
        or sha256(content) != digest
    ):
        raise _unbelievable(f"the manifest of entry {before.entry.index} was altered on the way")
    return Recorded(before.entry, before.leaf, before.place, content)


def _checkpoint(log: dict[str, Any], place: Place) -> Checkpointed:
    data = bytes.fromhex(log["data"][2:])
    if len(data) != 2 * _WORD:
        raise _unbelievable(f"a Checkpoint event has {len(data)} bytes")
    return Checkpointed(int.from_bytes(data[:_WORD], "big"), Digest(data[_WORD:]), place)


def _unbelievable(message: str) -> Inconsistent:
    return Inconsistent(message, fault=Fault.INCONSISTENT_LOGS)
