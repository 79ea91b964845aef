// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Action, Entry, NO_ENTRY} from "../../contracts/Entry.sol";
import {IPolicyRegistry} from "../../contracts/IPolicyRegistry.sol";
import {Status} from "../../contracts/Lifecycle.sol";
import {RegistryTest} from "./RegistryTest.sol";

/// @dev Every action from every status by everybody.
contract LifecycleTest is RegistryTest {
    /// @dev The design's table, one row a line.
    function _target(Status status, Action action) private pure returns (Status) {
        if (status == Status.None && action == Action.Publish) return Status.InForce;
        if (status == Status.InForce && action == Action.Amend) return Status.InForce;
        if (status == Status.InForce && action == Action.Correct) return Status.InForce;
        if (status == Status.InForce && action == Action.Suspend) return Status.Suspended;
        if (status == Status.InForce && action == Action.Supersede) return Status.Superseded;
        if (status == Status.InForce && action == Action.Repeal) return Status.Repealed;
        if (status == Status.InForce && action == Action.Withdraw) return Status.Withdrawn;
        if (status == Status.Suspended && action == Action.Supersede) return Status.Superseded;
        if (status == Status.Suspended && action == Action.Repeal) return Status.Repealed;
        if (status == Status.Suspended && action == Action.Withdraw) return Status.Withdrawn;
        if (status == Status.Suspended && action == Action.Reinstate) return Status.InForce;
        if (status == Status.Superseded && action == Action.Reinstate) return Status.InForce;
        if (status == Status.Repealed && action == Action.Reinstate) return Status.InForce;
        if (status == Status.Withdrawn && action == Action.Reinstate) return Status.InForce;
        return Status.None;
    }

    function test_a_registrar_does_what_the_table_allows_and_nothing_else() public {
        for (uint8 s = 0; s <= uint8(type(Status).max); ++s) {
            for (uint8 a = 0; a <= uint8(type(Action).max); ++a) {
                _cell(Status(s), Action(a));
            }
        }
    }

    function _cell(Status status, Action action) private {
        bytes32 number = keccak256(abi.encode(status, action));
        uint32 sequence = bring(number, status);
        collect();
        IPolicyRegistry.PolicyState memory before = registry.policy(CN, number);
        IPolicyRegistry.Submission memory next = submission(number, sequence + 1, action);
        Status target = _target(status, action);
        if (target == Status.None) {
            bytes4 selector = IPolicyRegistry.InvalidTransition.selector;
            refuses(registrar, recording(next), abi.encodeWithSelector(selector, CN, number, status, action));
            return;
        }
        vm.warp(block.timestamp + 12);
        does(registrar, recording(next));
        Entry memory entry = last();
        _same(next, entry);
        same(sequence == 0 ? NO_ENTRY : before.head, entry.previous, "previous");
        IPolicyRegistry.PolicyState memory state = registry.policy(CN, number);
        same(uint256(target), uint256(state.status), "status");
        same(sequence + 1, state.sequence, "sequence");
        same(entry.index, state.head, "head");
        same(block.timestamp, state.recordedAt, "state.recordedAt");
    }

    function _same(IPolicyRegistry.Submission memory expected, Entry memory entry) private view {
        same(expected.authority, entry.authority, "authority");
        same(expected.number, entry.number, "number");
        same(expected.sequence, entry.sequence, "sequence");
        same(uint256(expected.action), uint256(entry.action), "action");
        same(true, expected.effectiveOn == entry.effectiveOn, "effectiveOn");
        same(expected.document, entry.document, "document");
        same(expected.manifest, entry.manifest, "manifest");
        same(word(registrar), word(entry.registrar), "registrar");
        same(block.timestamp, entry.recordedAt, "recordedAt");
    }

    function test_nobody_but_a_registrar_of_the_authority_does_anything() public {
        address[4] memory others = [controller, admin, foreigner, stranger];
        bytes32 role = registry.registrarRole(CN);
        for (uint8 s = 0; s <= uint8(type(Status).max); ++s) {
            bytes32 number = keccak256(abi.encode(s));
            uint32 sequence = bring(number, Status(s));
            for (uint8 a = 0; a <= uint8(type(Action).max); ++a) {
                bytes memory data = recording(submission(number, sequence + 1, Action(a)));
                for (uint256 i = 0; i < others.length; ++i) {
                    refuses(others[i], data, unauthorized(others[i], role));
                }
            }
        }
    }

    function test_the_number_of_an_action_that_does_not_exist_is_not_decoded() public {
        bytes memory data = recording(submission("1", 1, Action.Retire));
        // selector, offset of the list, offset of the manifests, length, then authority, number, sequence
        data[4 + 32 * 7 - 1] = bytes1(uint8(type(Action).max) + 1);
        refuses(registrar, data, "");
    }

    function test_a_word_that_is_no_sequence_or_no_date_is_not_decoded() public {
        bytes memory data = recording(submission("1", 1, Action.Publish));
        data[4 + 32 * 5] = 0x01; // the sequence is 1 and 2^248
        refuses(registrar, data, "");
        data = recording(submission("1", 1, Action.Publish));
        data[4 + 32 * 7] = 0x00; // the date is negative, but for its first byte
        refuses(registrar, data, "");
    }

    function test_each_further_entry_takes_the_next_sequence_and_no_other() public {
        bytes32 number = "1";
        for (uint32 given = 0; given < 4; ++given) {
            if (given == 1) continue;
            refuses(
                registrar,
                recording(submission(number, given, Action.Publish)),
                abi.encodeWithSelector(IPolicyRegistry.SequenceMismatch.selector, CN, number, 1, given)
            );
        }
        bytes memory published = recording(submission(number, 1, Action.Publish));
        does(registrar, published);
        bytes4 selector = IPolicyRegistry.SequenceMismatch.selector;
        refuses(registrar, published, abi.encodeWithSelector(selector, CN, number, 2, 1));
        bytes memory early = recording(submission(number, 3, Action.Amend));
        refuses(registrar, early, abi.encodeWithSelector(selector, CN, number, 2, 3));
    }

    function test_a_document_is_named_exactly_when_the_action_brings_one() public {
        Action[8] memory actions = [
            Action.Publish,
            Action.Amend,
            Action.Correct,
            Action.Suspend,
            Action.Supersede,
            Action.Repeal,
            Action.Withdraw,
            Action.Reinstate
        ];
        for (uint256 i = 0; i < actions.length; ++i) {
            Action action = actions[i];
            bytes32 number = keccak256(abi.encode(action));
            uint32 sequence = bring(number, i == 0 ? Status.None : i == 7 ? Status.Repealed : Status.InForce);
            IPolicyRegistry.Submission memory next = submission(number, sequence + 1, action);
            if (i < 3) {
                next.document = 0;
                bytes4 selector = IPolicyRegistry.DocumentRequired.selector;
                refuses(registrar, recording(next), abi.encodeWithSelector(selector, CN, number, action));
            } else {
                next.document = "x";
                bytes4 selector = IPolicyRegistry.DocumentForbidden.selector;
                bytes memory expected = abi.encodeWithSelector(selector, CN, number, action, bytes32("x"));
                refuses(registrar, recording(next), expected);
            }
        }
    }

    function test_a_manifest_is_always_named() public {
        IPolicyRegistry.Submission memory next = submission("1", 1, Action.Publish);
        next.manifest = 0;
        bytes4 selector = IPolicyRegistry.ManifestRequired.selector;
        refuses(registrar, recording(next), abi.encodeWithSelector(selector, CN, bytes32("1")));
    }

    function test_the_same_number_and_document_under_another_authority_blocks_nobody() public {
        does(registrar, recording(submission("1", 1, Action.Publish)));
        IPolicyRegistry.Submission memory copied = submission("1", 1, Action.Publish);
        copied.authority = US;
        does(foreigner, recording(copied));
        same(1, registry.policy(US, "1").sequence, "US");
        same(1, registry.policy(CN, "1").sequence, "CN");
    }
}
