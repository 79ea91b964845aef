// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {IPolicyRegistry} from "../../contracts/IPolicyRegistry.sol";
import {InvariantModel} from "./InvariantModel.sol";
import {IRegistry} from "./RegistryTest.sol";
import {TwoOfThree} from "./TwoOfThree.sol";

/// @dev Seven accounts and a wallet of three of them, chance, and calls whose outcome was foretold from the log: these entries or
/// this error. Another outcome reverts.
abstract contract InvariantActors is InvariantModel {
    uint48 internal constant DELAY = 3 days;
    uint256 internal constant ACTORS = 8;

    IRegistry public registry;
    address[ACTORS] public actors;
    uint256 public steps;
    /// @dev Steps before the log was closed.
    uint256 public openSteps;
    mapping(bytes4 call => uint256) public succeeded;
    mapping(bytes4 error => uint256) public refused;

    uint256 private _seed;
    bytes32[] private _expected;
    uint256 private _expectedManifests;

    constructor() {
        for (uint256 i = 0; i < ACTORS - 1; ++i) {
            actors[i] = vm.addr(_key(i));
        }
        actors[ACTORS - 1] = address(new TwoOfThree([actors[0], actors[1], actors[2]]));
        vm.warp(clock);
        vm.recordLogs();
        bytes memory code = vm.getCode("PolicyRegistry.sol:PolicyRegistry");
        code = bytes.concat(code, abi.encode(actors[0], DELAY));
        address deployed;
        assembly ("memory-safe") {
            deployed := create(0, add(code, 32), mload(code))
        }
        registry = IRegistry(deployed);
        (uint256 appended,) = _read();
        same(1, appended, "entries of the deployment");
    }

    modifier step(uint256 seed) {
        _seed = uint256(keccak256(abi.encode(seed, steps))); // forge likes to give the same numbers again
        vm.warp(clock);
        ++steps;
        if (!closed) ++openSteps;
        _;
    }

    function _key(uint256 actor) private pure returns (uint256) {
        return 0xA1 + actor;
    }

    function _wallet() internal view returns (address) {
        return actors[ACTORS - 1];
    }

    /// @dev The account's signature, or those of two of the wallet's three owners.
    function _sign(address signer, bytes32 digest) internal returns (bytes memory) {
        uint256 i = 0;
        while (actors[i] != signer) ++i;
        if (i < ACTORS - 1) return _signature(i, digest);
        i = _random(3);
        (uint256 a, uint256 b) = (i, (i + 1) % 3);
        if (actors[a] > actors[b]) (a, b) = (b, a);
        return bytes.concat(_signature(a, digest), _signature(b, digest));
    }

    function _signature(uint256 actor, bytes32 digest) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(_key(actor), digest);
        return bytes.concat(r, s, bytes1(v));
    }

    function _word(address account) internal pure returns (bytes32) {
        return bytes32(uint256(uint160(account)));
    }

    function _random(uint256 below) internal returns (uint256) {
        _seed = uint256(keccak256(abi.encode(_seed)));
        return _seed % below;
    }

    function _anyone() internal returns (address) {
        return actors[_random(ACTORS)];
    }

    function _anyCode() internal returns (bytes32) {
        return codes[_random(codes.length)];
    }

    /// @dev One who has the role, if anyone has and mostly; else anyone.
    function _holder(bytes32 role) internal returns (address) {
        return _random(5) == 0 ? _anyone() : _mustHold(role);
    }

    function _mustHold(bytes32 role) internal returns (address) {
        uint256 first = _random(ACTORS);
        for (uint256 i = 0; i < ACTORS; ++i) {
            address actor = actors[(first + i) % ACTORS];
            if (holds[role][actor]) return actor;
        }
        return actors[first];
    }

    /// @dev Some bytes as a manifest; now and then of the greatest length, or one more.
    function _content(uint256 longer) internal returns (bytes memory content) {
        uint256 length = _random(40) == 0 ? 8192 : 1 + _random(90);
        content = new bytes(length + longer);
        bytes1 filling = bytes1(uint8(_random(256)));
        for (uint256 i = 0; i < content.length; i += 32) {
            content[i] = filling;
        }
        content[content.length - 1] = bytes1(uint8(_random(256)));
    }

    function _unauthorized(address account, bytes32 role) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, account, role);
    }

    function _error(bytes4 selector, bytes32 value) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(selector, value);
    }

    function _retired() internal view returns (bytes memory) {
        return closed ? _error(IPolicyRegistry.Retired.selector, _word(successor)) : bytes("");
    }

    /// @dev What is wrong with a manifest's bytes; nothing if there are none.
    function _refusal(bytes32 declared, bytes memory content) internal pure returns (bytes memory) {
        if (content.length > 8192) {
            return abi.encodeWithSelector(IPolicyRegistry.ManifestTooLong.selector, content.length, 8192);
        }
        bytes32 actual = sha256(content);
        if (content.length == 0 || actual == declared) return "";
        return abi.encodeWithSelector(IPolicyRegistry.ManifestMismatch.selector, declared, actual);
    }

    /// @dev The next call is to append this entry, after those expected already.
    function _expect(bytes memory content) internal {
        _expected.push(keccak256(content));
    }

    function _expectManifest(bytes memory content) internal {
        if (content.length != 0) ++_expectedManifests;
    }

    /// @dev Makes the call. It must revert with exactly `refusal`, or, where that is empty, append
    /// exactly the expected entries and emit as many manifests.
    function _act(address sender, bytes memory data, bytes memory refusal) internal {
        uint256 before = entries.length;
        vm.recordLogs();
        if (refusal.length != 0) {
            reverts(sender, address(registry), data, refusal);
            ++refused[bytes4(refusal)];
            vm.recordLogs(); // forge keeps the events of a reverted call; the chain does not
        } else {
            succeeds(sender, address(registry), data);
            ++succeeded[bytes4(data)];
            (uint256 appended, uint256 manifests) = _read();
            same(_expected.length, appended, "expected entries");
            same(_expectedManifests, manifests, "expected manifests");
            for (uint256 i = 0; i < appended; ++i) {
                same(_expected[i], keccak256(_contentOf(before + i)), "expected entry");
            }
        }
        delete _expected;
        delete _expectedManifests;
    }

    /// @dev An entry without what its place in the log says.
    function _contentOf(uint256 index) private view returns (bytes memory) {
        return abi.encode(
            entries[index].authority,
            entries[index].number,
            entries[index].action,
            entries[index].effectiveOn,
            entries[index].document,
            entries[index].manifest,
            entries[index].registrar
        );
    }
}
