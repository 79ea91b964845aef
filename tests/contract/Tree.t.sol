// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LEVELS, MerkleTree} from "../../contracts/MerkleTree.sol";
import {TreeProof} from "../../contracts/TreeProof.sol";
import {Cheats} from "./Cheats.sol";
import {NaiveTree} from "./NaiveTree.sol";

/// @dev The libraries behind a contract, as they need storage and calldata.
contract TreeHarness {
    using MerkleTree for bytes32[LEVELS];

    bytes32[LEVELS] private _peaks;
    uint64 public size;

    /// @dev What {append} says the root is, beside what storage says.
    bytes32 public top = sha256("");

    function append(bytes32[] calldata leaves) external {
        if (leaves.length == 0) return;
        top = _peaks.append(size, leaves);
        size += uint64(leaves.length);
    }

    function root() external view returns (bytes32) {
        return _peaks.root(size);
    }

    function verifyInclusion(bytes32 treeRoot, uint64 treeSize, uint64 index, bytes32 leaf, bytes32[] calldata path)
        external
        view
    {
        TreeProof.verifyInclusion(treeRoot, treeSize, index, leaf, path);
    }

    function verifyConsistency(
        uint64 earlier,
        bytes32 earlierRoot,
        uint64 treeSize,
        bytes32 treeRoot,
        bytes32[] calldata path
    ) external view {
        TreeProof.verifyConsistency(earlier, earlierRoot, treeSize, treeRoot, path);
    }
}

