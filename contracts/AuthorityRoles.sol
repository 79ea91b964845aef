// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {
    AccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";
import {AuthorityCode} from "./AuthorityCode.sol";
import {Action, Entry, NO_DATE, NO_ENTRY} from "./Entry.sol";
import {PolicyLog} from "./PolicyLog.sol";

/// @notice Authorities and who may act for them, all of it in the log.
/// @dev The code's prefix is the chain of command: controllers of `CN` open `CN.GD` and appoint its
/// controllers, who appoint its registrars. Which role administers which is computed from the
/// role id and never stored. {_grantRole} and {_revokeRole} are the only places where a role
/// changes, whatever the path, and each change appends one entry there.
abstract contract AuthorityRoles is PolicyLog, AccessControlDefaultAdminRules {
    constructor(address admin, uint48 adminTransferDelay) AccessControlDefaultAdminRules(adminTransferDelay, admin) {
        // The base constructor appointed the admin: that is entry 0. Nobody was offered the role, also where
        // other code ran on this storage before.
        _cancelDefaultAdminTransfer();
        _emitCheckpoint();
    }

    function openAuthority(bytes32 code, address controller, bytes32 manifest, bytes calldata content)
        external
        checkpointed
    {
        AuthorityCode.validate(code);
        bytes32 parent = AuthorityCode.parent(code);
        if (parent != 0) _requireOpen(parent);
        bytes32 role = AuthorityCode.controllerRole(code);
        _checkRole(getRoleAdmin(role));
        if (isOpen(code)) revert AuthorityAlreadyOpen(code);
        _appendAct(code, 0, Action.OpenAuthority, 0, manifest);
        if (content.length != 0) _publishManifest(manifest, content);
        _grantRole(role, controller);
    }

    function setProfile(bytes32 code, bytes32 manifest, bytes calldata content) external checkpointed {
        _requireOpen(code);
        _checkRole(AuthorityCode.controllerRole(code));
        if (manifest == 0) revert ManifestRequired(code, 0);
        _appendAct(code, 0, Action.SetProfile, 0, manifest);
        if (content.length != 0) _publishManifest(manifest, content);
    }

    function reportCompromised(bytes32 role, address account, uint64 since) external checkpointed {
        bytes32 code = AuthorityCode.ofRole(role);
        _requireOpen(code);
        _checkRole(getRoleAdmin(role));
        if (account == address(0)) revert InvalidAccount(account);
        if (since > block.timestamp) revert CompromiseInFuture(since, block.timestamp);
        _appendAct(code, _subject(account), Action.ReportCompromise, bytes32(uint256(since)), 0);
        _revokeRole(role, account);
    }

    function retire(address next) external checkpointed onlyRole(DEFAULT_ADMIN_ROLE) {
        _appendAct(0, _subject(next), Action.Retire, 0, 0);
        _close(next);
    }

    /// @notice Appoints `account`: one entry, unless it has the role already.
    /// @dev Reverts with `AccessControlEnforcedDefaultAdminRules` for the admin's role, and with
    /// `UnknownRole`, `AccessControlUnauthorizedAccount`, {AuthorityNotOpen}, {InvalidAccount} or {Retired}.
    function grantRole(bytes32 role, address account) public override checkpointed {
        super.grantRole(role, account);
    }

    /// @notice Dismisses `account`: one entry, unless it does not have the role.
    /// @dev Reverts with `AccessControlEnforcedDefaultAdminRules` for the admin's role, and with
    /// `UnknownRole`, `AccessControlUnauthorizedAccount` or {Retired}.
    function revokeRole(bytes32 role, address account) public override checkpointed {
        super.revokeRole(role, account);
    }

    /// @notice Gives up one's own role: one entry, unless one does not have it.
    /// @dev Reverts with `AccessControlBadConfirmation`, `AccessControlEnforcedDefaultAdminDelay` or {Retired}.
    function renounceRole(bytes32 role, address account) public override checkpointed {
        super.renounceRole(role, account);
    }

    /// @notice Offers the admin's role to `next`, in no entry.
    /// @dev Asks for the admin, not for who has the role: that there is one admin is what the constructor
    /// sees to, and a role that other code left on this storage must not lead to another one.
    /// Reverts with `AccessControlUnauthorizedAccount`.
    function beginDefaultAdminTransfer(address next) public override {
        if (msg.sender != defaultAdmin()) revert AccessControlUnauthorizedAccount(msg.sender, DEFAULT_ADMIN_ROLE);
        super.beginDefaultAdminTransfer(next);
    }

    /// @notice Becomes the admin in the former one's place: two entries.
    /// @dev Reverts with `AccessControlInvalidDefaultAdmin`, `AccessControlEnforcedDefaultAdminDelay` or {Retired}.
    function acceptDefaultAdminTransfer() public override checkpointed {
        super.acceptDefaultAdminTransfer();
    }

    /// @notice The role that grants and revokes `role`: an authority's controllers for its registrars,
    /// its parent's controllers for its controllers, the admin where there is no parent.
    /// @dev Reverts with `UnknownRole`.
    function getRoleAdmin(bytes32 role) public pure override(AccessControl, IAccessControl) returns (bytes32) {
        if (role == DEFAULT_ADMIN_ROLE) return DEFAULT_ADMIN_ROLE;
        bytes32 code = AuthorityCode.ofRole(role);
        if (!AuthorityCode.isController(role)) return AuthorityCode.controllerRole(code);
        bytes32 parent = AuthorityCode.parent(code);
        return parent == 0 ? DEFAULT_ADMIN_ROLE : AuthorityCode.controllerRole(parent);
    }

    function isOpen(bytes32 code) public view returns (bool) {
        return code != 0 && _acts[code][0].sequence != 0;
    }

    function registrarRole(bytes32 code) external pure returns (bytes32) {
        return AuthorityCode.registrarRole(code);
    }

    function controllerRole(bytes32 code) external pure returns (bytes32) {
        return AuthorityCode.controllerRole(code);
    }

    function _grantRole(bytes32 role, address account) internal override returns (bool granted) {
        if (account == address(0)) revert InvalidAccount(account);
        if (role != DEFAULT_ADMIN_ROLE) _requireOpen(AuthorityCode.ofRole(role));
        granted = super._grantRole(role, account);
        if (granted) {
            _appendRoleAct(role, account, Action.AppointAdmin, Action.AppointController, Action.AppointRegistrar);
        }
    }

    function _revokeRole(bytes32 role, address account) internal override returns (bool revoked) {
        revoked = super._revokeRole(role, account);
        if (revoked) {
            _appendRoleAct(role, account, Action.DismissAdmin, Action.DismissController, Action.DismissRegistrar);
        }
    }

    /// @dev Appends the action that fits the kind of role.
    function _appendRoleAct(bytes32 role, address account, Action admin, Action controller, Action registrar) private {
        if (role == DEFAULT_ADMIN_ROLE) {
            _appendAct(0, _subject(account), admin, 0, 0);
        } else {
            Action action = AuthorityCode.isController(role) ? controller : registrar;
            _appendAct(AuthorityCode.ofRole(role), _subject(account), action, 0, 0);
        }
    }

    /// @dev Appends an authority act by the sender. Reverts with {Retired}.
    function _appendAct(bytes32 code, bytes32 subject, Action action, bytes32 document, bytes32 manifest) private {
        uint64 size = _openLog();
        ActState memory act = _acts[code][subject];
        Entry memory entry = Entry({
            index: size,
            previous: act.sequence == 0 ? NO_ENTRY : act.head,
            authority: code,
            number: subject,
            sequence: act.sequence + 1,
            action: action,
            effectiveOn: NO_DATE,
            document: document,
            manifest: manifest,
            registrar: msg.sender,
            recordedAt: uint64(block.timestamp)
        });
        _acts[code][subject] = ActState({sequence: entry.sequence, head: entry.index});
        bytes32[] memory leaves = new bytes32[](1);
        leaves[0] = _emitEntry(entry);
        _append(size, leaves);
    }

    function _requireOpen(bytes32 code) private view {
        if (!isOpen(code)) revert AuthorityNotOpen(code);
    }

    function _subject(address account) private pure returns (bytes32) {
        return bytes32(uint256(uint160(account)));
    }
}
