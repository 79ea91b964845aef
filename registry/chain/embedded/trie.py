"""The items of a block's transaction or receipt trie, and proofs in the state's tries.

Source: Ethereum Yellow Paper, appendices B and D. Each node is decoded once. The keys of
a block's items are RLP of their index, so the whole list comes from one walk; py-evm's
own reading starts at the root for each item. A proof's nodes are the bytes as they were
hashed, never encoded anew. `decode` reads RLP that the chain itself wrote and that was
checked against its hash: it is several times as fast as the rlp package, and does not
judge other input.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

EMPTY_ROOT = bytes.fromhex("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421")
_EMPTY_TRIE = b"\x80"  # RLP of nothing: what the empty root is the hash of


@dataclass(frozen=True, slots=True)
class Proof:
    """The value under a key, b"" where there is none, and the nodes on the way, root first."""

    nodes: tuple[bytes, ...]
    value: bytes


def items(node_of: Callable[[bytes], bytes], root: bytes) -> list[bytes]:
    """The trie's values in the order of their index. `node_of` raises where one is missing."""
    if root == EMPTY_ROOT:
        return []
    by_index = {
        int.from_bytes(decode(bytes.fromhex(path)), "big"): value
        for path, value in _leaves(node_of, decode(node_of(root)), "")
    }
    return [by_index[index] for index in range(len(by_index))]


def prove(node_of: Callable[[bytes], bytes], root: bytes, key: bytes) -> Proof:
    """What the trie holds under `key`, with the nodes that prove it (EIP-1186).

    `node_of` raises where a node is missing. A node that stands in its parent is not
    listed again. The proof from an empty trie is its one node, as Anvil has it.
    """
    if root == EMPTY_ROOT:
        return Proof((_EMPTY_TRIE,), b"")
    nodes: list[bytes] = []
    child: Any = root
    path, value = key.hex(), b""
    while child:
        if not isinstance(child, list):
            nodes.append(node_of(child))
            child = decode(nodes[-1])
        child, path, value = _step(child, path)
    return Proof(tuple(nodes), value)


def _step(node: Any, path: str) -> tuple[Any, str, bytes]:
    """The child that `path` leads to and the rest of it; at its end b"" and the value."""
    if len(node) == 17:
        return (node[int(path[0], 16)], path[1:], b"") if path else (b"", "", node[16])
    is_leaf, part = _part(node)
    if is_leaf:
        return b"", "", node[1] if path == part else b""
    return (node[1], path[len(part) :], b"") if path.startswith(part) else (b"", "", b"")


def _leaves(node_of: Callable[[bytes], bytes], node: Any, path: str) -> Iterator[tuple[str, bytes]]:
    if len(node) == 17:
        for nibble, child in enumerate(node[:16]):
            if child:
                yield from _leaves(node_of, _resolve(node_of, child), f"{path}{nibble:x}")
        if node[16]:
            yield path, node[16]
        return
    is_leaf, part = _part(node)
    if is_leaf:
        yield path + part, node[1]
    else:
        yield from _leaves(node_of, _resolve(node_of, node[1]), path + part)


def _part(node: Any) -> tuple[bool, str]:
    """Whether a node of two items is a leaf, and its part of the path in hex digits."""
    prefix = node[0].hex()
    return prefix[0] in "23", prefix[1:] if prefix[0] in "13" else prefix[2:]


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
