"""Collections: built from files, published as one entry, and their members carried as NDJSON.

The members are written into a file before the entry is sent, so that no root is ever on the chain
whose members are nowhere. A mirror takes members only where their root is that of an entry in its
log; they are gone with the mirror, and the file brings them back.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from registry.chain.client import Client
from registry.core.backlog import Refused, Row, parse_rows
from registry.core.collection import (
    MAX_LINE,
    CollectionHeader,
    Growing,
    collection_lines,
    member_line,
    read_collection,
)
from registry.core.draft import Draft, FileDescription
from registry.core.entry import Action
from registry.core.json_lines import bounded_lines
from registry.core.policy import check_number
from registry.core.position import Position
from registry.core.units import Day, Digest
from registry.errors import CouldNotCheck, Inconsistent, InputError, NotFound, NotVerified
from registry.mirror.engine import Connection, Engine, reading, writing
from registry.mirror.listing import MemberFilter
from registry.mirror.member_listing import ListedMember, member_page
from registry.mirror.members import (
    Held,
    held_collection,
    logged_collections,
    manifests_of,
    write_members,
)
from registry.services.files import write_whole
from registry.services.hashing import files_below
from registry.services.importing import describe_within
from registry.services.log_export import opened
from registry.services.lookup import find_policy
from registry.services.outbox import Outbox
from registry.services.publish import Published, publish
from registry.services.texts.registering import Registering
from registry.services.verify import required_position

Progress = Callable[[int, int], None]
"""Called with members done and members in all."""

_AT_ONCE = 1000


@dataclass(slots=True)
class Built:
    """A collection that was made of files: where its members were written, or which rows stood in
    the way. With any of those there is no file."""

    header: CollectionHeader | None
    refused: list[Refused]


def rows_of(source: Path, authority: str) -> tuple[list[Row], list[Refused], Path]:
    """The rows of an index, or one for each file below a folder, whose number is then its path
    there; those that can not be members; and the folder that paths are relative to."""
    if not source.is_dir():
        rows, refused = _index_rows(source)
        for row in rows:
            if row.authority != authority:
                reason = f"it is of {row.authority}: a collection is of one authority"
                refused.append(Refused(row.line, row.path, reason))
        return rows, refused, source.parent
    rows, refused = [], []
    for line, found in enumerate(files_below(source), 1):
        if not isinstance(found, str):
            raise found
        path = Path(found).relative_to(source).as_posix()
        try:
            number = check_number(path)
        except InputError as error:
            refused.append(Refused(line, path, str(error)))
            continue
        rows.append(Row(line, path, authority, number, Path(path).stem, "und", "", None, None))
    return rows, refused, source


def _index_rows(index: Path) -> tuple[list[Row], list[Refused]]:
    try:
        return parse_rows(index.read_bytes())
    except OSError as error:
        reason = (error.strerror or "it can not be read").lower()
        raise InputError(f"the index {index}: {reason}") from None


def build(
    source: Path,
    authority: str,
    output: Path,
    progress: Progress | None = None,
    texts: Registering | None = None,
) -> Built:
    """Make a collection of all files of a folder or an index, and write its members to `output`.
    `texts` registers what they say.

    All or nothing: its root is on the chain for good. Raises InputError for a source that can not
    be read or holds nothing.
    """
    rows, refused, root = rows_of(source, authority)
    if not rows and not refused:
        raise InputError(f"{source} holds no document")
    tree = Growing()
    with tempfile.TemporaryFile() as spool:
        for manifest in _manifests(rows, root, refused, progress, texts):
            tree.append(manifest)
            spool.write(member_line(manifest))
        if refused:
            refused.sort(key=lambda each: each.line)
            return Built(None, refused)
        header = CollectionHeader(tree.root(), tree.size)
        spool.seek(0)
        (first,) = collection_lines(header, ())
        output.parent.mkdir(parents=True, exist_ok=True)
        write_whole(output, _chained(first, spool))
    return Built(header, [])


def _chained(first: bytes, rest: Iterable[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _manifests(
    rows: list[Row],
    root: Path,
    refused: list[Refused],
    progress: Progress | None,
    texts: Registering | None,
) -> Iterator[bytes]:
    """The members' manifests, in the order of the rows."""
    digests: dict[bytes, int] = {}
    numbers: dict[bytes, int] = {}
    base = root.resolve()
    for at in range(0, len(rows), _AT_ONCE):
        drafts: list[tuple[Row, Draft]] = []
        for row in rows[at : at + _AT_ONCE]:
            try:
                file = describe_within(base, row.path, row.language)
                if isinstance(file, str):
                    raise InputError(file)
                _require_new(digests, file.sha256, row.line, "the same document as")
                _require_new(numbers, row.key.number_hash, row.line, "of the same number as")
                drafts.append((row, _draft(row, file)))
            except InputError as error:
                refused.append(Refused(row.line, row.path, str(error)))
        yield from _written(drafts, base, refused, texts)
        if progress:
            progress(min(at + _AT_ONCE, len(rows)), len(rows))


def _written(
    drafts: list[tuple[Row, Draft]], base: Path, refused: list[Refused], texts: Registering | None
) -> Iterator[bytes]:
    """The manifests of these, with what their files say. Of what is refused none is read."""
    prepared: list[Draft | InputError] = [draft for _, draft in drafts]
    if texts is not None and not refused:
        prepared = texts.prepared(
            [draft for _, draft in drafts], [base / row.path for row, _ in drafts]
        )
    for (row, _), draft in zip(drafts, prepared, strict=True):
        try:
            if isinstance(draft, InputError):
                raise draft
            yield draft.manifest()
        except InputError as error:
            refused.append(Refused(row.line, row.path, str(error)))


