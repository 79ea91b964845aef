"""The tree is RFC 9162's, and a proof that is not exactly right proves nothing.

The reference below is written from the RFC's definitions (MTH §2.1.1, PATH §2.1.3.1,
PROOF §2.1.4.1) over ranges of leaves, and shares no code with the product.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import islice
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from registry.core import merkle
from registry.errors import ProofError

MOST = 512
LEAVES = [hashlib.sha256(b"\x00" + b"leaf %d" % n).digest() for n in range(MOST + 1)]
HASH = st.binary(min_size=32, max_size=32)
HUGE = st.integers(1, 2**64 - 1) | st.sampled_from([1, 2, 2**32, 2**63, 2**63 + 1, 2**64 - 1])

Range = tuple[int, int]


@cache
def split(size: int) -> int:
    k = 1
    while k * 2 < size:
        k *= 2
    return k


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


@cache
def mth(low: int, high: int) -> bytes:
    """MTH(D[low:high]); its leaves are hashed already."""
    if high == low:
        return hashlib.sha256(b"").digest()
    if high - low == 1:
        return LEAVES[low]
    k = split(high - low)
    return node(mth(low, low + k), mth(low + k, high))


@cache
def path_ranges(index: int, low: int, high: int) -> tuple[Range, ...]:
    """PATH(index, D[low:high]) as the ranges whose roots it holds."""
    if high - low == 1:
        return ()
    k = low + split(high - low)
    if index < k:
        return (*path_ranges(index, low, k), (k, high))
    return (*path_ranges(index, k, high), (low, k))


@cache
def subproof_ranges(first: int, low: int, high: int, whole: bool) -> tuple[Range, ...]:
    """SUBPROOF(first - low, D[low:high], whole) as ranges."""
    if first == high:
        return () if whole else ((low, high),)
    k = low + split(high - low)
    if first <= k:
        return (*subproof_ranges(first, low, k, whole), (k, high))
    return (*subproof_ranges(first, k, high, False), (low, k))


def inclusion(index: int, size: int) -> list[bytes]:
    return [mth(*each) for each in path_ranges(index, 0, size)]


def consistency(size1: int, size2: int) -> list[bytes]:
    return [mth(*each) for each in subproof_ranges(size1, 0, size2, True)]


def root(size: int) -> bytes:
    return mth(0, size)


def refused_at(check: Callable[..., None], *arguments: Any) -> int:
    with pytest.raises(ProofError) as refusal:
        check(*arguments)
    assert str(refusal.value).startswith(f"step {refusal.value.step}: ")
    return refusal.value.step


def flipped(value: bytes, bit: int) -> bytes:
    return (int.from_bytes(value, "big") ^ 1 << bit).to_bytes(len(value), "big")


def test_hashes_are_those_of_the_rfc() -> None:
    assert merkle.EMPTY_ROOT == hashlib.sha256(b"").digest() == merkle.root([])
    assert merkle.leaf_hash(b"a") == hashlib.sha256(b"\x00a").digest()
    assert (
        merkle.node_hash(b"l" * 32, b"r" * 32)
        == hashlib.sha256(b"\x01" + b"l" * 32 + b"r" * 32).digest()
    )


def test_the_frontier_has_the_root_of_every_size() -> None:
    frontier = merkle.Frontier()
    for size in range(MOST + 1):
        assert frontier.size == size
        assert frontier.root() == root(size)
        assert len(frontier.peaks) == size.bit_count()
        frontier.append(merkle.Digest(LEAVES[size]))


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 8, 300, 511, 512])
def test_a_frontier_taken_up_again_grows_as_if_it_had_never_stopped(size: int) -> None:
    before = merkle.Frontier()
    for leaf in LEAVES[:size]:
        before.append(merkle.Digest(leaf))
    again = merkle.Frontier(before.size, before.peaks)
    again.append(merkle.Digest(LEAVES[size]))
    assert again.root() == root(size + 1)
    assert before.root() == root(size)


@pytest.mark.parametrize(
    ("size", "peaks"),
    [
        (-1, []),
        (0, [LEAVES[0]]),
        (1, []),
        (3, [LEAVES[0]]),
        (1, [b""]),
        (1, [LEAVES[0] + b"\0"]),
        (2**64, [LEAVES[0]]),
    ],
)
def test_a_frontier_of_wrong_peaks_is_not_made(size: int, peaks: list[bytes]) -> None:
    with pytest.raises(ValueError, match="peak"):
        merkle.Frontier(size, peaks)


def sampled(size: int, all_below: int, count: int) -> Iterable[int]:
    """All numbers below `size` where that is small, else its edges and a few others."""
    if size < all_below:
        return range(size)
    chosen = random.Random(size)
    return {split(size), size - 1, *(chosen.randrange(size) for _ in range(count))}


def test_the_leaves_of_every_tree_are_proved() -> None:
    for size in range(1, MOST + 1):
        for index in sampled(size, 192, 16):
            merkle.verify_inclusion(LEAVES[index], index, size, inclusion(index, size), root(size))


def test_trees_are_shown_to_begin_later_ones() -> None:
    for size2 in range(1, MOST + 1):
        for size1 in (index + 1 for index in sampled(size2, 192, 16)):
            merkle.verify_consistency(
                size1, size2, consistency(size1, size2), root(size1), root(size2)
            )


def test_paths_are_those_of_the_definition() -> None:
    for size in [*range(1, 65), *range(65, MOST, 13), MOST - 1, MOST]:
        leaves = LEAVES[:size]
        for index in sampled(size, 32, 1):
            assert merkle.inclusion_path(leaves, index) == inclusion(index, size)
            assert merkle.consistency_path(leaves, index + 1) == consistency(index + 1, size)


@pytest.mark.parametrize("index", [-1, 3, 4])
def test_there_is_no_path_of_a_leaf_that_is_not_there(index: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        merkle.inclusion_path(LEAVES[:3], index)


@pytest.mark.parametrize("size1", [-1, 0, 4])
def test_there_is_no_path_from_a_tree_that_is_not_earlier(size1: int) -> None:
    with pytest.raises(ValueError, match="no earlier tree"):
        merkle.consistency_path(LEAVES[:3], size1)


@cache
def path_length(index: int, size: int) -> int:
    """|PATH(index, D[0:size])|, which depends on these two alone."""
    if size == 1:
        return 0
    k = split(size)
    return 1 + (path_length(index, k) if index < k else path_length(index - k, size - k))


@cache
def subproof_length(size1: int, size2: int, whole: bool) -> int:
    if size1 == size2:
        return 0 if whole else 1
    k = split(size2)
    if size1 <= k:
        return 1 + subproof_length(size1, k, whole)
    return 1 + subproof_length(size1 - k, size2 - k, False)


def test_path_lengths_follow_from_the_sizes() -> None:
    for size in range(1, MOST + 1):
        for index in range(size):
            assert merkle.inclusion_path_length(index, size) == path_length(index, size)
            assert merkle.consistency_path_length(index + 1, size) == subproof_length(
                index + 1, size, True
            )


def examples() -> Iterator[tuple[int, int]]:
    """(index, size) of small trees, all of them, and of some larger ones."""
    for size in range(1, 20):
        yield from ((index, size) for index in range(size))
    for size in (31, 32, 33, 64, 100, 255, 256, 257, 500, 511, 512):
        yield from ((index, size) for index in sampled(size, 0, 3))


def swaps(path: list[bytes]) -> Iterator[tuple[int, list[bytes]]]:
    for at in range(len(path) - 1):
        yield at, [*path[:at], path[at + 1], path[at], *path[at + 2 :]]


def wrong_lengths(path: list[bytes]) -> Iterator[list[bytes]]:
    for at, each in enumerate(path):
        for wrong in (each[:31], each + b"\0", b"", each * 2):
            yield [*path[:at], wrong, *path[at + 1 :]]


def wrong_counts(path: list[bytes]) -> Iterator[list[bytes]]:
    """Garbage before, between and after, hashes twice, and hashes left out."""
    for at in range(len(path) + 1):
        for garbage in (bytes(32), b"\xff" * 32, root(1), *path[at : at + 1]):
            yield [*path[:at], garbage, *path[at:]]
        if at < len(path):
            yield path[:at] + path[at + 1 :]


def test_a_mutated_inclusion_proof_is_refused_at_its_step() -> None:
    def refused(leaf: bytes, index: int, size: int, path: list[bytes], tree: bytes) -> int:
        return refused_at(merkle.verify_inclusion, leaf, index, size, path, tree)

    chosen = random.Random(1)
    for index, size in examples():
        leaf, path, tree = LEAVES[index], inclusion(index, size), root(size)
        merkle.verify_inclusion(leaf, index, size, path, tree)
        for at, each in enumerate(path):
            changed = [*path[:at], flipped(each, chosen.randrange(256)), *path[at + 1 :]]
            assert refused(leaf, index, size, changed, tree) == 4
        for _, changed in swaps(path):
            assert refused(leaf, index, size, changed, tree) == 4
        for changed in wrong_lengths(path):
            assert refused(leaf, index, size, changed, tree) == 2
        for changed in wrong_counts(path):
            assert refused(leaf, index, size, changed, tree) == 3
        for wrong in (b"", leaf[:31], leaf + b"\0"):
            assert refused(wrong, index, size, path, tree) == 2
            assert refused(leaf, index, size, path, wrong) == 2
        bit = chosen.randrange(256)
        assert refused(flipped(leaf, bit), index, size, path, tree) == 4
        assert refused(leaf, index, size, path, flipped(tree, bit)) == 4
        if path:
            assert refused(tree, index, size, path, leaf) == 4
        for other in (index - 1, index + 1, -index - 1, index + size):
            if not 0 <= other < size:
                expected = 1
            else:
                expected = 4 if len(path_ranges(other, 0, size)) == len(path) else 3
            assert refused(leaf, other, size, path, tree) == expected


def test_every_bit_of_a_proof_counts() -> None:
    index, size = 5, 7
    path, tree = inclusion(index, size), root(size)
    for at, each in enumerate(path):
        for bit in range(256):
            changed = [*path[:at], flipped(each, bit), *path[at + 1 :]]
            assert refused_at(merkle.verify_inclusion, LEAVES[5], 5, 7, changed, tree) == 4


def sides(index: int, size: int) -> list[bool]:
    """For each hash of an inclusion path whether it stands to the right."""
    return [low > index for low, _ in path_ranges(index, 0, size)]


def test_another_size_is_refused_with_that_sizes_root() -> None:
    for index, size in examples():
        path = inclusion(index, size)
        for other in {size - 1, size + 1} - {0, MOST + 1}:
            assert refused_at(
                merkle.verify_inclusion, LEAVES[index], index, other, path, root(other)
            ) == (1 if index >= other else 3 if len(sides(index, other)) != len(path) else 4)


def test_a_size_is_not_proved_by_an_inclusion_path_but_by_its_checkpoint() -> None:
    """RFC 9162 leaves it so: where two sizes give paths of one shape, one path and root
    pass for both. Size and root are therefore only ever taken from one checkpoint."""
    for index, size in examples():
        for other in range(index + 1, min(size + 5, MOST)):
            arguments = LEAVES[index], index, other, inclusion(index, size), root(size)
            if sides(index, other) == sides(index, size):
                merkle.verify_inclusion(*arguments)
            else:
                assert refused_at(merkle.verify_inclusion, *arguments) in {3, 4}


def test_a_mutated_consistency_proof_is_refused_at_its_step() -> None:
    def refused(size1: int, size2: int, path: list[bytes], root1: bytes, root2: bytes) -> int:
        return refused_at(merkle.verify_consistency, size1, size2, path, root1, root2)

    chosen = random.Random(2)
    for index, size2 in examples():
        size1 = index + 1
        path, root1, root2 = consistency(size1, size2), root(size1), root(size2)
        # a hash that covers leaves of the first tree decides its root, the others do not
        steps = [4 if high <= size1 else 5 for _, high in subproof_ranges(size1, 0, size2, True)]
        of_first = 5 if size1 == size2 or size1.bit_count() == 1 else 4
        for at, each in enumerate(path):
            changed = [*path[:at], flipped(each, chosen.randrange(256)), *path[at + 1 :]]
            assert refused(size1, size2, changed, root1, root2) == steps[at]
        for at, changed in swaps(path):
            assert refused(size1, size2, changed, root1, root2) == min(steps[at : at + 2])
        for changed in wrong_lengths(path):
            assert refused(size1, size2, changed, root1, root2) == 2
        for changed in wrong_counts(path):
            assert refused(size1, size2, changed, root1, root2) == 3
        for wrong in (b"", root1[:31], root1 + b"\0"):
            assert refused(size1, size2, path, wrong, root2) == 2
            assert refused(size1, size2, path, root1, wrong) == 2
        bit = chosen.randrange(256)
        assert refused(size1, size2, path, flipped(root1, bit), root2) == of_first
        assert refused(size1, size2, path, root1, flipped(root2, bit)) == 5
        if size1 != size2:
            assert refused(size1, size2, path, root2, root1) == of_first
            assert refused(size2, size1, path, root2, root1) == 1
        for other in {size1 - 1, size1 + 1} - {0, MOST + 1}:
            step = refused(other, size2, path, root(other), root2)
            assert step == 1 if other > size2 else step in {3, 4, 5}
        for other in {size2 - 1, size2 + 1} - {0, MOST + 1}:
            step = refused(size1, other, path, root1, root(other))
            assert step == 1 if other < size1 else step in {3, 4, 5}


@pytest.mark.parametrize("size1", [0, -1, -(2**64)])
@pytest.mark.parametrize("path", [[], [LEAVES[0]], consistency(3, 7)])
def test_nothing_is_consistent_with_an_empty_tree(size1: int, path: list[bytes]) -> None:
    for root1 in (merkle.EMPTY_ROOT, root(7), bytes(32)):
        assert refused_at(merkle.verify_consistency, size1, 7, path, root1, root(7)) == 1
    assert refused_at(merkle.verify_consistency, 0, 0, [], root(0), root(0)) == 1


def test_no_leaf_lies_in_an_empty_tree() -> None:
    assert refused_at(merkle.verify_inclusion, LEAVES[0], 0, 0, [], LEAVES[0]) == 1
    assert refused_at(merkle.verify_inclusion, LEAVES[0], 0, 0, [], root(0)) == 1


def test_a_tree_beyond_64_bits_is_refused_before_any_work() -> None:
    for size in (2**64, 2**64 + 1, 10**100):
        assert refused_at(merkle.verify_inclusion, LEAVES[0], 0, size, [], LEAVES[0]) == 1
        assert refused_at(merkle.verify_consistency, 1, size, [], root(1), root(1)) == 1


def huge_inclusion(index: int, size: int, hashes: Iterator[bytes]) -> tuple[list[bytes], bytes]:
    """Path and root of the first leaf hash in a tree whose other subtrees are given."""
    if size == 1:
        return [], LEAVES[0]
    k = 1 << (size - 1).bit_length() - 1
    if index < k:
        path, tree = huge_inclusion(index, k, hashes)
        right = next(hashes)
        return [*path, right], node(tree, right)
    path, tree = huge_inclusion(index - k, size - k, hashes)
    left = next(hashes)
    return [*path, left], node(left, tree)


def huge_consistency(
    size1: int, size2: int, whole: bool, hashes: Iterator[bytes]
) -> tuple[list[bytes], bytes, bytes]:
    if size1 == size2:
        same = next(hashes)
        return [] if whole else [same], same, same
    k = 1 << (size2 - 1).bit_length() - 1
    if size1 <= k:
        path, first, second = huge_consistency(size1, k, whole, hashes)
        right = next(hashes)
        return [*path, right], first, node(second, right)
    path, first, second = huge_consistency(size1 - k, size2 - k, False, hashes)
    left = next(hashes)
    return [*path, left], node(left, first), node(left, second)


def endless(seed: bytes) -> Iterator[bytes]:
    while True:
        seed = hashlib.sha256(seed).digest()
        yield seed


@given(HUGE, HUGE, HASH)
def test_proofs_hold_in_trees_of_any_size(one: int, other: int, seed: bytes) -> None:
    size1, size2 = sorted((one, other))
    index = size1 - 1
    path, tree = huge_inclusion(index, size2, endless(seed))
    assert merkle.inclusion_path_length(index, size2) == len(path) <= 64
    merkle.verify_inclusion(LEAVES[0], index, size2, path, tree)
    assert refused_at(merkle.verify_inclusion, seed, index, size2, path, tree) == 4
    assert refused_at(merkle.verify_inclusion, LEAVES[0], index, size2, [*path, seed], tree) == 3

    path, root1, root2 = huge_consistency(size1, size2, True, endless(seed))
    assert merkle.consistency_path_length(size1, size2) == len(path) <= 65
    merkle.verify_consistency(size1, size2, path, root1, root2)
    assert refused_at(merkle.verify_consistency, size1, size2, path, root1, seed) == 5
    assert refused_at(merkle.verify_consistency, size1, size2, [*path, seed], root1, root2) == 3
    if size1 != size2:
        assert refused_at(merkle.verify_consistency, size2, size1, path, root2, root1) == 1


@given(HUGE, HUGE, HASH, HASH, HASH)
def test_paths_of_the_right_length_but_random_prove_nothing(
    one: int, other: int, seed: bytes, first: bytes, second: bytes
) -> None:
    assume(first != second)
    size1, size2 = sorted((one, other))
    path = list(islice(endless(seed), merkle.inclusion_path_length(size1 - 1, size2)))
    assert refused_at(merkle.verify_inclusion, first, size1 - 1, size2, path, second) == 4
    path = list(islice(endless(seed), merkle.consistency_path_length(size1, size2)))
    step = refused_at(merkle.verify_consistency, size1, size2, path, first, second)
    assert step == (5 if size1 == size2 or size1.bit_count() == 1 else 4)
