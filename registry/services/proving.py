"""Making receipts from the mirror, with a storage proof from the node where one is asked for.

A receipt is checked with the verifier's own steps before it is handed out: one that does
not hold leaves this module as an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from registry.chain.client import Client
from registry.chain.state_proof import ask
from registry.core.compromise import marks, report_of
from registry.core.digest import parse_digest
from registry.core.entry import Entry
from registry.core.merkle import leaf_hash, verify_inclusion
from registry.core.policy import PolicyKey
from registry.core.position import Position
from registry.core.receipt import (
    BlockId,
    Member,
    Receipt,
    ShownEntry,
    ShownReport,
    StateProof,
    as_text,
)
from registry.core.receipt_check import ShownPolicy, Trace, check_policy
from registry.core.units import BlockNumber, Day, Digest
from registry.core.verdict import Registration
from registry.errors import CouldNotCheck, Inconsistent, NotFound, NotVerified, ProofError
from registry.mirror.compromised import logged_report_entries
from registry.mirror.engine import Connection, Engine, reading
from registry.mirror.members import member_and_path
from registry.mirror.queries import block_of_entry, history, policies_with_prefix
from registry.mirror.store import entry_of
from registry.mirror.tiles import inclusion_path
from registry.services.hashing import hash_file
from registry.services.lookup import FoundPolicy, find_policy
from registry.services.receipts import Registry, check_against_block, check_against_node
from registry.services.verify import required_position, verify_digests


@dataclass(frozen=True, slots=True)
class Subject:
    """What a receipt is of: a policy, and where the document is a collection's member, which."""

    policy_id: Digest
    member: Registration | None = None


def subject_of(engine: Engine, words: Sequence[str], on: Day) -> Subject:
    """What is meant: a file's policy, a digest's, or the one that is named.

    Raises NotVerified where a file is not in the registry, NotFound where a name is not.
    """
    if len(words) == 1 and Path(words[0]).exists():
        return _subject_of_document(engine, hash_file(words[0]).sha256, words[0], on)
    try:
        return Subject(Digest(find_policy(engine, words, on).row.policy_id))
    except NotFound:
        if len(words) == 1 and len(words[0]) == 64:
            return _subject_of_document(engine, parse_digest(words[0]), words[0], on)
        raise


def subject_of_digest(engine: Engine, digest: Digest, on: Day) -> Subject:
    """What speaks for a document. Raises NotFound where there is none, CouldNotCheck where it
    may be in a collection whose members are not known here."""
    _, (verdict,) = verify_digests(engine, [digest], on)
    lead = verdict.leading
    if lead is not None:
        return Subject(lead.policy_id, lead if lead.collection else None)
    if verdict.unsearched:
        raise CouldNotCheck(
            f"the members of {verdict.unsearched} collections are not known here, and the document "
            f"with the SHA-256 {digest.hex()} may be one",
            hint="see polreg collection list, and import them",
        )
    raise NotFound(f"no document with the SHA-256 {digest.hex()} is in the registry")


def make_receipt(
    engine: Engine,
    policy_id: Digest,
    client: Client | None = None,
    member: Registration | None = None,
) -> Receipt:
    """The receipt of a policy's documents, or of a `member` of its collection; with a client it
    holds a storage proof of the block that the mirror stands at.

    Raises CouldNotCheck where the mirror or the node can not give one that holds.
    """
    with reading(engine) as connection:
        position = required_position(connection)
        receipt = _from_mirror(connection, position, policy_id)
        if member is not None:
            receipt = replace(receipt, member=_member(connection, member))
    if client is not None:
        receipt = _with_state(receipt, position, client)
    return _checked(receipt)


def prove_history(engine: Engine, found: FoundPolicy, client: Client, trace: Trace) -> ShownPolicy:
    """That the acts of `found` are all there are: from the head in the contract's storage
    along `previous` to the first, each with its path to the contract's root.

    Raises ProofError at the step that fails, CouldNotCheck where the mirror is behind.
    """
    receipt = make_receipt(engine, found.row.policy_id)
    registry = Registry(receipt.contract, receipt.chain_id)
    shown = check_against_node(receipt, client.transport, registry, trace)
    if shown.later or [entry_of(row) for row in found.entries] != shown.history.entries:
        raise Inconsistent(
            "acts were recorded on this policy meanwhile", hint="run the command again"
        )
    return shown


