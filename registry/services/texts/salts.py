"""The salts of confidential documents: each clause's, in a file of the home folder.

They are nowhere else: not in the mirror, not in an export, not on the chain. Without them the
document's bytes and its text's digest can be verified as ever, and none of its clauses by itself.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from registry.core import strict_json
from registry.core.strict_fields import closed_object, hexadecimal
from registry.core.text.clauses import SALT_BYTES, ClauseHash, Text, clauses_root
from registry.core.units import Digest
from registry.errors import CouldNotCheck, Inconsistent, InputError, LocalFailure, NotFound
from registry.services.files import write_whole

SCHEMA = "policy-registry/salts/1"
_NAME = re.compile(r"([0-9a-f]{64})\.([0-9a-f]{64})\.json")


@dataclass(frozen=True, slots=True)
class Salted:
    """The clauses of a confidential document, and the salt of each."""

    document: Digest
    hashes: tuple[ClauseHash, ...]
    salts: tuple[bytes, ...]

    @property
    def root(self) -> Digest:
        return clauses_root(self.hashes)


def salts_for(home: Path, document: Digest, text: Text) -> tuple[bytes, ...]:
    """Salts for a document's clauses, written down before anything is sent. Those that it has are
    used again: a command that was interrupted makes the same act."""
    for _, path in _files(home, document=document):
        known = _read(path)
        same = len(known.salts) == len(text.clauses)
        if same and tuple(text.hashed(known.salts)) == known.hashes:
            return known.salts
    salts = tuple(secrets.token_bytes(SALT_BYTES) for _ in text.clauses)
    _write(home, Salted(document, tuple(text.hashed(salts)), salts))
    return salts


def salts_path(home: Path, document: Digest, root: Digest) -> Path:
    """Where the salts of a document are, by the root that its manifest says."""
    return home / "salts" / f"{document.hex()}.{root.hex()}.json"


def salted_of_root(home: Path, root: Digest) -> Salted:
    """The clauses and salts of the document with this root. Raises NotFound where they are not in
    this home folder, Inconsistent where their file was changed."""
    for _, path in _files(home, root=root):
        return _read(path)
    raise NotFound(
        f"the salts of the clauses with the root {root.hex()} are not in this home folder",
        hint="they are where the document was published with --salted, and in receipts that were "
        "made there. If they are lost, the document's bytes and the digest of its text verify as "
        "before; no clause of it can be proved or found changed by itself any more",
    )


def _files(
    home: Path, *, document: Digest | None = None, root: Digest | None = None
) -> Iterator[tuple[str, Path]]:
    wanted = f"{document.hex() if document else '*'}.{root.hex() if root else '*'}.json"
    for path in sorted((home / "salts").glob(wanted)):
        found = _NAME.fullmatch(path.name)
        if found:
            yield found[2], path


def _write(home: Path, made: Salted) -> None:
    import rfc8785

    fields: dict[str, Any] = {
        "schema": SCHEMA,
        "document": made.document.hex(),
        "root": made.root.hex(),
        "clauses": [
            {"label": each.label, "sha256": each.text_hash.hex(), "salt": salt.hex()}
            for each, salt in zip(made.hashes, made.salts, strict=True)
        ],
    }
    path = salts_path(home, made.document, made.root)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise LocalFailure(f"{path.parent} can not be made: {error.strerror}") from None
    write_whole(path, [rfc8785.dumps(fields)], mode=0o600)


def _read(path: Path) -> Salted:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LocalFailure(f"{path} can not be read: {error.strerror}") from None
    found = _NAME.fullmatch(path.name)
    try:
        read = _parsed(content)
    except (InputError, CouldNotCheck) as error:
        raise Inconsistent(f"{path} can not be read as salts: {error}", hint=_DAMAGED) from None
    if found is None or (read.document.hex(), read.root.hex()) != found.groups():
        raise Inconsistent(f"{path} is of other clauses than its name says", hint=_DAMAGED)
    return read


_DAMAGED = "put a copy of it there; without it no clause of that document can be proved"


def _parsed(content: bytes) -> Salted:
    fields = closed_object(
        strict_json.loads(content), ("schema", "document", "root", "clauses"), "it"
    )
    if fields["schema"] != SCHEMA or not isinstance(fields["clauses"], list):
        raise InputError(f"its schema is not {SCHEMA}")
    hashes, salts = [], []
    for number, each in enumerate(fields["clauses"]):
        where = f"clause {number}"
        clause = closed_object(each, ("label", "sha256", "salt"), where)
        if not isinstance(clause["label"], str):
            raise InputError(f"{where} has no label")
        digest = Digest(hexadecimal(clause["sha256"], 32, f"{where}, sha256"))
        hashes.append(ClauseHash(clause["label"], digest))
        salts.append(hexadecimal(clause["salt"], SALT_BYTES, f"{where}, salt"))
    document = Digest(hexadecimal(fields["document"], 32, "document"))
    return Salted(document, tuple(hashes), tuple(salts))
