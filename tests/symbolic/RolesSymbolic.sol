// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RegistrySpec} from "./RegistrySpec.sol";

/// @dev Acts of authorities and of the admin, by any caller, at any time of 64 bits, on any storage and a log of any
/// size: whoever lacks the role that the act takes changes nothing, as the call reverts. Together with
/// {RecordSymbolic}, {SignatureSymbolic} and {AnyCallSymbolic}, which has all other functions, this is to say
/// that no path appends without a role. Acts that may be are not followed to their end here.
/// @custom:halmos --solver-timeout-branching 10s
contract RolesSymbolic is RegistrySpec {
    bytes32 private constant ADMIN = 0;
    bytes32 private constant CONTROLLER = bytes32(uint256(2));

    /// @dev Registrars are appointed by the authority's controllers, these by the parent's, or by the admin.
    function check_admin_of_each_role(bytes32 code, uint256 dot) external {
        vm.assume(both(code != 0, uint8(uint256(code)) == 0));
        assert(REGISTRY.getRoleAdmin(code | bytes32(uint256(1))) == code | CONTROLLER);
        assert(REGISTRY.getRoleAdmin(ADMIN) == ADMIN);
        dot = pick(dot, 0, 31);
        for (uint256 i = dot == 31 ? 0 : dot + 1; i < 31; ++i) {
            vm.assume(code[i] != ".");
        }
        if (dot < 31) vm.assume(code[dot] == ".");
        bytes32 parent = dot == 31 ? bytes32(0) : code & ~bytes32(type(uint256).max >> (dot * 8));
        assert(REGISTRY.getRoleAdmin(code | CONTROLLER) == (parent == 0 ? ADMIN : parent | CONTROLLER));
    }

    /// @dev Codes of up to 3 bytes, whatever is in them; no profile, or one of 3 bytes.
    function check_open_authority_without_the_role_reverts(
        address caller,
        bytes32 code,
        address controller,
        bytes32 manifest,
        bytes3 content,
        bool empty
    ) external {
        code &= bytes32(type(uint256).max << (8 * 29));
        bytes32 role = code[1] == "." ? (code & bytes32(type(uint256).max << (8 * 31))) | CONTROLLER : ADMIN;
        vm.assume(not(REGISTRY.hasRole(role, caller)));
        bytes memory bytes_ = empty ? bytes("") : bytes.concat(content);
        assert(!call(caller, abi.encodeCall(REGISTRY.openAuthority, (code, controller, manifest, bytes_))));
    }

    function check_set_profile_without_the_role_reverts(
        address caller,
        bytes32 code,
        bytes32 manifest,
        bytes3 content,
        bool empty
    ) external {
        vm.assume(not(both(uint8(uint256(code)) == 0, REGISTRY.hasRole(code | CONTROLLER, caller))));
        bytes memory bytes_ = empty ? bytes("") : bytes.concat(content);
        assert(!call(caller, abi.encodeCall(REGISTRY.setProfile, (code, manifest, bytes_))));
    }

    /// @dev Also of what is no role.
    function check_report_without_the_role_reverts(
        address caller,
        uint64 time,
        bytes32 role,
        address account,
        uint64 since
    ) external {
        vm.warp(time);
        vm.assume(not(_administers(caller, role)));
        assert(!call(caller, abi.encodeCall(REGISTRY.reportCompromised, (role, account, since))));
    }

    function check_grant_without_the_role_reverts(address caller, bytes32 role, address account) external {
        vm.assume(not(_administers(caller, role)));
        assert(!call(caller, abi.encodeCall(REGISTRY.grantRole, (role, account))));
    }

    function check_revoke_without_the_role_reverts(address caller, bytes32 role, address account) external {
        vm.assume(not(_administers(caller, role)));
        assert(!call(caller, abi.encodeCall(REGISTRY.revokeRole, (role, account))));
    }

    /// @dev The admin's role is neither granted nor revoked, by nobody.
    function check_grant_of_the_admins_role_reverts(address caller, address account, bool grant) external {
        bytes memory data = grant
            ? abi.encodeCall(REGISTRY.grantRole, (ADMIN, account))
            : abi.encodeCall(REGISTRY.revokeRole, (ADMIN, account));
        assert(!call(caller, data));
    }

    /// @dev Only one's own role is given up, and where there is none, the log stays as it is.
    function check_renounce_of_nothing_appends_nothing(address caller, uint64 time, bytes32 role, address account)
        external
    {
        vm.warp(time);
        vm.assume(not(both(account == caller, REGISTRY.hasRole(role, caller))));
        uint256 log = load(LOG);
        bool success = call(caller, abi.encodeCall(REGISTRY.renounceRole, (role, account)));
        assert(load(LOG) == log);
        if (success) assert(account == caller);
    }

    /// @dev The admin's own functions, of which {PolicyRegistry-retire} alone appends.
    function check_acts_of_the_admin_by_another_revert(
        address caller,
        uint64 time,
        uint256 which,
        address next,
        uint48 delay
    ) external {
        vm.warp(time);
        vm.assume(not(REGISTRY.hasRole(ADMIN, caller)));
        bytes[4] memory acts = [
            abi.encodeCall(REGISTRY.retire, (next)),
            abi.encodeCall(REGISTRY.cancelDefaultAdminTransfer, ()),
            abi.encodeCall(REGISTRY.changeDefaultAdminDelay, (delay)),
            abi.encodeCall(REGISTRY.rollbackDefaultAdminDelay, ())
        ];
        assert(!call(caller, acts[pick(which, 0, 3)]));
    }

    /// @dev The admin is who {defaultAdmin} says, whoever has the role.
    function check_offer_by_another_reverts(address caller, uint64 time, address next) external {
        vm.warp(time);
        vm.assume(caller != REGISTRY.defaultAdmin());
        assert(!call(caller, abi.encodeCall(REGISTRY.beginDefaultAdminTransfer, (next))));
    }

    /// @dev The admin's role is taken over by the account that it was offered to, after the time set for it.
    function check_acceptance_without_an_offer_reverts(address caller, uint64 time) external {
        vm.warp(time);
        (address next, uint48 schedule) = REGISTRY.pendingDefaultAdmin();
        vm.assume(not(both(caller == next, both(schedule != 0, schedule < time))));
        assert(!call(caller, abi.encodeCall(REGISTRY.acceptDefaultAdminTransfer, ())));
    }

    function check_reachable_grant(address caller, address account) external {
        open(1);
        assert(
            !call(caller, abi.encodeCall(REGISTRY.grantRole, (bytes32("CN.GD") | CONTROLLER, account)))
                || load(LOG) == 1
        );
    }

    /// @dev Whether the caller has the role that administers `role`.
    function _administers(address caller, bytes32 role) private view returns (bool) {
        try REGISTRY.getRoleAdmin(role) returns (bytes32 admin) {
            return REGISTRY.hasRole(admin, caller);
        } catch {
            return false;
        }
    }
}
