"""Two versions of a text, clause by clause: what stayed, changed, moved, went and came.

Every clause of either version is in exactly one row. Clauses are paired in three rounds: by their
hash, in order where they are (patience diff: what occurs once on both sides first), and out of it
where they were moved; then, where texts are there, by likeness; then by label, between the same
neighbours. From hashes alone a clause that was renumbered and edited is therefore one that is
missing and one that was added, or is taken for the one that has its label now. The same two lists
always give the same rows. No IO.

Source of the first round: Bram Cohen's patience diff.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate

from registry.core.text.clauses import Clause, ClauseHash
from registry.core.text.likeness import pair_alike

Pairs = dict[int, int]
"""Places in the new version by places in the old."""


class Change(StrEnum):
    """What happened to a clause."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    MOVED = "moved"
    """The same text under another label or in another order."""
    MISSING = "missing"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Row:
    """One clause in both versions. `old` and `new` are places from 0, None where it is not there.
    `in_order`: the clauses around it, too, are in that order in both versions."""

    change: Change
    old: int | None
    new: int | None
    old_label: str | None
    new_label: str | None
    in_order: bool = True

    @property
    def label(self) -> str:
        """What the clause is called, as it is now if it is there now."""
        return (self.new_label if self.new_label is not None else self.old_label) or ""

    @property
    def is_renumbered(self) -> bool:
        return None not in (self.old, self.new) and self.old_label != self.new_label


@dataclass(frozen=True, slots=True)
class Comparison:
    """The rows in the new version's order; what is missing stands after what it stood after."""

    rows: tuple[Row, ...]

    def of(self, change: Change) -> list[Row]:
        return [row for row in self.rows if row.change is change]

    @property
    def counts(self) -> dict[Change, int]:
        return {change: len(self.of(change)) for change in Change}

    @property
    def is_same(self) -> bool:
        return all(row.change is Change.UNCHANGED for row in self.rows)

    @property
    def shared(self) -> int:
        """How many clauses have the same text in both."""
        return sum(row.change in (Change.UNCHANGED, Change.MOVED) for row in self.rows)


def compare(old: Sequence[ClauseHash], new: Sequence[ClauseHash]) -> Comparison:
    """Compare two versions by what is known without their texts."""
    return _compare(old, new, lambda _pairs: None)


def compare_texts(old: Sequence[Clause], new: Sequence[Clause]) -> Comparison:
    """The same where both texts are there: a clause that was renumbered and edited is found by
    its likeness."""
    hashed = ([each.hashed() for each in old], [each.hashed() for each in new])

    def by_likeness(pairs: Pairs) -> None:
        pairs |= pair_alike(old, new, pairs)

    return _compare(*hashed, by_likeness)


def _compare(
    old: Sequence[ClauseHash], new: Sequence[ClauseHash], further: Callable[[Pairs], None]
) -> Comparison:
    pairs = aligned([each.text_hash for each in old], [each.text_hash for each in new])
    _pair_rest(pairs, [(e.label, e.text_hash) for e in old], [(e.label, e.text_hash) for e in new])
    _pair_rest(pairs, [each.text_hash for each in old], [each.text_hash for each in new])
    further(pairs)
    before, after = _gaps(pairs, len(old), len(new))
    _pair_rest(
        pairs,
        [(gap, each.label) for gap, each in zip(before, old, strict=True)],
        [(gap, each.label) for gap, each in zip(after, new, strict=True)],
    )
    return Comparison(tuple(_rows(old, new, pairs)))


def aligned(old: Sequence[Hashable], new: Sequence[Hashable]) -> Pairs:
    """Pairs of equal values that are in order on both sides: those at both ends, then those that
    occur once in what lies between, and so on between these."""
    pairs: Pairs = {}
    waiting = [(0, len(old), 0, len(new))]
    while waiting:
        start, end, first, last = waiting.pop()
        while start < end and first < last and old[start] == new[first]:
            pairs[start] = first
            start, first = start + 1, first + 1
        while start < end and first < last and old[end - 1] == new[last - 1]:
            end, last = end - 1, last - 1
            pairs[end] = last
        if start == end or first == last:
            continue
        anchors = _anchors(old, new, (start, end, first, last))
        for at, place in [*anchors, (end, last)] if anchors else ():
            waiting.append((start, at, first, place))
            start, first = at, place
    return pairs


