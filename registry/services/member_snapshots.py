"""Snapshots of the members of collections, beside those of policies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from registry.core.member_snapshot import COLUMNS, header, member_row
from registry.core.snapshot import ndjson_line
from registry.core.units import Digest
from registry.errors import CouldNotCheck
from registry.mirror.engine import Connection, reading
from registry.mirror.members import Held, held_collection, logged_collections
from registry.mirror.snapshot_lines import snapshot_lines
from registry.services.collections import checked_members
from registry.services.snapshots import Snapshot, cell, csv_line


@dataclass(frozen=True, slots=True)
class MemberSnapshot:
    """A snapshot of members that was counted: its header, and how to stream it. `policies` is the
    snapshot of policies that it goes with."""

    policies: Snapshot
    count: int

    @property
    def size(self) -> int:
        return self.policies.size

    @property
    def header(self) -> dict[str, Any]:
        return header(self.policies.checkpoint, self.policies.filters, self.count)

    def ndjson(self) -> Iterator[bytes]:
        """The header's line, then one a member: collections in the order of policy_id, their
        members in their own. Raises Inconsistent where the log was replaced meanwhile."""
        with self.policies.same_log() as connection:
            yield ndjson_line(self.header)
            for row in _rows(connection, self.policies):
                yield ndjson_line(row)

    def csv(self) -> Iterator[bytes]:
        """The same rows as CSV, with a line of column names."""
        with self.policies.same_log() as connection:
            yield csv_line(COLUMNS)
            for row in _rows(connection, self.policies):
                yield csv_line([cell(row.get(name)) for name in COLUMNS])


def take_member_snapshot(policies: Snapshot) -> MemberSnapshot:
    """The members of the collections that a snapshot shows. Raises CouldNotCheck where those of one
    are not known here: what is left out would look as if it were not there."""
    with reading(policies.engine) as connection:
        return MemberSnapshot(policies, sum(1 for _ in _rows(connection, policies)))


def _rows(connection: Connection, policies: Snapshot) -> Iterator[dict[str, Any]]:
    for row, held in list(_collections(connection, policies)):
        for index, manifest in enumerate(checked_members(connection, held)):
            found = member_row(row, held.root, index, manifest, policies.filters)
            if found is not None:
                yield found


def _collections(
    connection: Connection, policies: Snapshot
) -> Iterator[tuple[dict[str, Any], Held]]:
    """The snapshot's rows that show a collection, with its members."""
    there = {each.entry: each for each in logged_collections(connection)}
    if not there:
        return
    for line in snapshot_lines(connection, policies.size, policies.filters):
        row = orjson.loads(line)
        logged = there.get(row["entry"])
        if logged is None:
            continue
        held = held_collection(connection, logged.root)
        if held is None or held.size != logged.size:
            raise CouldNotCheck(
                f"the members of the collection {Digest(logged.root).hex()} are not known here",
                hint="import them: polreg collection import FILE, from whoever has the file",
            )
        yield row, held
