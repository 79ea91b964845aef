// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Entry, EntryCodec} from "./Entry.sol";
import {IPolicyRegistry} from "./IPolicyRegistry.sol";
import {LEVELS, MerkleTree} from "./MerkleTree.sol";
import {TreeProof} from "./TreeProof.sol";

/// @notice The log and the heads of its chains: everything that a storage proof is about.
/// @dev The storage layout is part of the format, since receipts prove these slots. This contract
/// comes first in the linearisation, so that they are:
///
///     slot 0       size uint64 (bytes 0-7), retired bool (byte 8), successor address
///                  (bytes 9-28), counted from the least significant byte
///     slot 1 + L   peak of level L, L from 0 to 63; live while bit L of size is set
///     slot 65      policies: value at keccak256(number ‖ keccak256(authority ‖ 65)):
///                  status uint8 (byte 0), sequence uint32 (1-4), head uint64 (5-12),
///                  recordedAt uint64 (13-20)
///     slot 66      authority acts: value at keccak256(subject ‖ keccak256(authority ‖ 66)):
///                  sequence uint32 (bytes 0-3), head uint64 (4-11)
abstract contract PolicyLog is IPolicyRegistry {
    using EntryCodec for Entry;
    using MerkleTree for bytes32[LEVELS];

    struct LogState {
        uint64 size;
        bool retired;
        address successor;
    }

    uint256 private constant LONGEST_MANIFEST = 8192;

    LogState private _log;
    bytes32[LEVELS] private _peaks;
    mapping(bytes32 authority => mapping(bytes32 number => PolicyState)) internal _policies;
    mapping(bytes32 authority => mapping(bytes32 subject => ActState)) internal _acts;

    /// @dev Emits {Checkpoint} at the end of a call that appended.
    modifier checkpointed() {
        uint64 before = _log.size;
        _;
        if (_log.size != before) _emitCheckpoint();
    }

    /// @inheritdoc IPolicyRegistry
    function checkpoint() public view returns (uint64 size, bytes32 root) {
        size = _log.size;
        root = _peaks.root(size);
    }

    /// @inheritdoc IPolicyRegistry
    function peaks() external view returns (bytes32[] memory live) {
        uint256 size = _log.size;
        uint256 count = 0;
        for (uint256 rest = size; rest != 0; rest >>= 1) {
            count += rest & 1;
        }
        live = new bytes32[](count);
        for (uint256 level = 0; count != 0; ++level) {
            if (size >> level & 1 != 0) live[--count] = _peaks[level];
        }
    }

    /// @inheritdoc IPolicyRegistry
    function retired() external view returns (bool) {
        return _log.retired;
    }

    /// @inheritdoc IPolicyRegistry
    function successor() external view returns (address) {
        return _log.successor;
    }

    /// @inheritdoc IPolicyRegistry
    function policy(bytes32 authority, bytes32 number) external view returns (PolicyState memory) {
        return _policies[authority][number];
    }

    /// @inheritdoc IPolicyRegistry
    function authorityAct(bytes32 authority, bytes32 subject) external view returns (ActState memory) {
        return _acts[authority][subject];
    }

    /// @inheritdoc IPolicyRegistry
    function verifyInclusion(Entry calldata entry, bytes32[] calldata path) external view {
        (uint64 size, bytes32 root) = checkpoint();
        Entry memory copy = entry;
        TreeProof.verifyInclusion(root, size, copy.index, copy.leafHash(), path);
    }

    /// @inheritdoc IPolicyRegistry
    function verifyConsistency(uint64 size, bytes32 root, bytes32[] calldata path) external view {
        (uint64 currentSize, bytes32 currentRoot) = checkpoint();
        TreeProof.verifyConsistency(size, root, currentSize, currentRoot, path);
    }

    /// @dev Number of entries of the log, to be appended to. Reverts with {Retired}.
    function _openLog() internal view returns (uint64) {
        if (_log.retired) revert Retired(_log.successor);
        return _log.size;
    }

    /// @dev Emits the entry and returns its leaf hash, which the caller must {_append}.
    function _emitEntry(Entry memory entry) internal returns (bytes32 leaf) {
        entry.emitRecorded();
        return entry.leafHash();
    }

    /// @dev Emits a manifest's bytes. Reverts with {ManifestTooLong} or {ManifestMismatch}.
    function _publishManifest(bytes32 declared, bytes calldata content) internal {
        if (content.length > LONGEST_MANIFEST) revert ManifestTooLong(content.length, LONGEST_MANIFEST);
        bytes32 actual = sha256(content);
        if (actual != declared) revert ManifestMismatch(declared, actual);
        emit ManifestPublished(declared, content);
    }

    /// @dev Appends leaves, which start at the log's `size`, and returns the new root. Overwrites `leaves`.
    function _append(uint256 size, bytes32[] memory leaves) internal returns (bytes32 root) {
        // All else in the slot of an open log is 0, so it need not be read again; and no size comes near 2^64.
        assembly ("memory-safe") {
            sstore(_log.slot, add(size, mload(leaves)))
        }
        return _peaks.append(size, leaves);
    }

    function _emitCheckpoint() internal {
        (uint64 size, bytes32 root) = checkpoint();
        emit Checkpoint(size, root);
    }

    /// @dev Refuses every later {_openLog}.
    function _close(address next) internal {
        _log.retired = true;
        _log.successor = next;
    }
}
