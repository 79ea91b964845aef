// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AuthorityCode} from "../../contracts/AuthorityCode.sol";
import {Action, Entry, NO_DATE, NO_ENTRY} from "../../contracts/Entry.sol";
import {IPolicyRegistry} from "../../contracts/IPolicyRegistry.sol";
import {Status} from "../../contracts/Lifecycle.sol";
import {TreeProof} from "../../contracts/TreeProof.sol";
import {NaiveTree} from "./NaiveTree.sol";
import {RegistryTest} from "./RegistryTest.sol";

/// @dev Batches, manifests, and proofs about what was recorded.
contract RecordTest is RegistryTest {
    function _batch(uint256 length) private pure returns (IPolicyRegistry.Submission[] memory list) {
        list = new IPolicyRegistry.Submission[](length);
        for (uint256 i = 0; i < length; ++i) {
            list[i] = submission(bytes32(i + 1), 1, Action.Publish);
        }
    }

    function test_a_batch_is_one_checkpoint_and_as_many_entries() public {
        does(registrar, recording(_batch(100)));
        (Entry[] memory entries, bytes[] memory manifests, uint256 checkpoints) = collect();
        same(100, entries.length, "entries");
        same(0, manifests.length, "manifests");
        same(1, checkpoints, "checkpoints");
        for (uint256 i = 0; i < 100; ++i) {
            same(bytes32(i + 1), entries[i].number, "number");
            same(entries[i].index, registry.policy(CN, bytes32(i + 1)).head, "head");
        }
    }

    function test_a_batch_may_carry_one_policy_through_its_life() public {
        IPolicyRegistry.Submission[] memory list = new IPolicyRegistry.Submission[](4);
        list[0] = submission("1", 1, Action.Publish);
        list[1] = submission("1", 2, Action.Amend);
        list[2] = submission("1", 3, Action.Repeal);
        list[3] = submission("1", 4, Action.Reinstate);
        list[3].effectiveOn = NO_DATE;
        does(registrar, recording(list));
        (Entry[] memory entries,,) = collect();
        same(NO_ENTRY, entries[0].previous, "first");
        for (uint256 i = 1; i < 4; ++i) {
            same(entries[i - 1].index, entries[i].previous, "previous");
        }
        same(uint256(Status.InForce), uint256(registry.policy(CN, "1").status), "status");
        same(4, registry.policy(CN, "1").sequence, "sequence");
    }

    function test_a_batch_is_recorded_as_a_whole_or_not_at_all() public {
        IPolicyRegistry.Submission[] memory list = _batch(3);
        list[2].sequence = 2;
        bytes4 selector = IPolicyRegistry.SequenceMismatch.selector;
        refuses(registrar, recording(list), abi.encodeWithSelector(selector, CN, bytes32(uint256(3)), 1, 2));
        same(0, registry.policy(CN, bytes32(uint256(1))).sequence, "nothing");
    }

    function test_every_authority_in_a_batch_is_checked() public {
        IPolicyRegistry.Submission[] memory list = _batch(3);
        list[1].authority = US;
        refuses(registrar, recording(list), unauthorized(registrar, registry.registrarRole(US)));
        list[0].authority = US;
        list[1].authority = CN;
        refuses(registrar, recording(list), unauthorized(registrar, registry.registrarRole(US)));
        _grant(registry.registrarRole(US), registrar);
        does(registrar, recording(list));
        same(1, registry.policy(US, bytes32(uint256(1))).sequence, "US");
        same(1, registry.policy(CN, bytes32(uint256(2))).sequence, "CN");
    }

    function test_an_empty_batch_is_refused() public {
        refuses(registrar, recording(_batch(0)), abi.encodeWithSelector(IPolicyRegistry.EmptyBatch.selector));
    }

    function test_the_authority_0_has_no_registrar() public {
        IPolicyRegistry.Submission memory next = submission("1", 1, Action.Publish);
        next.authority = 0;
        refuses(registrar, recording(next), unauthorized(registrar, bytes32(uint256(1))));
    }

    function test_an_authority_with_a_role_in_its_last_byte_is_refused() public {
        IPolicyRegistry.Submission memory next = submission("1", 1, Action.Publish);
        for (uint256 kind = 1; kind <= 2; ++kind) {
            next.authority = CN | bytes32(kind);
            bytes4 selector = AuthorityCode.InvalidAuthorityCode.selector;
            refuses(registrar, recording(next), abi.encodeWithSelector(selector, next.authority));
        }
    }

    function test_manifests_are_emitted_where_given() public {
        IPolicyRegistry.Submission[] memory list = _batch(3);
        bytes[] memory given = new bytes[](3);
        given[0] = "{}";
        given[2] = new bytes(8192);
        list[0].manifest = sha256(given[0]);
        list[2].manifest = sha256(given[2]);
        does(registrar, abi.encodeCall(IPolicyRegistry.record, (list, given)));
        (Entry[] memory entries, bytes[] memory manifests, uint256 checkpoints) = collect();
        same(3, entries.length, "entries");
        same(2, manifests.length, "manifests");
        same(1, checkpoints, "checkpoints");
        same(keccak256("{}"), keccak256(manifests[0]), "first");
        same(8192, manifests[1].length, "longest");
    }

    function test_another_manifest_than_declared_is_refused() public {
        bytes[] memory given = new bytes[](1);
        given[0] = "{}";
        IPolicyRegistry.Submission memory next = submission("1", 1, Action.Publish);
        bytes4 selector = IPolicyRegistry.ManifestMismatch.selector;
        bytes memory data = abi.encodeCall(IPolicyRegistry.record, (one(next), given));
        refuses(registrar, data, abi.encodeWithSelector(selector, next.manifest, sha256("{}")));
    }

    function test_a_manifest_longer_than_8192_bytes_is_refused() public {
        bytes[] memory given = new bytes[](1);
        given[0] = new bytes(8193);
        IPolicyRegistry.Submission memory next = submission("1", 1, Action.Publish);
        next.manifest = sha256(given[0]);
        bytes4 selector = IPolicyRegistry.ManifestTooLong.selector;
        bytes memory data = abi.encodeCall(IPolicyRegistry.record, (one(next), given));
        refuses(registrar, data, abi.encodeWithSelector(selector, 8193, 8192));
    }

    function test_manifests_are_none_or_one_each() public {
        bytes4 selector = IPolicyRegistry.LengthMismatch.selector;
        for (uint256 count = 1; count < 5; ++count) {
            if (count == 3) continue;
            bytes memory data = abi.encodeCall(IPolicyRegistry.record, (_batch(3), new bytes[](count)));
            refuses(registrar, data, abi.encodeWithSelector(selector, 3, count));
        }
        does(registrar, abi.encodeCall(IPolicyRegistry.record, (_batch(3), new bytes[](3))));
    }

    function test_every_entry_is_proved_in_the_log_and_an_altered_one_is_not() public {
        does(registrar, recording(_batch(20)));
        (Entry[] memory entries,,) = collect();
        for (uint256 i = 0; i < entries.length; ++i) {
            Entry memory entry = entries[i];
            bytes32[] memory path = NaiveTree.inclusion(leaves, entry.index, leaves.length);
            registry.verifyInclusion(entry, path);
            entry.effectiveOn += 1;
            bytes memory data = abi.encodeCall(IPolicyRegistry.verifyInclusion, (entry, path));
            vm.prank(stranger);
            (bool success, bytes memory result) = address(registry).staticcall(data);
            same(false, success, "altered entry");
            same(bytes32(TreeProof.RootMismatch.selector), bytes32(bytes4(result)), "error");
        }
        Entry memory outside = entries[0];
        outside.index = uint64(leaves.length);
        bytes memory beyond = abi.encodeCall(IPolicyRegistry.verifyInclusion, (outside, new bytes32[](0)));
        bytes4 selector = TreeProof.IndexOutsideTree.selector;
        refuses(stranger, beyond, abi.encodeWithSelector(selector, leaves.length, leaves.length));
    }

    function test_earlier_checkpoints_are_proved_to_be_prefixes() public {
        does(registrar, recording(_batch(20)));
        collect();
        uint256 size = leaves.length;
        for (uint256 earlier = 1; earlier <= size; ++earlier) {
            bytes32 root = NaiveTree.root(leaves, 0, earlier);
            bytes32[] memory path = NaiveTree.consistency(leaves, earlier, size);
            registry.verifyConsistency(uint64(earlier), root, path);
        }
        bytes memory nothing = abi.encodeCall(IPolicyRegistry.verifyConsistency, (0, sha256(""), new bytes32[](0)));
        refuses(stranger, nothing, abi.encodeWithSelector(TreeProof.SizeOutsideTree.selector, 0, size));
    }

    function test_nobody_pays_for_anything() public {
        bytes[3] memory calls = [bytes(""), recording(_batch(1)), abi.encodeCall(IPolicyRegistry.retire, (registrar))];
        vm.deal(registrar, 3);
        for (uint256 i = 0; i < calls.length; ++i) {
            vm.prank(registrar);
            (bool success, bytes memory result) = address(registry).call{value: 1}(calls[i]);
            same(false, success, "paid");
            same(0, result.length, "reason");
        }
        same(0, address(registry).balance, "balance");
    }

    function test_storage_lies_where_the_layout_says() public {
        does(registrar, recording(submission("1", 1, Action.Publish)));
        collect();
        uint256 size = leaves.length;
        same(size, uint256(vm.load(address(registry), 0)), "slot 0");
        bytes32[] memory peaks = registry.peaks();
        uint256 next = peaks.length;
        for (uint256 level = 0; size >> level != 0; ++level) {
            if (size >> level & 1 == 0) continue;
            bytes32 peak = vm.load(address(registry), bytes32(1 + level));
            same(peaks[--next], peak, "peak");
            uint256 end = size >> level << level;
            same(NaiveTree.root(leaves, end - (1 << level), end), peak, "subtree");
        }
        same(0, next, "peaks");
        bytes32 slot = keccak256(abi.encode(bytes32("1"), keccak256(abi.encode(CN, 65))));
        uint256 packed = NOW << 104 | (size - 1) << 40 | 1 << 8 | uint256(Status.InForce);
        same(packed, uint256(vm.load(address(registry), slot)), "policy");
        slot = keccak256(abi.encode(bytes32(0), keccak256(abi.encode(CN, 66))));
        same(1 << 32 | 1, uint256(vm.load(address(registry), slot)), "act");
    }
}
