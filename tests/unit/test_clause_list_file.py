"""Lists of clauses as a file: the same bytes from everywhere, nothing taken that was altered."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
import pytest

from registry.core.digest import sha256
from registry.core.text.clauses import MAX_LABEL_BYTES, ClauseHash, clauses_root
from registry.core.text.list_file import (
    GROUP,
    MAX_LINE,
    Listed,
    lists_file,
    read_lists_file,
)
from registry.errors import InputError, NotVerified


def listed(count: int, word: str = "Article") -> Listed:
    hashes = [ClauseHash(f"{word} {n}", sha256(b"%d" % n)) for n in range(count)]
    return Listed(clauses_root(hashes), hashes)


LISTS = sorted([listed(3), listed(GROUP + 1, "第"), listed(1, "§")], key=lambda each: each.root)


def lines_of(lists: Sequence[Listed]) -> list[bytes]:
    return list(lists_file(len(lists), lists))


def read(lines: Sequence[bytes]) -> list[Listed]:
    _, found = read_lists_file(iter(lines))
    return list(found)


def test_what_is_written_is_read_again() -> None:
    assert read(lines_of(LISTS)) == LISTS
    assert read(lines_of([])) == []


def test_a_file_is_lines_of_canonical_json() -> None:
    one = Listed(*(lambda found: (found.root, found.hashes))(listed(2)))
    first, second = (each.text_hash.hex() for each in one.hashes)
    assert b"".join(lines_of([one])).decode() == (
        '{"lists":1,"schema":"policy-registry/clause-lists/1"}\n'
        f'{{"clauses":2,"root":"{one.root.hex()}"}}\n'
        f'{{"clauses":[["Article 0","{first}"],["Article 1","{second}"]]}}\n'
    )


def test_the_longest_line_is_within_the_limit() -> None:
    worst = [ClauseHash("\x00" * MAX_LABEL_BYTES, sha256(b"")) for _ in range(GROUP)]
    assert max(map(len, lines_of([Listed(clauses_root(worst), worst)]))) <= MAX_LINE


def test_a_list_that_was_altered_is_refused_by_its_name() -> None:
    lines = lines_of(LISTS)
    of_third = max(at for at, line in enumerate(lines) if b'"root"' in line)
    for old, new in ((b" 0", b" 9"), (sha256(b"0").hex().encode(), sha256(b"x").hex().encode())):
        altered = [*lines[: of_third + 1], lines[of_third + 1].replace(old, new)]
        with pytest.raises(NotVerified, match=LISTS[-1].root.hex()):
            read([*altered, *lines[of_third + 2 :]])


def changed(at: int, line: bytes | None) -> list[bytes]:
    lines = lines_of(LISTS)
    lines[at : at + 1] = [] if line is None else [line]
    return lines


WRONG = {
    "nothing": [],
    "no header": lines_of(LISTS)[1:],
    "another schema": changed(0, b'{"lists":3,"schema":"policy-registry/collection/1"}\n'),
    "an unknown key": changed(
        0, b'{"lists":3,"more":1,"schema":"policy-registry/clause-lists/1"}\n'
    ),
    "too few lists": changed(0, b'{"lists":4,"schema":"policy-registry/clause-lists/1"}\n'),
    "too many lists": changed(0, b'{"lists":2,"schema":"policy-registry/clause-lists/1"}\n'),
    "cut off": lines_of(LISTS)[:-1],
    "cut within a line": [*lines_of(LISTS)[:-1], lines_of(LISTS)[-1][:-1]],
    "not canonical": changed(0, b'{"schema":"policy-registry/clause-lists/1","lists":3}\n'),
    "no clauses": changed(1, orjson.dumps({"clauses": 0, "root": LISTS[0].root.hex()}) + b"\n"),
    "too many clauses": changed(
        1, orjson.dumps({"clauses": 10**7, "root": LISTS[0].root.hex()}) + b"\n"
    ),
    "a clause that is none": changed(2, b'{"clauses":[["Article 0"]]}\n'),
    "clauses that are no list": changed(2, b'{"clauses":"Article 0"}\n'),
    "two of one root": [
        lines_of(LISTS)[0], *lines_of(LISTS[:1])[1:], *lines_of(LISTS[:2])[1:]
    ],
}  # fmt: skip


@pytest.mark.parametrize("lines", WRONG.values(), ids=WRONG.keys())
def test_what_is_no_such_file_is_refused(lines: list[bytes]) -> None:
    with pytest.raises(InputError):
        read(lines)
