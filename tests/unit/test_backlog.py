"""A back catalogue becomes acts in an order that can be published, and again only what
is missing."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from logs import file_of

from registry.core.backlog import (
    COLUMNS,
    Known,
    Plan,
    Row,
    distinct_keys,
    parse_rows,
    plan,
)
from registry.core.calendar import iso_date, parse_day
from registry.core.draft import FileDescription
from registry.core.entry import Action
from registry.core.lifecycle import UNPUBLISHED, PolicyState, Status, check
from registry.core.policy import PolicyKey
from registry.errors import InputError

HEADER = "path,authority,number,title,language,type,issued,effective_from\n"
ROW = "a.md,CN.GD,71,On finance,en,notice,2017-07-01,2017-09-01\n"


def parsed(content: str) -> Row:
    (found,), refused = parse_rows(content.encode())
    assert not refused
    return found


# The table


def test_a_row_is_read_by_the_names_of_its_columns() -> None:
    expected = Row(
        2, "a.md", "CN.GD", "71", "On finance", "en", "notice",
        parse_day("2017-07-01"), parse_day("2017-09-01"),
    )  # fmt: skip
    assert parsed(HEADER + ROW) == expected
    reordered = "note,effective_from,issued,type,language,title,number,authority,path\n"
    assert parsed(reordered + "x,2017-09-01,2017-07-01,notice,en,On finance,71,CN.GD,a.md\n") == (
        expected
    )


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_and_a_byte_order_mark_are_taken(end: str) -> None:
    content = (HEADER + ROW).replace("\n", end)
    assert parsed(content) == parsed("\ufeff" + content) == parsed(HEADER + ROW)


def test_the_last_line_needs_no_end_and_blank_lines_are_none() -> None:
    assert parsed(HEADER + "\n\n" + ROW.rstrip()).line == 4


def test_a_value_in_quotes_holds_commas_quotes_and_line_breaks() -> None:
    found = parsed(HEADER + ROW.replace("On finance", '"On ""money"",\nand tax"'))
    assert found.title == 'On "money",\nand tax'
    assert found.line == 3


def test_what_a_row_leaves_empty_is_not_guessed() -> None:
    found = parsed(HEADER + "a.md,CN,1,T,,,,\n")
    assert (found.language, found.type, found.issued, found.effective_from) == (
        "und",
        "",
        None,
        None,
    )
    assert found.date is None


def test_a_rows_date_is_its_issue_date_else_its_effective_date() -> None:
    assert parsed(HEADER + ROW).date == parse_day("2017-07-01")
    assert parsed(HEADER + ROW.replace("2017-07-01", "")).date == parse_day("2017-09-01")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "empty"),
        ("\ufeff", "empty"),
        ("\n", "no column path"),
        (ROW, "no column path"),
        (HEADER.replace("number,", ""), "no column number$"),
        (HEADER.replace("path", " path"), "no column path"),
        (HEADER.replace("path", "\ufeffpath"), "no column path"),
        (HEADER.replace("\n", ",note,note\n"), "names a column twice"),
        (HEADER.replace("\n", ",path\n"), "names a column twice"),
        (HEADER + ROW.replace("On finance", "On money, and tax"), "line 2 .* 9 values, .* 8"),
        (HEADER + ROW + "a.md,CN\n", "line 3 of the index has 2 values"),
        (HEADER + ROW.replace("On finance", '"On" finance'), "line 2 of the index is not CSV"),
        (HEADER + ROW.replace("On finance", '"On finance'), "is not CSV"),
        (HEADER + ROW.replace("On finance", "x" * 70_000), "is not CSV"),
    ],
)
def test_a_table_that_is_not_whole_is_refused_as_a_whole(content: str, problem: str) -> None:
    content = content.replace("\ufeffpath", "\ufeff\ufeffpath")
    with pytest.raises(InputError, match=problem) as refusal:
        parse_rows(content.encode())
    assert "\n" not in str(refusal.value)


def test_a_table_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(InputError, match=r"not UTF-8 \(byte 69\)"):
        parse_rows((HEADER + "a,CN,").encode() + "关于".encode("gb18030"))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("a.md", "", "it names no file"),
        ("On finance", " ", "title in no language"),
        ("CN.GD", "cn.gd", "not an authority code"),
        ("CN.GD", "", "not an authority code"),
        ("71", "", "the number is empty"),
        ("71", "7\u202e1", "U\\+202E"),
        ("71", "7\u03781", "U\\+0378"),
        ("71", " 71", "white space"),
        ("2017-07-01", "2017-7-1", "the issued '2017-7-1' is not a date"),
        ("2017-09-01", "2017-02-29", "the effective_from 2017-02-29 does not exist"),
        ("2017-09-01", "２０１７-０９-０１", "is not a date"),
    ],
)
def test_a_wrong_value_refuses_its_row_alone(old: str, new: str, reason: str) -> None:
    wrong = ROW.replace(old, new, 1)
    rows, refused = parse_rows((HEADER + ROW + wrong + ROW).encode())
    assert [each.line for each in rows] == [2, 4]
    (found,) = refused
    assert (found.line, found.path) == (3, "" if old == "a.md" else "a.md")
    assert re.search(reason, found.reason)


# The plan


def row(line: int, number: str = "1", **more: str) -> Row:
    values = {
        "path": f"{line}.md",
        "authority": "CN",
        "number": number,
        "title": "T",
        "language": "zh",
        "type": "",
        "issued": "",
        "effective_from": "",
    }
    values.update(more)
    content = io.StringIO()
    csv.writer(content).writerow([values[name] for name in COLUMNS])
    (found,), _ = parse_rows((HEADER + content.getvalue()).encode())
    return Row(**{name: getattr(found, name) for name in COLUMNS}, line=line)


def files_for(rows: list[Row]) -> dict[str, FileDescription | str]:
    """A file of its own for every path."""
    return {each.path: file_of(each.path, each.path) for each in rows}


def planned(made: Plan) -> list[tuple[int, str]]:
    return [(each.row.line, each.draft.action.word) for each in made.drafts]


def refusals(made: Plan) -> dict[int, str]:
    return {each.line: each.reason for each in made.refused}


def test_the_earliest_version_publishes_and_later_ones_amend() -> None:
    rows = [
        row(2, issued="2015-01-01"),
        row(3, issued="2010-01-01"),
        row(4, effective_from="2012-01-01"),
        row(5, number="2", issued="2030-01-01"),
    ]
    made = plan(rows, files_for(rows), {})
    assert planned(made) == [(3, "publish"), (4, "amend"), (2, "amend"), (5, "publish")]
    assert not made.refused
    assert not made.present


def test_a_number_in_another_form_or_of_another_authority_is_another_policy_or_not() -> None:
    rows = [
        row(2, number="R\u00e9solution", issued="2010-01-01"),
        row(3, number="Re\u0301solution", issued="2011-01-01"),
        row(4, number="R\u00e9solution", authority="US", issued="2012-01-01"),
    ]
    made = plan(rows, files_for(rows), {})
    assert planned(made) == [(2, "publish"), (3, "amend"), (4, "publish")]
    assert len(distinct_keys(rows)) == 2


def test_a_row_without_a_date_publishes_or_is_refused() -> None:
    rows = [row(2, issued="2010-01-01"), row(3), row(4)]
    made = plan(rows, files_for(rows), {})
    assert planned(made) == [(3, "publish"), (2, "amend")]
    assert "it has no date" in refusals(made)[4]


def test_of_two_rows_of_one_date_only_the_first_is_taken() -> None:
    rows = [row(2, issued="2010-01-01"), row(3, effective_from="2010-01-01")]
    made = plan(rows, files_for(rows), {})
    assert planned(made) == [(2, "publish")]
    assert "the same date as line 2" in refusals(made)[3]


def test_one_document_twice_is_one_version() -> None:
    rows = [row(2, issued="2010-01-01"), row(3, issued="2011-01-01")]
    made = plan(rows, {"2.md": file_of("same"), "3.md": file_of("same")}, {})
    assert planned(made) == [(2, "publish")]
    assert "the same document as line 2" in refusals(made)[3]


def test_one_document_of_two_policies_is_published_for_both() -> None:
    rows = [row(2, number="1"), row(3, number="2")]
    made = plan(rows, {"2.md": file_of("same"), "3.md": file_of("same")}, {})
    assert planned(made) == [(2, "publish"), (3, "publish")]


def test_a_file_that_can_not_be_read_is_refused_with_its_reason() -> None:
    rows = [row(2, issued="2010-01-01"), row(3, issued="2011-01-01")]
    made = plan(rows, {**files_for(rows), "2.md": "the file is empty"}, {})
    assert planned(made) == [(3, "publish")]
    assert refusals(made) == {2: "the file is empty"}


def test_what_is_published_is_left_alone() -> None:
    rows = [row(2, issued="2010-01-01"), row(3, issued="2011-01-01")]
    files = files_for(rows)
    known = {
        rows[0].key: Known(
            PolicyState(Status.IN_FORCE, 1, 0, 0),
            digests_of(files, "2.md"),
            parse_day("2010-01-01"),
        )
    }
    made = plan(rows, files, known)
    assert made.present == [rows[0]]
    assert planned(made) == [(3, "amend")]


def digests_of(files: dict[str, FileDescription | str], *paths: str) -> frozenset[bytes]:
    found = (files[path] for path in paths)
    return frozenset(each.sha256 for each in found if isinstance(each, FileDescription))


@pytest.mark.parametrize(
    ("issued", "reason"),
    [
        ("2009-12-31", "a later version, of 2010-01-01, is already published"),
        ("2010-01-01", "the same date as the published version"),
        ("", "it has no date"),
    ],
)
def test_what_can_not_follow_the_published_version_is_refused(issued: str, reason: str) -> None:
    rows = [row(2, issued=issued)]
    known = Known(PolicyState(Status.IN_FORCE, 1, 0, 0), frozenset(), parse_day("2010-01-01"))
    made = plan(rows, files_for(rows), {rows[0].key: known})
    assert not made.drafts
    assert reason in refusals(made)[2]


@pytest.mark.parametrize(
    "status", [Status.SUSPENDED, Status.SUPERSEDED, Status.REPEALED, Status.WITHDRAWN]
)
def test_a_policy_that_has_ended_is_not_amended(status: Status) -> None:
    rows = [row(2, issued="2020-01-01")]
    known = Known(PolicyState(status, 2, 1, 0), frozenset(), parse_day("2010-01-01"))
    made = plan(rows, files_for(rows), {rows[0].key: known})
    assert not made.drafts
    assert f"the policy is {status.word}: reinstate it" in refusals(made)[2]


def test_a_draft_says_what_its_row_says() -> None:
    rows = [
        row(2, type="notice", issued="2017-07-01", effective_from="2017-09-01", language="en"),
        row(3, number="2", language=""),
    ]
    first, second = (each.draft for each in plan(rows, files_for(rows), {}).drafts)
    assert (first.authority, first.number, first.title) == ("CN", "1", {"en": "T"})
    assert (first.type, first.issued) == ("notice", parse_day("2017-07-01"))
    assert first.document == file_of("2.md", "2.md")
    assert (second.type, second.title, second.issued) == (None, {"und": "T"}, None)


def test_an_amendment_may_apply_from_the_day_it_was_issued() -> None:
    rows = [row(2), row(3, issued="2015-01-01", effective_from="2015-01-01")]
    amending = plan(rows, files_for(rows), {}).drafts[1].draft
    assert (amending.effective_from, dict(amending.extra)) == (parse_day("2015-01-01"), {})


def test_an_amendment_does_not_apply_before_it_was_issued() -> None:
    rows = [
        row(2, issued="2010-01-01", effective_from="2009-06-01"),
        row(3, issued="2015-01-01", effective_from="2009-06-01"),
        row(4, issued="2016-01-01", effective_from="2016-06-01"),
    ]
    first, second, third = (each.draft for each in plan(rows, files_for(rows), {}).drafts)
    assert (first.effective_from, dict(first.extra)) == (parse_day("2009-06-01"), {})
    assert (second.effective_from, dict(second.extra)) == (
        None,
        {"policy_effective_from": "2009-06-01"},
    )
    assert (third.effective_from, dict(third.extra)) == (parse_day("2016-06-01"), {})


# Properties over any catalogue

dates = st.sampled_from(["", *(f"2010-01-0{day}" for day in range(1, 6))])


@st.composite
def catalogues(draw: st.DrawFn) -> tuple[list[Row], dict[str, FileDescription | str]]:
    rows = [
        row(
            line,
            number=draw(st.sampled_from("123")),
            issued=draw(dates),
            effective_from=draw(dates),
        )
        for line in range(2, 2 + draw(st.integers(1, 10)))
    ]
    contents = st.sampled_from(["A", "B", "C", "D", "E", "F", "G", ""])
    chosen = {each.path: draw(contents) for each in rows}
    return rows, {path: file_of(text) if text else "it is gone" for path, text in chosen.items()}


def applied(made: Plan, count: int) -> dict[PolicyKey, Known]:
    """What the registry knows once the first `count` drafts are in it."""
    known: dict[PolicyKey, Known] = {}
    for each in made.drafts[:count]:
        before = known.get(each.row.key, Known())
        check(before.state, each.draft.action, each.draft.called)
        assert each.draft.document is not None
        known[each.row.key] = Known(
            PolicyState(Status.IN_FORCE, before.state.sequence + 1, None, UNPUBLISHED.recorded_at),
            before.documents | {each.draft.document.sha256},
            each.row.date,
        )
    return known


@given(catalogues())
def test_every_row_is_planned_present_or_refused_once(
    catalogue: tuple[list[Row], dict[str, FileDescription | str]],
) -> None:
    rows, files = catalogue
    made = plan(rows, files, {})
    lines = [each.row.line for each in made.drafts]
    lines += [each.line for each in [*made.present, *made.refused]]
    assert sorted(lines) == [each.line for each in rows]
    assert [each.line for each in made.refused] == sorted(each.line for each in made.refused)
    assert all(each.reason for each in made.refused)


@given(catalogues())
def test_what_is_planned_can_be_published_in_its_order(
    catalogue: tuple[list[Row], dict[str, FileDescription | str]],
) -> None:
    made = plan(*catalogue, {})
    known = applied(made, len(made.drafts))
    for key in known:
        acts = [each for each in made.drafts if each.row.key == key]
        assert [each.draft.action for each in acts[1:]] == [Action.AMEND] * (len(acts) - 1)
        dated = [each.row.date for each in acts if each.row.date is not None]
        assert dated == sorted(set(dated))
        for each in acts:
            each.draft.manifest()


@given(catalogues(), st.data())
def test_an_import_run_again_does_exactly_the_rest(
    catalogue: tuple[list[Row], dict[str, FileDescription | str]], data: st.DataObject
) -> None:
    rows, files = catalogue
    first = plan(rows, files, {})
    done = data.draw(st.integers(0, len(first.drafts)))
    second = plan(rows, files, applied(first, done))
    assert second.drafts == first.drafts[done:]
    assert {each.line for each in second.present} == {e.row.line for e in first.drafts[:done]}
    assert refusals(second).keys() == refusals(first).keys()


def test_the_corpus_is_a_catalogue_that_can_be_planned(corpus: Path) -> None:
    rows, refused = parse_rows((corpus / "index.csv").read_bytes())
    assert (len(rows), refused) == (2928, [])
    made = plan(rows, files_for(rows), {})
    assert len(made.drafts) + len(made.refused) == 2928
    assert not made.present
    for each in made.drafts:
        assert (
            each.draft.effective_from is None
            or each.draft.action is Action.PUBLISH
            or (each.row.issued is None or each.row.issued <= each.draft.effective_from)
        )
    for refusal in made.refused:
        assert "no date" in refusal.reason or "same date" in refusal.reason
    assert iso_date(min(each.date for each in rows if each.date is not None)) < "1970-01-01"
