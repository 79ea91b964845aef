// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Action, Entry, NO_DATE, NO_ENTRY} from "../../contracts/Entry.sol";
import {IPolicyRegistry} from "../../contracts/IPolicyRegistry.sol";
import {Status} from "../../contracts/Lifecycle.sol";
import {Cheats, Vm} from "./Cheats.sol";
import {InvariantTree} from "./InvariantTree.sol";

/// @dev What the log alone says, read from its events and from nothing else: who holds which role,
/// where each policy stands, what the tree is. Each entry is held against the rules, written out
/// here anew, as it is read: a log that breaks one reverts.
abstract contract InvariantModel is Cheats, InvariantTree {
    struct Chain {
        Status status;
        uint32 sequence;
        uint64 head;
        uint64 recordedAt;
    }

    struct Checkpoint {
        uint64 size;
        bytes32 root;
    }

    /// @dev The status after each action, from `Publish` to `Withdraw`; one row a status.
    bytes private constant TABLE = hex"0100000000000000" hex"0001010200030405" hex"0000000001030405"
        hex"0000000001000000" hex"0000000001000000" hex"0000000001000000";

    bytes32[6] public codes = [bytes32("CN"), "US", "CN.GD", "CN.SH-1", "CN.GD.SZ", "US.DC"];
    mapping(bytes32 code => bytes32) internal parents;

    uint256 public clock = 1_800_000_000;
    Entry[] internal entries;
    Checkpoint[] internal checkpoints;
    mapping(bytes32 authority => mapping(bytes32 number => Chain)) internal policies;
    mapping(bytes32 authority => mapping(bytes32 subject => Chain)) internal acts;
    mapping(bytes32 role => mapping(address account => bool)) internal holds;
    mapping(bytes32 code => bool) internal opened;
    bool public closed;
    address internal successor;
    /// @dev The admin to be, which the log does not tell before it is one.
    address internal heir;
    /// @dev The time after which the heir may accept, or the admin renounce; 0 for none.
    uint256 internal schedule;

    constructor() {
        parents["CN.GD"] = "CN";
        parents["CN.SH-1"] = "CN";
        parents["CN.GD.SZ"] = "CN.GD";
        parents["US.DC"] = "US";
    }

    function _after(Status status, Action action) internal pure returns (Status) {
        uint256 column = uint256(action);
        if (column == 0 || column > 8) return Status.None;
        return Status(uint8(TABLE[uint256(status) * 8 + column - 1]));
    }

    function _registrars(bytes32 code) internal pure returns (bytes32) {
        return code | bytes32(uint256(1));
    }

    function _controllers(bytes32 code) internal pure returns (bytes32) {
        return code | bytes32(uint256(2));
    }

    /// @dev The role that appoints to `role`, which is one of a code above.
    function _above(bytes32 role) internal view returns (bytes32) {
        bytes32 code = role >> 8 << 8;
        if (role == _registrars(code)) return _controllers(code);
        return parents[code] == 0 ? bytes32(0) : _controllers(parents[code]);
    }

    /// @dev Takes what one call emitted: any number of entries, each perhaps with its manifest, and
    /// then one checkpoint if there was an entry.
    function _read() internal returns (uint256 appended, uint256 manifests) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 checkpointed = 0;
        for (uint256 i = 0; i < logs.length; ++i) {
            bytes32 topic = logs[i].topics[0];
            if (topic == IPolicyRegistry.Recorded.selector) {
                same(0, checkpointed, "entry after the checkpoint");
                _take(bytes.concat(logs[i].topics[1], logs[i].data));
                ++appended;
            } else if (topic == IPolicyRegistry.ManifestPublished.selector) {
                same(IPolicyRegistry.Recorded.selector, logs[i - 1].topics[0], "event before a manifest");
                same(entries[entries.length - 1].manifest, logs[i].topics[1], "manifest");
                same(sha256(abi.decode(logs[i].data, (bytes))), logs[i].topics[1], "digest");
                ++manifests;
            } else if (topic == IPolicyRegistry.Checkpoint.selector) {
                ++checkpointed;
                _takeCheckpoint(logs[i].data);
            }
        }
        same(appended == 0 ? 0 : 1, checkpointed, "checkpoints");
    }

    function _takeCheckpoint(bytes memory data) private {
        (uint64 size, bytes32 root) = abi.decode(data, (uint64, bytes32));
        same(entries.length, size, "size of the checkpoint");
        same(_root(0, size), root, "root of the checkpoint");
        checkpoints.push(Checkpoint(size, root));
    }

    function _take(bytes memory words) private {
        same(11 * 32, words.length, "words");
        Entry memory entry = abi.decode(words, (Entry));
        same(entries.length, entry.index, "index");
        same(clock, entry.recordedAt, "recordedAt");
        same(false, closed, "entry after the end");
        bool policy = entry.action >= Action.Publish && entry.action <= Action.Withdraw;
        Chain storage chain = (policy ? policies : acts)[entry.authority][entry.number];
        same(chain.sequence + 1, entry.sequence, "sequence");
        same(chain.sequence == 0 ? NO_ENTRY : chain.head, entry.previous, "previous");
        if (policy) {
            _takePolicy(chain, entry);
        } else {
            same(true, entry.effectiveOn == NO_DATE, "date of an authority's act");
            _takeAct(entry);
        }
        chain.sequence = entry.sequence;
        chain.head = entry.index;
        chain.recordedAt = entry.recordedAt;
        entries.push(entry);
        _push(sha256(bytes.concat(hex"00", words)));
    }

    function _takePolicy(Chain storage chain, Entry memory entry) private {
        same(true, holds[_registrars(entry.authority)][entry.registrar], "registrar at that moment");
        chain.status = _after(chain.status, entry.action);
        same(true, chain.status != Status.None, "transition");
        same(entry.action <= Action.Correct, entry.document != 0, "document");
        same(true, entry.manifest != 0, "manifest named");
    }

    function _takeAct(Entry memory entry) private {
        Action action = entry.action;
        bytes32 code = entry.authority;
        if (action == Action.OpenAuthority) {
            _may(entry, _above(_controllers(code)));
            same(true, parents[code] == 0 || opened[parents[code]], "parent open");
            same(false, opened[code], "opened before");
            same(0, entry.number, "subject");
            opened[code] = true;
        } else if (action == Action.SetProfile) {
            _may(entry, _controllers(code));
            same(0, entry.number, "subject");
        } else if (action == Action.ReportCompromise) {
            bytes32 role = holds[_controllers(code)][entry.registrar] ? _controllers(code) : _above(_controllers(code));
            _may(entry, role);
            same(true, uint256(entry.document) <= clock, "compromised since");
        } else if (action == Action.Retire) {
            _may(entry, 0);
            closed = true;
            successor = address(uint160(uint256(entry.number)));
        } else if (action == Action.AppointAdmin || action == Action.DismissAdmin) {
            same(0, code, "authority of the admin");
            _takeAdmin(entry);
        } else {
            _takeRole(entry);
        }
    }

    function _takeRole(Entry memory entry) private {
        Action action = entry.action;
        bool controls = action == Action.AppointController || action == Action.DismissController;
        bool appoints = action == Action.AppointController || action == Action.AppointRegistrar;
        same(true, controls || action == Action.AppointRegistrar || action == Action.DismissRegistrar, "action");
        bytes32 role = controls ? _controllers(entry.authority) : _registrars(entry.authority);
        address account = address(uint160(uint256(entry.number)));
        same(true, opened[entry.authority], "open");
        same(!appoints, holds[role][account], "holder before");
        if (appoints || account != entry.registrar) _may(entry, _above(role));
        holds[role][account] = appoints;
    }

    function _takeAdmin(Entry memory entry) private {
        bool appoints = entry.action == Action.AppointAdmin;
        address account = address(uint160(uint256(entry.number)));
        same(!appoints, holds[0][account], "admin before");
        if (appoints && entry.index != 0) same(true, account == entry.registrar, "admin by own acceptance");
        if (entry.index != 0) same(true, entry.registrar == heir || account == entry.registrar, "heir");
        holds[0][account] = appoints;
    }

    function _may(Entry memory entry, bytes32 role) private view {
        same(true, holds[role][entry.registrar], "role at that moment");
    }
}
