// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {Action, Entry} from "../../contracts/Entry.sol";
import {IPolicyRegistry} from "../../contracts/IPolicyRegistry.sol";
import {RegistryTest} from "./RegistryTest.sol";
import {SignedText} from "./SignedText.sol";
import {TwoOfThree} from "./TwoOfThree.sol";

/// @dev Submissions signed by one and relayed by another.
contract SignatureTest is RegistryTest {
    uint256 private constant KEY = 0x51;
    uint64 private constant DEADLINE = uint64(NOW) + 600;

    address private _signer;
    address private _wallet;

    function setUp() public override {
        super.setUp();
        _signer = vm.addr(KEY);
        _grant(registry.registrarRole(CN), _signer);
        _wallet = address(new TwoOfThree([vm.addr(1), vm.addr(2), vm.addr(3)]));
        _grant(registry.registrarRole(CN), _wallet);
        collect();
    }

    function _signed(uint256 key, bytes32 digest) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return bytes.concat(r, s, bytes1(v));
    }

    function _relay(IPolicyRegistry.Submission[] memory list, address by, uint64 deadline, bytes memory signature)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeCall(IPolicyRegistry.recordBySignature, (list, new bytes[](0), by, deadline, signature));
    }

    function _invalid(address by) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IPolicyRegistry.SignatureInvalid.selector, by);
    }

    function _list() private pure returns (IPolicyRegistry.Submission[] memory list) {
        list = new IPolicyRegistry.Submission[](2);
        list[0] = submission("1", 1, Action.Publish);
        list[1] = submission("2", 1, Action.Publish);
    }

    function test_the_digest_is_that_of_eip712() public view {
        _sameDigest(_list(), DEADLINE);
        _sameDigest(new IPolicyRegistry.Submission[](0), 0);
    }

    function _sameDigest(IPolicyRegistry.Submission[] memory list, uint64 deadline) private view {
        bytes32 expected = SignedText.digest(list, _signer, deadline, address(registry));
        same(expected, registry.digestOf(list, _signer, deadline), "digest");
    }

    function test_anyone_relays_what_an_account_signed() public {
        bytes memory signature = _signed(KEY, registry.digestOf(_list(), _signer, DEADLINE));
        vm.warp(DEADLINE);
        does(stranger, _relay(_list(), _signer, DEADLINE, signature));
        (Entry[] memory entries,, uint256 checkpoints) = collect();
        same(2, entries.length, "entries");
        same(1, checkpoints, "checkpoints");
        same(word(_signer), word(entries[0].registrar), "registrar");
    }

    function test_a_relayer_brings_the_manifests_or_leaves_them_out_but_alters_none() public {
        IPolicyRegistry.Submission[] memory list = one(submission("1", 1, Action.Publish));
        bytes[] memory given = new bytes[](1);
        given[0] = "{}";
        list[0].manifest = sha256(given[0]);
        bytes memory signature = _signed(KEY, registry.digestOf(list, _signer, DEADLINE));
        bytes[] memory altered = new bytes[](1);
        altered[0] = "{ }";
        bytes4 selector = IPolicyRegistry.ManifestMismatch.selector;
        refuses(
            stranger,
            abi.encodeCall(IPolicyRegistry.recordBySignature, (list, altered, _signer, DEADLINE, signature)),
            abi.encodeWithSelector(selector, list[0].manifest, sha256(altered[0]))
        );
        vm.recordLogs(); // forge keeps the events of a reverted call; the chain does not
        does(stranger, abi.encodeCall(IPolicyRegistry.recordBySignature, (list, given, _signer, DEADLINE, signature)));
        (, bytes[] memory manifests,) = collect();
        same(1, manifests.length, "manifests");
    }

    function test_a_wallet_with_a_threshold_is_a_registrar() public {
        bytes32 digest = registry.digestOf(_list(), _wallet, DEADLINE);
        bytes memory a = _signed(_lower(), digest);
        bytes memory b = _signed(_higher(), digest);
        bytes memory alien = _signed(KEY, digest);
        refuses(stranger, _relay(_list(), _wallet, DEADLINE, a), _invalid(_wallet));
        refuses(stranger, _relay(_list(), _wallet, DEADLINE, bytes.concat(a, a)), _invalid(_wallet));
        refuses(stranger, _relay(_list(), _wallet, DEADLINE, bytes.concat(b, a)), _invalid(_wallet));
        refuses(stranger, _relay(_list(), _wallet, DEADLINE, bytes.concat(a, alien)), _invalid(_wallet));
        does(stranger, _relay(_list(), _wallet, DEADLINE, bytes.concat(a, b)));
        (Entry[] memory entries,,) = collect();
        same(word(_wallet), word(entries[1].registrar), "registrar");
    }

    function _lower() private pure returns (uint256) {
        return vm.addr(1) < vm.addr(2) ? 1 : 2;
    }

    function _higher() private pure returns (uint256) {
        return 3 - _lower();
    }

    function test_an_expired_signature_is_refused() public {
        bytes memory signature = _signed(KEY, registry.digestOf(_list(), _signer, DEADLINE));
        vm.warp(DEADLINE + 1);
        bytes4 selector = IPolicyRegistry.SignatureExpired.selector;
        bytes memory expected = abi.encodeWithSelector(selector, DEADLINE, DEADLINE + 1);
        refuses(stranger, _relay(_list(), _signer, DEADLINE, signature), expected);
    }

    function test_a_replayed_signature_is_refused() public {
        bytes memory signature = _signed(KEY, registry.digestOf(_list(), _signer, DEADLINE));
        bytes memory data = _relay(_list(), _signer, DEADLINE, signature);
        does(stranger, data);
        bytes4 selector = IPolicyRegistry.SequenceMismatch.selector;
        refuses(stranger, data, abi.encodeWithSelector(selector, CN, bytes32("1"), 2, 1));
    }

    function test_a_signature_is_for_one_registry() public {
        IPolicyRegistry other = _deploy(admin, DELAY);
        bytes memory signature = _signed(KEY, other.digestOf(_list(), _signer, DEADLINE));
        refuses(stranger, _relay(_list(), _signer, DEADLINE, signature), _invalid(_signer));
    }

    function test_a_signature_of_one_who_is_no_registrar_is_refused() public {
        address other = vm.addr(0x99);
        bytes memory signature = _signed(0x99, registry.digestOf(_list(), other, DEADLINE));
        bytes memory expected = unauthorized(other, registry.registrarRole(CN));
        refuses(stranger, _relay(_list(), other, DEADLINE, signature), expected);
        signature = _signed(0x99, registry.digestOf(_list(), _signer, DEADLINE));
        refuses(stranger, _relay(_list(), _signer, DEADLINE, signature), _invalid(_signer));
        refuses(stranger, _relay(_list(), address(0), DEADLINE, signature), _invalid(address(0)));
    }

    function test_a_signature_is_void_when_its_shape_is_wrong() public {
        bytes memory signature = _signed(KEY, registry.digestOf(_list(), _signer, DEADLINE));
        refuses(stranger, _relay(_list(), _signer, DEADLINE, ""), _invalid(_signer));
        refuses(stranger, _relay(_list(), _signer, DEADLINE, bytes.concat(signature, hex"00")), _invalid(_signer));
        signature[64] = 0x00;
        refuses(stranger, _relay(_list(), _signer, DEADLINE, signature), _invalid(_signer));
    }

    function test_nothing_signed_can_be_altered() public {
        bytes memory signature = _signed(KEY, registry.digestOf(_list(), _signer, DEADLINE));
        for (uint256 field = 0; field < 7; ++field) {
            IPolicyRegistry.Submission[] memory list = _list();
            if (field == 0) list[1].authority = US;
            if (field == 1) list[1].number = "3";
            if (field == 2) list[1].sequence = 2;
            if (field == 3) list[1].action = Action.Amend;
            if (field == 4) list[1].effectiveOn += 1;
            if (field == 5) list[1].document = ~list[1].document;
            if (field == 6) list[1].manifest = ~list[1].manifest;
            refuses(stranger, _relay(list, _signer, DEADLINE, signature), _invalid(_signer));
        }
        IPolicyRegistry.Submission[] memory swapped = _list();
        (swapped[0], swapped[1]) = (swapped[1], swapped[0]);
        refuses(stranger, _relay(swapped, _signer, DEADLINE, signature), _invalid(_signer));
        refuses(stranger, _relay(one(_list()[0]), _signer, DEADLINE, signature), _invalid(_signer));
        refuses(stranger, _relay(_list(), _signer, DEADLINE + 1, signature), _invalid(_signer));
        refuses(stranger, _relay(_list(), registrar, DEADLINE, signature), _invalid(registrar));
    }

    function test_the_domain_is_published() public view {
        (, string memory name, string memory version, uint256 chain, address verifier,,) =
            IERC5267(address(registry)).eip712Domain();
        same(keccak256("PolicyRegistry"), keccak256(bytes(name)), "name");
        same(keccak256("1"), keccak256(bytes(version)), "version");
        same(block.chainid, chain, "chain");
        same(word(address(registry)), word(verifier), "contract");
    }
}
