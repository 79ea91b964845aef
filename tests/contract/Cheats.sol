// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev The cheatcodes that these tests use.
interface Vm {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    function prank(address sender) external;
    function warp(uint256 timestamp) external;
    function deal(address account, uint256 balance) external;
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function addr(uint256 key) external pure returns (address);
    function recordLogs() external;
    function getRecordedLogs() external returns (Log[] memory);
    function load(address target, bytes32 slot) external view returns (bytes32);
    function getCode(string calldata artifact) external view returns (bytes memory);
}

/// @dev Calls that must succeed, calls that must revert with exactly one error, and equality.
abstract contract Cheats {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    error CallFailed(bytes data, bytes reason);
    error CallSucceeded(bytes data);
    error WrongRevert(bytes expected, bytes actual);
    error NotEqual(string what, bytes32 expected, bytes32 actual);

    function succeeds(address sender, address target, bytes memory data) internal returns (bytes memory) {
        vm.prank(sender);
        (bool success, bytes memory result) = target.call(data);
        if (!success) revert CallFailed(data, result);
        return result;
    }

    function reverts(address sender, address target, bytes memory data, bytes memory expected) internal {
        vm.prank(sender);
        (bool success, bytes memory result) = target.call(data);
        if (success) revert CallSucceeded(data);
        if (keccak256(result) != keccak256(expected)) revert WrongRevert(expected, result);
    }

    function same(bytes32 expected, bytes32 actual, string memory what) internal pure {
        if (expected != actual) revert NotEqual(what, expected, actual);
    }

    function same(uint256 expected, uint256 actual, string memory what) internal pure {
        same(bytes32(expected), bytes32(actual), what);
    }

    function same(bool expected, bool actual, string memory what) internal pure {
        same(bytes32(uint256(expected ? 1 : 0)), bytes32(uint256(actual ? 1 : 0)), what);
    }
}
