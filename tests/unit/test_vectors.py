"""Proofs as files, good ones and bad ones named by what was done to them.

Any verifier of the log in any language can be run over `tests/vectors/proofs`: every
file says which step of docs/formats.md refuses it, or null where none does. Hashes are
hexadecimal; indexes and sizes are decimal text, since some are beyond 2^53.

The files are made here, from the reference of test_merkle.py, which shares no code with
the product. After changing what is made: python tests/unit/test_vectors.py
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from test_merkle import (
    LEAVES,
    consistency,
    endless,
    huge_consistency,
    huge_inclusion,
    inclusion,
    node,
    root,
)

from registry.core import merkle
from registry.errors import ProofError

FOLDER = Path(__file__).parents[1] / "vectors" / "proofs"
LARGEST = 2**64 - 1
GARBAGE = hashlib.sha256(b"garbage").digest()
NOTHING = hashlib.sha256(b"").digest()
SEED = hashlib.sha256(b"a large tree").digest()


@dataclass(frozen=True)
class Inclusion:
    leaf: bytes
    index: int
    size: int
    path: Sequence[bytes]
    root: bytes

    def fields(self) -> dict[str, Any]:
        return {
            "kind": "inclusion",
            "leaf_hash": self.leaf.hex(),
            "index": str(self.index),
            "size": str(self.size),
            "path": [each.hex() for each in self.path],
            "root": self.root.hex(),
        }


@dataclass(frozen=True)
class Consistency:
    size1: int
    size2: int
    path: Sequence[bytes]
    root1: bytes
    root2: bytes

    def fields(self) -> dict[str, Any]:
        return {
            "kind": "consistency",
            "size1": str(self.size1),
            "size2": str(self.size2),
            "path": [each.hex() for each in self.path],
            "root1": self.root1.hex(),
            "root2": self.root2.hex(),
        }


Vector = tuple[str, int | None, Inclusion | Consistency, str]
"""Name, the step that refuses it, the proof, and what it shows."""


def in_tree(index: int, size: int) -> Inclusion:
    return Inclusion(LEAVES[index], index, size, inclusion(index, size), root(size))


def between(size1: int, size2: int) -> Consistency:
    return Consistency(size1, size2, consistency(size1, size2), root(size1), root(size2))


def flipped(value: bytes) -> bytes:
    return value[:-1] + bytes([value[-1] ^ 1])


def put(path: Sequence[bytes], at: int, *hashes: bytes) -> list[bytes]:
    """`path` with the hash at a place replaced by none, one or several."""
    return [*path[:at], *hashes, *path[at + 1 :]]


def good_inclusions() -> Iterator[Vector]:
    for index, size, shown in (
        (0, 1, "the only leaf: its hash is the root"),
        (0, 2, "one sibling on the right"),
        (1, 2, "one sibling on the left"),
        (0, 8, "a perfect tree, all siblings on the right"),
        (7, 8, "a perfect tree, all siblings on the left"),
        (5, 7, "siblings on both sides"),
        (6, 7, "the last leaf of a tree that is not perfect: a level is skipped"),
        (7, 12, "siblings on both sides"),
        (8, 9, "a last leaf that stands alone: one hash stands for eight leaves"),
        (299, 512, "nine levels"),
    ):
        yield f"inclusion-{index}-of-{size}-good", None, in_tree(index, size), shown
    for name, index in (("first", 0), ("middle", 2**63), ("last", LARGEST - 1)):
        path, tree = huge_inclusion(index, LARGEST, endless(SEED))
        proof = Inclusion(LEAVES[0], index, LARGEST, path, tree)
        yield f"inclusion-{name}-of-largest-good", None, proof, "in a tree of 2^64-1 leaves"


def mutated_paths(path: Sequence[bytes]) -> Iterator[tuple[str, int, list[bytes], str]]:
    """What fails for the number of hashes or their lengths, whatever is proved."""
    first = path[0]
    yield "path-empty", 3, [], "no hash at all"
    yield "first-hash-missing", 3, [*path[1:]], "one hash too few"
    yield "last-hash-missing", 3, [*path[:-1]], "one hash too few"
    yield "first-hash-twice", 3, [first, *path], "one hash too many"
    yield "garbage-before", 3, [GARBAGE, *path], "one hash too many"
    yield "garbage-between", 3, put(path, 1, path[1], GARBAGE), "one hash too many"
    yield "garbage-after", 3, [*path, GARBAGE], "one hash too many"
    yield "hash-empty", 2, put(path, 1, b""), "a hash of no bytes"
    yield "hash-31-bytes", 2, put(path, 1, path[1][:31]), "a hash that lacks its last byte"
    yield "hash-33-bytes", 2, put(path, 1, path[1] + b"\0"), "a hash with a byte too many"
    yield "two-hashes-joined", 2, put(path[1:], 0, first + path[1]), "one hash of 64 bytes"


def bad_inclusions() -> Iterator[Vector]:
    good = in_tree(7, 12)
    leaf, path = good.leaf, good.path
    called = "inclusion-7-of-12"
    for name, step, changed, shown in mutated_paths(path):
        yield f"{called}-{name}", step, replace(good, path=changed), shown
    for name, step, proof, shown in (
        ("index-plus-one", 3, replace(good, index=8), "leaf 8 needs three hashes"),
        ("index-minus-one", 4, replace(good, index=6), "as many hashes, other sides"),
        ("index-is-size", 1, replace(good, index=12), "the leaf after the last"),
        ("index-largest", 1, replace(good, index=LARGEST), "far outside the tree"),
        ("index-wraps", 1, replace(good, index=2**64 + 7), "7 where 64 bits are kept"),
        ("size-zero", 1, replace(good, size=0), "nothing lies in an empty tree"),
        ("size-wraps", 1, replace(good, size=2**64 + 12), "12 where 64 bits are kept"),
        ("size-8", 3, replace(good, size=8), "the last of eight needs three hashes"),
        ("root-of-11", 4, replace(good, root=root(11)), "an earlier root"),
        ("size-and-root-of-13", 4, replace(good, size=13, root=root(13)), "a later checkpoint"),
        ("leaf-bit-flipped", 4, replace(good, leaf=flipped(leaf)), "another leaf"),
        ("leaf-of-neighbour", 4, replace(good, leaf=LEAVES[6]), "the leaf beside it"),
        ("leaf-as-node", 4, replace(good, leaf=_hashed(b"\1leaf 7")), "prefixed with 0x01"),
        ("leaf-unprefixed", 4, replace(good, leaf=_hashed(b"leaf 7")), "hashed without 0x00"),
        ("leaf-31-bytes", 2, replace(good, leaf=leaf[:31]), "its last byte is missing"),
        ("root-bit-flipped", 4, replace(good, root=flipped(good.root)), "another root"),
        ("root-zero", 4, replace(good, root=bytes(32)), "no SHA-256 is zero"),
        ("root-empty", 2, replace(good, root=b""), "a root of no bytes"),
        ("leaf-and-root-swapped", 4, replace(good, leaf=good.root, root=leaf), "upside down"),
        ("first-hash-bit-flipped", 4, _path(good, put(path, 0, flipped(path[0]))), "a bit"),
        ("last-hash-bit-flipped", 4, _path(good, put(path, 3, flipped(path[3]))), "a bit"),
        ("first-two-swapped", 4, _path(good, [path[1], path[0], *path[2:]]), "another order"),
        ("path-reversed", 4, _path(good, path[::-1]), "from the root down"),
        ("path-of-neighbour", 4, _path(good, inclusion(6, 12)), "the path of leaf 6"),
        ("inner-node-as-leaf", 3, _inner_node(12), "node (6, 7) given out as leaf 3"),
        (
            "index-outside-and-hash-31-bytes",
            1,
            replace(good, index=12, path=put(path, 0, path[0][:31])),
            "two faults: the first step that fails is named",
        ),
        (
            "hash-31-bytes-and-garbage-after",
            2,
            _path(good, [path[0][:31], *path[1:], GARBAGE]),
            "two faults: the first step that fails is named",
        ),
        (
            "garbage-after-and-root-bit-flipped",
            3,
            replace(good, path=[*path, GARBAGE], root=flipped(good.root)),
            "two faults: the first step that fails is named",
        ),
    ):
        yield f"{called}-{name}", step, proof, shown
    alone = in_tree(0, 1)
    yield "inclusion-0-of-1-garbage-after", 3, replace(alone, path=[GARBAGE]), "it needs no hash"
    yield "inclusion-0-of-1-root-of-2", 4, replace(alone, root=root(2)), "a later root"
    nothing = Inclusion(NOTHING, 0, 0, [], NOTHING)
    yield "inclusion-0-of-0-roots-of-nothing", 1, nothing, "nothing lies in an empty tree"


def unbound_inclusions() -> Iterator[Vector]:
    """What holds although size or leaf are not what they are given out to be: why both
    come from elsewhere, the size with the root and the leaf from the entry."""
    good, shown = in_tree(7, 12), "a path of the same shape: size and root are of one checkpoint"
    for size in (11, 13, 16):
        name = f"inclusion-7-of-12-size-{size}-still-holds"
        yield name, None, replace(good, size=size), shown
    yield (
        "inclusion-7-of-12-inner-node-of-half-the-size-still-holds",
        None,
        _inner_node(6),
        "a leaf hash is computed from the entry, never taken over",
    )


def _inner_node(size: int) -> Inclusion:
    return Inclusion(node(LEAVES[6], LEAVES[7]), 3, size, inclusion(7, 12)[1:], root(12))


def _hashed(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def _path(proof: Inclusion, path: Sequence[bytes]) -> Inclusion:
    return replace(proof, path=path)


def good_consistencies() -> Iterator[Vector]:
    for size1, size2, shown in (
        (1, 1, "one tree"),
        (6, 6, "one tree"),
        (1, 2, "from a single leaf"),
        (3, 7, "from a tree whose last leaf stands alone"),
        (4, 8, "from a perfect tree to a perfect tree"),
        (6, 8, "to a perfect tree"),
        (6, 11, "hashes of the first tree and of what was added"),
        (7, 8, "one leaf more"),
        (8, 9, "one leaf more, from a perfect tree"),
        (511, 512, "one leaf more, nine levels"),
    ):
        yield f"consistency-{size1}-to-{size2}-good", None, between(size1, size2), shown
    for name, size1 in (("one", 1), ("half", 2**63), ("largest-minus-one", LARGEST - 1)):
        path, root1, root2 = huge_consistency(size1, LARGEST, True, endless(SEED))
        proof = Consistency(size1, LARGEST, path, root1, root2)
        yield f"consistency-{name}-to-largest-good", None, proof, "to a tree of 2^64-1 leaves"


def bad_consistencies() -> Iterator[Vector]:
    good = between(6, 11)
    path, root1, root2 = good.path, good.root1, good.root2
    called = "consistency-6-to-11"
    for name, step, changed, shown in mutated_paths(path):
        yield f"{called}-{name}", step, replace(good, path=changed), shown
    for name, step, proof, shown in (
        ("size1-zero", 1, replace(good, size1=0), "an empty tree is the beginning of all"),
        ("size1-zero-root-of-nothing", 1, Consistency(0, 11, [], NOTHING, root2), "likewise"),
        ("both-sizes-zero", 1, Consistency(0, 0, [], NOTHING, NOTHING), "likewise"),
        ("sizes-swapped", 1, replace(good, size1=11, size2=6), "the log does not shrink"),
        ("all-swapped", 1, Consistency(11, 6, path, root2, root1), "the log does not shrink"),
        ("size1-wraps", 1, replace(good, size1=2**64 + 6), "6 where 64 bits are kept"),
        ("size2-wraps", 1, replace(good, size2=2**64 + 11), "11 where 64 bits are kept"),
        ("size1-minus-one", 3, replace(good, size1=5), "five needs five hashes"),
        ("size2-is-size1", 3, replace(good, size2=6), "one tree needs no hash"),
        ("roots-swapped", 4, replace(good, root1=root2, root2=root1), "the later as earlier"),
        ("root1-bit-flipped", 4, replace(good, root1=flipped(root1)), "another first root"),
        ("root2-bit-flipped", 5, replace(good, root2=flipped(root2)), "another second root"),
        ("root1-31-bytes", 2, replace(good, root1=root1[:31]), "its last byte is missing"),
        ("root2-33-bytes", 2, replace(good, root2=root2 + b"\0"), "a byte too many"),
        ("roots-empty", 2, replace(good, root1=b"", root2=b""), "roots of no bytes"),
        ("first-hash-bit-flipped", 4, _put(good, 0), "a hash that both trees have"),
        ("second-hash-bit-flipped", 5, _put(good, 1), "a hash that only the second tree has"),
        ("last-hash-bit-flipped", 5, _put(good, 3), "a hash that only the second tree has"),
        ("inclusion-path", 3, replace(good, path=inclusion(10, 11)), "of the last leaf"),
        ("leaf-3-rewritten", 4, _rewritten(3), "what lay in the first tree was changed"),
        (
            "root1-bit-flipped-and-hash-31-bytes",
            2,
            replace(good, path=put(path, 0, path[0][:31]), root1=flipped(root1)),
            "two faults: the first step that fails is named",
        ),
        (
            "both-roots-bit-flipped",
            4,
            replace(good, root1=flipped(root1), root2=flipped(root2)),
            "two faults: the first step that fails is named",
        ),
    ):
        yield f"{called}-{name}", step, proof, shown
    yield from _of_perfect_trees()


def _of_perfect_trees() -> Iterator[Vector]:
    """A first tree of a power of two starts from its root; one tree has no path."""
    same, perfect = between(6, 6), between(4, 7)
    for name, step, proof, shown in (
        ("6-to-6-roots-differ", 5, replace(same, root2=root(7)), "two roots of one size"),
        ("6-to-6-root-as-path", 3, replace(same, path=[root(6)]), "one tree needs no hash"),
        (
            "4-to-7-root1-repeated",
            3,
            replace(perfect, path=[root(4), *perfect.path]),
            "the root of a perfect tree is the start, and not in the path",
        ),
        (
            "4-to-7-root1-bit-flipped",
            5,
            replace(perfect, root1=flipped(root(4))),
            "the first root is the start, so that it is the second that is missed",
        ),
    ):
        yield f"consistency-{name}", step, proof, shown


def _put(proof: Consistency, at: int) -> Consistency:
    return replace(proof, path=put(proof.path, at, flipped(proof.path[at])))


def _rewritten(at: int) -> Consistency:
    """From the tree of 6 to one of 11 that has garbage as leaf `at`, proved as if it had
    always been there."""
    leaves = [*LEAVES[:at], GARBAGE, *LEAVES[at + 1 : 11]]
    path = [node(leaves[4], leaves[5]), node(leaves[6], leaves[7])]
    left = node(node(leaves[0], leaves[1]), node(leaves[2], leaves[3]))
    right = node(node(leaves[8], leaves[9]), leaves[10])
    tree = node(node(left, node(*path)), right)
    return Consistency(6, 11, [*path, left, right], root(6), tree)


def vectors() -> dict[str, bytes]:
    """The files by name. The same on every run."""
    made: dict[str, bytes] = {}
    for source in (
        good_inclusions(),
        bad_inclusions(),
        unbound_inclusions(),
        good_consistencies(),
        bad_consistencies(),
    ):
        for name, step, proof, shown in source:
            fields = {**proof.fields(), "expected": step, "desc": shown}
            assert f"{name}.json" not in made, name
            made[f"{name}.json"] = (json.dumps(fields, indent=1, sort_keys=True) + "\n").encode()
    return made


VECTORS = vectors()


def refused_at(proof: dict[str, Any]) -> int | None:
    """The step at which the product refuses a vector, or None where it accepts it."""
    path = [bytes.fromhex(each) for each in proof["path"]]
    try:
        if proof["kind"] == "inclusion":
            leaf, tree = bytes.fromhex(proof["leaf_hash"]), bytes.fromhex(proof["root"])
            merkle.verify_inclusion(leaf, int(proof["index"]), int(proof["size"]), path, tree)
        else:
            root1, root2 = bytes.fromhex(proof["root1"]), bytes.fromhex(proof["root2"])
            merkle.verify_consistency(int(proof["size1"]), int(proof["size2"]), path, root1, root2)
    except ProofError as refusal:
        return refusal.step
    return None


def test_the_committed_files_are_the_ones_made_here() -> None:
    assert {each.name: each.read_bytes() for each in FOLDER.iterdir()} == VECTORS


@pytest.mark.parametrize("name", sorted(VECTORS))
def test_a_proof_is_refused_at_the_step_its_file_names(name: str) -> None:
    proof = json.loads((FOLDER / name).read_bytes())
    assert refused_at(proof) == proof["expected"]


def test_every_step_refuses_a_proof_of_either_kind() -> None:
    seen = {(proof["kind"], proof["expected"]) for proof in map(json.loads, VECTORS.values())}
    assert seen == {("inclusion", step) for step in (None, 1, 2, 3, 4)} | {
        ("consistency", step) for step in (None, 1, 2, 3, 4, 5)
    }


def write() -> None:
    """Make the folder anew."""
    for old in FOLDER.glob("*.json"):
        old.unlink()
    for name, content in VECTORS.items():
        (FOLDER / name).write_bytes(content)


if __name__ == "__main__":
    write()
