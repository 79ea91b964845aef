// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {UnchangedSpec} from "./UnchangedSpec.sol";

/// @dev A log that is closed, of any size, on any storage that says so. A call that reverts changes nothing: the EVM
/// sees to that.
contract RetiredSymbolic is UnchangedSpec {
    /// @dev Any caller, any time of 64 bits, any function that is not a view but {PolicyRegistry-openAuthority}, and any
    /// other selector; 0 or 1 elements in each list, 0 or 65 bytes in each string: the log, its peaks, every
    /// policy, every act and every role stay as they are.
    /// @custom:halmos --default-array-lengths 0,1 --default-bytes-lengths 0,65
    function check_a_retired_log_stays_as_it_is(address caller, uint64 time, bytes32[6] calldata any) external {
        vm.warp(time);
        vm.assume(retired());
        uint256 before = stateOf(any);
        bytes memory data = svm.createCalldata("PolicyRegistry");
        vm.assume(bytes4(data) != REGISTRY.openAuthority.selector);
        if (call(caller, data)) assert(stateOf(any) == before);
    }

    /// @dev The same of {PolicyRegistry-openAuthority}, for codes of up to 3 bytes; a longer code has too many paths.
    /// @custom:halmos --solver-timeout-branching 10s --early-exit
    function check_a_retired_log_opens_no_authority(
        address caller,
        uint64 time,
        bytes3 code,
        address controller,
        bytes32 manifest,
        bytes3 content
    ) external {
        vm.warp(time);
        vm.assume(retired());
        assert(
            !call(
                caller,
                abi.encodeCall(REGISTRY.openAuthority, (bytes32(code), controller, manifest, bytes.concat(content)))
            )
        );
    }

    /// @dev Something is still possible: the admin's offer, which is in no entry.
    function check_reachable_call(address caller, address next) external {
        vm.assume(retired());
        assert(!call(caller, abi.encodeCall(REGISTRY.beginDefaultAdminTransfer, (next))));
    }
}
