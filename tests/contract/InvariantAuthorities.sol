// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {
    IAccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/IAccessControlDefaultAdminRules.sol";
import {AuthorityCode} from "../../contracts/AuthorityCode.sol";
import {Action, NO_DATE} from "../../contracts/Entry.sol";
import {IPolicyRegistry} from "../../contracts/IPolicyRegistry.sol";
import {InvariantRegistrars} from "./InvariantRegistrars.sol";

/// @dev The acts of authorities, and the passing of time. Each sender mostly has the role for it.
abstract contract InvariantAuthorities is InvariantRegistrars {
    function wait(uint256 seed) external step(seed) {
        clock += _random(8) == 0 ? _random(5 days) : _random(1 hours);
        vm.warp(clock);
    }

    function openAuthority(uint256 seed) external step(seed) {
        bytes32 code = _anyCode();
        bool wrong = _random(8) == 0;
        bytes32 above = _above(_controllers(code));
        address sender = _holder(above);
        address first = _random(20) == 0 ? address(0) : _anyone();
        (bytes32 manifest, bytes memory content) = _profile();
        bytes memory refusal = _openRefusal(code, sender, above);
        if (refusal.length == 0) refusal = _refusal(manifest, content);
        if (refusal.length == 0 && first == address(0)) refusal = _error(IPolicyRegistry.InvalidAccount.selector, 0);
        if (wrong) {
            code = [bytes32(0), "cn", "CN.", "CN..A", bytes32("CN") | bytes32(uint256(1))][_random(5)];
            refusal = _error(AuthorityCode.InvalidAuthorityCode.selector, code);
        }
        if (refusal.length == 0) {
            _expect(abi.encode(code, 0, Action.OpenAuthority, NO_DATE, 0, manifest, sender));
            _expectManifest(content);
            _expect(abi.encode(code, _word(first), Action.AppointController, NO_DATE, 0, 0, sender));
        }
        _act(sender, abi.encodeCall(IPolicyRegistry.openAuthority, (code, first, manifest, content)), refusal);
    }

    function _openRefusal(bytes32 code, address sender, bytes32 above) private view returns (bytes memory) {
        if (parents[code] != 0 && !opened[parents[code]]) return _notOpen(parents[code]);
        if (!holds[above][sender]) return _unauthorized(sender, above);
        if (opened[code]) return _error(IPolicyRegistry.AuthorityAlreadyOpen.selector, code);
        return _retired();
    }

    function setProfile(uint256 seed) external step(seed) {
        bytes32 code = _anyCode();
        address sender = _holder(_controllers(code));
        (bytes32 manifest, bytes memory content) = _profile();
        bytes memory refusal = _profileRefusal(code, sender, manifest);
        if (refusal.length == 0) refusal = _refusal(manifest, content);
        if (refusal.length == 0) {
            _expect(abi.encode(code, 0, Action.SetProfile, NO_DATE, 0, manifest, sender));
            _expectManifest(content);
        }
        _act(sender, abi.encodeCall(IPolicyRegistry.setProfile, (code, manifest, content)), refusal);
    }

    function _profileRefusal(bytes32 code, address sender, bytes32 manifest) private view returns (bytes memory) {
        if (!opened[code]) return _notOpen(code);
        if (!holds[_controllers(code)][sender]) return _unauthorized(sender, _controllers(code));
        if (manifest == 0) return abi.encodeWithSelector(IPolicyRegistry.ManifestRequired.selector, code, 0);
        return _retired();
    }

    /// @dev A digest with its bytes or without, or none, or one of other bytes.
    function _profile() private returns (bytes32 manifest, bytes memory content) {
        content = _content(0);
        manifest = sha256(content);
        uint256 kind = _random(8);
        if (kind == 0) manifest = ~manifest;
        if (kind == 1) manifest = 0;
        if (kind == 1 || kind > 4) content = "";
    }

    function appoint(uint256 seed) external step(seed) {
        _appoint(_random(20) == 0 ? address(0) : _anyone());
    }

    function appointTheWallet(uint256 seed) external step(seed) {
        _appoint(_wallet());
    }

    function _appoint(address account) private {
        bytes32 role = _anyRole();
        address sender = _holder(_isRole(role) ? _above(role) : bytes32(0));
        bytes memory refusal = _roleRefusal(role, sender);
        if (refusal.length == 0 && account == address(0)) refusal = _error(IPolicyRegistry.InvalidAccount.selector, 0);
        if (refusal.length == 0 && !opened[_codeOf(role)]) refusal = _notOpen(_codeOf(role));
        if (refusal.length == 0 && !holds[role][account]) {
            refusal = _retired();
            if (refusal.length == 0) {
                _expectRole(role, account, Action.AppointController, Action.AppointRegistrar, sender);
            }
        }
        _act(sender, abi.encodeCall(IAccessControl.grantRole, (role, account)), refusal);
    }

    function dismiss(uint256 seed) external step(seed) {
        bytes32 role = _anyRole();
        address account = _holder(role);
        address sender = _holder(_isRole(role) ? _above(role) : bytes32(0));
        bytes memory refusal = _roleRefusal(role, sender);
        if (refusal.length == 0) refusal = _expectDismissal(role, account, sender);
        _act(sender, abi.encodeCall(IAccessControl.revokeRole, (role, account)), refusal);
    }

    function renounce(uint256 seed) external step(seed) {
        bytes32 role = _anyRole();
        address account = _holder(role);
        address sender = _random(8) == 0 ? _anyone() : account;
        bytes memory refusal;
        bool admin = role == 0 && holds[0][account];
        if (admin && (heir != address(0) || schedule == 0 || schedule >= clock)) {
            refusal = _delayed();
        } else if (sender != account) {
            refusal = abi.encodeWithSelector(IAccessControl.AccessControlBadConfirmation.selector);
        } else if (admin && !closed) {
            _expect(abi.encode(0, _word(account), Action.DismissAdmin, NO_DATE, 0, 0, sender));
            schedule = 0;
        } else {
            refusal = _expectDismissal(role, account, sender);
        }
        _act(sender, abi.encodeCall(IAccessControl.renounceRole, (role, account)), refusal);
    }

    function reportCompromised(uint256 seed) external step(seed) {
        bytes32 role = _anyRole();
        address account = _random(20) == 0 ? address(0) : _holder(role);
        address sender = _holder(_isRole(role) ? _above(role) : bytes32(0));
        uint64 since = uint64(_random(6) == 0 ? clock + 1 : clock - _random(1000));
        bytes memory refusal;
        if (!_isRole(role)) {
            refusal = _error(AuthorityCode.UnknownRole.selector, role);
        } else if (!opened[_codeOf(role)]) {
            refusal = _notOpen(_codeOf(role));
        } else if (!holds[_above(role)][sender]) {
            refusal = _unauthorized(sender, _above(role));
        } else if (account == address(0)) {
            refusal = _error(IPolicyRegistry.InvalidAccount.selector, 0);
        } else if (since > clock) {
            refusal = abi.encodeWithSelector(IPolicyRegistry.CompromiseInFuture.selector, since, clock);
        } else {
            refusal = _retired();
        }
        if (refusal.length == 0) {
            bytes32 code = _codeOf(role);
            _expect(abi.encode(code, _word(account), Action.ReportCompromise, NO_DATE, uint256(since), 0, sender));
            _expectDismissal(role, account, sender);
        }
        _act(sender, abi.encodeCall(IPolicyRegistry.reportCompromised, (role, account, since)), refusal);
    }

    function _anyRole() private returns (bytes32) {
        uint256 kind = _random(24);
        bytes32 code = _anyCode();
        if (kind == 0) return 0;
        if (kind == 1) return [code, code | bytes32(uint256(3)), bytes32(uint256(1))][_random(3)];
        return kind < 10 ? _controllers(code) : _registrars(code);
    }

    function _codeOf(bytes32 role) private pure returns (bytes32) {
        return role >> 8 << 8;
    }

    function _isRole(bytes32 role) private pure returns (bool) {
        uint256 kind = uint256(role) % 256;
        return _codeOf(role) != 0 && (kind == 1 || kind == 2);
    }

    /// @dev What meets one who grants or revokes.
    function _roleRefusal(bytes32 role, address sender) private view returns (bytes memory) {
        if (role == 0) {
            return
                abi.encodeWithSelector(IAccessControlDefaultAdminRules.AccessControlEnforcedDefaultAdminRules.selector);
        }
        if (!_isRole(role)) return _error(AuthorityCode.UnknownRole.selector, role);
        return holds[_above(role)][sender] ? bytes("") : _unauthorized(sender, _above(role));
    }

    /// @dev Expects the entry if the role is held, and nothing otherwise.
    function _expectDismissal(bytes32 role, address account, address sender) private returns (bytes memory refusal) {
        if (!holds[role][account]) return "";
        refusal = _retired();
        if (refusal.length == 0) {
            _expectRole(role, account, Action.DismissController, Action.DismissRegistrar, sender);
        }
    }

    function _expectRole(bytes32 role, address account, Action controller, Action registrar, address sender) private {
        bytes32 code = _codeOf(role);
        Action action = role == _controllers(code) ? controller : registrar;
        _expect(abi.encode(code, _word(account), action, NO_DATE, 0, 0, sender));
    }

    function _notOpen(bytes32 code) private pure returns (bytes memory) {
        return _error(IPolicyRegistry.AuthorityNotOpen.selector, code);
    }

    function _delayed() internal view returns (bytes memory) {
        return abi.encodeWithSelector(
            IAccessControlDefaultAdminRules.AccessControlEnforcedDefaultAdminDelay.selector, schedule
        );
    }
}
