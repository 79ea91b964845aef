"""A registry on Anvil with many entries, for measurements.

Each entry publishes a policy with a manifest of the size that the corpus's manifests have.
Transactions are signed before they are sent, many in a request, one to a block.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

from measure import no_password

from registry.chain.abi import record_data
from registry.chain.addresses import checksummed
from registry.chain.rpc import RpcError
from registry.chain.sender import Sender, record_gas
from registry.core.digest import sha256
from registry.core.draft import Draft, FileDescription
from registry.core.entry import Action
from registry.core.lifecycle import UNPUBLISHED
from registry.core.submission import Submission
from registry.core.units import Day
from registry.services.authorities import open_authority
from registry.services.keys import signer_of
from registry.services.workspace import Workspace

AUTHORITY = "CN"
PER_TRANSACTION = 200
_PER_REQUEST = 6

ANVIL = ("--no-request-size-limit", "--gas-limit", "1000000000")
"""What Anvil is started with: its blocks never fill, so that fees do not rise."""

_PATIENCE_SECONDS = 60.0


class Registrar:
    """Publishes on Anvil's one development account, without waiting for each transaction."""

    def __init__(self, opened: Workspace) -> None:
        self._opened = opened
        self._signer = signer_of(opened.settings, no_password)
        sender = Sender(opened.transport, self._signer)
        open_authority(AUTHORITY, {}, None, opened.client, sender)
        account = "0x" + self._signer.address.hex()
        nonce = opened.transport.request("eth_getTransactionCount", [account, "pending"])
        self._nonce = int(nonce, 16)

    def publish(self, numbers: Sequence[int], per_transaction: int = PER_TRANSACTION) -> None:
        """Record the policies of these numbers; ends when all are mined."""
        per_request = per_transaction * _PER_REQUEST
        for start in range(0, len(numbers), per_request):
            some = numbers[start : start + per_request]
            self._await_mined(self.send(some, per_transaction))
            done = start + len(some)
            if len(numbers) > 1000:
                print(f"{done} of {len(numbers)} entries on Anvil", file=sys.stderr)

    def send(self, numbers: Sequence[int], per_transaction: int = PER_TRANSACTION) -> list[str]:
        """Send the policies of these numbers; the transactions' hashes."""
        acts = [submission(number) for number in numbers]
        parts = range(0, len(acts), per_transaction)
        raw = [self._signed(acts[at : at + per_transaction]) for at in parts]
        sends = [("eth_sendRawTransaction", ["0x" + each.hex()]) for each in raw]
        sent = self._opened.transport.batch(sends)
        refused = [each for each in sent if not isinstance(each, str)]
        if refused:
            raise SystemExit(f"Anvil refused a transaction of the filling: {refused[0]}")
        return sent

    def _await_mined(self, sent: Sequence[str]) -> None:
        waiting = [("eth_getTransactionReceipt", [each]) for each in sent]
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while None in (receipts := self._opened.transport.batch(waiting)):
            if time.monotonic() > deadline:
                raise SystemExit("Anvil does not mine the transactions of the filling")
            time.sleep(0.01)
        if any(isinstance(each, RpcError) or each["status"] != "0x1" for each in receipts):
            raise SystemExit("a transaction of the filling failed")

    def _signed(self, submissions: Sequence[Submission]) -> bytes:
        fields: dict[str, Any] = {
            "chainId": self._opened.deployment.chain_id,
            "nonce": self._nonce,
            "gas": record_gas(submissions),
            "value": 0,
            "data": record_data(submissions),
            "to": checksummed(self._opened.client.address),
            "maxPriorityFeePerGas": 1,
            "maxFeePerGas": 10**10,
        }
        self._nonce += 1
        return self._signer.sign_transaction(fields)


def submission(number: int) -> Submission:
    """The publication of policy `number`, its manifest of about 298 bytes."""
    document = FileDescription(sha256(str(number).encode()), 10_000)
    draft = Draft(
        action=Action.PUBLISH,
        authority=AUTHORITY,
        number=f"国发〔2026〕{number}号",
        title={"zh": f"第{number}号"},
        document=document,
        type="notice",
        issued=Day(20_000),
    )
    return draft.submission(UNPUBLISHED)
