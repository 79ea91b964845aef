"""Where clauses begin: by the document's own structure, else by the words at the head of its
passages, else a paragraph each. Labels are those that a lawyer cites. No IO.
"""

from __future__ import annotations

from registry.core.text.clauses import Clause, Text, text_of
from registry.core.text.normal import readable
from registry.core.text.passages import Extracted


def split(extracted: Extracted) -> Text:
    """The text with its clauses. Passages without anything readable are left out."""
    shown = [readable(each.text) for each in extracted.passages]
    clauses = [Clause(f"¶ {number}", each) for number, each in enumerate(filter(None, shown), 1)]
    return text_of(clauses, extracted.extractor)
