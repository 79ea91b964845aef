"""What a report that a key was compromised says, and of which acts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from registry.core.compromise import Mark, Report, concerns, doubted, mark, marks, report_of
from registry.core.entry import Action, Entry

CODES = st.sampled_from(["CN", "CN.GD", "CN.GD.SZ", "CN.G", "CN.GDX", "FR"])
ACCOUNTS = st.sampled_from([b"\1" * 20, b"\2" * 20])
MOMENTS = st.integers(0, 6)
REPORTS = st.lists(
    st.builds(Report, st.integers(0, 40), CODES, ACCOUNTS, MOMENTS),
    max_size=6,
    unique_by=lambda each: each.entry,
)


def entry(index: int, authority: str, registrar: bytes, recorded_at: int) -> Entry:
    return Entry(
        index, None, authority, b"\3" * 32, 1, Action.PUBLISH, None, b"\4" * 32, b"\5" * 32,
        registrar, recorded_at,
    )  # fmt: skip


ENTRIES = st.builds(entry, st.integers(0, 40), CODES, ACCOUNTS, MOMENTS)


def segments(code: str) -> list[str]:
    return code.split(".")


@given(REPORTS, ENTRIES)
def test_an_act_is_marked_by_the_first_report_of_its_own_chain_of_command(
    reports: list[Report], act: Entry
) -> None:
    """The same account, at that moment or later, for the report's authority or one below."""
    meant = [
        each
        for each in reports
        if each.account == act.registrar
        and not act.recorded_at < each.since
        and segments(act.authority)[: len(segments(each.authority))] == segments(each.authority)
    ]
    found = mark(reports, act.index, act.authority, act.registrar, act.recorded_at)
    assert (found is None) is (not meant)
    if found is not None:
        first = sorted(meant, key=lambda each: each.entry)[0]
        assert found == Mark(act.index, first)


@given(REPORTS, REPORTS, st.lists(ENTRIES, max_size=5, unique_by=lambda each: each.index))
def test_a_later_report_takes_no_mark_away(
    before: list[Report], later: list[Report], acts: list[Entry]
) -> None:
    more = before + [
        Report(each.entry + 100, each.authority, each.account, each.since) for each in later
    ]
    assert set(marks(before, acts)) <= set(marks(more, acts))


@given(REPORTS, ENTRIES)
def test_when_the_report_came_does_not_matter(reports: list[Report], act: Entry) -> None:
    """A report may come years after the act: `since` alone is compared with its time."""
    moved = [
        Report(each.entry + 1000, each.authority, each.account, each.since) for each in reports
    ]
    assert bool(marks(reports, [act])) == bool(marks(moved, [act]))


def test_another_authority_s_report_says_nothing() -> None:
    report = Report(9, "CN.SH", b"\1" * 20, 0)
    assert not concerns(report, "CN.GD", b"\1" * 20, 5)
    assert not concerns(report, "CN", b"\1" * 20, 5), "nor does a child's of those above it"
    assert not concerns(Report(9, "CN.G", b"\1" * 20, 0), "CN.GD", b"\1" * 20, 5)


def test_the_moment_itself_is_within() -> None:
    report = Report(9, "CN", b"\1" * 20, 5)
    assert [concerns(report, "CN", b"\1" * 20, at) for at in (4, 5, 6)] == [False, True, True]


def test_a_document_is_doubted_by_its_own_entry_or_the_policy_s_latest() -> None:
    marked = (Mark(3, Report(9, "CN", b"\1" * 20, 0)),)
    assert doubted(marked, 3, 8), "its own entry"
    assert doubted(marked, 1, 3), "the latest act"
    assert not doubted(marked, 1, 4), "an act of the authority's followed the thief's"


def test_a_report_reads_from_its_entry() -> None:
    reported = Entry(
        7, None, "CN.GD", bytes(12) + b"\1" * 20, 2, Action.REPORT_COMPROMISE, None,
        (1_700_000_000).to_bytes(32, "big"), None, b"\2" * 20, 1_800_000_000,
    )  # fmt: skip
    assert report_of(reported) == Report(7, "CN.GD", b"\1" * 20, 1_700_000_000)
