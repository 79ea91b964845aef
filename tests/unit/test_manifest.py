"""A manifest is written canonically, read strictly, and never stops whoever reads it."""

from __future__ import annotations

import hashlib
import json
import math
from contextlib import suppress
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from registry.core import strict_json
from registry.core.calendar import parse_day
from registry.core.entry import Action, Entry
from registry.core.manifest import (
    MAX_INLINE_BYTES,
    PROFILE_SCHEMA,
    RELATION_TYPES,
    SCHEMA,
    ManifestState,
    canonical,
    parse,
    profile,
    profile_names,
    read,
)
from registry.core.policy import number_hash
from registry.errors import InputError

NUMBER = "深府〔2017〕71号"
DOCUMENT = {"sha256": "ab" * 32, "size": 12, "media_type": "text/plain", "name": "a.txt"}
PLAIN: dict[str, Any] = {
    "schema": "policy-registry/manifest/1",
    "authority": "CN.GD.SHENZHEN",
    "number": NUMBER,
    "action": "publish",
    "title": {"zh": "关于金融业发展的若干措施", "en": "Measures for the Financial Sector"},
    "document": DOCUMENT,
}
FULL: dict[str, Any] = {
    **PLAIN,
    "type": "notice",
    "jurisdiction": "CN-GD",
    "issued": "2017-07-01",
    "effective_from": "2017-09-01",
    "effective_to": "2022-08-31",
    "renditions": [{**DOCUMENT, "sha256": "cd" * 32, "language": "en"}],
    "relations": [
        {"type": "implements", "policy": "ef" * 32},
        {"type": "cites", "citation": "银发〔2015〕221号"},
    ],
    "reason": "first issue",
    "source": "https://example.org/71",
    "subjects": ["finance", "technology"],
    "text": {
        "profile": "text/1",
        "sha256": "12" * 32,
        "clauses_root": "34" * 32,
        "clauses": 12,
        "extractor": "pdf/1",
        "salted": True,
    },
    "a key of the future": {"nested": [1, True, None, -(2**53) + 1]},
}


def bytes_of(fields: Any) -> bytes:
    return json.dumps(fields, ensure_ascii=False).encode("utf-8", "surrogatepass")


def changed(**fields: Any) -> dict[str, Any]:
    return {**FULL, **fields}


def without(*keys: str) -> dict[str, Any]:
    return {key: value for key, value in FULL.items() if key not in keys}


def entry_of(content: bytes, fields: dict[str, Any], **differing: Any) -> Entry:
    """The entry that a registrar would have made of this manifest."""
    values: dict[str, Any] = {
        "index": 0,
        "previous": None,
        "authority": fields["authority"],
        "number": number_hash(fields["number"]),
        "sequence": 1,
        "action": Action.PUBLISH,
        "effective_on": parse_day("2017-09-01"),
        "document": bytes.fromhex("ab" * 32),
        "manifest": hashlib.sha256(content).digest(),
        "registrar": bytes(20),
        "recorded_at": 0,
    }
    return Entry(**{**values, **differing})


# Writing


@pytest.mark.parametrize("fields", [PLAIN, FULL], ids=["plain", "full"])
def test_what_is_written_is_rfc_8785(fields: dict[str, Any]) -> None:
    assert canonical(fields) == rfc8785.dumps(fields)
    assert canonical(dict(reversed(fields.items()))) == canonical(fields)


@pytest.mark.parametrize("fields", [PLAIN, FULL], ids=["plain", "full"])
def test_what_is_written_is_read_again(fields: dict[str, Any]) -> None:
    found = parse(canonical(fields))
    assert found.fields == fields
    assert canonical(found.fields) == canonical(fields)


def test_the_bytes_of_a_manifest_never_change() -> None:
    assert hashlib.sha256(canonical(FULL)).hexdigest() == (
        "6156b4c41693f0ba7482b4410dc66be57caa8997a829ed1666619fe2dca88db0"
    )


BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
json_text = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cn"], exclude_characters=BIDI),
    max_size=12,
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | json_text,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abcé政\n", max_size=4), inner)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["subjects", "note", "政", "x y"]), json_values))
def test_unknown_keys_are_kept_whatever_they_hold(extra: dict[str, Any]) -> None:
    fields = {**PLAIN, **extra}
    content = canonical(fields)
    assert content == rfc8785.dumps(fields)
    assert parse(content).fields == fields


def test_a_manifest_of_8_kib_fits_and_one_byte_more_does_not() -> None:
    room = MAX_INLINE_BYTES - len(canonical({**PLAIN, "reason": ""}))
    assert len(canonical({**PLAIN, "reason": "r" * room})) == MAX_INLINE_BYTES == 8192
    with pytest.raises(InputError, match="8193 bytes, at most 8192"):
        canonical({**PLAIN, "reason": "r" * (room + 1)})


def test_dates_are_read_as_days() -> None:
    found = parse(canonical(FULL))
    assert found.issued == parse_day("2017-07-01")
    assert found.effective_from == found.applies_from == parse_day("2017-09-01")
    assert found.effective_to == parse_day("2022-08-31")
    assert parse(bytes_of(without("effective_from"))).applies_from == parse_day("2017-07-01")
    assert parse(bytes_of(PLAIN)).applies_from is None


# Reading: what is refused, by writers and readers alike

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no schema": (without("schema"), "schema"),
    "another schema": (changed(schema="policy-registry/manifest/2"), "schema"),
    "no authority": (without("authority"), "no authority"),
    "authority a list": (changed(authority=["CN"]), "no authority"),
    "no number": (without("number"), "no number"),
    "number a number": (changed(number=71), "no number"),
    "empty number": (changed(number=""), "no number"),
    "number of spaces": (changed(number="  "), "white space"),
    "number too long": (changed(number="号" * 86), "256 bytes"),
    "no action": (without("action"), "no action"),
    "no title": (without("title"), "no language"),
    "empty title": (changed(title={}), "no language"),
    "title a text": (changed(title="Measures"), "no language"),
    "title a list": (changed(title=["Measures"]), "no language"),
    "title null": (changed(title=None), "no language"),
    "title blank": (changed(title={"en": " \t"}), "title in en is empty"),
    "title of a number": (changed(title={"en": 7}), "title in en is empty"),
    "title of a list": (changed(title={"en": []}), "title in en is empty"),
    "title in no BCP 47 language": (changed(title={"English!": "x"}), "BCP 47"),
    "title in an empty language": (changed(title={"": "x"}), "BCP 47"),
    "type a list": (changed(type=["notice"]), "its type"),
    "type null": (changed(type=None), "its type"),
    "reason a number": (changed(reason=1), "its reason"),
    "source an object": (changed(source={}), "its source"),
    "jurisdiction in words": (changed(jurisdiction="Guangdong"), "ISO 3166-2"),
    "jurisdiction a list": (changed(jurisdiction=["CN"]), "ISO 3166-2"),
    "document a text": (changed(document="ab" * 32), "document is not an object"),
    "document null": (changed(document=None), "document is not an object"),
    "document empty": (changed(document={}), "no SHA-256"),
    "document's hash in capitals": (changed(document={"sha256": "AB" * 32}), "lower-case"),
    "document's hash short": (changed(document={"sha256": "ab" * 31}), "no SHA-256"),
    "document's hash with a line end": (changed(document={"sha256": "ab" * 32 + "\n"}), "SHA-256"),
    "document's hash a list": (changed(document={"sha256": ["ab" * 32]}), "no SHA-256"),
    "document's size negative": (changed(document={**DOCUMENT, "size": -1}), "size"),
    "document's size true": (changed(document={**DOCUMENT, "size": True}), "size"),
    "document's size a text": (changed(document={**DOCUMENT, "size": "12"}), "size"),
    "renditions an object": (changed(renditions={}), "renditions is not a list"),
    "renditions null": (changed(renditions=None), "renditions is not a list"),
    "rendition a text": (changed(renditions=["a"]), "rendition 0 is not an object"),
    "rendition without hash": (changed(renditions=[DOCUMENT, {}]), "rendition 1 has no SHA-256"),
    "relations a text": (changed(relations="cites"), "relations is not a list"),
    "relations of numbers": (changed(relations=[1]), "a relation has a type"),
    "relation of unknown type": (changed(relations=[{"type": "likes"}]), "a relation has a type"),
    "relation's type a list": (changed(relations=[{"type": []}]), "a relation has a type"),
    "relation's type an object": (changed(relations=[{"type": {}}]), "a relation has a type"),
    "relation to nothing": (changed(relations=[{"type": "cites"}]), "neither"),
    "relation to an empty citation": (
        changed(relations=[{"type": "cites", "citation": ""}]),
        "neither",
    ),
    "relation to a number": (
        changed(relations=[{"type": "cites", "policy": 7, "citation": "x"}]),
        "no policy_id",
    ),
    "date in words": (changed(issued="1 July 2017"), "not a date"),
    "date a number": (changed(issued=20170701), "not a date"),
    "date a list": (changed(effective_to=["2017-07-01"]), "not a date"),
    "date of no calendar": (changed(issued="2017-02-29"), "does not exist"),
    "date in year 0": (changed(issued="0000-01-01"), "does not exist"),
    "date in full-width digits": (changed(issued="２０１７-０７-０１"), "not a date"),
    "date with a time": (changed(issued="2017-07-01T00:00:00Z"), "not a date"),
    "ends before it starts": (changed(effective_to="2017-08-31"), "before it starts"),
    "number of 2^53": (changed(count=2**53), "2\\^53"),
    "number of -2^53": (changed(count=[{"deep": -(2**53)}]), "2\\^53"),
    "whole float": (changed(count=1.0), "floating-point"),
    "float deep inside": (changed(count=[[{"x": [0.5]}]]), "floating-point"),
    "bidi override in the title": (changed(title={"en": "a\u202eb"}), "U\\+202E"),
    "bidi isolate in an unknown key": (changed(**{"x\u2066": 1}), "U\\+2066"),
    "right-to-left mark in a value": (changed(note=["\u200f"]), "U\\+200F"),
    "arabic letter mark in the number": (changed(number="7\u061c1"), "U\\+061C"),
    "control character": (changed(reason="a\0b"), "U\\+0000"),
    "escape": (changed(reason="\x1b[31m"), "U\\+001B"),
    "noncharacter": (changed(reason="\uffff"), "U\\+FFFF"),
    "noncharacter of another plane": (changed(reason="\U0010fffe"), "U\\+10FFFE"),
}


