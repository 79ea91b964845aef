"""Documents of a few clauses, and drafts that register them."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

from registry.core.draft import Draft
from registry.core.entry import Action
from registry.core.text.clauses import Clause, Text, record_of, text_of
from registry.mirror.engine import Engine, writing
from registry.mirror.texts import add_clause_list
from tests.unit.logs import draft

EXTRACTOR = "test/1"


def law(*said: str) -> Text:
    """A text with one article for each that is said."""
    clauses = [Clause(f"Article {number}", each) for number, each in enumerate(said, 1)]
    return text_of(clauses, EXTRACTOR)


def bytes_of(text: Text) -> str:
    return "\n".join(clause.text for clause in text.clauses)


def act(
    number: str, text: Text, action: Action = Action.PUBLISH, *, salted: bool = False, **more: Any
) -> Draft:
    """The act that puts a document with this text into the log."""
    salts = [secrets.token_bytes(32) for _ in text.clauses] if salted else None
    made = draft(action, number, bytes_of(text), **more)
    return replace(made, text=record_of(text, salts))


def keep(engine: Engine, text: Text, *, said: bool = False, own: bool = False) -> bool:
    """Keep its clauses in a mirror, and what they say."""
    texts = [clause.text for clause in text.clauses] if said else None
    with writing(engine) as connection:
        return add_clause_list(connection, record_of(text).root, text.hashed(), texts, own=own)
