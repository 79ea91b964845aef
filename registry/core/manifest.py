"""The manifest: the metadata of one entry, as RFC 8785 canonical JSON.

Its SHA-256 is on chain, and by default so are its bytes. Writing is strict (`draft`,
`canonical`); reading keeps the original bytes, tolerates unknown keys, and says which
of four states a manifest is in: present, absent, unreadable, mismatched. The entry
stands in each of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, cast

from registry.core import strict_json
from registry.core.calendar import iso_date, parse_day, year_of
from registry.core.digest import DIGEST_SIZE, sha256
from registry.core.entry import Entry
from registry.core.policy import number_hash
from registry.core.quick import quick
from registry.core.strict_fields import decoded
from registry.core.unicode_rules import refused_character, refused_when_writing
from registry.core.units import Day, Digest
from registry.errors import InputError

SCHEMA = "policy-registry/manifest/1"
PROFILE_SCHEMA = "policy-registry/authority/1"
MAX_INLINE_BYTES = 8192

RELATION_TYPES = frozenset(
    {
        "amends",
        "cites",
        "consolidates",
        "corrects",
        "endorses",
        "forwards",
        "implements",
        "repeals",
        "superseded_by",
    }
)
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_JURISDICTION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
_HEX_DIGEST = re.compile(r"[0-9a-f]{64}")
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
_NEEDED = ("authority", "number", "action")
_TEXTS = ("type", "reason", "source")


class ManifestState(StrEnum):
    """What a mirror knows of an entry's manifest."""

    PRESENT = "present"
    ABSENT = "absent"
    UNREADABLE = "unreadable"
    MISMATCHED = "mismatched"


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest that was read: its fields as they stand, dates parsed."""

    fields: Mapping[str, Any]
    number_hash: Digest
    issued: Day | None
    effective_from: Day | None
    effective_to: Day | None

    @property
    def number(self) -> str:
        return str(self.fields["number"])

    @property
    def title(self) -> dict[str, str]:
        return dict(self.fields["title"])

    @property
    def type(self) -> str | None:
        return cast("str | None", self.fields.get("type"))

    @property
    def jurisdiction(self) -> str | None:
        return cast("str | None", self.fields.get("jurisdiction"))

    @property
    def issued_year(self) -> int | None:
        """The year of issue, also where only its month is known."""
        month = self.fields.get("issued_month")
        if self.issued is not None:
            return year_of(self.issued)
        return int(month[:4]) if month else None

    @property
    def is_collection(self) -> bool:
        """Whether the entry's document is the root over many members, and no file."""
        return "collection" in self.fields

    @property
    def renditions(self) -> list[dict[str, Any]]:
        return list(self.fields.get("renditions", ()))

    @property
    def relations(self) -> list[dict[str, Any]]:
        return list(self.fields.get("relations", ()))

    @property
    def applies_from(self) -> Day | None:
        """The date an entry with this manifest should carry: effective, else issued."""
        return self.issued if self.effective_from is None else self.effective_from


@dataclass(frozen=True, slots=True)
class Reading:
    """A manifest's state, what was read of it, and where it differs from its entry."""

    state: ManifestState
    manifest: Manifest | None = None
    problem: str | None = None


_manifest, _reading = quick(Manifest), quick(Reading)


def canonical(fields: Mapping[str, Any]) -> bytes:
    """The canonical bytes of a manifest to be written; raises InputError."""
    import rfc8785

    _check_values(fields, refused_when_writing)
    _parse(fields)
    if "text" in fields:
        # Late: it loads tables of Unicode, which whoever only reads has no use for.
        from registry.core.text.clauses import check_record

        check_record(fields["text"])
    return _bounded(rfc8785.dumps(cast("dict[str, Any]", dict(fields))))


def _bounded(content: bytes) -> bytes:
    if len(content) > MAX_INLINE_BYTES:
        raise InputError(
            f"it has {len(content)} bytes, at most {MAX_INLINE_BYTES} fit",
            hint="shorten the title, the reason or the list of renditions",
        )
    return content


