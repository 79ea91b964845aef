// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LARGEST, LONGEST, TreeSpec} from "./TreeSpec.sol";

/// @dev Consistency proofs between every two trees of 1 to {largest} leaves; leaf hashes, the earlier root and
/// the path are any 32 bytes each.
contract ConsistencySymbolic is TreeSpec {
    /// @dev A path that is accepted holds the tree's own hashes, unless an input on the way up to the later
    /// root collides with the tree's own. The earlier root is one of these hashes where its size is a power
    /// of two; for the others {check_consistency_accepts_the_prefix_alone} goes on from here.
    function check_consistency_accepts_the_trees_path_alone(
        uint256 earlier,
        uint256 size,
        bytes32 earlierRoot,
        bytes32[LARGEST] calldata leaves,
        bytes32[LONGEST] calldata path
    ) external {
        size = pick(size, 1, largest);
        (bool accepted, bool same) = _acceptsAny(pick(earlier, 1, size), size, earlierRoot, leaves, path);
        if (accepted) assert(same);
    }

    function check_reachable_consistency(
        uint256 earlier,
        bytes32 earlierRoot,
        bytes32[LARGEST] calldata leaves,
        bytes32[LONGEST] calldata path
    ) external {
        (bool accepted,) = _acceptsAny(pick(earlier, 1, 11), 11, earlierRoot, leaves, path);
        assert(!accepted);
    }

    /// @dev With the tree's path the prefix's root is accepted, and no other, where it is not itself on the way.
    function check_consistency_accepts_the_prefix_alone(
        uint256 earlier,
        uint256 size,
        bytes32 earlierRoot,
        bytes32[LARGEST] calldata leaves
    ) external {
        size = pick(size, 4, largest);
        Tree memory tree;
        bytes32 root = grow(tree, leaves, 0, size);
        earlier = pick(earlier, 3, size - 1);
        if (earlier & (earlier - 1) == 0) return;
        assert(_acceptsTrue(tree, earlier, earlierRoot, size, root) == (earlierRoot == grow(tree, leaves, 0, earlier)));
    }

    /// @dev The prefix's root with the tree's path is accepted.
    function check_consistency_accepts_the_prefix(uint256 size, bytes32[LARGEST] calldata leaves) external {
        size = pick(size, 1, largest);
        Tree memory tree;
        bytes32 root = grow(tree, leaves, 0, size);
        for (uint256 earlier = 1; earlier <= size; ++earlier) {
            assert(_acceptsTrue(tree, earlier, grow(tree, leaves, 0, earlier), size, root));
        }
    }

    /// @dev Earlier sizes of 64 bits: 0, and all beyond the size; paths of 0 to 7 hashes.
    function check_consistency_with_a_size_outside_reverts(
        uint64 earlier,
        uint256 size,
        bytes32 earlierRoot,
        bytes32 root,
        bytes32[LONGEST] calldata path,
        uint256 length
    ) external {
        size = pick(size, 0, largest);
        vm.assume(either(earlier == 0, earlier > size));
        assert(!_accepts(earlier, earlierRoot, size, root, path, length));
    }

    /// @dev Paths of any number of hashes but the one of RFC 9162's.
    function check_consistency_by_a_path_of_another_length_reverts(
        uint256 earlier,
        uint256 size,
        bytes32 earlierRoot,
        bytes32 root,
        bytes32[LONGEST] calldata path,
        uint256 length
    ) external {
        size = pick(size, 1, largest);
        earlier = pick(earlier, 1, size);
        vm.assume(length != _length(earlier, size, true));
        assert(!_accepts(earlier, earlierRoot, size, root, path, length));
    }

    /// @dev Whether a path without collisions is accepted, and whether it is the tree's.
    function _acceptsAny(
        uint256 earlier,
        uint256 size,
        bytes32 earlierRoot,
        bytes32[LARGEST] calldata leaves,
        bytes32[LONGEST] calldata path
    ) private returns (bool accepted, bool same) {
        Tree memory tree;
        bytes32 root = grow(tree, leaves, 0, size);
        uint256 length;
        (, same, length) = _read(tree, earlier, 0, size, true, earlierRoot, path);
        accepted = _accepts(earlier, earlierRoot, size, root, path, length);
    }

    function _accepts(
        uint256 earlier,
        bytes32 earlierRoot,
        uint256 size,
        bytes32 root,
        bytes32[LONGEST] calldata path,
        uint256 length
    ) private view returns (bool) {
        bytes memory data = abi.encodeCall(
            harness.verifyConsistency, (uint64(earlier), earlierRoot, uint64(size), root, list(path))
        );
        return accepts(data, length);
    }

    /// @dev Whether an earlier root is accepted with the tree's path.
    function _acceptsTrue(Tree memory tree, uint256 earlier, bytes32 earlierRoot, uint256 size, bytes32 root)
        private
        view
        returns (bool)
    {
        bytes32[] memory path = new bytes32[](LONGEST);
        uint256 length = _prove(tree, earlier, 0, size, true, path);
        bytes memory data =
            abi.encodeCall(harness.verifyConsistency, (uint64(earlier), earlierRoot, uint64(size), root, path));
        return accepts(data, length);
    }

    /// @dev The hash of the leaves from `from` to `to` by the path, which is SUBPROOF(earlier, these leaves,
    /// complete) of RFC 9162 §2.1.4.1; whether what is in it is the tree's; and how many of its hashes are.
    function _read(
        Tree memory tree,
        uint256 earlier,
        uint256 from,
        uint256 to,
        bool complete,
        bytes32 earlierRoot,
        bytes32[LONGEST] calldata path
    ) private returns (bytes32 hash, bool same, uint256 length) {
        if (earlier == to - from) {
            (hash, length) = complete ? (earlierRoot, 0) : (path[0], 1);
            return (hash, hash == at(tree, from, to), length);
        }
        uint256 middle = from + split(to - from);
        if (earlier <= middle - from) {
            (hash, same, length) = _read(tree, earlier, from, middle, complete, earlierRoot, path);
            same = both(same, path[length] == at(tree, middle, to));
            hash = above(tree, from, middle, to, hash, path[length]);
        } else {
            (hash, same, length) = _read(tree, earlier - (middle - from), middle, to, false, earlierRoot, path);
            same = both(same, path[length] == at(tree, from, middle));
            hash = above(tree, from, middle, to, path[length], hash);
        }
        ++length;
    }

    /// @dev SUBPROOF, and its length.
    function _prove(Tree memory tree, uint256 earlier, uint256 from, uint256 to, bool complete, bytes32[] memory path)
        private
        pure
        returns (uint256 length)
    {
        if (earlier == to - from) {
            path[0] = at(tree, from, to);
            return complete ? 0 : 1;
        }
        uint256 k = split(to - from);
        if (earlier <= k) {
            length = _prove(tree, earlier, from, from + k, complete, path);
            path[length] = at(tree, from + k, to);
        } else {
            length = _prove(tree, earlier - k, from + k, to, false, path);
            path[length] = at(tree, from, from + k);
        }
        ++length;
    }

    function _length(uint256 earlier, uint256 size, bool complete) private pure returns (uint256) {
        if (earlier == size) return complete ? 0 : 1;
        uint256 k = split(size);
        return 1 + (earlier <= k ? _length(earlier, k, complete) : _length(earlier - k, size - k, false));
    }
}
