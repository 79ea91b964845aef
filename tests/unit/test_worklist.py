"""The rows of an import, whatever their order: policy by policy, and each with its end; numbers
as ranges."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from logs import file_of

from registry.core.backlog import Refused, Row
from registry.core.ranges import Ranges
from registry.errors import InputError
from registry.services.import_report import write_report
from registry.services.importing import read_index
from registry.services.worklist import Outcome, Worklist


def row(line: int, number: str) -> Row:
    return Row(line, f"{line}.md", "CN", number, "一", "zh", "notice", None, None)


@given(st.lists(st.sampled_from("abcde"), max_size=40), st.integers(1, 10))
def test_a_policy_is_never_parted_and_policies_keep_their_order(
    numbers: list[str], at_once: int
) -> None:
    rows = [row(line, number) for line, number in enumerate(numbers, 2)]
    with Worklist() as worklist:
        worklist.fill(rows)
        chunks = list(worklist.policies(at_once))
    assert sorted((each for some in chunks for each in some), key=lambda each: each.line) == rows
    keys = [list(dict.fromkeys(each.number for each in some)) for some in chunks]
    assert [each for some in keys for each in some] == list(dict.fromkeys(numbers))


def test_a_row_keeps_what_it_says_and_ends_as_it_is_told(tmp_path: Path) -> None:
    rows = [row(2, "a"), row(3, "a"), row(4, "b"), row(5, "c")]
    with Worklist() as worklist:
        worklist.fill([*rows, Refused(6, "x.md", "it names no file")])
        for each in rows:
            worklist.note_file(each.path, file_of(each.path))
        worklist.note_act(2, 17)
        worklist.note_act(3, 18)
        worklist.publish(2, 5, b"\1" * 32)
        worklist.refuse(4, "it is wrong")
        worklist.keep_present(5)
        assert list(worklist.with_acts()) == [{18: 3}]
        assert worklist.counts() == {
            Outcome.PUBLISHED: 1, Outcome.IN_LINE: 1, Outcome.REFUSED: 2, Outcome.PRESENT: 1,
        }  # fmt: skip
        assert list(worklist.policies()) == []
        table, _ = write_report(tmp_path / "report.csv", worklist, {})
    lines = table.read_text("utf-8").splitlines()
    assert lines[1].startswith("2,2.md,published,")
    assert lines[1].endswith(f",5,0x{'01' * 32},")
    assert lines[5] == "6,x.md,not published,,,,it names no file"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["report.csv", "report.json"]


@pytest.mark.parametrize("at", [0, 5, (1 << 20) - 1, 1 << 20, (1 << 20) + 7])
def test_an_index_that_is_not_utf8_is_told_of_by_its_byte(tmp_path: Path, at: int) -> None:
    index = tmp_path / "index.csv"
    index.write_bytes(b"a" * at + "关".encode()[:2] + b"a" * 9)
    with Worklist() as worklist, pytest.raises(InputError, match=rf"byte {at}\)"):
        read_index(index, worklist)


@given(st.lists(st.integers(0, 60)))
def test_ranges_have_what_was_added_each_once(numbers: list[int]) -> None:
    ranges = Ranges(numbers)
    assert list(ranges) == sorted(set(numbers))
    assert len(ranges) == len(set(numbers))
    for (_, last), (first, _) in zip(ranges.all, ranges.all[1:], strict=False):
        assert last + 1 < first
