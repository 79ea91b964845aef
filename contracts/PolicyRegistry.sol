// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {AuthorityCode} from "./AuthorityCode.sol";
import {AuthorityRoles} from "./AuthorityRoles.sol";
import {Action, Entry, EntryCodec, NO_DATE, NO_ENTRY} from "./Entry.sol";
import {Lifecycle, Status} from "./Lifecycle.sol";
import {MerkleTree} from "./MerkleTree.sol";

/// @title The policy registry
/// @notice What it guarantees: an entry, once in the log, stays as it is and where it is; a policy's
/// history is complete; only an authority's registrars write for it; who they were, and when, is
/// in the same log. What it does not do: read manifests, store documents, know whether a date is
/// true, or change, since there is no proxy and nobody who could upgrade or pause it.
contract PolicyRegistry is AuthorityRoles, EIP712 {
    using EntryCodec for Entry;

    /// @notice EIP-712 type hash of one submission.
    bytes32 public constant SUBMISSION_TYPEHASH = keccak256(
        "Submission(bytes32 authority,bytes32 number,uint32 sequence,uint8 action,int32 effectiveOn,bytes32 document,bytes32 manifest)"
    );

    /// @notice EIP-712 type hash of what a registrar signs.
    bytes32 public constant SUBMISSIONS_TYPEHASH = keccak256(
        "Submissions(address registrar,uint64 deadline,Submission[] submissions)Submission(bytes32 authority,bytes32 number,uint32 sequence,uint8 action,int32 effectiveOn,bytes32 document,bytes32 manifest)"
    );

    /// @param admin opens top-level authorities and appoints their controllers
    /// @param adminTransferDelay seconds that a transfer of the admin's role takes
    constructor(address admin, uint48 adminTransferDelay)
        AuthorityRoles(admin, adminTransferDelay)
        EIP712("PolicyRegistry", "1")
    {}

    function record(Submission[] calldata submissions, bytes[] calldata manifests) external {
        _record(submissions, manifests, msg.sender);
    }

    function recordBySignature(
        Submission[] calldata submissions,
        bytes[] calldata manifests,
        address registrar,
        uint64 deadline,
        bytes calldata signature
    ) external {
        if (block.timestamp > deadline) revert SignatureExpired(deadline, block.timestamp);
        bytes32 digest = digestOf(submissions, registrar, deadline);
        if (!SignatureChecker.isValidSignatureNowCalldata(registrar, digest, signature)) {
            revert SignatureInvalid(registrar);
        }
        _record(submissions, manifests, registrar);
    }

    function digestOf(Submission[] calldata submissions, address registrar, uint64 deadline)
        public
        view
        returns (bytes32)
    {
        bytes32[] memory hashes = new bytes32[](submissions.length);
        for (uint256 i = 0; i < submissions.length; ++i) {
            hashes[i] = keccak256(abi.encode(SUBMISSION_TYPEHASH, submissions[i]));
        }
        bytes32 list = keccak256(abi.encodePacked(hashes));
        return _hashTypedDataV4(keccak256(abi.encode(SUBMISSIONS_TYPEHASH, registrar, deadline, list)));
    }

    /// @dev Appends all submissions or none. One buffer holds each entry in turn, the tree is extended
    /// once, and a role is looked up where the authority changes.
    function _record(Submission[] calldata submissions, bytes[] calldata manifests, address registrar) private {
        Entry memory entry = Entry({
            index: _openLog(),
            previous: NO_ENTRY,
            authority: 0,
            number: 0,
            sequence: 0,
            action: Action.None,
            effectiveOn: NO_DATE,
            document: 0,
            manifest: 0,
            registrar: registrar,
            recordedAt: uint64(block.timestamp)
        });
        if (submissions.length == 0) revert EmptyBatch();
        if (manifests.length != 0 && manifests.length != submissions.length) {
            revert LengthMismatch(submissions.length, manifests.length);
        }
        bytes32[] memory leaves = MerkleTree.room(submissions.length);
        for (uint256 i = 0; i < submissions.length; ++i) {
            Submission calldata submission = submissions[i];
            if (i == 0 || submission.authority != entry.authority) {
                _checkRole(AuthorityCode.registrarRole(submission.authority), entry.registrar);
            }
            entry.take(submission);
            _advance(_policies[submission.authority][submission.number], entry);
            leaves[i] = _emitEntry(entry);
            if (manifests.length != 0 && manifests[i].length != 0) {
                _publishManifest(entry.manifest, manifests[i]);
            }
            unchecked {
                ++entry.index;
            }
        }
        unchecked {
            emit Checkpoint(entry.index, _append(entry.index - leaves.length, leaves));
        }
    }

    /// @dev Moves the policy on by `entry`, if it may follow the present state, and sets `previous`.
    function _advance(PolicyState storage state, Entry memory entry) private {
        uint32 sequence = state.sequence;
        uint32 expected;
        // No policy comes near 2^32 entries: each takes gas.
        unchecked {
            expected = sequence + 1;
        }
        if (entry.sequence != expected) {
            revert SequenceMismatch(entry.authority, entry.number, expected, entry.sequence);
        }
        Action action = entry.action;
        // Slither takes these for a use of the block's time, since that is in the entry, too.
        // slither-disable-start incorrect-equality
        Status next = Lifecycle.next(state.status, action);
        if (next == Status.None) revert InvalidTransition(entry.authority, entry.number, state.status, action);
        if (Lifecycle.bringsDocument(action)) {
            if (entry.document == 0) revert DocumentRequired(entry.authority, entry.number, action);
        } else if (entry.document != 0) {
            revert DocumentForbidden(entry.authority, entry.number, action, entry.document);
        }
        if (entry.manifest == 0) revert ManifestRequired(entry.authority, entry.number);
        // slither-disable-end incorrect-equality
        entry.previous = sequence == 0 ? NO_ENTRY : state.head;
        state.status = next;
        state.sequence = expected;
        state.head = entry.index;
        state.recordedAt = entry.recordedAt;
    }
}
