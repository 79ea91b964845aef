// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NaiveTree} from "./NaiveTree.sol";

/// @dev RFC 9162's tree as it is defined, over all leaves, with every perfect subtree kept: the
/// definition again and again over thousands of leaves would be too slow.
abstract contract InvariantTree {
    /// @dev The hashes of the perfect subtrees of 2^level leaves, from the left.
    mapping(uint256 level => bytes32[]) internal rows;

    function _push(bytes32 leaf) internal {
        rows[0].push(leaf);
        for (uint256 level = 0; rows[level].length % 2 == 0; ++level) {
            uint256 length = rows[level].length;
            rows[level + 1].push(NaiveTree.node(rows[level][length - 2], rows[level][length - 1]));
        }
    }

    function _root(uint256 from, uint256 to) internal view returns (bytes32) {
        if (from == to) return sha256("");
        uint256 size = to - from;
        uint256 level = 0;
        while (size >> level > 1) ++level;
        bytes32 left = rows[level][from >> level];
        return size == 1 << level ? left : NaiveTree.node(left, _root(from + (1 << level), to));
    }

    function _inclusion(uint256 index, uint256 from, uint256 to) internal view returns (bytes32[] memory) {
        if (to - from == 1) return new bytes32[](0);
        uint256 middle = from + NaiveTree.split(to - from);
        if (index < middle) return NaiveTree.extended(_inclusion(index, from, middle), _root(middle, to));
        return NaiveTree.extended(_inclusion(index, middle, to), _root(from, middle));
    }

    /// @dev `whole` while the earlier tree, of the leaves up to `earlier`, is all of what is on its left.
    function _consistency(uint256 earlier, uint256 from, uint256 to, bool whole)
        internal
        view
        returns (bytes32[] memory)
    {
        if (earlier == to) return whole ? new bytes32[](0) : NaiveTree.extended(new bytes32[](0), _root(from, to));
        uint256 middle = from + NaiveTree.split(to - from);
        if (earlier <= middle) {
            return NaiveTree.extended(_consistency(earlier, from, middle, whole), _root(middle, to));
        }
        return NaiveTree.extended(_consistency(earlier, middle, to, false), _root(from, middle));
    }
}
