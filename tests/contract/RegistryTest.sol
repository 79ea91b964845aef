// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {
    IAccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/IAccessControlDefaultAdminRules.sol";
import {Action, Entry, NO_DATE} from "../../contracts/Entry.sol";
import {IPolicyRegistry} from "../../contracts/IPolicyRegistry.sol";
import {Status} from "../../contracts/Lifecycle.sol";
import {Cheats, Vm} from "./Cheats.sol";
import {NaiveTree} from "./NaiveTree.sol";

/// @dev What the tests call: the registry's own functions and OpenZeppelin's.
interface IRegistry is IPolicyRegistry, IAccessControlDefaultAdminRules {}

/// @dev A registry with the authorities CN, CN.GD and US, each with a controller and a registrar, and
/// what is read back from its events: entries, manifests and checkpoints.
abstract contract RegistryTest is Cheats {
    bytes32 internal constant CN = "CN";
    bytes32 internal constant GD = "CN.GD";
    bytes32 internal constant US = "US";
    uint256 internal constant NOW = 1_800_000_000;
    uint48 internal constant DELAY = 3 days;

    address internal admin = address(0xAD);
    address internal controller = address(0xC0);
    address internal registrar = address(0x4E);
    address internal foreigner = address(0xF0);
    address internal stranger = address(0x57);

    IRegistry internal registry;
    bytes32[] internal leaves;

    function setUp() public virtual {
        vm.warp(NOW);
        vm.recordLogs();
        registry = _deploy(admin, DELAY);
        _open(admin, CN, controller);
        _open(controller, GD, controller);
        _open(admin, US, controller);
        _grant(registry.registrarRole(CN), registrar);
        _grant(registry.registrarRole(US), foreigner);
        collect();
    }

    function _deploy(address first, uint48 delay) internal returns (IRegistry deployed) {
        bytes memory code = bytes.concat(vm.getCode("PolicyRegistry.sol:PolicyRegistry"), abi.encode(first, delay));
        assembly ("memory-safe") {
            deployed := create(0, add(code, 32), mload(code))
        }
        require(address(deployed) != address(0), "not deployed");
    }

    function _open(address sender, bytes32 code, address first) internal {
        does(sender, abi.encodeCall(IPolicyRegistry.openAuthority, (code, first, 0, "")));
    }

    function _grant(bytes32 role, address account) internal {
        does(controller, abi.encodeCall(IAccessControl.grantRole, (role, account)));
    }

    function does(address sender, bytes memory data) internal {
        succeeds(sender, address(registry), data);
    }

    function refuses(address sender, bytes memory data, bytes memory expected) internal {
        reverts(sender, address(registry), data, expected);
    }

    /// @dev A submission that is valid after `sequence - 1` others if the action is possible.
    function submission(bytes32 number, uint32 sequence, Action action)
        internal
        pure
        returns (IPolicyRegistry.Submission memory)
    {
        bool document = action == Action.Publish || action == Action.Amend || action == Action.Correct;
        return IPolicyRegistry.Submission({
            authority: CN,
            number: number,
            sequence: sequence,
            action: action,
            effectiveOn: -3650,
            document: document ? keccak256(abi.encode(number, sequence)) : bytes32(0),
            manifest: sha256(abi.encode(number, sequence))
        });
    }

    function one(IPolicyRegistry.Submission memory only)
        internal
        pure
        returns (IPolicyRegistry.Submission[] memory list)
    {
        list = new IPolicyRegistry.Submission[](1);
        list[0] = only;
    }

    function recording(IPolicyRegistry.Submission memory only) internal pure returns (bytes memory) {
        return abi.encodeCall(IPolicyRegistry.record, (one(only), new bytes[](0)));
    }

    function recording(IPolicyRegistry.Submission[] memory list) internal pure returns (bytes memory) {
        return abi.encodeCall(IPolicyRegistry.record, (list, new bytes[](0)));
    }

    function unauthorized(address account, bytes32 role) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, account, role);
    }

    /// @dev Brings a policy that was not yet published to `status`. Its sequence is then 0, 1 or 2.
    function bring(bytes32 number, Status status) internal returns (uint32 sequence) {
        if (status == Status.None) return 0;
        does(registrar, recording(submission(number, 1, Action.Publish)));
        if (status == Status.InForce) return 1;
        Action[4] memory ways = [Action.Suspend, Action.Supersede, Action.Repeal, Action.Withdraw];
        does(registrar, recording(submission(number, 2, ways[uint256(status) - 2])));
        return 2;
    }

    /// @dev Takes the events since the last call. Checks each call's checkpoint against the naive tree over
    /// the leaves of all entries so far, and that indexes have no gap.
    function collect() internal returns (Entry[] memory entries, bytes[] memory manifests, uint256 checkpoints) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        entries = new Entry[](_count(logs, IPolicyRegistry.Recorded.selector));
        manifests = new bytes[](_count(logs, IPolicyRegistry.ManifestPublished.selector));
        uint256 nextEntry = 0;
        uint256 nextManifest = 0;
        for (uint256 i = 0; i < logs.length; ++i) {
            bytes32 topic = logs[i].topics[0];
            if (topic == IPolicyRegistry.Recorded.selector) {
                same(leaves.length, uint256(logs[i].topics[1]), "index");
                bytes memory words = bytes.concat(logs[i].topics[1], logs[i].data);
                same(11 * 32, words.length, "words");
                entries[nextEntry++] = abi.decode(words, (Entry));
                leaves.push(sha256(bytes.concat(hex"00", words)));
            } else if (topic == IPolicyRegistry.ManifestPublished.selector) {
                same(IPolicyRegistry.Recorded.selector, logs[i - 1].topics[0], "event before a manifest");
                bytes memory content = abi.decode(logs[i].data, (bytes));
                same(sha256(content), logs[i].topics[1], "digest");
                same(entries[nextEntry - 1].manifest, logs[i].topics[1], "manifest");
                manifests[nextManifest++] = content;
            } else if (topic == IPolicyRegistry.Checkpoint.selector) {
                ++checkpoints;
                (uint64 size, bytes32 root) = abi.decode(logs[i].data, (uint64, bytes32));
                same(leaves.length, size, "size");
                same(NaiveTree.root(leaves, 0, leaves.length), root, "root");
            }
        }
        (uint64 currentSize, bytes32 currentRoot) = registry.checkpoint();
        same(leaves.length, currentSize, "current size");
        same(NaiveTree.root(leaves, 0, leaves.length), currentRoot, "current root");
    }

    function _count(Vm.Log[] memory logs, bytes32 topic) private pure returns (uint256 count) {
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] == topic) ++count;
        }
    }

    /// @dev Takes the one entry of a call, and that it emitted one checkpoint.
    function last() internal returns (Entry memory) {
        (Entry[] memory entries,, uint256 checkpoints) = collect();
        same(1, entries.length, "entries");
        same(1, checkpoints, "checkpoints");
        return entries[0];
    }

    /// @dev Checks an authority act, its place in its chain and what storage says of it.
    function sameAct(
        Entry memory entry,
        Action action,
        bytes32 code,
        bytes32 subject,
        uint32 sequence,
        uint64 previous,
        address by
    ) internal view {
        same(uint256(action), uint256(entry.action), "action");
        same(code, entry.authority, "authority");
        same(subject, entry.number, "number");
        same(sequence, entry.sequence, "sequence");
        same(previous, entry.previous, "previous");
        same(uint256(uint160(by)), uint256(uint160(entry.registrar)), "registrar");
        same(block.timestamp, entry.recordedAt, "recordedAt");
        same(true, entry.effectiveOn == NO_DATE, "no date");
    }

    function word(address account) internal pure returns (bytes32) {
        return bytes32(uint256(uint160(account)));
    }
}
