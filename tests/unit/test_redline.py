"""What changed inside a clause, so that a person can read it."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from registry.core.text import redline as module
from registry.core.text.clauses import Clause
from registry.core.text.comparing import Change, compare_texts
from registry.core.text.finding import Compared
from registry.core.text.locating import locate
from registry.core.text.normal import normal
from registry.core.text.redline import Kind, Run, redline

alphabet = "ab c，,。\n（(第五条市 \u3000ａ１1.e\u0301"
texts = st.text(alphabet, max_size=40)


def shown(old: str, new: str) -> str:
    marks = {Kind.SAME: "{}", Kind.DELETED: "[-{}-]", Kind.INSERTED: "{{+{}+}}"}
    return "".join(marks[run.kind].format(run.text) for run in redline(old, new))


@given(texts, texts)
@example("a .", "a.")
@example("ａ b", "a b")
@example("e\u0301", "\u00e9")
def test_the_runs_are_the_old_text_and_the_new_one(old: str, new: str) -> None:
    runs = redline(old, new)
    assert "".join(run.old for run in runs) == old
    assert "".join(run.new for run in runs) == new
    for run in runs:
        match run.kind:
            case Kind.SAME:
                assert run.text or run.old
            case Kind.DELETED:
                assert run.text == run.old != ""
            case Kind.INSERTED:
                assert (run.text != "", run.old) == (True, "")
    assert all(run.kind is Kind.SAME for run in runs) == (normal(old) == normal(new))
    assert redline(old, new) == runs


@given(texts)
def test_a_text_stays_the_same_against_itself(text: str) -> None:
    assert redline(text, text) == ((Run(Kind.SAME, text, text),) if text else ())


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "The Mayor shall report annually to the Council.",
            "The Mayor shall report quarterly to the Council.",
            "The Mayor shall report [-annually-]{+quarterly+} to the Council.",
        ),
        (
            "市人民政府应当建立数字经济协调机制。",
            "市人民政府应当建立人工智能协调机制。",
            "市人民政府应当建立[-数字经济-]{+人工智能+}协调机制。",
        ),
        (
            "Fees are 1,200 dollars.",
            "Fees are 1,300 dollars.",
            "Fees are [-1,200-]{+1,300+} dollars.",
        ),
        ("依照GB 2016标准执行。", "依照GB 2018标准执行。", "依照GB [-2016-]{+2018+}标准执行。"),
        # White space and full-width forms are no differences.
        ("a\nb c（一）", "a b\nc(一)", "a b\nc(一)"),
        ("中 国", "中国", "中国"),
        # An edit begins where a sentence does.
        (
            "甲方报告。乙方审查。",
            "甲方报告。丙方报告。乙方审查。",
            "甲方报告。{+丙方报告。+}乙方审查。",
        ),
        # What stays by chance between two edits is no island.
        ("全部废止的事项", "继续有效的规定", "[-全部废止的事项-]{+继续有效的规定+}"),
    ],
)
def test_a_redline_reads_like_this(old: str, new: str, expected: str) -> None:
    assert shown(old, new) == expected


def test_what_would_take_too_long_is_replaced_as_a_whole() -> None:
    old, new = "x" + "a b " * 40_000, "y" + "b a " * 40_000 + "z"
    started = time.process_time()
    runs = redline(old, new)
    assert time.process_time() - started < 20
    assert [run.kind for run in runs] == [Kind.DELETED, Kind.INSERTED]
    assert module.MAX_TOKENS < 80_000


def test_many_clauses_share_what_one_may_take() -> None:
    """So that whoever sends a file with hundreds of them waits no longer than for one."""
    old = [Clause(f"第{number}条", "的事项" * 60 + str(number)) for number in range(100)]
    new = [Clause(each.label, "的" * 40_000 + each.label) for each in old]
    found = Compared(
        compare_texts(old, new), tuple(c.text for c in old), tuple(c.text for c in new)
    )
    changed = found.comparison.of(Change.CHANGED)
    assert (len(changed), found.share) == (100, 0.01)
    for row in changed:
        runs = found.runs(row)
        assert runs is not None
        assert [run.kind for run in runs] == [Kind.DELETED, Kind.INSERTED]
    alone = redline(old[0].text, new[0].text)
    assert any(run.kind is Kind.SAME for run in alone)


TIAO = (
    "第六条 有下列情形之一的，不予批准：\n（一）材料不全的；\n（二）有下列情况的：\n"
    "1.弄虚作假的；\n2．逾期的；\n（三）其他情形。\n前款规定不适用于个人。\n具体办法另行制定。"
)


@pytest.mark.parametrize(
    ("at", "name"),
    [
        ("有下列情形", "第一款"),
        ("材料", "第一款第（一）项"),
        ("弄虚", "第一款第（二）项第1目"),
        ("逾期", "第一款第（二）项第2目"),
        ("其他", "第一款第（三）项"),
        ("个人", "第二款"),
        ("具体", "第三款"),
    ],
)
def test_a_place_in_an_article_has_the_name_that_a_lawyer_cites(at: str, name: str) -> None:
    assert locate("第六条", TIAO, TIAO.index(at)) == name


def test_an_only_paragraph_has_no_name() -> None:
    assert locate("第五条", "第五条 本条例自公布之日起施行。", 4) == ""
    items = "第五条 包括：\n（一）甲；\n（十二）乙。"
    assert locate("第五条", items, items.index("乙")) == "第（十二）项"
    assert locate("§ 3(b)", "(b) The Mayor\n(1) shall", 15) == ""
