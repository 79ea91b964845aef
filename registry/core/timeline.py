"""A policy's standing over time: which version applies on which date, and how.

Time is bitemporal. The caller decides what was known (which acts it passes); this
module turns those acts, in log order, into intervals of dates.

Rules. A version (Publish, Amend) applies from its date until a later-recorded
version's date. A Publish without a date applies from the beginning of time; any other
act without a date, from the UTC day it was recorded. A Correct replaces the document
of the version that was current when it was recorded, from its own date but never from
before that version's. Suspend, Reinstate, Supersede, Repeal and Withdraw change the
standing from their date on. Where two acts overlap, the one recorded later wins.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Generic, TypeVar

from registry.core.calendar import FIRST_DAY, LAST_DAY, day_of
from registry.core.entry import Action
from registry.core.units import Day, EntryIndex, UnixSeconds

END = Day(LAST_DAY + 1)
"""The `until` of the last interval: the day after the last day there is."""


class Standing(StrEnum):
    """What a policy, or one document of it, is worth on a date."""

    IN_FORCE = "in_force"
    NOT_YET_IN_FORCE = "not_yet_in_force"
    AMENDED = "amended"
    SUSPENDED = "suspended"
    SUPERSEDED = "superseded"
    REPEALED = "repealed"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Act:
    """What the timeline needs of one entry. `expires` is the last day it applies."""

    index: EntryIndex
    action: Action
    effective_on: Day | None
    recorded_at: UnixSeconds
    expires: Day | None = None


@dataclass(frozen=True, slots=True)
class Interval:
    """Days `since` ≤ D < `until`: the standing, and the entry whose document applies."""

    since: Day
    until: Day
    standing: Standing
    document: EntryIndex
    version: int


_ENDING: dict[Action, Standing] = {
    Action.SUSPEND: Standing.SUSPENDED,
    Action.SUPERSEDE: Standing.SUPERSEDED,
    Action.REPEAL: Standing.REPEALED,
    Action.WITHDRAW: Standing.WITHDRAWN,
    Action.REINSTATE: Standing.IN_FORCE,
}
_OVERRIDING = frozenset(_ENDING.values()) - {Standing.IN_FORCE}


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a policy: its entry, its version's number, its first and last day."""

    entry: EntryIndex
    version: int
    since: Day
    expires: Day | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """A policy's intervals, which cover every day, and all its documents by entry."""

    intervals: tuple[Interval, ...]
    documents: dict[EntryIndex, Document]

    def at(self, day: Day) -> Interval:
        return next(each for each in reversed(self.intervals) if each.since <= day)


def timeline(acts: Sequence[Act]) -> Timeline:
    """The timeline of one policy from its acts in log order, the first a Publish."""
    if len(acts) == 1:
        return _of_one_act(acts[0])
    versions: _Layer[_Layer[Document]] = _Layer()
    overriding: _Layer[Standing] = _Layer()
    documents: dict[EntryIndex, Document] = {}
    texts: _Layer[Document] = _Layer()
    version, version_since = 0, FIRST_DAY
    for act in acts:
        since = applies_from(act)
        match act.action:
            case Action.PUBLISH | Action.AMEND:
                version, version_since, texts = version + 1, since, _Layer()
                versions.paint(since, texts)
            case Action.CORRECT:
                since = max(since, version_since)
            case _:
                overriding.paint(since, _ENDING[act.action])
                continue
        document = Document(act.index, version, since, act.expires)
        documents[act.index] = document
        texts.paint(since, document)
    return Timeline(tuple(_joined(_overlaid(_texts_over_time(versions), overriding))), documents)


def document_standing(interval: Interval, document: Document, on: Day) -> Standing:
    """What `document` is worth on the day `on` that lies in `interval`. The policy's own
    end outweighs the version's age; a version that a later one has overtaken before it
    ever applied is amended, not still to come."""
    if interval.standing in _OVERRIDING or interval.document == document.entry:
        return interval.standing
    overtaken = interval.version > document.version
    return Standing.NOT_YET_IN_FORCE if on < document.since and not overtaken else Standing.AMENDED


