"""The JavaScript verifier's side: what `replay.mjs` is given of a history, and what it must say.

It sees what was submitted and what was appended, so it can judge what a policy's own state
allows. Where a transaction is refused for another reason (a role, a signature, the manifest's
bytes), it must only not have found fault before that.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from registry.core.entry import Entry, decode_entry
from tests.differential.accounts import Submission
from tests.differential.comparison import difference
from tests.differential.history import History, Step
from tests.differential.model import OF_THE_LIFECYCLE
from tests.differential.wire import Outcome

SCRIPT = Path(__file__).with_name("replay.mjs")
SIDE = "the JavaScript verifier"
TIMEOUT_SECONDS = 300

# Refused after the policy itself had nothing against it.
_AFTER_THE_LIFECYCLE = {"ManifestTooLong", "ManifestMismatch"}

Job = dict[str, Any]


def answers_of(jobs: Iterable[Job]) -> list[Any]:
    """What the verifier says to each job, in one process. No Node.js is a failure."""
    lines = "".join(json.dumps(job) + "\n" for job in jobs)
    done = subprocess.run(
        ["node", str(SCRIPT)], input=lines, capture_output=True, text=True, check=False,
        timeout=TIMEOUT_SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def transactions(history: History, outcomes: Sequence[Outcome]) -> list[Job]:
    """Each transaction with the entries that a node says it appended."""
    return [
        {
            "kind": "transaction",
            "submissions": _submissions(step),
            "entries": [entry.hex() for entry in outcome.entries],
        }
        for step, outcome in zip(history.steps, outcomes, strict=True)
    ]


def require_replayed(history: History, answers: Sequence[Any]) -> None:
    """The verifier read every entry as the Python core does, came to the same size and root after
    every transaction, and refuses what its policy refuses. Raises Difference at the first."""
    assert len(answers) == len(history.steps)
    for step, answer in zip(history.steps, answers, strict=True):
        expected = {
            "entries": [_shown(decode_entry(entry)) for entry in step.outcome.entries],
            "size": str(step.size),
            "root": step.root.hex(),
        }
        if not isinstance(answer, dict):
            raise difference(SIDE, history, step, str(answer), str(expected))
        refused = answer.pop("refused")
        if answer != expected:
            raise difference(SIDE, history, step, str(answer), str(expected))
        if not _agrees(step, refused):
            refusal = step.refused and (step.refused.position, _words(step))
            raise difference(SIDE, history, step, str(refused), str(refusal))


def _agrees(step: Step, refused: Any) -> bool:
    """Whether the verifier's refusal is the model's, as far as it can know of it."""
    if step.refused is None or step.transaction is None or step.transaction.submissions is None:
        return refused is None
    position = step.refused.position
    if step.refused.error in OF_THE_LIFECYCLE:
        return bool(refused == {"position": position, "refusal": _words(step)})
    if refused is None:
        return True
    first = position + 1 if step.refused.error in _AFTER_THE_LIFECYCLE else position
    return bool(refused["position"] >= first)


def _words(step: Step) -> list[str]:
    """The refusal as the error's name and its arguments' words."""
    assert step.refused is not None
    data = step.refused.data[4:]
    words = [data[start : start + 32].hex() for start in range(0, len(data), 32)]
    return [step.refused.error, *words]


def _submissions(step: Step) -> list[list[str]] | None:
    given = step.transaction.submissions if step.transaction else None
    return None if given is None else [_in_words(each) for each in given]


def _in_words(submission: Submission) -> list[str]:
    return [
        each.hex() if isinstance(each, bytes) else f"{each % 2**256:064x}" for each in submission
    ]


def _shown(entry: Entry) -> list[Any]:
    """An entry's fields as `replay.mjs` shows them."""
    return [
        str(entry.index),
        None if entry.previous is None else str(entry.previous),
        entry.authority,
        entry.number.hex(),
        entry.sequence,
        int(entry.action),
        entry.effective_on,
        entry.document.hex() if entry.document else None,
        entry.manifest.hex() if entry.manifest else "0" * 64,
        entry.registrar.hex(),
        str(entry.recorded_at),
    ]
