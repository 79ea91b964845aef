"""Entries with their rows, made before there is a transaction to write them in.

Most of what a range of blocks costs is this, and nothing of it asks the mirror: whoever reads
the next range from a node makes it ready while the one before is written. What goes on from
policies that the mirror has already is left to `store.append_batch`, which knows them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from registry.core.feed import Recorded
from registry.core.snapshot import Logged
from registry.core.units import Digest
from registry.errors import Inconsistent
from registry.mirror.rows import DerivedRows, Row, block_row, entry_row

PolicyName = tuple[str, Digest]
"""A policy as an entry names it: the authority, and the hash of the number."""

_KEY_OF_DOCUMENT = itemgetter(0, 1, 2)


@dataclass(slots=True)
class Batch:
    """Entries that follow one another, and their rows by table.

    `gone_on` are the places in `events` of those whose policy's rows are still to be derived:
    the policy began before, or the contract can not have written them, which is to be said when
    they are appended and not before. Their rows in `entries` name no policy yet.
    """

    events: Sequence[Recorded]
    entries: list[Row] = field(default_factory=list)
    manifests: list[Row] = field(default_factory=list)
    blocks: list[Row] = field(default_factory=list)
    derived: DerivedRows = field(default_factory=DerivedRows)
    gone_on: dict[PolicyName, list[int]] = field(default_factory=dict)


def batch_of(events: Sequence[Recorded]) -> Batch:
    """Make entries ready that follow one another. Raises nothing."""
    batch = Batch(events)
    places: dict[PolicyName, list[int]] = {}
    for at, event in enumerate(events):
        entry = event.entry
        if entry.action.on_policy:
            places.setdefault((entry.authority, entry.number), []).append(at)
        if event.manifest is not None:
            batch.manifests.append((entry.index, event.manifest))
    policies: list[int | None] = [None] * len(events)
    for name, of_policy in places.items():
        first = events[of_policy[0]].entry
        if first.sequence > 1 or not _derived(batch.derived, events, of_policy):
            batch.gone_on[name] = of_policy
            continue
        for at in of_policy:
            policies[at] = first.index
    batch.entries = list(map(entry_row, events, policies))
    batch.blocks = _block_rows(events)
    # In the order of its key, so that each page of a large index is changed once.
    batch.derived.documents.sort(key=_KEY_OF_DOCUMENT)
    return batch


def _derived(rows: DerivedRows, events: Sequence[Recorded], places: Sequence[int]) -> bool:
    """Derive the rows of the policy that begins here, if that can be."""
    first = events[places[0]]
    try:
        if len(places) == 1:
            rows.add_published(first.entry, first.manifest)
        else:
            rows.add([Logged(events[at].entry, events[at].manifest) for at in places])
    except Inconsistent:
        return False
    return True


def _block_rows(events: Sequence[Recorded]) -> list[Row]:
    sizes = {event.place.block: (event.place.block_hash, event.entry.index + 1) for event in events}
    return [block_row(number, *known) for number, known in sizes.items()]
