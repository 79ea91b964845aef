// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Action, Entry, EntryCodec} from "../../contracts/Entry.sol";
import {Specification} from "./Specification.sol";

/// @dev What is hashed as a leaf, for any entry at all.
contract EntrySymbolic is Specification {
    /// @dev The leaf hash is SHA-256 of 0x00 ‖ abi.encode(entry), SHA-256 being an unknown function: it is
    /// therefore of these bytes and of no others.
    function check_leaf_is_the_hash_of_the_entry(Entry calldata entry) external view {
        Entry memory copy = entry;
        assert(EntryCodec.leafHash(copy) == sha256(_preimage(entry)));
    }

    /// @dev Two entries with the same preimage are the same in all eleven fields; the entry can be read back.
    function check_preimage_is_unique_per_entry(Entry calldata a, Entry calldata b) external pure {
        bytes memory one = _preimage(a);
        bytes memory other = _preimage(b);
        assert(one.length == 353 && other.length == 353 && one[0] == 0);
        bool equal = true;
        for (uint256 word = 0; word < 12; ++word) {
            // The last word begins 31 bytes before the end.
            uint256 place = word < 11 ? 32 + word * 32 : 32 + 321;
            bytes32 left;
            bytes32 right;
            assembly ("memory-safe") {
                left := mload(add(one, place))
                right := mload(add(other, place))
            }
            equal = both(equal, left == right);
        }
        assert(equal == _same(a, b));
    }

    /// @dev A leaf's preimage begins otherwise than a node's: with 0x00 for 353 bytes, not 0x01 for 65.
    function check_leaf_is_no_node(Entry calldata entry, bytes32 left, bytes32 right) external pure {
        bytes memory leaf = _preimage(entry);
        bytes memory node = bytes.concat(hex"01", left, right);
        assert(leaf[0] != node[0] && leaf.length != node.length);
    }

    function check_reachable_leaf(Entry calldata entry) external view {
        Entry memory copy = entry;
        assert(EntryCodec.leafHash(copy) == sha256(bytes.concat(hex"01", abi.encode(entry))));
    }

    function _preimage(Entry calldata entry) private pure returns (bytes memory) {
        return bytes.concat(hex"00", abi.encode(entry));
    }

    function _same(Entry calldata a, Entry calldata b) private pure returns (bool same) {
        same = both(a.index == b.index, a.previous == b.previous);
        same = both(same, both(a.authority == b.authority, a.number == b.number));
        same = both(same, both(a.sequence == b.sequence, a.action == b.action));
        same = both(same, both(a.effectiveOn == b.effectiveOn, a.document == b.document));
        same = both(same, both(a.manifest == b.manifest, a.registrar == b.registrar));
        same = both(same, a.recordedAt == b.recordedAt);
    }
}
