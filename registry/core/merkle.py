"""The log's tree: RFC 9162 over SHA-256, with 0x00 before a leaf and 0x01 before a node.

Verification returns None or raises ProofError naming the step that failed. Sizes,
indexes, path lengths and the length of every hash are checked before any hashing: the
RFC's own text (§2.1.3.2, §2.1.4.2) leaves that to the caller, and transcribed
literally accepts a first size of 0 and hashes of the wrong length.

Steps of an inclusion proof: 1 the index lies in the tree; 2 every hash has 32 bytes;
3 the path has the length that index and size demand; 4 the path leads to the root.
Steps of a consistency proof: 1 the sizes are in order; 2 every hash has 32 bytes;
3 the path has the length that the sizes demand; 4 it leads to the first root; 5 it
leads to the second.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256

from registry.core.units import Digest
from registry.errors import ProofError

EMPTY_ROOT = Digest(sha256(b"").digest())
MAX_SIZE = 2**64 - 1

_HASH_SIZE = 32

Range = tuple[int, int]
"""Leaves from the first number up to, and without, the second."""


def leaf_hash(data: bytes) -> Digest:
    """SHA-256(0x00 ‖ data)."""
    return Digest(sha256(b"\x00" + data).digest())


def node_hash(left: bytes, right: bytes) -> Digest:
    """SHA-256(0x01 ‖ left ‖ right)."""
    return Digest(sha256(b"\x01" + left + right).digest())


class Frontier:
    """The peaks of a growing tree: what the contract stores, one per set bit of the size.

    `peaks` are ordered from the largest subtree to the smallest.
    """

    __slots__ = ("peaks", "size")

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self.size = size
        self.peaks = [Digest(peak) for peak in peaks]
        if not 0 <= size <= MAX_SIZE or len(self.peaks) != size.bit_count():
            raise ValueError(f"{len(self.peaks)} peaks do not make a tree of {size}")
        if any(len(peak) != _HASH_SIZE for peak in self.peaks):
            raise ValueError("a peak has 32 bytes")

    def append(self, leaf: Digest) -> None:
        """Add one leaf hash."""
        node, size = leaf, self.size
        while size & 1:
            node = node_hash(self.peaks.pop(), node)
            size >>= 1
        self.peaks.append(node)
        self.size += 1

    def root(self) -> Digest:
        if not self.peaks:
            return EMPTY_ROOT
        node = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            node = node_hash(peak, node)
        return node


def root(leaf_hashes: Sequence[bytes]) -> Digest:
    """The root over `leaf_hashes`; of no leaves, SHA-256 of nothing."""
    frontier = Frontier()
    for leaf in leaf_hashes:
        frontier.append(Digest(leaf))
    return frontier.root()


def inclusion_path(leaf_hashes: Sequence[bytes], index: int) -> list[Digest]:
    """PATH(index, leaves) of RFC 9162 §2.1.3.1, from the leaf upwards."""
    ranges = inclusion_ranges(index, len(leaf_hashes))
    return [root(leaf_hashes[start:end]) for start, end in ranges]


def consistency_path(leaf_hashes: Sequence[bytes], size1: int) -> list[Digest]:
    """PROOF(size1, leaves) of RFC 9162 §2.1.4.1."""
    ranges = consistency_ranges(size1, len(leaf_hashes))
    return [root(leaf_hashes[start:end]) for start, end in ranges]


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The ranges of leaves whose roots are the inclusion path of leaf `index`, in the
    path's order. Raises ValueError where there is no such leaf."""
    if not 0 <= index < size:
        raise ValueError(f"there is no leaf {index} in a tree of {size}")
    ranges: list[Range] = []
    start, end = 0, size
    while end - start > 1:
        split = start + _split(end - start)
        if index < split:
            ranges.append((split, end))
            end = split
        else:
            ranges.append((start, split))
            start = split
    return ranges[::-1]


