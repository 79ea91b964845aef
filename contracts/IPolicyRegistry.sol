// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Action, Entry} from "./Entry.sol";
import {Status} from "./Lifecycle.sol";

/// @title A public log of what authorities publish, amend and repeal
/// @notice Every act is an entry of one RFC 9162 Merkle log that the contract itself
/// maintains. Beside the functions here the contract has OpenZeppelin's
/// `IAccessControlDefaultAdminRules`; every change of a role is an entry too.
interface IPolicyRegistry {
    /// @notice An act on a policy, as a registrar submits it.
    /// @param sequence the policy's present sequence plus one, so that a stale or replayed
    /// submission reverts
    struct Submission {
        bytes32 authority;
        bytes32 number;
        uint32 sequence;
        Action action;
        int32 effectiveOn;
        bytes32 document;
        bytes32 manifest;
    }

    /// @notice What the registry keeps of a policy, in one slot.
    /// @param sequence number of its entries
    /// @param head index of its latest entry, from which `previous` leads to all the others;
    /// without meaning while `sequence` is 0
    /// @param recordedAt Unix time of its latest entry
    struct PolicyState {
        Status status;
        uint32 sequence;
        uint64 head;
        uint64 recordedAt;
    }

    /// @notice What the registry keeps of the acts about one account or authority, in one slot.
    struct ActState {
        uint32 sequence;
        uint64 head;
    }

    /// @notice One entry was appended. Its leaf hash is SHA-256(0x00 ‖ index as a 32-byte word ‖ data).
    event Recorded(
        uint64 indexed index,
        uint64 previous,
        bytes32 authority,
        bytes32 number,
        uint32 sequence,
        Action action,
        int32 effectiveOn,
        bytes32 document,
        bytes32 manifest,
        address registrar,
        uint64 recordedAt
    );

    /// @notice The bytes of the manifest of the entry whose {Recorded} came just before.
    event ManifestPublished(bytes32 indexed digest, bytes content);

    /// @notice The log as this call left it. Emitted once by every call that appended.
    event Checkpoint(uint64 size, bytes32 root);

    /// @notice No submission was given.
    error EmptyBatch();
    /// @notice Manifests were given, but not one for each submission.
    error LengthMismatch(uint256 submissions, uint256 manifests);
    /// @notice Another act of this policy came first, or this one was already recorded.
    error SequenceMismatch(bytes32 authority, bytes32 number, uint32 expected, uint32 given);
    /// @notice The action is not possible from the policy's status, or is no act on a policy.
    error InvalidTransition(bytes32 authority, bytes32 number, Status status, Action action);
    /// @notice The action brings a document, and none was named.
    error DocumentRequired(bytes32 authority, bytes32 number, Action action);
    /// @notice The action brings no document, and one was named.
    error DocumentForbidden(bytes32 authority, bytes32 number, Action action, bytes32 document);
    /// @notice No manifest digest was given.
    error ManifestRequired(bytes32 authority, bytes32 number);
    /// @notice The manifest's bytes have another SHA-256.
    error ManifestMismatch(bytes32 declared, bytes32 actual);
    /// @notice The manifest is too long to be kept in the log of events; anchor its digest alone.
    error ManifestTooLong(uint256 length, uint256 limit);
    /// @notice The signature's deadline has passed.
    error SignatureExpired(uint256 deadline, uint256 time);
    /// @notice The signature is not the registrar's over exactly these submissions.
    error SignatureInvalid(address registrar);
    /// @notice The authority was not opened yet.
    error AuthorityNotOpen(bytes32 code);
    /// @notice The authority was opened before.
    error AuthorityAlreadyOpen(bytes32 code);
    /// @notice The zero address can hold no role.
    error InvalidAccount(address account);
    /// @notice A key can not be reported compromised as of a time to come.
    error CompromiseInFuture(uint64 since, uint256 time);
    /// @notice The log is closed for good and goes on at `successor`, if that is not 0.
    error Retired(address successor);

    /// @notice Appends acts on policies. The sender must be a registrar of each one's authority.
    /// @param manifests none, or one for each submission; an empty one anchors the digest alone,
    /// the others are checked against their digest and emitted
    /// @dev Reverts as a whole, with {Retired}, {EmptyBatch}, {LengthMismatch},
    /// `AccessControlUnauthorizedAccount`, `InvalidAuthorityCode`, {InvalidTransition},
    /// {SequenceMismatch}, {DocumentRequired}, {DocumentForbidden}, {ManifestRequired},
    /// {ManifestTooLong} or {ManifestMismatch}.
    function record(Submission[] calldata submissions, bytes[] calldata manifests) external;

