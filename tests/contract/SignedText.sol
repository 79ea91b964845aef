// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPolicyRegistry} from "../../contracts/IPolicyRegistry.sol";

/// @dev What a registrar signs, written out from the text of EIP-712 beside the contract's own digestOf.
library SignedText {
    bytes private constant ONE =
        "Submission(bytes32 authority,bytes32 number,uint32 sequence,uint8 action,int32 effectiveOn,bytes32 document,bytes32 manifest)";
    bytes private constant ALL = "Submissions(address registrar,uint64 deadline,Submission[] submissions)";

    function digest(IPolicyRegistry.Submission[] memory list, address by, uint64 deadline, address registry)
        internal
        view
        returns (bytes32)
    {
        bytes memory hashes;
        for (uint256 i = 0; i < list.length; ++i) {
            IPolicyRegistry.Submission memory s = list[i];
            bytes memory head = abi.encode(keccak256(ONE), s.authority, s.number, s.sequence, uint8(s.action));
            bytes memory tail = abi.encode(s.effectiveOn, s.document, s.manifest);
            hashes = bytes.concat(hashes, keccak256(bytes.concat(head, tail)));
        }
        bytes32 all = keccak256(bytes.concat(ALL, ONE));
        bytes32 message = keccak256(abi.encode(all, by, deadline, keccak256(hashes)));
        return keccak256(abi.encodePacked(hex"1901", _domain(registry), message));
    }

    function _domain(address registry) private view returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("PolicyRegistry"),
                keccak256("1"),
                block.chainid,
                registry
            )
        );
    }
}
