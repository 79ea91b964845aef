"""Making the part of a receipt that shows single clauses: from the registered file, which is read
here again. What is read must be what was registered: else no path would lead to the root.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from registry.core.merkle import inclusion_path
from registry.core.receipt import Receipt
from registry.core.receipt_clause import ClausePart, ShownClause, check_clauses
from registry.core.text.clauses import ClauseHash, Text, TextRecord, clauses_root
from registry.core.text.normal import normal
from registry.core.units import Digest, EntryIndex
from registry.errors import CouldNotCheck, Inconsistent, InputError, ProofError
from registry.mirror.engine import Engine, reading
from registry.mirror.texts import RegisteredText, text_records
from registry.services.hashing import hash_file
from registry.services.texts.reading import Reader
from registry.services.texts.salts import salted_of_root

_WORDS = re.compile(r"(?:articles?|art|sections?|sec|§+)\.? ?", re.IGNORECASE)


def shown_clauses(
    engine: Engine, home: Path, receipt: Receipt, file: Path, label: str, reader: Reader
) -> ClausePart:
    """The clauses of the registered `file` under a label, and those below it, as § 3(b)(1) is below
    § 3(b).

    Raises InputError where there are none, CouldNotCheck where its text is not registered, or not
    read as it was, NotFound where its salts are not here.
    """
    registered = _registered(engine, receipt, hash_file(file).sha256, file)
    text = reader.read(file, name=file.name)
    hashes, salts = _as_registered(home, text, registered.record)
    places = find_clauses([each.label for each in text.clauses], label)
    leaves = [each.leaf_hash for each in hashes]
    part = ClausePart(
        EntryIndex(registered.entry),
        places[0],
        len(leaves),
        tuple(
            ShownClause(
                text.clauses[at].label,
                text.clauses[at].text,
                salts[at] if salts else None,
                tuple(inclusion_path(leaves, at)),
            )
            for at in places
        ),
    )
    try:
        check_clauses(part, {"text": registered.record.fields()})
    except ProofError as error:
        raise Inconsistent(f"the clauses that were read do not verify ({error})") from None
    return part


def _registered(engine: Engine, receipt: Receipt, sha256: Digest, file: Path) -> RegisteredText:
    """What one of the receipt's entries says of the text of this document."""
    shown = {each.entry.index for each in receipt.entries}
    member = receipt.member
    with reading(engine) as connection:
        known = text_records(connection, [sha256]).get(sha256, [])
    for each in reversed(known):
        if each.entry in shown and (each.member is None) is (member is None):
            return each
    raise CouldNotCheck(
        f"no manifest says which clauses {file} has: none of them can be proved by itself",
        hint="it was registered without its text; the whole document is proved without --clause",
    )


def _as_registered(
    home: Path, text: Text, record: TextRecord
) -> tuple[Sequence[ClauseHash], Sequence[bytes] | None]:
    if not record.salted:
        hashes, salts = text.hashed(), None
    else:
        salted = salted_of_root(home, record.root)
        salts = salted.salts
        hashes = text.hashed(salts) if len(salts) == len(text.clauses) else []
    if clauses_root(hashes) != record.root:
        raise CouldNotCheck(
            "what is read of the file is not what was registered: its text was read with "
            f"{record.extractor or 'a reader that is not named'}, here with {text.extractor}",
            hint="use the version of polreg that registered it; the whole document is proved "
            "without --clause",
        )
    return hashes, salts


def find_clauses(labels: Sequence[str], asked: str) -> range:
    """The places of a label, in whatever of its spellings, and of those below it. Raises
    InputError."""
    wanted = _key(asked)
    found = [at for at, each in enumerate(labels) if _key(each) == wanted]
    below = [at for at, each in enumerate(labels) if _key(each).startswith(wanted + "(")]
    if not wanted or not (found or below):
        shown = ", ".join(labels[:8]) + (", …" if len(labels) > 8 else "")
        raise InputError(f"the document has no clause {asked!r}", hint=f"it has {shown}")
    first = min(found or below)
    last = first
    while last + 1 in below:
        last += 1
    return range(first, last + 1)


def _key(label: str) -> str:
    """A label as it is compared: Sec. 3(b) and § 3(b) are one, and so are 第5条 and 第五条."""
    from registry.core.text.numerals import chinese

    key = _WORDS.sub("§", normal(label).lower(), count=1).replace(" ", "")

    def number(found: re.Match[str]) -> str:
        value = chinese(found[1])
        return found[0] if value is None else f"第{value}{found[2]}"

    return re.sub(r"第([〇零一二三四五六七八九十百千两0-9]+)([编章节条])", number, key)
