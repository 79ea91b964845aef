"""Who may do what: every act on the contract is tried as every kind of caller, and the table in
docs/security.md is what came of it.

    PYTHONPATH=. python tests/contract/test_access_matrix.py        writes the table anew
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode

from registry.chain.abi import artifact, functions
from registry.chain.rpc import HttpTransport, RpcError
from tests.anvil import ROOT, running_anvil
from tests.contract.access_acts import ACTS, Act
from tests.contract.access_world import CALLERS, DELAY, World, build, done
from tests.contract.anvil_registry import (
    Outcome,
    Registry,
    account,
    address,
    mutating_functions,
    pass_time,
)

PAGE = ROOT / "docs" / "security.md"
BEGIN = (
    "<!-- access matrix: PYTHONPATH=. python tests/contract/test_access_matrix.py writes it -->\n"
)
END = "<!-- end of the access matrix -->\n"
USUAL = "AccessControlUnauthorizedAccount"

# One process tries everything, once.
pytestmark = pytest.mark.xdist_group("access matrix")

Row = dict[str, Outcome]
"""What came of one act, by caller."""


@dataclass(frozen=True)
class Trials:
    """What came of every act, by its words: in an open registry, and after `retire`."""

    open: dict[str, Row]
    closed: dict[str, Row]


def run(transport: HttpTransport) -> tuple[World, Trials]:
    """Try everything: before the delay of the transfer has passed, after it, and closed."""
    world = build(transport)
    tried = _tried(world, early=True)
    pass_time(transport, DELAY + 1)
    tried |= _tried(world, early=False)
    done(world.registry, "admin", "retire", address("somebody"))
    return world, Trials(tried, _tried(world, early=True) | _tried(world, early=False))


def _tried(world: World, *, early: bool) -> dict[str, Row]:
    return {
        act.words: {caller: _alike(world, act, caller) for caller in CALLERS}
        for acts in ACTS.values()
        for act in acts
        if act.early is early
    }


def _alike(world: World, act: Act, caller: str) -> Outcome:
    """The one outcome of all the calls by which an act is tried."""
    calls = act.calls(world, caller)
    selector = "0x" + functions()[act.function].selector.hex()
    assert all(data.startswith(selector) for data in calls)
    found = world.registry.tries(account(caller).address, calls)
    assert len({(each.error, each.changed) for each in found}) == 1, (act.words, caller, found)
    return found[0]


class Table:
    """The matrix as Markdown; the errors other than the usual one are numbered as they come."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def of(self, rows: dict[str, Row], wanted: Iterator[tuple[str, list[Act]]]) -> str:
        lines = [
            "| act | function | " + " | ".join(CALLERS) + " |",
            "|---" * (len(CALLERS) + 2) + "|",
        ]
        for group, acts in wanted:
            lines.append(f"| **{group}** |" + " |" * (len(CALLERS) + 1))
            for act in acts:
                cells = [self._cell(each) for each in rows[act.words].values()]
                lines.append(f"| {act.words} | `{act.function}` | " + " | ".join(cells) + " |")
        return "\n".join(lines) + "\n"

    def _cell(self, outcome: Outcome) -> str:
        if outcome.error is None:
            return "**yes**" if outcome.changed else "–"
        if outcome.error == USUAL:
            return "no"
        return f"no ({self._numbers.setdefault(outcome.error, len(self._numbers) + 1)})"

    def legend(self) -> str:
        listed = "; ".join(f"({number}) `{error}`" for error, number in self._numbers.items())
        return (
            f"**yes**: the contract takes it. no: it refuses, with `{USUAL}`. –: it takes the "
            "call, and nothing changes, since there is nothing to give up. Other refusals: "
            f"{listed}.\n"
        )


def rendered(trials: Trials) -> str:
    """Everything between the two markers."""
    table = Table()
    whole = table.of(trials.open, iter(ACTS.items()))
    left = {
        group: [act for act in acts if any(_changes(trials.closed[act.words]))]
        for group, acts in ACTS.items()
    }
    still = table.of(trials.closed, ((group, acts) for group, acts in left.items() if acts))
    callers = "\n".join(f"- *{name}*: {words}" for name, words in CALLERS.items())
    return (
        f"{callers}\n\n{whole}\n{table.legend()}\n"
        "After `retire` the same calls were tried again. What anybody can still do, none of it in "
        f"the log:\n\n{still}"
    )


def _changes(row: Row) -> Iterator[bool]:
    return (each.error is None and each.changed for each in row.values())


def shown() -> str:
    """What the page has between the markers."""
    return PAGE.read_text("utf-8").partition(BEGIN)[2].partition(END)[0]


@pytest.fixture(scope="module")
def tried() -> Iterator[tuple[World, Trials]]:
    with running_anvil() as url:
        yield run(HttpTransport(url))


def test_every_function_that_changes_anything_is_tried() -> None:
    assert {act.function for acts in ACTS.values() for act in acts} == mutating_functions()


def test_the_page_shows_what_the_contract_did(tried: tuple[World, Trials]) -> None:
    assert shown() == rendered(tried[1]), (
        f"run PYTHONPATH=. python {Path(__file__).relative_to(ROOT)}"
    )


def test_after_retire_nothing_is_appended_by_anybody(tried: tuple[World, Trials]) -> None:
    for words, row in tried[1].closed.items():
        assert not any(each.entries for each in row.values()), words


def test_what_changes_in_the_open_registry_but_for_plans_is_in_the_log(
    tried: tuple[World, Trials],
) -> None:
    """Only a transfer that is begun or called off, and a change of its delay, leave no entry."""
    plans = {"beginDefaultAdminTransfer", "cancelDefaultAdminTransfer"}
    plans |= {"changeDefaultAdminDelay", "rollbackDefaultAdminDelay"}
    for act in (act for acts in ACTS.values() for act in acts):
        for outcome in tried[1].open[act.words].values():
            assert bool(outcome.entries) is (outcome.changed and act.function not in plans)


def test_reads_answer_everybody_alike(tried: tuple[World, Trials]) -> None:
    registry = tried[0].registry
    reads = [item for item in artifact()["abi"] if item.get("stateMutability") in {"view", "pure"}]
    assert len(reads) > 20
    for item in reads:
        answers = {str(_answer(registry, item["name"], caller)) for caller in ("admin", "anyone")}
        assert len(answers) == 1, item["name"]


def _answer(registry: Registry, name: str, caller: str) -> Any:
    """What a read answers to a caller, or how it is refused, with zeros for arguments."""
    function = functions()[name]
    data = function.selector + encode(function.inputs, [_zero(kind) for kind in function.inputs])
    asked = {"from": account(caller).address, "to": registry.contract, "data": "0x" + data.hex()}
    try:
        return registry.transport.request("eth_call", [asked, "latest"])
    except RpcError as error:
        return error.data


def _zero(kind: str) -> Any:
    if kind.endswith("[]"):
        return []
    if kind.startswith("("):
        return tuple(_zero(each) for each in kind[1:-1].split(","))
    if kind.startswith("bytes"):
        return bytes(int(kind.removeprefix("bytes") or 0))
    return bytes(20) if kind == "address" else 0


def test_nobody_can_send_it_money() -> None:
    payable = [item for item in artifact()["abi"] if item.get("stateMutability") == "payable"]
    assert payable == []
    assert not [item for item in artifact()["abi"] if item["type"] in {"receive", "fallback"}]


def write() -> None:
    """Put the table that came of it into the page."""
    with running_anvil() as url:
        made = rendered(run(HttpTransport(url))[1])
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(before + BEGIN + made + END + after, encoding="utf-8")


if __name__ == "__main__":
    write()
