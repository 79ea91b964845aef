"""What policies and authorities are called, and the days of any int32."""

from __future__ import annotations

import datetime
import hashlib
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import any_day, codes, likely_day

from registry.core.authority import (
    ROOT,
    Role,
    administering_role,
    ancestors,
    check_code,
    decode_code,
    encode_code,
    parent,
    role_id,
)
from registry.core.calendar import (
    FIRST_DAY,
    LAST_DAY,
    NO_DATE,
    day_of,
    iso_date,
    iso_or_none,
    iso_time,
    parse_day,
    parse_time,
)
from registry.core.digest import parse_digest
from registry.core.jurisdiction import of_authority
from registry.core.policy import check_number, number_hash, policy_id, policy_key
from registry.core.units import Day
from registry.errors import InputError

# Numbers


def test_a_policy_is_found_by_authority_and_the_hash_of_its_number() -> None:
    number = hashlib.sha256("深府〔2017〕71号".encode()).digest()
    key = policy_key("CN.GD.SHENZHEN", "深府〔2017〕71号")
    assert key.number_hash == number
    padded = b"CN.GD.SHENZHEN" + bytes(18)
    assert key.policy_id == hashlib.sha256(padded + number).digest()
    assert policy_id("CN.GD.SHENZHEN", number) == key.policy_id


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("R\u00e9solution 7", "Re\u0301solution 7"),
        ("\u212b 1", "\u00c5 1"),
        ("\uac00", "\u1100\u1161"),
        ("\u0344", "\u0308\u0301"),
    ],
)
def test_two_ways_to_write_one_number_are_one_number(one: str, other: str) -> None:
    assert check_number(one) == check_number(other) == unicodedata.normalize("NFC", one)
    assert number_hash(one) == number_hash(other)


@pytest.mark.parametrize("other", ["7１", "71 ", "\u200171", "Ｄ.C. 7"])
def test_what_only_looks_alike_is_another_number_or_none(other: str) -> None:
    try:
        assert number_hash(other) != number_hash("71")
    except InputError:
        assert other != other.strip()


@given(st.text(max_size=90))
def test_a_number_is_kept_in_nfc_or_refused_with_words(text: str) -> None:
    try:
        number = check_number(text)
    except InputError:
        return
    assert number == unicodedata.normalize("NFC", text) == check_number(number)
    assert 0 < len(number.encode()) <= 256
    assert number == number.strip()
    assert not any(unicodedata.category(each) in {"Cc", "Cs", "Cn"} for each in number)
    assert number_hash(text) == hashlib.sha256(number.encode()).digest()


@pytest.mark.parametrize(("character", "count"), [("a", 256), ("é", 128), ("号", 85), ("📜", 64)])
def test_a_number_has_at_most_256_bytes(character: str, count: int) -> None:
    assert check_number(character * count)
    with pytest.raises(InputError, match="256 bytes"):
        check_number(character * (count + 1))


def test_it_is_the_bytes_after_normalisation_that_count() -> None:
    assert len(("e\u0301" * 128).encode()) == 384
    assert check_number("e\u0301" * 128) == "é" * 128


@pytest.mark.parametrize(
    "number",
    [
        "",
        " 71",
        "71 ",
        "7\n1",
        "7\t1",
        "\u300071",
        "71\u00a0",
        "7\r1",
        "7\x001",
        "7\x7f1",
        "7\x851",
    ],
)
def test_a_number_has_no_white_space_at_its_ends_and_no_line_break(number: str) -> None:
    with pytest.raises(InputError):
        check_number(number)


BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@pytest.mark.parametrize("control", BIDI)
def test_a_number_with_a_bidi_control_is_refused(control: str) -> None:
    for number in (f"7{control}1", f"{control}71", f"71{control}"):
        for takes in (check_number, number_hash):
            with pytest.raises(InputError, match=f"U\\+{ord(control):04X}"):
                takes(number)


@pytest.mark.parametrize("number", ["7\ud8001", "7\udfff", "7\ufdd01", "7\uffff", "7\U0002fffe1"])
def test_surrogates_and_noncharacters_are_refused(number: str) -> None:
    for takes in (check_number, number_hash):
        with pytest.raises(InputError, match=r"U\+"):
            takes(number)


def test_an_unassigned_character_is_not_written_but_can_be_looked_up() -> None:
    with pytest.raises(InputError, match=r"U\+0378"):
        check_number("7\u0378")
    assert number_hash("7\u0378") == hashlib.sha256("7\u0378".encode()).digest()


# Authorities


