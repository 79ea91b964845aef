"""The page's normal form is the product's: the same bytes are hashed by both."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from pathlib import Path

from registry.core.text.clauses import Clause
from registry.core.text.normal import normal

JOBS = Path(__file__).with_name("receipt_jobs.mjs")
# What the normal form treats apart, and neighbours of it.
PIECES = [
    *"aZ09 .,:;()[]§\n\r\t\x0b\x1c\x85\xa0", "\u00ad", "\u200b", "\u2060", "\ufeff", "\u180e",
    "\u2028", "\u3000", "\u1680", "\ufffe", "e\u0301", "\u00e9", "\u1100\u1161", "\u212b", "K",
    "ſ", "İ", "（", "）", "，", "Ａ", "１", "～", "｟", "第", "五", "条", "款", "あ", "\u3099",
    "ㄅ", "\U00020000", "\U0001f600", "\u202e", "\u200d", "\u0338", "<", "=", "Article ", "Sec. ",
    "§ 3", "(b)", "第五条", "ARTICLE 5", " [2]", "\u0345", "\u0391",
]  # fmt: skip


def test_javascript_and_python_have_one_normal_form() -> None:
    chance = random.Random(7)
    given = [
        (
            "".join(chance.choices(PIECES, k=chance.randint(0, 5))),
            "".join(chance.choices(PIECES, k=chance.randint(0, 12))),
        )
        for _ in range(20_000)
    ]
    jobs = [{"kind": "clause", "label": label, "text": text} for label, text in given]
    node = shutil.which("node")
    assert node is not None, "Node.js is needed to test what the page runs"
    done = subprocess.run(
        [node, str(JOBS)], input=json.dumps(jobs), capture_output=True, text=True, check=True
    )
    for (label, text), found in zip(given, json.loads(done.stdout), strict=True):
        assert found == [normal(text), Clause(label, text).body], (label, text)
