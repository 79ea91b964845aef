"""Reading the registry's contract through a node.

Answers are what the node says, decoded strictly; whether to believe it is decided by
the services, which compare roots. Sends nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from registry.chain.abi import call_data, decode_result, is_registry_code
from registry.chain.addresses import checksummed, parse_address
from registry.chain.events import decode_logs
from registry.chain.refusals import refusal
from registry.chain.rpc import Call, RpcError, Transport
from registry.core.authority import encode_code
from registry.core.entry import NO_ENTRY
from registry.core.feed import Block, Checkpointed, Recorded
from registry.core.lifecycle import UNPUBLISHED, PolicyState, Status
from registry.core.merkle import EMPTY_ROOT
from registry.core.policy import PolicyKey
from registry.core.units import Address, BlockNumber, Digest, EntryIndex, UnixSeconds
from registry.core.verdict import FinalityBlocks
from registry.errors import Inconsistent, InputError


class Client:
    """The contract at `address` on the chain behind `transport`."""

    def __init__(self, transport: Transport, address: Address) -> None:
        self.transport = transport
        self.address = address
        self._to = "0x" + address.hex()

    def chain_id(self) -> int:
        return _quantity(self.transport.request("eth_chainId"))

    def require_contract(self) -> None:
        """Raise InputError unless our contract's code stands at the address."""
        code = bytes.fromhex(self.transport.request("eth_getCode", [self._to, "latest"])[2:])
        shown = checksummed(self.address)
        if not code:
            raise InputError(
                f"there is no contract at {shown} on this network",
                hint="check POLREG_CONTRACT and POLREG_RPC_URL, or run polreg deploy",
            )
        if not is_registry_code(code):
            raise InputError(
                f"the contract at {shown} is not this version of the policy registry",
                hint="check POLREG_CONTRACT",
            )

    def block(self, which: BlockNumber | str) -> Block | None:
        """The block with a number or a tag (`latest`, `safe`, `finalized`)."""
        at = which if isinstance(which, str) else hex(which)
        return _block(self.transport.request("eth_getBlockByNumber", [at, False]))

    def blocks(self, numbers: Sequence[BlockNumber]) -> list[Block | None]:
        """The blocks with these numbers, read in one batch; None for one that there is not."""
        calls = [("eth_getBlockByNumber", [hex(number), False]) for number in numbers]
        return [_block(_raised(answer)) for answer in self.transport.batch(calls)]

    def head(self) -> tuple[Block, FinalityBlocks]:
        """The latest block, and how far the chain is settled."""
        tags = ("latest", "safe", "finalized")
        answers = self.transport.batch([("eth_getBlockByNumber", [tag, False]) for tag in tags])
        latest = _block(_raised(answers[0]))
        if latest is None:
            raise Inconsistent("the node has no latest block")
        # A chain without these tags has settled nothing that it can show.
        settled = [
            _block(answer) if not isinstance(answer, RpcError) else None for answer in answers[1:]
        ]
        safe, finalized = (each.number if each else BlockNumber(-1) for each in settled)
        return latest, FinalityBlocks(safe, finalized)

    def events(self, first: BlockNumber, last: BlockNumber) -> list[Recorded | Checkpointed]:
        """The registry's events in blocks `first` to `last`, in order."""
        wanted = {
            "address": self._to,
            "fromBlock": hex(first),
            "toBlock": hex(last),
        }
        logs = self.transport.request("eth_getLogs", [wanted])
        if not isinstance(logs, list):
            raise Inconsistent("the node answered eth_getLogs with something else")
        return decode_logs(logs, self.address)

    def checkpoints_in(self, block_hash: bytes) -> list[Checkpointed]:
        """The checkpoints that were emitted in one block. Any node can tell, since logs are
        kept where state is not."""
        wanted = {"address": self._to, "blockHash": "0x" + block_hash.hex()}
        logs = self.transport.request("eth_getLogs", [wanted])
        if not isinstance(logs, list):
            raise Inconsistent("the node answered eth_getLogs with something else")
        events = decode_logs(logs, self.address)
        return [event for event in events if isinstance(event, Checkpointed)]

    def checkpoint(self, at: BlockNumber | str = "latest") -> tuple[int, Digest]:
        """The log's size and root, as the contract had them at a block; those of no entries
        at a block before the contract was there."""
        method, params = self._call("checkpoint", (), at)
        try:
            result = self.transport.request(method, params)
        except RpcError as error:
            raise refusal(error) from None
        if result == "0x":
            return 0, EMPTY_ROOT
        size, root = decode_result("checkpoint", result)
        return int(size), Digest(root)

    def policies(
        self, keys: Sequence[PolicyKey], at: BlockNumber | str = "latest"
    ) -> list[PolicyState]:
        """The contract's state of each policy, read in one batch."""
        calls = [
            self._call("policy", (encode_code(key.authority), key.number_hash), at) for key in keys
        ]
        return [
            _policy_state(decode_result("policy", _raised(answer))[0])
            for answer in self.transport.batch(calls)
        ]

    def policy(self, key: PolicyKey, at: BlockNumber | str = "latest") -> PolicyState:
        return self.policies([key], at)[0]

    def successor(self, at: BlockNumber | str = "latest") -> Address | None:
        """Where a closed log goes on (the zero address: nowhere); None while it is open."""
        if not self._read("retired", (), at)[0]:
            return None
        return parse_address(self._read("successor", (), at)[0])

    def open_authorities(self, codes: Sequence[str]) -> list[bool]:
        """Which of the authorities are open."""
        answers = self.transport.batch(
            [self._call("isOpen", (encode_code(code),)) for code in codes]
        )
        return [bool(decode_result("isOpen", _raised(answer))[0]) for answer in answers]

    def has_roles(self, roles: Sequence[bytes], account: Address) -> list[bool]:
        """Which of the roles (bytes32) the account holds."""
        answers = self.transport.batch([self._call("hasRole", (role, account)) for role in roles])
        return [bool(decode_result("hasRole", _raised(answer))[0]) for answer in answers]

    def _read(self, name: str, arguments: Sequence[Any], at: BlockNumber | str) -> tuple[Any, ...]:
        method, params = self._call(name, arguments, at)
        try:
            return decode_result(name, self.transport.request(method, params))
        except RpcError as error:
            raise refusal(error) from None

    def _call(self, name: str, arguments: Sequence[Any], at: BlockNumber | str = "latest") -> Call:
        block = at if isinstance(at, str) else hex(at)
        return "eth_call", [{"to": self._to, "data": call_data(name, arguments)}, block]


def _policy_state(words: tuple[int, int, int, int]) -> PolicyState:
    status, sequence, head, recorded_at = words
    if sequence == 0:
        return UNPUBLISHED
    if head == NO_ENTRY:
        raise Inconsistent("the node says that a published policy has no entry")
    return PolicyState(Status(status), sequence, EntryIndex(head), UnixSeconds(recorded_at))


def _block(answer: Any) -> Block | None:
    if answer is None:
        return None
    try:
        return Block(
            BlockNumber(_quantity(answer["number"])),
            bytes.fromhex(answer["hash"][2:]),
            bytes.fromhex(answer["parentHash"][2:]),
            UnixSeconds(_quantity(answer["timestamp"])),
        )
    except (KeyError, TypeError, ValueError):
        raise Inconsistent("the node sent a block that can not be read") from None


def _quantity(value: Any) -> int:
    try:
        return int(value, 16)
    except (TypeError, ValueError):
        raise Inconsistent("the node sent a number that can not be read") from None


def _raised(answer: Any) -> Any:
    if isinstance(answer, RpcError):
        raise refusal(answer)
    return answer
