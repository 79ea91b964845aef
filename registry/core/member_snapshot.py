"""A snapshot of members: those of the collections that a snapshot shows, a member a line.

A snapshot has nothing but what is in the log. Members are not, but the log determines them by
their roots: this file too is a function of the log's first N entries and of what is asked, and it
is written whole, by who knows the members of every collection that it is to show, or not at all.
"""

from __future__ import annotations

from typing import Any

from registry.core.calendar import iso_or_none
from registry.core.collection import own_standing, readable
from registry.core.digest import sha256
from registry.core.snapshot import COLUMNS as POLICY_COLUMNS
from registry.core.snapshot import Checkpoint, Filters
from registry.core.snapshot import header as policy_header
from registry.core.timeline import Standing
from registry.core.units import Digest

SCHEMA = "policy-registry/member-snapshot/1"
COLUMNS = (*POLICY_COLUMNS, "collection", "member")

_OWN = dict.fromkeys(
    ("number", "title_zh", "title_en", "type", "jurisdiction", "issued", "effective_to")
)


def member_row(
    collection: dict[str, Any], root: Digest, index: int, manifest: bytes, filters: Filters
) -> dict[str, Any] | None:
    """A member's row, from that of the policy that is its collection; None where the filters leave
    it out. What the log says is the collection's, what a manifest says the member's own."""
    own, day = readable(manifest), filters.in_force_on
    if own is None:
        # A leaf that is no manifest is no document.
        return None
    if day is not None and own_standing(own, day) is not Standing.IN_FORCE:
        return None
    fields, title = own.fields, own.title
    document = fields.get("document")
    starts = collection["effective_on"]
    return {
        **collection,
        **_OWN,
        "number_sha256": own.number_hash.hex(),
        "number": own.number,
        "title_zh": title.get("zh"),
        "title_en": title.get("en"),
        "type": own.type,
        "jurisdiction": own.jurisdiction,
        "issued": iso_or_none(own.issued),
        "effective_on": starts if own.effective_from is None else iso_or_none(own.effective_from),
        "effective_to": iso_or_none(own.effective_to),
        "document": document["sha256"] if document else None,
        "manifest": sha256(manifest).hex(),
        "manifest_state": "present",
        "collection": root.hex(),
        "member": index,
    }


def header(checkpoint: Checkpoint, filters: Filters, count: int) -> dict[str, Any]:
    """The first line: a snapshot's, with a schema of its own."""
    return {**policy_header(checkpoint, filters, count), "schema": SCHEMA}
