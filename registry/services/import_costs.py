"""What an import costs: gas and the network's currency, so far or beforehand."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from registry.chain.client import Client
from registry.chain.costs import base_fees, price_now
from registry.chain.sender import MAX_TRANSACTION_GAS, record_fits
from registry.core.backlog import Planned
from registry.core.entry import Action
from registry.core.submission import Submission
from registry.core.text.clauses import PROFILE, TextRecord
from registry.core.units import Digest
from registry.mirror import outbox_costs as rows
from registry.mirror.engine import Engine, reading
from registry.services.importing import plans, submissions_of
from registry.services.outbox import Outbox
from registry.services.worklist import Worklist

# What recording takes (scripts/bench/gas.py), for an estimate before anything is sent.
_TRANSACTION_GAS = 95_000
_PUBLISH_GAS = 34_000
_AMEND_GAS = 17_000
_BYTE_GAS = 25
# As long as most: what a document says is not read for an estimate.
_SOME_TEXT = TextRecord(
    PROFILE,
    Digest(b"\xff" * 32),
    Digest(b"\xff" * 32),
    100,
    "policy-registry 0.0.0, python-docx 0.0.0",
)


class Spending:
    """What mined transactions paid for gas; each counts once, however often it is told of."""

    def __init__(self, engine: Engine, client: Client) -> None:
        self._engine, self._client = engine, client
        self._counted: set[int] = set()
        self.gas_used = 0
        self.paid = 0
        """Wei."""

    @property
    def transactions(self) -> int:
        return len(self._counted)

    def count(self, numbers: Collection[int]) -> None:
        """Count these, by their numbers in the outbox, of those that are in a block."""
        new = set(numbers) - self._counted
        if not new:
            return
        with reading(self._engine) as connection:
            used = rows.used_by(connection, new)
        base = base_fees(self._client.transport, sorted({each.block for each in used}))
        for each in used:
            owed, offered = base[each.block], each.fees
            price = offered.most if owed is None else min(offered.most, owed + offered.priority)
            self._counted.add(each.id)
            self.gas_used += each.gas
            self.paid += each.gas * price

    def count_acts(self, outbox: Outbox, within: tuple[int, int]) -> None:
        """Count what carried the account's acts numbered so."""
        with reading(self._engine) as connection:
            carriers = rows.used_for(connection, outbox.account, within)
        self.count(carriers)


@dataclass(slots=True)
class Estimate:
    """What an import would do. `price`: wei a unit of gas at the network's present price."""

    published: int = 0
    amended: int = 0
    transactions: int = 0
    gas: int = 0
    price: int = 0

    @property
    def cost(self) -> int:
        """Wei."""
        return self.gas * self.price


def estimate(
    worklist: Worklist, engine: Engine, client: Client, batch: int, *, text: bool = False
) -> Estimate:
    """What an import would do and about what it would cost; sends and stages nothing. With `text`
    each manifest is as long as one that says what its document says."""
    found = Estimate(price=price_now(client.transport))
    line: list[Submission] = []
    for made, known in plans(worklist, engine):
        if text:
            made.drafts[:] = [
                Planned(each.row, replace(each.draft, text=_SOME_TEXT)) for each in made.drafts
            ]
        for planned, submission in submissions_of(made, known, worklist):
            worklist.note_planned(planned.row.line)
            if len(line) == batch or not record_fits([*line, submission]):
                _count(found, line)
                line = []
            line.append(submission)
    _count(found, line)
    return found


def _count(found: Estimate, line: Sequence[Submission]) -> None:
    if not line:
        return
    amended = sum(each.action is Action.AMEND for each in line)
    published = len(line) - amended
    content = sum(len(each.content) for each in line)
    found.published += published
    found.amended += amended
    found.transactions += 1
    gas = _TRANSACTION_GAS + _PUBLISH_GAS * published + _AMEND_GAS * amended + _BYTE_GAS * content
    found.gas += min(gas, MAX_TRANSACTION_GAS)