@given(codes())
def test_a_code_is_kept_as_it_is(code: str) -> None:
    assert check_code(code) == code
    word = encode_code(code)
    assert word == code.encode().ljust(32, b"\0")
    assert decode_code(word) == code


@given(st.binary(min_size=32, max_size=32) | codes().map(lambda c: c.encode().ljust(32, b"\0")))
def test_a_word_is_one_code_or_none(word: bytes) -> None:
    try:
        code = decode_code(word)
    except InputError:
        return
    assert encode_code(code) == word


@pytest.mark.parametrize(
    "code",
    [
        "",
        "cn",
        "CN.",
        ".CN",
        "CN..GD",
        "CN-.GD",
        "CN_GD",
        "CN GD",
        "CN\n",
        "ＣＮ",
        "CN.É",
        "-",
        "A" * 32,
        "CN/GD",
        "CN.GD\0",
    ],
)
def test_what_is_no_code_is_refused(code: str) -> None:
    with pytest.raises(InputError):
        check_code(code)


@pytest.mark.parametrize("word", [b"", b"CN", b"CN" + bytes(29), b"CN" + bytes(31)])
def test_a_code_has_exactly_32_bytes_on_chain(word: bytes) -> None:
    with pytest.raises(InputError, match="not an authority code"):
        decode_code(word)


def test_31_characters_are_a_code() -> None:
    assert check_code("A" * 31) == "A" * 31


def test_the_registrys_own_acts_have_the_empty_code() -> None:
    assert encode_code(ROOT) == bytes(32)
    assert decode_code(bytes(32)) == ROOT


@given(codes(), codes())
def test_no_two_roles_share_an_id(one: str, other: str) -> None:
    ids = {
        role_id(code, role) for code in {one, other} for role in (Role.REGISTRAR, Role.CONTROLLER)
    }
    assert len(ids) == 2 * len({one, other})
    assert role_id(one, Role.REGISTRAR) == one.encode().ljust(31, b"\0") + b"\1"
    assert role_id(one, Role.CONTROLLER) == one.encode().ljust(31, b"\0") + b"\2"


def test_the_administrators_role_is_zero() -> None:
    assert role_id(ROOT, Role.ADMIN) == bytes(32)


def test_who_appoints_whom_follows_from_the_code() -> None:
    assert administering_role("CN.GD", Role.REGISTRAR) == role_id("CN.GD", Role.CONTROLLER)
    assert administering_role("CN.GD", Role.CONTROLLER) == role_id("CN", Role.CONTROLLER)
    assert administering_role("CN", Role.CONTROLLER) == bytes(32)


@given(codes())
def test_the_chain_of_command_is_the_codes_prefixes(code: str) -> None:
    chain = [*ancestors(code), code]
    assert [parent(each) for each in chain] == ["", *chain[:-1]]
    assert all(check_code(each) for each in chain)


@pytest.mark.parametrize(
    ("code", "jurisdiction"),
    [
        ("CN.GD.SHENZHEN", "CN-GD"),
        ("CN.STATE-COUNCIL", "CN"),
        ("CN", "CN"),
        ("US.DC", "US-DC"),
        ("US.GD", "US"),
        ("DE.BY", "DE"),
        ("EUROPE", None),
        ("12.GD", None),
    ],
)
def test_a_code_implies_its_jurisdiction(code: str, jurisdiction: str | None) -> None:
    assert of_authority(code) == jurisdiction


# Digests


def test_a_digest_is_what_sha256sum_prints() -> None:
    assert parse_digest("AB" * 32) == parse_digest("ab" * 32) == b"\xab" * 32


@pytest.mark.parametrize(
    "text", ["", "ab" * 31, "ab" * 33, "ab" * 32 + "\n", "0x" + "ab" * 31, "g" * 64, "１" * 64]
)
def test_what_is_no_digest_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="not a SHA-256 digest"):
        parse_digest(text)


# Days


@given(st.dates())
def test_a_day_of_the_calendar_is_written_as_it_is_read(date: datetime.date) -> None:
    day = parse_day(date.isoformat())
    assert day == (date - datetime.date(1970, 1, 1)).days
    assert iso_date(day) == date.isoformat()


def parts(text: str) -> tuple[int, int, int]:
    """Year, month and day of an ISO 8601 date, expanded or not."""
    year, month, day = text.rsplit("-", 2)
    return int(year), int(month), int(day)