@pytest.mark.parametrize(("fields", "problem"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_manifest_is_neither_read_nor_written(fields: Any, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        parse(bytes_of(fields))
    with pytest.raises(InputError, match=problem):
        canonical(fields)


def replaced(old: str, new: str) -> bytes:
    content = bytes_of(FULL).decode()
    assert content.count(old) == 1
    return content.replace(old, new).encode("utf-8")


UNREADABLE: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "not JSON"),
    "byte-order mark": (b"\xef\xbb\xbf" + bytes_of(FULL), "not JSON"),
    "UTF-16": (json.dumps(FULL).encode("utf-16"), "not UTF-8"),
    "a byte that is not UTF-8": (bytes_of(FULL)[:-1] + b"\xff}", "not UTF-8"),
    "a surrogate in UTF-8": (bytes_of(changed(reason="\ud800")), "not UTF-8"),
    "an escaped surrogate": (replaced("first issue", "\\ud800"), "U\\+D800"),
    "an escaped surrogate in a key": (replaced("a key of the future", "\\udfff"), "U\\+DFFF"),
    "an escaped bidi control": (replaced("first issue", "\\u202e"), "U\\+202E"),
    "a duplicate key": (replaced('"type": "notice"', '"type": "a", "type": "a"'), "'type'"),
    "a duplicate key, escaped": (
        replaced('"type": "notice"', '"type": "a", "\\u0074ype": "b"'),
        "'type'",
    ),
    "a duplicate key inside": (
        replaced(
            '"size": 12, "media_type": "text/plain", "name": "a.txt"},', '"size": 12, "size": 12},'
        ),
        "'size'",
    ),
    "NaN": (replaced('"first issue"', "NaN"), "NaN"),
    "Infinity": (replaced('"first issue"', "-Infinity"), "-Infinity"),
    "a number beyond floats": (replaced('"first issue"', "1e999"), "floating-point"),
    "an exponent": (replaced('"first issue"', "1e2"), "floating-point"),
    "a number of 5,000 digits": (replaced('"first issue"', "9" * 5000), "not JSON"),
    "a number of 4,000 digits": (replaced('"first issue"', "9" * 4000), "2\\^53"),
    "a leading zero": (replaced('"first issue"', "01"), "not JSON"),
    "text after it": (bytes_of(FULL) + b" {}", "not JSON"),
    "a comment": (b"/* */" + bytes_of(FULL), "not JSON"),
    "a comma too many": (bytes_of(FULL)[:-1] + b",}", "not JSON"),
    "a raw line end in a text": (replaced("first issue", "first\nissue"), "not JSON"),
    "a list": (b"[]", "JSON object"),
    "a text": (b'"manifest"', "JSON object"),
    "null": (b"null", "JSON object"),
    "deeply nested lists": (b"[" * 65 + b"]" * 65, "deeper than 64"),
    "deeply nested objects": (b'{"a":' * 4000 + b"1" + b"}" * 4000, "deeper than 64"),
    "depth hidden behind brackets in a text": (
        b'["' + b"]" * 3900 + b'",' + b"[" * 3900,
        "deeper than 64",
    ),
    "depth hidden behind an escaped quote": (
        b'["\\"' + b"}" * 3900 + b'\\\\",' + b'{"a":' * 700,
        "deeper than 64",
    ),
}


@pytest.mark.parametrize(("content", "problem"), UNREADABLE.values(), ids=UNREADABLE)
def test_bytes_that_mean_two_things_or_none_are_unreadable(content: bytes, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        parse(content)
    reading = read(entry_of(content, FULL), content)
    assert (reading.state, reading.manifest) == (ManifestState.UNREADABLE, None)
    assert reading.problem


def test_64_levels_are_read_and_brackets_in_texts_are_no_levels() -> None:
    nested: Any = "]}" * 200 + "[{" * 200
    for _ in range(62):
        nested = [nested]
    assert parse(bytes_of(changed(note=nested))).fields["note"] == nested


UNASSIGNED = "\u0378"


@pytest.mark.parametrize("key", ["reason", "number"])
def test_unassigned_code_points_are_read_but_not_written(key: str) -> None:
    """A later Unicode version may assign them: two mirrors must not disagree."""
    fields = changed(**{key: f"7{UNASSIGNED}1"})
    content = bytes_of(fields)
    with pytest.raises(InputError, match=r"U\+0378"):
        canonical(fields)
    assert read(entry_of(content, fields), content).state is ManifestState.PRESENT


def test_a_python_value_that_is_not_json_is_not_written() -> None:
    for wrong in ((1.5,), b"bytes", {1, 2}, object()):
        with pytest.raises(InputError, match="which JSON has not"):
            canonical(changed(note=wrong))
    with pytest.raises(InputError, match="floating"):
        canonical(changed(note=math.nan))
    with pytest.raises(InputError, match="2\\^53"):
        canonical(changed(note=10**5000))


# Reading beside the entry: the four states


def test_a_manifest_that_is_the_entrys_is_present() -> None:
    content = canonical(FULL)
    reading = read(entry_of(content, FULL), content)
    assert (reading.state, reading.problem) == (ManifestState.PRESENT, None)
    assert reading.manifest is not None
    assert reading.manifest.title == FULL["title"]


def test_a_manifest_of_which_only_the_digest_is_known_is_absent() -> None:
    assert read(entry_of(b"", FULL), None).state is ManifestState.ABSENT
    assert read(entry_of(b"", FULL, manifest=None), None).state is ManifestState.ABSENT


def test_other_bytes_are_mismatched_however_good_they_are() -> None:
    content = canonical(FULL)
    for entry in (
        entry_of(content + b" ", FULL),
        entry_of(content, FULL, manifest=None),
        entry_of(content, FULL, manifest=b"\0" * 32),
    ):
        reading = read(entry, content)
        assert (reading.state, reading.manifest) == (ManifestState.MISMATCHED, None)
        assert "SHA-256" in str(reading.problem)


@pytest.mark.parametrize(
    ("differing", "problem"),
    [
        ({"authority": "CN.GD"}, "another authority"),
        ({"number": number_hash("深府〔2017〕72号")}, "another number"),
    ],
)
def test_another_policys_manifest_is_mismatched_and_nothing_of_it_is_shown(
    differing: dict[str, Any], problem: str
) -> None:
    content = canonical(FULL)
    reading = read(entry_of(content, FULL, **differing), content)
    assert (reading.state, reading.manifest) == (ManifestState.MISMATCHED, None)
    assert problem in str(reading.problem)


@pytest.mark.parametrize(
    ("differing", "problem"),
    [
        ({"action": Action.AMEND}, "it says publish"),
        ({"document": b"\1" * 32}, "another document"),
        ({"document": None}, "another document"),
        ({"effective_on": parse_day("2017-10-01")}, "date is 2017-09-01, the entry's 2017-10-01"),
        ({"effective_on": None}, "date is 2017-09-01, the entry's none"),
    ],
)
def test_where_they_disagree_the_entry_wins_and_the_difference_is_shown(
    differing: dict[str, Any], problem: str
) -> None:
    content = canonical(FULL)
    reading = read(entry_of(content, FULL, **differing), content)
    assert reading.state is ManifestState.PRESENT
    assert reading.manifest is not None
    assert problem in str(reading.problem)


def test_a_number_that_is_not_nfc_is_the_same_number() -> None:
    fields = changed(number="Re\u0301solution 7")
    content = bytes_of(fields)
    entry = entry_of(content, fields, number=number_hash("R\u00e9solution 7"))
    assert read(entry, content).state is ManifestState.PRESENT


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["2017-07-01", "ab" * 32, "cites", SCHEMA, "CN", 2**53, -0.0, 10**400]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "policy", "citation", "sha256", "size", "zh", "en"])
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*FULL, "extra"]), anything, max_size=6))
def test_no_shape_of_json_stops_a_reader(odd: dict[str, Any]) -> None:
    content = json.dumps({**FULL, **odd}).encode()
    reading = read(entry_of(content, FULL), content)
    assert reading.state in {
        ManifestState.PRESENT,
        ManifestState.UNREADABLE,
        ManifestState.MISMATCHED,
    }
    if reading.manifest is not None:
        found = reading.manifest
        assert found.title
        assert isinstance(found.number, str)
        assert all(each["type"] in RELATION_TYPES for each in found.relations)
        assert all(len(bytes.fromhex(each["sha256"])) == 32 for each in found.renditions)


