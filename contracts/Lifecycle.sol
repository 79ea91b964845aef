// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Action} from "./Entry.sol";

/// @notice Where a policy stands. `None` is a policy that was never published.
enum Status {
    None,
    InForce,
    Suspended,
    Superseded,
    Repealed,
    Withdrawn
}

/// @notice Which act may follow which status.
library Lifecycle {
    /// @notice The status after `action`, or `None` when the action is not possible from `status`.
    function next(Status status, Action action) internal pure returns (Status) {
        if (action == Action.Publish) return status == Status.None ? Status.InForce : Status.None;
        if (action == Action.Reinstate) return status > Status.InForce ? Status.InForce : Status.None;
        if (status == Status.InForce) {
            if (action == Action.Amend || action == Action.Correct) return Status.InForce;
            if (action == Action.Suspend) return Status.Suspended;
        }
        if (status == Status.InForce || status == Status.Suspended) {
            if (action == Action.Supersede) return Status.Superseded;
            if (action == Action.Repeal) return Status.Repealed;
            if (action == Action.Withdraw) return Status.Withdrawn;
        }
        return Status.None;
    }

    /// @notice Whether an act on a policy brings a document: the first three do, the others must not name one.
    function bringsDocument(Action action) internal pure returns (bool) {
        return action <= Action.Correct;
    }
}
