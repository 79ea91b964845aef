// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Action, Entry, NO_DATE} from "../../contracts/Entry.sol";
import {Status} from "../../contracts/Lifecycle.sol";
import {EntryProof, InForce} from "../../contracts/examples/InForce.sol";
import {Gate, PolicyGatedTest} from "./PolicyGatedTest.sol";

/// @dev Which entry a gate opens for, by what was recorded and by the day.
contract InForceTest is PolicyGatedTest {
    function _notInForce(Entry memory act) private pure returns (bytes memory) {
        return abi.encodeWithSelector(InForce.PolicyNotInForce.selector, act.index, act.action);
    }

    function _notYet() private view returns (bytes memory) {
        return abi.encodeWithSelector(InForce.PolicyNotYetInForce.selector, block.timestamp / 1 days);
    }

    function _dawn(int32 day) private pure returns (uint256) {
        return uint256(int256(day)) * 1 days;
    }

    function test_after_an_amendment_only_the_new_version_counts() public {
        EntryProof memory old = proofOf(head());
        Entry memory amended = acts(NUMBER, 2, Action.Amend, NO_DATE);
        old = proofOf(old.entry.index);
        refusesHistory(listOf(old), incomplete(2, 1));
        refusesHistory(listOf(old, old), outOfPlace(amended.index, old.entry.index));
        opens(amended.index);
    }

    function test_after_a_correction_only_the_corrected_document_counts() public {
        Entry memory first = acts(NUMBER, 2, Action.Correct, NO_DATE);
        opens(first.index);
        Entry memory second = acts(NUMBER, 3, Action.Correct, TODAY - 200);
        opens(second.index);
        Entry memory third = acts(NUMBER, 4, Action.Correct, TODAY + 30);
        opens(second.index);
        vm.warp(_dawn(TODAY + 30));
        opens(third.index);
    }

    function test_it_closes_when_the_policy_is_suspended_superseded_repealed_or_withdrawn() public {
        Action[4] memory ends = [Action.Suspend, Action.Supersede, Action.Repeal, Action.Withdraw];
        uint64 published = head();
        for (uint32 i = 0; i < ends.length; ++i) {
            Entry memory end = acts(NUMBER, 2 + 2 * i, ends[i], i % 2 == 0 ? NO_DATE : TODAY);
            refusesHistory(historyOf(NUMBER), _notInForce(end));
            refusesHistory(listOf(proofOf(published)), incomplete(2 + 2 * i, 1));
            acts(NUMBER, 3 + 2 * i, Action.Reinstate, NO_DATE);
            opens(published);
        }
    }

    function test_an_end_counts_from_its_day_on() public {
        uint64 published = head();
        Entry memory end = acts(NUMBER, 2, Action.Repeal, TODAY + 30);
        opens(published);
        vm.warp(_dawn(TODAY + 30) - 1);
        opens(published);
        vm.warp(_dawn(TODAY + 30));
        refusesHistory(historyOf(NUMBER), _notInForce(end));
    }

    function test_a_policy_counts_from_its_day_on() public {
        Entry memory published = acts(OTHER, 1, Action.Publish, TODAY + 1);
        gate = new Gate(registry, CN, OTHER);
        refusesHistory(historyOf(OTHER), _notYet());
        vm.warp(_dawn(TODAY + 1) - 1);
        refusesHistory(historyOf(OTHER), _notYet());
        vm.warp(_dawn(TODAY + 1));
        opens(published.index);
    }

    function test_an_announced_amendment_leaves_the_old_version_in_force_until_its_day() public {
        uint64 published = head();
        Entry memory amended = acts(NUMBER, 2, Action.Amend, TODAY + 30);
        opens(published);
        vm.warp(_dawn(TODAY + 30));
        opens(amended.index);
    }

    function test_a_correction_of_a_version_to_come_waits_for_it() public {
        uint64 published = head();
        acts(NUMBER, 2, Action.Amend, TODAY + 30);
        Entry memory corrected = acts(NUMBER, 3, Action.Correct, NO_DATE);
        opens(published);
        vm.warp(_dawn(TODAY + 30));
        opens(corrected.index);
    }

    /// @dev The status in storage says that the policy is in force all the time.
    function test_a_reinstatement_dated_later_leaves_the_policy_suspended_even_under_an_amendment() public {
        Entry memory suspended = acts(NUMBER, 2, Action.Suspend, NO_DATE);
        acts(NUMBER, 3, Action.Reinstate, TODAY + 30);
        refusesHistory(historyOf(NUMBER), _notInForce(suspended));
        Entry memory amended = acts(NUMBER, 4, Action.Amend, NO_DATE);
        refusesHistory(historyOf(NUMBER), _notInForce(suspended));
        vm.warp(_dawn(TODAY + 30));
        opens(amended.index);
    }

    // Any history, against section 11 of docs/formats.md written down as it stands there

    function test_any_history_on_any_day_opens_for_what_the_definition_says(uint256 seed) public {
        acts(OTHER, 1, Action.Publish, _anyDate(seed));
        gate = new Gate(registry, CN, OTHER);
        _sameAsDefined();
        Status status = Status.InForce;
        for (uint32 sequence = 2; sequence <= 6; ++sequence) {
            seed = uint256(keccak256(abi.encode(seed)));
            vm.warp(block.timestamp + seed % (9 days));
            Action action;
            (action, status) = _possible(status, seed >> 32);
            acts(OTHER, sequence, action, _anyDate(seed >> 64));
            _sameAsDefined();
        }
        for (uint256 i = 0; i < 5; ++i) {
            vm.warp(block.timestamp + 6 days);
            _sameAsDefined();
        }
    }

    function _possible(Status status, uint256 seed) private pure returns (Action, Status) {
        if (status != Status.InForce && seed % 4 != 0) return (Action.Reinstate, Status.InForce);
        if (status == Status.InForce && seed % 2 == 0) {
            return (seed % 4 == 0 ? Action.Amend : Action.Correct, Status.InForce);
        }
        if (status == Status.InForce) return (Action.Suspend, Status.Suspended);
        if (status == Status.Suspended) return (Action.Repeal, Status.Repealed);
        return (Action.Reinstate, Status.InForce);
    }

    /// @dev No date, the ends of the type, or near the days on which the test looks.
    function _anyDate(uint256 seed) private view returns (int32) {
        if (seed % 5 == 0) return NO_DATE;
        if (seed % 31 == 0) return seed % 2 == 0 ? NO_DATE + 1 : type(int32).max;
        return int32(int256(block.timestamp / 1 days) + int256(seed >> 8 & 31) - 12);
    }

    function _sameAsDefined() private {
        EntryProof[] memory history = historyOf(OTHER);
        (bool inForce, uint64 expected) = _defined(history, int256(block.timestamp / 1 days));
        if (inForce) {
            opens(expected);
            return;
        }
        try gate.entryInForce(history) {
            revert("opened");
        } catch (bytes memory reason) {
            bytes4 selector = bytes4(reason);
            bool named =
                selector == InForce.PolicyNotInForce.selector || selector == InForce.PolicyNotYetInForce.selector;
            same(true, named, "error");
        }
    }

    /// @dev Rules 1 to 4 and 6, on acts in the order of the log.
    function _defined(EntryProof[] memory history, int256 day) private pure returns (bool inForce, uint64 index) {
        uint256 count = history.length;
        Entry[] memory act = new Entry[](count);
        int256[] memory from = new int256[](count);
        uint256[] memory version = new uint256[](count);
        uint256 versionOnDay = 0;
        inForce = true;
        for (uint256 k = 0; k < count; ++k) {
            act[k] = history[count - 1 - k].entry;
            bool begins = act[k].action == Action.Publish || act[k].action == Action.Amend;
            bool corrects = act[k].action == Action.Correct;
            from[k] = act[k].effectiveOn;
            if (act[k].effectiveOn == NO_DATE && act[k].action != Action.Publish) {
                from[k] = int256(uint256(act[k].recordedAt) / 86_400);
            }
            if (k != 0) version[k] = version[k - 1];
            if (begins) {
                version[k] += 1;
                if (from[k] <= day) versionOnDay = version[k];
            } else if (corrects) {
                for (uint256 j = 0; j < k; ++j) {
                    bool corrected = act[j].action == Action.Publish || act[j].action == Action.Amend;
                    if (corrected && version[j] == version[k] && from[j] > from[k]) from[k] = from[j];
                }
            } else if (from[k] <= day) {
                inForce = act[k].action == Action.Reinstate;
            }
        }
        inForce = inForce && versionOnDay != 0;
        for (uint256 k = 0; k < count; ++k) {
            bool document = uint256(act[k].action) <= uint256(Action.Correct);
            if (document && version[k] == versionOnDay && from[k] <= day) index = act[k].index;
        }
    }
}
