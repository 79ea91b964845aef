// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {
    IAccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/IAccessControlDefaultAdminRules.sol";
import {AuthorityCode} from "../../contracts/AuthorityCode.sol";
import {Action, Entry, NO_ENTRY} from "../../contracts/Entry.sol";
import {IPolicyRegistry} from "../../contracts/IPolicyRegistry.sol";
import {RegistryTest} from "./RegistryTest.sol";

/// @dev Authorities, and every path that changes a role.
contract AuthorityTest is RegistryTest {
    function _opening(bytes32 code) private view returns (bytes memory) {
        return abi.encodeCall(IPolicyRegistry.openAuthority, (code, controller, 0, ""));
    }

    function _granting(bytes32 role, address account) private pure returns (bytes memory) {
        return abi.encodeCall(IAccessControl.grantRole, (role, account));
    }

    function _revoking(bytes32 role, address account) private pure returns (bytes memory) {
        return abi.encodeCall(IAccessControl.revokeRole, (role, account));
    }

    function _renouncing(bytes32 role, address account) private pure returns (bytes memory) {
        return abi.encodeCall(IAccessControl.renounceRole, (role, account));
    }

    function _error(bytes4 selector, bytes32 value) private pure returns (bytes memory) {
        return abi.encodeWithSelector(selector, value);
    }

    function test_the_first_entry_appoints_the_admin() public {
        delete leaves;
        registry = _deploy(admin, DELAY);
        Entry memory entry = last();
        sameAct(entry, Action.AppointAdmin, 0, word(admin), 1, NO_ENTRY, address(this));
        same(word(admin), word(registry.defaultAdmin()), "admin");
    }

    function test_there_is_no_registry_without_an_admin() public {
        bytes memory code = vm.getCode("PolicyRegistry.sol:PolicyRegistry");
        code = bytes.concat(code, abi.encode(address(0), DELAY));
        address deployed;
        assembly ("memory-safe") {
            deployed := create(0, add(code, 32), mload(code))
        }
        same(bytes32(0), word(deployed), "deployed");
    }

    function test_opening_appends_the_authority_and_its_controller() public {
        bytes memory data = abi.encodeCall(IPolicyRegistry.openAuthority, ("CN.SH-1", stranger, sha256("{}"), "{}"));
        does(controller, data);
        (Entry[] memory entries, bytes[] memory manifests, uint256 checkpoints) = collect();
        same(2, entries.length, "entries");
        same(1, checkpoints, "checkpoints");
        same(1, manifests.length, "manifests");
        sameAct(entries[0], Action.OpenAuthority, "CN.SH-1", 0, 1, NO_ENTRY, controller);
        sameAct(entries[1], Action.AppointController, "CN.SH-1", word(stranger), 1, NO_ENTRY, controller);
        same(sha256("{}"), entries[0].manifest, "manifest");
        same(true, registry.isOpen("CN.SH-1"), "open");
        same(true, registry.hasRole(registry.controllerRole("CN.SH-1"), stranger), "controller");
    }

    function test_the_longest_profile_leaves_nothing_behind_in_the_next_leaf() public {
        bytes memory profile = new bytes(8192);
        for (uint256 i = 0; i < profile.length; ++i) {
            profile[i] = 0xff;
        }
        does(admin, abi.encodeCall(IPolicyRegistry.openAuthority, ("FR", stranger, sha256(profile), profile)));
        (Entry[] memory entries,,) = collect();
        same(2, entries.length, "entries");
    }

    function test_codes_are_well_formed() public {
        bytes32[5] memory right = [bytes32("A"), "0", "A-1", "0-9", "ABCDEFGHIJKLMNOPQRSTUVWXYZ-1234"];
        for (uint256 i = 0; i < right.length; ++i) {
            does(admin, _opening(right[i]));
        }
        does(controller, _opening("A-1.B"));
        bytes32[22] memory wrong = [
            bytes32(0),
            "a",
            ".A",
            "A.",
            "-A",
            "A-",
            "A..B",
            "A--B",
            "A.-B",
            "A-.B",
            "A B",
            "A_B",
            "A/B",
            "A:B",
            "A@B",
            "A[B",
            "A\x00B",
            "\x00A",
            unicode"中",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZ-12345",
            "FR.DEFGHIJKLMNOPQRSTUVWXYZ-12345",
            bytes32("A") | bytes32(uint256(1))
        ];
        for (uint256 i = 0; i < wrong.length; ++i) {
            refuses(admin, _opening(wrong[i]), _error(AuthorityCode.InvalidAuthorityCode.selector, wrong[i]));
        }
    }

    function test_an_authority_is_opened_by_its_parents_controllers() public {
        bytes32 code = "CN.SH";
        bytes32 role = registry.controllerRole(CN);
        address[3] memory others = [admin, registrar, stranger];
        for (uint256 i = 0; i < 3; ++i) {
            refuses(others[i], _opening(code), unauthorized(others[i], role));
        }
        refuses(controller, _opening("FR"), unauthorized(controller, 0));
        refuses(admin, _opening("FR.A"), _error(IPolicyRegistry.AuthorityNotOpen.selector, "FR"));
        refuses(controller, _opening(GD), _error(IPolicyRegistry.AuthorityAlreadyOpen.selector, GD));
        refuses(admin, _opening(CN), _error(IPolicyRegistry.AuthorityAlreadyOpen.selector, CN));
        bytes memory nobody = abi.encodeCall(IPolicyRegistry.openAuthority, (code, address(0), 0, ""));
        refuses(controller, nobody, _error(IPolicyRegistry.InvalidAccount.selector, 0));
        bytes memory mismatched = abi.encodeCall(IPolicyRegistry.openAuthority, (code, stranger, 0, "{}"));
        bytes4 selector = IPolicyRegistry.ManifestMismatch.selector;
        refuses(controller, mismatched, abi.encodeWithSelector(selector, 0, sha256("{}")));
    }

    function test_a_controller_of_a_grandparent_opens_nothing_below_the_child() public {
        _grant(registry.controllerRole(GD), stranger);
        does(controller, _revoking(registry.controllerRole(GD), controller));
        bytes memory expected = unauthorized(controller, registry.controllerRole(GD));
        refuses(controller, _opening("CN.GD.SZ"), expected);
        does(stranger, _opening("CN.GD.SZ"));
    }

    function test_profiles_continue_the_authoritys_own_chain() public {
        bytes memory data = abi.encodeCall(IPolicyRegistry.setProfile, (CN, sha256("{}"), "{}"));
        uint64 opened = registry.authorityAct(CN, 0).head;
        does(controller, data);
        sameAct(last(), Action.SetProfile, CN, 0, 2, opened, controller);
        does(controller, abi.encodeCall(IPolicyRegistry.setProfile, (CN, "x", "")));
        same(3, registry.authorityAct(CN, 0).sequence, "sequence");
        address[3] memory others = [admin, registrar, stranger];
        for (uint256 i = 0; i < 3; ++i) {
            refuses(others[i], data, unauthorized(others[i], registry.controllerRole(CN)));
        }
        bytes memory unnamed = abi.encodeCall(IPolicyRegistry.setProfile, (CN, 0, ""));
        refuses(controller, unnamed, abi.encodeWithSelector(IPolicyRegistry.ManifestRequired.selector, CN, 0));
        bytes memory closed = abi.encodeCall(IPolicyRegistry.setProfile, ("FR", "x", ""));
        refuses(controller, closed, _error(IPolicyRegistry.AuthorityNotOpen.selector, "FR"));
    }

    function test_a_profiles_bytes_are_checked_and_emitted() public {
        bytes memory other = abi.encodeCall(IPolicyRegistry.setProfile, (CN, "x", "{}"));
        bytes4 selector = IPolicyRegistry.ManifestMismatch.selector;
        refuses(controller, other, abi.encodeWithSelector(selector, bytes32("x"), sha256("{}")));
        vm.recordLogs(); // forge keeps the events of a reverted call; the chain does not
        does(controller, abi.encodeCall(IPolicyRegistry.setProfile, (CN, sha256("{}"), "{}")));
        (, bytes[] memory manifests,) = collect();
        same(1, manifests.length, "manifests");
        same(keccak256("{}"), keccak256(manifests[0]), "bytes");
    }

    function test_granting_revoking_and_renouncing_append_exactly_when_the_role_changes() public {
        bytes32 role = registry.registrarRole(CN);
        bytes32 subject = word(stranger);
        does(controller, _granting(role, stranger));
        Entry memory entry = last();
        sameAct(entry, Action.AppointRegistrar, CN, subject, 1, NO_ENTRY, controller);
        does(controller, _granting(role, stranger));
        _nothingAppended();
        does(controller, _revoking(role, stranger));
        uint64 head = entry.index;
        entry = last();
        sameAct(entry, Action.DismissRegistrar, CN, subject, 2, head, controller);
        does(controller, _revoking(role, stranger));
        _nothingAppended();
        does(stranger, _renouncing(role, stranger));
        _nothingAppended();
        does(controller, _granting(role, stranger));
        head = last().index;
        does(stranger, _renouncing(role, stranger));
        sameAct(last(), Action.DismissRegistrar, CN, subject, 4, head, stranger);
        refuses(
            controller,
            _renouncing(role, registrar),
            abi.encodeWithSelector(IAccessControl.AccessControlBadConfirmation.selector)
        );
        same(4, registry.authorityAct(CN, subject).sequence, "sequence");
    }

    function _nothingAppended() private {
        (Entry[] memory entries,, uint256 checkpoints) = collect();
        same(0, entries.length, "entries");
        same(0, checkpoints, "checkpoints");
    }

    function test_controllers_are_appointed_from_above() public {
        bytes32 role = registry.controllerRole(GD);
        does(controller, _granting(role, stranger));
        sameAct(last(), Action.AppointController, GD, word(stranger), 1, NO_ENTRY, controller);
        does(controller, _revoking(role, stranger));
        same(uint256(Action.DismissController), uint256(last().action), "action");
        bytes32 above = registry.controllerRole(CN);
        address[3] memory others = [admin, registrar, stranger];
        for (uint256 i = 0; i < 3; ++i) {
            refuses(others[i], _granting(role, stranger), unauthorized(others[i], above));
            refuses(others[i], _revoking(role, controller), unauthorized(others[i], above));
        }
        does(admin, _granting(above, stranger));
        refuses(controller, _granting(above, stranger), unauthorized(controller, 0));
    }

    function test_registrars_are_appointed_by_the_authoritys_own_controllers() public {
        bytes32 role = registry.registrarRole(CN);
        address[3] memory others = [admin, registrar, stranger];
        for (uint256 i = 0; i < 3; ++i) {
            refuses(others[i], _granting(role, stranger), unauthorized(others[i], registry.controllerRole(CN)));
        }
        same(registry.controllerRole(CN), registry.getRoleAdmin(role), "registrar");
        same(registry.controllerRole(CN), registry.getRoleAdmin(registry.controllerRole(GD)), "controller");
        same(bytes32(0), registry.getRoleAdmin(registry.controllerRole(CN)), "top");
        same(bytes32(0), registry.getRoleAdmin(0), "admin");
    }

    function test_only_roles_of_open_authorities_are_granted() public {
        bytes32[4] memory unknown = [bytes32(uint256(1)), bytes32(uint256(2)), CN, CN | bytes32(uint256(3))];
        for (uint256 i = 0; i < 4; ++i) {
            bytes memory expected = _error(AuthorityCode.UnknownRole.selector, unknown[i]);
            refuses(admin, _granting(unknown[i], stranger), expected);
            refuses(admin, _revoking(unknown[i], stranger), expected);
            does(stranger, _renouncing(unknown[i], stranger));
        }
        bytes memory closed = _error(IPolicyRegistry.AuthorityNotOpen.selector, "FR");
        refuses(admin, _granting(bytes32("FR") | bytes32(uint256(2)), stranger), closed);
        bytes32 role = registry.registrarRole(CN);
        refuses(controller, _granting(role, address(0)), _error(IPolicyRegistry.InvalidAccount.selector, 0));
        _nothingAppended();
    }

    function test_role_ids_are_the_code_and_a_last_byte() public {
        same(CN | bytes32(uint256(1)), registry.registrarRole(CN), "registrar");
        same(CN | bytes32(uint256(2)), registry.controllerRole(CN), "controller");
        bytes32 taken = CN | bytes32(uint256(1));
        bytes memory expected = _error(AuthorityCode.InvalidAuthorityCode.selector, taken);
        refuses(stranger, abi.encodeCall(IPolicyRegistry.registrarRole, (taken)), expected);
        refuses(stranger, abi.encodeCall(IPolicyRegistry.controllerRole, (taken)), expected);
    }

    function test_the_admins_role_is_handed_over_in_two_entries() public {
        bytes memory enforced =
            abi.encodeWithSelector(IAccessControlDefaultAdminRules.AccessControlEnforcedDefaultAdminRules.selector);
        refuses(admin, _granting(0, stranger), enforced);
        refuses(admin, _revoking(0, admin), enforced);
        does(admin, abi.encodeCall(IAccessControlDefaultAdminRules.beginDefaultAdminTransfer, (stranger)));
        _nothingAppended();
        vm.warp(block.timestamp + DELAY + 1);
        does(stranger, abi.encodeCall(IAccessControlDefaultAdminRules.acceptDefaultAdminTransfer, ()));
        (Entry[] memory entries,, uint256 checkpoints) = collect();
        same(2, entries.length, "entries");
        same(1, checkpoints, "checkpoints");
        sameAct(entries[0], Action.DismissAdmin, 0, word(admin), 2, 0, stranger);
        sameAct(entries[1], Action.AppointAdmin, 0, word(stranger), 1, NO_ENTRY, stranger);
        does(stranger, _opening("FR"));
    }

    function test_the_admins_role_is_renounced_in_one_entry() public {
        does(admin, abi.encodeCall(IAccessControlDefaultAdminRules.beginDefaultAdminTransfer, (address(0))));
        vm.warp(block.timestamp + DELAY + 1);
        does(admin, _renouncing(0, admin));
        sameAct(last(), Action.DismissAdmin, 0, word(admin), 2, 0, admin);
        refuses(admin, _opening("FR"), unauthorized(admin, 0));
    }

    function _reporting(bytes32 role, address account, uint256 since) private pure returns (bytes memory) {
        return abi.encodeCall(IPolicyRegistry.reportCompromised, (role, account, uint64(since)));
    }

    function test_a_compromised_key_is_reported_and_dismissed() public {
        bytes32 role = registry.registrarRole(CN);
        uint64 appointed = registry.authorityAct(CN, word(registrar)).head;
        does(controller, _reporting(role, registrar, NOW - 5));
        (Entry[] memory entries,, uint256 checkpoints) = collect();
        same(2, entries.length, "entries");
        same(1, checkpoints, "checkpoints");
        sameAct(entries[0], Action.ReportCompromise, CN, word(registrar), 2, appointed, controller);
        sameAct(entries[1], Action.DismissRegistrar, CN, word(registrar), 3, entries[0].index, controller);
        same(NOW - 5, uint256(entries[0].document), "since");
        bytes memory data = recording(submission("1", 1, Action.Publish));
        refuses(registrar, data, unauthorized(registrar, role));
        does(controller, _reporting(role, registrar, NOW));
        same(uint256(Action.ReportCompromise), uint256(last().action), "again, without a dismissal");
    }

    function test_a_controllers_key_is_reported_from_above() public {
        bytes32 role = registry.controllerRole(CN);
        refuses(controller, _reporting(role, controller, NOW), unauthorized(controller, 0));
        does(admin, _reporting(role, controller, 0));
        (Entry[] memory entries,,) = collect();
        same(uint256(Action.DismissController), uint256(entries[1].action), "action");
    }

    function test_reports_are_refused_when_nobody_could_have_dismissed() public {
        bytes32 role = registry.registrarRole(CN);
        address[3] memory others = [admin, registrar, stranger];
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory expected = unauthorized(others[i], registry.controllerRole(CN));
            refuses(others[i], _reporting(role, registrar, NOW), expected);
        }
        refuses(admin, _reporting(0, admin, NOW), _error(AuthorityCode.UnknownRole.selector, 0));
        refuses(
            controller,
            _reporting(role, registrar, NOW + 1),
            abi.encodeWithSelector(IPolicyRegistry.CompromiseInFuture.selector, NOW + 1, NOW)
        );
        refuses(controller, _reporting(role, address(0), NOW), _error(IPolicyRegistry.InvalidAccount.selector, 0));
        bytes32 closed = bytes32("FR") | bytes32(uint256(2));
        refuses(admin, _reporting(closed, stranger, NOW), _error(IPolicyRegistry.AuthorityNotOpen.selector, "FR"));
    }

    function test_a_registrars_number_never_touches_an_authoritys_chain() public {
        IPolicyRegistry.Submission memory next = submission(word(registrar), 1, Action.Publish);
        does(registrar, recording(next));
        next = submission(0, 1, Action.Publish);
        does(registrar, recording(next));
        same(1, registry.authorityAct(CN, word(registrar)).sequence, "act");
        same(1, registry.authorityAct(CN, 0).sequence, "authority");
    }
}
