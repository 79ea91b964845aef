"""Checking a receipt: from two files and a block hash, or from two files and a node.

With a block hash nothing is asked of anybody: the receipt must hold a storage proof
against it. With a node the node's word takes the place of what the receipt does not prove:
which blocks its chain has, what the contract logged there, and which entry is the
policy's latest now.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, replace
from pathlib import Path

from registry.chain.addresses import checksummed, parse_address
from registry.chain.client import Client
from registry.chain.nodes import open_nodes
from registry.chain.rpc import Transport
from registry.chain.state_proof import ProvenState, prove
from registry.config import Deployment, Settings, known_deployments
from registry.core.chain_id import caip2, caip10
from registry.core.lifecycle import PolicyState
from registry.core.receipt import MAX_SIZE, READ, Receipt, StateProof, read_receipt
from registry.core.receipt_check import (
    CHECKPOINT,
    CONTRACT,
    HEADER,
    Anchor,
    ShownPolicy,
    Trace,
    check_policy,
)
from registry.core.receipt_document import FileFacts, check_file
from registry.core.units import Address, BlockNumber, Day
from registry.core.verdict import Evidence, Finality, Verdict
from registry.errors import (
    CouldNotCheck,
    InputError,
    LocalFailure,
    ProofError,
    Rejected,
    Unavailable,
)
from registry.services.hashing import hash_file

_GIVE = "give the path of the file that polreg prove wrote"


@dataclass(frozen=True, slots=True)
class Registry:
    """The registry that a verifier means: on one chain, or wherever its address is."""

    contract: Address
    chain_id: int | None = None


def registry_of(deployment: Deployment | None) -> Registry | None:
    """The registry that was set up here."""
    if deployment is None:
        return None
    return Registry(parse_address(deployment.contract), deployment.chain_id)


def known_registry(receipt: Receipt, settings: Settings) -> Registry | None:
    """Which registry of the receipt's chain was set up here: the receipt's own if it is one of
    several, None where none was."""
    known = [registry_of(each) for each in known_deployments(settings)]
    here = [each for each in known if each and each.chain_id == receipt.chain_id]
    own = [each for each in here if each.contract == receipt.contract]
    return next(iter(own or here), None)


def parse_registry(text: str) -> Registry:
    """A contract's address, or its CAIP-10 name; raises InputError."""
    chain, _, address = text.rpartition(":")
    named = re.fullmatch(r"eip155:([0-9]{1,20})", chain)
    if chain and named is None:
        raise InputError(
            f"{text[:80]!r} names no contract", hint="write 0x…, or eip155:<chain id>:0x…"
        )
    return Registry(parse_address(address, "contract"), int(named[1]) if named else None)


def parse_block_hash(text: str) -> bytes:
    """A block's hash; raises InputError."""
    body = text.removeprefix("0x")
    if not re.fullmatch(r"[0-9a-fA-F]{64}", body):
        raise InputError(
            f"{text[:80]!r} is not a block hash", hint="it is 0x and 64 hexadecimal characters"
        )
    return bytes.fromhex(body)


@dataclass(frozen=True, slots=True)
class Latest:
    """What a node says of a policy now, and how settled it says the receipt's block is."""

    policy: PolicyState
    block: BlockNumber
    finality: Finality
    closed: str | None


