"""Which act may follow which: the table of the contract, written once for Python.

`check` says in words why the contract would refuse an act; `advance` follows an
entry that the contract did accept.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from registry.core.entry import Action, Entry
from registry.core.quick import quick
from registry.core.units import EntryIndex, UnixSeconds
from registry.errors import Inconsistent, Rejected


class Status(IntEnum):
    """A policy's status in the contract."""

    NONE = 0
    IN_FORCE = 1
    SUSPENDED = 2
    SUPERSEDED = 3
    REPEALED = 4
    WITHDRAWN = 5

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class PolicyState:
    """A policy's one storage slot."""

    status: Status
    sequence: int
    head: EntryIndex | None
    recorded_at: UnixSeconds


_state = quick(PolicyState)
UNPUBLISHED = PolicyState(Status.NONE, 0, None, UnixSeconds(0))

_ENDED = frozenset({Status.SUPERSEDED, Status.REPEALED, Status.WITHDRAWN})
_STANDING = frozenset({Status.IN_FORCE, Status.SUSPENDED})

TRANSITIONS: dict[Action, tuple[frozenset[Status], Status]] = {
    Action.PUBLISH: (frozenset({Status.NONE}), Status.IN_FORCE),
    Action.AMEND: (frozenset({Status.IN_FORCE}), Status.IN_FORCE),
    Action.CORRECT: (frozenset({Status.IN_FORCE}), Status.IN_FORCE),
    Action.SUSPEND: (frozenset({Status.IN_FORCE}), Status.SUSPENDED),
    Action.REINSTATE: (_ENDED | {Status.SUSPENDED}, Status.IN_FORCE),
    Action.SUPERSEDE: (_STANDING, Status.SUPERSEDED),
    Action.REPEAL: (_STANDING, Status.REPEALED),
    Action.WITHDRAW: (_STANDING, Status.WITHDRAWN),
}
"""For each action on a policy: the statuses it may start from, and the one it leads to."""


def check(state: PolicyState, action: Action, called: str) -> None:
    """Raise Rejected, in words, where the contract would refuse `action`."""
    allowed, _ = TRANSITIONS[action]
    if state.status in allowed:
        return
    if action is Action.PUBLISH:
        raise Rejected(
            f"{called} is already published (it is {_spoken(state.status)})",
            hint="a new version is an amendment, an erratum a correction: "
            "use amend or correct instead",
        )
    if state.status is Status.NONE:
        raise Rejected(
            f"{called} is not published, so there is nothing to {action.word}",
            hint="publish it first; check the authority and the number",
        )
    possible = sorted(a.word for a, (starts, _) in TRANSITIONS.items() if state.status in starts)
    raise Rejected(
        f"{called} is {_spoken(state.status)}, so it can not be the object of {action.word}",
        hint=f"what can follow is {', '.join(possible)}",
    )


def advance(state: PolicyState, entry: Entry) -> PolicyState:
    """The state after `entry`; raises Inconsistent where the contract can not have
    appended it to `state`."""
    if not entry.action.on_policy:
        raise Inconsistent(f"entry {entry.index} is no act on a policy")
    allowed, after = TRANSITIONS[entry.action]
    if state.head is not None and entry.index <= state.head:
        raise Inconsistent(f"entry {entry.index} comes after entry {state.head} of its policy")
    if state.status not in allowed:
        raise Inconsistent(
            f"entry {entry.index} does {entry.action.word} to a policy that is {state.status.word}"
        )
    if entry.sequence != state.sequence + 1 or entry.previous != state.head:
        raise Inconsistent(f"entry {entry.index} does not follow entry {state.head} of its policy")
    if entry.action.carries_document == (entry.document is None):
        raise Inconsistent(f"entry {entry.index} has the wrong document for {entry.action.word}")
    return _state(after, entry.sequence, entry.index, entry.recorded_at)


def _spoken(status: Status) -> str:
    return status.word.replace("_", " ")
