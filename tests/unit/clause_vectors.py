"""Receipts that show single clauses of a document, good ones and bad ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from logs import draft
from registries import Registry, Shown, block_at, receipt_of, sha256

from registry.core import merkle
from registry.core.entry import Action
from registry.core.text.clauses import Clause, Text, record_of, text_of

CLAUSES = [
    Clause("题注", "试点办法"),
    Clause("第一条", "第一条 为了规范试点，制定本办法。"),
    Clause("第二条", "第二条 试点应当：\n（一）公开；\n（二）公平。"),
    Clause("Article 3", "ARTICLE 3. Caf\u00e9s may take part."),
    Clause("§ 4(b)", "(b) The Mayor shall report."),
    Clause("§ 4(b)(1)", "(1) Annually."),
    Clause("第五条 [2]", "第五条 附则。"),
]
TEXT = text_of(CLAUSES, "test/1")
SALTS = [bytes([number]) * 32 for number in range(1, len(CLAUSES) + 1)]
DOCUMENT = "the document"


def of_document(
    at: Sequence[int], file: bytes, *, salts: Sequence[bytes] | None = None, text: Text = TEXT,
    more: dict[str, Any] | None = None,
) -> Shown:  # fmt: skip
    """The receipt of a log's only entry, that shows these of its clauses."""
    log = Registry()
    act = draft(Action.PUBLISH, "1", DOCUMENT, issued=18262)
    act = replace(act, text=record_of(text, salts)) if more is None else replace(act, extra=more)
    log.record(act)
    made = receipt_of(block_at(log.logged), [0], file)
    return made.put("clause", part(at, salts, text))


def of_member(file: bytes, entry: int = 0) -> Shown:
    """The same of a collection's only member."""
    from registries import collection

    act = replace(draft(Action.PUBLISH, "3", DOCUMENT, issued=18262), text=record_of(TEXT))
    manifest = act.manifest()
    log = Registry()
    log.record(collection("3", [sha256(b"\0" + manifest)]))
    place = {"entry": 0, "manifest": manifest.decode(), "index": 0, "size": 1, "path": []}
    made = receipt_of(block_at(log.logged), [0], file, member=place)
    return made.put("clause", {**part([1], None, TEXT), "entry": entry})


def part(at: Sequence[int], salts: Sequence[bytes] | None, text: Text) -> dict[str, Any]:
    leaves = [each.leaf_hash for each in text.hashed(salts)]
    return {
        "entry": 0,
        "index": at[0],
        "size": len(leaves),
        "clauses": [
            {
                "label": text.clauses[each].label,
                "text": text.clauses[each].text,
                "salt": salts[each].hex() if salts else None,
                "path": [sibling.hex() for sibling in merkle.inclusion_path(leaves, each)],
            }
            for each in at
        ],
    }


def good() -> Iterator[tuple[str, Shown, str]]:
    for name, at, file, desc in (
        ("clause", [1], CLAUSES[1].text, "one article"),
        ("clause-without-its-number", [1], "为了规范试点， 制定本办法。", "its label says it"),
        (
            "clause-in-other-bytes",
            [2],
            "\ufeff第二条试点应当：\r\n(一)公开； （二）公平。\n",
            "one text",
        ),
        ("clause-composed-otherwise", [3], "article 3. Cafe\u0301s may take part.", "NFC"),
        ("clause-with-sub-levels", [4, 5], "(b) The Mayor shall report.\n(1) Annually.", "both"),
        ("clause-whose-label-comes-twice", [6], "附则。", "its number is 第五条"),
        ("clause-and-the-document", [1], DOCUMENT, "the whole file, with a clause beside it"),
    ):
        if name == "clause-composed-otherwise":
            file = file.replace("article", "ARTICLE")
        yield name, of_document(at, file.encode()), desc
    yield "clause-salted", of_document([1], CLAUSES[1].text.encode(), salts=SALTS), "with a salt"
    yield "clause-of-a-member", of_member(CLAUSES[1].text.encode()), "by the member's own manifest"