def load_receipt(path: Path) -> Receipt:
    """The receipt in a file. Raises InputError where there is no file, ProofError at step 1
    where it is no receipt; never waits, and never reads more than a receipt can have."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                kind = "a folder" if stat.S_ISDIR(status.st_mode) else "no file"
                raise InputError(f"{path} is {kind}, and no receipt", hint=_GIVE)
            if status.st_size > MAX_SIZE:
                raise ProofError(
                    READ,
                    f"this is not a receipt: {path} has {status.st_size:,} bytes, a receipt at "
                    f"most {MAX_SIZE:,}",
                )
            with open(descriptor, "rb", closefd=False) as file:
                content = file.read(MAX_SIZE + 1)
        finally:
            os.close(descriptor)
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"there is no file {path}", hint=_GIVE) from None
    except ValueError:
        raise InputError(f"{str(path)!r} can not be a file's name") from None
    except OSError as error:
        raise LocalFailure(f"{path} can not be read: {error.strerror}") from None
    if not content:
        raise ProofError(READ, f"this is not a receipt: {path} is empty")
    return read_receipt(content)


MAX_CLAUSE_FILE = MAX_SIZE
"""Bytes: a clause that a receipt shows is in the receipt."""


def file_facts(path: Path, *, whole: bool = False) -> FileFacts:
    """What is compared of the file; if `whole`, its bytes with it, where they may be those of
    clauses. Raises as hash_file does."""
    hashed = hash_file(path)
    with path.open("rb") as file:
        content = file.read(MAX_CLAUSE_FILE if whole else 2)
    held = content if whole and hashed.size == len(content) else None
    return FileFacts(hashed.sha256, hashed.size, content[:2], held)


def check_document(shown: ShownPolicy, path: Path, on: Day, trace: Trace) -> Verdict:
    """The verdict for a file, from a receipt that was checked."""
    whole = shown.receipt.clause is not None
    return check_file(shown, file_facts(path, whole=whole), on, trace)


def check_against_block(
    receipt: Receipt, block_hash: bytes, meant: Registry | None, trace: Trace
) -> ShownPolicy:
    """Steps 1 to 10 against a block hash that the verifier trusts, without any network."""
    _read_and_named(receipt, meant, trace)
    if receipt.state is None:
        raise CouldNotCheck(
            "the receipt holds no storage proof, so a block hash can not vouch for it",
            hint="give --rpc with a node, or ask for a receipt made with --chain-proof",
        )
    return check_policy(receipt, _proven(receipt, receipt.state, block_hash, trace), trace)


def check_against_node(
    receipt: Receipt, transport: Transport, meant: Registry | None, trace: Trace
) -> ShownPolicy:
    """Steps 1 to 10 with a node that the verifier trusts."""
    client = Client(transport, receipt.contract)
    _read_and_named(receipt, meant, trace)
    _require_chain(receipt, client)
    told = client.head()
    head, settled = told.block, told.finality
    block = client.block(receipt.block.number)
    if block is None or receipt.block.number > head.number:
        # Before the contract is looked for: a node that is behind may not have it yet.
        raise CouldNotCheck(
            f"the node is at block {head.number} and does not have block {receipt.block.number}",
            hint="wait until it has caught up, or use another node; if the chain was "
            "reorganised, get a new receipt",
        )
    _require_contract(client)
    if block.hash != receipt.block.hash:
        raise ProofError(
            HEADER,
            f"block {block.number} of this chain is 0x{block.hash.hex()}, the receipt's is "
            f"0x{receipt.block.hash.hex()}: if the chain was reorganised, get a new receipt",
        )
    trace.held(HEADER, f"block {block.number} is this chain's, as the node says")
    now = _latest(receipt, client, head.number, settled.of(block.number))
    if receipt.state is None:
        return check_policy(receipt, _logged(receipt, client, now), trace)
    proven = _proven(receipt, receipt.state, block.hash, trace)
    anchor = replace(
        proven,
        evidence=Evidence.CHAIN,
        policy=now.policy,
        policy_block=now.block,
        finality=now.finality,
        closed=now.closed,
    )
    return check_policy(receipt, anchor, trace)


def _latest(receipt: Receipt, client: Client, head: BlockNumber, finality: Finality) -> Latest:
    """What the contract holds at the head. One block for all: a node's answers may come from
    several machines, of which some are behind."""
    key = receipt.entries[0].entry.policy
    try:
        policy, successor = client.policy(key, head), client.successor(head)
    except Rejected as error:
        raise Unavailable(f"the node can not say how the contract stands: {error}") from None
    closed = None if successor is None else checksummed(successor)
    return Latest(policy, head, finality, closed)


def check_against_url(
    receipt: Receipt, url: str, meant: Registry | None, trace: Trace
) -> ShownPolicy:
    """The same with the node at a URL."""
    transport = open_nodes([url])
    try:
        return check_against_node(receipt, transport, meant, trace)
    finally:
        transport.close()


def check_alone(receipt: Receipt, meant: Registry | None, trace: Trace) -> ShownPolicy:
    """The steps that need neither a block hash nor a node: that the receipt agrees with
    itself. Anybody can make such a receipt; no verdict follows from it."""
    _read_and_named(receipt, meant, trace)
    return check_policy(receipt, None, trace)


def _read_and_named(receipt: Receipt, meant: Registry | None, trace: Trace) -> None:
    count = len(receipt.entries)
    trace.held(READ, f"the receipt reads: {count} {'entry' if count == 1 else 'entries'}")
    named = caip10(receipt.chain_id, checksummed(receipt.contract))
    if meant is None:
        trace.held(CONTRACT, f"it is of {named}; compare this with the registry you mean")
        return
    wrong_chain = meant.chain_id is not None and meant.chain_id != receipt.chain_id
    if wrong_chain or meant.contract != receipt.contract:
        chain = receipt.chain_id if meant.chain_id is None else meant.chain_id
        raise ProofError(
            CONTRACT,
            f"the receipt is of {named}, not of {caip10(chain, checksummed(meant.contract))}",
            hint=f"if that registry is the one you mean, give --contract {named}",
        )
    trace.held(CONTRACT, f"it is of {named}, the registry that is meant")


def _require_chain(receipt: Receipt, client: Client) -> None:
    found = client.chain_id()
    if found != receipt.chain_id:
        raise CouldNotCheck(
            f"step {CONTRACT}: the receipt is of {caip2(receipt.chain_id)}, the node is on "
            f"{caip2(found)}: it can not say",
            hint="use a node of the receipt's chain",
        )


def _require_contract(client: Client) -> None:
    try:
        client.require_contract()
    except InputError as error:
        raise CouldNotCheck(
            f"step {CONTRACT}: {error}", hint="is this node on the network that is meant?"
        ) from None


def _proven(receipt: Receipt, state: StateProof, block_hash: bytes, trace: Trace) -> Anchor:
    if receipt.block.hash != block_hash:
        raise ProofError(
            HEADER,
            f"the receipt is of block {receipt.block.number} with the hash "
            f"0x{receipt.block.hash.hex()}, not 0x{block_hash.hex()}",
        )
    key = receipt.entries[0].entry.policy
    shown = prove(state, receipt.block, receipt.contract, key, trace)
    return Anchor(
        evidence=Evidence.RECEIPT,
        source=f"from the peaks in storage at block {shown.block}",
        size=shown.log.size,
        root=shown.tree.root(),
        policy=shown.policy,
        policy_block=shown.block,
        # Whoever trusts the block hash knows how settled it is; a hash does not say.
        finality=Finality.INCLUDED,
        closed=_successor(shown),
    )


def _successor(shown: ProvenState) -> str | None:
    return checksummed(shown.log.successor) if shown.log.retired else None


def _logged(receipt: Receipt, client: Client, now: Latest) -> Anchor:
    """The checkpoint that the contract emitted in the receipt's block."""
    emitted = client.checkpoints_in(receipt.block.hash)
    found = next((each for each in emitted if each.size == receipt.size), None)
    if found is None:
        raise ProofError(
            CHECKPOINT,
            f"the contract emitted no checkpoint of {receipt.size} entries in block "
            f"{receipt.block.number}",
        )
    return Anchor(
        evidence=Evidence.CHAIN,
        source=f"its checkpoint in block {receipt.block.number}, as the node says",
        size=found.size,
        root=found.root,
        policy=now.policy,
        policy_block=now.block,
        finality=now.finality,
        closed=now.closed,
    )
