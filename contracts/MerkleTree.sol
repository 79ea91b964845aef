// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev One peak for each bit of a size.
uint256 constant LEVELS = 64;

/// @notice An append-only RFC 9162 Merkle tree (SHA-256), kept as its peaks.
/// @dev A tree of `size` leaves is a row of perfect subtrees, one for each set bit of `size`,
/// the largest on the left. `peaks[level]` is the root of the one with 2^level leaves while
/// that bit is set and a stale value otherwise. Hashing leaves is the caller's, who must
/// prefix them with 0x00; this library makes only nodes, prefixed with 0x01. Sizes must stay
/// below 2^64: each leaf takes gas.
library MerkleTree {
    /// @notice Appends leaf hashes, one at least, to the tree of `size` and returns its new root.
    /// @dev One pass from the leaves upwards, in which `nodes` holds the new nodes of a level in place
    /// of the leaves: after the peak that waits at that level, if its bit of `size` is set, they are
    /// hashed in pairs into the level above, and one that is left over is the level's new peak. So each
    /// peak is read at most once, and written at most once and only if the tree has it afterwards.
    function append(bytes32[LEVELS] storage peaks, uint256 size, bytes32[] memory nodes)
        internal
        returns (bytes32 top)
    {
        uint256 count = nodes.length;
        uint256 level = 0;
        unchecked {
            for (; count != 0; ++level) {
                uint256 waiting = size >> level & 1;
                bytes32 left = waiting == 0 ? bytes32(0) : _load(peaks, level);
                left = _pairUp(nodes, count, waiting, left);
                count += waiting;
                if (count & 1 == 1) {
                    _store(peaks, level, left);
                    top = top == 0 ? left : nodeHash(left, top);
                }
                count >>= 1;
            }
        }
        return _fold(peaks, size, level, top);
    }

    /// @notice The root of the tree of `size`. The empty tree's is SHA-256("").
    function root(bytes32[LEVELS] storage peaks, uint256 size) internal view returns (bytes32) {
        return size == 0 ? sha256("") : _fold(peaks, size, 0, 0);
    }

    /// @notice Room for hashes in memory. What it holds has no meaning before it is written.
    function room(uint256 count) internal pure returns (bytes32[] memory nodes) {
        assembly ("memory-safe") {
            nodes := mload(0x40)
            mstore(nodes, count)
            mstore(0x40, add(nodes, shl(5, add(count, 1))))
        }
    }

    /// @notice SHA-256(0x01 ‖ left ‖ right), the node hash of RFC 9162 §2.1.1.
    function nodeHash(bytes32 left, bytes32 right) internal view returns (bytes32 hash) {
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            mstore8(buffer, 0x01)
            mstore(add(buffer, 1), left)
            mstore(add(buffer, 33), right)
            // The return value is pushed last, so the size is read after the call.
            if iszero(and(eq(returndatasize(), 32), staticcall(gas(), 2, buffer, 65, 0x00, 32))) {
                revert(0, 0)
            }
            hash := mload(0x00)
        }
    }

    /// @dev Hashes the first `count` of `nodes`, with `left` before them if `waiting` is 1, in pairs to the
    /// first of `nodes`. Returns the word after the last pair: what is left over if their number is odd,
    /// and without meaning otherwise.
    function _pairUp(bytes32[] memory nodes, uint256 count, uint256 waiting, bytes32 left)
        private
        view
        returns (bytes32)
    {
        uint256 from;
        uint256 to;
        uint256 end;
        // Reads are ahead of writes; the last may be of the word after the nodes.
        assembly ("memory-safe") {
            to := add(nodes, 32)
            from := to
            end := add(to, shl(5, count))
            if iszero(waiting) {
                left := mload(from)
                from := add(from, 32)
            }
        }
        while (from < end) {
            bytes32 right;
            assembly ("memory-safe") {
                right := mload(from)
            }
            bytes32 node = nodeHash(left, right);
            assembly ("memory-safe") {
                mstore(to, node)
                left := mload(add(from, 32))
                to := add(to, 32)
                from := add(from, 64)
            }
        }
        return left;
    }

    /// @dev The root over the peaks from `level` on, and over `right`, if that is not 0: no SHA-256 is 0.
    function _fold(bytes32[LEVELS] storage peaks, uint256 size, uint256 level, bytes32 right)
        private
        view
        returns (bytes32 top)
    {
        top = right;
        unchecked {
            for (uint256 rest = size >> level; rest != 0; rest >>= 1) {
                if (rest & 1 == 1) {
                    bytes32 peak = _load(peaks, level);
                    top = top == 0 ? peak : nodeHash(peak, top);
                }
                ++level;
            }
        }
    }

    // Without the bounds checks: a bit of a uint64 is a level below LEVELS.

    function _load(bytes32[LEVELS] storage peaks, uint256 level) private view returns (bytes32 peak) {
        assembly ("memory-safe") {
            peak := sload(add(peaks.slot, level))
        }
    }

    function _store(bytes32[LEVELS] storage peaks, uint256 level, bytes32 peak) private {
        assembly ("memory-safe") {
            sstore(add(peaks.slot, level), peak)
        }
    }
}
