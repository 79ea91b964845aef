"""What changed inside a clause: runs of what stayed, what was deleted, what was inserted.

By word where words are spaced, by character in Chinese, both in a text that has both. White space,
full-width forms and what else the normal form makes equal are no differences. The old spellings of
all runs that are not inserted are the old text, the shown ones of all that are not deleted the new.
Runs are made for a person to read: a word that happens to stay between two edits is part of them,
and an edit begins where a sentence or a line does, if it can. What would take too long to compare
is replaced as a whole. No IO.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

from registry.core.text.normal import normal

MAX_CHARACTERS = 1_000_000
MAX_TOKENS = 50_000
MAX_WORK = 20_000_000
"""Pairs of equal tokens, which is what the comparison's time goes by: about two seconds."""


class Kind(StrEnum):
    SAME = "same"
    DELETED = "deleted"
    INSERTED = "inserted"


@dataclass(frozen=True, slots=True)
class Run:
    """`text` is what is shown: of what stayed, the new spelling; `old` is the old one, of what was
    inserted nothing."""

    kind: Kind
    text: str
    old: str

    @property
    def new(self) -> str:
        return "" if self.kind is Kind.DELETED else self.text


_TOKEN = re.compile(
    r"(?P<space>\s*)(?P<core>"
    r"[⺀-⿟　-〿㄀-ㄯㆠ-㏿㐀-䶿一-鿿豈-﫿＀-￯\U00020000-\U0003ffff]"
    r"|[぀-ヿ]|\d+(?:[.,]\d+)*|[^\W\d_⺀-鿿豈-﫿＀-￯\U00020000-\U0003ffff]+"
    r"(?:['’][^\W\d_⺀-鿿＀-￯]+)*|\S|$)"
)
_STOPS = "。；！？.;!?\n"
_HALTS = "，、：,: "


@dataclass(frozen=True, slots=True)
class _Token:
    """A word or a character with the white space before it, and what it is compared by."""

    text: str
    key: str


def redline(old: str, new: str, share: float = 1.0) -> tuple[Run, ...]:
    """The runs that lead from one text to the other. `share` is how much of the work that is
    allowed may go into these two: of many clauses each gets its part, so that what strangers
    send takes no longer for having many."""
    if normal(old) == normal(new):
        return _joined([Run(Kind.SAME, new, old)])
    if len(old) + len(new) > MAX_CHARACTERS * share:
        return _whole(old, new)
    before, after = _tokens(old), _tokens(new)
    most = int(MAX_WORK * share)
    edits = _edits([each.key for each in before], [each.key for each in after], most)
    runs = _joined(_tidied(_runs(edits, before, after)))
    if all(run.kind is Kind.SAME for run in runs):
        # Composition across tokens, which no token shows: rare enough to say it whole.
        return _whole(old, new)
    return runs


def _whole(old: str, new: str) -> tuple[Run, ...]:
    return _joined([Run(Kind.DELETED, old, old), Run(Kind.INSERTED, new, "")])


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    before = ""
    for found in _TOKEN.finditer(text):
        space, core = found["space"], found["core"]
        if not space and not core:
            continue
        counts = bool(space and core and before) and _counts(before[-1], core[0])
        tokens.append(_Token(found[0], (" " if counts else "") + normal(core)))
        before = core or before
    return tokens


@lru_cache(maxsize=4096)
def _counts(before: str, after: str) -> bool:
    """Whether white space between these two characters is read."""
    return " " in normal(f"{before} {after}")


Edit = tuple[int, int, int, int]
"""A stretch of the old and of the new tokens that are not alike: from, to, from, to."""


def _edits(old: Sequence[str], new: Sequence[str], most: int) -> list[Edit]:
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end, last = len(old), len(new)
    while end > start and last > start and old[end - 1] == new[last - 1]:
        end, last = end - 1, last - 1
    middle, after = old[start:end], new[start:last]
    if not middle or not after or _is_too_much(middle, after, most):
        return [(start, end, start, last)] if middle or after else []
    found = SequenceMatcher(None, middle, after, autojunk=False).get_opcodes()
    return [
        (a + start, b + start, c + start, d + start) for tag, a, b, c, d in found if tag != "equal"
    ]


def _is_too_much(old: Sequence[str], new: Sequence[str], most: int) -> bool:
    if max(len(old), len(new)) > MAX_TOKENS:
        return True
    there = Counter(new)
    return sum(count * there[key] for key, count in Counter(old).items()) > most


