// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Action, NO_ENTRY} from "../../contracts/Entry.sol";
import {Status} from "../../contracts/Lifecycle.sol";
import {NaiveTree} from "../contract/NaiveTree.sol";
import {LifecycleTable} from "./LifecycleTable.sol";
import {RegistrySpec} from "./RegistrySpec.sol";

/// @dev {PolicyRegistry-record}: by any caller, at any time of 64 bits, on any storage in which the status of the
/// policies submitted is one of the six and their sequences are not the last two of 32 bits. A submission is any
/// seven words, also such as Solidity would not encode.
contract RecordSymbolic is RegistrySpec {
    /// @dev What the registry keeps of a policy, in its slot.
    uint256 private constant STATE = (1 << 168) - 1;

    /// @dev One submission without a manifest, to a log of any size: it reverts unless the log is open, the caller
    /// is a registrar of the authority, the sequence is the next one, the table has the transition, and there
    /// is a document exactly where there must be one, and a manifest's digest.
    /// @custom:halmos --solver-timeout-branching 10s --early-exit
    function check_record_of_what_may_not_be_reverts(address caller, uint64 time, bytes32[7] calldata words) external {
        vm.warp(time);
        uint256 state = _state(words);
        vm.assume(state & 0xff <= uint256(Status.Withdrawn));
        uint256 next = uint256(LifecycleTable.next(Status(uint8(state)), _action(words)));
        vm.assume(not(both(not(retired()), _may(caller, words, state, next))));
        assert(!call(caller, _one(words)));
    }

    /// @dev Two submissions to an open log of 2 entries, the first of which publishes a policy: they are refused unless
    /// the caller is a registrar of the second's authority as well. Other sizes and first acts have too many paths.
    function check_record_of_two_without_both_roles_reverts(
        address caller,
        uint64 time,
        bytes32[7] calldata one,
        bytes32[7] calldata second
    ) external {
        vm.warp(time);
        open(2);
        bytes32[7] memory first = one;
        first[3] = bytes32(uint256(Action.Publish));
        vm.assume(not(_isRegistrar(caller, second[0])));
        assert(!call(caller, _two(first, second)));
    }

    /// @dev To an open log of 0 to 2 entries: where it may, it succeeds, appends this one entry to the tree and moves on
    /// this policy.
    function check_record_appends_the_entry(uint256 size, address caller, uint64 time, bytes32[7] calldata given)
        external
    {
        vm.warp(time);
        bytes32[7] memory words = given;
        (uint256 state, uint256 next) = _pickTransition(words);
        vm.assume(_may(caller, words, state, next));
        size = pick(size, 0, 2);
        open(size);
        (uint256 level, bytes32 node) = _grown(size, _leaf(size, caller, time, words, state));

        assert(call(caller, _one(words)));

        assert(load(LOG) == size + 1);
        assert(peak(level) == node);
        assert(_state(words) == _moved(state, next) | size << 40 | uint256(time) << 104);
    }

    /// @dev One submission to an open log of 2 entries: no other policy changes, no authority's act and no role.
    function check_record_changes_nothing_else(
        address caller,
        uint64 time,
        bytes32[7] calldata words,
        bytes32[6] calldata other
    ) external {
        vm.warp(time);
        open(2);
        vm.assume(either(words[0] != other[0], words[1] != other[1]));
        bytes32 before = _rest(other);
        if (call(caller, _one(words))) assert(_rest(other) == before);
    }

    function check_reachable_record(address caller, uint64 time, bytes32[7] calldata words) external {
        vm.warp(time);
        open(2);
        assert(!call(caller, _one(words)));
    }

    /// @dev Goes on with each transition of the table: sets the action in `words`, and returns the policy's state,
    /// which has the status that the transition starts from and is of any value otherwise, and the next status.
    function _pickTransition(bytes32[7] memory words) private returns (uint256 state, uint256 next) {
        uint256 status = pick(svm.createUint256("status"), uint256(Status.None), uint256(Status.Withdrawn));
        uint256 action = pick(svm.createUint256("action"), uint256(Action.Publish), uint256(Action.Withdraw));
        next = LifecycleTable.read(status, action);
        vm.assume(next != uint256(Status.None));
        words[3] = bytes32(action);
        state = (_state(words) & ~uint256(0xff)) | status;
        _store(words, state);
    }

    function _store(bytes32[7] memory words, uint256 state) private {
        vm.store(address(REGISTRY), slotOf(POLICIES, words[0], words[1]), bytes32(state));
    }

    /// @dev Whether the caller may submit this to an open log when the policy's state is `state` and the table leads
    /// from there to `next`.
    function _may(address caller, bytes32[7] memory words, uint256 state, uint256 next) private returns (bool may) {
        vm.assume(uint32(state >> 8) < type(uint32).max - 1);
        may = _isRegistrar(caller, words[0]);
        may = both(may, uint256(words[2]) == uint256(uint32(state >> 8)) + 1);
        may = both(may, next != uint256(Status.None));
        may = both(may, int256(uint256(words[4])) == int32(int256(uint256(words[4]))));
        may = both(may, LifecycleTable.bringsDocument(_action(words)) == (words[5] != 0));
        may = both(may, words[6] != 0);
    }

    function _isRegistrar(address caller, bytes32 authority) private view returns (bool) {
        return both(uint8(uint256(authority)) == 0, REGISTRY.hasRole(authority | bytes32(uint256(1)), caller));
    }

    function _action(bytes32[7] memory words) private pure returns (Action) {
        uint256 action = uint256(words[3]);
        return action > uint256(Action.Retire) ? Action.None : Action(uint8(action));
    }

    function _state(bytes32[7] memory words) private view returns (uint256) {
        return load(slotOf(POLICIES, words[0], words[1])) & STATE;
    }

    /// @dev Status and sequence after the submission.
    function _moved(uint256 state, uint256 next) private pure returns (uint256) {
        return next | (uint256(uint32(state >> 8)) + 1) << 8;
    }

    function _leaf(uint256 size, address caller, uint64 time, bytes32[7] memory words, uint256 state)
        private
        pure
        returns (bytes32)
    {
        uint256 previous = uint32(state >> 8) == 0 ? NO_ENTRY : uint64(state >> 40);
        return sha256(bytes.concat(hex"00", abi.encode(size, previous, words, caller, time)));
    }

    /// @dev The one peak that a tree of `size` gains with a leaf.
    function _grown(uint256 size, bytes32 leaf) private view returns (uint256 level, bytes32 node) {
        node = leaf;
        for (; size >> level & 1 == 1; ++level) {
            node = NaiveTree.node(peak(level), node);
        }
    }

    /// @dev Of any other policy, of any act and of any role.
    function _rest(bytes32[6] calldata other) private view returns (bytes32) {
        return keccak256(
            abi.encode(
                load(slotOf(POLICIES, other[0], other[1])),
                load(slotOf(ACTS, other[2], other[3])),
                REGISTRY.hasRole(other[4], address(uint160(uint256(other[5]))))
            )
        );
    }

    function _one(bytes32[7] memory words) private pure returns (bytes memory) {
        return abi.encodeWithSelector(REGISTRY.record.selector, 64, 320, 1, words, 0);
    }

    function _two(bytes32[7] memory first, bytes32[7] memory second) private pure returns (bytes memory) {
        return abi.encodeWithSelector(REGISTRY.record.selector, 64, 544, 2, first, second, 0);
    }
}