fragments = st.lists(
    st.sampled_from(
        [
            '{"',
            '":',
            "[",
            "]",
            "{",
            "}",
            ",",
            '"',
            "\\",
            "\\u",
            "d800",
            "1",
            "-",
            "e9",
            ".",
            "null",
            "tru",
            "NaN",
            " ",
            "\n",
            "\x00",
            "\ufeff",
            "é",
            "]" * 70,
            "[" * 70,
            '{"a":' * 70,
            "9" * 5000,
        ]
    ),
    max_size=30,
).map("".join)


@given(st.binary(max_size=60) | fragments.map(str.encode))
@example(b'{"a":1,"a":2}')
@example(b"[" * 100_000)
def test_no_bytes_stop_a_reader(content: bytes) -> None:
    with suppress(InputError):
        strict_json.loads(content)
    assert read(entry_of(content, FULL), content).state is ManifestState.UNREADABLE
    assert profile_names(content) == {}


@given(json_values)
def test_strict_json_reads_what_any_json_writer_wrote(value: Any) -> None:
    assert strict_json.loads(json.dumps(value).encode()) == value
    assert strict_json.loads(bytes_of(value)) == value


nearly_canonical = st.one_of(
    st.dictionaries(st.text(max_size=3), anything, max_size=4),
    st.dictionaries(st.sampled_from([*FULL, "extra"]), anything, max_size=6).map(
        lambda odd: {**FULL, **odd}
    ),
).map(lambda fields: json.dumps(fields, ensure_ascii=False, separators=(",", ":"), sort_keys=True))


