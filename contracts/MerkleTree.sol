// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev One peak for each bit of a size.
uint256 constant LEVELS = 64;

/// @notice An append-only RFC 9162 Merkle tree (SHA-256), kept as its peaks.
/// @dev A tree of `size` leaves is a row of perfect subtrees, one for each set bit of `size`,
/// the largest on the left. `peaks[level]` is the root of the one with 2^level leaves while
/// that bit is set and a stale value otherwise. Hashing leaves is the caller's, who must
/// prefix them with 0x00; this library makes only nodes, prefixed with 0x01.
library MerkleTree {
    /// @notice A tree being appended to in memory, over peaks that lie in storage.
    /// @param changed bit per level: `peaks[level]` is newer than storage
    /// @param peaks 0 where storage holds the peak: no SHA-256 is 0
    struct Frontier {
        uint64 size;
        uint256 changed;
        bytes32[LEVELS] peaks;
    }

    /// @notice Appends one leaf hash.
    function append(Frontier memory frontier, bytes32[LEVELS] storage stored, bytes32 leaf) internal view {
        uint256 level = 0;
        bytes32 node = leaf;
        // A size has fewer than LEVELS bits, and each entry took gas: nothing here overflows.
        unchecked {
            for (uint256 rest = frontier.size; rest & 1 != 0; rest >>= 1) {
                node = nodeHash(_peak(frontier, stored, level), node);
                ++level;
            }
            ++frontier.size;
        }
        frontier.peaks[level] = node;
        frontier.changed |= 1 << level;
    }

    /// @notice Writes the peaks that changed and are part of the tree as it now is, once each.
    function store(Frontier memory frontier, bytes32[LEVELS] storage stored) internal {
        bytes32[LEVELS] memory fresh = frontier.peaks;
        uint256 level = 0;
        for (uint256 rest = frontier.changed & frontier.size; rest != 0; rest >>= 1) {
            // Without the bounds checks, as in {_peak}.
            assembly ("memory-safe") {
                if and(rest, 1) { sstore(add(stored.slot, level), mload(add(fresh, shl(5, level)))) }
                level := add(level, 1)
            }
        }
    }

    /// @notice The root: peaks folded from the right. The empty tree's is SHA-256("").
    function root(Frontier memory frontier, bytes32[LEVELS] storage stored) internal view returns (bytes32 node) {
        if (frontier.size == 0) return sha256("");
        uint256 level = 0;
        for (uint256 rest = frontier.size; rest != 0; rest >>= 1) {
            if (rest & 1 != 0) {
                bytes32 peak = _peak(frontier, stored, level);
                node = node == 0 ? peak : nodeHash(peak, node);
            }
            unchecked {
                ++level;
            }
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

    /// @dev The peak of a level whose bit of the size is set. Not kept once read: appending merges
    /// it away, and the root is computed last.
    function _peak(Frontier memory frontier, bytes32[LEVELS] storage stored, uint256 level)
        private
        view
        returns (bytes32 peak)
    {
        bytes32[LEVELS] memory fresh = frontier.peaks;
        // Without the bounds checks: a bit of a uint64 is a level below LEVELS.
        assembly ("memory-safe") {
            peak := mload(add(fresh, shl(5, level)))
            if iszero(peak) { peak := sload(add(stored.slot, level)) }
        }
    }
}
