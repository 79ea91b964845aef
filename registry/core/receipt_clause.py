"""The part of a receipt that shows clauses of a document, and not the rest of it.

Each clause comes with its text, its salt where the document is confidential, and the path from its
leaf to the clauses' root in the manifest of the document's entry. No IO.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from registry.core.merkle import verify_inclusion
from registry.core.strict_fields import closed_object, decoded, hexadecimal, whole_number
from registry.core.units import Digest, EntryIndex
from registry.errors import InputError, ProofError

if TYPE_CHECKING:
    from registry.core.text.clauses import Clause, TextRecord

CLAUSES = 13
"""The step that is done here."""

SALT_BYTES = 32
MAX_SHOWN = 10_000
_PART_KEYS = ("entry", "index", "size", "clauses")
_CLAUSE_KEYS = ("label", "text", "salt", "path")


@dataclass(frozen=True, slots=True)
class ShownClause:
    label: str
    text: str
    salt: bytes | None
    path: tuple[Digest, ...]


@dataclass(frozen=True, slots=True)
class ClausePart:
    """Clauses one after another, the first of them leaf `index` of the tree of `size` whose root
    is in the manifest of `entry`; of a member, in the member's own manifest."""

    entry: EntryIndex
    index: int
    size: int
    clauses: tuple[ShownClause, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(each.label for each in self.clauses)


def part_fields(part: ClausePart) -> dict[str, Any]:
    """As it stands in a receipt."""
    return {
        "entry": part.entry,
        "index": part.index,
        "size": part.size,
        "clauses": [
            {
                "label": each.label,
                "text": each.text,
                "salt": None if each.salt is None else each.salt.hex(),
                "path": [sibling.hex() for sibling in each.path],
            }
            for each in part.clauses
        ],
    }


def read_part(value: Any) -> ClausePart:
    """Raises InputError where it is not exactly that."""
    fields = closed_object(value, _PART_KEYS, "clause")
    shown = fields["clauses"]
    if not isinstance(shown, list) or not 0 < len(shown) <= MAX_SHOWN:
        raise InputError(f"clause.clauses is no list of 1 to {MAX_SHOWN}")
    return ClausePart(
        EntryIndex(whole_number(fields["entry"], "clause.entry")),
        whole_number(fields["index"], "clause.index"),
        whole_number(fields["size"], "clause.size"),
        tuple(_clause(each, f"clause.clauses[{at}]") for at, each in enumerate(shown)),
    )


def _clause(value: Any, where: str) -> ShownClause:
    fields = closed_object(value, _CLAUSE_KEYS, where)
    salt = fields["salt"]
    if not isinstance(fields["path"], list):
        raise InputError(f"{where}.path is not a list")
    return ShownClause(
        _text(fields["label"], f"{where}.label"),
        _text(fields["text"], f"{where}.text"),
        None if salt is None else hexadecimal(salt, SALT_BYTES, f"{where}.salt"),
        tuple(_hash(each, f"{where}.path[{at}]") for at, each in enumerate(fields["path"])),
    )


def _hash(value: Any, where: str) -> Digest:
    known = decoded(value)
    return Digest(known if known and len(known) == 32 else hexadecimal(value, 32, where))


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise InputError(f"{where} is not a text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InputError(f"{where} holds half a surrogate pair") from None
    return value


def check_clauses(part: ClausePart, manifest: Mapping[str, Any] | None) -> TextRecord:
    """Step 13: the clauses are leaves, one after another, of the tree whose root and size the
    manifest says. Raises ProofError."""
    record = _record(part, manifest)
    for at, shown in enumerate(part.clauses):
        where = f"the clause {shown.label!r}"
        if (shown.salt is not None) != record.salted:
            kind = "salted" if record.salted else "not salted"
            raise ProofError(CLAUSES, f"the document is {kind}, and {where} is not shown so")
        try:
            leaf = clause_of(shown).hashed(shown.salt).leaf_hash
            verify_inclusion(leaf, part.index + at, part.size, shown.path, record.root)
        except ProofError:
            raise ProofError(
                CLAUSES, f"{where} is not the registered one: it does not lead to the clauses' root"
            ) from None
        except InputError as error:
            raise ProofError(CLAUSES, f"{where} can not be one: {error}") from None
    return record


def _record(part: ClausePart, manifest: Mapping[str, Any] | None) -> TextRecord:
    # Late: texts bring tables of Unicode, which a receipt without clauses has no use for.
    from registry.core.text.clauses import read_record

    if manifest is None:
        raise ProofError(CLAUSES, f"the receipt shows no readable manifest of entry {part.entry}")
    record = read_record(manifest.get("text"))
    if record is None:
        raise ProofError(CLAUSES, f"the manifest of entry {part.entry} says nothing of clauses")
    if part.size != record.count:
        raise ProofError(CLAUSES, f"the text has {record.count} clauses, not {part.size}")
    return record


def clause_of(shown: ShownClause) -> Clause:
    from registry.core.text.clauses import Clause

    return Clause(shown.label, shown.text)


def says_the_same(part: ClausePart, content: bytes) -> bool:
    """Whether a file of UTF-8 says what these clauses do, and nothing else: with their numbers, or
    of an only clause without."""
    from registry.core.text.normal import normal

    try:
        said = normal(content.removeprefix(b"\xef\xbb\xbf").decode("utf-8"))
    except UnicodeDecodeError:
        return False
    if said == normal("\n".join(each.text for each in part.clauses)):
        return True
    return len(part.clauses) == 1 and said == clause_of(part.clauses[0]).body
