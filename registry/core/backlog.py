"""A back catalogue as rows of a table, turned into acts in an order that can be published.

Rows of one authority and number are versions of one policy: the earliest-dated
publishes it, each later-dated one amends it. A row's date is its issue date, else its
effective date. Of two rows with one date neither is known to be the later, so only the
first is taken. Every row ends as exactly one of planned, present or refused.

The `effective_from` column of real catalogues often repeats the first version's date
in later versions. A text can not have applied before it was issued as an amendment, so
an amending row whose `effective_from` lies before its issue date applies from the
latter; what the column said is kept in its manifest as `policy_effective_from`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from registry.core.authority import check_code
from registry.core.calendar import iso_date, parse_day
from registry.core.draft import Draft, FileDescription
from registry.core.entry import Action
from registry.core.lifecycle import UNPUBLISHED, PolicyState, Status
from registry.core.manifest import LANGUAGE
from registry.core.policy import PolicyKey, check_number, policy_key
from registry.core.unicode_rules import require_writable
from registry.core.units import Day, Digest
from registry.errors import InputError

COLUMNS = (
    "path",
    "authority",
    "number",
    "title",
    "language",
    "type",
    "issued",
    "effective_from",
)
_MAX_FIELD = 64 * 1024


@dataclass(frozen=True, slots=True)
class Row:
    """One row, its values checked. `line` is its last line in the file, from 1."""

    line: int
    path: str
    authority: str
    number: str
    title: str
    language: str
    type: str
    issued: Day | None
    effective_from: Day | None

    @property
    def key(self) -> PolicyKey:
        return policy_key(self.authority, self.number)

    @property
    def date(self) -> Day | None:
        return self.effective_from if self.issued is None else self.issued


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that is not published, and why."""

    line: int
    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Planned:
    """A row to be published, with the act it becomes."""

    row: Row
    draft: Draft


@dataclass(frozen=True, slots=True)
class Known:
    """What the registry already holds of a policy."""

    state: PolicyState = UNPUBLISHED
    documents: frozenset[bytes] = frozenset()
    latest: Day | None = None


@dataclass(slots=True)
class Plan:
    """What an import is going to do. `drafts` is in the order of publication."""

    drafts: list[Planned] = field(default_factory=list)
    present: list[Row] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


