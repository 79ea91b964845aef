"""Storage proofs: what the contract's storage held at a block, from the block's hash alone.

`prove` takes only bytes and trusts only the block hash; every failure is a ProofError
at step 3, 4 or 5 of `registry.core.receipt_check`. Which nodes lead where is decided
by their keccak-256, so that nodes too many, or in another order, change nothing.
`ask` gets such a proof from a node. Source: EIP-1186, Yellow Paper appendix D; the
tries are walked by py-trie.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from registry.chain.header import header_rlp
from registry.chain.rpc import RpcError, Transport
from registry.chain.slots import LOG_SLOT, LogState, log_slots, log_state, peak_slots, policy_slot
from registry.chain.slots import policy_state as read_policy_state
from registry.core.lifecycle import PolicyState
from registry.core.merkle import Frontier
from registry.core.policy import PolicyKey
from registry.core.receipt import BlockId, StateProof
from registry.core.receipt_check import ACCOUNT, HEADER, STORAGE, Trace
from registry.core.units import Address, BlockNumber, UnixSeconds
from registry.errors import CouldNotCheck, Inconsistent, ProofError

_HEADER_FIELDS = 15
_STATE_ROOT, _NUMBER, _TIME = 3, 8, 11


@dataclass(frozen=True, slots=True)
class ProvenState:
    """The contract's log and one policy, as of a block."""

    block: BlockNumber
    time: UnixSeconds
    log: LogState
    tree: Frontier
    policy: PolicyState


def prove(
    proof: StateProof, block: BlockId, contract: Address, key: PolicyKey, trace: Trace
) -> ProvenState:
    """What the proof shows of that block; raises ProofError at step 3 (header), 4 (account),
    5 (storage)."""
    state_root, number, time = _header(proof.header, block.hash)
    if number != block.number:
        raise ProofError(HEADER, f"the header is of block {number}, not {block.number}")
    trace.held(HEADER, f"the header of block {number} has the hash 0x{block.hash.hex()}")
    storage_root = _account(proof.account, state_root, contract)
    trace.held(ACCOUNT, "the contract's account is in that block's state")
    storage = _Trie(STORAGE, proof.storage, storage_root)
    log = log_state(_slot(storage, LOG_SLOT, "the log's size"))
    peaks = [_slot(storage, slot, "a peak").to_bytes(32, "big") for slot in peak_slots(log.size)]
    try:
        policy = read_policy_state(_slot(storage, policy_slot(key), "the policy"))
    except Inconsistent as error:
        raise ProofError(STORAGE, str(error)) from None
    trace.held(STORAGE, "the log's size and peaks and the policy's slot are in its storage")
    return ProvenState(number, time, log, Frontier(log.size, peaks), policy)


def ask(
    transport: Transport, contract: Address, block_hash: bytes, size: int, key: PolicyKey
) -> StateProof:
    """The proof for a log of `size` and a policy, from a node that has the block's state.

    Raises CouldNotCheck where the node has not, Inconsistent where its answer is none.
    """
    block = transport.request("eth_getBlockByHash", ["0x" + block_hash.hex(), False])
    if block is None:
        raise Inconsistent("the node does not know the block that the mirror stands at")
    header = header_rlp(block)
    slots = ["0x" + slot.hex() for slot in log_slots(size, key)]
    try:
        answer = transport.request("eth_getProof", ["0x" + contract.hex(), slots, block["number"]])
    except RpcError as error:
        raise CouldNotCheck(
            f"the node gives no storage proof: {error.message}",
            hint="it must know eth_getProof and still have the state of the latest blocks; "
            "leave out --chain-proof, or use another POLREG_RPC_URL",
        ) from None
    try:
        account = [_octets(node) for node in answer["accountProof"]]
        storage = [_octets(node) for each in answer["storageProof"] for node in each["proof"]]
    except (KeyError, TypeError, ValueError):
        raise Inconsistent("the node answered eth_getProof with something else") from None
    # Paths share their first nodes; each is needed once.
    return StateProof(header, tuple(account), tuple(dict.fromkeys(storage)))


def _header(header: bytes, block_hash: bytes) -> tuple[bytes, BlockNumber, UnixSeconds]:
    import rlp  # type: ignore[import-untyped]  # it has no stubs
    from eth_hash.auto import keccak

    if keccak(header) != block_hash:
        raise ProofError(
            HEADER, f"the header's hash is 0x{keccak(header).hex()}, not 0x{block_hash.hex()}"
        )
    try:
        fields = rlp.decode(header)
    except rlp.exceptions.RLPException as error:
        raise ProofError(HEADER, f"the header is not RLP ({error})") from None
    if not isinstance(fields, list) or len(fields) < _HEADER_FIELDS:
        raise ProofError(HEADER, "this is no block header")
    if not all(isinstance(each, bytes) for each in fields) or len(fields[_STATE_ROOT]) != 32:
        raise ProofError(HEADER, "this is no block header")
    number, time = (int.from_bytes(fields[at], "big") for at in (_NUMBER, _TIME))
    return fields[_STATE_ROOT], BlockNumber(number), UnixSeconds(time)


def _account(nodes: Sequence[bytes], state_root: bytes, contract: Address) -> bytes:
    """The root of the contract's storage."""
    import rlp

    account = _Trie(ACCOUNT, nodes, state_root).value(contract, "the contract")
    if not account:
        raise ProofError(ACCOUNT, f"there is no account 0x{contract.hex()} at this block")
    try:
        _nonce, _balance, storage_root, _code = rlp.decode(account)
    except (rlp.exceptions.RLPException, ValueError, TypeError):
        raise ProofError(ACCOUNT, "the account can not be read") from None
    if not isinstance(storage_root, bytes) or len(storage_root) != 32:
        raise ProofError(ACCOUNT, "the account has no storage root")
    return storage_root


class _Trie:
    """Values under a root, from the nodes that lead to them. Failures cite `step`."""

    def __init__(self, step: int, nodes: Iterable[bytes], root: bytes) -> None:
        from eth_hash.auto import keccak
        from trie.hexary import HexaryTrie

        self._step = step
        self._keccak = keccak
        self._trie = HexaryTrie({keccak(node): node for node in nodes}, root)

    def value(self, key: bytes, what: str) -> bytes:
        """What lies at keccak-256(key); empty where there is shown to be nothing."""
        from trie.exceptions import MissingTrieNode

        try:
            return bytes(self._trie[self._keccak(key)])
        except MissingTrieNode as missing:
            lacking = bytes(missing.missing_node_hash).hex()
            reason = f"the proof of {what} lacks the node 0x{lacking}"
        except Exception as error:
            # The nodes are a stranger's, and py-trie has no one error for what is none.
            reason = f"the proof of {what} can not be read ({type(error).__name__})"
        raise ProofError(self._step, reason)


def _slot(storage: _Trie, slot: bytes, what: str) -> int:
    import rlp

    found = storage.value(slot, what)
    if not found:
        return 0
    try:
        value = rlp.decode(found)
    except rlp.exceptions.RLPException:
        value = None
    if not isinstance(value, bytes) or not 0 < len(value) <= 32 or not value[0]:
        raise ProofError(STORAGE, f"the value of {what} can not be read")
    return int.from_bytes(value, "big")


def _octets(written: Any) -> bytes:
    if not isinstance(written, str) or not written.startswith("0x"):
        raise ValueError(written)
    return bytes.fromhex(written[2:])
