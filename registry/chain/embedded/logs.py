"""eth_getLogs straight from the stored receipts.

Guarantees: exactly the logs of the named blocks that match, in the order of block and
log index; every header read is checked against its hash, so a damaged bloom can not
hide a log. A block is opened only when its bloom admits the filter; no py-evm object
is built on the way, which is what makes it fast.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from registry.chain.embedded import params, wire
from registry.chain.embedded.evm import keccak
from registry.chain.embedded.reader import Log, Reader, decode_receipt, is_header
from registry.chain.rpc import RpcError
from registry.errors import Inconsistent

_BLOCKS_A_READ = 2_000

# A header's RLP begins with fields of fixed length: the receipt root and the bloom
# (2,048 bits) are always here, and four integers follow.
_RECEIPT_ROOT = slice(157, 189)
_TRANSACTION_ROOT = slice(124, 156)
_BLOOM = slice(192, 448)


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Any of `addresses`, and at each position any of that position's topics. None is
    a wildcard. A log with fewer topics than positions does not match."""

    addresses: frozenset[bytes] | None
    topics: tuple[frozenset[bytes] | None, ...]

    def matches(self, log: Log) -> bool:
        if self.addresses is not None and log.address not in self.addresses:
            return False
        if len(log.topics) < len(self.topics):
            return False
        return all(
            wanted is None or topic in wanted
            for topic, wanted in zip(log.topics, self.topics, strict=False)
        )

    def bloom_masks(self) -> list[list[int]]:
        """A bloom admits the filter if for each list it has all bits of some mask."""
        positions = [self.addresses, *self.topics]
        return [
            [_bloom_bits(value) for value in wanted] for wanted in positions if wanted is not None
        ]


@dataclass(frozen=True, slots=True)
class Query:
    """Blocks `first` to `last`, both included, and what to look for in them."""

    first: int
    last: int
    wanted: LogFilter


def parse(raw: Any, reader: Reader) -> Query:
    """The filter object of eth_getLogs. A range ends at the head, wherever it was to end."""
    given = params.mapping(raw, "filter")
    wanted = LogFilter(_addresses(given.get("address")), _topics(given.get("topics")))
    if given.get("blockHash") is not None:
        if given.get("fromBlock") is not None or given.get("toBlock") is not None:
            raise params.invalid("cannot specify both BlockHash and FromBlock/ToBlock")
        block = params.BlockHash(params.octets(given["blockHash"], "blockHash", length=32))
        header = reader.find(block)
        if header is None:
            raise RpcError(-32000, "unknown block")
        return Query(header.block_number, header.block_number, wanted)
    head = reader.head().block_number
    first, last = (_bound(given.get(name), name, head) for name in ("fromBlock", "toBlock"))
    if first > last:
        raise params.invalid("invalid block range params: fromBlock is after toBlock")
    return Query(first, min(last, head), wanted)


def find(query: Query, reader: Reader) -> list[dict[str, Any]]:
    """The matching logs, JSON-ready."""
    return list(_search(query, reader))


def _search(query: Query, reader: Reader) -> Iterator[dict[str, Any]]:
    masks = query.wanted.bloom_masks()
    for start in range(query.first, query.last + 1, _BLOCKS_A_READ):
        last = min(start + _BLOCKS_A_READ - 1, query.last)
        found = start
        # Taken whole: a statement left open would hold back SQLite's checkpoints.
        for number, block_hash, header in list(reader.store.headers(start, last)):
            if number != found or not is_header(header):
                raise Inconsistent(f"block {found} is missing from the chain's store")
            reader.store.check(block_hash, header)
            found += 1
            bloom = int.from_bytes(header[_BLOOM], "big")
            # A log always leaves bits: with none there is nothing, whatever is wanted.
            if bloom and all(any(bloom & mask == mask for mask in any_of) for any_of in masks):
                yield from _in_block(number, block_hash, header, query.wanted, reader)
        if found != last + 1:
            raise Inconsistent(f"block {found} is missing from the chain's store")


def _in_block(
    number: int, block_hash: bytes, header: bytes, wanted: LogFilter, reader: Reader
) -> Iterator[dict[str, Any]]:
    receipts = [decode_receipt(encoded) for encoded in reader.items(header[_RECEIPT_ROOT])]
    place = {
        "blockHash": wire.octets(block_hash),
        "blockNumber": hex(number),
        "blockTimestamp": hex(_timestamp(header)),
    }
    log_index = 0
    sent: list[bytes] = []
    for index, receipt in enumerate(receipts):
        here: dict[str, str] = {}
        for log in receipt.logs:
            if wanted.matches(log):
                sent = sent or reader.items(header[_TRANSACTION_ROOT])
                here = here or place | {
                    "transactionHash": wire.octets(keccak(sent[index])),
                    "transactionIndex": hex(index),
                }
                yield wire.log(log, log_index, here)
            log_index += 1


def _timestamp(header: bytes) -> int:
    """The fifth integer after the bloom: difficulty, number, gas limit, gas used, time."""
    position = _BLOOM.stop
    for _ in range(4):
        position += 1 + max(0, header[position] - 0x80)
    length = header[position] - 0x80
    return int.from_bytes(header[position + 1 : position + 1 + length], "big")


def _bloom_bits(value: bytes) -> int:
    """Yellow Paper, eq. 30: three bits, each from two bytes of the hash."""
    digest = keccak(value)
    bits = 0
    for start in (0, 2, 4):
        bits |= 1 << (int.from_bytes(digest[start : start + 2], "big") & 2047)
    return bits


def _bound(raw: Any, name: str, head: int) -> int:
    if raw is None:
        return head
    match params.block_id(raw, name):
        case params.Tag.EARLIEST:
            return 0
        case params.Tag():
            return head
        case params.BlockHash():
            raise params.invalid(f"{name} must be a number or a tag")
        case int(number):
            return number


def _addresses(raw: Any) -> frozenset[bytes] | None:
    if raw is None or raw == []:
        return None
    listed = raw if isinstance(raw, list) else [raw]
    return frozenset(params.octets(address, "address", length=20) for address in listed)


def _topics(raw: Any) -> tuple[frozenset[bytes] | None, ...]:
    if raw is None:
        return ()
    if not isinstance(raw, list):
        raise params.invalid("topics is not a list")
    if len(raw) > 4:
        raise params.invalid("exceed max topics: at most 4")
    return tuple(_topic(position) for position in raw)


def _topic(raw: Any) -> frozenset[bytes] | None:
    listed = raw if isinstance(raw, list) else [raw]
    if not listed or any(topic is None for topic in listed):
        return None
    return frozenset(params.octets(topic, "topic", length=32) for topic in listed)
