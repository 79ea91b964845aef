"""Lists of clauses between mirrors and from documents: the chain has their roots alone.

Each list is compared with the root that a manifest in the log says before it is kept, whoever it
comes from. A list of a salted document is in no file that leaves this machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from registry.core.json_lines import bounded_lines
from registry.core.position import Position
from registry.core.text.clauses import clauses_root
from registry.core.text.list_file import MAX_LINE, Listed, lists_file, read_lists_file
from registry.core.units import Day, Digest
from registry.errors import Inconsistent, NotFound
from registry.mirror.engine import Connection, Engine, reading, writing
from registry.mirror.own_lists import keep_own_lists
from registry.mirror.texts import (
    ClauseList,
    RegisteredText,
    clause_list,
    registered_lists,
    require_registered,
    text_record,
    texts_of_entries,
)
from registry.services.log_export import opened
from registry.services.lookup import find_policy
from registry.services.texts.salts import salted_of_root
from registry.services.verify import required_position

Progress = Callable[[int, int], None]
"""Called with lists done and lists in all."""

_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class FoundText:
    """What is registered of a document's text, and its clauses where they are known here."""

    position: Position
    registered: RegisteredText
    listed: ClauseList | None


def text_of_document(engine: Engine, sha256: Digest) -> FoundText:
    """Of the document with this SHA-256. Raises NotFound where nothing is registered of it."""
    with reading(engine) as connection:
        position = required_position(connection)
        found = text_record(connection, sha256)
        if found is None:
            raise NotFound(
                f"no text is registered of the document {sha256.hex()}",
                hint="it is not in the registry, or was published without its text",
            )
        return FoundText(position, found, clause_list(connection, found.record.root))


def text_of_policy(engine: Engine, words: list[str], on: Day) -> FoundText:
    """Of the document of a policy that applies on a day. Raises NotFound."""
    row = find_policy(engine, words, on).row
    with reading(engine) as connection:
        position = required_position(connection)
        found = texts_of_entries(connection, [row.document_entry]).get(row.document_entry)
        if found is None:
            raise NotFound(
                f"no text is registered of the document of {' '.join(words)}",
                hint="it was published without its text",
            )
        return FoundText(position, found, clause_list(connection, found.record.root))


def salted_list(found: FoundText, home: Path) -> ClauseList | None:
    """The clauses of a salted document, from this machine's own salts. Raises NotFound where they
    are not here; None for a document that is not salted."""
    if not found.registered.record.salted:
        return None
    salted = salted_of_root(home, found.registered.record.root)
    return ClauseList(-1, salted.root, salted.hashes, None)


@dataclass(frozen=True, slots=True)
class ListsExport:
    """Lists that are ready to be written: those whose root a manifest in the log says."""

    engine: Engine

    def lines(self, progress: Progress | None = None) -> Iterator[bytes]:
        """The file's lines. Raises Inconsistent for a list that does not have its root."""
        with reading(self.engine) as connection:
            required_position(connection)
            roots = list(registered_lists(connection))
            yield from lists_file(len(roots), stored_lists(connection, roots, progress))


def stored_lists(
    connection: Connection, roots: list[Digest], progress: Progress | None = None
) -> Iterator[Listed]:
    """These lists as the mirror has them. Raises Inconsistent for one that lost its root."""
    for done, root in enumerate(roots, 1):
        found = clause_list(connection, root)
        if found is None or clauses_root(found.hashes) != root:
            raise Inconsistent(
                f"the mirror's clauses do not have the root {root.hex()}",
                hint="run polreg fsck --repair",
            )
        yield Listed(root, found.hashes)
        if progress:
            progress(done, len(roots))


@dataclass(frozen=True, slots=True)
class Imported:
    lists: int
    new: int


def import_lists(path: Path, engine: Engine, progress: Progress | None = None) -> Imported:
    """Keep the lists of a file, all of them or none: each has the root that its line says, and a
    manifest in the log says that root.

    Raises InputError for a file that can not be read, NotVerified, naming the list, for one that
    was altered or is not of this log.
    """
    with opened(path) as file, writing(engine) as connection:
        required_position(connection)
        count, lists = read_lists_file(bounded_lines(file, MAX_LINE))
        done = new = 0
        while some := list(islice(lists, _AT_ONCE)):
            for each in some:
                require_registered(connection, each.root, len(each.hashes))
            new += len(keep_own_lists(connection, some))
            done += len(some)
            if progress:
                progress(done, count)
    return Imported(count, new)
