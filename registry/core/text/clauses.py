"""A document's clauses, and what the registry keeps of them: a root.

A clause is the smallest unit that the document numbers and a lawyer cites: 第五条, § 3(b). Together
the clauses are the whole text, in its order, nothing twice. Each is a leaf of an RFC 9162 tree, of
its label and the hash of its text, so that one can be shown, and proved to be part of a registered
version, without the others.

A clause's leaf data, all lengths in bytes:

    label's length uint16 big-endian ‖ label in UTF-8 ‖ text hash 32

The text hash is SHA-256 over the normal form in UTF-8, without the clause's own number at its
beginning: the label says that, so a clause that was only renumbered keeps its hash. Of a salted
document it is over `SALTED ‖ salt ‖ normal form`, where each clause has a salt of its own: a short
clause could be guessed from a plain hash. No IO.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from registry.core import merkle
from registry.core.digest import sha256
from registry.core.text.normal import normal
from registry.core.units import Digest
from registry.errors import InputError

PROFILE = "text/1"
SALTED = b"policy-registry/text/1/salted\x00"
SALT_BYTES = 32
MAX_LABEL_BYTES = 512
MAX_CLAUSES = 1_000_000


@dataclass(frozen=True, slots=True)
class ClauseHash:
    """What is known of a clause without its text: its label and the hash of its text."""

    label: str
    text_hash: Digest

    @property
    def leaf_hash(self) -> Digest:
        label = self.label.encode("utf-8")
        if len(label) > MAX_LABEL_BYTES or len(self.text_hash) != 32:
            raise InputError(f"a label has at most {MAX_LABEL_BYTES} bytes, a hash 32")
        return merkle.leaf_hash(len(label).to_bytes(2, "big") + label + self.text_hash)


@dataclass(frozen=True, slots=True)
class Clause:
    """`text` is as it is shown: the passages that the clause consists of, one a line."""

    label: str
    text: str

    @property
    def body(self) -> str:
        """The normal form without the clause's own number: what is hashed."""
        return without_number(self.label, normal(self.text))

    def hashed(self, salt: bytes | None = None) -> ClauseHash:
        return ClauseHash(self.label, text_hash(self.body, salt))


@dataclass(frozen=True, slots=True)
class Text:
    """What a document says. `digest` is SHA-256 over the whole text's normal form in UTF-8."""

    digest: Digest
    clauses: tuple[Clause, ...]
    extractor: str

    def hashed(self, salts: Sequence[bytes] | None = None) -> list[ClauseHash]:
        """Each clause's label and hash, salted with a salt of its own where they are given."""
        if salts is None:
            return [clause.hashed() for clause in self.clauses]
        if len(set(salts)) != len(self.clauses):
            raise InputError("each clause needs a salt of its own")
        return [clause.hashed(salt) for clause, salt in zip(self.clauses, salts, strict=True)]


def text_of(clauses: Sequence[Clause], extractor: str) -> Text:
    whole = "\n".join(clause.text for clause in clauses)
    return Text(sha256(normal(whole).encode("utf-8")), tuple(clauses), extractor)


_WORDS = "(?:articles?|art|sections?|sec|chapter|part|title|§)[.]? ?"
_AGAIN = re.compile(r" ?\[[0-9]+\]\Z")  # by which a label that occurs twice is made unique
_NUMBERED = re.compile(rf"{_WORDS}(?P<number>[0-9a-z][^ ]*)")
_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def without_number(label: str, text: str) -> str:
    """A clause's normal form without the number that its label repeats: the label itself, its
    sub-levels (`(b)` of `§ 3(b)`), what comes after those above it (`第四节` of `第三章第四节`), or
    its number alone or after another word for it (`3`, `Sec. 3` of `§ 3`). A text that does not
    begin with one of these is whole. The case of ASCII letters does not matter."""
    label = _AGAIN.sub("", normal(label)).translate(_LOWER)
    began = text[: 2 * MAX_LABEL_BYTES].translate(_LOWER)
    starts = [
        label,
        *(label[at:] for mark in "(第" for at, each in enumerate(label) if each == mark),
    ]
    numbered = _NUMBERED.fullmatch(label)
    if numbered is not None:
        words = re.match(_WORDS, began)
        starts += [(words[0] if words else "") + numbered["number"], numbered["number"]]
    for start in starts:
        if start and began.startswith(start) and _ends(text, len(start)):
            return text[len(start) :].lstrip(" ")
    return text


def _ends(text: str, at: int) -> bool:
    """Whether a number may end there: `Article 1` does not in `Article 12`."""
    before, after = text[at - 1], text[at : at + 1]
    return not (before.isascii() and before.isalnum() and after.isascii() and after.isalnum())


def text_hash(text: str, salt: bytes | None = None) -> Digest:
    """The hash that stands for a clause's text."""
    content = normal(text).encode("utf-8")
    if salt is None:
        return sha256(content)
    if len(salt) != SALT_BYTES:
        raise InputError(f"a salt has {SALT_BYTES} bytes")
    return sha256(SALTED + salt + content)


def clauses_root(clauses: Iterable[ClauseHash]) -> Digest:
    """The root over the clauses' leaves, in their order."""
    return merkle.root([clause.leaf_hash for clause in clauses])


@dataclass(frozen=True, slots=True)
class TextRecord:
    """What a manifest says of a document's text, under its key `text`."""

    profile: str
    digest: Digest
    root: Digest
    count: int
    extractor: str | None = None
    salted: bool = False

    def fields(self) -> dict[str, object]:
        """As they stand in a manifest."""
        made: dict[str, object] = {
            "profile": self.profile,
            "sha256": self.digest.hex(),
            "clauses_root": self.root.hex(),
            "clauses": self.count,
        }
        if self.extractor is not None:
            made["extractor"] = self.extractor
        if self.salted:
            made["salted"] = True
        return made


def record_of(text: Text, salts: Sequence[bytes] | None = None) -> TextRecord:
    """What is registered of a text."""
    hashed = text.hashed(salts)
    root = clauses_root(hashed)
    return TextRecord(
        PROFILE, text.digest, root, len(hashed), text.extractor, salted=salts is not None
    )


def read_record(fields: object) -> TextRecord | None:
    """The record of a manifest's key `text`; None where it is absent, of another profile, or can
    not be read: the entry stands all the same."""
    if not isinstance(fields, dict) or fields.get("profile") != PROFILE:
        return None
    digest, root = _digest(fields.get("sha256")), _digest(fields.get("clauses_root"))
    count, extractor = fields.get("clauses"), fields.get("extractor")
    if digest is None or root is None or not isinstance(count, int) or isinstance(count, bool):
        return None
    if not 0 <= count <= MAX_CLAUSES or not isinstance(extractor, str | None):
        return None
    return TextRecord(PROFILE, digest, root, count, extractor, fields.get("salted") is True)


def check_record(fields: object) -> None:
    """Raise InputError where a manifest's key `text` is not to be written: readers would pass over
    it."""
    record = read_record(fields)
    if record is None or record.fields() != fields:
        raise InputError(f"what it says of its text is not as {PROFILE} has it")


def _digest(value: object) -> Digest | None:
    if not isinstance(value, str) or len(value) != 64 or value != value.lower():
        return None
    try:
        return Digest(bytes.fromhex(value))
    except ValueError:
        return None
