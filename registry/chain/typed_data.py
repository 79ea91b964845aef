"""The EIP-712 digest of acts: what a registrar signs and the contract's `digestOf` gives."""

from __future__ import annotations

from registry.core.authority import encode_code
from registry.core.digest import ZERO_DIGEST
from registry.core.signed_act import (
    DOMAIN,
    DOMAIN_NAME,
    DOMAIN_VERSION,
    SUBMISSION,
    SUBMISSIONS,
    ActsToSign,
)
from registry.core.submission import Submission


def digest_of(acts: ActsToSign) -> bytes:
    """32 bytes. Source: EIP-712, and `PolicyRegistry.digestOf`."""
    from eth_hash.auto import keccak

    separator = keccak(
        _type_hash("EIP712Domain", DOMAIN)
        + keccak(DOMAIN_NAME.encode())
        + keccak(DOMAIN_VERSION.encode())
        + _word(acts.chain_id)
        + acts.contract.rjust(32, b"\0")
    )
    hashes = b"".join(_submission_hash(each) for each in acts.submissions)
    message = keccak(
        _type_hash("Submissions", SUBMISSIONS, ("Submission", SUBMISSION))
        + acts.registrar.rjust(32, b"\0")
        + _word(acts.deadline)
        + keccak(hashes)
    )
    return keccak(b"\x19\x01" + separator + message)


def _submission_hash(submission: Submission) -> bytes:
    from eth_hash.auto import keccak

    return keccak(
        _type_hash("Submission", SUBMISSION)
        + encode_code(submission.policy.authority)
        + submission.policy.number_hash
        + _word(submission.sequence)
        + _word(int(submission.action))
        + _word(submission.effective_word)
        + (submission.document or ZERO_DIGEST)
        + submission.manifest
    )


def _type_hash(
    name: str,
    fields: tuple[tuple[str, str], ...],
    *others: tuple[str, tuple[tuple[str, str], ...]],
) -> bytes:
    from eth_hash.auto import keccak

    text = "".join(
        f"{each}({','.join(f'{kind} {field}' for field, kind in given)})"
        for each, given in ((name, fields), *others)
    )
    return keccak(text.encode("ascii"))


def _word(value: int) -> bytes:
    return value.to_bytes(32, "big", signed=value < 0)
