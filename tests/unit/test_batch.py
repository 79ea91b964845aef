"""Rows that are made ready before they are written are those of a mirror that reads one by one."""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from registry.core.digest import sha256
from registry.core.entry import Action
from registry.core.feed import Place, Recorded
from registry.core.snapshot import Logged
from registry.errors import Inconsistent
from registry.mirror.batch import batch_of
from registry.mirror.engine import open_engine, sqlite_url, writing
from registry.mirror.store import append, append_batch
from tests.databases import content
from tests.unit.logs import Log, draft

POLICIES = 700
"""More than are inserted by one statement."""


def grown_log() -> list[Logged]:
    """Many policies, some of which go on later: amended, suspended, published without bytes."""
    chosen, log = random.Random(7), Log()
    for number in range(POLICIES):
        log.record(
            draft(Action.PUBLISH, str(number), f"text {number}"), digest_only=number % 9 == 0
        )
        if number % 3 == 0:
            earlier = str(chosen.randrange(number + 1))
            log.record(draft(Action.AMEND, earlier, f"amended {number}"))
    return log.logged


def events_of(logged: Sequence[Logged]) -> list[Recorded]:
    """These entries, two to a block."""
    return [
        Recorded(
            each.entry,
            each.entry.leaf_hash(),
            Place(at // 2, hashlib.sha256(b"%d" % (at // 2)).digest(), sha256(b"%d" % at), at),
            each.manifest,
        )
        for at, each in enumerate(logged)
    ]


@pytest.mark.parametrize("seed", range(4))
def test_however_a_log_is_cut_its_rows_are_the_same(tmp_path: Path, seed: int) -> None:
    events = events_of(grown_log())
    chosen = random.Random(seed)
    cuts = sorted({0, len(events), *(chosen.randrange(len(events)) for _ in range(seed * 4))})
    whole, cut = (open_engine(sqlite_url(tmp_path / name)) for name in ("whole", "cut"))
    # Ready before what they follow is written, as a reader ahead makes them.
    batches = [batch_of(events[a:b]) for a, b in itertools.pairwise(cuts)]
    for each in batches:
        with writing(cut) as connection:
            append_batch(connection, each)
    for at in range(0, len(events), 30):
        with writing(whole) as connection:
            append(connection, events[at : at + 30])
    assert content(cut) == content(whole)
    assert len(content(cut)["entries"]) == len(events)
    for engine in (whole, cut):
        engine.dispose()


def test_what_no_contract_wrote_is_said_when_it_is_appended_and_nothing_is_kept(
    tmp_path: Path,
) -> None:
    log = Log()
    log.record(draft(Action.PUBLISH, "1", "text"))
    log.record(draft(Action.PUBLISH, "2", "text"))
    right, wrong = events_of(log.logged)
    wrong = replace(wrong, entry=replace(wrong.entry, document=None))
    batch = batch_of([right, wrong])
    engine = open_engine(sqlite_url(tmp_path / "mirror"))
    with pytest.raises(Inconsistent, match="wrong document"), writing(engine) as connection:
        append_batch(connection, batch)
    assert content(engine)["entries"] == []
    engine.dispose()
