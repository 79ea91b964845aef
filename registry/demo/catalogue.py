"""The catalogue of the demonstration: which policies `polreg demo` publishes.

24 policies as facts (`catalogue.csv`), the authorities that issue them
(`authorities.csv`), and for each policy a short text in this project's own words
(`documents/`). The texts are not the official documents, and say so.

What holds once a function here has returned: every code, number, date and name was
checked; an authority stands behind its parent; each policy's authority, co-issuers,
document and related policies exist; no authority has one number twice. Official numbers
are not known from the source, so a policy's number is its title, in Chinese where there
is one.

Where the source names a month and no day, `issued` is None and `issued_month` holds the
month: no day is invented. Nothing here publishes, signs or looks at a registry.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from registry.core.authority import check_code, parent
from registry.core.calendar import parse_day
from registry.core.manifest import RELATION_TYPES
from registry.core.policy import check_number
from registry.core.unicode_rules import require_writable
from registry.errors import InputError, LocalFailure

_AUTHORITY_HEADER = "code,name_en,name_zh"
_POLICY_HEADER = (
    "id,authority,jurisdiction,number,title_zh,title_en,type,issued,issued_month,status,"
    "document,co_issuers,relations"
)
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_DOCUMENT_NAME = re.compile(r"\d{2}-[a-z0-9]+(-[a-z0-9]+)*\.md")


@dataclass(frozen=True, slots=True)
class DemoAuthority:
    """A body of the demonstration, with its names."""

    code: str
    name_en: str
    name_zh: str


@dataclass(frozen=True, slots=True)
class CoIssuer:
    """A body that issues a policy jointly; `name` as the source gives it."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class DemoRelation:
    """What a policy is to another: `policy` is that one's id here, else `citation` names it."""

    type: str
    policy: str | None
    citation: str | None


@dataclass(frozen=True, slots=True)
class DemoPolicy:
    """One row of the catalogue.

    `title` has BCP 47 keys. One of `issued` (YYYY-MM-DD) and `issued_month` (YYYY-MM) is
    None. One that is not `published` is a draft, whose month is the one it was due: it must
    stay unknown to the registry.
    """

    id: str
    authority: str
    jurisdiction: str
    number: str
    title: dict[str, str]
    type: str
    issued: str | None
    issued_month: str | None
    published: bool
    document_name: str
    co_issuers: tuple[CoIssuer, ...]
    relations: tuple[DemoRelation, ...]


@dataclass(frozen=True, slots=True)
class DemoAmendment:
    """A second version of a policy; no act of its authority, as its document says."""

    policy: str
    document_name: str
    effective_from: str
    reason: str


@dataclass(frozen=True, slots=True)
class DemoRepeal:
    """The end of a policy."""

    policy: str
    effective_from: str
    reason: str


AMENDMENT = DemoAmendment(
    policy="19",
    document_name="19-beijing-fintech-plan-amended.md",
    effective_from="2020-01-01",
    reason="demonstration amendment: Article 3 adds a review every year",
)
REPEAL = DemoRepeal(policy="16", effective_from="2017-01-01", reason="the year has ended")


def authorities() -> list[DemoAuthority]:
    """Every authority of the catalogue, a parent before its children.

    Raises LocalFailure where the package's data are missing or damaged.
    """
    return parse_authorities(_read("authorities.csv"))


def policies() -> list[DemoPolicy]:
    """Every policy of the catalogue, drafts too, in the order of the source.

    Raises LocalFailure where the package's data are missing or damaged.
    """
    return parse_policies(_read("catalogue.csv"), {each.code for each in authorities()})


def document(name: str) -> bytes:
    """The bytes of the document `name`, the ones to hash.

    Raises InputError where the demonstration has no such document.
    """
    if not _DOCUMENT_NAME.fullmatch(name) or not _folder().joinpath("documents", name).is_file():
        raise InputError(
            f"the demonstration has no document {name[:60]!r}",
            hint="take a name from policies() or AMENDMENT",
        )
    return _read("documents", name)


def parse_authorities(content: bytes) -> list[DemoAuthority]:
    """The authorities in the bytes of an `authorities.csv`; raises LocalFailure."""
    found: dict[str, DemoAuthority] = {}
    for place, row in _rows(content, "authorities.csv", _AUTHORITY_HEADER):
        authority = DemoAuthority(**{column: _given(row, column, place) for column in row})
        _in_place(place, check_code, authority.code)
        above = parent(authority.code)
        _require(authority.code not in found, place, f"{authority.code} stands here twice")
        _require(not above or above in found, place, f"{above} does not stand before its child")
        found[authority.code] = authority
    return list(found.values())


