// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {
    IAccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/IAccessControlDefaultAdminRules.sol";
import {Action, Entry, NO_ENTRY} from "../../contracts/Entry.sol";
import {IPolicyRegistry} from "../../contracts/IPolicyRegistry.sol";
import {NaiveTree} from "./NaiveTree.sol";
import {RegistryTest} from "./RegistryTest.sol";

/// @dev The end of a log.
contract RetireTest is RegistryTest {
    address private _successor = address(0x5CC);

    function _retire() private {
        does(admin, abi.encodeCall(IPolicyRegistry.retire, (_successor)));
    }

    function test_only_the_admin_retires_the_registry() public {
        address[3] memory others = [controller, registrar, stranger];
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory data = abi.encodeCall(IPolicyRegistry.retire, (_successor));
            refuses(others[i], data, unauthorized(others[i], 0));
        }
        same(false, registry.retired(), "retired");
    }

    function test_retiring_is_the_last_entry_and_names_the_successor() public {
        _retire();
        sameAct(last(), Action.Retire, 0, word(_successor), 1, NO_ENTRY, admin);
        same(true, registry.retired(), "retired");
        same(word(_successor), word(registry.successor()), "successor");
        uint256 packed = uint256(uint160(_successor)) << 72 | 1 << 64 | leaves.length;
        same(packed, uint256(vm.load(address(registry), 0)), "slot 0");
    }

    function test_there_may_be_no_successor() public {
        _successor = address(0);
        _retire();
        same(false, registry.isOpen(0), "the registry itself is no authority");
        _closed(registrar, recording(submission("1", 1, Action.Publish)));
    }

    function _closed(address sender, bytes memory data) private {
        refuses(sender, data, abi.encodeWithSelector(IPolicyRegistry.Retired.selector, _successor));
    }

    function test_nothing_is_appended_any_more_by_any_path() public {
        does(admin, abi.encodeCall(IAccessControlDefaultAdminRules.beginDefaultAdminTransfer, (stranger)));
        bytes32 role = registry.registrarRole(CN);
        IPolicyRegistry.Submission[] memory list = one(submission("1", 1, Action.Publish));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(7, registry.digestOf(list, vm.addr(7), uint64(NOW * 2)));
        _grant(role, vm.addr(7));
        _retire();
        vm.warp(block.timestamp + DELAY + 1);

        _closed(registrar, recording(list[0]));
        bytes memory signature = bytes.concat(r, s, bytes1(v));
        _closed(
            stranger,
            abi.encodeCall(
                IPolicyRegistry.recordBySignature, (list, new bytes[](0), vm.addr(7), uint64(NOW * 2), signature)
            )
        );
        _closed(admin, abi.encodeCall(IPolicyRegistry.openAuthority, ("FR", controller, 0, "")));
        _closed(controller, abi.encodeCall(IPolicyRegistry.setProfile, (CN, "x", "")));
        _closed(controller, abi.encodeCall(IAccessControl.grantRole, (role, stranger)));
        _closed(controller, abi.encodeCall(IAccessControl.revokeRole, (role, registrar)));
        _closed(registrar, abi.encodeCall(IAccessControl.renounceRole, (role, registrar)));
        _closed(controller, abi.encodeCall(IPolicyRegistry.reportCompromised, (role, registrar, 0)));
        _closed(stranger, abi.encodeCall(IAccessControlDefaultAdminRules.acceptDefaultAdminTransfer, ()));
        _closed(admin, abi.encodeCall(IPolicyRegistry.retire, (stranger)));
    }

    function test_what_was_recorded_is_still_read_and_proved() public {
        does(registrar, recording(submission("1", 1, Action.Publish)));
        Entry memory entry = last();
        _retire();
        collect();
        same(1, registry.policy(CN, "1").sequence, "policy");
        bytes32[] memory path = NaiveTree.inclusion(leaves, entry.index, leaves.length);
        registry.verifyInclusion(entry, path);
    }
}
