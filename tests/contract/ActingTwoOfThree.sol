// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {TwoOfThree} from "./TwoOfThree.sol";

/// @dev A wallet with a threshold that also acts, as a Safe does: anyone may bring what two owners signed.
contract ActingTwoOfThree is TwoOfThree {
    uint256 public nonce;

    constructor(address[3] memory owners) TwoOfThree(owners) {}

    /// @notice What the owners sign so that the wallet calls `to` with `data` next.
    function digestOfCall(address to, bytes calldata data) public view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), nonce, to, data));
    }

    /// @notice Makes the call. Reverts as the call does.
    function act(address to, bytes calldata data, bytes calldata signatures) external {
        bytes4 valid = this.isValidSignature(digestOfCall(to, data), signatures);
        require(valid == IERC1271.isValidSignature.selector, "not two owners");
        ++nonce;
        (bool done, bytes memory answer) = to.call(data);
        if (!done) {
            assembly ("memory-safe") {
                revert(add(answer, 32), mload(answer))
            }
        }
    }
}