def parse(content: bytes) -> Manifest:
    """Read a manifest's bytes; raises InputError saying what is wrong."""
    fields = strict_json.loads(content)
    if not isinstance(fields, dict):
        raise InputError("a manifest is a JSON object")
    # The text as a whole is searched: a mirror reads millions of manifests. Only where
    # that finds something, or escapes may hide it, is each value looked at.
    if b"\\" in content or refused_character(content.decode("utf-8")):
        _check_values(fields, refused_character)
    return _parse(fields)


def read(entry: Entry, content: bytes | None) -> Reading:
    """What `content` is to `entry`: one of the four states, never an exception."""
    if content is None:
        return Reading(ManifestState.ABSENT)
    if entry.manifest is None or sha256(content) != entry.manifest:
        return Reading(ManifestState.MISMATCHED, problem="its SHA-256 is not the entry's")
    try:
        manifest = parse(content)
    except InputError as error:
        return Reading(ManifestState.UNREADABLE, problem=str(error))
    problem = _difference(entry, manifest)
    if problem is not None and problem.fatal:
        return Reading(ManifestState.MISMATCHED, problem=problem.text)
    return _reading(ManifestState.PRESENT, manifest, problem.text if problem else None)


@dataclass(frozen=True, slots=True)
class _Difference:
    text: str
    fatal: bool


def _difference(entry: Entry, manifest: Manifest) -> _Difference | None:
    """Where entry and manifest disagree; the entry wins. Another policy's manifest is
    fatal: nothing in it may be shown as this policy's."""
    if manifest.fields["authority"] != entry.authority:
        return _Difference("it names another authority", fatal=True)
    if entry.number != manifest.number_hash:
        return _Difference("it names another number", fatal=True)
    if manifest.fields["action"] != entry.action.word:
        return _Difference(f"it says {manifest.fields['action']}", fatal=False)
    document = manifest.fields.get("document")
    declared = bytes.fromhex(document["sha256"]) if document else None
    if declared != entry.document:
        return _Difference("it names another document", fatal=False)
    if manifest.applies_from != entry.effective_on:
        said = _spoken(manifest.applies_from)
        return _Difference(
            f"its date is {said}, the entry's {_spoken(entry.effective_on)}", fatal=False
        )
    return None


def _spoken(day: Day | None) -> str:
    return "none" if day is None else iso_date(day)


def _parse(fields: Mapping[str, Any]) -> Manifest:
    get = fields.get
    if get("schema") != SCHEMA:
        raise InputError(f"its schema is not {SCHEMA}")
    for key in _NEEDED:
        value = get(key)
        if not value or not isinstance(value, str):
            raise InputError(f"it has no {key}")
    number = number_hash(fields["number"])
    _check_title(get("title"))
    for key in _TEXTS:
        if key in fields and not isinstance(fields[key], str):
            raise InputError(f"its {key} is not a str")
    jurisdiction = get("jurisdiction")
    if jurisdiction is not None and not (
        isinstance(jurisdiction, str) and _is_jurisdiction(jurisdiction)
    ):
        raise InputError(f"{jurisdiction!r} is not an ISO 3166-2 jurisdiction such as CN-GD")
    if "document" in fields:
        _check_file(fields["document"], "document")
    _check_lists(fields)
    month = get("issued_month")
    if month is not None and not (isinstance(month, str) and _MONTH.fullmatch(month)):
        raise InputError("its issued_month is not a month such as 2017-09")
    issued = _day(fields, "issued")
    start, end = _day(fields, "effective_from"), _day(fields, "effective_to")
    if start is not None and end is not None and end < start:
        raise InputError(f"it ends on {iso_date(end)}, before it starts on {iso_date(start)}")
    return _manifest(fields, number, issued, start, end)


# Few beside the manifests that name them: each is looked at once for many.
@lru_cache(maxsize=512)
def _is_language(text: str) -> bool:
    return LANGUAGE.fullmatch(text) is not None


