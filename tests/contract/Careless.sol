// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev What the analysers must find, so that their silence about the contracts means something.
contract Careless {
    address private immutable _owner = msg.sender;
    mapping(address account => uint256) private _owed;

    function deposit() external payable {
        _owed[msg.sender] += msg.value;
    }

    /// @dev Pays before it forgets what is owed, and never looks at whether it paid.
    function withdraw() external {
        msg.sender.call{value: _owed[msg.sender]}("");
        _owed[msg.sender] = 0;
    }

    function sweep(address payable to) external {
        require(tx.origin == _owner);
        to.transfer(address(this).balance);
    }
}
