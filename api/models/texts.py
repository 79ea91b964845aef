"""What documents say, clause by clause."""

from __future__ import annotations

from api.models.base import Answer, FromRegistry, shown
from api.models.sample import DOCUMENT, POLICY

_TEXT = "c3862a00a07a78d5bbe7a0f1f7b95baf86c6a9d989cbe8ce79b1072f26b60ab6"
_ROOT = "1fe555e8ccfc39a7dacab7ff75f46f413f8b6c264c901cc4e90e9280d2a6cebe"
_CLAUSE = "cef0dfe7d8d0d06c49c83a3e1c5d0e7a35e5a2c59cbb6f9c55e7ad1f3a3c8e10"


class TextRecord(Answer):
    """What a manifest says of its document's text."""

    profile: str = shown("text/1")
    sha256: str = shown(_TEXT)
    """SHA-256 of the whole text's normal form."""
    clauses_root: str = shown(_ROOT)
    """The RFC 9162 root over its clauses."""
    clauses: int = shown(12)
    """How many there are."""
    extractor: str | None = shown("policy-registry 0.1.0, markdown-it-py 4.3.0")
    """What read the document."""
    salted: bool = shown(False)
    """Whether each clause's hash has a salt, which the registrar keeps."""


class Clause(Answer):
    label: str = shown("第一条")
    sha256: str = shown(_CLAUSE)
    """The hash of its text's normal form."""


class TextAnswer(FromRegistry):
    document: str = shown(DOCUMENT)
    policy_id: str = shown(POLICY)
    entry: int = shown(10)
    """The entry whose manifest says this."""
    member: int | None = shown(None)
    """The document's place in the collection that the entry is; null for its own document."""
    text: TextRecord
    clauses: list[Clause] | None = shown([{"label": "第一条", "sha256": _CLAUSE}])
    """In the text's order, which have the root; null where they are not known to this server, as
    those of a salted document never are."""
