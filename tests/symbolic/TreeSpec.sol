// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TreeProof} from "../../contracts/TreeProof.sol";
import {NaiveTree} from "../contract/NaiveTree.sol";
import {Specification} from "./Specification.sol";

/// @dev The library behind a contract, as it takes its path from calldata and reverts.
contract TreeHarness {
    function verifyInclusion(bytes32 root, uint64 size, uint64 index, bytes32 leaf, bytes32[] calldata path)
        external
        view
    {
        TreeProof.verifyInclusion(root, size, index, leaf, path);
    }

    function verifyConsistency(uint64 earlier, bytes32 earlierRoot, uint64 size, bytes32 root, bytes32[] calldata path)
        external
        view
    {
        TreeProof.verifyConsistency(earlier, earlierRoot, size, root, path);
    }
}

/// @dev No tree is larger, however the environment sets {TreeSpec-largest}.
uint256 constant LARGEST = 32;
/// @dev The hashes of a path; no path to be accepted has as many.
uint256 constant LONGEST = 7;

/// @dev Trees of up to {largest} leaves and what a proof says of them, by the recursive definitions of RFC 9162 §2.1.
/// SHA-256 is an unknown function here: any two inputs may have the same hash, where {above} does not say no.
abstract contract TreeSpec is Specification {
    /// @dev The hashes of the leaves from a first to before a last one: `hashes[33 * first + last]`.
    struct Tree {
        bytes32[32 * 33] hashes;
    }

    TreeHarness internal harness;
    uint256 internal largest;

    function setUp() public {
        harness = new TreeHarness();
        largest = vm.envOr("SYMBOLIC_SIZE", 16);
        require(largest <= LARGEST);
    }

    /// @dev MTH of RFC 9162 §2.1.1 over the leaves from `from` to `to`; keeps all hashes on the way.
    function grow(Tree memory tree, bytes32[LARGEST] calldata leaves, uint256 from, uint256 to)
        internal
        view
        returns (bytes32 hash)
    {
        if (to - from == 1) {
            hash = leaves[from];
        } else {
            uint256 middle = from + split(to - from);
            hash = NaiveTree.node(grow(tree, leaves, from, middle), grow(tree, leaves, middle, to));
        }
        tree.hashes[33 * from + to] = hash;
    }

    /// @dev The node by a proof above the leaves from `from` to `to`, where the proof has `left` and `right`.
    /// Assumes that this node's input and the tree's own are not a collision: if their hashes are equal,
    /// so are they. Nothing else is assumed of SHA-256.
    function above(Tree memory tree, uint256 from, uint256 middle, uint256 to, bytes32 left, bytes32 right)
        internal
        returns (bytes32 node)
    {
        node = NaiveTree.node(left, right);
        bool equal = both(left == at(tree, from, middle), right == at(tree, middle, to));
        vm.assume(either(node != at(tree, from, to), equal));
    }

    function at(Tree memory tree, uint256 from, uint256 to) internal pure returns (bytes32) {
        return tree.hashes[33 * from + to];
    }

    /// @dev The largest power of two smaller than `size`.
    function split(uint256 size) internal pure returns (uint256 k) {
        for (k = 1; k * 2 < size; k *= 2) {}
    }

    /// @dev Whether the harness accepts a call whose last argument is a path of `length` of the hashes.
    /// `length` may be symbolic, which an array's can not.
    function accepts(bytes memory callWithLongest, uint256 length) internal view returns (bool accepted) {
        assembly ("memory-safe") {
            let end := add(add(callWithLongest, 32), mload(callWithLongest))
            mstore(sub(end, mul(32, 8)), length)
        }
        (accepted,) = address(harness).staticcall(callWithLongest);
    }

    /// @dev A list of the longest length.
    function list(bytes32[LONGEST] calldata hashes) internal pure returns (bytes32[] memory path) {
        path = new bytes32[](LONGEST);
        for (uint256 i = 0; i < LONGEST; ++i) {
            path[i] = hashes[i];
        }
    }
}
