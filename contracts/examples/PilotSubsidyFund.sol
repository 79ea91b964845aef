// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {Entry} from "../Entry.sol";
import {IPolicyRegistry} from "../IPolicyRegistry.sol";
import {EntryProof, PolicyGated} from "./PolicyGated.sol";

/// @notice Subsidies for pilot operations, of low-altitude flights or driverless cars, under one policy.
/// @dev An example. The owner is the paying agency: it reads the rate out of each document of the policy,
/// certifies each operator's hours and can take the money back. Whether the policy is in force, and which
/// document applies, is not for it to say.
contract PilotSubsidyFund is PolicyGated, Ownable {
    /// @param weiPerHour what the document grants, or 0 for nothing
    /// @param lastDay the document's `effective_to` as days from 1970-01-01, or the type's maximum
    struct Terms {
        uint128 weiPerHour;
        int32 lastDay;
    }

    /// @notice The terms by the document's SHA-256.
    mapping(bytes32 document => Terms) public terms;
    /// @notice Certified hours that are not paid yet.
    mapping(address operator => uint64) public certifiedHours;

    event TermsSet(bytes32 indexed document, uint128 weiPerHour, int32 lastDay);
    event Certified(address indexed operator, uint64 certifiedHours);
    event Paid(address indexed operator, uint64 indexed entry, bytes32 indexed document, uint64 paidHours, uint256 sum);

    /// @notice The agency has stated no rate for the document that applies.
    error NoTerms(bytes32 document);
    /// @notice The document that applies has expired.
    error TermsExpired(bytes32 document, int32 lastDay, int256 today);
    /// @notice No hours of the operator are unpaid.
    error NothingCertified(address operator);

    /// @dev Reverts with {PolicyUnknown} or `OwnableInvalidOwner`.
    constructor(IPolicyRegistry registry_, bytes32 authority_, bytes32 number_, address agency)
        payable
        PolicyGated(registry_, authority_, number_)
        Ownable(agency)
    {}

    receive() external payable {}

    /// @notice States what the document with this SHA-256 grants.
    /// @dev Reverts with `OwnableUnauthorizedAccount`.
    function setTerms(bytes32 document, uint128 weiPerHour, int32 lastDay) external onlyOwner {
        terms[document] = Terms(weiPerHour, lastDay);
        emit TermsSet(document, weiPerHour, lastDay);
    }

    /// @notice Adds to the operator's hours.
    /// @dev Reverts with `OwnableUnauthorizedAccount`.
    function certify(address operator, uint64 additionalHours) external onlyOwner {
        certifiedHours[operator] += additionalHours;
        emit Certified(operator, additionalHours);
    }

    /// @notice Pays the sender's certified hours under the terms that apply today.
    /// @param history all of the policy's entries, the latest first
    /// @dev Reverts as {PolicyGated-_entryInForce} does, and with {NoTerms}, {TermsExpired}, {NothingCertified},
    /// `InsufficientBalance`, `FailedCall` or what the sender reverts with.
    function claim(EntryProof[] calldata history) external {
        Entry calldata entry = _entryInForce(history);
        Terms memory granted = terms[entry.document];
        if (granted.weiPerHour == 0) revert NoTerms(entry.document);
        if (granted.lastDay < _today()) revert TermsExpired(entry.document, granted.lastDay, _today());
        uint64 unpaid = certifiedHours[msg.sender];
        if (unpaid == 0) revert NothingCertified(msg.sender);
        uint256 sum = uint256(unpaid) * granted.weiPerHour;
        certifiedHours[msg.sender] = 0;
        emit Paid(msg.sender, entry.index, entry.document, unpaid, sum);
        Address.sendValue(payable(msg.sender), sum);
    }

    /// @notice Takes money out: when the policy or its registry has come to an end, all that is left.
    /// @dev Reverts with `OwnableUnauthorizedAccount`, `InsufficientBalance`, `FailedCall` or what `to` reverts with.
    function withdraw(address payable to, uint256 sum) external onlyOwner {
        Address.sendValue(to, sum);
    }
}