def applies_from(act: Act) -> Day:
    """The first day of an act's effect, by the rules above."""
    if act.effective_on is not None:
        return act.effective_on
    return FIRST_DAY if act.action is Action.PUBLISH else day_of(act.recorded_at)


def stretches(since: Day, expires: Day | None) -> list[tuple[Day, Day, Standing]]:
    """The intervals of a Publish alone, from the first day there is to END: first and next
    day, and the standing."""
    until = END if expires is None else Day(max(since, expires + 1))
    found = []
    if since > FIRST_DAY:
        found.append((FIRST_DAY, since, Standing.NOT_YET_IN_FORCE))
    if since < until:
        found.append((since, until, Standing.IN_FORCE))
    if until < END:
        found.append((until, END, Standing.EXPIRED))
    return found


def _of_one_act(act: Act) -> Timeline:
    """What `timeline` gives for a Publish alone, which is all that most policies have."""
    since = applies_from(act)
    intervals = tuple(
        Interval(first, until, standing, act.index, 1)
        for first, until, standing in stretches(since, act.expires)
    )
    return Timeline(intervals, {act.index: Document(act.index, 1, since, act.expires)})


T = TypeVar("T")


class _Layer(Generic[T]):
    """A function of the date, painted stroke by stroke: each covers [day, ∞)."""

    __slots__ = ("strokes",)

    def __init__(self) -> None:
        self.strokes: list[tuple[Day, T]] = []

    def paint(self, day: Day, value: T) -> None:
        while self.strokes and self.strokes[-1][0] >= day:
            self.strokes.pop()
        self.strokes.append((day, value))

    def spans(self, until: Day = END) -> Iterable[tuple[Day, Day, T]]:
        """The strokes as seen: (first day, day after the last, value), up to `until`."""
        for number, (since, value) in enumerate(self.strokes):
            following = self.strokes[number + 1][0] if number + 1 < len(self.strokes) else END
            if since < until:
                yield since, min(following, until), value


def _texts_over_time(versions: _Layer[_Layer[Document]]) -> Iterable[Interval]:
    """Intervals by version and document alone, from the first day there is."""
    first_day, first_texts = versions.strokes[0]
    if first_day > FIRST_DAY:
        first = first_texts.strokes[0][1]
        yield Interval(FIRST_DAY, first_day, Standing.NOT_YET_IN_FORCE, first.entry, first.version)
    for _, version_until, texts in versions.spans():
        for since, until, text in texts.spans(version_until):
            ends = until if text.expires is None else min(until, Day(text.expires + 1))
            if since < ends:
                yield Interval(since, Day(ends), Standing.IN_FORCE, text.entry, text.version)
            if max(since, ends) < until:
                gone = Day(max(since, ends))
                yield Interval(gone, until, Standing.EXPIRED, text.entry, text.version)


def _overlaid(base: Iterable[Interval], overriding: _Layer[Standing]) -> Iterable[Interval]:
    """`base`, cut and overridden where an act has suspended or ended the policy."""
    if not overriding.strokes:
        yield from base
        return
    strokes = [(FIRST_DAY, Standing.IN_FORCE), *overriding.strokes]
    number = 0
    for each in base:
        since = each.since
        while since < each.until:
            while number + 1 < len(strokes) and strokes[number + 1][0] <= since:
                number += 1
            following = strokes[number + 1][0] if number + 1 < len(strokes) else END
            until = min(each.until, following)
            standing = strokes[number][1]
            shown = standing if standing in _OVERRIDING else each.standing
            yield replace(each, since=since, until=until, standing=shown)
            since = until


def _joined(intervals: Iterable[Interval]) -> Sequence[Interval]:
    """Neighbours that say the same, as one."""
    joined: list[Interval] = []
    for each in intervals:
        last = joined[-1] if joined else None
        if last and (last.standing, last.document) == (each.standing, each.document):
            joined[-1] = replace(last, until=each.until)
        else:
            joined.append(each)
    return joined
