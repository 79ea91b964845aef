// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPolicyRegistry} from "../../contracts/IPolicyRegistry.sol";
import {Cheats} from "./Cheats.sol";
import {InvariantHandler} from "./InvariantHandler.sol";

/// @dev The whole contract under any sequence of calls by anybody. The handler holds each entry
/// against the rules as it comes; what must hold between calls is held here.
contract InvariantTest is Cheats {
    InvariantHandler private _handler;

    function setUp() public {
        _handler = new InvariantHandler();
    }

    /// @dev Asked for by forge: only the handler is called, and it has no other open functions that write.
    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    function invariant_the_registry_is_what_its_log_says() public view {
        _handler.check();
    }

    function afterInvariant() public view {
        _handler.checkAll();
    }
}
