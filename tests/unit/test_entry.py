"""An entry has exactly one form in bytes: the ABI encoding of its eleven words."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode as abi_encode
from hypothesis import given
from hypothesis import strategies as st
from strategies import any_day, entries

from registry.core.calendar import NO_DATE, iso_date
from registry.core.entry import ENTRY_SIZE, NO_ENTRY, Action, Entry, decode_entry
from registry.errors import Inconsistent

VECTORS = json.loads(
    (Path(__file__).parents[1] / "vectors" / "entries.json").read_text(encoding="utf-8")
)
# DESIGN 3, "Entry, in this order"
TUPLE = "(uint64,uint64,bytes32,bytes32,uint32,uint8,int32,bytes32,bytes32,address,uint64)"
ORDINARY = Entry(
    index=7,
    previous=3,
    authority="CN.GD.SHENZHEN",
    number=hashlib.sha256("深府〔2017〕71号".encode()).digest(),
    sequence=2,
    action=Action.AMEND,
    effective_on=17_348,
    document=hashlib.sha256(b"document").digest(),
    manifest=hashlib.sha256(b"manifest").digest(),
    registrar=bytes(range(1, 21)),
    recorded_at=1_700_000_000,
)


def words_of(entry: Entry) -> tuple[Any, ...]:
    return (
        entry.index,
        2**64 - 1 if entry.previous is None else entry.previous,
        entry.authority.encode().ljust(32, b"\0"),
        entry.number,
        entry.sequence,
        int(entry.action),
        -(2**31) if entry.effective_on is None else entry.effective_on,
        entry.document or bytes(32),
        entry.manifest or bytes(32),
        "0x" + entry.registrar.hex(),
        entry.recorded_at,
    )


@given(entries)
def test_an_entry_is_the_abi_encoding_of_its_words(entry: Entry) -> None:
    assert entry.encode() == abi_encode([TUPLE], [words_of(entry)])


@given(entries)
def test_what_is_encoded_is_decoded_again(entry: Entry) -> None:
    assert decode_entry(entry.encode()) == entry


@given(entries)
def test_the_leaf_is_sha256_of_a_zero_byte_and_the_entry(entry: Entry) -> None:
    assert entry.leaf_hash() == hashlib.sha256(b"\0" + entry.encode()).digest()


def decoded(encoded: bytes) -> Entry | None:
    try:
        return decode_entry(encoded)
    except Inconsistent:
        return None


@pytest.mark.parametrize(
    "entry",
    [
        ORDINARY,
        replace(ORDINARY, effective_on=-1, previous=None, document=None, manifest=None),
        replace(ORDINARY, effective_on=None, authority="", action=Action.RETIRE),
    ],
    ids=["ordinary", "nothing optional", "act of the registry"],
)
def test_no_other_bytes_are_the_same_entry(entry: Entry) -> None:
    """Every byte set to other values: another entry, or none that the contract writes."""
    encoded = entry.encode()
    for at in range(ENTRY_SIZE):
        for value in {0x00, 0x01, 0x7F, 0x80, 0xFF, encoded[at] ^ 1, encoded[at] ^ 0x80}:
            if value == encoded[at]:
                continue
            changed = encoded[:at] + bytes([value]) + encoded[at + 1 :]
            found = decoded(changed)
            assert found != entry
            assert found is None or found.encode() == changed


@given(st.binary(min_size=ENTRY_SIZE, max_size=ENTRY_SIZE) | entries.map(Entry.encode), st.data())
def test_decoding_takes_only_what_encoding_gives(encoded: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, ENTRY_SIZE - 1))
    changed = encoded[:at] + bytes([data.draw(st.integers(0, 255))]) + encoded[at + 1 :]
    found = decoded(changed)
    assert found is None or found.encode() == changed


# word number, how many of its first bytes are padding
PADDING = {0: 24, 1: 24, 4: 28, 5: 31, 6: 28, 9: 12, 10: 24}


@pytest.mark.parametrize(("word", "count"), PADDING.items())
def test_padding_is_checked_to_the_last_bit(word: int, count: int) -> None:
    encoded = ORDINARY.encode()
    for at in range(word * 32, word * 32 + count):
        for bit in range(8):
            changed = bytearray(encoded)
            changed[at] ^= 1 << bit
            with pytest.raises(Inconsistent, match="padded"):
                decode_entry(bytes(changed))


@given(any_day)
def test_a_date_is_sign_extended(day: int) -> None:
    word = replace(ORDINARY, effective_on=day).encode()[6 * 32 : 7 * 32]
    assert int.from_bytes(word, "big", signed=True) == day


@pytest.mark.parametrize(
    "day", [-(2**31) + 1, -719_162, -7_305, -1, 0, 1, 17_348, 2_932_896, 2**31 - 1]
)
def test_dates_before_1970_are_kept(day: int) -> None:
    entry = replace(ORDINARY, effective_on=day)
    assert decode_entry(entry.encode()).effective_on == day
    assert iso_date(day)


def test_no_date_is_the_types_minimum_and_not_a_day() -> None:
    encoded = replace(ORDINARY, effective_on=None).encode()
    assert int.from_bytes(encoded[6 * 32 : 7 * 32], "big", signed=True) == NO_DATE == -(2**31)
    assert decode_entry(encoded).effective_on is None


def test_no_previous_entry_is_the_types_maximum() -> None:
    encoded = replace(ORDINARY, previous=None).encode()
    assert encoded[32:64] == (NO_ENTRY).to_bytes(32, "big") == (2**64 - 1).to_bytes(32, "big")
    assert decode_entry(encoded).previous is None
    assert decode_entry(replace(ORDINARY, previous=0).encode()).previous == 0


@pytest.mark.parametrize("length", [0, 1, 351, 353, 704])
def test_an_entry_has_352_bytes(length: int) -> None:
    with pytest.raises(Inconsistent, match=f"352 bytes, these are {length}"):
        decode_entry((ORDINARY.encode() * 2)[:length])


@pytest.mark.parametrize("field", ["number", "document", "manifest", "registrar"])
def test_a_hash_of_the_wrong_length_is_not_filled_up_or_cut(field: str) -> None:
    right = getattr(ORDINARY, field)
    for wrong in (right[:-1], right + b"\0", b"\1"):
        with pytest.raises(ValueError, match="entry 7 holds"):
            replace(ORDINARY, **{field: wrong}).encode()


@pytest.mark.parametrize("action", [0, 19, 255])
def test_an_unknown_action_is_not_one_the_contract_writes(action: int) -> None:
    changed = bytearray(ORDINARY.encode())
    changed[6 * 32 - 1] = action
    with pytest.raises(Inconsistent, match="entry 7 is not one the contract writes"):
        decode_entry(bytes(changed))


@pytest.mark.parametrize(
    "word",
    [
        b"cn",
        b"CN.",
        b".CN",
        b"CN..GD",
        b"CN GD",
        b"C\0N",
        b"\0CN",
        b"A" * 32,
        b"\xff" * 32,
        b"C\xc9",
    ],
)
def test_an_authority_that_is_no_code_is_not_one_the_contract_writes(word: bytes) -> None:
    encoded = ORDINARY.encode()
    with pytest.raises(Inconsistent, match="not one the contract writes"):
        decode_entry(encoded[:64] + word.ljust(32, b"\0") + encoded[96:])


def test_actions_are_numbered_as_in_the_contract() -> None:
    source = (Path(__file__).parents[2] / "contracts" / "Entry.sol").read_text(encoding="utf-8")
    names = source.split("enum Action {")[1].split("}")[0].replace(" ", "").split(",")
    assert [each.strip() for each in names] == [
        "None",
        *(each.name.title().replace("_", "") for each in Action),
    ]
    assert [int(each) for each in Action] == list(range(1, len(names)))


@pytest.mark.parametrize("vector", VECTORS["entries"], ids=lambda each: each["name"])
def test_the_bytes_of_an_entry_never_change(vector: dict[str, Any]) -> None:
    """The file is the format: another implementation can be tested with it alone."""
    fields = vector["entry"]
    entry = Entry(
        index=int(fields["index"]),
        previous=None if fields["previous"] is None else int(fields["previous"]),
        authority=fields["authority"],
        number=bytes.fromhex(fields["number"]),
        sequence=fields["sequence"],
        action=Action[fields["action"].upper().replace("-", "_")],
        effective_on=fields["effective_on"],
        document=fields["document"] and bytes.fromhex(fields["document"]),
        manifest=fields["manifest"] and bytes.fromhex(fields["manifest"]),
        registrar=bytes.fromhex(fields["registrar"]),
        recorded_at=int(fields["recorded_at"]),
    )
    encoded = bytes.fromhex("".join(vector["words"]))
    assert entry.encode() == encoded
    assert decode_entry(encoded) == entry
    assert entry.leaf_hash().hex() == vector["leaf_hash"]


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda each: each["name"])
def test_what_is_no_entry_is_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(Inconsistent):
        decode_entry(bytes.fromhex("".join(vector["words"])))
