// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPolicyRegistry} from "./IPolicyRegistry.sol";

/// @notice What an entry does. The first eight after `None` are acts on a policy,
/// the rest are acts of authorities. The numbers are part of the entry's format.
enum Action {
    None,
    Publish,
    Amend,
    Correct,
    Suspend,
    Reinstate,
    Supersede,
    Repeal,
    Withdraw,
    OpenAuthority,
    SetProfile,
    AppointController,
    DismissController,
    AppointRegistrar,
    DismissRegistrar,
    ReportCompromise,
    AppointAdmin,
    DismissAdmin,
    Retire
}

/// @notice One act in the registry: a leaf of the log.
/// @param index position in the log, from 0
/// @param previous index of the previous entry of the same policy or of the same
/// authority act's subject, or {NO_ENTRY}
/// @param authority code of the issuing authority, ASCII, left-aligned; 0 for the registry itself
/// @param number SHA-256 of the policy's NFC number; in an authority act the account, or 0
/// @param sequence 1 for the first entry of this policy or subject, then one more each time
/// @param effectiveOn days from 1970-01-01 in the authority's calendar, or {NO_DATE}
/// @param document SHA-256 of the document's bytes, or 0; for `ReportCompromise`
/// the Unix time since when the account is compromised
/// @param manifest SHA-256 of the manifest's bytes, or 0
/// @param registrar who acted: the sender, or the signer of a relayed submission
/// @param recordedAt Unix time of the block
struct Entry {
    uint64 index;
    uint64 previous;
    bytes32 authority;
    bytes32 number;
    uint32 sequence;
    Action action;
    int32 effectiveOn;
    bytes32 document;
    bytes32 manifest;
    address registrar;
    uint64 recordedAt;
}

/// @dev `previous` of a first entry.
uint64 constant NO_ENTRY = type(uint64).max;

/// @dev `effectiveOn` where no date was given.
int32 constant NO_DATE = type(int32).min;

/// @notice The two encodings of an entry, both taken from the same eleven words: its
/// leaf in the tree and its `Recorded` event. A leaf can therefore not disagree with its event.
/// @dev A memory struct of value types is laid out as `abi.encode` writes it.
library EntryCodec {
    uint256 private constant WORDS = 11;

    /// @notice Takes over a submission, whose seven words are the entry's from `authority` to `manifest`.
    function take(Entry memory entry, IPolicyRegistry.Submission calldata submission) internal pure {
        assembly ("memory-safe") {
            calldatacopy(add(entry, 64), submission, 224)
        }
        // Once more, since these revert unless the word is one that abi.encode writes.
        entry.sequence = submission.sequence;
        entry.action = submission.action;
        entry.effectiveOn = submission.effectiveOn;
    }

    /// @notice SHA-256(0x00 ‖ abi.encode(entry)), the leaf hash of RFC 9162 §2.1.1.
    function leafHash(Entry memory entry) internal view returns (bytes32 hash) {
        uint256 length = WORDS * 32;
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            mstore8(buffer, 0x00)
            mcopy(add(buffer, 1), entry, length)
            // The return value is pushed last, so the size is read after the call.
            if iszero(and(eq(returndatasize(), 32), staticcall(gas(), 2, buffer, add(length, 1), 0x00, 32))) {
                revert(0, 0)
            }
            hash := mload(0x00)
        }
    }

    /// @notice Emits {IPolicyRegistry-Recorded}: the index as topic, the other ten words as data.
    function emitRecorded(Entry memory entry) internal {
        bytes32 selector = IPolicyRegistry.Recorded.selector;
        uint256 length = (WORDS - 1) * 32;
        assembly ("memory-safe") {
            log2(add(entry, 32), length, selector, mload(entry))
        }
    }
}
