"""Signing an act where there is no network: with a key, a draft, and what a kit says.

Asks nobody but the signer. Whether the contract takes the act is known when it is relayed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from registry.chain.addresses import checksummed
from registry.chain.signatures import Signature, decode_signature, recovered
from registry.chain.signers import Signer
from registry.chain.typed_data import digest_of
from registry.core.draft import Draft
from registry.core.lifecycle import PolicyState
from registry.core.signed_act import ActsToSign, SignedAct
from registry.core.signing_kit import SigningKit
from registry.core.units import Address, UnixSeconds
from registry.errors import InputError, Rejected

_LENGTH = 65


@dataclass(frozen=True, slots=True)
class Signing:
    """Where an act is for, and until when its signature holds. `registrar` is the wallet in
    whose name the key signs, where that is not the key's own account."""

    chain_id: int
    contract: Address
    deadline: UnixSeconds
    registrar: Address | None = None


def completed_by(draft: Draft, kit: SigningKit) -> Draft:
    """The draft with title and type as they stand, where it gives none of its own."""
    known = kit.known(draft.key)
    if known is None:
        return draft
    return replace(
        draft,
        title=draft.title or known.title,
        type=draft.type or known.type,
        jurisdiction=draft.jurisdiction or known.jurisdiction,
        # A version keeps those of the one before, where none are named.
        issued_with=draft.issued_with
        or (known.issued_with if draft.action.carries_document else ()),
    )


def sign_act(
    draft: Draft,
    state: PolicyState,
    place: Signing,
    signer: Signer,
    *,
    digest_only: bool = False,
) -> SignedAct:
    """The act, signed. Raises InputError or Rejected where it can not be one."""
    submission = draft.submission(state, digest_only=digest_only)
    registrar = place.registrar or signer.address
    acts = ActsToSign(place.chain_id, place.contract, registrar, place.deadline, (submission,))
    return SignedAct(acts, signer.sign_typed_data(acts))


def countersigned(signed: SignedAct, signer: Signer) -> SignedAct:
    """The same with one more signature, for a wallet that asks for several of 65 bytes, in the
    order of their accounts. Raises InputError where this key signed already."""
    by_account = _by_account(signed)
    if signer.address in by_account:
        raise InputError(f"{checksummed(signer.address)} has signed this already")
    added = decode_signature(signer.sign_typed_data(signed.acts))
    every = {**by_account, signer.address: added}
    return replace(signed, signature=b"".join(every[each].encode() for each in sorted(every)))


def signers_of(signed: SignedAct) -> list[Address]:
    """The accounts whose signatures these are; none where it is not made of such."""
    try:
        return sorted(_by_account(signed))
    except (InputError, Rejected):
        return []


def _by_account(signed: SignedAct) -> Mapping[Address, Signature]:
    content, digest = signed.signature, digest_of(signed.acts)
    if len(content) % _LENGTH:
        raise InputError("the signature in the file is not one of accounts, or of several")
    found: dict[Address, Signature] = {}
    for at in range(0, len(content), _LENGTH):
        signature = decode_signature(content[at : at + _LENGTH])
        account = recovered(digest, signature)
        if account is None:
            raise InputError("a signature in the file is nobody's")
        found[account] = signature
    return found
