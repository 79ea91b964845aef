"""In words: who issues a document together, and what reported keys recorded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

DOUBTED = (
    "WARNING: it rests on a key that was reported compromised: confirm it with the authority by "
    "another way"
)


def issuers_in_words(issuers: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Lines on a joint issue; none where one body alone issues the document."""
    others = [each for each in issuers if each["state"] != "lead"]
    if not others:
        return
    lead = next(each["authority"] for each in issuers if each["state"] == "lead")
    yield f"issued by {', '.join([lead, *(_issuer(each) for each in others)])}"
    missing = [each["authority"] for each in others if each["state"] == "missing"]
    if missing:
        yield f"not endorsed yet by {', '.join(missing)}"


def _issuer(each: dict[str, Any]) -> str:
    said = {
        "endorsed": "endorsed",
        "other_document": "endorsed another document",
        "ended": "endorsed, no longer in force",
        "missing": "not endorsed yet",
    }[each["state"]]
    return f"{each['authority']} ({said}{'' if each['named'] else ', not named by the lead'})"


def marks_in_words(
    marked: Sequence[dict[str, Any]] | None, own: int | None, *, doubted: bool
) -> Iterator[str]:
    """Lines on the acts of reported keys; `own` is the entry of the document that is shown."""
    if doubted:
        yield DOUBTED
    for each in marked or ():
        which = f"entry {each['entry']}" + (
            ", this document's own," if each["entry"] == own else ""
        )
        yield f"{which} was recorded by a key reported compromised: {mark_in_words(each)}"


def mark_in_words(each: dict[str, Any]) -> str:
    return (
        f"{each['account']} since {each['since']}, reported by {each['reported_by']} in entry "
        f"{each['report']}"
    )
