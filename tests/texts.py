"""Documents of a few clauses, and drafts that register them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from registry.core.draft import Draft
from registry.core.entry import Action
from registry.core.text.clauses import Clause, Text, record_of, text_of
from registry.core.text.list_file import Listed
from registry.mirror.engine import Engine, writing
from registry.mirror.own_lists import keep_own_lists
from registry.mirror.texts import require_registered
from tests.unit.logs import draft

EXTRACTOR = "test/1"


def law(*said: str) -> Text:
    """A text with one article for each that is said."""
    clauses = [Clause(f"Article {number}", each) for number, each in enumerate(said, 1)]
    return text_of(clauses, EXTRACTOR)


def bytes_of(text: Text) -> str:
    return "\n".join(clause.text for clause in text.clauses)


def act(
    number: str,
    text: Text,
    action: Action = Action.PUBLISH,
    *,
    salts: Sequence[bytes] | None = None,
    **more: Any,
) -> Draft:
    """The act that puts a document with this text into the log."""
    made = draft(action, number, bytes_of(text), **more)
    return replace(made, text=record_of(text, salts))


def keep(engine: Engine, text: Text, *, said: bool = False, own: bool = False) -> bool:
    """Keep its clauses in a mirror, and what they say; whether they are new there. `own`: as those
    of a document that is being published, of which the log need not tell yet."""
    texts = [clause.text for clause in text.clauses] if said else None
    listed = Listed(record_of(text).root, text.hashed(), texts)
    with writing(engine) as connection:
        if not own:
            require_registered(connection, listed.root, len(listed.hashes))
        return bool(keep_own_lists(connection, [listed]))
