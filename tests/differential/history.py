"""A history: random transactions in their blocks, each with what the model says of it.

The same seed gives the same bytes everywhere: accounts, blocks' times, signed transactions.
Every transaction is to be mined, the refused ones too, so all have gas enough.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from tests.differential.accounts import NOBODY, Deployment, wallet_creation
from tests.differential.authority_acts import DAY, AuthorityActs
from tests.differential.cast import Cast
from tests.differential.endings import Call, opening, renunciation, retirement
from tests.differential.model import ADMIN_DELAY, AUTHORITIES, Transaction, apply, deploy
from tests.differential.policy_acts import PolicyActs
from tests.differential.state import Refused, State
from tests.differential.wire import Outcome, creation_code, encode_call

BEGINNING = 1_800_000_000
"""Time of the block with the contract; no node looks at a clock."""

ON_POLICIES = 0.8
NEW_BLOCK = 0.4
BLOCK_GAS = 24_000_000
ENDINGS = {"retired": retirement, "without an administrator": renunciation}


@dataclass(frozen=True)
class Step:
    """One transaction as it is sent, and what the model says it does.

    `size` and `root` are the log's after it. The first step creates the contract, the second
    the wallet: those have no `transaction`.
    """

    number: int
    time: int
    raw: bytes
    transaction: Transaction | None
    outcome: Outcome
    refused: Refused | None
    size: int
    root: bytes

    @property
    def acts(self) -> int:
        """How many entries it tries to append, but for what follows from them."""
        if self.transaction is None:
            return 0
        submissions = self.transaction.submissions
        if submissions is not None:
            return max(1, len(submissions))
        return 1 if self.transaction.function in AUTHORITIES else 0


@dataclass(frozen=True)
class History:
    seed: int
    deployment: Deployment
    people: list[bytes]
    steps: list[Step]
    final: State
    """The registry at its end."""

    @property
    def blocks(self) -> list[list[Step]]:
        blocks: dict[int, list[Step]] = {}
        for step in self.steps:
            blocks.setdefault(step.time, []).append(step)
        return list(blocks.values())

    @property
    def entries(self) -> list[bytes]:
        return [entry for step in self.steps for entry in step.outcome.entries]

    @property
    def acts(self) -> int:
        return sum(step.acts for step in self.steps)

    @property
    def refused_acts(self) -> int:
        return sum(step.acts for step in self.steps if step.refused)

    @property
    def errors(self) -> Counter[str]:
        return Counter(step.refused.error for step in self.steps if step.refused)

    @property
    def calls(self) -> Counter[tuple[str, bool]]:
        """How often each function was called, by whether it was refused."""
        return Counter(
            (step.transaction.function, step.refused is not None)
            for step in self.steps
            if step.transaction is not None
        )


class _Writer:
    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self.cast = Cast()
        self.time = BEGINNING
        self._gas = 0
        self.steps: list[Step] = []
        admin = self.cast.admins[0].address
        self.state, created = deploy(self.cast.deployment, admin, self.time)
        deployer = self.cast.deployer
        for code, outcome in (
            (creation_code(admin, ADMIN_DELAY), created),
            (wallet_creation(), Outcome(None, ())),
        ):
            self._write(deployer.transaction(b"", code, 10_000_000), None, outcome, None)
        self.next_block()

    def next_block(self, seconds: int | None = None) -> None:
        wait = self._rng.choice([1, 1, 12, 60, 3599, 3600, 3601])
        if self._rng.random() < 0.03:
            wait = self._rng.randint(1, 12) * DAY
        self.time += wait if seconds is None else seconds
        self._gas = 0

    def try_call(self, transaction: Transaction) -> bool:
        """Writes the transaction, unless it would leave the registry without administrator or
        history, which only its end may."""
        state, outcome, refused = apply(self.state, transaction)
        if state.admin == NOBODY or state.successor is not None:
            return False
        self._send(transaction, state, outcome, refused)
        return True

    def call(self, call: Call) -> None:
        sender, function, arguments = call
        transaction = Transaction(sender, self.time, function, arguments)
        self._send(transaction, *apply(self.state, transaction))

    def _send(
        self, transaction: Transaction, state: State, outcome: Outcome, refused: Refused | None
    ) -> None:
        data = encode_call(transaction.function, transaction.arguments)
        acts = len(transaction.submissions or []) + 2
        gas = 300_000 + 130_000 * acts + 45 * len(data)
        self._gas += gas
        sender = self.cast.by_address[transaction.sender]
        self.state = state
        raw = sender.transaction(self.cast.deployment.registry, data, gas)
        self._write(raw, transaction, outcome, refused)
        if self._gas > BLOCK_GAS / 2 or self._rng.random() < NEW_BLOCK:
            self.next_block()

    def _write(
        self, raw: bytes, transaction: Transaction | None, outcome: Outcome, refused: Refused | None
    ) -> None:
        frontier = self.state.frontier
        self.steps.append(
            Step(
                len(self.steps), self.time, raw, transaction, outcome, refused,
                frontier.size, frontier.root(),
            )
        )  # fmt: skip


def write_history(seed: int, acts: int, ending: str) -> History:
    """At least `acts` acts, and then the ending."""
    rng = Random(seed)
    writer = _Writer(rng)
    policies = PolicyActs(rng, writer.cast)
    authorities = AuthorityActs(rng, writer.cast)
    for call in opening(writer.cast):
        writer.call(call)
    count = 0
    while count < acts:
        if rng.random() < ON_POLICIES:
            made = policies.next(writer.state, writer.time)
        else:
            made = authorities.next(writer.state, writer.time)
        if writer.try_call(made):
            count += writer.steps[-1].acts
    _end(writer, ENDINGS[ending](writer.cast, writer.state.admin, writer.time))
    people = [each.address for each in writer.cast.people]
    return History(seed, writer.cast.deployment, people, writer.steps, writer.state)


def _end(writer: _Writer, calls: Iterable[Call]) -> None:
    for call in calls:
        writer.call(call)
        if call[1] == "renounceRole" or call[1] == "retire":
            # Past every schedule: what is refused from here on is not refused for haste.
            writer.next_block(30 * DAY)
