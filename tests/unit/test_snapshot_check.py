"""Whatever is done to a snapshot's lines, the first of them that differs is named."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from logs import example, rows_of

from registry.core.json_lines import bounded_lines
from registry.core.snapshot import ndjson_line
from registry.core.snapshot_check import END, LINES, check_lines
from registry.errors import ProofError

LINES_OF_LOG = [ndjson_line(each) for each in rows_of(example().logged)]


def check(content: bytes, count: int = len(LINES_OF_LOG)) -> None:
    check_lines(bounded_lines(io.BytesIO(content), 10_000), LINES_OF_LOG, count)


def test_the_log_s_own_lines_pass() -> None:
    check(b"".join(LINES_OF_LOG))


_pieces = st.lists(
    st.sampled_from(LINES_OF_LOG)
    | st.sampled_from([b"\n", b"{}\n", b"null\n", b'{"schema":1}\n', b'{"policy_id":7}\n', b"\xff"])
    | st.sampled_from(LINES_OF_LOG).map(lambda line: line[: len(line) // 2])
    | st.binary(max_size=20),
    max_size=7,
)


@given(_pieces)
def test_any_other_lines_fail_at_a_step(pieces: list[bytes]) -> None:
    content = b"".join(pieces)
    if content == b"".join(LINES_OF_LOG):
        return
    with pytest.raises(ProofError) as error:
        check(content)
    assert error.value.step in {LINES, END}


@given(st.data())
def test_no_byte_can_be_changed_dropped_or_added(data: st.DataObject) -> None:
    content = b"".join(LINES_OF_LOG)
    at = data.draw(st.integers(0, len(content) - 1))
    drop = data.draw(st.integers(0, 2))
    put = data.draw(st.binary(max_size=2))
    changed = content[:at] + put + content[at + drop :]
    if changed != content:
        with pytest.raises(ProofError):
            check(changed)


@pytest.mark.parametrize("count", [0, 3, 5])
def test_the_count_is_the_lines(count: int) -> None:
    with pytest.raises(ProofError) as error:
        check(b"".join(LINES_OF_LOG), count)
    assert error.value.step == END
