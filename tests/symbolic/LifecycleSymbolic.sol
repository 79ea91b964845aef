// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Action} from "../../contracts/Entry.sol";
import {Lifecycle, Status} from "../../contracts/Lifecycle.sol";
import {LifecycleTable} from "./LifecycleTable.sol";
import {Specification} from "./Specification.sol";

/// @dev The lifecycle, for every status and every action there is.
contract LifecycleSymbolic is Specification {
    function check_next_is_the_table(Status status, Action action) external pure {
        assert(Lifecycle.next(status, action) == LifecycleTable.next(status, action));
    }

    /// @dev For acts on a policy, which the others are kept from by {Lifecycle-next}.
    function check_brings_document_is_the_table(Action action) external {
        vm.assume(both(action >= Action.Publish, action <= Action.Withdraw));
        assert(Lifecycle.bringsDocument(action) == LifecycleTable.bringsDocument(action));
    }

    function check_reachable_next(Status status, Action action) external pure {
        assert(!(status == Status.Repealed && Lifecycle.next(status, action) == Status.InForce));
    }
}
