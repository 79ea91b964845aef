// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// @dev The smallest wallet with a threshold: two signatures of 65 bytes, owners in ascending order.
contract TwoOfThree is IERC1271 {
    mapping(address account => bool) private _isOwner;

    constructor(address[3] memory owners) {
        for (uint256 i = 0; i < 3; ++i) {
            _isOwner[owners[i]] = true;
        }
    }

    function isValidSignature(bytes32 hash, bytes calldata signatures) external view returns (bytes4) {
        if (signatures.length != 130) return 0xffffffff;
        address first = ECDSA.recover(hash, signatures[:65]);
        address second = ECDSA.recover(hash, signatures[65:]);
        bool valid = _isOwner[first] && _isOwner[second] && first < second;
        return valid ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}