def _runs(edits: Sequence[Edit], old: Sequence[_Token], new: Sequence[_Token]) -> Iterator[Run]:
    at = place = 0
    edits = [*edits, (len(old), len(old), len(new), len(new))]
    for each, after in pairwise(edits):
        start, end, first, last = _slid(each, old, new, (at, place), (after[0], after[2]))
        yield Run(Kind.SAME, _text(new[place:first]), _text(old[at:start]))
        yield Run(Kind.DELETED, _text(old[start:end]), _text(old[start:end]))
        yield Run(Kind.INSERTED, _text(new[first:last]), "")
        at, place = end, last
    yield Run(Kind.SAME, _text(new[place:]), _text(old[at:]))


def _text(tokens: Sequence[_Token]) -> str:
    return "".join(each.text for each in tokens)


def _slid(
    edit: Edit,
    old: Sequence[_Token],
    new: Sequence[_Token],
    least: tuple[int, int],
    most: tuple[int, int],
) -> Edit:
    """The same edit where it reads best, between its neighbours. "A。[B。]" and "A[。B]。" are one
    deletion."""
    start, end, first, last = edit
    if (start == end) == (first == last):
        return edit
    side = 0 if first == last else 1
    tokens, low, high = (old, start, end) if first == last else (new, first, last)
    back, forward = low - least[side], most[side] - high
    steps = [0]
    for step in range(1, back + 1):
        if tokens[low - step].key != tokens[high - step].key:
            break
        steps.append(-step)
    for step in range(1, forward + 1):
        if tokens[low + step - 1].key != tokens[high + step - 1].key:
            break
        steps.append(step)
    chosen = max(steps, key=lambda step: (_worth(tokens, low + step), -abs(step), step))
    return (start + chosen, end + chosen, first + chosen, last + chosen)


def _worth(tokens: Sequence[_Token], at: int) -> int:
    """How well an edit begins at this token."""
    if at == 0 or (at < len(tokens) and "\n" in tokens[at].text):
        return 3
    before = tokens[at - 1].text[-1:]
    return 2 if before in _STOPS else 1 if before in _HALTS else 0


def _tidied(runs: Iterable[Run]) -> list[Run]:
    """Without what stayed by chance: shorter than the edits on either side of it."""
    kept = [run for run in runs if run.text or run.old]
    changed = True
    while changed:
        changed = False
        groups = _groups(kept)
        kept = []
        for number, group in enumerate(groups):
            edges = 0 < number < len(groups) - 1
            if group[0].kind is Kind.SAME and edges:
                length = len(normal(group[0].text))
                if length <= min(_size(groups[number - 1]), _size(groups[number + 1]), _CHANCE):
                    kept += [
                        Run(Kind.DELETED, group[0].old, group[0].old),
                        Run(Kind.INSERTED, group[0].text, ""),
                    ]
                    changed = True
                    continue
            kept += group
    return kept


_CHANCE = 6
"""Longer than this in characters, it is read as something that stayed."""


def _groups(runs: Iterable[Run]) -> list[list[Run]]:
    """Runs that stayed one by one, edits that are side by side together."""
    groups: list[list[Run]] = []
    for run in runs:
        edit = run.kind is not Kind.SAME
        if edit and groups and groups[-1][0].kind is not Kind.SAME:
            groups[-1].append(run)
        else:
            groups.append([run])
    return groups


def _size(edits: Sequence[Run]) -> int:
    """An edit's longer side, in characters."""
    return max(
        sum(len(run.text) for run in edits if run.kind is kind)
        for kind in (Kind.DELETED, Kind.INSERTED)
    )


def _outside(runs: Iterable[Run]) -> Iterator[Run]:
    """White space before a word that was replaced is no part of the replacement."""
    for group in _groups(runs):
        deleted = "".join(run.text for run in group if run.kind is Kind.DELETED)
        inserted = "".join(run.text for run in group if run.kind is Kind.INSERTED)
        if not (deleted.strip() and inserted.strip()):
            yield from group
            continue
        was = deleted[: len(deleted) - len(deleted.lstrip())]
        is_ = inserted[: len(inserted) - len(inserted.lstrip())]
        if was and is_:
            yield Run(Kind.SAME, is_, was)
            deleted, inserted = deleted[len(was) :], inserted[len(is_) :]
        yield Run(Kind.DELETED, deleted, deleted)
        yield Run(Kind.INSERTED, inserted, "")


def _joined(runs: Iterable[Run]) -> tuple[Run, ...]:
    """Neighbouring edits as one deletion and one insertion."""
    joined: list[Run] = []
    for group in _groups(_outside(run for run in runs if run.text or run.old)):
        for kind in (Kind.SAME, Kind.DELETED, Kind.INSERTED):
            some = [run for run in group if run.kind is kind]
            text, old = "".join(run.text for run in some), "".join(run.old for run in some)
            if text or old:
                joined.append(Run(kind, text, old))
    return tuple(joined)
