"""Whoever signs, what comes back is the transaction that was asked for, or nothing is sent."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import orjson
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_hash.auto import keccak
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws
from moto.kms.utils import ECDSAPrivateKey

from registry.chain.keystore import open_keystore, write_private
from registry.chain.kms_signer import KmsSigner
from registry.chain.remote_signer import RemoteSigner
from registry.chain.signatures import ORDER, Signature, decode_signature, recoverable, recovered
from registry.chain.signers import CheckedSigner, LocalSigner
from registry.chain.transactions import assembled, checked, signing_digest
from registry.chain.typed_data import digest_of
from registry.config import Settings
from registry.core.entry import Action
from registry.core.policy import PolicyKey
from registry.core.signed_act import ActsToSign, read_signed_act
from registry.core.submission import Submission
from registry.core.units import Address, Day, Digest, UnixSeconds
from registry.errors import InputError, RegistryError, Rejected, Unavailable
from registry.services.keys import signer_of
from tests.conftest import ROOT
from tests.signing_server import Fault, SigningServer, signing_server

KEY = bytes.fromhex("c0ffee02" * 8)
FIELDS: dict[str, Any] = {
    "chainId": 31337,
    "nonce": 7,
    "gas": 400_000,
    "value": 0,
    "to": "0x4D988C62c25eD318ada2082cfef63C36D4ce914d",
    "data": "0x" + "ab" * 100,
    "maxFeePerGas": 3 * 10**9,
    "maxPriorityFeePerGas": 10**9,
}
LEGACY = {
    **{name: value for name, value in FIELDS.items() if not name.startswith("max")},
    "gasPrice": 10**9,
}
CREATION = {name: value for name, value in FIELDS.items() if name != "to"}
ACTS = ActsToSign(
    31337,
    Address(bytes.fromhex("4d988c62c25ed318ada2082cfef63c36d4ce914d")),
    Address(bytes.fromhex("bdd305a14f46d140896dbf202606ffe8a8754a2a")),
    UnixSeconds(1_701_000_000),
    (
        Submission(
            PolicyKey("CN.GD.SHENZHEN", Digest(b"n" * 32)),
            2,
            Action.AMEND,
            Day(-7000),
            Digest(b"d" * 32),
            Digest(b"m" * 32),
        ),
    ),
)


@pytest.fixture
def server() -> Iterator[SigningServer]:
    with signing_server(KEY) as found:
        yield found


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "canary-of-aws")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    # moto 5 hashes what it is told is a digest already; AWS does not.
    monkeypatch.setattr(ECDSAPrivateKey, "sign", _sign_prehashed)
    with mock_aws():
        yield boto3.client("kms")


def _sign_prehashed(key: ECDSAPrivateKey, message: bytes, signing_algorithm: str) -> bytes:
    assert len(message) == 32
    assert signing_algorithm == "ECDSA_SHA_256"
    return bytes(key.private_key.sign(message, ec.ECDSA(Prehashed(hashes.SHA256()))))


def local() -> LocalSigner:
    return LocalSigner(KEY)


@pytest.mark.parametrize("fields", [FIELDS, LEGACY, CREATION], ids=["1559", "155", "creation"])
def test_a_key_in_memory_signs_what_eth_account_signs(fields: dict[str, Any]) -> None:
    expected = Account.from_key(KEY).sign_transaction({**fields, "to": fields.get("to", b"")})
    raw = CheckedSigner(local()).sign_transaction(fields)
    assert raw == bytes(expected.raw_transaction)
    assert Account.recover_transaction(raw) == Account.from_key(KEY).address


def test_the_digest_of_acts_is_the_contract_s_and_a_wallet_s() -> None:
    frozen = json.loads((ROOT / "tests/vectors/contract.json").read_bytes())["eip712"]
    message = json.loads(json.dumps(frozen["message"]))
    for place in ("domain", "message"):
        for name, value in message[place].items():
            if isinstance(value, str) and value.startswith("0x"):
                message[place][name] = value.lower()
    file = {
        "schema": "policy-registry/signed-act/1",
        "typed_data": message,
        "manifests": [""],
        "signature": "0x",
    }
    acts = read_signed_act(orjson.dumps(file)).acts
    assert digest_of(acts).hex() == frozen["digest"]
    signable = encode_typed_data(full_message=acts.typed_data())
    assert keccak(b"\x19\x01" + signable.header + signable.body) == digest_of(acts)


def test_a_remote_signer_signs_as_the_key_does(server: SigningServer) -> None:
    remote = CheckedSigner(RemoteSigner(server.url, local().address))
    for fields in (FIELDS, LEGACY):
        assert remote.sign_transaction(fields) == local().sign_transaction(fields)
    assert remote.sign_typed_data(ACTS) == local().sign_typed_data(ACTS)
    assert set(server.asked) == {"eth_signTransaction", "eth_signTypedData_v4"}


WORDS = {
    Fault.WRONG_ACCOUNT: "is not 0x.* over exactly this",
    Fault.WRONG_SIGNATURE: "is not 0x.* over exactly this",
    Fault.HIGH_S: "higher of its two values",
    Fault.ANOTHER_TRANSACTION: "is not 0x.* over exactly this",
    Fault.NONSENSE: "can not be read",
    Fault.REFUSES: "the signer refused: no such account",
    Fault.HANGS: "did not answer in time",
    Fault.FAILS: "HTTP 500",
}


@pytest.mark.parametrize("fault", [each for each in Fault if each is not Fault.NONE])
def test_what_a_remote_signer_does_wrong_is_seen(server: SigningServer, fault: Fault) -> None:
    server.fault = fault
    remote = CheckedSigner(RemoteSigner(server.url, local().address, silence_seconds=0.3))
    expected = Unavailable if fault in (Fault.HANGS, Fault.FAILS) else Rejected
    with pytest.raises(expected, match=WORDS[fault]) as raised:
        remote.sign_transaction(FIELDS)
    assert "canary-of-the-path" not in f"{raised.value} {raised.value.hint}"
    if fault is not Fault.ANOTHER_TRANSACTION:
        with pytest.raises(expected, match=WORDS[fault]):
            remote.sign_typed_data(ACTS)


class _Fixed:
    """A signer that gives the same bytes whatever it is asked."""

    def __init__(self, raw: bytes) -> None:
        self.address, self._raw = local().address, raw

    def sign_transaction(self, fields: dict[str, Any]) -> bytes:
        return self._raw

    def sign_typed_data(self, acts: ActsToSign) -> bytes:
        return self._raw


CHANGED: dict[str, Any] = {
    "chainId": 1,
    "nonce": 8,
    "gas": 400_001,
    "value": 1,
    "to": "0x" + "22" * 20,
    "data": "0x" + "ab" * 99 + "ac",
    "maxFeePerGas": 4 * 10**9,
    "maxPriorityFeePerGas": 2 * 10**9,
    "gasPrice": 2 * 10**9,
}


@pytest.mark.parametrize("fields", [FIELDS, LEGACY], ids=["1559", "155"])
@pytest.mark.parametrize("name", CHANGED)
def test_a_transaction_with_any_field_changed_is_not_sent(
    fields: dict[str, Any], name: str
) -> None:
    if name not in fields:
        return
    raw = local().sign_transaction({**fields, name: CHANGED[name]})
    with pytest.raises(Rejected):
        CheckedSigner(_Fixed(raw)).sign_transaction(fields)


@given(st.data())
def test_no_other_bytes_pass_for_the_transaction(data: st.DataObject) -> None:
    raw = local().sign_transaction(FIELDS)
    place = data.draw(st.integers(0, len(raw) - 1))
    changed = bytearray(raw)
    changed[place] ^= data.draw(st.integers(1, 255))
    cut = raw[: data.draw(st.integers(0, len(raw) - 1))]
    for other in (bytes(changed), cut, raw + b"\0", b"", b"\x02", raw[1:]):
        with pytest.raises(Rejected):
            checked(other, FIELDS, local().address)
    assert checked(raw, FIELDS, local().address) == raw


def mutated_acts() -> dict[str, ActsToSign]:
    """Each thing that is signed, changed by itself."""
    (submission,) = ACTS.submissions
    submissions = {
        "authority": {"policy": PolicyKey("CN.GD", submission.policy.number_hash)},
        "number": {"policy": PolicyKey("CN.GD.SHENZHEN", Digest(b"N" * 32))},
        "sequence": {"sequence": 3},
        "action": {"action": Action.CORRECT},
        "effective_on": {"effective_on": Day(-6999)},
        "no_date": {"effective_on": None},
        "document": {"document": Digest(b"D" * 32)},
        "manifest": {"manifest": Digest(b"M" * 32)},
    }
    acts: dict[str, dict[str, Any]] = {
        "chain_id": {"chain_id": 1},
        "contract": {"contract": Address(b"\x11" * 20)},
        "registrar": {"registrar": Address(b"\x12" * 20)},
        "deadline": {"deadline": UnixSeconds(ACTS.deadline + 1)},
        "twice": {"submissions": (submission, submission)},
        **{
            name: {"submissions": (replace(submission, **change),)}
            for name, change in submissions.items()
        },
    }
    return {name: replace(ACTS, **change) for name, change in acts.items()}


@pytest.mark.parametrize("name", mutated_acts())
def test_a_signature_is_over_every_field_of_the_acts(name: str) -> None:
    signature = local().sign_typed_data(mutated_acts()[name])
    assert recovered(digest_of(ACTS), decode_signature(signature)) != local().address
    with pytest.raises(Rejected, match="over exactly this"):
        CheckedSigner(_Fixed(signature)).sign_typed_data(ACTS)


def test_only_signatures_that_the_contract_takes_are_read() -> None:
    good = local().sign_typed_data(ACTS)
    read = decode_signature(good)
    assert decode_signature(good[:64] + bytes([read.parity])) == read
    high = Signature(read.r, ORDER - read.s, 1 - read.parity).encode()
    # It recovers to the same account, and is refused all the same.
    r, s = int.from_bytes(high[:32], "big"), int.from_bytes(high[32:64], "big")
    assert recovered(digest_of(ACTS), Signature(r, s, high[64] - 27)) == local().address
    zero, order = bytes(32), ORDER.to_bytes(32, "big")
    bad = [
        high, b"", good[:64], good + b"\0", good[:64] + b"\x02", good[:64] + b"\x1d",
        zero + good[32:], good[:32] + zero + good[64:], order + good[32:],
    ]  # fmt: skip
    for each in bad:
        with pytest.raises(Rejected):
            decode_signature(each)


@given(st.binary(min_size=32, max_size=32), st.booleans())
def test_the_key_of_a_signature_is_found_whichever_s_it_has(digest: bytes, high: bool) -> None:
    signed = local().sign_digest(digest)
    s = ORDER - signed.s if high else signed.s
    assert recoverable(local().address, digest, signed.r, s) == signed
    with pytest.raises(Rejected):
        recoverable(Address(b"\x11" * 20), digest, signed.r, s)


def test_a_key_in_aws_kms_signs(kms: Any) -> None:
    made = kms.create_key(KeySpec="ECC_SECG_P256K1", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    asked: list[dict[str, Any]] = []
    kms.meta.events.register(
        "provide-client-params.kms.Sign", lambda params, **_: asked.append(params)
    )
    signer = KmsSigner(made["Arn"], kms)
    checked_signer = CheckedSigner(signer)
    # AWS gives the higher s as often as the lower one.
    for nonce in range(12):
        raw = checked_signer.sign_transaction({**FIELDS, "nonce": nonce})
        assert Account.recover_transaction(raw).lower() == "0x" + signer.address.hex()
    signature = decode_signature(checked_signer.sign_typed_data(ACTS))
    assert recovered(digest_of(ACTS), signature) == signer.address
    assert {each["MessageType"] for each in asked} == {"DIGEST"}
    assert KmsSigner(made["KeyId"]).address == signer.address


class _OtherKey:
    """AWS KMS, signing with another key than the one whose public half it gave."""

    def __init__(self, client: Any, other: str) -> None:
        self._client, self._other = client, other

    def get_public_key(self, **asked: Any) -> Any:
        return self._client.get_public_key(**asked)

    def sign(self, **asked: Any) -> Any:
        return self._client.sign(**{**asked, "KeyId": self._other})


def test_what_aws_kms_does_wrong_is_seen(kms: Any) -> None:
    def made(spec: str) -> str:
        key = kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
        return str(key)

    with pytest.raises(InputError, match="none of an account"):
        KmsSigner(made("ECC_NIST_P256"))
    with pytest.raises(Rejected, match="NotFound"):
        KmsSigner("alias/there-is-none")
    ours, other = made("ECC_SECG_P256K1"), made("ECC_SECG_P256K1")
    with pytest.raises(Rejected, match="over exactly this"):
        KmsSigner(ours, _OtherKey(kms, other)).sign_transaction(FIELDS)


@pytest.mark.parametrize("content", ["", "30", "3006020101020101", "3006020101020101ff", "ff" * 70])
def test_only_der_is_read_as_der(content: str) -> None:
    from registry.chain.kms_signer import _der_numbers

    if content == "3006020101020101":
        assert _der_numbers(bytes.fromhex(content)) == (1, 1)
        return
    with pytest.raises(Rejected):
        _der_numbers(bytes.fromhex(content))


def keystore(folder: Path, mode: int = 0o600) -> Path:
    path = folder / "keystore.json"
    write_private(path, orjson.dumps(Account.encrypt(KEY, "canary-password", iterations=2)))
    path.chmod(mode)
    return path


def test_a_keystore_is_read_with_its_password_alone(tmp_path: Path) -> None:
    path = keystore(tmp_path)
    assert open_keystore(path, "canary-password").address == local().address
    with pytest.raises(InputError, match="wrong password"):
        open_keystore(path, "another")
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(InputError, match="already there"):
        write_private(path, b"")


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o666, 0o620, 0o602, 0o601])
def test_a_keystore_that_others_may_use_is_not_used(tmp_path: Path, mode: int) -> None:
    with pytest.raises(InputError, match=f"{mode:o}"):
        open_keystore(keystore(tmp_path, mode), "canary-password")


def test_a_keystore_that_its_group_may_read_is_used_with_a_word(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    open_keystore(keystore(tmp_path, 0o640), "canary-password")
    assert "the group of" in caplog.text


def no_password(_: str) -> str:
    raise AssertionError("nobody is to be asked")


def test_settings_name_one_signer(tmp_path: Path, server: SigningServer) -> None:
    plain = Settings(home=tmp_path)
    account = "0x" + local().address.hex()
    password = tmp_path / "password"
    password.write_text("canary-password\n")
    by_file = replace(plain, keystore=keystore(tmp_path), password_file=password)
    remote = replace(plain, signer_url=server.url, signer_account=account)
    development = replace(plain, private_key="0x" + KEY.hex())
    for settings in (by_file, remote, development):
        signer = signer_of(settings, no_password)
        assert signer.address == local().address
        assert signer.sign_typed_data(ACTS) == local().sign_typed_data(ACTS)
        assert KEY.hex() not in repr(signer) + repr(settings)
    asked: list[str] = []

    def password_of(prompt: str) -> str:
        asked.append(prompt)
        return "canary-password"

    assert signer_of(replace(by_file, password_file=None), password_of).address == local().address
    assert len(asked) == 1
    with pytest.raises(InputError, match="POLREG_PRIVATE_KEY and POLREG_KEYSTORE"):
        signer_of(replace(by_file, private_key=KEY.hex()), no_password)
    with pytest.raises(InputError, match="which of its accounts"):
        signer_of(replace(remote, signer_account=None), no_password)
    with pytest.raises(InputError, match="POLREG_SIGNER_URL"):
        signer_of(replace(remote, signer_url="canary"), no_password)
    with pytest.raises(InputError, match="no key to sign with"):
        signer_of(plain, no_password)
    assert "canary-of-the-path" in remote.secrets


@pytest.mark.parametrize("key", [bytes(32), b"\xff" * 32, b"", b"\1" * 31, b"\1" * 33])
def test_what_is_no_key_is_said_without_saying_it(key: bytes) -> None:
    with pytest.raises(RegistryError) as raised:
        LocalSigner(key)
    assert str(raised.value) == "the private key is not one"


def test_signing_digests_differ_wherever_fields_do() -> None:
    digests = {signing_digest({**FIELDS, name: CHANGED[name]}) for name in FIELDS}
    assert len(digests | {signing_digest(FIELDS), signing_digest(LEGACY)}) == len(FIELDS) + 2
    assert assembled(
        FIELDS, local().sign_digest(signing_digest(FIELDS))
    ) == local().sign_transaction(FIELDS)
    assert os.environ.get("POLREG_PRIVATE_KEY") is None
