"""A snapshot is a function of the log's first N entries and of nothing else."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from logs import CHECKPOINT, Log, draft, example, rows_of, snapshot_of
from mirrors import mirror_of

from registry.core.calendar import parse_day
from registry.core.compromise import Report
from registry.core.entry import Action, decode_entry
from registry.core.policy import policy_key
from registry.core.snapshot import (
    COLUMNS,
    Checkpoint,
    Filters,
    Logged,
    filtered_row,
    header,
    ndjson_line,
    policy_history,
)
from registry.errors import Inconsistent, InputError
from registry.mirror.engine import Engine
from registry.services.snapshots import take_snapshot

EVERYTHING = Filters()
SNAPSHOT = (Path(__file__).parents[1] / "vectors" / "snapshot.ndjson").read_bytes()


def row_of(log: Log, number: str, filters: Filters = EVERYTHING) -> dict[str, Any] | None:
    return filtered_row(policy_history(log.of(policy_key("CN.GD", number))), filters)


# The rows


def test_a_row_has_the_columns_and_no_others() -> None:
    """`compromised` only where a key was reported: section 12 of docs/formats.md."""
    for each in rows_of(example().logged):
        assert {*each, "compromised"} == set(COLUMNS)
        assert "compromised" not in each


def test_a_row_names_the_acts_of_reported_keys_and_no_report_changes_the_rest() -> None:
    log = example()
    acts = log.of(policy_key("CN.GD", "1"))
    first = acts[0].entry
    report = Report(999, "CN", first.registrar, acts[1].entry.recorded_at)
    plain = row_of(log, "1")
    marked = filtered_row(policy_history(acts), EVERYTHING, [report])
    assert plain is not None
    assert marked == {**plain, "compromised": [each.entry.index for each in acts[1:]]}


def test_a_row_shows_the_latest_document_and_the_state() -> None:
    found = row_of(example(), "1")
    assert found is not None
    assert found["document"] == hashlib.sha256(b"one, amended").hexdigest()
    assert (found["status"], found["sequence"], found["version"]) == ("in_force", 2, 2)
    assert (found["entry"], found["head"], found["effective_on"]) == (2, 2, "2030-01-01")
    assert found["published_at"] == "2023-11-14T22:13:20Z"
    assert found["recorded_at"] == "2023-11-14T22:13:44Z"


def test_a_repealed_policy_is_there_with_its_last_document() -> None:
    found = row_of(example(), "2")
    assert found is not None
    assert (found["status"], found["version"]) == ("repealed", 1)
    assert found["document"] == hashlib.sha256(b"two, corrected").hexdigest()
    assert (found["entry"], found["head"]) == (4, 5)


def test_a_manifest_that_is_not_in_the_log_leaves_its_fields_null() -> None:
    found = row_of(example(), "3")
    assert found is not None
    assert found["manifest_state"] == "absent"
    assert found["manifest"]
    assert [found[each] for each in ("number", "title_zh", "title_en", "issued")] == [None] * 4
    assert found["effective_on"] == "2020-01-01"


def test_another_policys_manifest_leaves_the_fields_null() -> None:
    log = example()
    first, *_ = log.of(policy_key("CN.GD", "1"))
    other = log.of(policy_key("CN.GD", "2"))[0]
    assert first.manifest is not None
    stolen = Logged(replace(other.entry, manifest=first.entry.manifest), first.manifest)
    found = filtered_row(policy_history([stolen]), EVERYTHING)
    assert found is not None
    assert (found["manifest_state"], found["title_en"]) == ("mismatched", None)


# Filters


def test_only_what_is_in_force_on_a_day_with_the_text_that_applies() -> None:
    log = example()

    def on(number: str, day: str) -> dict[str, Any] | None:
        return row_of(log, number, Filters(in_force_on=parse_day(day)))

    assert on("1", "2019-12-31") is None
    before, after = on("1", "2029-12-31"), on("1", "2030-01-01")
    assert before is not None
    assert after is not None
    assert (before["document"], before["version"]) == (hashlib.sha256(b"one").hexdigest(), 1)
    assert (after["document"], after["version"]) == (
        hashlib.sha256(b"one, amended").hexdigest(),
        2,
    )
    assert before["type"] == "notice"
    assert on("2", "2023-12-31") is not None
    assert on("2", "2024-01-01") is None


def test_filters_are_named_in_the_header() -> None:
    filters = Filters(in_force_on=parse_day("2024-01-01"), recorded_by=0)
    assert header(CHECKPOINT, filters, 3) == {
        "schema": "policy-registry/snapshot/1",
        "chain": "eip155:1",
        "contract": "eip155:1:0x0000000000000000000000000000000000000001",
        "size": 7,
        "root": hashlib.sha256(b"root").hexdigest(),
        "block": {"number": 100, "hash": "0x" + "02" * 32},
        "filters": {"in_force_on": "2024-01-01", "recorded_by": "1970-01-01T00:00:00Z"},
        "count": 3,
    }
    assert header(CHECKPOINT, EVERYTHING, 3)["filters"] == {
        "in_force_on": None,
        "recorded_by": None,
    }


# The bytes


def test_the_bytes_of_a_snapshot_never_change() -> None:
    assert snapshot_of(example().logged) == SNAPSHOT


def test_entries_read_back_from_their_bytes_give_the_same_snapshot() -> None:
    logged = example().logged
    again = [Logged(decode_entry(each.entry.encode()), each.manifest) for each in logged]
    assert snapshot_of(again) == SNAPSHOT


def test_no_setting_of_a_machine_changes_a_snapshot() -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from logs import example, snapshot_of\n"
        "sys.stdout.buffer.write(snapshot_of(example().logged))"
    )
    settings = {"PYTHONHASHSEED": "7", "TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [sys.executable, "-c", program, str(Path(__file__).parent)],
        cwd=Path(__file__).parents[2],
        env={**os.environ, **settings},
        capture_output=True,
        check=True,
    )
    assert done.stdout == SNAPSHOT


def test_a_policys_row_does_not_depend_on_other_policies() -> None:
    log = example()
    key = policy_key("CN.GD", "1")
    alone = policy_history(log.of(key))
    for number in range(20):
        log.record(draft(Action.PUBLISH, f"other {number}", f"other {number}"))
    assert filtered_row(policy_history(log.of(key)), EVERYTHING) == filtered_row(alone, EVERYTHING)


def test_every_line_ends_with_a_line_feed_and_is_json() -> None:
    content = snapshot_of(example().logged)
    lines = content.split(b"\n")
    assert lines.pop() == b""
    head, *rows = map(json.loads, lines)
    assert head["count"] == len(rows) == 4
    ids = [each["policy_id"] for each in rows]
    assert ids == sorted(set(ids))


odd_text = ["\0\x1f\x7f\x80\x9f", "\b\t\n\f\r", "\u2028\u2029", '"\\/<>&', "\ufeff\uffff\U0010ffff"]
text = st.text(st.characters(codec="utf-8")) | st.sampled_from(odd_text)
values = st.none() | st.booleans() | text | st.integers(-(2**53) + 1, 2**53 - 1)


@given(st.fixed_dictionaries(dict.fromkeys(COLUMNS, values)))
def test_a_line_is_the_rfc_8785_form_of_its_row(fields: dict[str, Any]) -> None:
    assert ndjson_line(fields) == rfc8785.dumps(fields) + b"\n"


@given(
    st.builds(
        Checkpoint,
        chain=text,
        contract=text,
        size=st.integers(1, 2**53 - 1),
        root=st.binary(min_size=32, max_size=32),
        block=st.integers(0, 2**53 - 1),
        block_hash=st.binary(min_size=32, max_size=32),
    )
)
def test_the_header_line_is_rfc_8785_too(checkpoint: Checkpoint) -> None:
    head = header(checkpoint, EVERYTHING, 7)
    assert ndjson_line(head) == rfc8785.dumps(head) + b"\n"


# What no contract can have written


def test_a_history_with_an_entry_left_out_is_not_shown() -> None:
    history = example().of(policy_key("CN.GD", "2"))
    assert len(history) == 3
    for without in (history[1:], [history[0], history[2]], history[::-1], history + history[-1:]):
        with pytest.raises(Inconsistent):
            policy_history(without)


# From a mirror: the same bytes whatever else the mirror holds


def taken(engine: Engine, size: int | None = None) -> bytes:
    return b"".join(take_snapshot(engine, EVERYTHING, size).ndjson())


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = mirror_of(tmp_path_factory.mktemp("mirror") / "all.sqlite", example().logged)
    yield engine
    engine.dispose()


def test_a_mirror_gives_the_rows_that_the_log_alone_gives(mirror: Engine) -> None:
    lines = taken(mirror).splitlines(keepends=True)
    assert lines[1:] == [ndjson_line(each) for each in rows_of(example().logged)]
    assert json.loads(lines[0])["count"] == len(lines) - 1


@pytest.mark.parametrize("size", [1, 3, 6])
def test_an_earlier_snapshot_is_the_one_that_could_be_taken_then(
    mirror: Engine, tmp_path: Path, size: int
) -> None:
    then = mirror_of(tmp_path / "then.sqlite", example().logged[:size])
    assert taken(mirror, size) == taken(then)


def test_there_is_no_snapshot_beyond_the_log(mirror: Engine) -> None:
    for size in (0, -1, 8):
        with pytest.raises(InputError, match="no snapshot"):
            take_snapshot(mirror, EVERYTHING, size)


def test_a_manifest_that_came_into_the_log_later_changes_no_earlier_snapshot(
    tmp_path: Path,
) -> None:
    """Entry 0 anchors a digest; a later entry carries the same digest and its bytes."""
    log = Log()
    act = draft(Action.PUBLISH, "1", "one")
    log.record(act, digest_only=True)
    log.record(draft(Action.REPEAL, "1"))
    first, second = log.logged
    carried = Logged(replace(second.entry, manifest=first.entry.manifest), act.manifest())
    then = taken(mirror_of(tmp_path / "then.sqlite", [first]))
    now = taken(mirror_of(tmp_path / "now.sqlite", [first, carried]), 1)
    assert json.loads(then.splitlines()[1])["manifest_state"] == "absent"
    assert now == then
