// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Authority codes such as `CN.GD.SHENZHEN`, and the role ids made from them.
/// @dev A code is 1 to 31 ASCII bytes, left-aligned in 32 and padded with zeros, so that
/// its last byte is free to say which role of the authority is meant.
library AuthorityCode {
    bytes1 private constant REGISTRAR = 0x01;
    bytes1 private constant CONTROLLER = 0x02;
    uint256 private constant LONGEST = 31;

    /// @notice The code is not 1 to 31 of A-Z, 0-9, `-` and `.`, zero-padded, with `-` and
    /// `.` neither first, nor last, nor next to each other.
    error InvalidAuthorityCode(bytes32 code);
    /// @notice The role id is not that of a registrar or a controller.
    error UnknownRole(bytes32 role);

    /// @notice Reverts with {InvalidAuthorityCode} unless `code` is well formed.
    function validate(bytes32 code) internal pure {
        bool afterSeparator = true;
        uint256 i = 0;
        for (; i < LONGEST && code[i] != 0; ++i) {
            bytes1 char = code[i];
            bool separator = char == "." || char == "-";
            bool letterOrDigit = (char >= "A" && char <= "Z") || (char >= "0" && char <= "9");
            if (!letterOrDigit && (!separator || afterSeparator)) revert InvalidAuthorityCode(code);
            afterSeparator = separator;
        }
        bool padded = uint256(code) << (i * 8) == 0;
        if (afterSeparator || !padded) revert InvalidAuthorityCode(code);
    }

    /// @notice The code without its last dot and segment, or 0 for a top-level authority.
    function parent(bytes32 code) internal pure returns (bytes32) {
        for (uint256 i = LONGEST; i > 0; --i) {
            if (code[i - 1] == ".") return code & ~bytes32(type(uint256).max >> ((i - 1) * 8));
        }
        return 0;
    }

    /// @notice The role of `code`'s registrars. Reverts with {InvalidAuthorityCode} when the
    /// code's last byte is taken: two codes must never share a role.
    function registrarRole(bytes32 code) internal pure returns (bytes32) {
        return _role(code, REGISTRAR);
    }

    /// @notice The role of `code`'s controllers. Reverts like {registrarRole}.
    function controllerRole(bytes32 code) internal pure returns (bytes32) {
        return _role(code, CONTROLLER);
    }

    /// @notice The authority of a registrars' or controllers' role. Reverts with {UnknownRole} for any
    /// other id.
    function ofRole(bytes32 role) internal pure returns (bytes32 code) {
        bytes1 kind = role[31];
        code = role ^ (bytes32(kind) >> 248);
        if (code == 0 || (kind != CONTROLLER && kind != REGISTRAR)) revert UnknownRole(role);
    }

    /// @notice Whether a role that is one of an authority is the controllers'.
    function isController(bytes32 role) internal pure returns (bool) {
        return role[31] == CONTROLLER;
    }

    function _role(bytes32 code, bytes1 kind) private pure returns (bytes32) {
        if (uint8(uint256(code)) != 0) revert InvalidAuthorityCode(code);
        return code | (bytes32(kind) >> 248);
    }
}
