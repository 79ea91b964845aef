"""Which clause of one version is which of another, by how much of the text they share.

Likeness is Dice's coefficient over pairs of neighbouring characters: cheap, the same for every
script, and blind to where in the clause the edit is. What it costs is bounded: of many leftover
clauses each is only compared with those near its place. No IO.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence

from registry.core.text.clauses import Clause

ALIKE = 0.5
"""Below this two clauses are different ones: articles of one law that have nothing to do with one
another reach 0.3, an edited one is seldom below 0.6."""
_SAME_LABEL = 0.1
_ALL_WITH_ALL = 10_000
_NEAR = 25
_CHARACTERS = 4_000
"""Longer texts are compared by their beginning."""


def likeness(old: str, new: str) -> float:
    """From 0, nothing in common, to 1."""
    return _dice(_pairs_of(old), _pairs_of(new))


def pair_alike(
    old: Sequence[Clause], new: Sequence[Clause], known: Mapping[int, int]
) -> dict[int, int]:
    """Further pairs among the clauses that `known` leaves, the likest first."""
    taken = set(known.values())
    left = [at for at in range(len(old)) if at not in known]
    right = [place for place in range(len(new)) if place not in taken]
    if not left or not right:
        return {}
    near = max(len(left), len(right))
    if len(left) * len(right) > _ALL_WITH_ALL:
        near = _NEAR
    before = [_pairs_of(old[at].body) for at in left]
    after = [_pairs_of(new[place].body) for place in right]
    found: list[tuple[float, int, int]] = []
    for at, mine in enumerate(before):
        middle = at * len(right) // len(left)
        for place in range(max(0, middle - near), min(len(right), middle + near + 1)):
            score = _dice(mine, after[place])
            if score >= ALIKE:
                same = old[left[at]].label == new[right[place]].label
                found.append((-score - (_SAME_LABEL if same else 0), left[at], right[place]))
    pairs: dict[int, int] = {}
    chosen: set[int] = set()
    for _, one, other in sorted(found):
        if one not in pairs and other not in chosen:
            pairs[one] = other
            chosen.add(other)
    return pairs


def _pairs_of(text: str) -> Counter[str]:
    text = text[:_CHARACTERS]
    return Counter(map("".join, itertools.pairwise(text)))


def _dice(one: Counter[str], other: Counter[str]) -> float:
    total = one.total() + other.total()
    if not total:
        return 0.0
    fewer, more = (one, other) if len(one) <= len(other) else (other, one)
    return 2 * sum(min(count, more[pair]) for pair, count in fewer.items()) / total
