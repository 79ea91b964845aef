"""Naming the first transaction on which a side and the model differ."""

from __future__ import annotations

from collections.abc import Sequence

from registry.core.entry import decode_entry
from tests.differential.history import History, Step
from tests.differential.wire import Outcome, spoken_log, spoken_revert


class Difference(AssertionError):
    """A side does something else than the model says."""


def require_same(side: str, history: History, outcomes: Sequence[Outcome]) -> None:
    """Every transaction reverted with the same data or gave the same events: the entries, the
    manifests, the roles and the checkpoints, byte for byte. Raises Difference naming the first
    one that did not."""
    if len(outcomes) != len(history.steps):
        raise Difference(
            f"{side} has {len(outcomes)} transactions of the {len(history.steps)} "
            f"of seed {history.seed}"
        )
    for step, outcome in zip(history.steps, outcomes, strict=True):
        if outcome != step.outcome:
            raise difference(side, history, step, spoken(outcome), spoken(step.outcome))


def difference(side: str, history: History, step: Step, found: str, expected: str) -> Difference:
    sent = step.transaction
    call = f"{sent.function} by 0x{sent.sender.hex()}" if sent else "the contract's creation"
    return Difference(
        f"seed {history.seed}, transaction {step.number} at {step.time} ({call}), the first that "
        f"differs\n--- the model:\n{expected}\n--- {side}:\n{found}\n--- arguments:\n"
        f"{sent.arguments if sent else ''}"
    )


def spoken(outcome: Outcome) -> str:
    """An outcome over several lines, its entries in words."""
    lines = [spoken_revert(outcome.revert), *map(spoken_log, outcome.logs)]
    for entry in outcome.entries:
        try:
            lines.append(f"entry: {decode_entry(entry)}")
        except Exception as fault:  # the message must come, whatever a side made of an entry
            lines.append(f"entry that can not be read ({fault}): {entry.hex()}")
    return "\n".join(lines)