@lru_cache(maxsize=512)
def _is_jurisdiction(text: str) -> bool:
    return _JURISDICTION.fullmatch(text) is not None


def _day(fields: Mapping[str, Any], key: str) -> Day | None:
    value = fields.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        raise InputError(f"its {key} is not a date")
    return parse_day(value, key)


def _check_lists(fields: Mapping[str, Any]) -> None:
    if "renditions" in fields:
        for place, each in enumerate(_list(fields, "renditions")):
            _check_file(each, f"rendition {place}")
    if "relations" in fields:
        for each in _list(fields, "relations"):
            _check_relation(each)


def _check_title(title: object) -> None:
    if not isinstance(title, dict) or not title:
        raise InputError(
            "it has a title in no language", hint="give --title-zh, --title-en or both"
        )
    for language, text in title.items():
        if not _is_language(language):
            raise InputError(f"{language!r} is not a BCP 47 language")
        if not isinstance(text, str) or not text.strip():
            raise InputError(f"its title in {language} is empty")


def _check_file(value: object, what: str) -> None:
    if not isinstance(value, dict):
        raise InputError(f"its {what} is not an object")
    digest, size = decoded(value.get("sha256")), value.get("size")
    if digest is None or len(digest) != DIGEST_SIZE:
        raise InputError(f"its {what} has no SHA-256 in lower-case hexadecimal")
    if size is not None and (not isinstance(size, int) or isinstance(size, bool) or size < 0):
        raise InputError(f"its {what} has an impossible size")


def _check_relation(value: object) -> None:
    # a list, not the set: what is no text may not be hashable either
    if not isinstance(value, dict) or value.get("type") not in list(RELATION_TYPES):
        raise InputError(
            "a relation has a type that is none of " + ", ".join(sorted(RELATION_TYPES))
        )
    target, citation = value.get("policy"), value.get("citation")
    if target is not None and not (isinstance(target, str) and _HEX_DIGEST.fullmatch(target)):
        raise InputError("a relation names a policy by something that is no policy_id")
    if target is None and not (isinstance(citation, str) and citation):
        raise InputError("a relation names neither a policy_id nor a citation")


def _list(fields: Mapping[str, Any], key: str) -> list[Any]:
    value = fields[key]
    if not isinstance(value, list):
        raise InputError(f"its {key} is not a list")
    return value


def _check_values(value: object, refused: Any) -> None:
    for each in _scalars(value):
        match each:
            case str():
                found = refused(each)
                if found:
                    raise InputError(f"it holds {found}")
            case bool() | None:
                pass
            case int():
                if abs(each) >= 2**53:
                    raise InputError("it holds a number beyond 2^53, which JSON may not carry")
            case float():
                raise InputError("it holds a floating-point number")
            case _:
                raise InputError(f"it holds a {type(each).__name__}, which JSON has not")


def _scalars(value: object) -> Iterator[object]:
    """Every key and value inside `value`, without recursion."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            waiting.extend(each.keys())
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)
        else:
            yield each


def profile_names(content: bytes | None) -> dict[str, str]:
    """An authority's names from its profile's bytes; empty where they can not be read."""
    if content is None:
        return {}
    try:
        fields = strict_json.loads(content)
        names = fields["name"] if isinstance(fields, dict) else None
        if fields["schema"] != PROFILE_SCHEMA or not isinstance(names, dict):
            return {}
        _check_values(fields, refused_character)
        return {language: name for language, name in names.items() if isinstance(name, str)}
    except (InputError, KeyError, TypeError):
        return {}


def profile(authority: str, names: Mapping[str, str]) -> bytes:
    """An authority's profile as canonical bytes; raises InputError."""
    import rfc8785

    fields = {"schema": PROFILE_SCHEMA, "authority": authority, "name": dict(names)}
    _check_values(fields, refused_when_writing)
    return _bounded(rfc8785.dumps(cast("dict[str, Any]", fields)))