def _member(connection: Connection, found: Registration) -> Member | None:
    if found.collection is None:
        return None
    held = member_and_path(connection, found.collection.root, found.collection.index)
    if held is None:
        raise CouldNotCheck("the collection's members are not known here any more")
    manifest, path = held
    index, size = found.collection.index, found.collection.members
    try:
        verify_inclusion(leaf_hash(manifest), index, size, path, found.collection.root)
    except ProofError as error:
        raise Inconsistent(
            f"the mirror's own members do not have their root ({error})",
            hint="run polreg fsck --repair, and import the collection again",
        ) from None
    return Member(found.entry, manifest, index, size, tuple(path))


def _subject_of_document(engine: Engine, digest: Digest, called: str, on: Day) -> Subject:
    try:
        return subject_of_digest(engine, digest, on)
    except NotFound:
        raise NotVerified(
            f"{called} is not in the registry: there is nothing to give a receipt for",
            hint="look for it with polreg verify, or run polreg sync",
        ) from None


def _from_mirror(connection: Connection, position: Position, policy_id: Digest) -> Receipt:
    found = policies_with_prefix(connection, policy_id.hex())
    if not found:
        raise NotFound(f"the policy {policy_id.hex()} is not in the registry")
    last = _block_of(connection, position.size - 1)
    acts = history(connection, found[0].id)
    return Receipt(
        chain_id=position.chain_id,
        contract=position.contract,
        size=position.size,
        root=position.root,
        block=last,
        entries=tuple(_shown(connection, row, position.size) for row in acts),
        member=None,
        state=None,
        reports=_reports(connection, position.size, [entry_of(row) for row in acts]),
    )


def _reports(
    connection: Connection, size: int, entries: Sequence[Entry]
) -> tuple[ShownReport, ...]:
    """All reports of the log that mark one of the entries."""
    return tuple(
        ShownReport(each, each.encode(), tuple(inclusion_path(connection, each.index, size)))
        for each in logged_report_entries(connection, size)
        if marks([report_of(each)], entries)
    )


def _shown(connection: Connection, row: Any, size: int) -> ShownEntry:
    entry = entry_of(row)
    return ShownEntry(
        entry=entry,
        encoded=entry.encode(),
        manifest=as_text(row.content),
        path=tuple(inclusion_path(connection, entry.index, size)),
        block=_block_of(connection, entry.index),
        transaction=bytes(row.transaction),
    )


def _block_of(connection: Connection, index: int) -> BlockId:
    found = block_of_entry(connection, index)
    if found is None:
        raise CouldNotCheck(f"the mirror lacks the block of entry {index}", hint="run polreg fsck")
    return BlockId(BlockNumber(found[0]), found[1])


def _with_state(receipt: Receipt, position: Position, client: Client) -> Receipt:
    """The receipt against the block that the mirror stands at, checked as a stranger will."""
    key: PolicyKey = receipt.entries[0].entry.policy
    state: StateProof = ask(
        client.transport, position.contract, position.block_hash, position.size, key
    )
    block = BlockId(position.block, position.block_hash)
    anchored = replace(receipt, block=block, state=state)
    try:
        shown = check_against_block(anchored, block.hash, None, Trace())
    except ProofError as error:
        raise Inconsistent(
            f"the node's storage proof does not bear the mirror out ({error})",
            hint="run polreg sync, or polreg fsck",
        ) from None
    if shown.later:
        raise Inconsistent("the mirror lacks acts of this policy", hint="run polreg fsck")
    return anchored


def _checked(receipt: Receipt) -> Receipt:
    try:
        check_policy(receipt, None, Trace())
    except ProofError as error:
        raise Inconsistent(
            f"the mirror's own receipt does not hold ({error})", hint="run polreg fsck --repair"
        ) from None
    return receipt
