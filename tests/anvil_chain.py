"""Anvil under a test's control: nothing is mined but when it says so, at times that it says.

`AnvilChain` does to Anvil what `simulated_chain.Chain` does to a chain in memory, and knows as
that one does what was true at every block there ever was: `observe` reads it from the node.
The same acts at the same times give the same blocks on another Anvil.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any

from registry.chain.abi import call_data, deployment_code, record_data
from registry.chain.addresses import parse_address
from registry.chain.client import Client
from registry.chain.rpc import HttpTransport
from registry.core.authority import Role, encode_code, role_id
from registry.core.digest import ZERO_DIGEST, sha256
from registry.core.entry import Action
from registry.core.feed import Recorded
from registry.core.merkle import root
from registry.core.units import BlockNumber, Digest
from tests.simulated_acts import random_transaction
from tests.simulated_contract import AUTHORITY, Act, Contract, account

GENESIS_TIME = 1_700_000_000
CONTROLLED = ("--no-mining", "--timestamp", str(GENESIS_TIME))
"""What to start Anvil with."""

ARGUMENTS = (*CONTROLLED, "--slots-in-an-epoch", "8")
"""The same, and a block is safe when 8 follow it, and final when 16 do."""

# Fixed, so that the same call is the same transaction in whatever block.
_GAS = {"gas": hex(8_000_000), "maxFeePerGas": hex(10**10), "maxPriorityFeePerGas": "0x0"}
_SECONDS_PER_BLOCK = 12
_DELAY = 2 * 86_400


@dataclass(frozen=True)
class Seen:
    """A block that the node had, and the whole log up to it."""

    number: int
    parent: bytes
    time: int
    recorded: tuple[Recorded, ...]

    @cached_property
    def contract(self) -> Contract:
        # The first entry is the administrator's own, who does everything here.
        return Contract.of(self.recorded, self.recorded[0].entry.registrar)

    @property
    def root(self) -> Digest:
        return root([event.leaf for event in self.recorded])


class AnvilChain:
    """A node with the registry's contract, of which the first of its accounts is everything."""

    def __init__(self, url: str) -> None:
        self.url, self.transport = url, HttpTransport(url)
        self.officer = self.transport.request("eth_accounts")[0]
        self.time = GENESIS_TIME
        self.known: dict[bytes, Seen] = {}
        (receipt,) = self._mined([(None, "0x" + self._creation().hex())])
        self.client = Client(self.transport, parse_address(receipt["contractAddress"]))
        for code in ("CN", AUTHORITY):
            self._mined([(self._contract, _opened(code, self.officer))])
            role = role_id(code, Role.REGISTRAR)
            self._mined([(self._contract, call_data("grantRole", (role, self.officer)))])
        self.observe()

    def _creation(self) -> bytes:
        return deployment_code(parse_address(self.officer), _DELAY)

    @property
    def _contract(self) -> str:
        return "0x" + self.client.address.hex()

    @property
    def head(self) -> Seen:
        """The newest block, as it was last observed."""
        return self.known[self._head]

    def mine(self, *acts: Sequence[Act]) -> None:
        """One block with a transaction for each group of acts on policies, and for each other
        act. What the contract refuses by now is in it too, and did nothing."""
        calls = [call for group in acts for call in _calls(group)]
        self._mined([(self._contract, data) for data in calls])
        self.observe()

    def mine_at_random(self, random: Random) -> None:
        """A block with up to two transactions that the contract takes."""
        contract = self.head.contract
        self.mine(
            *(random_transaction(contract, random).acts for _ in range(random.choice((0, 1, 1, 2))))
        )

    def mine_empty(self, blocks: int) -> None:
        if blocks:
            self.transport.request("anvil_mine", [hex(blocks), hex(_SECONDS_PER_BLOCK)])
            self.observe()

    def rollback(self, depth: int) -> None:
        """Take the last blocks off. The next ones are at other times, and so others."""
        self.transport.request("anvil_rollback", [depth])
        self.observe()
        self.time += 1

    def replace(self, depth: int, random: Random, blocks_with_acts: int = 100) -> None:
        """A reorganisation: other blocks in place of the last `depth`, and one more. Most of
        the first `blocks_with_acts` have acts."""
        self.rollback(depth)
        for _ in range(min(depth + 1, blocks_with_acts)):
            self.mine_at_random(random)
        self.mine_empty(depth + 1 - blocks_with_acts if depth >= blocks_with_acts else 0)

    def observe(self) -> None:
        """Read the blocks that are new since the last time."""
        new: list[Any] = []
        which = "latest"
        while True:
            block = self.transport.request("eth_getBlockByNumber", [which, False])
            if bytes.fromhex(block["hash"][2:]) in self.known:
                break
            new.append(block)
            if int(block["number"], 16) == 0:
                break
            which = hex(int(block["number"], 16) - 1)
        self._head = bytes.fromhex((new[0] if new else block)["hash"][2:])
        self.time = max(self.time, int((new[0] if new else block)["timestamp"], 16))
        for block in reversed(new):
            parent = bytes.fromhex(block["parentHash"][2:])
            number = BlockNumber(int(block["number"], 16))
            before = self.known[parent].recorded if number else ()
            events = self.client.events(number, number) if block["transactions"] else []
            added = tuple(each for each in events if isinstance(each, Recorded))
            found = Seen(number, parent, int(block["timestamp"], 16), before + added)
            self.known[bytes.fromhex(block["hash"][2:])] = found
        # After some hundred blocks that came and went, Anvil loses the state of its head.
        assert self.client.checkpoint() == (len(self.head.recorded), self.head.root), (
            "start Anvil anew"
        )

    def _mined(self, calls: Sequence[tuple[str | None, str]]) -> list[Any]:
        nonce = int(self.transport.request("eth_getTransactionCount", [self.officer, "latest"]), 16)
        sent = [
            {"from": self.officer, "nonce": hex(number), "data": data, **_GAS}
            | ({} if to is None else {"to": to})
            for number, (to, data) in enumerate(calls, nonce)
        ]
        self.time += _SECONDS_PER_BLOCK
        *hashes, _, _ = self.transport.batch(
            [
                *(("eth_sendTransaction", [each]) for each in sent),
                ("evm_setNextBlockTimestamp", [self.time]),
                ("evm_mine", []),
            ]
        )
        return self.transport.batch([("eth_getTransactionReceipt", [each]) for each in hashes])


