"""Which raw transactions the chain takes, and the words it refuses the others with.

Guarantees: what passes both checks py-evm executes; whatever fails has changed
nothing. The order of the checks, the code (-32000) and the wording are geth's
(core/txpool/validation.go, core/state_transition.go), so that what a caller learns to
handle here is what it will meet on a real node. Unlike geth there is no waiting room:
a transaction whose nonce is too high is refused.
"""

from __future__ import annotations

from eth.abc import SignedTransactionAPI, StateAPI
from eth.exceptions import UnrecognizedTransactionType
from eth_utils.exceptions import ValidationError

from registry.chain.embedded.evm import MalformedRlp, TransactionBuilder
from registry.chain.embedded.limits import BLOCK_GAS_LIMIT, CHAIN_ID, TRANSACTION_GAS_LIMIT
from registry.chain.rpc import RpcError

REFUSED = -32000

_LARGEST_TRANSACTION = 128 * 1024  # bytes; what geth's pool takes
_LARGEST_INIT_CODE = 49_152  # EIP-3860
_TRANSACTION_GAS, _FLOOR_GAS_PER_TOKEN = 21_000, 10  # EIP-7623


def decode(raw: bytes) -> SignedTransactionAPI:
    """The transaction in `raw`, well-formed and within every fixed limit.

    Raises RpcError. Needs no state: see `check_state` for the rest.
    """
    if len(raw) > _LARGEST_TRANSACTION:
        raise _refused(f"oversized data: transaction size {len(raw)}, limit {_LARGEST_TRANSACTION}")
    if raw[:1] in (b"\x03", b"\x04"):
        raise _refused("transaction type not supported")
    try:
        sent = TransactionBuilder.decode(raw)
        whole = sent.encode() == raw
    except UnrecognizedTransactionType:
        raise _refused("transaction type not supported") from None
    except (MalformedRlp, ValidationError) as fault:
        raise _refused(f"rlp: {fault}"[:200]) from None
    if not whole:
        raise _refused("rlp: non-canonical encoding")
    _check_signature(sent)
    _check_limits(sent)
    return sent


def _check_signature(sent: SignedTransactionAPI) -> None:
    if sent.chain_id is None:
        raise _refused("only replay-protected (EIP-155) transactions allowed over RPC")
    if sent.chain_id != CHAIN_ID:
        raise _refused(f"invalid chain id for signer: have {sent.chain_id} want {CHAIN_ID}")
    try:
        _ = sent.sender  # recovered here, kept by the transaction
    except Exception:  # eth_keys raises its own errors here, besides ValidationError
        raise _refused("invalid sender: the signature is not valid") from None


def _check_limits(sent: SignedTransactionAPI) -> None:
    if not sent.to and len(sent.data) > _LARGEST_INIT_CODE:
        raise _refused(
            f"max initcode size exceeded: code size {len(sent.data)}, limit {_LARGEST_INIT_CODE}"
        )
    if sent.gas > TRANSACTION_GAS_LIMIT:
        raise _refused(
            "transaction gas limit too high"
            f" (cap: {min(TRANSACTION_GAS_LIMIT, BLOCK_GAS_LIMIT)}, tx: {sent.gas})"
        )
    if sent.max_priority_fee_per_gas > sent.max_fee_per_gas:
        raise _refused(
            "max priority fee per gas higher than max fee per gas: maxPriorityFeePerGas:"
            f" {sent.max_priority_fee_per_gas}, maxFeePerGas: {sent.max_fee_per_gas}"
        )
    if sent.gas < sent.intrinsic_gas:
        raise _refused(
            f"intrinsic gas too low: gas {sent.gas}, minimum needed {sent.intrinsic_gas}"
        )
    if sent.gas < (floor := floor_gas(sent.data)):
        raise _refused(
            f"insufficient gas for floor data gas cost: gas {sent.gas}, minimum needed {floor}"
        )
    try:
        sent.validate()
    except ValidationError as fault:
        raise _refused(str(fault)) from None


def floor_gas(calldata: bytes) -> int:
    """EIP-7623: the least a transaction with this calldata pays."""
    zeros = calldata.count(0)
    return _TRANSACTION_GAS + _FLOOR_GAS_PER_TOKEN * (zeros + 4 * (len(calldata) - zeros))


def check_nonce_unused(sent: SignedTransactionAPI, state: StateAPI) -> None:
    """The one refusal that no later block can lift."""
    nonce = state.get_nonce(sent.sender)
    if sent.nonce < nonce:
        raise _refused(f"nonce too low: next nonce {nonce}, tx nonce {sent.nonce}")


def check_state(sent: SignedTransactionAPI, state: StateAPI, base_fee: int) -> None:
    """Whether the sender may send this on `state`, in a block with `base_fee` (wei per gas)."""
    check_nonce_unused(sent, state)
    if sent.nonce > (nonce := state.get_nonce(sent.sender)):
        raise NonceTooHigh(
            REFUSED,
            f"nonce too high: address 0x{sent.sender.hex()}, tx: {sent.nonce} state: {nonce}",
        )
    if sent.max_fee_per_gas < base_fee:
        raise _refused(
            f"max fee per gas less than block base fee: address 0x{sent.sender.hex()},"
            f" maxFeePerGas: {sent.max_fee_per_gas}, baseFee: {base_fee}"
        )
    cost = sent.gas * sent.max_fee_per_gas + sent.value
    balance = state.get_balance(sent.sender)
    if balance < cost:
        raise _refused(
            f"insufficient funds for gas * price + value: balance {balance},"
            f" tx cost {cost}, overshot {cost - balance}"
        )


class NonceTooHigh(RpcError):
    """Refused only for now: an earlier transaction of the same sender is missing."""


def already_known() -> RpcError:
    """What a resend of a mined transaction gets; to its sender that is success."""
    return _refused("already known")


def _refused(message: str) -> RpcError:
    return RpcError(REFUSED, message)