def parse_rows(content: bytes) -> tuple[list[Row], list[Refused]]:
    """The rows of a CSV file with a header, a byte-order mark or none; as `rows_in`."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise not_utf8(error.start) from None
    rows: list[Row] = []
    refused: list[Refused] = []
    for each in rows_in(io.StringIO(text, newline="")):
        if isinstance(each, Row):
            rows.append(each)
        else:
            refused.append(each)
    return rows, refused


def rows_in(lines: Iterable[str]) -> Iterator[Row | Refused]:
    """Row by row what a CSV file says, of which `lines` are the lines with their ends.

    Raises InputError where the file as a whole can not be read; a row with a wrong
    value is refused by itself.
    """
    for line, values in _records(lines):
        try:
            yield _row(line, values)
        except InputError as error:
            yield Refused(line, values.get("path", ""), str(error))


def not_utf8(at: int) -> InputError:
    """That the byte `at` of an index can not be read."""
    return InputError(f"the index is not UTF-8 (byte {at})", hint="save it as UTF-8 CSV")


def plan(
    rows: Sequence[Row],
    files: Mapping[str, FileDescription | str],
    known: Mapping[PolicyKey, Known],
) -> Plan:
    """Put `rows` in order against what is `known`.

    `files` gives for each row's path the file that was read, or the reason why not.
    """
    made = Plan()
    groups: dict[PolicyKey, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.key, []).append(row)
    for key, versions in groups.items():
        _plan_policy(made, versions, files, known.get(key, Known()))
    made.refused.sort(key=lambda each: each.line)
    return made


def _plan_policy(
    made: Plan, versions: list[Row], files: Mapping[str, FileDescription | str], known: Known
) -> None:
    seen: dict[Digest, Row] = {}
    latest, published, before = known.latest, known.state.status is not Status.NONE, None
    ordered = sorted(versions, key=lambda row: (row.date is not None, row.date or 0, row.line))
    for row in ordered:
        file = files[row.path]
        if isinstance(file, str):
            made.refused.append(Refused(row.line, row.path, file))
            continue
        if file.sha256 in seen:
            same = f"it is the same document as line {seen[file.sha256].line}"
            made.refused.append(Refused(row.line, row.path, same))
            continue
        seen[file.sha256] = row
        if file.sha256 in known.documents:
            made.present.append(row)
            before = row
            continue
        reason = _obstacle(row, known, latest, before) if published else None
        if reason:
            made.refused.append(Refused(row.line, row.path, reason))
            continue
        action = Action.AMEND if published else Action.PUBLISH
        made.drafts.append(Planned(row, _draft(row, file, action)))
        latest, published, before = row.date, True, row


def _obstacle(row: Row, known: Known, latest: Day | None, before: Row | None) -> str | None:
    """Why a row can not amend what is published, or None."""
    if known.state.status not in {Status.NONE, Status.IN_FORCE}:
        return f"the policy is {known.state.status.word}: reinstate it before amending it"
    if row.date is None:
        return "it has no date, so it can not be put in order after the published version"
    if latest is not None and row.date < latest:
        return f"a later version, of {iso_date(latest)}, is already published"
    if latest is not None and row.date == latest:
        other = f"line {before.line}" if before else "the published version"
        return f"it has the same date as {other}, so neither is known to amend the other"
    return None


def _draft(row: Row, file: FileDescription, action: Action) -> Draft:
    effective, extra = row.effective_from, dict[str, str]()
    if action is Action.AMEND and _before_its_issue(row) and effective is not None:
        extra["policy_effective_from"] = iso_date(effective)
        effective = None
    return Draft(
        action=action,
        authority=row.authority,
        number=row.number,
        title={row.language: row.title},
        document=file,
        type=row.type or None,
        issued=row.issued,
        effective_from=effective,
        extra=extra,
    )


def _before_its_issue(row: Row) -> bool:
    dates = row.effective_from, row.issued
    return dates[0] is not None and dates[1] is not None and dates[0] < dates[1]


def _records(lines: Iterable[str]) -> Iterator[tuple[int, dict[str, str]]]:
    csv.field_size_limit(_MAX_FIELD)
    reader = csv.reader(lines, strict=True)
    try:
        header = next(reader, None)
        if header is None:
            raise InputError("the index is empty")
        _check_header(header)
        for record in reader:
            if len(record) == len(header):
                yield reader.line_num, dict(zip(header, record, strict=True))
            elif record:
                raise InputError(
                    f"line {reader.line_num} of the index has {len(record)} values, "
                    f"the header has {len(header)}",
                    hint="a title with a comma in it needs quotes around it",
                )
    except csv.Error as error:
        raise InputError(
            f"line {reader.line_num} of the index is not CSV: {error}",
            hint="a quote inside a value is written twice",
        ) from None


def _check_header(header: Sequence[str]) -> None:
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise InputError(
            f"the index has no column {', '.join(missing)}",
            hint=f"its first line must name {', '.join(COLUMNS)}",
        )
    if len(set(header)) != len(header):
        raise InputError("the index names a column twice")


def _row(line: int, values: Mapping[str, str]) -> Row:
    if not values["path"]:
        raise InputError("it names no file")
    if not values["title"].strip():
        raise InputError("it has a title in no language")
    require_writable(values["title"], "title")
    return Row(
        line=line,
        path=values["path"],
        authority=check_code(values["authority"]),
        number=check_number(values["number"]),
        title=values["title"],
        language=_language(values["language"] or "und"),
        type=values["type"],
        issued=_day(values, "issued"),
        effective_from=_day(values, "effective_from"),
    )


def _language(text: str) -> str:
    if not LANGUAGE.fullmatch(text):
        raise InputError(f"{text[:20]!r} is not a BCP 47 language such as zh or en")
    return text


def _day(values: Mapping[str, str], column: str) -> Day | None:
    return parse_day(values[column], column) if values[column] else None


def distinct_keys(rows: Iterable[Row]) -> list[PolicyKey]:
    return list(dict.fromkeys(row.key for row in rows))
