// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PolicyRegistry} from "../../contracts/PolicyRegistry.sol";
import {Specification} from "./Specification.sol";

/// @dev The registry as it is deployed, on a storage that may hold anything at all: what is proved of it holds in
/// every state that it can come to, and in others. Its slots are those of {PolicyLog}.
abstract contract RegistrySpec is Specification {
    /// @dev Not where the constructor ran, whose storage would not be arbitrary.
    PolicyRegistry internal constant REGISTRY = PolicyRegistry(address(0x5e9157));

    bytes32 internal constant LOG = 0;
    uint256 internal constant POLICIES = 65;
    uint256 internal constant ACTS = 66;

    function setUp() public virtual {
        PolicyRegistry deployed = new PolicyRegistry(address(this), 0);
        vm.etch(address(REGISTRY), address(deployed).code);
        svm.enableSymbolicStorage(address(REGISTRY));
    }

    function call(address caller, bytes memory data) internal returns (bool success) {
        vm.prank(caller);
        (success,) = address(REGISTRY).call(data);
    }

    function load(bytes32 slot) internal view returns (uint256) {
        return uint256(vm.load(address(REGISTRY), slot));
    }

    function retired() internal view returns (bool) {
        return load(LOG) >> 64 & 0xff != 0;
    }

    function peak(uint256 level) internal view returns (bytes32) {
        return bytes32(load(bytes32(1 + level)));
    }

    /// @dev The slot of a policy or of an act, by the slot of the mapping.
    function slotOf(uint256 mappingSlot, bytes32 authority, bytes32 key) internal pure returns (bytes32) {
        return keccak256(abi.encode(key, keccak256(abi.encode(authority, mappingSlot))));
    }

    /// @dev A log that is open and has `size` entries, whatever else is in the storage.
    function open(uint256 size) internal {
        vm.store(address(REGISTRY), LOG, bytes32(size));
    }
}
