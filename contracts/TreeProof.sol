// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MerkleTree} from "./MerkleTree.sol";

/// @notice RFC 9162 inclusion and consistency proofs against any root.
/// @dev Every function reverts unless the proof holds; none returns a boolean that a caller
/// could forget. Sizes and path lengths are checked before anything is hashed: the RFC's
/// verification text leaves both to the caller, and accepts an earlier size of 0.
library TreeProof {
    /// @notice The leaf lies outside the tree.
    error IndexOutsideTree(uint64 index, uint64 size);
    /// @notice The earlier tree is empty or larger than the later one.
    error SizeOutsideTree(uint64 earlier, uint64 size);
    /// @notice A proof for this place in this tree has another number of hashes.
    error PathLengthMismatch(uint256 expected, uint256 given);
    /// @notice The path leads to another root.
    error RootMismatch(bytes32 expected, bytes32 computed);

    /// @notice Reverts unless `leaf` (a leaf hash) is number `index` of the tree of `size` with `root`.
    /// @dev RFC 9162 §2.1.3. Reverts with {IndexOutsideTree}, {PathLengthMismatch}, {RootMismatch}.
    function verifyInclusion(bytes32 root, uint64 size, uint64 index, bytes32 leaf, bytes32[] calldata path)
        internal
        view
    {
        if (index >= size) revert IndexOutsideTree(index, size);
        (uint256 inner, uint256 border) = _pathShape(index, size);
        if (path.length != inner + border) revert PathLengthMismatch(inner + border, path.length);
        bytes32 node = leaf;
        for (uint256 i = 0; i < path.length; ++i) {
            bool fromLeft = i >= inner || uint256(index) >> i & 1 == 1;
            node = fromLeft ? MerkleTree.nodeHash(path[i], node) : MerkleTree.nodeHash(node, path[i]);
        }
        if (node != root) revert RootMismatch(root, node);
    }

    /// @notice Reverts unless the tree of `earlier` leaves with `earlierRoot` is a prefix of the
    /// tree of `size` leaves with `root`.
    /// @dev RFC 9162 §2.1.4. Reverts with {SizeOutsideTree}, {PathLengthMismatch}, {RootMismatch}.
    /// Equal sizes take an empty path and equal roots.
    function verifyConsistency(uint64 earlier, bytes32 earlierRoot, uint64 size, bytes32 root, bytes32[] calldata path)
        internal
        view
    {
        if (earlier == 0 || earlier > size) revert SizeOutsideTree(earlier, size);
        if (earlier == size) {
            if (path.length != 0) revert PathLengthMismatch(0, path.length);
            if (earlierRoot != root) revert RootMismatch(root, earlierRoot);
            return;
        }
        (bytes32 computedEarlier, bytes32 computed) = _rootsFromPath(earlier, earlierRoot, size, path);
        if (computedEarlier != earlierRoot) revert RootMismatch(earlierRoot, computedEarlier);
        if (computed != root) revert RootMismatch(root, computed);
    }

    /// @dev Both roots that `path` leads to, starting from the last perfect subtree of the
    /// earlier tree: given first in the path, or the whole earlier tree when its size is a
    /// power of two. On the way up, hashes left of it belong to both trees, those right of it
    /// only to the later one.
    function _rootsFromPath(uint64 earlier, bytes32 earlierRoot, uint64 size, bytes32[] calldata path)
        private
        view
        returns (bytes32 computedEarlier, bytes32 computed)
    {
        uint256 level = _trailingZeros(earlier);
        (uint256 inner, uint256 border) = _pathShape(earlier - 1, size);
        inner -= level;
        uint256 first = uint256(earlier) == 1 << level ? 0 : 1;
        if (path.length != first + inner + border) {
            revert PathLengthMismatch(first + inner + border, path.length);
        }
        computedEarlier = computed = first == 0 ? earlierRoot : path[0];
        uint256 position = uint256(earlier - 1) >> level;
        for (uint256 i = 0; i < inner + border; ++i) {
            bytes32 sibling = path[first + i];
            if (i >= inner || position >> i & 1 == 1) {
                computedEarlier = MerkleTree.nodeHash(sibling, computedEarlier);
                computed = MerkleTree.nodeHash(sibling, computed);
            } else {
                computed = MerkleTree.nodeHash(computed, sibling);
            }
        }
    }

    /// @dev The path of leaf `index` in a tree of `size`: `inner` steps until it joins the path of
    /// the last leaf, with siblings on either side, then `border` steps with siblings on the left.
    function _pathShape(uint64 index, uint64 size) private pure returns (uint256 inner, uint256 border) {
        for (uint256 differing = uint256(index) ^ (uint256(size) - 1); differing != 0; differing >>= 1) {
            ++inner;
        }
        for (uint256 rest = uint256(index) >> inner; rest != 0; rest >>= 1) {
            border += rest & 1;
        }
    }

    /// @dev `value` is not 0.
    function _trailingZeros(uint64 value) private pure returns (uint256 zeros) {
        for (uint256 rest = value; rest & 1 == 0; rest >>= 1) {
            ++zeros;
        }
    }
}
