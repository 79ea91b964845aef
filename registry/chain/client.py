"""Reading the registry's contract through a node.

Answers are what the node says, decoded strictly; whether to believe it is decided by
the services, which compare roots. Sends nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from registry.chain.abi import (
    VALID_SIGNATURE,
    call_data,
    decode_result,
    is_registry_code,
    is_valid_signature_data,
)
from registry.chain.addresses import checksummed, parse_address
from registry.chain.events import decode_logs
from registry.chain.headers import Headers
from registry.chain.receipts_root import committed_logs
from registry.chain.refusals import refusal
from registry.chain.rpc import Call, RpcError, Transport
from registry.chain.signatures import decode_signature, recovered
from registry.core.authority import encode_code
from registry.core.entry import NO_ENTRY
from registry.core.feed import Block, Checkpointed, Recorded
from registry.core.following import Fault
from registry.core.lifecycle import UNPUBLISHED, PolicyState, Status
from registry.core.merkle import EMPTY_ROOT
from registry.core.policy import PolicyKey
from registry.core.units import Address, BlockNumber, Digest, EntryIndex, UnixSeconds
from registry.core.verdict import FinalityBlocks
from registry.errors import Inconsistent, InputError, Rejected, Unavailable

_PER_BATCH = 100
_WALLET_GAS = 1_000_000
"""What a wallet may take to look at a signature."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a node says of its chain, in one answer. `settled` are the blocks that it named safe
    and finalized, if it named any: a chain that changed within the answer has others there."""

    chain_id: int
    block: Block
    finality: FinalityBlocks
    settled: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What the contract itself says at a block: which chain and code it is, and its log."""

    chain_id: int
    is_registry: bool
    size: int
    root: Digest


