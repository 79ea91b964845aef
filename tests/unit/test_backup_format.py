"""A backup's file: what is written is read back, and what was altered or cut off is not."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_log_format import events, header_of

from registry.core.backup import BackupHeader, BackupReader, backup_lines, header_fields
from registry.core.feed import Block, Recorded
from registry.core.json_lines import bounded_lines
from registry.core.log_export import entry_line
from registry.core.snapshot import ndjson_line
from registry.core.verdict import FinalityBlocks
from registry.errors import InputError, NotVerified


def window_to(number: int, block_hash: bytes) -> list[Block]:
    """Three headers, each the parent of the next, up to this block."""
    hashes = [hashlib.sha256(b"window %d" % each).digest() for each in range(3)] + [block_hash]
    return [
        Block(number - 2 + at, hashes[at + 1], hashes[at], 1_700_000_000 + at) for at in range(3)
    ]


def header() -> BackupHeader:
    """A mirror that has read three blocks more than have entries."""
    found = header_of(events())
    told = replace(found.checkpoint, block=found.checkpoint.block + 3, block_hash=b"\x09" * 32)
    return BackupHeader(told, found.first_block, 1_700_000_002, FinalityBlocks(8, -1), 3)


def lines_of(head: BackupHeader, window: list[Block]) -> list[bytes]:
    return list(backup_lines(head, map(entry_line, events()), window))


WINDOW = window_to(header().checkpoint.block, header().checkpoint.block_hash)
LINES = lines_of(header(), WINDOW)
FILE = b"".join(LINES)


def read(file: bytes) -> tuple[BackupHeader, list[Recorded], list[Block]]:
    reader = BackupReader(bounded_lines(io.BytesIO(file), 1_000_000))
    return reader.header, list(reader.entries()), reader.window()


def test_what_is_written_is_read_back() -> None:
    assert read(FILE) == (header(), events(), WINDOW)


def test_a_mirror_without_a_window_has_none() -> None:
    head = replace(header(), window=0)
    assert read(b"".join(lines_of(head, []))) == (head, events(), [])


def test_the_last_line_is_the_digest_of_the_others() -> None:
    seal = hashlib.sha256(b"".join(LINES[:-1])).hexdigest()
    assert LINES[-1] == b'{"sha256":"%s"}\n' % seal.encode()


@given(st.integers(0, len(FILE) - 1))
def test_whatever_is_cut_off_is_missed(length: int) -> None:
    with pytest.raises((InputError, NotVerified)):
        read(FILE[:length])


@given(st.integers(0, len(FILE) - 1), st.integers(1, 255))
def test_no_byte_can_be_altered(place: int, change: int) -> None:
    altered = bytearray(FILE)
    altered[place] ^= change
    with pytest.raises((InputError, NotVerified)):
        read(bytes(altered))


@pytest.mark.parametrize("at", range(len(LINES)))
def test_no_line_can_be_left_out_or_doubled(at: int) -> None:
    for lines in (LINES[:at] + LINES[at + 1 :], LINES[: at + 1] + LINES[at:]):
        with pytest.raises((InputError, NotVerified)):
            read(b"".join(lines))


def resealed(lines: list[bytes]) -> bytes:
    """What somebody makes who knows the format."""
    content = b"".join(lines)
    return content + ndjson_line({"sha256": hashlib.sha256(content).hexdigest()})


@pytest.mark.parametrize(
    ("window", "why"),
    [
        (WINDOW[1:], "it has 2 block headers, its header says 3"),
        ([WINDOW[1], WINDOW[0], WINDOW[2]], "does not follow"),
        ([*WINDOW[:2], replace(WINDOW[2], parent=b"\1" * 32)], "does not follow"),
        ([*WINDOW[:2], replace(WINDOW[2], hash=b"\1" * 32)], "not the one of the header's block"),
    ],
)
def test_a_window_that_leads_elsewhere_is_refused(window: list[Block], why: str) -> None:
    with pytest.raises(InputError, match=why):
        read(b"".join(lines_of(header(), window)))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("schema", "policy-registry/log/1"),
        ("size", 0),
        ("first_block", 10**6),
        ("finalized", -1),
        ("window", "3"),
        ("other", None),
    ],
)
def test_a_header_is_read_strictly(key: str, value: object) -> None:
    fields = {**header_fields(header()), key: value}
    with pytest.raises(InputError):
        read(resealed([ndjson_line(fields), *LINES[1:-1]]))