contract TreeTest is Cheats {
    uint256 private constant LARGEST = 300;
    uint256 private constant ALL_UP_TO = 34;

    TreeHarness private _tree;

    function setUp() public {
        _tree = new TreeHarness();
    }

    function _leaves(uint256 count) private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            leaves[i] = sha256(abi.encode("leaf", i));
        }
    }

    function _slice(bytes32[] memory leaves, uint256 from, uint256 to) private pure returns (bytes32[] memory slice) {
        slice = new bytes32[](to - from);
        for (uint256 i = from; i < to; ++i) {
            slice[i - from] = leaves[i];
        }
    }

    function test_the_empty_tree_has_the_hash_of_nothing() public view {
        same(sha256(""), _tree.root(), "root");
    }

    function test_the_naive_tree_hashes_nodes_as_the_definition_says() public view {
        same(sha256(bytes.concat(hex"01", bytes32("l"), bytes32("r"))), NaiveTree.node("l", "r"), "node");
    }

    function test_every_size_up_to_300_has_the_root_of_the_definition_one_leaf_at_a_time() public {
        bytes32[] memory leaves = _leaves(LARGEST);
        for (uint256 size = 1; size <= LARGEST; ++size) {
            _tree.append(_slice(leaves, size - 1, size));
            same(NaiveTree.root(leaves, 0, size), _tree.root(), "root");
            same(_tree.root(), _tree.top(), "the root that append returns");
        }
    }

    function test_batches_of_every_length_up_to_70_give_the_same_roots() public {
        bytes32[] memory leaves = _leaves(70 * 71 / 2);
        uint256 size = 0;
        for (uint256 length = 0; length <= 70; ++length) {
            _tree.append(_slice(leaves, size, size + length));
            size += length;
            same(size, _tree.size(), "size");
            same(NaiveTree.root(leaves, 0, size), _tree.root(), "root");
            same(_tree.root(), _tree.top(), "the root that append returns");
        }
    }

    function test_a_batch_writes_only_the_peaks_that_are_left_of_it() public {
        bytes32[] memory leaves = _leaves(4);
        _tree.append(leaves);
        for (uint256 level = 0; level < LEVELS; ++level) {
            bytes32 peak = level == 2 ? NaiveTree.root(leaves, 0, 4) : bytes32(0);
            same(peak, vm.load(address(_tree), bytes32(level)), "peak");
        }
    }

    function test_batches_at_any_place_give_the_same_roots(uint8 before, uint8 length) public {
        bytes32[] memory leaves = _leaves(uint256(before) + length);
        _tree.append(_slice(leaves, 0, before));
        _tree.append(_slice(leaves, before, leaves.length));
        same(NaiveTree.root(leaves, 0, leaves.length), _tree.root(), "root");
        same(_tree.root(), _tree.top(), "the root that append returns");
    }

    function test_inclusion_holds_for_every_leaf() public view {
        bytes32[] memory leaves = _leaves(LARGEST);
        for (uint256 size = 1; size <= LARGEST; size = _nextSize(size)) {
            bytes32 root = NaiveTree.root(leaves, 0, size);
            for (uint256 index = 0; index < size; index += _stride(size, index)) {
                bytes32[] memory path = NaiveTree.inclusion(leaves, index, size);
                _tree.verifyInclusion(root, uint64(size), uint64(index), leaves[index], path);
            }
        }
    }

    function test_consistency_holds_for_every_earlier_size() public view {
        bytes32[] memory leaves = _leaves(LARGEST);
        for (uint256 size = 1; size <= LARGEST; size = _nextSize(size)) {
            bytes32 root = NaiveTree.root(leaves, 0, size);
            for (uint256 earlier = 1; earlier <= size; earlier += _stride(size, earlier)) {
                bytes32 earlierRoot = NaiveTree.root(leaves, 0, earlier);
                bytes32[] memory path = NaiveTree.consistency(leaves, earlier, size);
                _tree.verifyConsistency(uint64(earlier), earlierRoot, uint64(size), root, path);
            }
        }
    }

    /// @dev All small sizes; of the large ones a sample, and those around powers of two.
    function _nextSize(uint256 size) private pure returns (uint256 next) {
        next = size + 1;
        bool sampled = false;
        while (next > ALL_UP_TO && !sampled) {
            sampled = next % 13 == 0 || next & (next - 1) == 0 || next & (next + 1) == 0 || next == LARGEST;
            if (!sampled) ++next;
        }
    }

    /// @dev All places in small trees; in large ones the ends and a few between.
    function _stride(uint256 size, uint256 place) private pure returns (uint256) {
        if (size <= ALL_UP_TO || place < 2 || place + 2 >= size) return 1;
        uint256 stride = size / 9 + place % 3;
        return place + stride + 2 > size ? size - 2 - place : stride;
    }

    function test_altered_inclusion_proofs_are_refused() public {
        bytes32[] memory leaves = _leaves(100);
        uint8[10] memory sizes = [1, 2, 3, 5, 7, 8, 9, 31, 64, 100];
        for (uint256 s = 0; s < sizes.length; ++s) {
            uint256 size = sizes[s];
            for (uint256 index = 0; index < size; index += size / 5 + 1) {
                _refuseInclusion(leaves, index, size);
            }
        }
    }

    function _refuseInclusion(bytes32[] memory leaves, uint256 index, uint256 size) private {
        bytes32 root = NaiveTree.root(leaves, 0, size);
        bytes32 leaf = leaves[index];
        bytes32[] memory path = NaiveTree.inclusion(leaves, index, size);
        bytes32[] memory longer = new bytes32[](path.length + 1);
        for (uint256 i = 0; i < path.length; ++i) {
            longer[i] = path[i];
        }
        _inclusionReverts(root, size, index, leaf, longer, _length(path.length, longer.length));
        if (path.length != 0) {
            bytes32[] memory shorter = _slice(path, 0, path.length - 1);
            _inclusionReverts(root, size, index, leaf, shorter, _length(path.length, shorter.length));
        }
        _inclusionReverts(root, size, size, leaf, path, _outside(size, size));
        _inclusionReverts(root, 0, index, leaf, path, _outside(index, 0));
        _inclusionReverts(root, size, type(uint64).max, leaf, path, _outside(type(uint64).max, size));
        _inclusionMismatches(root, size, index, ~leaf, path);
        _inclusionMismatches(~root, size, index, leaf, path);
        for (uint256 i = 0; i < path.length; ++i) {
            path[i] = ~path[i];
            _inclusionMismatches(root, size, index, leaf, path);
            path[i] = ~path[i];
        }
        for (uint256 other = 0; other < size; ++other) {
            if (other != index) _inclusionFails(root, size, other, leaf, path);
        }
    }

    function test_altered_consistency_proofs_are_refused() public {
        bytes32[] memory leaves = _leaves(100);
        uint8[10] memory sizes = [1, 2, 3, 5, 7, 8, 9, 31, 64, 100];
        for (uint256 s = 0; s < sizes.length; ++s) {
            uint256 size = sizes[s];
            for (uint256 earlier = 1; earlier <= size; earlier += size / 7 + 1) {
                _refuseConsistency(leaves, earlier, size);
            }
        }
    }

    function _refuseConsistency(bytes32[] memory leaves, uint256 earlier, uint256 size) private {
        bytes32 root = NaiveTree.root(leaves, 0, size);
        bytes32 earlierRoot = NaiveTree.root(leaves, 0, earlier);
        bytes32[] memory path = NaiveTree.consistency(leaves, earlier, size);
        bytes32[] memory longer = new bytes32[](path.length + 1);
        for (uint256 i = 0; i < path.length; ++i) {
            longer[i] = path[i];
        }
        _consistencyReverts(earlier, earlierRoot, size, root, longer, _length(path.length, longer.length));
        if (path.length != 0) {
            bytes32[] memory shorter = _slice(path, 0, path.length - 1);
            _consistencyReverts(earlier, earlierRoot, size, root, shorter, _length(path.length, shorter.length));
        }
        _consistencyReverts(0, sha256(""), size, root, path, _sizeOutside(0, size));
        _consistencyReverts(0, earlierRoot, size, root, new bytes32[](0), _sizeOutside(0, size));
        _consistencyReverts(size + 1, earlierRoot, size, root, path, _sizeOutside(size + 1, size));
        _consistencyFails(earlier, ~earlierRoot, size, root, path);
        _consistencyFails(earlier, earlierRoot, size, ~root, path);
        if (earlier != size) _consistencyFails(earlier, root, size, root, path);
        for (uint256 i = 0; i < path.length; ++i) {
            path[i] = ~path[i];
            _consistencyFails(earlier, earlierRoot, size, root, path);
            path[i] = ~path[i];
        }
        for (uint256 other = 1; other <= size; ++other) {
            if (other != earlier) _consistencyFails(other, earlierRoot, size, root, path);
        }
    }

    function _inclusionReverts(
        bytes32 root,
        uint256 size,
        uint256 index,
        bytes32 leaf,
        bytes32[] memory path,
        bytes memory expected
    ) private {
        bytes memory data = abi.encodeCall(TreeHarness.verifyInclusion, (root, uint64(size), uint64(index), leaf, path));
        reverts(address(this), address(_tree), data, expected);
    }

    function _inclusionMismatches(bytes32 root, uint256 size, uint256 index, bytes32 leaf, bytes32[] memory path)
        private
        view
    {
        bytes4 selector = _inclusionFails(root, size, index, leaf, path);
        same(bytes32(TreeProof.RootMismatch.selector), bytes32(selector), "error");
    }

    function _inclusionFails(bytes32 root, uint256 size, uint256 index, bytes32 leaf, bytes32[] memory path)
        private
        view
        returns (bytes4)
    {
        try _tree.verifyInclusion(root, uint64(size), uint64(index), leaf, path) {
            revert("accepted");
        } catch (bytes memory reason) {
            return bytes4(reason);
        }
    }

    function _consistencyReverts(
        uint256 earlier,
        bytes32 earlierRoot,
        uint256 size,
        bytes32 root,
        bytes32[] memory path,
        bytes memory expected
    ) private {
        bytes memory data = abi.encodeCall(
            TreeHarness.verifyConsistency, (uint64(earlier), earlierRoot, uint64(size), root, path)
        );
        reverts(address(this), address(_tree), data, expected);
    }

    function _consistencyFails(uint256 earlier, bytes32 earlierRoot, uint256 size, bytes32 root, bytes32[] memory path)
        private
        view
    {
        try _tree.verifyConsistency(uint64(earlier), earlierRoot, uint64(size), root, path) {
            revert("accepted");
        } catch (bytes memory reason) {
            bytes4 selector = bytes4(reason);
            bool named =
                selector == TreeProof.RootMismatch.selector || selector == TreeProof.PathLengthMismatch.selector;
            same(true, named, "error");
        }
    }

    function _length(uint256 expected, uint256 given) private pure returns (bytes memory) {
        return abi.encodeWithSelector(TreeProof.PathLengthMismatch.selector, expected, given);
    }

    function _outside(uint256 index, uint256 size) private pure returns (bytes memory) {
        return abi.encodeWithSelector(TreeProof.IndexOutsideTree.selector, index, size);
    }

    function _sizeOutside(uint256 earlier, uint256 size) private pure returns (bytes memory) {
        return abi.encodeWithSelector(TreeProof.SizeOutsideTree.selector, earlier, size);
    }
}
