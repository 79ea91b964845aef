"""Small logs made the way the product makes them: drafts, submissions, entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from registry.core.calendar import parse_day
from registry.core.digest import sha256
from registry.core.draft import Draft, FileDescription
from registry.core.entry import Action, Entry
from registry.core.lifecycle import UNPUBLISHED, PolicyState, advance
from registry.core.policy import PolicyKey
from registry.core.snapshot import (
    Checkpoint,
    Filters,
    Logged,
    filtered_row,
    header,
    ndjson,
    policy_history,
)

_EVERYTHING = Filters()


def file_of(text: str, name: str = "a.txt") -> FileDescription:
    content = text.encode()
    return FileDescription(sha256(content), len(content), name)


def draft(action: Action, number: str, text: str | None = None, **more: Any) -> Draft:
    values: dict[str, Any] = {
        "action": action,
        "authority": "CN.GD",
        "number": number,
        "title": {"zh": f"关于{number}", "en": f"On {number}"},
        "document": None if text is None else file_of(text),
    }
    return Draft(**{**values, **more})


@dataclass
class Log:
    """A contract that only numbers entries: what it accepts is the lifecycle's table."""

    logged: list[Logged] = field(default_factory=list)
    states: dict[PolicyKey, PolicyState] = field(default_factory=dict)

    def record(self, act: Draft, *, digest_only: bool = False, at: int | None = None) -> Entry:
        state = self.states.get(act.key, UNPUBLISHED)
        submission = act.submission(state, digest_only=digest_only)
        entry = Entry(
            index=len(self.logged),
            previous=state.head,
            authority=submission.policy.authority,
            number=submission.policy.number_hash,
            sequence=submission.sequence,
            action=submission.action,
            effective_on=submission.effective_on,
            document=submission.document,
            manifest=submission.manifest,
            registrar=b"\7" * 20,
            recorded_at=1_700_000_000 + 12 * len(self.logged) if at is None else at,
        )
        self.states[act.key] = advance(state, entry)
        self.logged.append(Logged(entry, submission.content or None))
        return entry

    def of(self, key: PolicyKey) -> list[Logged]:
        return [each for each in self.logged if each.entry.policy == key]


CHECKPOINT = Checkpoint(
    chain="eip155:1",
    contract="eip155:1:0x0000000000000000000000000000000000000001",
    size=7,
    root=sha256(b"root"),
    block=100,
    block_hash=b"\2" * 32,
)


def example() -> Log:
    """Four policies whose acts are mixed: amended ahead, corrected, repealed, without words."""
    log = Log()
    dated = parse_day("2020-01-01")
    log.record(draft(Action.PUBLISH, "1", "one", issued=dated, type="notice"))
    log.record(draft(Action.PUBLISH, "2", "two", issued=dated))
    log.record(draft(Action.AMEND, "1", "one, amended", effective_from=parse_day("2030-01-01")))
    log.record(draft(Action.PUBLISH, "3", "three", issued=dated), digest_only=True)
    log.record(draft(Action.CORRECT, "2", "two, corrected", effective_from=dated))
    log.record(draft(Action.REPEAL, "2", effective_from=parse_day("2024-01-01")))
    odd = '\U0001f4dc \\ "4"'
    log.record(draft(Action.PUBLISH, odd, "four", title={"zh": "\u2028\t\ufeff政", "en": "</x>"}))
    return log


def rows_of(logged: Sequence[Logged], filters: Filters = _EVERYTHING) -> list[dict[str, Any]]:
    """The snapshot's rows, from the log alone."""
    policies: dict[bytes, list[Logged]] = {}
    for each in logged:
        policies.setdefault(each.entry.policy.policy_id, []).append(each)
    found = [filtered_row(policy_history(policies[each]), filters) for each in sorted(policies)]
    return [each for each in found if each is not None]


def snapshot_of(logged: list[Logged]) -> bytes:
    rows = rows_of(logged)
    return b"".join(ndjson(header(CHECKPOINT, Filters(), len(rows)), rows))