def _anchors(
    old: Sequence[Hashable], new: Sequence[Hashable], within: tuple[int, int, int, int]
) -> list[tuple[int, int]]:
    start, end, first, last = within
    there = _once(new, first, last)
    both = [(at, there[value]) for value, at in _once(old, start, end).items() if value in there]
    both.sort()
    return [both[at] for at in longest_increasing([place for _, place in both])]


def _once(values: Sequence[Hashable], start: int, end: int) -> dict[Hashable, int]:
    """Where each value stands that occurs once there."""
    places: dict[Hashable, int] = {}
    for at in range(start, end):
        places[values[at]] = -1 if values[at] in places else at
    return {value: at for value, at in places.items() if at >= 0}


def longest_increasing(values: Sequence[int]) -> list[int]:
    """Places of a longest subsequence that increases; O(n log n)."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int | None] = []
    for at, value in enumerate(values):
        length = bisect_left(tails, value)
        before.append(ends[length - 1] if length else None)
        if length == len(tails):
            tails.append(value)
            ends.append(at)
        else:
            tails[length], ends[length] = value, at
    chain: list[int] = []
    at_end = ends[-1] if ends else None
    while at_end is not None:
        chain.append(at_end)
        at_end = before[at_end]
    return chain[::-1]


def _pair_rest(pairs: Pairs, old: Sequence[Hashable], new: Sequence[Hashable]) -> None:
    """Pair what is left and equal, the first with the first."""
    taken = set(pairs.values())
    there: dict[Hashable, deque[int]] = defaultdict(deque)
    for place, value in enumerate(new):
        if place not in taken:
            there[value].append(place)
    for at, value in enumerate(old):
        if at not in pairs and there.get(value):
            pairs[at] = there[value].popleft()


def _gaps(pairs: Pairs, old: int, new: int) -> tuple[list[int], list[int]]:
    """After how many of the pairs that are in order each place stands, on both sides."""
    chain = _chain(pairs)
    before = list(accumulate((at in chain for at in range(old)), initial=0))[:-1]
    ends = {pairs[at] for at in chain}
    after = list(accumulate((place in ends for place in range(new)), initial=0))[:-1]
    return before, after


def _chain(pairs: Pairs) -> set[int]:
    """Which of the old places are in the same order in the new version: as many as can be."""
    ordered = sorted(pairs)
    return {ordered[at] for at in longest_increasing([pairs[at] for at in ordered])}


def _rows(old: Sequence[ClauseHash], new: Sequence[ClauseHash], pairs: Pairs) -> list[Row]:
    chain = sorted(_chain(pairs))
    ends = iter([*chain[1:], len(old)])
    back = {place: at for at, place in pairs.items()}
    rows = list(_missing(old, pairs, 0, chain[0] if chain else len(old)))
    in_order = set(chain)
    for place, clause in enumerate(new):
        at = back.get(place)
        if at is None:
            rows.append(Row(Change.ADDED, None, place, None, clause.label))
            continue
        rows.append(_row(old, new, (at, place), at in in_order))
        if at in in_order:
            rows += _missing(old, pairs, at, next(ends))
    return rows


def _missing(old: Sequence[ClauseHash], pairs: Pairs, start: int, end: int) -> Iterator[Row]:
    for at in range(start, end):
        if at not in pairs:
            yield Row(Change.MISSING, at, None, old[at].label, None)


def _row(
    old: Sequence[ClauseHash], new: Sequence[ClauseHash], pair: tuple[int, int], in_order: bool
) -> Row:
    before, after = old[pair[0]], new[pair[1]]
    if before.text_hash != after.text_hash:
        change = Change.CHANGED
    elif in_order and before.label == after.label:
        change = Change.UNCHANGED
    else:
        change = Change.MOVED
    return Row(change, *pair, before.label, after.label, in_order)
