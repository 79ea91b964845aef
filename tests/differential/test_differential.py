"""The same random acts through the contract on Anvil and on eth-tester, through the Python
core, and through the JavaScript verifier: same entries, same roots, same refusals.

Anvil and eth-tester are each compared with the model (`model.py`) after every transaction,
byte for byte; the verifier replays what Anvil appended. Another seed, or more acts:

    POLREG_DIFFERENTIAL_SEED=7 POLREG_DIFFERENTIAL_ACTS=50000 pytest tests/differential

Not covered: malformed calldata, gas, reorganisations, and the refusals in UNREACHABLE.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest

from registry.chain.slots import LOG_SLOT, log_state, policy_slot, policy_state
from registry.core import merkle
from registry.core.authority import encode_code
from registry.core.command import ChainOfCommand
from registry.core.entry import Action, decode_entry
from registry.core.units import Address
from registry.errors import Inconsistent, ProofError
from tests.differential import views
from tests.differential.comparison import require_same
from tests.differential.history import History, write_history
from tests.differential.model import AUTHORITIES, RECORDING, SCHEDULING
from tests.differential.nodes import Anvil, EthTester, Node, anvil_after
from tests.differential.verifier import Job, answers_of, require_replayed, transactions
from tests.differential.wire import described

SEED = int(os.environ.get("POLREG_DIFFERENTIAL_SEED", "20261122"))
ACTS = int(os.environ.get("POLREG_DIFFERENTIAL_ACTS", "10000"))
PROOFS = 32
INCLUSIONS = 150

# One worker: mining the history takes most of the time, and the tests share it.
pytestmark = pytest.mark.xdist_group("differential")

UNREACHABLE = {
    "InvalidShortString": "of reading EIP-712's name and version, which are short and fixed",
    "StringTooLong": "of writing them, in the constructor",
    "SafeCastOverflowedUintDowncast": "of a block's time beyond 48 bits",
}
OF_PROOFS = {"IndexOutsideTree", "PathLengthMismatch", "RootMismatch", "SizeOutsideTree"}
"""Only reading functions give these: see the test of the contract's proofs."""


@pytest.fixture(scope="module")
def history() -> History:
    return write_history(SEED, ACTS, "retired")


@pytest.fixture(scope="module")
def anvil(history: History) -> Iterator[Anvil]:
    with anvil_after(history) as node:
        yield node


@pytest.fixture(scope="module")
def eth_tester(history: History) -> EthTester:
    return EthTester(history)


@pytest.fixture(params=["anvil", "eth_tester"])
def node(request: pytest.FixtureRequest) -> Node:
    chosen: Node = request.getfixturevalue(request.param)
    return chosen


def test_a_third_of_the_acts_is_refused_and_nothing_is_left_untried(history: History) -> None:
    assert history.acts >= ACTS
    assert 0.25 < history.refused_acts / history.acts < 0.45
    if ACTS < 10_000:
        pytest.skip("too few acts for each refusal to occur")
    assert set(history.errors) == set(described("error")) - set(UNREACHABLE) - OF_PROOFS
    calls = history.calls
    assert {name for name, _ in calls} == set(RECORDING | AUTHORITIES | SCHEDULING)
    writing = {
        name for name, item in described("function").items()
        if item["stateMutability"] == "nonpayable"
    }  # fmt: skip
    assert {name for name, _ in calls} == writing
    assert all(
        calls[name, refused] for name in RECORDING | AUTHORITIES for refused in (True, False)
    )


def test_every_transaction_does_what_the_model_says(history: History, node: Node) -> None:
    require_same(type(node).__name__, history, node.outcomes)


def test_both_nodes_hold_the_same_storage(anvil: Anvil, eth_tester: EthTester) -> None:
    assert anvil.storage_root() == eth_tester.storage_root()


def test_the_registry_answers_as_the_model_would(history: History, node: Node) -> None:
    expected = [
        *views.of_the_registry(history),
        *views.of_policies(history),
        *views.of_authorities(history),
    ]
    if isinstance(node, EthTester):
        # A hundred a second: what has the same storage gives the same answers.
        expected = expected[:20] + Random(SEED).sample(expected, 200)
    _require_answers(node, expected)


def test_the_contract_verifies_the_core_s_proofs_and_no_others(
    history: History, node: Node
) -> None:
    proofs, rng = views.Proofs.of(history), Random(SEED)
    count = PROOFS if isinstance(node, Anvil) else PROOFS // 8
    given = [made for _ in range(count) for made in proofs.of_inclusion(rng)]
    given += [made for _ in range(count) for made in proofs.of_consistency(rng)]
    _require_answers(node, given)