def bad() -> dict[int, list[tuple[str, Shown, str]]]:
    article = CLAUSES[1].text.encode()
    shown = of_document([1], article)
    salted = of_document([1], article, salts=SALTS)
    hashes = shown.at("clause.clauses.0.path")
    flipped = f"{hashes[0][:-1]}{int(hashes[0][-1], 16) ^ 1:x}"
    other = replace(shown, file="第一条 为了规范试点，制定本条例。".encode())
    altered = other.put("clause.clauses.0.text", other.file.decode())
    record = record_of(TEXT).fields()
    return {
        1: [
            ("clause-null", shown.put("clause", None), "no object"),
            ("clause-list", shown.put("clause", []), "no object"),
            ("clause-unknown-key", shown.put("clause.root", ""), "a key too many"),
            ("clause-no-salt", shown.without("clause.clauses.0.salt"), "a key too few"),
            ("clause-none-shown", shown.put("clause.clauses", []), "a list of none"),
            ("clause-salt-31-bytes", shown.put("clause.clauses.0.salt", "00" * 31), "too short"),
            ("clause-text-null", shown.put("clause.clauses.0.text", None), "no text"),
            ("clause-index-text", shown.put("clause.index", "1"), "a number as text"),
            ("clause-path-31-bytes", shown.put("clause.clauses.0.path.0", "00" * 31), "no hash"),
        ],
        11: [
            ("clause-file-altered", other, "one word of the file is another"),
            ("clause-file-empty", replace(shown, file=b""), "it says nothing"),
            ("clause-file-no-utf-8", replace(shown, file="第一条".encode("gb18030")), "not UTF-8"),
            ("clause-file-is-another", replace(shown, file=CLAUSES[2].text.encode()), "not shown"),
            (
                "clause-file-has-more",
                replace(shown, file=article + "\n第二条 免费。".encode()),
                "and what is not shown",
            ),
            (
                "clauses-file-has-one",
                replace(of_document([4, 5], b""), file=CLAUSES[4].text.encode()),
                "the sub-level is left out",
            ),
            ("clause-of-an-entry-not-shown", shown.put("clause.entry", 1), "no such entry"),
            ("clause-of-another-entry-than-the-member", of_member(article, 1), "no such entry"),
        ],
        13: [
            ("clause-text-altered", altered, "file and receipt agree, the registry does not"),
            (
                "clause-label-altered",
                shown.put("clause.clauses.0.label", "第二条"),
                "another place",
            ),
            ("clause-path-bit-flipped", shown.put("clause.clauses.0.path.0", flipped), "a hash"),
            ("clause-path-empty", shown.put("clause.clauses.0.path", []), "no hash"),
            ("clause-index-of-the-next", shown.put("clause.index", 2), "another place"),
            ("clause-index-beyond", shown.put("clause.index", 7), "outside of the tree"),
            ("clause-size-8", shown.put("clause.size", 8), "the manifest says 7"),
            ("clause-label-too-long", shown.put("clause.clauses.0.label", "第" * 171), "513 bytes"),
            ("clause-salt-missing", salted.put("clause.clauses.0.salt", None), "it is salted"),
            (
                "clause-salt-of-another",
                salted.put("clause.clauses.0.salt", SALTS[0].hex()),
                "another clause's",
            ),
            ("clause-salt-for-none", shown.put("clause.clauses.0.salt", "00" * 32), "none is"),
            (
                "clauses-out-of-order",
                of_document([5, 4], b"(1) Annually.\n(b) The Mayor shall report."),
                "each is there, and not in this order",
            ),
            (
                "clause-manifest-not-shown",
                shown.put("entries.0.manifest", None),
                "nothing says what the clauses are",
            ),
            (
                "clause-of-no-text",
                of_document([1], article, more={}),
                "the manifest says nothing of a text",
            ),
            (
                "clause-of-another-profile",
                of_document([1], article, more={"x": {**record, "profile": "text/2"}}),
                "under another key, of another profile",
            ),
            (
                "clause-altered-beside-the-document",
                replace(altered, file=DOCUMENT.encode()),
                "the whole file does not make the clause right",
            ),
        ],
    }
