"""The differential test can fail: an altered rule, entry, refusal or root is noticed, and the
message names the transaction. Also a history that ends without an administrator, and the
model's EIP-712 digest against eth_account's and the contract's.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from eth_account.messages import encode_typed_data
from eth_hash.auto import keccak

from registry.core import lifecycle
from registry.core.entry import Action
from registry.core.lifecycle import Status
from tests.differential import roles
from tests.differential.accounts import CHAIN_ID, submissions_digest
from tests.differential.comparison import Difference, require_same
from tests.differential.history import History, Step, write_history
from tests.differential.model import OF_THE_LIFECYCLE, Disagreement
from tests.differential.nodes import EthTester, answered, anvil_after
from tests.differential.verifier import answers_of, require_replayed, transactions
from tests.differential.wire import Outcome

ACTS = 250


@pytest.fixture(scope="module")
def history() -> History:
    return write_history(7, ACTS, "without an administrator")


def outcomes_of(history: History) -> list[Outcome]:
    return [step.outcome for step in history.steps]


def a_recording(history: History, *, refused: bool) -> Step:
    return next(
        step
        for step in history.steps[20:]
        if step.transaction
        and step.transaction.function == "record"
        and (step.refused is not None) == refused
    )


def test_a_history_without_an_administrator_is_the_same_everywhere(history: History) -> None:
    assert not any(history.final.admin)
    with anvil_after(history) as anvil:
        require_same("Anvil", history, anvil.outcomes)
        tester = EthTester(history)
        require_same("eth-tester", history, tester.outcomes)
        assert anvil.storage_root() == tester.storage_root()
        require_replayed(history, answers_of(transactions(history, anvil.outcomes)))


def test_the_same_seed_gives_the_same_bytes(history: History) -> None:
    again = write_history(7, ACTS, "without an administrator")
    assert [step.raw for step in again.steps] == [step.raw for step in history.steps]
    other = write_history(8, ACTS, "without an administrator")
    assert [step.raw for step in other.steps] != [step.raw for step in history.steps]


def test_one_altered_transition_is_noticed_by_both_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a model where what is suspended can be amended."""
    starts = frozenset({Status.IN_FORCE, Status.SUSPENDED})
    monkeypatch.setitem(lifecycle.TRANSITIONS, Action.AMEND, (starts, Status.IN_FORCE))
    altered = write_history(7, 4 * ACTS, "retired")
    with anvil_after(altered) as anvil, pytest.raises(Difference) as noticed:
        require_same("Anvil", altered, anvil.outcomes)
    named = re.match(r"seed 7, transaction \d+ ", str(noticed.value))
    assert named is not None
    assert "--- Anvil:\nrefused: InvalidTransition(" in str(noticed.value)
    with pytest.raises(Difference, match=named[0]):
        require_replayed(altered, answers_of(transactions(altered, outcomes_of(altered))))


