"""What a revert means, in words that say what to do.

The contract's custom errors carry the offending values; this turns them into
Rejected with the authority's code, the dates and the roles spelled out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from registry.chain.abi import custom_errors
from registry.chain.addresses import checksummed
from registry.chain.rpc import RpcError
from registry.core.authority import Role, decode_code
from registry.core.closing import UNCONFIRMED, goes_on, is_nowhere
from registry.core.entry import Action
from registry.core.lifecycle import Status
from registry.core.units import Address
from registry.errors import InputError, PlaceTaken, RegistryError, Rejected

_Values = dict[str, Any]
_Words = tuple[str, str | None]


def refusal(error: RpcError) -> RegistryError:
    """The node's refusal in words; the RpcError itself where it is no revert of ours."""
    message = error.message.lower()
    # OpenEthereum writes the word before the bytes.
    data = (error.data or "").removeprefix("Reverted ")
    if len(data) >= 10:
        try:
            return _custom(bytes.fromhex(data[2:]))
        except ValueError:
            pass
    if _says(message, "insufficient funds", "insufficientfunds", "upfront cost exceeds"):
        return Rejected(
            "the account has not enough funds for gas",
            hint="send it some of the network's currency, or use another account",
        )
    if _says(message, "nonce too low", "nonce is too low", "oldnonce", "nonce_too_low"):
        return Rejected(
            "another transaction of this account came first", hint="run the command again"
        )
    if _says(
        message,
        "out of gas",
        "outofgas",
        "out-of-gas",
        "block gas limit",
        "gas required exceeds",
        "intrinsic gas",
        "gas limit exceeded",
        "gas limit is below",
    ):
        return Rejected(
            f"it takes more gas than the network has room for in one transaction ({error.message})",
            hint="record fewer acts at once, or put less into the manifest",
        )
    if "revert" in message:
        return Rejected("the contract refused without saying why")
    return error


def _says(message: str, *words: str) -> bool:
    """Whether the node says it in any of these words: no standard fixes them."""
    return any(each in message for each in words)


def _custom(data: bytes) -> Rejected:
    from eth_abi.abi import decode
    from eth_abi.exceptions import DecodingError

    known = custom_errors().get(data[:4])
    if known is None:
        return Rejected(f"the contract refused with an error not of this registry: 0x{data.hex()}")
    try:
        values = dict(zip(known.parameters, decode(known.types, data[4:]), strict=True))
    except DecodingError:
        return Rejected(f"the contract refused: {known.name}, with values that can not be read")
    words = _SPOKEN.get(known.name)
    if words is None:
        shown = ", ".join(f"{name} {_plain(value)}" for name, value in values.items())
        return Rejected(f"the contract refused: {known.name} ({shown})")
    message, hint = words(values)
    taken = known.name == "SequenceMismatch" and values["expected"] > values["given"]
    return (PlaceTaken if taken else Rejected)(message, hint=hint)


def role_in_words(role: bytes) -> str:
    """`the registrar of CN.GD`, from a role's bytes32."""
    if not any(role):
        return "the administrator of the contract"
    try:
        kind, code = Role(role[31]), decode_code(role[:31] + b"\0")
    except (ValueError, InputError):
        return f"the role 0x{role.hex()}"
    return f"a {kind.name.lower()} of {code}"


def _unauthorized(values: _Values) -> _Words:
    role, account = values["neededRole"], values["account"]
    code = role[:31].rstrip(b"\0").decode("ascii", "replace")
    hint = (
        "only the administrator's key can do this"
        if not any(role)
        else f"a controller of {code} or of its parent can appoint it: "
        f"polreg authority appoint {code} {_account(account)}"
    )
    return f"{_account(account)} is not {role_in_words(role)}", hint


def _sequence(values: _Values) -> _Words:
    return (
        f"another act of this policy came first: its next sequence is {values['expected']}, "
        f"this one says {values['given']}",
        "look at it with polreg history, then run the command again",
    )


def _transition(values: _Values) -> _Words:
    status = Status(values["status"]).word.replace("_", " ")
    return f"{Action(values['action']).word} is not possible: the policy is {status}", None


def _retired(values: _Values) -> _Words:
    successor = _account(values["successor"])
    hint = (
        "ask the authority where it publishes now"
        if is_nowhere(successor)
        else f"{UNCONFIRMED}; only then set POLREG_CONTRACT to it"
    )
    return goes_on(successor), hint


_SPOKEN: dict[str, Callable[[_Values], _Words]] = {
    "AccessControlUnauthorizedAccount": _unauthorized,
    "SequenceMismatch": _sequence,
    "InvalidTransition": _transition,
    "AuthorityNotOpen": lambda v: (
        f"the authority {_code(v['code'])} is not open",
        f"open it first: polreg authority open {_code(v['code'])}",
    ),
    "AuthorityAlreadyOpen": lambda v: (f"the authority {_code(v['code'])} is already open", None),
    "Retired": _retired,
    "CompromiseInFuture": lambda _: (
        "a key can not be reported compromised as of a time to come",
        None,
    ),
    "SignatureExpired": lambda _: ("the signature's deadline has passed", "sign again"),
    "SignatureInvalid": lambda v: (
        f"the signature is not {_account(v['registrar'])}'s over exactly these acts",
        None,
    ),
}


def _code(word: bytes) -> str:
    return word.rstrip(b"\0").decode("ascii", "replace")


def _account(value: str) -> str:
    return checksummed(Address(bytes.fromhex(value[2:])))


def _plain(value: Any) -> str:
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)
