// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPolicyRegistry} from "../../contracts/IPolicyRegistry.sol";
import {InvariantAuthorities} from "./InvariantAuthorities.sol";
import {NaiveTree} from "./NaiveTree.sol";

/// @dev All the acts, and what must hold after any of them.
contract InvariantHandler is InvariantAuthorities {
    /// @dev In each place: a sample, since this is asked after every call.
    function check() external view {
        (uint64 size, bytes32 root) = registry.checkpoint();
        same(entries.length, size, "size");
        same(_root(0, size), root, "root");
        same(checkpoints[checkpoints.length - 1].root, root, "last checkpoint");
        same(closed, registry.retired(), "retired");
        same(_word(successor), _word(registry.successor()), "successor");
        uint256 chance = uint256(keccak256(abi.encode(steps, root)));
        _checkInclusion(chance % size, size);
        _checkConsistency(chance % checkpoints.length, size);
        _checkEntryChains(chance % size);
        _checkRole(codes[chance % codes.length], actors[chance % ACTORS]);
    }

    /// @dev Everything, once.
    function checkAll() external view {
        same(NaiveTree.root(rows[0], 0, entries.length), _root(0, entries.length), "the tree, naively");
        for (uint256 i = 0; i < entries.length; ++i) {
            _checkEntryChains(i);
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

    function _checkInclusion(uint256 index, uint256 size) private view {
        registry.verifyInclusion(entries[index], _inclusion(index, 0, size));
    }

    function _checkConsistency(uint256 earlier, uint256 size) private view {
        uint64 earlierSize = checkpoints[earlier].size;
        bytes32[] memory path = _consistency(earlierSize, 0, size, true);
        registry.verifyConsistency(earlierSize, checkpoints[earlier].root, path);
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
}
