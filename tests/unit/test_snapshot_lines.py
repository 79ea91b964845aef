"""The mirror's stored lines are the ones that the log alone gives, at every size and date."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from logs import Log, draft, example, rows_of
from mirrors import mirror_of

from registry.core.calendar import FIRST_DAY, LAST_DAY, parse_time
from registry.core.entry import Action
from registry.core.lifecycle import TRANSITIONS, UNPUBLISHED
from registry.core.policy import policy_key
from registry.core.snapshot import Filters, Logged, ndjson_line
from registry.errors import CouldNotCheck, Inconsistent
from registry.mirror.engine import Engine, reading, writing
from registry.mirror.position import read_position
from registry.mirror.snapshot_lines import replayed_lines
from registry.mirror.store import rewind
from registry.services.snapshots import Snapshot, take_snapshot

_DAYS = st.none() | st.integers(19_990, 20_010)
_FOLDERS = itertools.count()


@st.composite
def histories(draw: st.DrawFn) -> list[Logged]:
    """Acts on three policies, in any order that the lifecycle allows, dated close together."""
    log = Log()
    for number in range(draw(st.integers(1, 12))):
        policy = draw(st.sampled_from("123"))
        state = log.states.get(policy_key("CN.GD", policy), UNPUBLISHED)
        possible = [each for each in TRANSITIONS if state.status in TRANSITIONS[each][0]]
        action = draw(st.sampled_from(possible))
        text = f"{action} {number}" if action.carries_document else None
        since, until = draw(_DAYS), draw(_DAYS)
        if since is not None and until is not None:
            until = max(since, until)
        act = draft(action, policy, text, effective_from=since, effective_to=until)
        log.record(act, digest_only=draw(st.booleans()), at=86_400 * 20_000 + number)
    return log.logged


def lines(found: Snapshot) -> list[bytes]:
    header, *rows = b"".join(found.ndjson()).splitlines(keepends=True)
    assert json.loads(header)["count"] == len(rows) == found.count
    return rows


@settings(max_examples=20)
@given(histories(), st.data())
def test_stored_lines_are_what_the_log_alone_gives(
    tmp_path_factory: pytest.TempPathFactory, logged: list[Logged], data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / f"lines-{next(_FOLDERS)}.sqlite"
    engine = mirror_of(path, logged)
    days = [None, FIRST_DAY, LAST_DAY, *data.draw(st.lists(_DAYS, max_size=4))]
    for size, day in itertools.product(range(1, len(logged) + 1), days):
        filters = Filters(in_force_on=day)
        expected = [ndjson_line(each) for each in rows_of(logged[:size], filters)]
        assert lines(take_snapshot(engine, filters, size)) == expected
        with reading(engine) as connection:
            assert list(replayed_lines(connection, size, filters)) == expected
    engine.dispose()
    path.unlink()


def test_more_policies_than_are_read_at_once(tmp_path: Path) -> None:
    log = Log()
    for number in range(1_100):
        log.record(draft(Action.PUBLISH, str(number), str(number)))
    for number in range(0, 1_100, 2):
        log.record(draft(Action.REPEAL, str(number)))
    engine = mirror_of(tmp_path / "mirror.sqlite", log.logged)
    for size in (1_100, 1_500, len(log.logged)):
        expected = [ndjson_line(each) for each in rows_of(log.logged[:size])]
        assert lines(take_snapshot(engine, Filters(), size)) == expected
    engine.dispose()


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Engine]:
    engine = mirror_of(tmp_path / "mirror.sqlite", example().logged)
    yield engine
    engine.dispose()


@pytest.mark.parametrize("replaced", ["shorter", "another block"])
def test_a_log_that_is_replaced_meanwhile_is_not_mixed_with_the_old_one(
    mirror: Engine, replaced: str
) -> None:
    taken = take_snapshot(mirror, Filters())
    with writing(mirror) as connection:
        position = read_position(connection)
        assert position is not None
        if replaced == "shorter":
            rewind(connection, position.block - 1)
            connection.exec_driver_sql("UPDATE position SET size = size - 1")
        else:
            connection.exec_driver_sql(
                "UPDATE blocks SET hash = x'00' WHERE number = (SELECT max(number) FROM blocks)"
            )
    for written in (taken.ndjson(), taken.csv()):
        with pytest.raises(Inconsistent, match="reorganised"):
            next(written)


def test_what_was_recorded_by_a_time_is_known_once_the_mirror_read_up_to_it(
    mirror: Engine,
) -> None:
    last = example().logged[-1].entry.recorded_at
    assert last == parse_time("2023-11-14T22:14:32Z")
    with pytest.raises(CouldNotCheck, match="more may be recorded"):
        take_snapshot(mirror, Filters(recorded_by=last))
    with writing(mirror) as connection:
        connection.exec_driver_sql(f"UPDATE position SET synced_at = {last}")
    assert take_snapshot(mirror, Filters(recorded_by=last)).size == len(example().logged)
    assert take_snapshot(mirror, Filters(recorded_by=last - 1)).size == len(example().logged) - 1
    with pytest.raises(CouldNotCheck, match="22:14:32Z: more may be recorded"):
        take_snapshot(mirror, Filters(recorded_by=last + 1))
