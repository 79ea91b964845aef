// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Action} from "../../contracts/Entry.sol";
import {Status} from "../../contracts/Lifecycle.sol";

/// @dev The table of docs/contracts.md as a table: a row for each status, a digit for each action, which is the
/// status after it or 0 where the action is not possible.
///
///     actions: None Publish Amend Correct Suspend Reinstate Supersede Repeal Withdraw, then ten acts of
///     authorities, which are no acts on a policy
library LifecycleTable {
    /// @dev Rows of 19 digits: None, InForce, Suspended, Superseded, Repealed, Withdrawn.
    // forgefmt: disable-next-item
    bytes private constant ROWS =
        "0100000000000000000"
        "0011203450000000000"
        "0000013450000000000"
        "0000010000000000000"
        "0000010000000000000"
        "0000010000000000000";
    bytes private constant DOCUMENTS = "0111000000000000000";

    function next(Status status, Action action) internal pure returns (Status) {
        return Status(_digit(ROWS, uint256(status) * 19 + uint256(action)));
    }

    function bringsDocument(Action action) internal pure returns (bool) {
        return _digit(DOCUMENTS, uint256(action)) == 1;
    }

    /// @dev The same where neither is symbolic, at once.
    function read(uint256 status, uint256 action) internal pure returns (uint256) {
        return uint8(ROWS[status * 19 + action]) - 48;
    }

    /// @dev Goes through all digits, as a symbolic place can not be read.
    function _digit(bytes memory digits, uint256 place) private pure returns (uint256 digit) {
        for (uint256 i = 0; i < digits.length; ++i) {
            uint256 here = uint8(digits[i]) - 48;
            assembly ("memory-safe") {
                digit := or(digit, and(sub(0, eq(i, place)), here))
            }
        }
    }
}
