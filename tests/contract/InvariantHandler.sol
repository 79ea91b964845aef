// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Entry} from "../../contracts/Entry.sol";
import {IPolicyRegistry} from "../../contracts/IPolicyRegistry.sol";
import {TreeProof} from "../../contracts/TreeProof.sol";
import {InvariantAdmin} from "./InvariantAdmin.sol";
import {NaiveTree} from "./NaiveTree.sol";

/// @dev All the acts, and what must hold after any of them.
contract InvariantHandler is InvariantAdmin {
    /// @dev In each place: a sample, since this is asked after every call.
    function check() external view {
        (uint64 size, bytes32 root) = registry.checkpoint();
        same(entries.length, size, "size");
        same(_root(0, size), root, "root");
        same(checkpoints[checkpoints.length - 1].root, root, "last checkpoint");
        same(closed, registry.retired(), "retired");
        same(_word(successor), _word(registry.successor()), "successor");
        same(0, address(registry).balance, "balance");
        uint256 chance = uint256(keccak256(abi.encode(steps, root)));
        _checkPeaks(size);
        _checkInclusion(chance >> 64, chance % size, size);
        _checkConsistency(chance >> 64, chance % checkpoints.length, size);
        _checkEntryChains(chance % size);
        _checkRole(codes[chance % codes.length], actors[chance % ACTORS]);
        _checkTransfer();
    }

    /// @dev Everything, once.
    function checkAll() external view {
        uint256 size = entries.length;
        same(NaiveTree.root(rows[0], 0, size), _root(0, size), "the tree, naively");
        for (uint256 i = 0; i < size; ++i) {
            _checkEntryChains(i);
            this.proveEntry(i, size);
        }
        for (uint256 i = 0; i < checkpoints.length; ++i) {
            this.proveCheckpoint(i, size);
        }
        uint256 admins = 0;
        for (uint256 i = 0; i < ACTORS; ++i) {
            if (holds[0][actors[i]]) ++admins;
            same(holds[0][actors[i]], registry.defaultAdmin() == actors[i], "the admin");
            for (uint256 c = 0; c < codes.length; ++c) {
                _checkRole(codes[c], actors[i]);
            }
        }
        same(true, admins <= 1, "one admin");
    }

    /// @dev A call of its own, so that its memory is free again.
    function proveEntry(uint256 index, uint256 size) external view {
        registry.verifyInclusion(entries[index], _inclusion(index, 0, size));
    }

    function proveCheckpoint(uint256 earlier, uint256 size) external view {
        uint64 earlierSize = checkpoints[earlier].size;
        bytes32[] memory path = _consistency(earlierSize, 0, size, true);
        registry.verifyConsistency(earlierSize, checkpoints[earlier].root, path);
    }

    function _checkPeaks(uint256 size) private view {
        bytes32[] memory peaks = registry.peaks();
        uint256 count = 0;
        for (uint256 level = 64; level > 0; --level) {
            uint256 subtrees = size >> (level - 1);
            if (subtrees % 2 == 1) same(rows[level - 1][subtrees - 1], peaks[count++], "peak");
        }
        same(count, peaks.length, "peaks");
    }

    /// @dev The entry is in the log; another one, or at another place, or by another path, is not.
    function _checkInclusion(uint256 chance, uint256 index, uint256 size) private view {
        Entry memory entry = entries[index];
        bytes32[] memory path = _inclusion(index, 0, size);
        registry.verifyInclusion(entry, path);
        uint256 kind = chance % 4;
        if (kind == 0) entry.document ^= bytes32(1 << (chance / 4 % 256));
        if (kind == 1) entry.index = uint64((index + 1 + chance / 4 % size) % (size + 1));
        if (kind > 1) path = _spoilt(path, kind == 2, chance / 4);
        try registry.verifyInclusion(entry, path) {
            same(false, true, "false proof of an entry");
        } catch (bytes memory reason) {
            _named(reason);
        }
    }

    /// @dev The checkpoint is a prefix of the log; another root, or of another size, or by another path, is not.
    function _checkConsistency(uint256 chance, uint256 earlier, uint256 size) private view {
        uint64 earlierSize = checkpoints[earlier].size;
        bytes32 root = checkpoints[earlier].root;
        bytes32[] memory path = _consistency(earlierSize, 0, size, true);
        registry.verifyConsistency(earlierSize, root, path);
        uint256 kind = chance % 4;
        if (kind == 0) root ^= bytes32(1 << (chance / 4 % 256));
        if (kind == 1) earlierSize = uint64((earlierSize + 1 + chance / 4 % (size + 1)) % (size + 2));
        if (kind > 1) path = _spoilt(path, kind == 2, chance / 4);
        try registry.verifyConsistency(earlierSize, root, path) {
            same(false, true, "false proof of a checkpoint");
        } catch (bytes memory reason) {
            _named(reason);
        }
    }

    /// @dev With one hash altered, or one more.
    function _spoilt(bytes32[] memory path, bool altered, uint256 chance) private pure returns (bytes32[] memory) {
        if (!altered || path.length == 0) return NaiveTree.extended(path, bytes32(chance));
        path[chance % path.length] ^= bytes32(1 << (chance / 64 % 256));
        return path;
    }

    function _named(bytes memory reason) private pure {
        bytes4 error_ = bytes4(reason);
        bool outside = error_ == TreeProof.IndexOutsideTree.selector || error_ == TreeProof.SizeOutsideTree.selector;
        bool wrong = error_ == TreeProof.PathLengthMismatch.selector || error_ == TreeProof.RootMismatch.selector;
        same(true, outside || wrong, "named error");
    }

    /// @dev The slots of the policy and of the act that the entry's authority and number name.
    function _checkEntryChains(uint256 index) private view {
        bytes32 authority = entries[index].authority;
        bytes32 number = entries[index].number;
        Chain memory chain = policies[authority][number];
        IPolicyRegistry.PolicyState memory state = registry.policy(authority, number);
        same(keccak256(abi.encode(chain)), keccak256(abi.encode(state)), "policy");
        chain = acts[authority][number];
        IPolicyRegistry.ActState memory act = registry.authorityAct(authority, number);
        same(chain.sequence, act.sequence, "sequence of the act");
        same(chain.head, act.head, "head of the act");
    }

    function _checkRole(bytes32 code, address account) private view {
        same(opened[code], registry.isOpen(code), "open");
        same(holds[_registrars(code)][account], registry.hasRole(_registrars(code), account), "registrar");
        same(holds[_controllers(code)][account], registry.hasRole(_controllers(code), account), "controller");
        same(holds[0][account], registry.hasRole(0, account), "admin");
    }

    function _checkTransfer() private view {
        (address next, uint48 after_) = registry.pendingDefaultAdmin();
        same(_word(heir), _word(next), "heir");
        same(schedule, after_, "schedule");
        same(delayNow(), registry.defaultAdminDelay(), "delay");
    }
}
