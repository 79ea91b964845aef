"""What was read of a document, before it is normalised: its passages, in their order.

A passage is what stands on lines of its own: a paragraph, a heading, a list item, a cell of a
table, and in a PDF a line. How they are cut does not matter to the text's digest, in which a
line's end is white space like any other; clauses begin where passages begin.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Passage:
    """`heading` is the level, from 1, of what the format marks as a heading. `label` is the label
    of the clause that begins here, where the format has structure of its own: then clauses begin
    at labelled passages and nowhere else."""

    text: str
    heading: int | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Extracted:
    """A document's passages, and with what they were read: the reader's name and version."""

    passages: tuple[Passage, ...]
    extractor: str

    @property
    def is_structured(self) -> bool:
        return any(each.label is not None for each in self.passages)
