// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Action, Entry} from "../Entry.sol";
import {Lifecycle} from "../Lifecycle.sol";

/// @notice An entry and its inclusion path in the registry's log as it is now.
struct EntryProof {
    Entry entry;
    bytes32[] path;
}

/// @notice What applies today: section 11 of docs/formats.md but for `effective_to`, which is in the manifest.
/// @dev Believes the entries. `history` is all of one policy's entries, the latest first; `today` is not before
/// the latest was recorded. So `NO_DATE`, which is before every day, is right for acts without a date: they
/// apply since they were recorded.
library InForce {
    using Lifecycle for Action;

    /// @notice Of the acts that end, suspend or reinstate, the latest whose day has come is no reinstatement.
    error PolicyNotInForce(uint64 index, Action action);
    /// @notice No version's day has come.
    error PolicyNotYetInForce(int256 today);

    /// @notice The entry whose document applies.
    /// @dev Reverts with {PolicyNotInForce} or {PolicyNotYetInForce}.
    function entryOf(EntryProof[] calldata history, int256 today) internal pure returns (Entry calldata) {
        _requireStanding(history, today);
        return _documentOf(history, today);
    }

    function _requireStanding(EntryProof[] calldata history, int256 today) private pure {
        for (uint256 i = 0; i < history.length; ++i) {
            Entry calldata act = history[i].entry;
            if (act.action.bringsDocument() || act.effectiveOn > today) continue;
            if (act.action != Action.Reinstate) revert PolicyNotInForce(act.index, act.action);
            return;
        }
    }

    /// @dev The latest version whose day has come, or the latest of its corrections whose day has come. The
    /// corrections of a version that is still to come wait for it, whatever their own date.
    function _documentOf(EntryProof[] calldata history, int256 today) private pure returns (Entry calldata) {
        uint256 none = history.length;
        uint256 correction = none;
        for (uint256 i = 0; i < history.length; ++i) {
            Entry calldata entry = history[i].entry;
            bool due = entry.effectiveOn <= today;
            if (entry.action == Action.Correct) {
                if (due && correction == none) correction = i;
            } else if (entry.action.bringsDocument()) {
                if (due) return correction == none ? entry : history[correction].entry;
                correction = none;
            }
        }
        revert PolicyNotYetInForce(today);
    }
}
