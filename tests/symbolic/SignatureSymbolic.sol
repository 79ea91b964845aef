// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Action} from "../../contracts/Entry.sol";
import {IPolicyRegistry} from "../../contracts/IPolicyRegistry.sol";
import {PolicyRegistry} from "../../contracts/PolicyRegistry.sol";
import {RegistrySpec} from "./RegistrySpec.sol";

/// @dev A contract that is a registrar: it approves of some digests and signatures, and of others not.
contract Wallet {
    mapping(bytes32 digest => mapping(bytes32 signature => bytes32)) public answer;

    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes32) {
        return answer[digest][keccak256(signature)];
    }
}

/// @dev What a registrar signs, and that nothing is recorded in its name without it. Fields are any values of their
/// types.
contract SignatureSymbolic is RegistrySpec {
    PolicyRegistry private constant ELSEWHERE = PolicyRegistry(address(0xe15e));

    PolicyRegistry private _deployed;
    Wallet private _wallet;

    function setUp() public override {
        super.setUp();
        _deployed = new PolicyRegistry(address(this), 0);
        vm.etch(address(ELSEWHERE), address(REGISTRY).code);
        _wallet = new Wallet();
        svm.enableSymbolicStorage(address(_wallet));
    }

    /// @dev For 0 to 3 submissions, on any chain, of the registry where it was deployed and of the same code elsewhere:
    /// the digest is EIP-712's, of exactly these types.
    function check_digest_is_that_of_eip712(
        uint256 count,
        IPolicyRegistry.Submission[3] calldata given,
        address registrar,
        uint64 deadline,
        uint256 chain
    ) external {
        count = pick(count, 0, 3);
        IPolicyRegistry.Submission[] memory submissions = _list(given, count);
        assert(
            _deployed.digestOf(submissions, registrar, deadline)
                == _digest(_deployed, submissions, registrar, deadline, 31337)
        );
        vm.assume(chain != 31337);
        vm.chainId(chain);
        assert(
            _deployed.digestOf(submissions, registrar, deadline)
                == _digest(_deployed, submissions, registrar, deadline, chain)
        );
        assert(
            REGISTRY.digestOf(submissions, registrar, deadline)
                == _digest(REGISTRY, submissions, registrar, deadline, chain)
        );
    }

    /// @dev Two messages of 0 to 2 submissions each have the same digest only if they are the same in their number, in
    /// every field of every submission, in the registrar and the deadline, and if the chain is the same.
    function check_digest_binds_every_field(
        uint256[2] calldata counts,
        IPolicyRegistry.Submission[2] calldata one,
        IPolicyRegistry.Submission[2] calldata other,
        address[2] calldata registrars,
        uint64[2] calldata deadlines,
        uint256[2] calldata chains
    ) external {
        uint256 count = pick(counts[0], 0, 2);
        uint256 otherCount = pick(counts[1], 0, 2);
        vm.chainId(chains[0]);
        bytes32 digest = REGISTRY.digestOf(_firstTwo(one, count), registrars[0], deadlines[0]);
        vm.chainId(chains[1]);
        bytes32 otherDigest = REGISTRY.digestOf(_firstTwo(other, otherCount), registrars[1], deadlines[1]);
        bool same = both(registrars[0] == registrars[1], deadlines[0] == deadlines[1]);
        same = both(same, both(chains[0] == chains[1], count == otherCount));
        for (uint256 i = 0; i < count && count == otherCount; ++i) {
            same = both(same, _same(one[i], other[i]));
        }
        assert((digest == otherDigest) == same);
    }

    /// @dev No two messages of 0 to 2 submissions each have the same digest at two addresses.
    function check_digest_binds_the_contract(
        uint256[2] calldata counts,
        IPolicyRegistry.Submission[2] calldata one,
        IPolicyRegistry.Submission[2] calldata other,
        address[2] calldata registrars,
        uint64[2] calldata deadlines,
        uint256[2] calldata chains
    ) external {
        vm.chainId(chains[0]);
        bytes32 digest = REGISTRY.digestOf(_firstTwo(one, pick(counts[0], 0, 2)), registrars[0], deadlines[0]);
        vm.chainId(chains[1]);
        bytes32 otherDigest = ELSEWHERE.digestOf(_firstTwo(other, pick(counts[1], 0, 2)), registrars[1], deadlines[1]);
        assert(digest != otherDigest);
    }

    /// @dev Any caller, any time, one submission, a log of any size, a signature of 64, 65 or 66 bytes, a registrar whose
    /// account has no code: it reverts unless the deadline has not passed, the signature is the registrar's over
    /// the digest and the registrar is one of the authority. ECRECOVER is an unknown function here.
    /// @custom:halmos --solver-timeout-branching 10s --early-exit
    function check_record_without_the_registrars_signature_reverts(
        address caller,
        uint64 time,
        IPolicyRegistry.Submission calldata submission,
        address registrar,
        uint64 deadline,
        bytes32 r,
        bytes32 s,
        uint8 v,
        uint256 length
    ) external {
        vm.warp(time);
        vm.assume(registrar.code.length == 0);
        length = pick(length, 64, 66);
        IPolicyRegistry.Submission[] memory submissions = new IPolicyRegistry.Submission[](1);
        submissions[0] = submission;
        bytes32 digest = REGISTRY.digestOf(submissions, registrar, deadline);
        bool signed = both(ecrecover(digest, v, r, s) == registrar, both(registrar != address(0), length == 65));
        bool may = both(both(signed, time <= deadline), _holds(submission.authority, registrar));
        vm.assume(not(may));
        bytes memory signature = abi.encodePacked(r, s, v, v);
        assembly ("memory-safe") {
            mstore(signature, length)
        }
        assert(!_bySignature(caller, submissions, registrar, deadline, signature));
    }

    /// @dev The same where the registrar is a contract: it must have answered with ERC-1271's value to this digest and
    /// this signature of 3 bytes.
    /// @custom:halmos --solver-timeout-branching 10s --early-exit
    function check_record_without_the_wallets_consent_reverts(
        address caller,
        uint64 time,
        IPolicyRegistry.Submission calldata submission,
        uint64 deadline,
        bytes3 signature
    ) external {
        vm.warp(time);
        IPolicyRegistry.Submission[] memory submissions = new IPolicyRegistry.Submission[](1);
        submissions[0] = submission;
        bytes32 digest = REGISTRY.digestOf(submissions, address(_wallet), deadline);
        bytes32 answer = _wallet.answer(digest, keccak256(bytes.concat(signature)));
        bool may = both(answer == bytes32(bytes4(0x1626ba7e)), time <= deadline);
        may = both(may, _holds(submission.authority, address(_wallet)));
        vm.assume(not(may));
        assert(!_bySignature(caller, submissions, address(_wallet), deadline, bytes.concat(signature)));
    }

    function check_reachable_record_by_signature(
        address caller,
        IPolicyRegistry.Submission calldata submission,
        address registrar,
        uint64 deadline,
        bytes32 r,
        bytes32 s
    ) external {
        open(2);
        vm.assume(submission.action == Action.Publish);
        IPolicyRegistry.Submission[] memory submissions = new IPolicyRegistry.Submission[](1);
        submissions[0] = submission;
        assert(!_bySignature(caller, submissions, registrar, deadline, abi.encodePacked(r, s, uint8(27))));
    }

    function _bySignature(
        address caller,
        IPolicyRegistry.Submission[] memory submissions,
        address registrar,
        uint64 deadline,
        bytes memory signature
    ) private returns (bool) {
        bytes[] memory none = new bytes[](0);
        return
            call(
                caller, abi.encodeCall(REGISTRY.recordBySignature, (submissions, none, registrar, deadline, signature))
            );
    }

    function _holds(bytes32 authority, address registrar) private view returns (bool) {
        return both(uint8(uint256(authority)) == 0, REGISTRY.hasRole(authority | bytes32(uint256(1)), registrar));
    }

    /// @dev By EIP-712 alone.
    function _digest(
        PolicyRegistry where,
        IPolicyRegistry.Submission[] memory submissions,
        address registrar,
        uint64 deadline,
        uint256 chain
    ) private pure returns (bytes32) {
        bytes memory type_ =
            "Submission(bytes32 authority,bytes32 number,uint32 sequence,uint8 action,int32 effectiveOn,bytes32 document,bytes32 manifest)";
        bytes memory hashes;
        for (uint256 i = 0; i < submissions.length; ++i) {
            IPolicyRegistry.Submission memory s = submissions[i];
            hashes = bytes.concat(
                hashes,
                keccak256(
                    bytes.concat(
                        abi.encode(keccak256(type_), s.authority, s.number, s.sequence),
                        abi.encode(s.action, s.effectiveOn, s.document, s.manifest)
                    )
                )
            );
        }
        bytes32 message = keccak256(
            abi.encode(
                keccak256(
                    bytes.concat("Submissions(address registrar,uint64 deadline,Submission[] submissions)", type_)
                ),
                registrar,
                deadline,
                keccak256(hashes)
            )
        );
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("PolicyRegistry"),
                keccak256("1"),
                chain,
                where
            )
        );
        return keccak256(bytes.concat(hex"1901", domain, message));
    }

    function _list(IPolicyRegistry.Submission[3] calldata given, uint256 count)
        private
        pure
        returns (IPolicyRegistry.Submission[] memory submissions)
    {
        submissions = new IPolicyRegistry.Submission[](count);
        for (uint256 i = 0; i < count; ++i) {
            submissions[i] = given[i];
        }
    }

    function _firstTwo(IPolicyRegistry.Submission[2] calldata given, uint256 count)
        private
        pure
        returns (IPolicyRegistry.Submission[] memory submissions)
    {
        submissions = new IPolicyRegistry.Submission[](count);
        for (uint256 i = 0; i < count; ++i) {
            submissions[i] = given[i];
        }
    }

    function _same(IPolicyRegistry.Submission calldata a, IPolicyRegistry.Submission calldata b)
        private
        pure
        returns (bool same)
    {
        same = both(a.authority == b.authority, a.number == b.number);
        same = both(same, both(a.sequence == b.sequence, a.action == b.action));
        same = both(same, both(a.effectiveOn == b.effectiveOn, a.document == b.document));
        same = both(same, a.manifest == b.manifest);
    }
}
