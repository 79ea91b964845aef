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
    /// @param loaded bit per level: `peaks[level]` holds the present value
    /// @param changed bit per level: `peaks[level]` is newer than storage
    struct Frontier {
        uint64 size;
        uint256 loaded;
        uint256 changed;
        bytes32[LEVELS] peaks;
    }

    /// @notice Opens a tree of `size` leaves. Nothing is read until it is needed.
    function open(uint64 size) internal pure returns (Frontier memory frontier) {
        frontier.size = size;
    }

    /// @notice Appends one leaf hash.
    function append(Frontier memory frontier, bytes32[LEVELS] storage stored, bytes32 leaf) internal view {
        uint256 level = 0;
        bytes32 node = leaf;
        for (uint256 rest = frontier.size; rest & 1 == 1; rest >>= 1) {
            node = nodeHash(_peak(frontier, stored, level), node);
            ++level;
        }
        frontier.peaks[level] = node;
        frontier.loaded |= 1 << level;
        frontier.changed |= 1 << level;
        ++frontier.size;
    }

    /// @notice Writes the peaks that changed and are part of the tree as it now is, once each.
    function store(Frontier memory frontier, bytes32[LEVELS] storage stored) internal {
        uint256 level = 0;
        for (uint256 rest = frontier.changed & frontier.size; rest != 0; rest >>= 1) {
            if (rest & 1 == 1) stored[level] = frontier.peaks[level];
            ++level;
        }
        frontier.changed = 0;
    }

    /// @notice The root: peaks folded from the right. The empty tree's is SHA-256("").
    function root(Frontier memory frontier, bytes32[LEVELS] storage stored) internal view returns (bytes32 node) {
        uint256 rest = frontier.size;
        if (rest == 0) return sha256("");
        uint256 level = 0;
        for (; rest & 1 == 0; rest >>= 1) ++level;
        node = _peak(frontier, stored, level);
        for (rest >>= 1; rest != 0; rest >>= 1) {
            ++level;
            if (rest & 1 == 1) node = nodeHash(_peak(frontier, stored, level), node);
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
            if iszero(and(eq(returndatasize(), 32), staticcall(gas(), 2, buffer, 65, 0x00, 32))) { revert(0, 0) }
            hash := mload(0x00)
        }
    }

    function _peak(Frontier memory frontier, bytes32[LEVELS] storage stored, uint256 level)
        private
        view
        returns (bytes32)
    {
        if (frontier.loaded >> level & 1 == 0) {
            frontier.peaks[level] = stored[level];
            frontier.loaded |= 1 << level;
        }
        return frontier.peaks[level];
    }
}