@given(
    nearly_canonical,
    st.sampled_from(
        ["", '"a":1,', '"\\ud83d\\ude00":1,', '"\\/":1,', '"\\u0061":1,', '"z":1.0,', " "]
    ),
    st.integers(0, 40),
)
@example('{"a":-0}', "", 0)
@example('{"a":9007199254740991}', "", 0)
@example('{"a":-9007199254740992}', "", 0)
@example('{"a":[9007199254740992]}', "", 0)
@example('{"a":{"b":[1e2]}}', "", 0)
@example('{"a":18446744073709551616}', "", 0)
@example('{"a":' * 65 + "1" + "}" * 65, "", 0)
@example('{"a":"' + "[" * 65 + '"}', "", 0)
@example('{"\uffff":1,"\U00010000":2}', "", 0)
@example('{"a":"\x7f\u2028"}', "", 0)
def test_the_short_way_to_read_json_reads_what_the_strict_one_reads(
    text: str, inserted: str, at: int
) -> None:
    # by a character that stays in UTF-8, so that surrogates come as bytes too
    content = (text[:at] + inserted + text[at:]).encode("utf-8", "surrogatepass")
    short = strict_json.canonical_object(content)
    if short is not None:
        strict = strict_json.loads_strictly(content)
        assert (short, repr(short)) == (strict, repr(strict))


