"""A signer that another program is, asked over JSON-RPC: `eth_signTransaction` and
`eth_signTypedData_v4`, as Web3Signer and Clef speak them.

It keeps the key; here is only its address. Nothing it says is believed (`CheckedSigner`). What
is asked is never asked twice by itself: a person may be standing there to confirm it.
"""

from __future__ import annotations

from typing import Any

from registry.chain.addresses import checksummed
from registry.chain.rpc import HttpTransport, Limits, RpcError
from registry.core.signed_act import ActsToSign
from registry.core.units import Address
from registry.errors import InputError, Rejected, Unavailable

SILENCE_SECONDS = 15.0
"""How long it may say nothing. The database is held for as long as a signature takes."""

_QUANTITIES = ("nonce", "gas", "value", "gasPrice", "maxFeePerGas", "maxPriorityFeePerGas")


class RemoteSigner:
    """The account `address` of the signer at `url`."""

    def __init__(
        self, url: str, address: Address, *, silence_seconds: float = SILENCE_SECONDS
    ) -> None:
        self.address = address
        try:
            self._transport = HttpTransport(url, limits=Limits(silence_seconds))
        except InputError:
            raise InputError(
                "POLREG_SIGNER_URL is no http(s) URL", hint="such as http://127.0.0.1:9000"
            ) from None

    def __repr__(self) -> str:
        return f"RemoteSigner({checksummed(self.address)})"

    def sign_transaction(self, fields: dict[str, Any]) -> bytes:
        asked = {"from": checksummed(self.address)}
        for name, value in fields.items():
            asked[name] = hex(value) if name in {*_QUANTITIES, "chainId"} else value
        answer = self._asked("eth_signTransaction", [asked])
        # Geth and Clef give the transaction's fields beside its bytes, Web3Signer the bytes.
        return _bytes(answer.get("raw") if isinstance(answer, dict) else answer)

    def sign_typed_data(self, acts: ActsToSign) -> bytes:
        params = [checksummed(self.address), acts.typed_data()]
        return _bytes(self._asked("eth_signTypedData_v4", params))

    def _asked(self, method: str, params: list[Any]) -> Any:
        try:
            return self._transport.request(method, params)
        except RpcError as error:
            raise Rejected(
                f"the signer refused: {error.message}"[:300],
                hint="does it hold the key of POLREG_SIGNER_ACCOUNT, and was it confirmed there?",
            ) from None
        except Unavailable as error:
            raise Unavailable(
                f"the signer did not sign: {error}",
                hint="is it running, and is POLREG_SIGNER_URL right?",
                fault=error.fault,
            ) from None


def _bytes(answer: Any) -> bytes:
    try:
        return bytes.fromhex(answer.removeprefix("0x"))
    except (AttributeError, ValueError):
        raise Rejected(
            "what the signer gave back can not be read", hint="nothing was sent"
        ) from None
