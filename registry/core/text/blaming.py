"""Which version last changed each clause, from lists of clauses alone.

A clause keeps the version that wrote it as long as its text stays, wherever it is moved and
whatever it is numbered. Of versions whose clauses are not known nothing is claimed: what came
after them was changed by the first known one, or by one of them. No IO.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from registry.core.text.clauses import ClauseHash
from registry.core.text.comparing import Change, compare


@dataclass(frozen=True, slots=True)
class Blamed:
    """A clause of the last version. `version` is the place of the one that wrote it as it stands,
    or of the first known one after it: then it was written in one from `earliest` on. `change` is
    what that version did. `renumbered` is the place of the one that last gave it another label,
    which was `formerly`."""

    clause: ClauseHash
    version: int
    earliest: int
    change: Change
    renumbered: int | None = None
    formerly: str | None = None


def blame(versions: Sequence[Sequence[ClauseHash] | None]) -> list[Blamed]:
    """The clauses of the last version that is known, in its order; None stands for a version whose
    clauses are not."""
    told: list[Blamed] = []
    unknown_since = 0
    for place, clauses in enumerate(versions):
        if clauses is None:
            continue
        told = _next(told, clauses, place, unknown_since)
        unknown_since = place + 1
    return told


def _next(
    before: Sequence[Blamed], clauses: Sequence[ClauseHash], place: int, earliest: int
) -> list[Blamed]:
    told: list[Blamed] = []
    for row in compare([each.clause for each in before], clauses).rows:
        if row.new is None:
            continue
        clause = clauses[row.new]
        old = None if row.old is None else before[row.old]
        if old is None or row.change in (Change.CHANGED, Change.ADDED):
            change = Change.ADDED if old is None else Change.CHANGED
            told.append(Blamed(clause, place, earliest, change))
        elif row.is_renumbered:
            told.append(replace(old, clause=clause, renumbered=place, formerly=row.old_label))
        else:
            told.append(replace(old, clause=clause))
    return told
