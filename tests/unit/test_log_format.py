"""The log as a file: what is written is read back, and nothing else is read at all."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from logs import CHECKPOINT, example
from strategies import entries

from registry.core.feed import Place, Recorded
from registry.core.json_lines import bounded_lines
from registry.core.log_export import (
    LogHeader,
    entry_line,
    header_line,
    read_entries,
    read_header,
)
from registry.errors import InputError, NotVerified

_hashes = st.binary(min_size=32, max_size=32)
_below_2_53 = st.integers(0, 2**53 - 1)


def events() -> list[Recorded]:
    """The example's log, two entries a block."""
    found = []
    for number, each in enumerate(example().logged):
        block = 7 + number // 2
        place = Place(block, hashlib.sha256(b"%d" % block).digest(), b"\3" * 32, 0)
        found.append(Recorded(each.entry, each.entry.leaf_hash(), place, each.manifest))
    return found


def header_of(found: list[Recorded], first_block: int = 3) -> LogHeader:
    last = found[-1].place
    told = replace(CHECKPOINT, size=len(found), block=last.block, block_hash=last.block_hash)
    return LogHeader(told, first_block)


def file_of(found: list[Recorded]) -> list[bytes]:
    return [header_line(header_of(found)), *map(entry_line, found)]


def read(lines: list[bytes]) -> tuple[LogHeader, list[Recorded]]:
    remaining = bounded_lines(io.BytesIO(b"".join(lines)), 1_000_000)
    header = read_header(remaining)
    return header, list(read_entries(header, remaining))


FILE = file_of(events())


def test_what_is_written_is_read_back() -> None:
    assert read(FILE) == (header_of(events()), events())


def test_a_manifest_is_text_or_hexadecimal_or_null() -> None:
    contents = [b"{}", '\0"\\ 政\ufeff'.encode(), b"\xff\xfe", b"", None]
    found = []
    for number, content in enumerate(contents):
        entry = replace(
            example().logged[0].entry,
            index=number,
            manifest=None if content is None else hashlib.sha256(content).digest(),
        )
        place = Place(5, b"\1" * 32, b"\2" * 32, 0)
        found.append(Recorded(entry, entry.leaf_hash(), place, content))
    lines = file_of(found)
    assert read(lines)[1] == found
    kept = [json.loads(line) for line in lines[1:]]
    assert [each["manifest"] for each in kept] == ["{}", '\0"\\ 政\ufeff', None, "", None]
    assert [each.get("manifest_hex") for each in kept] == [None, None, "fffe", None, None]


@given(entries, st.none() | st.binary(max_size=200), _below_2_53, _hashes, _hashes)
def test_every_line_is_rfc_8785_and_is_read_back(
    entry: Any, content: bytes | None, block: int, block_hash: bytes, transaction: bytes
) -> None:
    digest = None if content is None else hashlib.sha256(content).digest()
    entry = replace(entry, index=0, previous=None, recorded_at=entry.recorded_at >> 1)
    entry = replace(entry, manifest=digest)
    event = Recorded(entry, entry.leaf_hash(), Place(block, block_hash, transaction, 0), content)
    lines = [header_line(header_of([event], first_block=0)), entry_line(event)]
    for line in lines:
        assert line == rfc8785.dumps(json.loads(line)) + b"\n"
    assert read(lines)[1] == [event]


@given(st.data())
def test_no_byte_can_be_changed_unnoticed(data: st.DataObject) -> None:
    content = bytearray(b"".join(FILE))
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] = data.draw(st.integers(0, 255).filter(lambda byte: byte != content[at]))
    try:
        found = read([bytes(content)])
    except (InputError, NotVerified):
        return
    assert found != (header_of(events()), events())


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with pytest.raises((InputError, NotVerified)):
        read([FILE[0], content])
    with pytest.raises((InputError, NotVerified)):
        read([content, *FILE[1:]])


def changed(line: int, change: Callable[[dict[str, Any]], None]) -> list[bytes]:
    fields = json.loads(FILE[line])
    change(fields)
    return [*FILE[:line], rfc8785.dumps(fields) + b"\n", *FILE[line + 1 :]]


