"""Receipts that show a report: the key that recorded an entry was compromised."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from logs import draft
from registries import (
    AUTHORITY,
    FIRST,
    SECOND,
    TIME,
    Block,
    Registry,
    Shown,
    block_at,
    leaf,
    path,
    receipt_of,
)

from registry.core.entry import Action
from registry.core.snapshot import Logged

KEY, OTHER = b"\7" * 20, b"\x08" * 20


def report(log: Registry, code: str, account: bytes, since: int) -> None:
    """Append a report; with the account as its own log's acts on authorities have it."""
    log.appoint(Action.REPORT_COMPROMISE, code, account.rjust(32, b"\0"))
    entry = log.logged[-1].entry
    log.logged[-1] = Logged(replace(entry, document=since.to_bytes(32, "big")), None)


def log_of(*reports: tuple[str, bytes, int], amended: bool = False) -> Block:
    """A log with one policy of AUTHORITY, recorded by KEY at its entry 1, and these reports."""
    log = Registry()
    log.appoint(Action.OPEN_AUTHORITY, AUTHORITY, bytes(32))
    log.record(draft(Action.PUBLISH, "1", FIRST.decode(), issued=18262))
    for each in reports:
        report(log, *each)
    if amended:
        log.record(draft(Action.AMEND, "1", SECOND.decode(), issued=18262))
    return block_at(log.logged)


RECORDED_AT = TIME + 12
PARENT = AUTHORITY.rpartition(".")[0]


def shown_report(block: Block, index: int) -> dict[str, Any]:
    leaves = [leaf(each.entry) for each in block.entries]
    return {
        "entry": block.entries[index].entry.encode().hex(),
        "path": [each.hex() for each in path(index, leaves)],
    }


def showing(block: Block, *reports: int, file: bytes = FIRST) -> Shown:
    """The receipt of the block's policy with these reports."""
    indexes = [n for n, each in enumerate(block.entries) if each.entry.action.on_policy]
    made = receipt_of(block, indexes, file)
    return made.put("reports", [shown_report(block, index) for index in reports])


def good() -> Iterator[tuple[str, int, Shown, list[int], bool, str]]:
    """Name, entry of the file, receipt, the marked entries, whether it is doubted."""
    own = (AUTHORITY, KEY, RECORDED_AT)
    above = (PARENT, KEY, 0)
    yield "reported", 1, showing(log_of(own), 2), [1], True, "since its own second"
    yield "reported-from-above", 1, showing(log_of(above), 2), [1], True, "by the one above"
    twice = showing(log_of(own, above), 2, 3)
    yield "reported-twice", 1, twice, [1], True, "the first of them is named"
    amended = showing(log_of(own, amended=True), 2, file=FIRST)
    yield "reported-and-amended", 1, amended, [1, 3], True, "by the same key once more"
    later = showing(log_of((AUTHORITY, KEY, RECORDED_AT + 1), amended=True), 2, file=FIRST)
    yield "latest-reported", 1, later, [3], True, "the latest act, and not the file's own"


def bad() -> dict[int, list[tuple[str, Shown, str]]]:
    own = log_of((AUTHORITY, KEY, RECORDED_AT))
    shown = showing(own, 2)
    hashes = shown.at("reports.0.path")
    altered = bytearray.fromhex(hashes[0])
    altered[0] ^= 1
    word = shown.at("reports.0.entry")
    since = word[: 7 * 64] + "00" * 32 + word[8 * 64 :]
    two = log_of((AUTHORITY, KEY, 0), (PARENT, KEY, 0))
    return {
        1: [
            ("reports-empty", shown.put("reports", []), "a list of none"),
            ("reports-null", shown.put("reports", None), "no list"),
            ("report-manifest", shown.put("reports.0.manifest", None), "a key too many"),
            ("report-no-path", shown.without("reports.0.path"), "a key too few"),
            ("report-cut", shown.put("reports.0.entry", word[:-2]), "351 bytes"),
        ],
        7: [
            ("report-path-bit-flipped", shown.put("reports.0.path.0", altered.hex()), "a hash"),
            ("report-path-empty", shown.put("reports.0.path", []), "no hash"),
            ("report-since-altered", shown.put("reports.0.entry", since), "not in the log"),
        ],
        8: [
            ("report-of-another-key", showing(log_of((AUTHORITY, OTHER, 0)), 2), "not its key"),
            (
                "report-since-later",
                showing(log_of((AUTHORITY, KEY, RECORDED_AT + 1)), 2),
                "recorded the second before",
            ),
            ("report-of-another-authority", showing(log_of(("FR", KEY, 0)), 2), "not its own"),
            (
                "report-of-one-below",
                showing(log_of((f"{AUTHORITY}.X", KEY, 0)), 2),
                "who do not answer for it",
            ),
            (
                "report-of-a-code-that-begins-alike",
                showing(log_of((AUTHORITY[:-1], KEY, 0)), 2),
                "no dot between",
            ),
            ("report-no-report", showing(own, 0), "it opens the authority"),
            ("reports-out-of-order", showing(two, 3, 2), "the later one first"),
            ("report-twice", showing(two, 2, 2), "one of them once more"),
        ],
    }