def consistency_ranges(size1: int, size2: int) -> list[Range]:
    """The ranges of leaves whose roots are the consistency path between two sizes, in the
    path's order. Raises ValueError where the first is 0 or the larger one."""
    if not 0 < size1 <= size2:
        raise ValueError(f"a tree of {size2} has no earlier tree of {size1}")
    ranges: list[Range] = []
    start, end = 0, size2
    while end != size1:
        split = start + _split(end - start)
        if size1 <= split:
            ranges.append((split, end))
            end = split
        else:
            ranges.append((start, split))
            start = split
    # The whole first tree is known to whoever holds its root.
    return ([(start, end)] if start else []) + ranges[::-1]


def subtrees(start: int, end: int) -> Iterator[tuple[int, int]]:
    """The perfect subtrees that the leaves `start` to `end` consist of, from the left: the
    height of each, and its number among those of this height."""
    while start < end:
        height = (end - start).bit_length() - 1
        if start:
            height = min(height, (start & -start).bit_length() - 1)
        yield height, start >> height
        start += 1 << height


def verify_inclusion(
    leaf_hash: bytes, index: int, size: int, path: Sequence[bytes], root: bytes
) -> None:
    """Check that `leaf_hash` is leaf `index` of the tree of `size` with `root`.

    Raises ProofError with the step. Source: RFC 9162 §2.1.3.2.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise ProofError(1, f"entry {index} does not lie in a tree of {size}")
    _require_hashes([leaf_hash, *path, root])
    expected = inclusion_path_length(index, size)
    if len(path) != expected:
        raise ProofError(3, f"the path has {len(path)} hashes, not {expected}")
    node, position, last = leaf_hash, index, size - 1
    for sibling in path:
        if position & 1 or position == last:
            node = node_hash(sibling, node)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        position, last = position >> 1, last >> 1
    if node != root:
        raise ProofError(4, f"the path of entry {index} does not lead to the root")


def verify_consistency(
    size1: int, size2: int, path: Sequence[bytes], root1: bytes, root2: bytes
) -> None:
    """Check that the tree of `size1` with `root1` is the beginning of that of `size2`.

    Raises ProofError with the step. Source: RFC 9162 §2.1.4.2.
    """
    if not 0 < size1 <= size2 <= MAX_SIZE:
        raise ProofError(1, f"a tree of {size1} is not shown to be part of one of {size2}")
    _require_hashes([*path, root1, root2])
    expected = consistency_path_length(size1, size2)
    if len(path) != expected:
        raise ProofError(3, f"the path has {len(path)} hashes, not {expected}")
    if size1 == size2:
        if root1 != root2:
            raise ProofError(5, "two roots of one size differ")
        return
    rest = list(path)
    position, last = size1 - 1, size2 - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    first = second = rest.pop(0) if position else root1
    for sibling in rest:
        if position & 1 or position == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        position, last = position >> 1, last >> 1
    if first != root1:
        raise ProofError(4, f"the path does not lead to the root of the first {size1} entries")
    if second != root2:
        raise ProofError(5, f"the path does not lead to the root of {size2} entries")


def inclusion_path_length(index: int, size: int) -> int:
    """How many hashes the inclusion path of leaf `index` has in a tree of `size`.

    Below the level where leaf and last leaf part, each level has a sibling; above it,
    only the levels where the leaf's subtree is a right child have one.
    """
    inner = (index ^ (size - 1)).bit_length()
    return inner + (index >> inner).bit_count()


def consistency_path_length(size1: int, size2: int) -> int:
    """How many hashes the consistency path from `size1` to `size2` has."""
    if size1 == size2:
        return 0
    trailing = (size1 & -size1).bit_length() - 1
    inner = ((size1 - 1) ^ (size2 - 1)).bit_length() - trailing
    above = ((size1 - 1) >> trailing >> inner).bit_count()
    # Where size1 is a power of two its own root is the start, and is not repeated.
    return inner + above + (0 if size1 == 1 << trailing else 1)


def _require_hashes(hashes: Iterable[bytes]) -> None:
    for each in hashes:
        if len(each) != _HASH_SIZE:
            raise ProofError(2, f"a hash has {len(each)} bytes, not {_HASH_SIZE}")


def _split(size: int) -> int:
    """The largest power of two smaller than `size`."""
    return 1 << (size - 1).bit_length() - 1