def put(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda fields: fields.update({name: value})


def drop(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda fields: fields.pop(name)


_HASH = {"number": 7, "hash": "0x" + "ab" * 32}


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "the file is empty"),
        (FILE[1:], "line 1: it has no schema"),
        (changed(0, put("schema", "policy-registry/log/2")), "line 1: it has schema"),
        (changed(0, put("more", 1)), "line 1: the header has an unknown key 'more'"),
        (changed(0, drop("root")), "line 1: the header has no 'root'"),
        (changed(0, put("root", "AB" * 32)), "line 1: root is not lower-case hexadecimal"),
        (changed(0, put("root", "ab" * 31)), "line 1: root has 31 bytes, not 32"),
        (changed(0, put("size", True)), "line 1: size is not a whole number"),
        (changed(0, put("size", 0)), "line 1: size is 0"),
        (changed(0, put("size", 1.5)), "line 1: size is not a whole number"),
        (changed(0, put("chain", "eip155:x")), "line 1: chain is not a CAIP-2 name"),
        (changed(0, put("contract", "eip155:2:0x" + "11" * 20)), "line 1: contract is not"),
        (changed(0, put("first_block", 99)), "line 1: first_block lies after"),
        (changed(0, put("size", 6)), "line 8: it stands after the 6 entries"),
        (changed(0, put("size", 8)), "the file ends after 7 entries, its header has 8"),
        (changed(0, put("block", _HASH)), "line 4: block 8 lies outside"),
        ([FILE[0].replace(b'{"b', b'{ "b'), *FILE[1:]], "line 1: it is not canonical"),
        ([FILE[0][:-1] + b"\r\n", *FILE[1:]], "line 1: it is not canonical"),
        ([FILE[0], FILE[1][:-2] + b',"block":1}\n'], "line 2: the key 'block' occurs twice"),
        ([FILE[0], b"\n"], "line 2: it is not JSON"),
        ([FILE[0], b"[]\n"], "line 2: it is not a JSON object"),
        ([FILE[0], b'"\\ud800"\n'], "line 2: it is not a JSON object"),
        ([FILE[0], b"\xff\n"], "line 2: it is not UTF-8"),
        ([*FILE[:3], *FILE[4:]], "line 4: entry 3 stands where entry 2 must"),
        ([*FILE[:3], FILE[2], *FILE[3:]], "line 4: entry 1 stands where entry 2 must"),
        ([*FILE[:2], FILE[3], FILE[2], *FILE[4:]], "line 3: entry 2 stands where entry 1 must"),
        ([*FILE[:-1], FILE[-1][:-1]], "line 8: it has no line feed at its end"),
        ([*FILE, b"\n"], "line 9: it stands after the 7 entries"),
        ([*FILE, FILE[0]], "line 9: it stands after the 7 entries"),
        (FILE[:-1], "the file ends after 6 entries"),
        (changed(2, put("entry", "00")), "line 3: entry has 1 bytes, not 352"),
        (changed(2, put("entry", "ff" * 352)), "line 3: an entry's words are not padded"),
        (changed(2, put("manifest", "{}")), "line 3: the manifest is not the one that entry 1"),
        (changed(2, put("manifest", 7)), "line 3: manifest is neither a text nor null"),
        (changed(2, put("manifest_hex", "ff")), "line 3: it has a manifest and a manifest_hex"),
        (changed(4, put("manifest_hex", "7b7d")), "line 5: manifest_hex holds UTF-8"),
        (changed(4, put("manifest_hex", None)), "line 5: manifest_hex is not hexadecimal"),
        (changed(2, drop("transaction")), "line 3: the line has no 'transaction'"),
        (changed(2, put("transaction", "ab" * 32)), "line 3: transaction is not hexadecimal with"),
        (changed(2, put("block", _HASH)), "line 3: block 7 has two hashes"),
        (changed(3, put("block", _HASH)), "line 4: block 7 has two hashes"),
        (changed(5, put("block", {**_HASH, "number": 7})), "line 6: block 7 comes after block 8"),
        (changed(2, put("block", {**_HASH, "number": 2})), "line 3: block 2 lies outside"),
        (changed(7, put("block", {**_HASH, "number": 10})), "the header's block is not"),
        (changed(2, put("more", {})), "line 3: the line has an unknown key 'more'"),
    ],
)
def test_what_is_wrong_is_said_with_the_line(lines: list[bytes], said: str) -> None:
    with pytest.raises((InputError, NotVerified)) as error:
        read(lines)
    assert said in str(error.value)


def test_a_line_without_end_is_not_held_in_memory() -> None:
    class Endless(io.RawIOBase):
        asked = 0

        def readline(self, limit: int | None = -1, /) -> bytes:
            assert limit is not None
            self.asked += limit
            return b"x" * limit

    file = Endless()
    with pytest.raises(InputError, match="line 1 is longer than 1000 bytes"):
        list(bounded_lines(file, 1000))
    assert file.asked == 1001