    /// @notice {record} for a registrar who signed {digestOf} these submissions; anyone may relay it.
    /// @param manifests as in {record}. What is signed is their digests, so a relayer may
    /// leave their bytes out, but can not alter them.
    /// @param deadline Unix time after which the signature is void
    /// @param signature of an account, or what the ERC-1271 contract at `registrar` accepts
    /// @dev Reverts with {SignatureExpired}, {SignatureInvalid}, and as {record} does. The
    /// submissions' sequences make a second use revert with {SequenceMismatch}.
    function recordBySignature(
        Submission[] calldata submissions,
        bytes[] calldata manifests,
        address registrar,
        uint64 deadline,
        bytes calldata signature
    ) external;

    /// @notice Opens an authority and appoints its first controller: two entries. The sender must
    /// be a controller of the parent, or the admin where `code` has one segment.
    /// @param manifest SHA-256 of the authority's profile, or 0
    /// @param content the profile's bytes, or empty
    /// @dev Reverts with {Retired}, `InvalidAuthorityCode`, {AuthorityNotOpen} for the parent,
    /// `AccessControlUnauthorizedAccount`, {AuthorityAlreadyOpen}, {InvalidAccount},
    /// {ManifestTooLong} or {ManifestMismatch}.
    function openAuthority(bytes32 code, address controller, bytes32 manifest, bytes calldata content) external;

    /// @notice Records a new profile of an authority. The sender must be a controller of it.
    /// @dev Reverts with {Retired}, {AuthorityNotOpen}, `AccessControlUnauthorizedAccount`,
    /// {ManifestRequired}, {ManifestTooLong} or {ManifestMismatch}.
    function setProfile(bytes32 code, bytes32 manifest, bytes calldata content) external;

    /// @notice Records that the account's key was compromised since `since`, and takes `role` from
    /// it if it still has it. The sender must be able to revoke that role.
    /// @param role a registrars' or controllers' role
    /// @dev Reverts with {Retired}, `UnknownRole`, {AuthorityNotOpen},
    /// `AccessControlUnauthorizedAccount`, {InvalidAccount} or {CompromiseInFuture}.
    function reportCompromised(bytes32 role, address account, uint64 since) external;

    /// @notice Closes the log for good. The sender must be the admin.
    /// @param next the registry where it goes on, or 0
    /// @dev Reverts with {Retired} or `AccessControlUnauthorizedAccount`.
    function retire(address next) external;

    /// @notice A policy's status, number of entries and latest entry; all 0 if there is none.
    function policy(bytes32 authority, bytes32 number) external view returns (PolicyState memory);

    /// @notice The same for authority acts. `subject` is the account as bytes32, or 0 for the
    /// authority itself.
    function authorityAct(bytes32 authority, bytes32 subject) external view returns (ActState memory);

    /// @notice Whether the authority was opened.
    function isOpen(bytes32 code) external view returns (bool);

    /// @notice The role id of an authority's registrars: its code with the last byte 0x01.
    function registrarRole(bytes32 code) external pure returns (bytes32);

    /// @notice The role id of an authority's controllers: its code with the last byte 0x02.
    function controllerRole(bytes32 code) external pure returns (bytes32);

    /// @notice Number of entries and root of the log.
    function checkpoint() external view returns (uint64 size, bytes32 root);

    /// @notice The roots of the perfect subtrees that the log consists of, largest first:
    /// one for each set bit of its size.
    function peaks() external view returns (bytes32[] memory);

    /// @notice Whether the log is closed.
    function retired() external view returns (bool);

    /// @notice Where a closed log goes on, or 0.
    function successor() external view returns (address);

    /// @notice Reverts unless `entry` is in the log as it is now.
    /// @dev Reverts with `IndexOutsideTree`, `PathLengthMismatch` or `RootMismatch`. Returns nothing:
    /// a forgotten return value must not verify.
    function verifyInclusion(Entry calldata entry, bytes32[] calldata path) external view;

    /// @notice Reverts unless the checkpoint (`size`, `root`) is a prefix of the log as it is now.
    /// @dev Reverts with `SizeOutsideTree` (also for size 0), `PathLengthMismatch` or `RootMismatch`.
    function verifyConsistency(uint64 size, bytes32 root, bytes32[] calldata path) external view;

    /// @notice The EIP-712 digest that a registrar signs for {recordBySignature}.
    function digestOf(Submission[] calldata submissions, address registrar, uint64 deadline)
        external
        view
        returns (bytes32);
}