def following(date: tuple[int, int, int]) -> tuple[int, int, int]:
    """The next day in the proleptic Gregorian calendar, from its rules alone."""
    year, month, day = date
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    length = [31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
    if day < length:
        return year, month, day + 1
    return (year, month + 1, 1) if month < 12 else (year + 1, 1, 1)


turns = st.sampled_from(
    [
        FIRST_DAY,
        -719_529,
        -719_528,
        -719_163,
        -719_162,
        2_932_895,
        2_932_896,
        2_932_897,
        LAST_DAY - 1,
        -1,
        0,
    ]
)


@given(any_day.filter(lambda day: day < LAST_DAY) | likely_day | turns)
def test_days_follow_each_other_for_every_int32(day: int) -> None:
    assert parts(iso_date(day + 1)) == following(parts(iso_date(day)))


@given(any_day, any_day)
def test_a_later_day_is_written_as_a_later_date(one: int, other: int) -> None:
    assert (one < other) == (parts(iso_date(one)) < parts(iso_date(other)))


def test_the_ends_of_time() -> None:
    assert (NO_DATE, FIRST_DAY, LAST_DAY) == (-(2**31), -(2**31) + 1, 2**31 - 1)
    assert iso_date(FIRST_DAY) == "-5877641-06-24"
    assert iso_date(LAST_DAY) == "+5881580-07-11"
    assert iso_date(-719_162) == "0001-01-01"
    assert iso_date(-719_163) == "+000000-12-31"
    assert iso_date(-719_529) == "-000001-12-31"
    assert iso_date(2_932_896) == "9999-12-31"
    assert iso_date(2_932_897) == "+010000-01-01"


def test_no_day_and_the_beginning_of_time_are_shown_as_none() -> None:
    assert iso_or_none(None) is None
    assert iso_or_none(FIRST_DAY) is None
    assert iso_or_none(Day(FIRST_DAY + 1)) == "-5877641-06-25"
    assert iso_or_none(Day(0)) == "1970-01-01"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2024",
        "2024-7-1",
        "24-07-01",
        "2024-07-01 ",
        " 2024-07-01",
        "2024-07-01\n",
        "2024/07/01",
        "20240701",
        "2024-W27-1",
        "2024-183",
        "+2024-07-01",
        "2024-07-01Z",
        "２０２４-０７-０１",
        "٢٠٢٤-٠٧-٠١",
        "2024-13-01",
        "2024-00-01",
        "2024-02-30",
        "2023-02-29",
        "0000-01-01",
    ],
)
def test_what_is_no_date_is_refused_by_name(text: str) -> None:
    with pytest.raises(InputError, match="issued"):
        parse_day(text, "issued")


# Times


offsets = st.integers(-1439, 1439).map(
    lambda minutes: datetime.timezone(datetime.timedelta(minutes=minutes))
)


@given(st.datetimes(timezones=offsets))
def test_a_time_is_read_to_the_second_begun(moment: datetime.datetime) -> None:
    found = parse_time(moment.isoformat())
    start = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    seconds = (moment - start) // datetime.timedelta(seconds=1)
    assert found == seconds
    assert parse_time(moment.isoformat(" ").replace("+00:00", "z")) == seconds


@given(st.integers(0, 253_402_300_799))
def test_a_time_is_written_as_it_is_read(moment: int) -> None:
    assert parse_time(iso_time(moment)) == moment
    assert iso_date(day_of(moment)) == iso_time(moment)[:10]


@given(st.dates())
def test_a_day_as_a_time_is_its_last_second(date: datetime.date) -> None:
    moment = parse_time(date.isoformat())
    assert iso_time(moment) == f"{date.isoformat()}T23:59:59Z"


def test_every_uint64_has_a_time() -> None:
    assert iso_time(0) == "1970-01-01T00:00:00Z"
    assert iso_time(2**64 - 1) == "+584554051223-11-09T07:00:15Z"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2024-07-01T12:00:00",
        "2024-07-01T12:00Z",
        "2024-07-01T12Z",
        "20240701T120000Z",
        "2024-W27-1T12:00:00Z",
        "2024-07-01x12:00:00Z",
        "2024-07-01T12:00:00+01",
        "1719835200",
        "2024-07-01T12:00:00+0100",
        "2024-07-01T24:00:00Z",
        "2024-07-01T12:60:00Z",
        "2024-02-30",
        "2024-02-30T00:00:00Z",
        "2024-07-01T12:00:00Z\n",
        "2024-07-01T12:00:00.Z",
        "2024-07-01T12:00:00,5Z",
        "２０２４-07-01T12:00:00Z",
        "2024-07-01T12:00:00\ud800Z",
        "2024-07-01T12:00:00+25:00",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_time(text)


@given(st.text(max_size=40))
def test_no_text_stops_the_reading_of_a_time(text: str) -> None:
    for takes in (parse_time, parse_day, parse_digest, check_code):
        with pytest.raises(InputError):
            takes("~" + text)
