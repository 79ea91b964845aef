// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {
    IAccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/IAccessControlDefaultAdminRules.sol";
import {IPolicyRegistry} from "../../contracts/IPolicyRegistry.sol";
import {Cheats} from "./Cheats.sol";
import {InvariantHandler} from "./InvariantHandler.sol";

/// @dev The whole contract under any sequence of calls by anybody: seven accounts and a wallet, batches
/// over several authorities, signatures, time. Forge calls the handler, which foretells each call's
/// outcome from the log alone: exactly these entries, or exactly this error.
///
///     property                                    held where, and when
///     the root is an independent tree's           InvariantModel._takeCheckpoint, each checkpoint; check, each
///     over the emitted entries                    call, with the peaks; checkAll, by the definition
///     the size never shrinks                      InvariantModel._take, each entry's index is the number of
///                                                 those before it; check, size of storage
///     every entry is provable against every       check, each call: an entry in the checkpoint as it is then, an
///     later checkpoint                            earlier checkpoint as its prefix, false proofs refused;
///                                                 checkAll, each entry and each checkpoint in the last one
///     one status a policy, only by the table      InvariantModel._takePolicy, each entry; _checkEntryChains
///     sequence and previous without gap           InvariantModel._take, each entry; _checkEntryChains
///     nobody is registrar without the role at     InvariantModel._takePolicy and _takeAct, each entry in its
///     that moment                                 place, also within a batch
///     nothing after the end                       InvariantModel._take, each entry
///     roles by the log are the roles in storage   _checkRole: a sample each call, all in checkAll
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
        bytes4[13] memory calls = [
            IPolicyRegistry.record.selector,
            IPolicyRegistry.recordBySignature.selector,
            IPolicyRegistry.openAuthority.selector,
            IPolicyRegistry.setProfile.selector,
            IPolicyRegistry.reportCompromised.selector,
            IAccessControl.grantRole.selector,
            IAccessControl.revokeRole.selector,
            IAccessControl.renounceRole.selector,
            IAccessControlDefaultAdminRules.beginDefaultAdminTransfer.selector,
            IAccessControlDefaultAdminRules.acceptDefaultAdminTransfer.selector,
            IAccessControlDefaultAdminRules.cancelDefaultAdminTransfer.selector,
            IAccessControlDefaultAdminRules.changeDefaultAdminDelay.selector,
            IAccessControlDefaultAdminRules.rollbackDefaultAdminDelay.selector
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            if (_handler.succeeded(calls[i]) == 0) revert NeverSucceeded(calls[i]);
        }
        same(true, _handler.recordedByWallet() != 0, "recorded by the wallet");
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
