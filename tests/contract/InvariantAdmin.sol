// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    IAccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/IAccessControlDefaultAdminRules.sol";
import {Action, NO_DATE} from "../../contracts/Entry.sol";
import {IPolicyRegistry} from "../../contracts/IPolicyRegistry.sol";
import {InvariantAuthorities} from "./InvariantAuthorities.sol";

/// @dev The acts of the admin, of which only those that change a role, and the end, are in the log.
abstract contract InvariantAdmin is InvariantAuthorities {
    /// @dev Steps before which nobody retires the registry or leaves it without an admin.
    uint256 private constant ENDS_AFTER = 1_500;

    uint48 private _delay = DELAY;
    uint48 private _nextDelay;
    /// @dev The time after which the next delay holds; 0 for none.
    uint256 private _nextDelayAfter;

    /// @dev Seconds that a transfer takes which is begun now.
    function delayNow() public view returns (uint48) {
        return _nextDelayAfter != 0 && _nextDelayAfter < clock ? _nextDelay : _delay;
    }

    /// @dev To another admin mostly; seldom to none, since after that nobody opens anything.
    function beginTransfer(uint256 seed) external step(seed) {
        address to = steps > ENDS_AFTER && _random(20) == 0 ? address(0) : _anyone();
        bytes memory data = abi.encodeCall(IAccessControlDefaultAdminRules.beginDefaultAdminTransfer, (to));
        if (!_byAdmin(data)) return;
        heir = to;
        schedule = clock + delayNow();
        if (_random(2) == 0) _waitUntil(schedule + _random(2));
    }

    function acceptTransfer(uint256 seed) external step(seed) {
        address sender = heir == address(0) || _random(5) == 0 ? _anyone() : heir;
        if (sender == heir && _random(2) == 0) _waitUntil(schedule + _random(2));
        bytes memory refusal;
        if (sender != heir) {
            bytes4 selector = IAccessControlDefaultAdminRules.AccessControlInvalidDefaultAdmin.selector;
            refusal = _error(selector, _word(sender));
        } else if (schedule == 0 || schedule >= clock) {
            refusal = _delayed();
        } else {
            refusal = _retired();
        }
        if (refusal.length == 0) {
            _expect(abi.encode(0, _word(_mustHold(0)), Action.DismissAdmin, NO_DATE, 0, 0, sender));
            _expect(abi.encode(0, _word(sender), Action.AppointAdmin, NO_DATE, 0, 0, sender));
        }
        _act(sender, abi.encodeCall(IAccessControlDefaultAdminRules.acceptDefaultAdminTransfer, ()), refusal);
        if (refusal.length != 0) return;
        heir = address(0);
        schedule = 0;
    }

    /// @dev A transfer called off, another delay, or the change of the delay called off.
    function reconsider(uint256 seed) external step(seed) {
        uint256 kind = _random(4);
        if (kind == 0) _cancelTransfer();
        else if (kind == 1) _rollbackDelay();
        else _changeDelay();
    }

    function _cancelTransfer() private {
        if (!_byAdmin(abi.encodeCall(IAccessControlDefaultAdminRules.cancelDefaultAdminTransfer, ()))) return;
        heir = address(0);
        schedule = 0;
    }

    /// @dev A longer delay holds after itself or five days, a shorter one after the difference.
    function _changeDelay() private {
        uint48 next = uint48(_random(10 days));
        if (!_byAdmin(abi.encodeCall(IAccessControlDefaultAdminRules.changeDefaultAdminDelay, (next)))) return;
        uint48 longest = next < 5 days ? next : 5 days;
        _setDelay(next, clock + (next > delayNow() ? longest : delayNow() - next));
        if (_random(2) == 0) _waitUntil(_nextDelayAfter + _random(2));
    }

    function _rollbackDelay() private {
        if (!_byAdmin(abi.encodeCall(IAccessControlDefaultAdminRules.rollbackDefaultAdminDelay, ()))) return;
        _setDelay(0, 0);
    }

    function retire(uint256 seed) external step(seed) {
        address sender = _random(10) == 0 && steps > ENDS_AFTER ? _mustHold(0) : _anyone();
        if (holds[0][sender] && steps <= ENDS_AFTER) sender = address(this);
        address next = _anyone();
        bytes memory refusal = holds[0][sender] ? _retired() : _unauthorized(sender, 0);
        if (refusal.length == 0) _expect(abi.encode(0, _word(next), Action.Retire, NO_DATE, 0, 0, sender));
        _act(sender, abi.encodeCall(IPolicyRegistry.retire, (next)), refusal);
    }

    /// @dev Whether it was the admin who made the call, mostly. Nobody else can; nothing is appended.
    function _byAdmin(bytes memory data) private returns (bool) {
        address sender = _holder(0);
        _act(sender, data, holds[0][sender] ? bytes("") : _unauthorized(sender, 0));
        return holds[0][sender];
    }

    function _waitUntil(uint256 time) private {
        if (time > clock) clock = time;
        vm.warp(clock);
    }

    function _setDelay(uint48 next, uint256 from) private {
        _delay = _nextDelayAfter != 0 && _nextDelayAfter < clock ? _nextDelay : _delay;
        _nextDelay = next;
        _nextDelayAfter = from;
    }
}
