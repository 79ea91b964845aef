// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AuthorityCode} from "../../contracts/AuthorityCode.sol";
import {Action, NO_DATE} from "../../contracts/Entry.sol";
import {IPolicyRegistry} from "../../contracts/IPolicyRegistry.sol";
import {Status} from "../../contracts/Lifecycle.sol";
import {InvariantActors} from "./InvariantActors.sol";
import {SignedText} from "./SignedText.sol";

/// @dev Batches of acts on policies, sent or signed, right or with one thing wrong.
abstract contract InvariantRegistrars is InvariantActors {
    struct Batch {
        IPolicyRegistry.Submission[] list;
        bytes[] given;
        address by;
    }

    /// @dev How often the wallet's owners signed what was then recorded.
    uint256 public recordedByWallet;

    bytes private _relayed;

    function record(uint256 seed) external step(seed) {
        _send(_batch());
    }

    function recordAgain(uint256 seed) external step(seed) {
        _send(_batch());
    }

    function recordWrong(uint256 seed) external step(seed) {
        Batch memory batch = _batch();
        if (_random(4) == 0) batch.by = _anyone();
        else _spoil(batch);
        _send(batch);
    }

    function relay(uint256 seed) external step(seed) {
        Batch memory batch = _random(3) == 0 ? _batchBy(_wallet()) : _batch();
        _relay(batch, batch.by, uint64(clock + _random(1000)));
    }

    function relayWrong(uint256 seed) external step(seed) {
        Batch memory batch = _batch();
        uint256 kind = _random(5);
        if (kind == 0) return _relay(batch, batch.by, uint64(clock - 1 - _random(1000)));
        if (kind == 1) return _relay(batch, _anyone(), uint64(clock));
        if (kind == 2) return _relayTwice(batch);
        if (kind == 3) batch.by = _anyone();
        else _spoil(batch);
        _relay(batch, batch.by, uint64(clock));
    }

    /// @dev With the signature of an account, or of one of the wallet's owners, given twice.
    function _relayTwice(Batch memory batch) private {
        address signer = batch.by == _wallet() ? actors[_random(3)] : batch.by;
        bytes memory signature = _sign(signer, _digest(batch, uint64(clock)));
        _relaySigned(batch, uint64(clock), bytes.concat(signature, signature), false);
    }

    /// @dev Signed, then altered.
    function relayAltered(uint256 seed) external step(seed) {
        Batch memory batch = _batch();
        uint64 deadline = uint64(clock);
        bytes memory signature = _sign(batch.by, _digest(batch, deadline));
        uint256 field = _random(8);
        IPolicyRegistry.Submission memory some = batch.list[_random(batch.list.length)];
        if (field == 0) some.authority = ~some.authority;
        if (field == 1) some.number = ~some.number;
        if (field == 2) some.sequence += 1;
        if (field == 3) some.action = Action(uint256(some.action) + 1);
        if (field == 4) some.effectiveOn ^= 1;
        if (field == 5) some.document = ~some.document;
        if (field == 6) some.manifest = ~some.manifest;
        if (field == 7) ++deadline;
        bytes memory refusal = _error(IPolicyRegistry.SignatureInvalid.selector, _word(batch.by));
        _act(_anyone(), _relaying(batch, deadline, signature), refusal);
    }

    /// @dev What was relayed last, right or wrong, once more.
    function replay(uint256 seed) external step(seed) {
        if (_relayed.length == 0) return;
        (Batch memory batch, uint64 deadline, bytes memory signature, bool valid) =
            abi.decode(_relayed, (Batch, uint64, bytes, bool));
        _relaySigned(batch, deadline, signature, valid);
    }

    /// @dev Nothing that the registry does costs money, or takes any.
    function pay(uint256 seed) external step(seed) {
        bytes memory data;
        uint256 kind = _random(4);
        Batch memory batch = _batch();
        if (kind == 0) data = abi.encodeCall(IPolicyRegistry.record, (batch.list, batch.given));
        if (kind == 1) data = abi.encodeCall(IPolicyRegistry.checkpoint, ());
        if (kind == 2) data = abi.encode(_random(type(uint256).max));
        vm.deal(batch.by, 1);
        vm.prank(batch.by);
        (bool success, bytes memory result) = address(registry).call{value: 1}(data);
        same(false, success, "paid");
        same(0, result.length, "reason");
    }

    function _send(Batch memory batch) private {
        bytes memory refusal = _refusal(batch);
        if (refusal.length == 0) _expectAll(batch);
        _act(batch.by, abi.encodeCall(IPolicyRegistry.record, (batch.list, batch.given)), refusal);
    }

    function _relay(Batch memory batch, address signer, uint64 deadline) private {
        bytes memory signature = _sign(signer, _digest(batch, deadline));
        bool valid = signer == batch.by;
        _relayed = abi.encode(batch, deadline, signature, valid);
        _relaySigned(batch, deadline, signature, valid);
    }

    function _relaySigned(Batch memory batch, uint64 deadline, bytes memory signature, bool valid) private {
        bytes memory refusal = _refusal(batch);
        if (!valid) refusal = _error(IPolicyRegistry.SignatureInvalid.selector, _word(batch.by));
        if (clock > deadline) {
            refusal = abi.encodeWithSelector(IPolicyRegistry.SignatureExpired.selector, deadline, clock);
        }
        if (refusal.length == 0) {
            _expectAll(batch);
            if (batch.by == _wallet()) ++recordedByWallet;
        }
        _act(_anyone(), _relaying(batch, deadline, signature), refusal);
    }

    function _relaying(Batch memory batch, uint64 deadline, bytes memory signature)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeCall(
            IPolicyRegistry.recordBySignature, (batch.list, batch.given, batch.by, deadline, signature)
        );
    }

    function _digest(Batch memory batch, uint64 deadline) private view returns (bytes32) {
        return SignedText.digest(batch.list, batch.by, deadline, address(registry));
    }

    /// @dev A batch that nothing is wrong with, if there is a registrar anywhere.
    function _batch() private returns (Batch memory) {
        uint256 first = _random(codes.length);
        for (uint256 i = 0; i < codes.length; ++i) {
            bytes32 role = _registrars(codes[(first + i) % codes.length]);
            address by = _mustHold(role);
            if (holds[role][by]) return _batchBy(by);
        }
        return _batchBy(_anyone());
    }

    /// @dev The same, if this one is a registrar anywhere.
    function _batchBy(address by) private returns (Batch memory batch) {
        batch.by = by;
        uint256 first = _random(codes.length);
        bytes32 code = codes[first];
        for (uint256 i = 1; i < codes.length && !holds[_registrars(code)][by]; ++i) {
            code = codes[(first + i) % codes.length];
        }
        uint256 length = _random(30) == 0 ? 1 + _random(40) : 1 + _random(5);
        uint256 manifests = _random(3);
        batch.list = new IPolicyRegistry.Submission[](length);
        batch.given = new bytes[](manifests == 0 ? 0 : length);
        for (uint256 i = 0; i < length; ++i) {
            bytes32 other = _anyCode();
            if (holds[_registrars(other)][batch.by]) code = other;
            bytes memory content = _content(0);
            _fill(batch.list, i, code, sha256(content));
            if (manifests == 1 || (manifests == 2 && _random(2) == 0)) batch.given[i] = content;
        }
    }

    function _fill(IPolicyRegistry.Submission[] memory list, uint256 i, bytes32 code, bytes32 manifest) private {
        IPolicyRegistry.Submission memory next = list[i];
        next.authority = code;
        next.number = _number();
        (Status status, uint32 sequence) = _before(list, i);
        next.sequence = sequence + 1;
        uint256 first = _random(8);
        for (uint256 a = 0; _after(status, next.action) == Status.None; ++a) {
            next.action = Action(1 + (first + a) % 8);
        }
        next.effectiveOn = _random(3) == 0 ? NO_DATE : int32(int256(_random(60_000))) - 30_000;
        if (next.action <= Action.Correct) next.document = bytes32(1 + _random(type(uint256).max));
        next.manifest = manifest;
    }

    /// @dev One of few, so that policies live long; some are what authorities' acts are about.
    function _number() private returns (bytes32) {
        uint256 kind = _random(12);
        if (kind == 0) return 0;
        if (kind == 1) return _word(_anyone());
        return keccak256(abi.encode(kind));
    }

    /// @dev The status and sequence that submission `i` meets.
    function _before(IPolicyRegistry.Submission[] memory list, uint256 i)
        private
        view
        returns (Status status, uint32 sequence)
    {
        bytes32 authority = list[i].authority;
        bytes32 number = list[i].number;
        for (uint256 j = i; j > 0; --j) {
            IPolicyRegistry.Submission memory earlier = list[j - 1];
            if (earlier.authority == authority && earlier.number == number) {
                (Status from,) = _before(list, j - 1);
                return (_after(from, earlier.action), earlier.sequence);
            }
        }
        return (policies[authority][number].status, policies[authority][number].sequence);
    }

    function _spoil(Batch memory batch) private {
        uint256 place = _random(batch.list.length);
        IPolicyRegistry.Submission memory some = batch.list[place];
        uint256 kind = _random(16);
        if (kind == 0) some.sequence -= 1;
        if (kind == 1) some.sequence += uint32(1 + _random(9));
        if (kind == 2 || kind > 10) some.action = Action(_random(19));
        if (kind == 3) some.document = some.document == 0 ? bytes32("x") : bytes32(0);
        if (kind == 4) some.manifest = 0;
        if (kind == 5) batch.given = new bytes[](batch.list.length + 1);
        if (kind == 6) batch.list = new IPolicyRegistry.Submission[](0);
        if (kind == 7) some.authority |= bytes32(1 + _random(255));
        if (kind == 8) some.authority = _anyCode();
        if (kind == 9 || kind == 10) {
            if (batch.given.length == 0) batch.given = new bytes[](batch.list.length);
            batch.given[place] = _content(kind == 9 ? 0 : 8192);
            if (kind == 10) some.manifest = sha256(batch.given[place]);
        }
    }

    /// @dev The error that the batch meets, or nothing.
    function _refusal(Batch memory batch) private view returns (bytes memory refusal) {
        uint256 length = batch.list.length;
        uint256 given = batch.given.length;
        if (closed) return _retired();
        if (length == 0) return abi.encodeWithSelector(IPolicyRegistry.EmptyBatch.selector);
        if (given != 0 && given != length) {
            return abi.encodeWithSelector(IPolicyRegistry.LengthMismatch.selector, length, given);
        }
        for (uint256 i = 0; i < length && refusal.length == 0; ++i) {
            refusal = _refusalOf(batch.list, i, batch.by);
            if (refusal.length == 0 && given != 0) refusal = _refusal(batch.list[i].manifest, batch.given[i]);
        }
    }

    function _refusalOf(IPolicyRegistry.Submission[] memory list, uint256 i, address by)
        private
        view
        returns (bytes memory)
    {
        IPolicyRegistry.Submission memory s = list[i];
        if (uint256(s.authority) % 256 != 0) {
            return _error(AuthorityCode.InvalidAuthorityCode.selector, s.authority);
        }
        if (!holds[_registrars(s.authority)][by]) return _unauthorized(by, _registrars(s.authority));
        (Status status, uint32 sequence) = _before(list, i);
        if (s.sequence != sequence + 1) {
            return abi.encodeWithSelector(
                IPolicyRegistry.SequenceMismatch.selector, s.authority, s.number, sequence + 1, s.sequence
            );
        }
        if (_after(status, s.action) == Status.None) {
            return
                abi.encodeWithSelector(
                    IPolicyRegistry.InvalidTransition.selector, s.authority, s.number, status, s.action
                );
        }
        return _documentRefusal(s);
    }

    function _documentRefusal(IPolicyRegistry.Submission memory s) private pure returns (bytes memory) {
        bool brings = s.action <= Action.Correct;
        if (brings && s.document == 0) {
            return abi.encodeWithSelector(IPolicyRegistry.DocumentRequired.selector, s.authority, s.number, s.action);
        }
        if (!brings && s.document != 0) {
            return abi.encodeWithSelector(
                IPolicyRegistry.DocumentForbidden.selector, s.authority, s.number, s.action, s.document
            );
        }
        if (s.manifest != 0) return "";
        return abi.encodeWithSelector(IPolicyRegistry.ManifestRequired.selector, s.authority, s.number);
    }

    function _expectAll(Batch memory batch) private {
        for (uint256 i = 0; i < batch.list.length; ++i) {
            IPolicyRegistry.Submission memory s = batch.list[i];
            _expect(abi.encode(s.authority, s.number, s.action, s.effectiveOn, s.document, s.manifest, batch.by));
            if (batch.given.length != 0) _expectManifest(batch.given[i]);
        }
    }
}
