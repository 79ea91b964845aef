// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {UnchangedSpec} from "./UnchangedSpec.sol";

/// @dev All that can be called and is no act: on any storage, at any time of 64 bits, by any caller. A call that
/// reverts changes nothing: the EVM sees to that.
contract AnyCallSymbolic is UnchangedSpec {
    /// @dev A log of any size, any function that is not a view but the ten acts, and any other selector: the log, its
    /// peaks, every policy, every act and every role stay as they are. Views are left out, since solc lets none
    /// of them write.
    function check_other_calls_leave_all_as_it_is(address caller, uint64 time, bytes32[6] calldata any) external {
        vm.warp(time);
        uint256 before = stateOf(any);
        bytes memory data = svm.createCalldata("PolicyRegistry");
        vm.assume(not(_act(bytes4(data))));
        if (call(caller, data)) assert(stateOf(any) == before);
    }

    /// @dev Ether is refused by every function that is no view, and where there is no function. Without
    /// {PolicyRegistry-openAuthority}, which would have too many paths if it took it.
    function check_ether_is_refused(address caller, uint96 value) external {
        bytes memory data = svm.createCalldata("PolicyRegistry");
        vm.assume(bytes4(data) != REGISTRY.openAuthority.selector);
        vm.assume(value != 0);
        vm.deal(caller, value);
        vm.prank(caller);
        (bool success,) = address(REGISTRY).call{value: value}(data);
        assert(!success);
    }

    function check_reachable_call(address caller, address next) external {
        assert(!call(caller, abi.encodeCall(REGISTRY.beginDefaultAdminTransfer, (next))));
    }

    /// @dev Whether a function can append: each of these has a property of its own.
    function _act(bytes4 selector) private pure returns (bool act) {
        act = either(selector == REGISTRY.record.selector, selector == REGISTRY.recordBySignature.selector);
        act = either(act, selector == REGISTRY.openAuthority.selector);
        act = either(act, selector == REGISTRY.setProfile.selector);
        act = either(act, selector == REGISTRY.reportCompromised.selector);
        act = either(act, selector == REGISTRY.retire.selector);
        act = either(act, selector == REGISTRY.grantRole.selector);
        act = either(act, selector == REGISTRY.revokeRole.selector);
        act = either(act, selector == REGISTRY.renounceRole.selector);
        act = either(act, selector == REGISTRY.acceptDefaultAdminTransfer.selector);
    }
}
