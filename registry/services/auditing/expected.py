"""What should be among the files of an audit: all that an authority has in force, or what an index
lists, each file as a document of the policy that its row names."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from registry.core.auditing.findings import Absence, Finding, Missing, Wanted
from registry.core.authority import check_code
from registry.core.backlog import Row, rows_in
from registry.core.timeline import Standing
from registry.core.units import Day
from registry.errors import InputError
from registry.mirror import listing, queries
from registry.mirror.engine import Connection, Engine, reading
from registry.mirror.listing import MemberFilter, PolicyFilter
from registry.mirror.member_listing import member_page
from registry.mirror.members import logged_collections
from registry.mirror.registrations import title_of
from registry.services.verify import required_position

_PAGE = 1000
_MAX_INDEX = 256 * 2**20


@dataclass(frozen=True, slots=True)
class Expected:
    """`said` is in words what is expected; `rows` are an index's, each with the name that its
    file has in the audit."""

    said: str
    authority: str | None = None
    rows: Sequence[tuple[str, Row]] = ()

    def in_force(self, engine: Engine, on: Day) -> list[Wanted]:
        """The policies that are in force on the day, with the document that applies."""
        with reading(engine) as connection:
            if self.authority is not None:
                return [
                    *_policies_of(connection, self.authority, on),
                    *_members_of(connection, self.authority, on),
                ]
            return list(_policies_in(connection, self.rows, on))

    def misplaced(self, engine: Engine, findings: Iterable[Finding]) -> list[Missing]:
        """The rows of an index whose file is not there, or is a document of another policy, or
        whose policy the registry does not have."""
        if not self.rows:
            return []
        policies = {each.file: _policies(each) for each in findings}
        with reading(engine) as connection:
            return [
                Missing(why, row.authority, row.number, _title(row), file=name)
                for name, row in self.rows
                if (why := _misplaced(connection, row, policies.get(name, _ABSENT))) is not None
            ]


def expected_of_authority(code: str) -> Expected:
    """All that an authority has in force; raises InputError."""
    return Expected(f"all that {check_code(code)} has in force", authority=code)


def expected_of_index(index: Path, source: Path) -> Expected:
    """What an index lists. Its paths are below the index's own folder, as an import takes them, or
    below the folder that is audited. Raises InputError."""
    try:
        if index.stat().st_size > _MAX_INDEX:
            raise InputError(f"the index {index} has more than {_MAX_INDEX:,} bytes")
        text = index.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the index {index} can not be read: {error}") from None
    rows: list[tuple[str, Row]] = []
    for each in rows_in(text.splitlines(keepends=True)):
        if not isinstance(each, Row):
            raise InputError(f"line {each.line} of {index}: {each.reason}")
        rows.append((_named(each.path, index, source), each))
    return Expected(f"the {len(rows):,} files of {index.name}", rows=rows)


def _named(path: str, index: Path, source: Path) -> str:
    if not source.is_dir():
        return path
    below = os.path.relpath(index.absolute().parent / path, source.absolute())
    return os.path.normpath(path) if below.startswith("..") else below


def _policies_of(connection: Connection, code: str, on: Day) -> Iterator[Wanted]:
    closed = required_position(connection).closed is not None
    wanted = PolicyFilter(on=on, authority=code, standing=Standing.IN_FORCE, closed=closed)
    collections = {bytes(each.root) for each in logged_collections(connection)}
    after = -1
    while rows := listing.page(connection, wanted, after, _PAGE):
        after = rows[-1].id
        # What is asked for is what it issued itself; a collection's root is no file.
        own = [each for each in rows if each.authority == code]
        yield from (_wanted(each) for each in own if bytes(each.document) not in collections)


def _members_of(connection: Connection, code: str, on: Day) -> Iterator[Wanted]:
    position = required_position(connection)
    wanted, after = MemberFilter(on=on, authority=code), -1
    while found := member_page(
        connection,
        wanted,
        after,
        _PAGE,
        finality=position.finality,
        closed=position.closed is not None,
    ):
        after = found[-1].id
        for each in found:
            registered = each.registration
            if registered.authority == code and registered.standing is Standing.IN_FORCE:
                yield Wanted(
                    registered.policy_id.hex(),
                    code,
                    registered.number,
                    registered.title,
                    each.sha256.hex(),
                )


def _policies_in(
    connection: Connection, rows: Sequence[tuple[str, Row]], on: Day
) -> Iterator[Wanted]:
    for name, row in {row.key.policy_id: (name, row) for name, row in rows}.values():
        found = _listed(connection, row, on)
        if found is not None and found.standing == Standing.IN_FORCE.value:
            yield _wanted(found, name)


def _listed(connection: Connection, row: Row, on: Day) -> Any | None:
    known = queries.policies_with_prefix(connection, row.key.policy_id.hex())
    return listing.one(connection, known[0].id, on) if known else None


def _wanted(row: Any, name: str | None = None) -> Wanted:
    return Wanted(
        row.policy_id.hex(), row.authority, row.number, title_of(row), row.document.hex(), name
    )


def _policies(finding: Finding) -> frozenset[str] | None:
    """The policies that a file is a document of, exactly or in its text; None where it is of none
    that is known, which its own finding says."""
    return frozenset(each["policy_id"] for each in finding.registrations) or None


_ABSENT = object()


def _misplaced(connection: Connection, row: Row, policies: Any) -> Absence | None:
    policy_id = row.key.policy_id.hex()
    if not queries.policies_with_prefix(connection, policy_id):
        return Absence.NOT_REGISTERED
    if policies is _ABSENT:
        return Absence.NO_FILE
    if policies is not None and policy_id not in policies:
        return Absence.OTHER_POLICY
    return None


def _title(row: Row) -> dict[str, str]:
    return {row.language or "und": row.title} if row.title else {}
