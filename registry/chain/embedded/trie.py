"""The items of a block's transaction or receipt trie, each node decoded once.

Source: Ethereum Yellow Paper, appendices B and D. Keys are RLP of the item's index, so
the whole list comes from one walk; py-evm's own reading starts at the root for each
item. `decode` reads RLP that the chain itself wrote and that was checked against its
hash: it is several times as fast as the rlp package, and does not judge other input.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

_EMPTY_ROOT = bytes.fromhex("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421")


def items(node_of: Callable[[bytes], bytes], root: bytes) -> list[bytes]:
    """The trie's values in the order of their index. KeyError where a node is missing."""
    if root == _EMPTY_ROOT:
        return []
    by_index = {
        int.from_bytes(decode(bytes.fromhex(path)), "big"): value
        for path, value in _leaves(node_of, decode(node_of(root)), "")
    }
    return [by_index[index] for index in range(len(by_index))]


def _leaves(node_of: Callable[[bytes], bytes], node: Any, path: str) -> Iterator[tuple[str, bytes]]:
    if len(node) == 17:
        for nibble, child in enumerate(node[:16]):
            if child:
                yield from _leaves(node_of, _resolve(node_of, child), f"{path}{nibble:x}")
        if node[16]:
            yield path, node[16]
        return
    prefix = node[0].hex()
    rest = prefix[1:] if prefix[0] in "13" else prefix[2:]
    if prefix[0] in "23":
        yield path + rest, node[1]
    else:
        yield from _leaves(node_of, _resolve(node_of, node[1]), path + rest)


def _resolve(node_of: Callable[[bytes], bytes], child: Any) -> Any:
    """A node under 32 bytes stands in its parent; any other is named by its hash."""
    return child if isinstance(child, list) else decode(node_of(child))


def decode(encoded: bytes) -> Any:
    """Nested lists of bytes."""
    first = encoded[0]
    if first < 0x80:
        return encoded
    if first < 0xC0:
        return encoded[1 if first < 0xB8 else first - 0xB6 :]
    return _list(encoded, 1 if first < 0xF8 else first - 0xF6, len(encoded))


def _list(encoded: bytes, position: int, end: int) -> list[Any]:
    found: list[Any] = []
    while position < end:
        first = encoded[position]
        if first < 0x80:
            found.append(encoded[position : position + 1])
            position += 1
            continue
        long = 0xB7 if first < 0xC0 else 0xF7
        start = position + 1
        if first <= long:
            stop = start + (first - (long - 0x37))
        else:
            start += first - long
            stop = start + int.from_bytes(encoded[position + 1 : start], "big")
        found.append(encoded[start:stop] if first < 0xC0 else _list(encoded, start, stop))
        position = stop
    return found
