// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LEVELS} from "../../contracts/MerkleTree.sol";
import {RegistrySpec} from "./RegistrySpec.sol";

/// @dev What must not change.
abstract contract UnchangedSpec is RegistrySpec {
    /// @dev The log, all its peaks, and a policy, an act and a role that may be any.
    function stateOf(bytes32[6] calldata any) internal view returns (uint256) {
        bytes memory words = abi.encode(
            load(LOG),
            load(slotOf(POLICIES, any[0], any[1])),
            load(slotOf(ACTS, any[2], any[3])),
            REGISTRY.hasRole(any[4], address(uint160(uint256(any[5]))))
        );
        bytes32[LEVELS] memory all;
        for (uint256 level = 0; level < LEVELS; ++level) {
            all[level] = peak(level);
        }
        return uint256(keccak256(bytes.concat(words, abi.encode(all))));
    }
}
