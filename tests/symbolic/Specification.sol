// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev The cheatcodes of halmos that these specifications use.
interface Vm {
    function assume(bool condition) external;
    function prank(address sender) external;
    function deal(address account, uint256 balance) external;
    function warp(uint256 timestamp) external;
    function chainId(uint256 id) external;
    function load(address target, bytes32 slot) external view returns (bytes32);
    function store(address target, bytes32 slot, bytes32 value) external;
    function envOr(string calldata name, uint256 otherwise) external view returns (uint256);
    function etch(address target, bytes calldata code) external;
}

interface Svm {
    function createUint256(string calldata name) external returns (uint256);
    function createBytes32(string calldata name) external returns (bytes32);
    function createBytes(uint256 length, string calldata name) external returns (bytes memory);
    function createAddress(string calldata name) external returns (address);
    function createCalldata(string calldata contractName) external returns (bytes memory);
    function enableSymbolicStorage(address target) external;
}

/// @dev What specifications share: the cheatcodes, choosing among a few values, and logic that does not
/// fork the run, as Solidity's `&&` and `||` do.
abstract contract Specification {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    Svm internal constant svm = Svm(address(uint160(uint256(keccak256("svm cheat code")))));

    /// @dev Goes on once with each value from `least` to `most`, and with no other.
    function pick(uint256 symbolic, uint256 least, uint256 most) internal returns (uint256 value) {
        for (value = least; value < most; ++value) {
            if (symbolic == value) return value;
        }
        vm.assume(symbolic == most);
    }

    function both(bool a, bool b) internal pure returns (bool c) {
        assembly ("memory-safe") {
            c := and(a, b)
        }
    }

    function either(bool a, bool b) internal pure returns (bool c) {
        assembly ("memory-safe") {
            c := or(a, b)
        }
    }

    function not(bool a) internal pure returns (bool c) {
        assembly ("memory-safe") {
            c := iszero(a)
        }
    }
}
