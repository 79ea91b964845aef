"""A clause's own number is its label's matter: what is hashed is the rest."""

from __future__ import annotations

import pytest

from registry.core.text.clauses import Clause


@pytest.mark.parametrize(
    ("label", "text", "body"),
    [
        ("第五条", "第五条\u3000本市实行整体保护。", "本市实行整体保护。"),
        ("第五条", "第五条本市实行整体保护。", "本市实行整体保护。"),
        ("第五条", "第五条之一 另有规定。", "之一另有规定。"),
        ("第五条 [2]", "第五条 本市实行整体保护。", "本市实行整体保护。"),
        ("第一章", "第一章 总 则", "总则"),
        ("第三章第四节", "第四节 特别规定", "特别规定"),
        ("Article 5", "ARTICLE 5. Pilots may begin.", ". Pilots may begin."),
        ("Article 1", "Article 12 is repealed.", "Article 12 is repealed."),
        ("§ 3", "Sec. 3. Short title.", ". Short title."),
        ("§ 3", "3 Short title.", "Short title."),
        ("§ 3", "30 days.", "30 days."),
        ("§ 3(b)", "(b) The Mayor shall report.", "The Mayor shall report."),
        ("§ 3(b)(2)", "(2) Annually.", "Annually."),
        ("¶ 7", "7 persons make a quorum.", "7 persons make a quorum."),
        ("", "Whatever.", "Whatever."),
    ],
)
def test_what_is_hashed_is_the_text_without_its_number(label: str, text: str, body: str) -> None:
    assert Clause(label, text).body == body


def test_a_clause_that_was_only_renumbered_keeps_its_hash() -> None:
    before = Clause("第六条", "第六条 市人民政府应当建立协调机制。").hashed()
    after = Clause("第七条", "第七条 市人民政府应当建立协调机制。").hashed()
    assert before.text_hash == after.text_hash
    assert before.leaf_hash != after.leaf_hash
