// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Entry} from "../Entry.sol";
import {IPolicyRegistry} from "../IPolicyRegistry.sol";
import {EntryProof, InForce} from "./InForce.sol";

/// @notice For contracts that act only while one policy, fixed at construction, is in force.
/// @dev A policy's status in storage is not asked: it follows the last act, whatever day that act is dated.
abstract contract PolicyGated {
    IPolicyRegistry public immutable registry;
    bytes32 public immutable authority;
    bytes32 public immutable number;

    /// @notice The registry has no such policy. `number` is the SHA-256 of its NFC number.
    error PolicyUnknown(bytes32 authority, bytes32 number);
    /// @notice The registry's log is closed: it can not know what became of the policy since.
    error RegistryRetired(address successor);
    /// @notice Not as many entries as the policy has: one was left out, or was recorded just now.
    error HistoryIncomplete(uint32 expected, uint256 given);
    /// @notice In this place belongs another entry of the policy.
    error EntryOutOfPlace(uint64 expected, uint64 given);

    /// @dev Reverts with {PolicyUnknown}.
    constructor(IPolicyRegistry registry_, bytes32 authority_, bytes32 number_) {
        if (registry_.policy(authority_, number_).sequence == 0) revert PolicyUnknown(authority_, number_);
        (registry, authority, number) = (registry_, authority_, number_);
    }

    /// @notice The entry whose document applies today.
    /// @param history all of the policy's entries, the latest first
    /// @dev Reverts with `PolicyNotInForce` or `PolicyNotYetInForce` when the policy is not in force. Reverts when
    /// that can not be told: with {RegistryRetired}, {HistoryIncomplete}, {EntryOutOfPlace}, or the registry's
    /// `PathLengthMismatch` or `RootMismatch`, also when the log has grown since the paths were made.
    function _entryInForce(EntryProof[] calldata history) internal view returns (Entry calldata) {
        _verify(history);
        return InForce.entryOf(history, _today());
    }

    /// @dev The UTC day of the block, in the count of `effectiveOn`. The same date begins up to 14 hours earlier,
    /// or 12 later, where the authority is.
    function _today() internal view returns (int256) {
        return int256(block.timestamp / 1 days);
    }

    /// @dev From the head in storage each entry, once proved, names the one before it. So none can be left out,
    /// and no other policy's entry and no authority act can stand in for one.
    function _verify(EntryProof[] calldata history) private view {
        if (registry.retired()) revert RegistryRetired(registry.successor());
        IPolicyRegistry.PolicyState memory state = registry.policy(authority, number);
        if (history.length != state.sequence) revert HistoryIncomplete(state.sequence, history.length);
        uint64 expected = state.head;
        for (uint256 i = 0; i < history.length; ++i) {
            Entry calldata entry = history[i].entry;
            if (entry.index != expected) revert EntryOutOfPlace(expected, entry.index);
            registry.verifyInclusion(entry, history[i].path);
            expected = entry.previous;
        }
    }
}
