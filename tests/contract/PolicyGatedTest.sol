// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Action, Entry} from "../../contracts/Entry.sol";
import {IPolicyRegistry} from "../../contracts/IPolicyRegistry.sol";
import {EntryProof} from "../../contracts/examples/InForce.sol";
import {PolicyGated} from "../../contracts/examples/PolicyGated.sol";
import {NaiveTree} from "./NaiveTree.sol";
import {RegistryTest} from "./RegistryTest.sol";

/// @dev The smallest gated contract: its one act is to say which entry is in force.
contract Gate is PolicyGated {
    constructor(IPolicyRegistry registry, bytes32 authority, bytes32 number) PolicyGated(registry, authority, number) {}

    function entryInForce(EntryProof[] calldata history) external view returns (Entry memory) {
        return _entryInForce(history);
    }
}

/// @dev A published policy, a gate on it, and what a client of a gated contract does: keep the entries, walk a policy back from
/// its head and make the paths.
abstract contract PolicyGatedTest is RegistryTest {
    bytes32 internal constant NUMBER = "pilots 2017-1";
    bytes32 internal constant OTHER = "pilots 2017-2";
    int32 internal constant TODAY = int32(uint32(NOW / 1 days));

    Gate internal gate;
    mapping(uint64 index => Entry) internal entryAt;

    function setUp() public virtual override {
        super.setUp();
        acts(NUMBER, 1, Action.Publish, TODAY - 100);
        gate = new Gate(registry, CN, NUMBER);
    }

    /// @dev For the whole history of the gate's policy.
    function opens(uint64 expected) internal {
        bytes memory data = abi.encodeCall(Gate.entryInForce, (historyOf(gate.number())));
        Entry memory entry = abi.decode(succeeds(stranger, address(gate), data), (Entry));
        same(keccak256(abi.encode(entryAt[expected])), keccak256(abi.encode(entry)), "entry");
    }

    function refusesHistory(EntryProof[] memory history, bytes memory expected) internal {
        reverts(stranger, address(gate), abi.encodeCall(Gate.entryInForce, (history)), expected);
    }

    function refusesWith(bytes4 selector, EntryProof[] memory history) internal view {
        try gate.entryInForce(history) {
            revert("accepted");
        } catch (bytes memory reason) {
            same(bytes32(selector), bytes32(bytes4(reason)), "error");
        }
    }

    function incomplete(uint256 expected, uint256 given) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(PolicyGated.HistoryIncomplete.selector, expected, given);
    }

    function outOfPlace(uint64 expected, uint64 given) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(PolicyGated.EntryOutOfPlace.selector, expected, given);
    }

    /// @dev The latest entry of the gate's policy.
    function head() internal view returns (uint64) {
        return registry.policy(CN, gate.number()).head;
    }

    /// @dev Records one act on a policy and returns its entry.
    function acts(bytes32 number, uint32 sequence, Action action, int32 effectiveOn) internal returns (Entry memory) {
        IPolicyRegistry.Submission memory next = submission(number, sequence, action);
        next.effectiveOn = effectiveOn;
        does(registrar, recording(next));
        return kept();
    }

    /// @dev Takes the one entry of a call and keeps it.
    function kept() internal returns (Entry memory entry) {
        entry = last();
        entryAt[entry.index] = entry;
    }

    function proofOf(uint64 index) internal view returns (EntryProof memory) {
        return EntryProof(entryAt[index], NaiveTree.inclusion(leaves, index, leaves.length));
    }

    /// @dev All entries of a policy of CN, the latest first.
    function historyOf(bytes32 number) internal view returns (EntryProof[] memory history) {
        IPolicyRegistry.PolicyState memory state = registry.policy(CN, number);
        history = new EntryProof[](state.sequence);
        uint64 index = state.head;
        for (uint256 i = 0; i < history.length; ++i) {
            history[i] = proofOf(index);
            index = history[i].entry.previous;
        }
    }

    function listOf(EntryProof memory a) internal pure returns (EntryProof[] memory list) {
        list = new EntryProof[](1);
        list[0] = a;
    }

    function listOf(EntryProof memory a, EntryProof memory b) internal pure returns (EntryProof[] memory list) {
        list = new EntryProof[](2);
        (list[0], list[1]) = (a, b);
    }

    function listOf(EntryProof memory a, EntryProof memory b, EntryProof memory c)
        internal
        pure
        returns (EntryProof[] memory list)
    {
        list = new EntryProof[](3);
        (list[0], list[1], list[2]) = (a, b, c);
    }
}
