"""One account on a chain in memory, with the pool of a node in front of it, at the place of
`registry.chain.outgoing.Outgoing`.

It keeps the guarantees of that port, and fails as its node may: a sending that is taken and
forgotten, a reply that is lost, a process that is killed between any two questions, a node that
is some blocks behind. Calldata is its acts, 36 bytes each: policy_id and sequence.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import Enum
from types import SimpleNamespace
from typing import Any

from registry.chain.fees import Market, fees_of
from registry.chain.outgoing import Asked, Look, Sent, Taken
from registry.core.digest import sha256
from registry.core.outbox import Fees, Mined, Seen
from registry.core.submission import Submission
from registry.core.units import Address, BlockNumber
from registry.errors import Rejected

ACCOUNT, CONTRACT, OTHER = (Address(bytes([n]) * 20) for n in (7, 8, 9))
FINAL_AFTER = 8
Key = tuple[bytes, int]


class Killed(Exception):
    """The process is no more."""


class Fate(Enum):
    """What becomes of a sending."""

    TAKEN = "taken"
    FORGOTTEN = "said to be taken, and not"
    REPLY_LOST = "taken, and not said so"
    LOST = "not taken, and not said so"


@dataclass(frozen=True)
class Signed:
    """A transaction; `acts` are what it is to record."""

    hash: bytes
    nonce: int
    fees: Fees
    to: Address
    acts: tuple[Key, ...]


class Chain:
    """Blocks, the account's nonce and the log in each, and what waits to be mined."""

    def __init__(self) -> None:
        self.blocks: list[list[tuple[Signed, bool]]] = [[]]
        self.pool: dict[int, Signed] = {}
        self.finalized = 0
        self.salt = 0

    @property
    def head(self) -> int:
        return len(self.blocks) - 1

    def nonce(self, at: int | None = None) -> int:
        upto = self.blocks if at is None else self.blocks[: at + 1]
        return sum(map(len, upto))

    def recorded(self, at: int | None = None) -> list[Key]:
        upto = self.blocks if at is None else self.blocks[: at + 1]
        return [key for block in upto for each, good in block if good for key in each.acts]

    def would_take(self, acts: Sequence[Key], at: int | None = None) -> bool:
        sequences: dict[bytes, int] = {}
        for policy, sequence in [*self.recorded(at), *acts]:
            if sequence != sequences.get(policy, 0) + 1:
                return False
            sequences[policy] = sequence
        return True

    def take(self, signed: Signed) -> Taken:
        if signed.nonce < self.nonce():
            return Taken.NONCE_USED
        waiting = self.pool.get(signed.nonce)
        if waiting is not None and waiting.hash != signed.hash:
            enough = Fees(-(-waiting.fees.most * 11 // 10), -(-waiting.fees.priority * 11 // 10))
            if signed.fees.most < enough.most or signed.fees.priority < enough.priority:
                return Taken.UNDERPRICED
        self.pool[signed.nonce] = signed
        return Taken.ACCEPTED

    def mine(self, most: int = 4) -> None:
        self.blocks.append([])
        for _ in range(most):
            waiting = self.pool.pop(self.nonce(), None)
            if waiting is None:
                break
            good = self.would_take(waiting.acts)
            self.blocks[-1].append((waiting, good))
        self.finalized = max(self.finalized, self.head - FINAL_AFTER)
        for nonce in [each for each in self.pool if each < self.nonce()]:
            del self.pool[nonce]

    def reorganise(self, depth: int, kept: Callable[[], bool]) -> None:
        """Replace the last blocks by as many and one, of which the first has what was kept."""
        depth = min(depth, self.head - self.finalized)
        if depth < 1:
            return
        gone = [each for block in self.blocks[-depth:] for each, _ in block]
        del self.blocks[-depth:]
        self.salt += 1
        for each in gone:
            if kept():
                self.pool.setdefault(each.nonce, each)
        for _ in range(depth + 1):
            self.mine()

    def pending(self, at: int | None = None) -> int:
        nonce = self.nonce(at)
        while nonce in self.pool:
            nonce += 1
        return nonce


class Node:
    """A client and an `Outgoing` of one process."""

    def __init__(self, chain: Chain, signed: dict[bytes, Signed]) -> None:
        self._chain, self._signed = chain, signed
        self.address = CONTRACT
        self.account = ACCOUNT
        self.fate: Callable[[], Fate] = lambda: Fate.TAKEN
        self.alive_for: int | None = None
        self.lag = 0

    def _asked(self) -> None:
        if self.alive_for is not None:
            self.alive_for -= 1
            if self.alive_for < 0:
                raise Killed

    @property
    def _head(self) -> int:
        return max(0, self._chain.head - self.lag)

    def head(self) -> Any:
        self._asked()
        hash_ = sha256(f"{self._head} {self._chain.salt}".encode())
        block = SimpleNamespace(number=BlockNumber(self._head), hash=hash_)
        finalized = BlockNumber(min(self._chain.finalized, self._head))
        return SimpleNamespace(
            chain_id=1, block=block, finality=SimpleNamespace(finalized=finalized)
        )

    def look(self, asked: Sequence[Asked] = (), head: Any = None) -> Look:
        self._asked()
        at = int(head.block.number) if head else self._head
        mined: dict[bytes, Mined] = {}
        wanted = {each.hash for each in asked}
        for number, block in enumerate(self._chain.blocks[: at + 1]):
            for each, good in block:
                if each.hash in wanted:
                    mined[each.hash] = Mined(BlockNumber(number), good)
        market = Market(30_000_000, 10, 2, 12, 10**18)
        waiting = {each.hash for each in self._chain.pool.values()}
        pooled: Collection[bytes] = wanted & waiting
        seen = Seen(
            BlockNumber(at),
            BlockNumber(min(self._chain.finalized, at)),
            self._chain.nonce(at),
            mined,
            pooled,
            fees_of(market.offers),
        )
        receipts = {each: {"gasUsed": "0x1", "logs": []} for each in mined}
        pending = max(self._chain.nonce(at), self._chain.pending(at))
        return Look(1, seen, pending, market, receipts)

    def sign(
        self, to: Address, data: bytes, gas: int, nonce: int, fees: Fees, market: Market
    ) -> tuple[bytes, bytes]:
        assert gas <= market.block_gas_limit
        hash_ = sha256(repr((nonce, fees, to)).encode() + data)
        acts = tuple(
            (data[at : at + 32], int.from_bytes(data[at + 32 : at + 36], "big"))
            for at in range(0, len(data), 36)
        )
        self._signed[hash_] = Signed(hash_, nonce, fees, to, acts)
        return hash_, hash_

    def send(self, raw: bytes) -> Sent:
        self._asked()
        fate = self.fate()
        taken = Taken.ACCEPTED
        if fate in {Fate.TAKEN, Fate.REPLY_LOST}:
            taken = self._chain.take(self._signed[raw])
        self._asked()
        return Sent(Taken.UNKNOWN if fate in {Fate.REPLY_LOST, Fate.LOST} else taken, "")

    def simulate(self, to: Address, data: bytes, gas: int) -> None:
        self._asked()
        acts = [
            (data[at : at + 32], int.from_bytes(data[at + 32 : at + 36], "big"))
            for at in range(0, len(data), 36)
        ]
        if not self._chain.would_take(acts, self._head):
            raise Rejected("the contract would refuse it")


def calldata(submissions: Sequence[Submission]) -> bytes:
    return b"".join(
        each.policy.policy_id + each.sequence.to_bytes(4, "big") for each in submissions
    )
