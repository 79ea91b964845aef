// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LARGEST, LONGEST, TreeSpec} from "./TreeSpec.sol";

/// @dev Inclusion proofs in every tree of 1 to {largest} leaves, at every index; leaf hashes, the hash asked
/// about and the path are any 32 bytes each.
contract InclusionSymbolic is TreeSpec {
    /// @dev What is accepted is the tree's leaf, unless an input on the way up collides with the tree's own.
    function check_inclusion_accepts_the_leaf_alone(
        uint256 size,
        uint256 index,
        bytes32 leaf,
        bytes32[LARGEST] calldata leaves,
        bytes32[LONGEST] calldata path
    ) external {
        size = pick(size, 1, largest);
        if (_acceptsAny(size, index, leaf, leaves, path)) assert(leaf == leaves[pick(index, 0, size - 1)]);
    }

    function check_reachable_inclusion(
        uint256 index,
        bytes32 leaf,
        bytes32[LARGEST] calldata leaves,
        bytes32[LONGEST] calldata path
    ) external {
        assert(!_acceptsAny(11, index, leaf, leaves, path));
    }

    /// @dev The tree's leaf with the tree's path is accepted.
    function check_inclusion_accepts_the_leaf(uint256 size, bytes32[LARGEST] calldata leaves) external {
        size = pick(size, 1, largest);
        Tree memory tree;
        bytes32 root = grow(tree, leaves, 0, size);
        for (uint256 index = 0; index < size; ++index) {
            bytes32[] memory path = new bytes32[](LONGEST);
            uint256 length = _prove(tree, 0, size, index, path);
            bytes memory data =
                abi.encodeCall(harness.verifyInclusion, (root, uint64(size), uint64(index), leaves[index], path));
            assert(accepts(data, length));
        }
    }

    /// @dev Indexes of 64 bits from the size on, paths of 0 to 7 hashes.
    function check_inclusion_outside_the_tree_reverts(
        uint256 size,
        uint64 index,
        bytes32 root,
        bytes32 leaf,
        bytes32[LONGEST] calldata path,
        uint256 length
    ) external {
        size = pick(size, 1, largest);
        vm.assume(index >= size);
        assert(!_accepts(root, size, index, leaf, path, length));
    }

    /// @dev Paths of any number of hashes but the one of the nodes above the leaf.
    function check_inclusion_by_a_path_of_another_length_reverts(
        uint256 size,
        uint256 index,
        bytes32 root,
        bytes32 leaf,
        bytes32[LONGEST] calldata path,
        uint256 length
    ) external {
        size = pick(size, 1, largest);
        index = pick(index, 0, size - 1);
        vm.assume(length != _depth(index, 0, size));
        assert(!_accepts(root, size, index, leaf, path, length));
    }

    /// @dev Whether a path without collisions is accepted for the tree of the first leaves.
    function _acceptsAny(
        uint256 size,
        uint256 index,
        bytes32 leaf,
        bytes32[LARGEST] calldata leaves,
        bytes32[LONGEST] calldata path
    ) private returns (bool) {
        Tree memory tree;
        bytes32 root = grow(tree, leaves, 0, size);
        index = pick(index, 0, size - 1);
        (, uint256 length) = _read(tree, 0, size, index, leaf, path);
        return _accepts(root, size, index, leaf, path, length);
    }

    function _accepts(
        bytes32 root,
        uint256 size,
        uint256 index,
        bytes32 leaf,
        bytes32[LONGEST] calldata path,
        uint256 length
    ) private view returns (bool) {
        bytes memory data = abi.encodeCall(
            harness.verifyInclusion, (root, uint64(size), uint64(index), leaf, list(path))
        );
        return accepts(data, length);
    }

    /// @dev The hash of the leaves from `from` to `to` by the path, and how many of its hashes are in it.
    function _read(
        Tree memory tree,
        uint256 from,
        uint256 to,
        uint256 index,
        bytes32 leaf,
        bytes32[LONGEST] calldata path
    ) private returns (bytes32 hash, uint256 length) {
        if (to - from == 1) return (leaf, 0);
        uint256 middle = from + split(to - from);
        if (index < middle) {
            (hash, length) = _read(tree, from, middle, index, leaf, path);
            hash = above(tree, from, middle, to, hash, path[length]);
        } else {
            (hash, length) = _read(tree, middle, to, index, leaf, path);
            hash = above(tree, from, middle, to, path[length], hash);
        }
        ++length;
    }

    /// @dev PATH of RFC 9162 §2.1.3.1, and its length.
    function _prove(Tree memory tree, uint256 from, uint256 to, uint256 index, bytes32[] memory path)
        private
        pure
        returns (uint256 length)
    {
        if (to - from == 1) return 0;
        uint256 middle = from + split(to - from);
        if (index < middle) {
            length = _prove(tree, from, middle, index, path);
            path[length] = at(tree, middle, to);
        } else {
            length = _prove(tree, middle, to, index, path);
            path[length] = at(tree, from, middle);
        }
        ++length;
    }

    /// @dev The number of nodes above a leaf.
    function _depth(uint256 index, uint256 from, uint256 to) private pure returns (uint256) {
        if (to - from == 1) return 0;
        uint256 middle = from + split(to - from);
        return 1 + (index < middle ? _depth(index, from, middle) : _depth(index, middle, to));
    }
}
