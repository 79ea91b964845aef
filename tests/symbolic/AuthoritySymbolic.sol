// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AuthorityCode} from "../../contracts/AuthorityCode.sol";
import {Specification} from "./Specification.sol";

/// @dev The library behind a contract, so that its reverts are seen.
contract AuthorityHarness {
    function validate(bytes32 code) external pure {
        AuthorityCode.validate(code);
    }

    function parent(bytes32 code) external pure returns (bytes32) {
        return AuthorityCode.parent(code);
    }

    function registrarRole(bytes32 code) external pure returns (bytes32) {
        return AuthorityCode.registrarRole(code);
    }

    function controllerRole(bytes32 code) external pure returns (bytes32) {
        return AuthorityCode.controllerRole(code);
    }

    function ofRole(bytes32 role) external pure returns (bytes32 code, bool controller) {
        return (AuthorityCode.ofRole(role), AuthorityCode.isController(role));
    }
}

/// @dev Codes and roles. Any 32 bytes, but where a bound is given.
contract AuthoritySymbolic is Specification {
    AuthorityHarness private _codes;

    function setUp() public {
        _codes = new AuthorityHarness();
    }

    /// @dev Two codes, or the two kinds of one code, never share a role; a role leads back to its code. A code
    /// whose last byte is taken has no roles.
    function check_roles_and_codes_correspond(bytes32 a, bytes32 b, bool controllerOfA, bool controllerOfB)
        external
        view
    {
        (bool anyA, bytes32 roleA) = _role(a, controllerOfA);
        (bool anyB, bytes32 roleB) = _role(b, controllerOfB);
        assert(anyA == (uint8(uint256(a)) == 0));
        if (!anyA || !anyB) return;
        assert((roleA == roleB) == both(a == b, controllerOfA == controllerOfB));
        if (a == 0) return;
        (bytes32 code, bool controller) = _codes.ofRole(roleA);
        assert(code == a && controller == controllerOfA);
    }

    /// @dev What is read as a role is the role of what is read from it; all else is refused.
    function check_other_words_are_no_roles(bytes32 role) external view {
        uint8 kind = uint8(uint256(role));
        bool known = both(either(kind == 1, kind == 2), uint256(role) >> 8 != 0);
        try _codes.ofRole(role) returns (bytes32 code, bool controller) {
            assert(known);
            (, bytes32 again) = _role(code, controller);
            assert(again == role && code != 0);
        } catch {
            assert(!known);
        }
    }

    /// @dev The parent is what stands before the last dot of the first 31 bytes, so a shorter code, or 0 where
    /// there is no dot.
    function check_parent_is_what_stands_before_the_last_dot(bytes32 code, uint256 dot) external {
        dot = pick(dot, 0, 30);
        for (uint256 i = dot + 1; i < 31; ++i) {
            vm.assume(code[i] != ".");
        }
        vm.assume(code[dot] == ".");
        assert(_codes.parent(code) == code & ~bytes32(type(uint256).max >> (dot * 8)));
    }

    /// @dev Where there is no dot at all.
    function check_parent_of_one_word_is_none(bytes32 code) external {
        for (uint256 i = 0; i < 31; ++i) {
            vm.assume(code[i] != ".");
        }
        assert(_codes.parent(code) == 0);
    }

    /// @dev Exactly the codes of the grammar are accepted: for codes of up to 3 bytes and any padding.
    function check_valid_short_codes_are_those_of_the_grammar(bytes32 code) external view {
        code &= bytes32(type(uint256).max << (8 * 29)) | bytes32(uint256(0xffff));
        _checkValid(code);
    }

    /// @dev The same for what may follow 28 letters: up to 3 bytes more, and the byte after them.
    function check_valid_long_codes_are_those_of_the_grammar(bytes32 code) external view {
        bytes32 letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZAB";
        _checkValid(letters | (code & bytes32(uint256(type(uint32).max))));
    }

    function check_reachable_valid_code(bytes32 code) external view {
        try _codes.validate(code & bytes32(type(uint256).max << (8 * 29))) {
            assert(false);
        } catch {}
    }

    function _role(bytes32 code, bool controller) private view returns (bool any, bytes32 role) {
        bytes4 selector = controller ? _codes.controllerRole.selector : _codes.registrarRole.selector;
        bytes memory result;
        (any, result) = address(_codes).staticcall(abi.encodeWithSelector(selector, code));
        if (any) role = abi.decode(result, (bytes32));
    }

    function _checkValid(bytes32 code) private view {
        try _codes.validate(code) {
            assert(_grammar(code));
        } catch {
            assert(!_grammar(code));
        }
    }

    /// @dev Words of A-Z and 0-9 joined by single dots and hyphens, then zeros only, 31 bytes at most.
    function _grammar(bytes32 code) private pure returns (bool valid) {
        valid = _alphanumeric(code[0]);
        for (uint256 i = 1; i < 32; ++i) {
            bool within = _alphanumeric(code[i]);
            bool separator = both(either(code[i] == ".", code[i] == "-"), _alphanumeric(code[i - 1]));
            bool end = both(code[i] == 0, either(code[i - 1] == 0, _alphanumeric(code[i - 1])));
            within = both(either(within, separator), not(code[i - 1] == 0));
            valid = both(valid, either(within, end));
        }
        valid = both(valid, code[31] == 0);
    }

    function _alphanumeric(bytes1 char) private pure returns (bool) {
        return either(both(char >= "A", char <= "Z"), both(char >= "0", char <= "9"));
    }
}
