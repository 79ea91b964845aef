// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {
    IAccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/IAccessControlDefaultAdminRules.sol";
import {IPolicyRegistry} from "../../contracts/IPolicyRegistry.sol";
import {Cheats} from "./Cheats.sol";
import {InvariantHandler} from "./InvariantHandler.sol";

/// @dev The whole contract under any sequence of calls by anybody. The handler holds each entry
/// against the rules as it comes; what must hold between calls is held here.
contract InvariantTest is Cheats {
    /// @dev Steps of a run that is long enough to have done everything common.
    uint256 private constant LONG = 1_500;

    InvariantHandler private _handler;

    error NeverSucceeded(bytes4 call);
    error NeverRefused(bytes4 error_);

    function setUp() public {
        _handler = new InvariantHandler();
    }

    /// @dev Asked for by forge: only the handler is called, and it has no other open functions that write.
    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    function invariant_the_registry_is_what_its_log_says() public view {
        _handler.check();
    }

    function afterInvariant() public view {
        _handler.checkAll();
        if (_handler.openSteps() >= LONG) _reached();
    }

    /// @dev A long run did each of these at least once: it did not only meet refusals.
    function _reached() private view {
        bytes4[10] memory calls = [
            IPolicyRegistry.record.selector,
            IPolicyRegistry.recordBySignature.selector,
            IPolicyRegistry.openAuthority.selector,
            IPolicyRegistry.setProfile.selector,
            IPolicyRegistry.reportCompromised.selector,
            IAccessControl.grantRole.selector,
            IAccessControl.revokeRole.selector,
            IAccessControl.renounceRole.selector,
            IAccessControlDefaultAdminRules.beginDefaultAdminTransfer.selector,
            IAccessControlDefaultAdminRules.acceptDefaultAdminTransfer.selector
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            if (_handler.succeeded(calls[i]) == 0) revert NeverSucceeded(calls[i]);
        }
        bytes4[6] memory errors = [
            IAccessControl.AccessControlUnauthorizedAccount.selector,
            IPolicyRegistry.SequenceMismatch.selector,
            IPolicyRegistry.InvalidTransition.selector,
            IPolicyRegistry.SignatureExpired.selector,
            IPolicyRegistry.SignatureInvalid.selector,
            IPolicyRegistry.AuthorityAlreadyOpen.selector
        ];
        for (uint256 i = 0; i < errors.length; ++i) {
            if (_handler.refused(errors[i]) == 0) revert NeverRefused(errors[i]);
        }
    }
}