class Client:
    """The contract at `address` on the chain behind `transport`.

    `confirmations`: where it is given, a block is final once this many follow it, and what
    the node calls safe or finalized is not looked at. `chain_id`: where it is given, a node on
    another chain is not read from. `check_headers`: whether a block's header is to have its hash.
    """

    def __init__(
        self,
        transport: Transport,
        address: Address,
        confirmations: int | None = None,
        *,
        chain_id: int | None = None,
        check_headers: bool = True,
    ) -> None:
        self.transport = transport
        self.address = address
        self._confirmations = confirmations
        self._chain_id = chain_id
        self._headers = Headers(checked=check_headers)
        self._to = "0x" + address.hex()

    def chain_id(self) -> int:
        return _quantity(self.transport.request("eth_chainId"))

    def require_contract(self) -> None:
        """Raise InputError unless our contract's code stands at the address."""
        code = _code(self.transport.request("eth_getCode", [self._to, "latest"]))
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
        return self._headers.read(self.transport.request("eth_getBlockByNumber", [at, False]))

    def blocks(self, numbers: Sequence[BlockNumber]) -> list[Block | None]:
        """The blocks with these numbers, read in one batch; None for one that there is not."""
        calls = [("eth_getBlockByNumber", [hex(number), False]) for number in numbers]
        return [self._headers.read(_raised(answer)) for answer in self.transport.batch(calls)]

    def headers(self, numbers: Sequence[BlockNumber]) -> dict[BlockNumber, Block]:
        """The headers of these blocks. Raises Inconsistent where the node lacks one."""
        found: dict[BlockNumber, Block] = {}
        for at in range(0, len(numbers), _PER_BATCH):
            some = numbers[at : at + _PER_BATCH]
            for number, block in zip(some, self.blocks(some), strict=True):
                if block is None or block.number != number:
                    raise Inconsistent(
                        f"the node has no block {number}, or shows another one for it",
                        hint="the node may be lagging: try again",
                        fault=Fault.STALE_HEAD,
                    )
                found[number] = block
        return found

    def head(self) -> Head:
        """The latest block, and how far the chain is settled. Raises Inconsistent where what
        is settled would lie after it."""
        tags = ("latest",) if self._confirmations is not None else ("latest", "safe", "finalized")
        calls: list[Call] = [("eth_getBlockByNumber", [tag, False]) for tag in tags]
        told, *answers = self.transport.batch([("eth_chainId", []), *calls])
        chain_id = self._expected(_quantity(_raised(told)))
        latest = self._headers.read(_raised(answers[0]))
        if latest is None:
            raise Inconsistent("the node has no latest block", fault=Fault.STALE_HEAD)
        named = tuple(
            None if isinstance(each, RpcError) else self._headers.read(each) for each in answers[1:]
        )
        if self._confirmations is not None:
            settled = BlockNumber(max(-1, latest.number - self._confirmations))
            finality = FinalityBlocks(settled, settled)
        else:
            # A chain without these tags has settled nothing that it can show.
            safe, finalized = (BlockNumber(-1) if each is None else each.number for each in named)
            finality = FinalityBlocks(BlockNumber(max(safe, finalized)), finalized)
        if finality.safe > latest.number:
            raise Inconsistent(
                f"the node calls block {finality.safe} settled, and its newest is {latest.number}",
                fault=Fault.STALE_HEAD,
            )
        return Head(chain_id, latest, finality, tuple(each for each in named if each))

    def _expected(self, chain_id: int) -> int:
        if self._chain_id not in (None, chain_id):
            raise Inconsistent(
                f"the node is on chain {chain_id}, the registry on {self._chain_id}",
                hint="check POLREG_RPC_URL",
                fault=Fault.WRONG_CHAIN,
            )
        return chain_id

    def events(self, first: BlockNumber, last: BlockNumber) -> list[Recorded | Checkpointed]:
        """The registry's events in blocks `first` to `last`, in order."""
        wanted = {
            "address": self._to,
            "fromBlock": hex(first),
            "toBlock": hex(last),
        }
        events = self._events(wanted)
        if any(not first <= event.place.block <= last for event in events[:1] + events[-1:]):
            raise Inconsistent(
                f"the node sent logs of other blocks than {first} to {last}",
                fault=Fault.INCONSISTENT_LOGS,
            )
        return events

    def confirm(self, at: BlockNumber, block_hash: bytes) -> Confirmed | None:
        """What the contract says of itself at a block; None where the node has not kept the
        state of that block. Raises Inconsistent where the node has another block there by now:
        the state that it was asked for by number, and all that was read before, may be of
        either."""
        answers = self.transport.batch(
            [
                ("eth_chainId", []),
                ("eth_getCode", [self._to, hex(at)]),
                self._call("checkpoint", (), at),
                # Last: a block that is still there was there when the others were answered.
                ("eth_getBlockByNumber", [hex(at), False]),
            ]
        )
        chain_id, code, checkpoint, shown = answers
        block = self._headers.read(_raised(shown))
        if block is None or block.hash != block_hash:
            raise Inconsistent(
                f"the node replaced block {at} while it was read",
                hint="trying again helps, unless the node is faulty",
                fault=Fault.UNLINKED_BLOCKS,
            )
        if isinstance(code, RpcError) or isinstance(checkpoint, RpcError):
            return None
        is_registry = is_registry_code(_code(code))
        if checkpoint == "0x":
            size, root = 0, EMPTY_ROOT
        else:
            size, root = decode_result("checkpoint", checkpoint)
        return Confirmed(_quantity(_raised(chain_id)), is_registry, int(size), Digest(root))

    def committed_events(self, block: Block) -> list[Recorded | Checkpointed] | None:
        """The registry's events in one block, as its header commits to them; None where that
        can not be told (`receipts_root`). Raises Inconsistent where the node contradicts it."""
        shown = self.transport.request("eth_getBlockByNumber", [hex(block.number), False])
        if not isinstance(shown, dict) or self._headers.read(shown) != block:
            raise Inconsistent(
                f"the node has another block {block.number} than a moment ago",
                fault=Fault.UNLINKED_BLOCKS,
            )
        if not self._headers.known:
            return None
        logs = committed_logs(shown, self._receipts(shown))
        if logs is None:
            return None
        ours = [log for log in logs if str(log["address"]).lower() == self._to]
        return decode_logs(ours, self.address)

    def _receipts(self, shown: dict[str, Any]) -> list[dict[str, Any]]:
        """The receipts of the block's transactions."""
        try:
            receipts = self.transport.request("eth_getBlockReceipts", [shown["number"]])
        except RpcError:
            # Not every node has this method.
            calls = [("eth_getTransactionReceipt", [each]) for each in shown["transactions"]]
            receipts = [_raised(answer) for answer in self.transport.batch(calls)]
        if not isinstance(receipts, list) or any(not isinstance(r, dict) for r in receipts):
            raise _unreadable("receipts")
        return receipts

    def checkpoints_in(self, block_hash: bytes) -> list[Checkpointed]:
        """The checkpoints that were emitted in one block. Any node can tell, since logs are
        kept where state is not."""
        wanted = {"address": self._to, "blockHash": "0x" + block_hash.hex()}
        return [event for event in self._events(wanted) if isinstance(event, Checkpointed)]

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

    def accepts_signature(self, account: Address, digest: bytes, signature: bytes) -> bool:
        """Whether the contract would take this as the account's signature: by recovery where
        there is no code at the account, else by asking that code (ERC-1271). Raises Unavailable
        where the node does not tell."""
        if self._asked_of_code("eth_getCode", ["0x" + account.hex(), "latest"]) == "0x":
            try:
                return recovered(digest, decode_signature(signature)) == account
            except Rejected:
                return False
        call = {
            "from": self._to,
            "to": "0x" + account.hex(),
            "data": is_valid_signature_data(digest, signature),
            "gas": hex(_WALLET_GAS),
        }
        return self._asked_of_code("eth_call", [call, "latest"]) == VALID_SIGNATURE

    def _asked_of_code(self, method: str, params: Sequence[Any]) -> str:
        """What the node answers; nothing where the code itself would not."""
        try:
            return str(self.transport.request(method, params))
        except RpcError as error:
            if method == "eth_call" and isinstance(refusal(error), Rejected):
                return ""
            raise Unavailable(str(error), fault=Fault.REFUSED) from None

    def _events(self, wanted: dict[str, str]) -> list[Recorded | Checkpointed]:
        logs = self.transport.request("eth_getLogs", [wanted])
        if not isinstance(logs, list):
            raise Inconsistent(
                "the node answered eth_getLogs with something else", fault=Fault.INCONSISTENT_LOGS
            )
        return decode_logs(logs, self.address)

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


def _code(written: Any) -> bytes:
    try:
        return bytes.fromhex(written[2:])
    except (TypeError, ValueError, LookupError):
        raise _unreadable("code") from None


def _quantity(value: Any) -> int:
    try:
        return int(value, 16)
    except (TypeError, ValueError):
        raise Inconsistent(
            "the node sent a number that can not be read", fault=Fault.MALFORMED
        ) from None


def _raised(answer: Any) -> Any:
    if isinstance(answer, RpcError):
        raise refusal(answer)
    return answer


def _unreadable(what: str) -> Inconsistent:
    return Inconsistent(f"the node sent {what} that can not be read", fault=Fault.MALFORMED)
