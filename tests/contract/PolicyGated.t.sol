// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {Action, Entry, NO_DATE} from "../../contracts/Entry.sol";
import {IPolicyRegistry} from "../../contracts/IPolicyRegistry.sol";
import {TreeProof} from "../../contracts/TreeProof.sol";
import {EntryProof} from "../../contracts/examples/InForce.sol";
import {PolicyGated} from "../../contracts/examples/PolicyGated.sol";
import {Gate, PolicyGatedTest} from "./PolicyGatedTest.sol";

/// @dev A gate opens for a policy's whole history and for nothing else.
contract WholeHistoryTest is PolicyGatedTest {
    function test_it_opens_for_a_policy_in_force() public {
        opens(head());
    }

    function test_it_opens_whoever_recorded_what_else_in_between() public {
        uint64 published = head();
        for (uint32 i = 0; i < 20; ++i) {
            acts(keccak256(abi.encode(i)), 1, Action.Publish, NO_DATE);
            opens(published);
        }
    }

    function test_it_can_not_be_set_up_for_a_policy_that_is_not_there() public {
        bytes4 selector = PolicyGated.PolicyUnknown.selector;
        try new Gate(registry, US, NUMBER) {
            revert("accepted");
        } catch (bytes memory reason) {
            same(keccak256(abi.encodeWithSelector(selector, US, NUMBER)), keccak256(reason), "error");
        }
    }

    function test_nothing_shown_is_refused() public {
        refusesHistory(new EntryProof[](0), incomplete(1, 0));
    }

    function test_an_entry_with_any_field_altered_is_refused(uint256 value) public {
        uint8[11] memory bits = [64, 64, 255, 255, 32, 4, 31, 255, 255, 160, 64];
        for (uint256 field = 0; field < bits.length; ++field) {
            uint256 altered = value & ((1 << bits[field]) - 1);
            EntryProof[] memory history = historyOf(NUMBER);
            Entry memory entry = history[0].entry;
            uint256 given;
            assembly ("memory-safe") {
                given := mload(add(entry, mul(field, 32)))
                mstore(add(entry, mul(field, 32)), altered)
            }
            if (given == altered) continue;
            if (field == 0) refusesHistory(history, outOfPlace(head(), uint64(altered)));
            else refusesWith(TreeProof.RootMismatch.selector, history);
        }
    }

    function test_a_wrong_path_is_refused() public {
        EntryProof[] memory history = historyOf(NUMBER);
        bytes32[] memory path = history[0].path;
        for (uint256 i = 0; i < path.length; ++i) {
            path[i] = ~path[i];
            refusesWith(TreeProof.RootMismatch.selector, history);
            path[i] = ~path[i];
        }
        bytes4 selector = TreeProof.PathLengthMismatch.selector;
        history[0].path = new bytes32[](0);
        refusesHistory(history, abi.encodeWithSelector(selector, path.length, 0));
        history[0].path = new bytes32[](path.length + 1);
        refusesHistory(history, abi.encodeWithSelector(selector, path.length, path.length + 1));
    }

    function test_a_path_of_the_log_as_it_was_is_refused() public {
        EntryProof[] memory shortest = historyOf(NUMBER);
        acts(OTHER, 1, Action.Publish, NO_DATE);
        refusesWith(TreeProof.PathLengthMismatch.selector, shortest);
        EntryProof[] memory history = historyOf(NUMBER);
        acts(OTHER, 2, Action.Amend, NO_DATE);
        refusesWith(TreeProof.RootMismatch.selector, history);
        opens(head());
    }

    function test_another_policys_entry_is_refused() public {
        Entry memory other = acts(OTHER, 1, Action.Publish, NO_DATE);
        refusesHistory(historyOf(OTHER), outOfPlace(head(), other.index));
    }

    function test_the_same_number_of_another_authority_is_refused() public {
        IPolicyRegistry.Submission memory copied = submission(NUMBER, 1, Action.Publish);
        copied.authority = US;
        does(foreigner, recording(copied));
        Entry memory foreign = kept();
        refusesHistory(listOf(proofOf(foreign.index)), outOfPlace(head(), foreign.index));
    }

    /// @dev Both have the same authority and number: an account read as a number.
    function test_an_authority_act_is_no_entry_of_a_policy() public {
        Entry memory policy = acts(word(stranger), 1, Action.Publish, NO_DATE);
        does(controller, abi.encodeCall(IAccessControl.grantRole, (registry.registrarRole(CN), stranger)));
        Entry memory act = kept();
        same(policy.number, act.number, "number");
        same(policy.sequence, act.sequence, "sequence");
        gate = new Gate(registry, CN, policy.number);
        refusesHistory(listOf(proofOf(act.index)), outOfPlace(policy.index, act.index));
    }

    function test_a_history_with_a_gap_or_a_stand_in_or_in_another_order_is_refused() public {
        EntryProof memory a = proofOf(head());
        EntryProof memory b = proofOf(acts(NUMBER, 2, Action.Suspend, NO_DATE).index);
        EntryProof memory c = proofOf(acts(NUMBER, 3, Action.Reinstate, NO_DATE).index);
        EntryProof memory d = proofOf(acts(OTHER, 1, Action.Publish, NO_DATE).index);
        (a, b, c) = (proofOf(a.entry.index), proofOf(b.entry.index), proofOf(c.entry.index));
        opens(a.entry.index);
        refusesHistory(listOf(c, a), incomplete(3, 2));
        refusesHistory(listOf(a), incomplete(3, 1));
        refusesHistory(listOf(a, b, c), outOfPlace(c.entry.index, a.entry.index));
        refusesHistory(listOf(c, a, b), outOfPlace(b.entry.index, a.entry.index));
        refusesHistory(listOf(c, c, a), outOfPlace(b.entry.index, c.entry.index));
        refusesHistory(listOf(c, d, a), outOfPlace(b.entry.index, d.entry.index));
        refusesHistory(listOf(c, b, d), outOfPlace(a.entry.index, d.entry.index));
        refusesHistory(listOf(d, b, a), outOfPlace(c.entry.index, d.entry.index));
        a.path[0] = ~a.path[0];
        refusesWith(TreeProof.RootMismatch.selector, listOf(c, b, a));
    }

    /// @dev Without its proof the last act's `previous` could lead past the suspension.
    function test_each_entry_of_the_history_is_proved() public {
        Entry memory published = entryAt[head()];
        acts(NUMBER, 2, Action.Suspend, NO_DATE);
        Entry memory head = acts(NUMBER, 3, Action.Reinstate, TODAY + 9);
        for (uint256 i = 0; i < 3; ++i) {
            EntryProof[] memory history = historyOf(NUMBER);
            history[i].entry.registrar = stranger;
            refusesWith(TreeProof.RootMismatch.selector, history);
        }
        EntryProof[] memory forged = historyOf(NUMBER);
        forged[0].entry.effectiveOn = TODAY;
        same(published.index + 2, head.index, "nothing in between");
        refusesWith(TreeProof.RootMismatch.selector, forged);
    }

    function test_a_retired_registry_opens_nothing_and_its_successor_is_named() public {
        address successor = address(0x5CC);
        does(admin, abi.encodeCall(IPolicyRegistry.retire, (successor)));
        collect();
        refusesHistory(historyOf(NUMBER), abi.encodeWithSelector(PolicyGated.RegistryRetired.selector, successor));
    }
}