def _calls(acts: Sequence[Act]) -> list[str]:
    on_policies = [act.submission() for act in acts if act.action.on_policy]
    others = [_call(act) for act in acts if not act.action.on_policy]
    return ([record_data(on_policies)] if on_policies else []) + others


def _call(act: Act) -> str:
    subject, content = account(act.subject), act.content or b""
    registrar = role_id(act.authority, Role.REGISTRAR)
    controller = role_id(act.authority, Role.CONTROLLER)
    match act.action:
        case Action.APPOINT_REGISTRAR:
            return call_data("grantRole", (registrar, subject))
        case Action.APPOINT_CONTROLLER:
            return call_data("grantRole", (controller, subject))
        case Action.DISMISS_REGISTRAR:
            return call_data("revokeRole", (registrar, subject))
        case Action.DISMISS_CONTROLLER:
            return call_data("revokeRole", (controller, subject))
        case Action.REPORT_COMPROMISE:
            return call_data("reportCompromised", (registrar, subject, GENESIS_TIME))
        case Action.SET_PROFILE:
            given = content if act.with_manifest else b""
            return call_data("setProfile", (encode_code(act.authority), sha256(content), given))
        case Action.OPEN_AUTHORITY:
            return _opened(act.authority, "0x" + subject.hex())
        case _:
            raise ValueError(f"no call for {act.action}")


def _opened(code: str, controller: str) -> str:
    return call_data("openAuthority", (encode_code(code), controller, ZERO_DIGEST, b""))