def test_the_javascript_verifier_comes_to_the_same_log(history: History, anvil: Anvil) -> None:
    answers = answers_of([*transactions(history, anvil.outcomes), *_storage(history, anvil)])
    require_replayed(history, answers[:-1])
    last, final = history.steps[-1], history.final
    assert final.successor is not None
    states = [
        [state.status, str(state.sequence), str(state.head), str(state.recorded_at)]
        for state in final.policies.values()
    ]
    assert answers[-1] == {
        "size": str(last.size),
        "root": last.root.hex(),
        "closed": "0x" + final.successor.hex(),
        "states": states,
    }


def test_the_python_reader_comes_to_the_same_states(history: History, anvil: Anvil) -> None:
    final = history.final
    words = anvil.storage([LOG_SLOT, *map(policy_slot, final.policies)])
    log, *policies = [int.from_bytes(word, "big") for word in words]
    read = log_state(log)
    assert (read.size, read.retired) == (history.steps[-1].size, True)
    assert read.successor == final.successor
    assert [policy_state(word) for word in policies] == list(final.policies.values())


def test_the_log_alone_says_that_whoever_acted_might(history: History) -> None:
    """And that a stranger might not have, but where the entry does not say to whom the
    administrator's role was offered."""
    command, stranger = ChainOfCommand(), Address(b"\x5a" * 20)
    for entry in map(decode_entry, history.entries):
        if entry.index and entry.action is not Action.DISMISS_ADMIN:
            with pytest.raises(Inconsistent, match="does not entitle"):
                command.follow(replace(entry, registrar=stranger))
        command.follow(entry)


def test_python_and_javascript_take_the_same_inclusion_proofs(history: History) -> None:
    """Random entries against random later checkpoints; each proof once as it is, once spoilt."""
    leaves = views.Proofs.of(history).leaves
    rng = Random(SEED)
    jobs: list[Job] = []
    for _ in range(INCLUSIONS):
        step = rng.choice(history.steps)
        index = rng.randrange(step.size)
        path = merkle.inclusion_path(leaves[: step.size], index)
        good = {
            "kind": "inclusion", "leaf": leaves[index].hex(), "index": index, "size": step.size,
            "path": [each.hex() for each in path], "root": step.root.hex(),
        }  # fmt: skip
        jobs += [good, _spoilt(good, rng)]
    answers = answers_of(jobs)
    assert answers == [_by_the_core(job) for job in jobs]
    assert answers[::2] == ["included"] * INCLUSIONS
    assert set(answers[1::2]) == {1, 2, 3, 4}


def _require_answers(node: Node, expected: list[views.Expected]) -> None:
    answers = node.read([call for call, _ in expected])
    for (call, wanted), answer in zip(expected, answers, strict=True):
        assert answer == wanted, f"{call} with seed {SEED}"


def _storage(history: History, anvil: Anvil) -> list[Job]:
    """The registry's storage as a receipt would give it to the verifier."""
    keys = [(encode_code(key.authority), key.number_hash) for key in history.final.policies]
    slots = [number.to_bytes(32, "big") for number in range(65)]
    slots += map(policy_slot, history.final.policies)
    words = zip(slots, anvil.storage(slots), strict=True)
    return [
        {
            "kind": "storage",
            "words": {slot.hex(): word.hex() for slot, word in words},
            "policies": [[authority.hex(), number.hex()] for authority, number in keys],
        }
    ]


def _spoilt(good: Job, rng: Random) -> Job:
    """The proof of something that is not so."""
    path, size = good["path"], good["size"]
    other = rng.randbytes(32).hex()
    spoils: list[Job] = [
        {"leaf": other}, {"root": other}, {"index": size}, {"leaf": other[:62]},
        {"path": [*path, other]}, {"path": path[1:] or [other]},
    ]  # fmt: skip
    if path:
        place = rng.randrange(len(path))
        spoils.append({"path": [*path[:place], other, *path[place + 1 :]]})
    return {**good, **rng.choice(spoils)}


def _by_the_core(job: Job) -> str | int:
    """The core's answer as `replay.mjs` writes it: the step that failed, if one did."""
    path = [bytes.fromhex(each) for each in job["path"]]
    leaf, root = bytes.fromhex(job["leaf"]), bytes.fromhex(job["root"])
    try:
        merkle.verify_inclusion(leaf, job["index"], job["size"], path, root)
    except ProofError as error:
        return error.step
    return "included"
