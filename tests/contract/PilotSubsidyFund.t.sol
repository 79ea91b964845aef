// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Errors} from "@openzeppelin/contracts/utils/Errors.sol";
import {Action, Entry, NO_DATE} from "../../contracts/Entry.sol";
import {IPolicyRegistry} from "../../contracts/IPolicyRegistry.sol";
import {InForce} from "../../contracts/examples/InForce.sol";
import {PilotSubsidyFund} from "../../contracts/examples/PilotSubsidyFund.sol";
import {PolicyGated} from "../../contracts/examples/PolicyGated.sol";
import {PolicyGatedTest} from "./PolicyGatedTest.sol";

/// @dev An operator who claims again while it is being paid.
contract GreedyOperator {
    bytes private _claim;

    function claim(address fund, bytes calldata data) external {
        _claim = data;
        _call(fund);
    }

    receive() external payable {
        _call(msg.sender);
    }

    function _call(address fund) private {
        (bool success, bytes memory result) = fund.call(_claim);
        if (success) return;
        assembly ("memory-safe") {
            revert(add(result, 32), mload(result))
        }
    }
}

/// @dev The example: hours are paid once, under the terms of the document that applies today.
contract PilotSubsidyFundTest is PolicyGatedTest {
    address private _agency = address(0xA6);
    address private _operator = address(0x0FE2);
    PilotSubsidyFund private _fund;
    bytes32 private _document;

    function setUp() public override {
        super.setUp();
        _document = entryAt[head()].document;
        _fund = new PilotSubsidyFund{value: 1 ether}(registry, CN, NUMBER, _agency);
        _agencyDoes(abi.encodeCall(PilotSubsidyFund.setTerms, (_document, 1e15, type(int32).max)));
        _agencyDoes(abi.encodeCall(PilotSubsidyFund.certify, (_operator, 10)));
    }

    function _agencyDoes(bytes memory data) private {
        succeeds(_agency, address(_fund), data);
    }

    function _pays(uint256 expected) private {
        uint256 before = _operator.balance;
        succeeds(_operator, address(_fund), abi.encodeCall(PilotSubsidyFund.claim, (historyOf(NUMBER))));
        same(expected, _operator.balance - before, "paid");
    }

    function _refuses(address sender, bytes memory expected) private {
        uint256 before = address(_fund).balance;
        reverts(sender, address(_fund), abi.encodeCall(PilotSubsidyFund.claim, (historyOf(NUMBER))), expected);
        same(before, address(_fund).balance, "balance");
    }

    function test_it_pays_certified_hours_once_while_the_policy_is_in_force() public {
        _pays(1e16);
        _refuses(_operator, abi.encodeWithSelector(PilotSubsidyFund.NothingCertified.selector, _operator));
        _agencyDoes(abi.encodeCall(PilotSubsidyFund.certify, (_operator, 3)));
        _agencyDoes(abi.encodeCall(PilotSubsidyFund.certify, (_operator, 4)));
        _pays(7e15);
    }

    function test_it_pays_nobody_else() public {
        _refuses(stranger, abi.encodeWithSelector(PilotSubsidyFund.NothingCertified.selector, stranger));
    }

    function test_it_pays_nobody_twice_who_claims_again_while_being_paid() public {
        GreedyOperator greedy = new GreedyOperator();
        _agencyDoes(abi.encodeCall(PilotSubsidyFund.certify, (address(greedy), 10)));
        bytes memory claim = abi.encodeCall(PilotSubsidyFund.claim, (historyOf(NUMBER)));
        bytes memory expected = abi.encodeWithSelector(PilotSubsidyFund.NothingCertified.selector, greedy);
        reverts(stranger, address(greedy), abi.encodeCall(GreedyOperator.claim, (address(_fund), claim)), expected);
        same(10, _fund.certifiedHours(address(greedy)), "hours");
    }

    function test_it_pays_what_it_holds_and_keeps_the_hours_of_what_it_can_not_pay() public {
        _agencyDoes(abi.encodeCall(PilotSubsidyFund.withdraw, (payable(_agency), 1 ether - 1e16 + 1)));
        _refuses(_operator, abi.encodeWithSelector(Errors.InsufficientBalance.selector, 1e16 - 1, 1e16));
        same(10, _fund.certifiedHours(_operator), "hours");
        (bool success,) = address(_fund).call{value: 1}("");
        same(true, success, "topped up");
        _pays(1e16);
    }

    function test_the_longest_hours_at_the_highest_rate_do_not_overflow() public {
        _agencyDoes(abi.encodeCall(PilotSubsidyFund.setTerms, (_document, type(uint128).max, type(int32).max)));
        _agencyDoes(abi.encodeCall(PilotSubsidyFund.certify, (_operator, type(uint64).max - 10)));
        uint256 sum = uint256(type(uint64).max) * type(uint128).max;
        _refuses(_operator, abi.encodeWithSelector(Errors.InsufficientBalance.selector, 1 ether, sum));
    }

    function test_an_amended_policy_pays_by_the_new_document_once_its_terms_are_stated() public {
        Entry memory amended = acts(NUMBER, 2, Action.Amend, NO_DATE);
        _refuses(_operator, abi.encodeWithSelector(PilotSubsidyFund.NoTerms.selector, amended.document));
        _agencyDoes(abi.encodeCall(PilotSubsidyFund.setTerms, (amended.document, 2e15, type(int32).max)));
        _pays(2e16);
    }

    function test_an_expired_document_pays_nothing_after_its_last_day() public {
        _agencyDoes(abi.encodeCall(PilotSubsidyFund.setTerms, (_document, 1e15, TODAY)));
        _pays(1e16);
        _agencyDoes(abi.encodeCall(PilotSubsidyFund.certify, (_operator, 1)));
        vm.warp(block.timestamp + 1 days);
        bytes4 selector = PilotSubsidyFund.TermsExpired.selector;
        _refuses(_operator, abi.encodeWithSelector(selector, _document, TODAY, TODAY + 1));
    }

    function test_a_suspended_policy_pays_nothing_until_it_is_reinstated() public {
        Entry memory suspended = acts(NUMBER, 2, Action.Suspend, NO_DATE);
        bytes4 selector = InForce.PolicyNotInForce.selector;
        _refuses(_operator, abi.encodeWithSelector(selector, suspended.index, Action.Suspend));
        acts(NUMBER, 3, Action.Reinstate, NO_DATE);
        _pays(1e16);
    }

    function test_when_the_registry_is_retired_the_agency_takes_the_rest_back() public {
        does(admin, abi.encodeCall(IPolicyRegistry.retire, (address(0))));
        collect();
        _refuses(_operator, abi.encodeWithSelector(PolicyGated.RegistryRetired.selector, address(0)));
        _agencyDoes(abi.encodeCall(PilotSubsidyFund.withdraw, (payable(_agency), 1 ether)));
        same(1 ether, _agency.balance, "balance");
    }

    function test_only_the_agency_states_terms_certifies_and_withdraws() public {
        bytes[3] memory calls = [
            abi.encodeCall(PilotSubsidyFund.setTerms, (_document, 1e18, type(int32).max)),
            abi.encodeCall(PilotSubsidyFund.certify, (_operator, 1)),
            abi.encodeCall(PilotSubsidyFund.withdraw, (payable(_operator), 1))
        ];
        bytes memory expected = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, _operator);
        for (uint256 i = 0; i < calls.length; ++i) {
            reverts(_operator, address(_fund), calls[i], expected);
        }
    }
}