def parse_policies(content: bytes, known: Collection[str]) -> list[DemoPolicy]:
    """The policies in the bytes of a `catalogue.csv`; raises LocalFailure.

    `known` are the codes that authorities and co-issuers may have.
    """
    found: list[DemoPolicy] = []
    ids: set[str] = set()
    keys: set[tuple[str, str]] = set()
    documents: set[str] = set()
    for place, row in _rows(content, "catalogue.csv", _POLICY_HEADER):
        policy = _policy(row, place)
        _require(policy.id not in ids, place, f"the id {policy.id} stands here twice")
        _require(policy.document_name not in documents, place, "its document is another's")
        for code in (policy.authority, *(each.code for each in policy.co_issuers)):
            _require(code in known, place, f"{code} is not in authorities.csv")
            key = (code, policy.number)
            _require(key not in keys, place, f"{code} has the number {policy.number!r} twice")
            keys.add(key)
        ids.add(policy.id)
        documents.add(policy.document_name)
        found.append(policy)
    _require_targets(found, ids)
    return found


def _require_targets(found: Sequence[DemoPolicy], ids: Collection[str]) -> None:
    for policy in found:
        for each in policy.relations:
            _require(
                each.policy is None or (each.policy in ids and each.policy != policy.id),
                f"catalogue.csv, policy {policy.id}",
                f"it {each.type} {each.policy}, which is no other policy",
            )


def _policy(row: dict[str, str], place: str) -> DemoPolicy:
    issued, month = row["issued"], row["issued_month"]
    _require(bool(issued) != bool(month), place, "give either issued or issued_month")
    if issued:
        _in_place(place, parse_day, issued)
    else:
        _require(bool(_MONTH.fullmatch(month)), place, f"{month!r} is not a month as YYYY-MM")
    number = _given(row, "number", place)
    _in_place(place, check_number, number)
    name, status = row["document"], row["status"]
    _require(bool(_DOCUMENT_NAME.fullmatch(name)), place, f"{name!r} is not a document's name")
    _require(status in ("published", "draft"), place, f"{status!r} is not a status")
    _require(_is_id(row["id"]), place, f"{row['id']!r} is not an id")
    titles = {"zh": row["title_zh"], "en": _given(row, "title_en", place)}
    return DemoPolicy(
        id=row["id"],
        authority=row["authority"],
        jurisdiction=_given(row, "jurisdiction", place),
        number=number,
        title={language: title for language, title in titles.items() if title},
        type=_given(row, "type", place),
        issued=issued or None,
        issued_month=month or None,
        published=status == "published",
        document_name=name,
        co_issuers=tuple(CoIssuer(*pair) for pair in _pairs(row["co_issuers"], "=", place)),
        relations=tuple(_relation(*pair, place) for pair in _pairs(row["relations"], ":", place)),
    )


def _relation(relation: str, target: str, place: str) -> DemoRelation:
    _require(relation in RELATION_TYPES, place, f"{relation!r} is not a type of relation")
    if _is_id(target):
        return DemoRelation(relation, policy=target, citation=None)
    return DemoRelation(relation, policy=None, citation=target)


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and not text.startswith("0")


def _pairs(cell: str, separator: str, place: str) -> Iterator[tuple[str, str]]:
    """The pairs of a cell such as `A=one;B=two`; none where it is empty."""
    for item in cell.split(";") if cell else ():
        left, _, right = item.partition(separator)
        _require(
            bool(left and right) and left == left.strip() and right == right.strip(),
            place,
            f"{item!r} is not a pair joined by {separator!r}",
        )
        yield left, right


def _given(row: dict[str, str], column: str, place: str) -> str:
    _require(bool(row[column]), place, f"it has no {column}")
    return row[column]


def _rows(content: bytes, name: str, header: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Each row under the header, by column, with the place to name in an error."""
    try:
        lines = list(csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise _damaged(name, str(error)) from error
    columns = header.split(",")
    _require(bool(lines) and lines[0] == columns, name, f"its columns are not {header}")
    # No cell holds a line break (checked below), so a row's position is its line.
    for line, cells in enumerate(lines[1:], 2):
        place = f"{name}, line {line}"
        _require(len(cells) == len(columns), place, f"it has {len(cells)} cells")
        for column, cell in zip(columns, cells, strict=True):
            _check_cell(cell, column, place)
        yield place, dict(zip(columns, cells, strict=True))


def _check_cell(cell: str, column: str, place: str) -> None:
    _in_place(place, require_writable, cell, column)
    plain = cell == cell.strip() and "\n" not in cell and "\t" not in cell
    _require(plain, place, f"its {column} has white space at an end, or a line break")
    _require(unicodedata.is_normalized("NFC", cell), place, f"its {column} is not in NFC")


def _in_place(place: str, check: Callable[..., object], *values: str) -> None:
    """Run a check of the core; what it refuses is damage to this package's data."""
    try:
        check(*values)
    except InputError as error:
        raise _damaged(place, str(error)) from error


def _require(holds: bool, place: str, problem: str) -> None:
    if not holds:
        raise _damaged(place, problem)


def _read(*path: str) -> bytes:
    try:
        return _folder().joinpath(*path).read_bytes()
    except OSError as error:
        raise _damaged("/".join(path), error.strerror or "it can not be read") from error


def _folder() -> Traversable:
    return files("registry.demo")


def _damaged(place: str, problem: str) -> LocalFailure:
    return LocalFailure(
        f"the demonstration's data are damaged: {place}: {problem}",
        hint="install the package again",
    )
