"""eth_call and eth_estimateGas: executing without mining.

Guarantees: nothing is written; a revert is an RpcError with code 3 that carries the
revert data; the answer is about exactly the block that was named.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eth.exceptions import OutOfGas, Revert, VMError
from eth.vm.spoof import SpoofTransaction
from eth_typing import Address
from eth_utils.exceptions import ValidationError

from registry.chain.embedded import admission, params
from registry.chain.embedded.evm import EmbeddedRules, Header, TransactionBuilder
from registry.chain.embedded.limits import BLOCK_GAS_LIMIT, CHAIN_ID, TRANSACTION_GAS_LIMIT
from registry.chain.rpc import RpcError

if TYPE_CHECKING:
    from eth.abc import ComputationAPI, StateAPI

REVERTED = 3
_ERROR_STRING = bytes.fromhex("08c379a0")  # Error(string)

# An estimate may be this much above the least gas that works, as geth's.
_ESTIMATE_TOLERANCE = 0.015
_CALL_STIPEND = 2_300


@dataclass(frozen=True, slots=True)
class Call:
    """A message to execute. Fees are wei per gas, 0 for a call that costs nothing."""

    sender: Address
    to: Address
    gas: int | None
    max_fee: int
    priority_fee: int
    value: int
    calldata: bytes
    access_list: tuple[tuple[Address, tuple[int, ...]], ...]

    @classmethod
    def parse(cls, raw: Any) -> Call:
        """The transaction object of eth_call. Keys that it does not define are ignored."""
        given = params.mapping(raw, "transaction")
        if given.get("gasPrice") is not None and given.get("maxFeePerGas") is not None:
            raise params.invalid(
                "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified"
            )
        price = _quantity(given, "gasPrice")
        max_fee = price if price is not None else _quantity(given, "maxFeePerGas") or 0
        priority_fee = price if price is not None else _quantity(given, "maxPriorityFeePerGas")
        return cls(
            sender=Address(_octets(given, "from", 20) or bytes(20)),
            to=Address(_octets(given, "to", 20) or b""),
            gas=_quantity(given, "gas"),
            max_fee=max_fee,
            priority_fee=min(priority_fee or 0, max_fee),
            value=_quantity(given, "value") or 0,
            calldata=_calldata(given),
            access_list=_access_list(given.get("accessList")),
        )


def call(rules: EmbeddedRules, header: Header, wanted: Call) -> bytes:
    """What `wanted` returns on the state after the block of `header`."""
    state = _state(rules, header, wanted)
    done = _execute(state, wanted, min(wanted.gas or BLOCK_GAS_LIMIT, BLOCK_GAS_LIMIT))
    _raise_fault(done)
    return bytes(done.output)


def estimate_gas(rules: EmbeddedRules, header: Header, wanted: Call) -> int:
    """Gas that suffices, at most 1.5 % above the least. Raises RpcError where none does."""
    state = _state(rules, header, wanted)
    most = min(wanted.gas or TRANSACTION_GAS_LIMIT, TRANSACTION_GAS_LIMIT)
    least = max(_intrinsic_gas(state, wanted), admission.floor_gas(wanted.calldata))
    if most < least:
        raise RpcError(-32000, f"gas required exceeds allowance ({most})")
    if least == 21_000 and not wanted.calldata and not state.get_code(wanted.to):
        most = least
    done = _execute(state, wanted, most)
    if isinstance(done.error if done.is_error else None, OutOfGas):
        raise RpcError(-32000, f"gas required exceeds allowance ({most})")
    _raise_fault(done)

    # Gas that is refunded or kept back from a call (63/64, EIP-150) must still be sent.
    used = most - done.get_gas_remaining()
    guess = (used + _CALL_STIPEND) * 64 // 63
    enough, short = most, max(least, used) - 1
    while short + 1 < enough and enough - short > enough * _ESTIMATE_TOLERANCE:
        middle = guess if short < guess < enough else (short + enough) // 2
        guess = 0
        if _execute(state, wanted, middle).is_error:
            short = middle
        else:
            enough = middle
    return enough


def _state(rules: EmbeddedRules, header: Header, wanted: Call) -> StateAPI:
    # A call that offers no fee must not fail for the base fee (geth's NoBaseFee).
    context = header if wanted.max_fee else header.copy(base_fee_per_gas=0)
    return rules.vm_at(context).state


def _execute(state: StateAPI, wanted: Call, gas: int) -> ComputationAPI:
    """One execution from the same state each time: it is undone at the end."""
    message = _spoofed(state, wanted, gas)
    needed, balance = gas * wanted.max_fee + wanted.value, state.get_balance(wanted.sender)
    if balance < needed:
        raise RpcError(
            -32000,
            f"insufficient funds for gas * price + value: address 0x{wanted.sender.hex()}"
            f" have {balance} want {needed}",
        )
    if gas < message.intrinsic_gas:
        raise RpcError(
            -32000,
            f"intrinsic gas too low: have {gas}, want {message.intrinsic_gas}",
        )
    snapshot = state.snapshot()
    try:
        # SpoofTransaction stands for a signed one by forwarding attributes.
        return state.apply_transaction(message)  # type: ignore[arg-type]
    except ValidationError as fault:
        raise RpcError(-32000, str(fault)) from None
    finally:
        state.revert(snapshot)


def _spoofed(state: StateAPI, wanted: Call, gas: int) -> SpoofTransaction:
    unsigned = TransactionBuilder.new_unsigned_dynamic_fee_transaction(
        chain_id=CHAIN_ID,
        nonce=state.get_nonce(wanted.sender),
        max_priority_fee_per_gas=wanted.priority_fee,
        max_fee_per_gas=wanted.max_fee,
        gas=gas,
        to=wanted.to,
        value=wanted.value,
        data=wanted.calldata,
        access_list=wanted.access_list,
    )
    return SpoofTransaction(unsigned, from_=wanted.sender)


def _intrinsic_gas(state: StateAPI, wanted: Call) -> int:
    return int(_spoofed(state, wanted, 0).intrinsic_gas)


def _raise_fault(done: ComputationAPI) -> None:
    if not done.is_error:
        return
    fault: VMError = done.error
    if isinstance(fault, Revert):
        returned = bytes(done.output)
        raise RpcError(REVERTED, _revert_message(returned), "0x" + returned.hex())
    if isinstance(fault, OutOfGas):
        raise RpcError(-32000, "out of gas")
    raise RpcError(-32000, str(fault) or type(fault).__name__)


def _revert_message(returned: bytes) -> str:
    """geth adds the reason where it is Solidity's Error(string)."""
    body = returned[4:]
    length = int.from_bytes(body[32:64], "big")
    if returned[:4] != _ERROR_STRING or length > len(body) - 64:
        return "execution reverted"
    try:
        return f"execution reverted: {body[64 : 64 + length].decode()}"
    except UnicodeDecodeError:
        return "execution reverted"


def _quantity(given: dict[str, Any], name: str) -> int | None:
    return None if given.get(name) is None else params.quantity(given[name], name)


def _octets(given: dict[str, Any], name: str, length: int | None = None) -> bytes | None:
    return None if given.get(name) is None else params.octets(given[name], name, length=length)


def _calldata(given: dict[str, Any]) -> bytes:
    old, new = _octets(given, "data"), _octets(given, "input")
    if old is not None and new is not None and old != new:
        raise params.invalid('both "data" and "input" are set and not equal; use "input"')
    return new if new is not None else old or b""


def _access_list(raw: Any) -> tuple[tuple[Address, tuple[int, ...]], ...]:
    if raw is None:
        return ()
    if not isinstance(raw, list):
        raise params.invalid("accessList is not a list")
    entries = [params.mapping(entry, "accessList's entry") for entry in raw]
    return tuple(
        (
            Address(params.octets(entry.get("address"), "address", length=20)),
            tuple(params.slot(key, "storageKeys") for key in entry.get("storageKeys") or ()),
        )
        for entry in entries
    )
