// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LEVELS, MerkleTree} from "../../contracts/MerkleTree.sol";
import {LARGEST, TreeSpec} from "./TreeSpec.sol";

/// @dev A tree grows: every tree of 0 to {largest} leaves by 1 to 8 more, to 32 at most. Leaf hashes are any 32 bytes,
/// and so are the peaks that no bit of the size stands for; the hashes that the contract compares with 0 are not 0.
contract GrowthSymbolic is TreeSpec {
    using MerkleTree for bytes32[LEVELS];

    uint256 private constant MOST = 8;
    /// @dev The levels that a tree of up to {LARGEST} leaves has.
    uint256 private constant HIGHEST = 6;

    bytes32[LEVELS] private _peaks;

    /// @dev The new root is MTH of all leaves, the root that is read back from the peaks is the same, and the peaks are
    /// the hashes of the perfect trees that the new size consists of. Those above the tree stay as they were.
    function check_append_is_the_tree_of_all_leaves(
        uint256 size,
        uint256 count,
        bytes32[LARGEST] calldata leaves,
        bytes32[HIGHEST] calldata stale
    ) external {
        (Tree memory tree, uint256 grown, bytes32 top) = _append(size, count, leaves, stale);
        assert(top == at(tree, 0, grown));
        assert(_peaks.root(grown) == top);
        uint256 from = 0;
        for (uint256 level = HIGHEST; level > 0; --level) {
            uint256 to = from + (1 << (level - 1));
            if (to <= grown) {
                assert(_peaks[level - 1] == at(tree, from, to));
                from = to;
            } else if (from == 0) {
                assert(_peaks[level - 1] == stale[level - 1]);
            }
        }
        assert(from == grown);
    }

    function check_reachable_append(uint256 count, bytes32[LARGEST] calldata leaves, bytes32[HIGHEST] calldata stale)
        external
    {
        (Tree memory tree, uint256 grown, bytes32 top) = _append(11, count, leaves, stale);
        assert(grown != 16 || top != at(tree, 0, 16));
    }

    /// @dev Appends to the tree of the first leaves those that follow, and returns the tree of all of them.
    function _append(uint256 size, uint256 count, bytes32[LARGEST] calldata leaves, bytes32[HIGHEST] calldata stale)
        private
        returns (Tree memory tree, uint256 grown, bytes32 top)
    {
        size = pick(size, 0, largest < LARGEST ? largest : LARGEST - 1);
        count = pick(count, 1, LARGEST - size < MOST ? LARGEST - size : MOST);
        grown = size + count;
        grow(tree, leaves, 0, grown);
        uint256 from = 0;
        for (uint256 level = HIGHEST; level > 0; --level) {
            uint256 to = from + (1 << (level - 1));
            if (to > size) {
                _peaks[level - 1] = stale[level - 1];
            } else {
                _peaks[level - 1] = grow(tree, leaves, from, to);
                from = to;
            }
        }
        _assumeNoZeros(tree, grown);
        bytes32[] memory added = MerkleTree.room(count);
        for (uint256 i = 0; i < count; ++i) {
            added[i] = leaves[size + i];
        }
        top = _peaks.append(size, added);
    }

    /// @dev The contract takes 0 for no hash yet, where it hashes the peaks together from the right.
    function _assumeNoZeros(Tree memory tree, uint256 size) private {
        for (uint256 from = 0; from < size; from += size - from == 1 ? 1 : split(size - from)) {
            vm.assume(at(tree, from, size) != 0);
        }
    }
}