@pytest.mark.parametrize("fields", [PLAIN, FULL], ids=["plain", "full"])
def test_what_is_written_is_read_by_the_short_way(fields: dict[str, Any]) -> None:
    assert strict_json.canonical_object(canonical(fields)) == fields


# Profiles of authorities


def test_an_authoritys_names_are_written_and_read() -> None:
    names = {"en": "Shenzhen", "zh": "深圳市"}
    content = profile("CN.GD.SHENZHEN", names)
    assert content == rfc8785.dumps(
        {"schema": PROFILE_SCHEMA, "authority": "CN.GD.SHENZHEN", "name": names}
    )
    assert profile_names(content) == names


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"[]",
        b'"schema"',
        b"7",
        b"null",
        b"{}",
        b'{"name":{"en":"A"}}',
        b'{"schema":"policy-registry/manifest/1","name":{"en":"A"}}',
        b'{"schema":"policy-registry/authority/1"}',
        b'{"schema":"policy-registry/authority/1","name":["A"]}',
        b'{"schema":"policy-registry/authority/1","name":{"en":null,"zh":{"a":1}}}',
        b'{"schema":"policy-registry/authority/1","name":{"en":"\\u202eA"}}',
        b'{"schema":["policy-registry/authority/1"],"name":{"en":"A"}}',
    ],
)
def test_a_profile_that_can_not_be_read_names_nobody(content: bytes | None) -> None:
    assert profile_names(content) == {}


def test_a_name_with_a_bidi_control_is_not_written() -> None:
    with pytest.raises(InputError, match=r"U\+202E"):
        profile("CN", {"en": "\u202eanihC"})


@pytest.mark.parametrize(
    "text",
    [
        {"profile": "text/1", "clauses": 12},
        {**FULL["text"], "profile": "text/2"},
        {**FULL["text"], "sha256": "AB" * 32},
        {**FULL["text"], "clauses": "12"},
        {**FULL["text"], "clauses": -1},
        {**FULL["text"], "salted": False},
        {**FULL["text"], "extractor": 1},
        {**FULL["text"], "lang": "zh"},
        "text/1",
    ],
    ids=str,
)
def test_what_is_said_of_a_text_is_written_in_one_way_and_read_in_any(text: object) -> None:
    """A reader of a later profile's manifest finds all the rest of it."""
    with pytest.raises(InputError, match="of its text"):
        canonical(changed(text=text))
    assert parse(bytes_of(changed(text=text))).number == FULL["number"]
