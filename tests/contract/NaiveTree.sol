// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev RFC 9162 §2.1.1, §2.1.3.1 and §2.1.4.1 written down as they are defined: recursively, over
/// all leaf hashes. Shares nothing with the contract's way of computing the same.
library NaiveTree {
    function root(bytes32[] memory leaves, uint256 from, uint256 to) internal view returns (bytes32) {
        if (to == from) return sha256("");
        if (to - from == 1) return leaves[from];
        uint256 k = split(to - from);
        return node(root(leaves, from, from + k), root(leaves, from + k, to));
    }

    function inclusion(bytes32[] memory leaves, uint256 index, uint256 size) internal view returns (bytes32[] memory) {
        return _path(leaves, index, 0, size);
    }

    function consistency(bytes32[] memory leaves, uint256 earlier, uint256 size)
        internal
        view
        returns (bytes32[] memory)
    {
        return _subproof(leaves, earlier, 0, size, true);
    }

    /// @dev `sha256(bytes.concat(hex"01", left, right))`, made where it leaves no memory behind: a
    /// test makes too many of these to keep them.
    function node(bytes32 left, bytes32 right) internal view returns (bytes32 hash) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore8(free, 1)
            mstore(add(free, 1), left)
            mstore(add(free, 33), right)
            pop(staticcall(gas(), 2, free, 65, 0, 32))
            hash := mload(0)
        }
    }

    function _path(bytes32[] memory leaves, uint256 index, uint256 from, uint256 to)
        private
        view
        returns (bytes32[] memory)
    {
        if (to - from == 1) return new bytes32[](0);
        uint256 k = split(to - from);
        if (index < k) return extended(_path(leaves, index, from, from + k), root(leaves, from + k, to));
        return extended(_path(leaves, index - k, from + k, to), root(leaves, from, from + k));
    }

    function _subproof(bytes32[] memory leaves, uint256 m, uint256 from, uint256 to, bool whole)
        private
        view
        returns (bytes32[] memory)
    {
        if (m == to - from) {
            return whole ? new bytes32[](0) : extended(new bytes32[](0), root(leaves, from, to));
        }
        uint256 k = split(to - from);
        if (m <= k) return extended(_subproof(leaves, m, from, from + k, whole), root(leaves, from + k, to));
        return extended(_subproof(leaves, m - k, from + k, to, false), root(leaves, from, from + k));
    }

    /// @dev The largest power of two smaller than `size`.
    function split(uint256 size) internal pure returns (uint256 k) {
        k = 1;
        while (k * 2 < size) k *= 2;
    }

    function extended(bytes32[] memory path, bytes32 last) internal pure returns (bytes32[] memory longer) {
        longer = new bytes32[](path.length + 1);
        for (uint256 i = 0; i < path.length; ++i) {
            longer[i] = path[i];
        }
        longer[path.length] = last;
    }
}