def test_one_altered_rule_of_roles_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a model where revoking a role leaves no entry."""
    monkeypatch.setattr(roles, "take", lambda state, sender, role, account: None)
    altered = write_history(7, ACTS, "retired")
    with anvil_after(altered) as anvil, pytest.raises(Difference, match=r"seed 7, transaction"):
        require_same("Anvil", altered, anvil.outcomes)


def test_a_core_that_contradicts_its_own_table_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    advance = lifecycle.advance
    monkeypatch.setattr(
        lifecycle, "advance", lambda state, entry: advance(state, replace(entry, document=None))
    )
    with pytest.raises(Disagreement, match=r"advance\(\)"):
        write_history(7, ACTS, "retired")


def test_one_altered_byte_of_an_entry_is_noticed(history: History) -> None:
    step = a_recording(history, refused=False)
    recorded = step.outcome.logs[0]
    for place in range(len(recorded.data)):
        data = bytearray(recorded.data)
        data[place] ^= 1
        logs = (replace(recorded, data=bytes(data)), *step.outcome.logs[1:])
        _require_noticed(history, step, Outcome(None, logs), "a node")
    answers = answers_of(
        transactions(history, _with(history, step, Outcome(None, logs)))[: step.number + 1]
    )
    with pytest.raises(Difference, match=rf"seed 7, transaction {step.number} "):
        require_replayed(_until(history, step), answers)


def test_one_altered_byte_of_a_refusal_is_noticed(history: History) -> None:
    step = a_recording(history, refused=True)
    revert = step.outcome.revert
    assert revert is not None
    for changed in (b"", None, revert[:-1], revert + b"\0", bytes([revert[0] ^ 1]) + revert[1:]):
        _require_noticed(history, step, Outcome(changed, ()), "a node")


def test_one_altered_root_is_noticed(history: History) -> None:
    step = a_recording(history, refused=False)
    *logs, checkpoint = step.outcome.logs
    bent = replace(checkpoint, data=checkpoint.data[:-1] + bytes([checkpoint.data[-1] ^ 1]))
    _require_noticed(history, step, Outcome(None, (*logs, bent)), "a node")
    answers = answers_of(transactions(history, outcomes_of(history)))
    assert answers[step.number]["root"] == step.root.hex()
    answers[step.number]["root"] = bytes(32).hex()
    with pytest.raises(Difference, match=rf"seed 7, transaction {step.number} "):
        require_replayed(history, answers)


@pytest.mark.parametrize("change", ["none", "position", "error", "argument"])
def test_one_altered_refusal_of_the_verifier_is_noticed(history: History, change: str) -> None:
    answers = answers_of(transactions(history, outcomes_of(history)))
    number = next(
        step.number
        for step in history.steps
        if answers[step.number]["refused"]
        and step.refused
        and step.refused.error in OF_THE_LIFECYCLE
    )
    refused = answers[number]["refused"]
    if change == "none":
        answers[number]["refused"] = None
    elif change == "position":
        refused["position"] += 1
    else:
        refused["refusal"][0 if change == "error" else -1] = "another"
    with pytest.raises(Difference, match=rf"seed 7, transaction {number} "):
        require_replayed(history, answers)


def test_a_missing_transaction_is_noticed(history: History) -> None:
    with pytest.raises(Difference, match="transactions of the"):
        require_same("a node", history, outcomes_of(history)[:-1])


def test_the_digest_that_is_signed_is_eip_712_s(history: History) -> None:
    """By the model, by eth_account, and by the contract."""
    step = next(
        step
        for step in history.steps
        if step.transaction
        and step.transaction.function == "recordBySignature"
        and len(step.transaction.arguments[0]) > 1
    )
    assert step.transaction is not None
    given, _, registrar, deadline, _ = step.transaction.arguments
    digest = submissions_digest(history.deployment.registry, given, registrar, deadline)
    names = ["authority", "number", "sequence", "action", "effectiveOn", "document", "manifest"]
    types = ["bytes32", "bytes32", "uint32", "uint8", "int32", "bytes32", "bytes32"]
    made = encode_typed_data(
        {
            "name": "PolicyRegistry",
            "version": "1",
            "chainId": CHAIN_ID,
            "verifyingContract": "0x" + history.deployment.registry.hex(),
        },
        {
            "Submission": [{"name": n, "type": t} for n, t in zip(names, types, strict=True)],
            "Submissions": [
                {"name": "registrar", "type": "address"},
                {"name": "deadline", "type": "uint64"},
                {"name": "submissions", "type": "Submission[]"},
            ],
        },
        {
            "registrar": "0x" + registrar.hex(),
            "deadline": deadline,
            "submissions": [dict(zip(names, each, strict=True)) for each in given],
        },
    )
    assert keccak(b"\x19\x01" + made.header + made.body) == digest
    with anvil_after(replace(history, steps=history.steps[:2])) as anvil:
        (said,) = anvil.read([("digestOf", (given, registrar, deadline))])
    assert said == answered(digest)


def _require_noticed(history: History, step: Step, changed: Outcome, side: str) -> None:
    with pytest.raises(Difference, match=rf"seed 7, transaction {step.number} "):
        require_same(side, history, _with(history, step, changed))


def _with(history: History, step: Step, changed: Outcome) -> list[Outcome]:
    outcomes = outcomes_of(history)
    outcomes[step.number] = changed
    return outcomes


def _until(history: History, step: Step) -> History:
    return replace(history, steps=history.steps[: step.number + 1])