def _require_new(seen: dict[bytes, int], key: bytes, line: int, what: str) -> None:
    before = seen.setdefault(key, line)
    if before != line:
        raise InputError(
            f"it is {what} line {before}: members of a collection have no versions, so that "
            "neither is known to amend the other"
        )


def _draft(row: Row, file: FileDescription) -> Draft:
    return Draft(
        action=Action.PUBLISH,
        authority=row.authority,
        number=row.number,
        title={row.language: row.title},
        document=replace(file, language=row.language if row.language != "und" else None),
        type=row.type or None,
        issued=row.issued,
        effective_from=row.effective_from,
    )


def draft_of(header: CollectionHeader, act: Draft) -> Draft:
    """The act that puts a collection into the log."""
    return replace(
        act,
        document=FileDescription(header.root, size=None),
        extra={"collection": {"members": header.members}},
    )


def publish_collection(
    draft: Draft, header: CollectionHeader, client: Client, outbox: Outbox, engine: Engine
) -> Published | None:
    """Record the entry; None where this policy has it already: the command was run before."""
    with reading(engine) as connection:
        there = logged_collections(connection, header.root)
    if any(each.policy_id == draft.key.policy_id for each in there):
        return None
    return publish(draft, client, outbox)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[CollectionHeader, Iterator[bytes]]]:
    with opened(path) as file:
        yield read_collection(bounded_lines(file, MAX_LINE))


def import_collection(
    path: Path, engine: Engine, progress: Progress | None = None
) -> tuple[CollectionHeader, bool]:
    """Keep the members in a file, once their root was computed and is that of an entry in the log;
    whether they are new here.

    Raises InputError for a file that can not be read, NotVerified for members that do not have the
    root, or a root that is not in the log.
    """
    with _opened(path) as (header, members):
        for _ in members:
            pass
    with reading(engine) as connection:
        _require_logged(connection, header)
        if held_collection(connection, header.root) is not None:
            return header, False
    with _opened(path) as (again, members), writing(engine) as connection:
        if again != header:
            raise InputError(f"{path} was changed while it was read", hint="try again")
        _require_logged(connection, header)
        for done in write_members(connection, header, members):
            if progress:
                progress(done, header.members)
    return header, True


def _require_logged(connection: Connection, header: CollectionHeader) -> None:
    position = required_position(connection)
    if not any(each.size == header.members for each in logged_collections(connection, header.root)):
        raise NotVerified(
            f"no entry of the log is a collection of {header.members} members with the root "
            f"{header.root.hex()}, as of block {position.block}",
            hint="run polreg sync; or this is another registry's collection",
        )


@dataclass(frozen=True, slots=True)
class CollectionExport:
    """A collection that is ready to be written."""

    engine: Engine
    header: CollectionHeader

    def lines(self, progress: Progress | None = None) -> Iterator[bytes]:
        """The file's lines. Raises Inconsistent where the members do not have the root."""
        with reading(self.engine) as connection:
            held = held_collection(connection, self.header.root)
            if held is None:
                raise CouldNotCheck("the members were taken away meanwhile", hint="try again")
            yield from collection_lines(self.header, checked_members(connection, held, progress))


def checked_members(
    connection: Connection, held: Held, progress: Progress | None = None
) -> Iterator[bytes]:
    """A collection's members, which have its root once the last one has come."""
    tree = Growing()
    for manifest in manifests_of(connection, held.id):
        tree.append(manifest)
        yield manifest
        if progress and tree.size % _AT_ONCE == 0:
            progress(tree.size, held.size)
    if (tree.size, tree.root()) != (held.size, held.root):
        raise Inconsistent(
            f"the mirror's members do not have the root {held.root.hex()}",
            hint="run polreg fsck --repair, and import the collection again",
        )


def find_collections(engine: Engine) -> tuple[Position, list[Any]]:
    """Every entry that is a collection, and where the mirror stands."""
    with reading(engine) as connection:
        return required_position(connection), logged_collections(connection)


def root_of(engine: Engine, words: Sequence[str], on: Day) -> Digest:
    """The collection that is meant: by its root, or as its policy is named; of several versions
    the latest. Raises NotFound."""
    with reading(engine) as connection:
        required_position(connection)
        there = logged_collections(connection)
    if len(words) == 1 and any(each.root.hex() == words[0] for each in there):
        return Digest(bytes.fromhex(words[0]))
    policy_id = find_policy(engine, words, on).row.policy_id
    roots = [each.root for each in there if each.policy_id == policy_id]
    if not roots:
        raise NotFound(
            f"{' '.join(words)} is no collection", hint="polreg collection list shows them all"
        )
    return Digest(roots[-1])


def find_members(
    engine: Engine, wanted: MemberFilter, after: int = -1, limit: int = 50
) -> tuple[Position, list[ListedMember], bool]:
    """A page of members, and whether there are more after it."""
    with reading(engine) as connection:
        position = required_position(connection)
        closed = position.closed is not None
        rows = member_page(
            connection, wanted, after, limit + 1, finality=position.finality, closed=closed
        )
    return position, rows[:limit], len(rows) > limit


def export_collection(engine: Engine, root: Digest) -> CollectionExport:
    """A collection's members as a file. Raises NotFound where the log has none with this root,
    CouldNotCheck where its members are not known here."""
    with reading(engine) as connection:
        required_position(connection)
        if not logged_collections(connection, root):
            raise NotFound(f"no entry of the log is a collection with the root {root.hex()}")
        held = held_collection(connection, root)
    if held is None:
        raise CouldNotCheck(
            f"the members of the collection {root.hex()} are not known here",
            hint="import them: polreg collection import FILE, from whoever has the file",
        )
    return CollectionExport(engine, held.header)
