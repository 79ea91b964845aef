"""Who acts in the differential test, where the contract will lie, and what is signed.

The accounts are made from their names, so that every run and both nodes have the same
ones. The EIP-712 digest is written here from the EIP's text; `test_differential.py` compares
it with eth_account's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import rlp  # type: ignore[import-untyped]  # it ships no types
from eth_abi.abi import encode
from eth_hash.auto import keccak
from eth_keys import keys  # type: ignore[attr-defined]  # not in its __all__
from eth_keys.exceptions import BadSignature

CHAIN_ID = 131277322940537
"""eth-tester's, which can not be changed; Anvil is given the same."""

GAS_PRICE = 2 * 10**9
NOBODY = bytes(20)
HALF_OF_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141 // 2
"""Of secp256k1's order: ECDSA.sol takes no greater s (EIP-2)."""

# A wallet in 23 bytes (ERC-1271): takes as a signature whatever begins with the digest itself.
WALLET_CODE = bytes.fromhex("6004356064351815631626ba7e0260e01b5f5260205ff3")
_WALLET_CREATION = bytes.fromhex("60175f8160095f39f3") + WALLET_CODE

Submission = tuple[bytes, bytes, int, int, int, bytes, bytes]
"""As the ABI has it: authority, number, sequence, action, effectiveOn, document, manifest."""

_SUBMISSION = (
    "Submission(bytes32 authority,bytes32 number,uint32 sequence,uint8 action,"
    "int32 effectiveOn,bytes32 document,bytes32 manifest)"
)
_SUBMISSIONS = "Submissions(address registrar,uint64 deadline,Submission[] submissions)"
_DOMAIN = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"


@dataclass
class Person:
    """An account with a key, and the number of transactions it has signed."""

    name: str
    nonce: int = 0
    key: bytes = field(init=False, repr=False)
    address: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.key = sha256(f"differential test: {self.name}".encode()).digest()
        self.address = keys.PrivateKey(self.key).public_key.to_canonical_address()

    def transaction(self, to: bytes, data: bytes, gas: int) -> bytes:
        """A signed transaction with the next nonce."""
        unsigned = [self.nonce, GAS_PRICE, gas, to, 0, data]
        self.nonce += 1
        # EIP-155: the chain's id stands where the signature will.
        digest = keccak(rlp.encode([*unsigned, CHAIN_ID, 0, 0]))
        v, r, s = keys.PrivateKey(self.key).sign_msg_hash(digest).vrs
        return bytes(rlp.encode([*unsigned, 35 + 2 * CHAIN_ID + v, r, s]))

    def signature(self, digest: bytes) -> bytes:
        """r ‖ s ‖ v, as the contract takes it."""
        v, r, s = keys.PrivateKey(self.key).sign_msg_hash(digest).vrs
        return signature_of(r, s, v + 27)


@dataclass(frozen=True)
class Deployment:
    """The contract's addresses, which follow from who creates them and in which order."""

    deployer: bytes
    registry: bytes
    wallet: bytes

    @classmethod
    def by(cls, deployer: bytes) -> Deployment:
        registry, wallet = (keccak(rlp.encode([deployer, nonce]))[12:] for nonce in (0, 1))
        return cls(deployer, registry, wallet)


def wallet_creation() -> bytes:
    return _WALLET_CREATION


def signature_of(r: int, s: int, v: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([v])


def submissions_digest(
    contract: bytes, submissions: list[Submission], registrar: bytes, deadline: int
) -> bytes:
    """What a registrar signs. Source: EIP-712."""
    each = [_struct(_SUBMISSION, ["bytes32"] * 7, _words(one)) for one in submissions]
    message = _struct(
        _SUBMISSIONS + _SUBMISSION,
        ["address", "uint64", "bytes32"],
        [registrar, deadline, keccak(b"".join(each))],
    )
    domain = _struct(
        _DOMAIN,
        ["bytes32", "bytes32", "uint256", "address"],
        [keccak(b"PolicyRegistry"), keccak(b"1"), CHAIN_ID, contract],
    )
    return keccak(b"\x19\x01" + domain + message)


def is_signed(wallets: set[bytes], registrar: bytes, digest: bytes, signature: bytes) -> bool:
    """Whether the registrar's account, or the wallet at its address, vouches for the digest."""
    if registrar in wallets:
        return signature[:32].ljust(32, b"\0") == digest
    if len(signature) != 65 or signature[64] not in (27, 28):
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    if s > HALF_OF_ORDER:
        return False
    try:
        signer = keys.Signature(vrs=(signature[64] - 27, r, s))
        found: bytes = signer.recover_public_key_from_msg_hash(digest).to_canonical_address()
    except BadSignature:
        return False
    return found == registrar


def _struct(kind: str, types: list[str], values: list[Any]) -> bytes:
    return keccak(keccak(kind.encode()) + encode(types, values))


def _words(submission: Submission) -> list[bytes]:
    authority, number, sequence, action, effective_on, document, manifest = submission
    small = (sequence, action, effective_on % 2**256)
    return [authority, number, *(n.to_bytes(32, "big") for n in small), document, manifest]
